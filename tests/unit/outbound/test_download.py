"""Downloading a result from an address that an upstream named: as guarded as a fetch, with flat memory."""

import asyncio
import gzip
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from aiohttp.abc import AbstractResolver

from tests.support.receiver import CA_FILE, Receiver, Reply, Send, drip, endless, hold, raw, redirect, reply
from tests.unit.outbound.test_file_sink import held
from understudy.outbound.client import OutboundClient
from understudy.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge, OutboundError
from understudy.outbound.policy import OutboundPolicy

OK = b"HTTP/1.1 200 OK\r\n"
FILM = os.urandom(3_000_000)


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    """A client that may reach this host."""
    async with OutboundClient(OutboundPolicy.parse(["127.0.0.0/8"]), ca_file=CA_FILE) as client:
        yield client


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return tmp_path / "film.mp4"


async def download(
    client: OutboundClient,
    url: str,
    film: Path,
    *,
    max_bytes: int = 10**7,
    total_seconds: float = 20,
    stall_seconds: float = 10,
) -> int:
    return await client.download(
        url, film, max_bytes=max_bytes, total_seconds=total_seconds, stall_seconds=stall_seconds
    )


async def download_from(client: OutboundClient, answer: Reply, film: Path, *, max_bytes: int = 10**7) -> int:
    """Download once from a receiver with that one answer."""
    async with Receiver(answer) as receiver:
        return await download(client, receiver.url("/film.mp4"), film, max_bytes=max_bytes)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, FILM),
        reply(200, FILM, {"Content-Encoding": "identity"}),
        raw(OK + b"\r\n" + FILM),
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(FILM) + FILM + b"\r\n0\r\n\r\n"),
    ],
    ids=["announced", "identity", "until the end", "chunked"],
)
async def test_the_body_becomes_the_file(client: OutboundClient, film: Path, answer: Reply) -> None:
    assert await download_from(client, answer, film) == len(FILM)
    assert film.read_bytes() == FILM
    assert held(film.parent) == ["film.mp4"]


async def test_neither_key_nor_cookie_is_sent_not_even_after_a_redirect_that_sets_one(
    client: OutboundClient, film: Path
) -> None:
    async with Receiver(
        reply(302, headers={"Location": "/moved.mp4?sig=a%2Fb", "Set-Cookie": "a=b; Path=/"}), reply(200, b"film")
    ) as receiver:
        await download(client, receiver.url("/film.mp4"), film)

        assert [request.path for request in receiver.requests] == ["/film.mp4", "/moved.mp4?sig=a%2Fb"]
        for request in receiver.requests:
            assert request.method == "GET"
            assert request.headers.keys() == {"host", "accept", "accept-encoding", "user-agent", "connection"}
            assert request.headers["accept-encoding"] == "identity"
    assert film.read_bytes() == b"film"


async def test_three_redirects_are_followed_and_not_a_fourth(client: OutboundClient, film: Path) -> None:
    async with Receiver(*[redirect("/next")] * 3, reply(200, b"film")) as receiver:
        assert await download(client, receiver.url(), film) == 4
    film.unlink()

    async with Receiver(redirect("/next")) as receiver:
        with pytest.raises(FetchRefused, match="more than 3 redirects"):
            await download(client, receiver.url(), film)
    assert held(film.parent) == []


async def test_a_redirect_to_a_private_host_reaches_nobody(film: Path, names: Callable[..., AbstractResolver]) -> None:
    resolver = names(**{"inner.test": [["127.0.0.1"]]})
    async with Receiver() as private:
        for location in (private.url("/secret"), private.url("/secret", host="inner.test"), "http://169.254.169.254/"):
            async with Receiver(redirect(location)) as public:
                policy = OutboundPolicy.parse([f"127.0.0.1:{public.port}"])
                async with OutboundClient(policy, resolver=resolver) as client:
                    with pytest.raises(FetchRefused):
                        await download(client, public.url(), film)
        assert private.connections == 0
    assert held(film.parent) == []


async def test_a_redirect_from_tls_to_plain_http_is_refused(film: Path) -> None:
    async with Receiver(redirect("http://127.0.0.1:8080/"), certificate="localhost") as receiver:
        policy = OutboundPolicy.parse([f"localhost:{receiver.port}"])
        async with OutboundClient(policy, ca_file=CA_FILE) as client:
            with pytest.raises(FetchRefused, match="not allowed"):
                await download(client, receiver.url(host="localhost"), film)


@pytest.mark.parametrize("status", [301, 403, 404, 500, 503])
async def test_another_status_than_2xx_is_a_failure(client: OutboundClient, film: Path, status: int) -> None:
    with pytest.raises(FetchFailed, match=str(status)):
        await download_from(client, reply(status, b"<html>"), film)
    assert held(film.parent) == []


async def test_exactly_the_allowed_number_of_bytes_is_accepted(client: OutboundClient, film: Path) -> None:
    assert await download_from(client, reply(200, FILM), film, max_bytes=len(FILM)) == len(FILM)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, FILM),
        raw(OK + b"\r\n" + FILM),
        hold(OK + b"Content-Length: 5000000000\r\n\r\n"),
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(FILM) + FILM + b"\r\n0\r\n\r\n"),
    ],
    ids=["announced", "unannounced", "announced and never sent", "chunked"],
)
async def test_one_byte_more_is_too_large_and_nothing_is_kept(
    client: OutboundClient, film: Path, answer: Reply
) -> None:
    with pytest.raises(FetchTooLarge):
        await download_from(client, answer, film, max_bytes=len(FILM) - 1)
    assert held(film.parent) == []


async def test_an_endless_body_is_cut_soon_after_the_limit(client: OutboundClient, film: Path) -> None:
    async with Receiver(endless(OK + b"\r\n", bytes(65536))) as receiver:
        with pytest.raises(FetchTooLarge):
            await download(client, receiver.url(), film, max_bytes=10_000_000)
        assert receiver.bytes_sent < 40_000_000
    assert held(film.parent) == []


async def test_a_large_body_costs_no_memory(client: OutboundClient, film: Path) -> None:
    held_bytes = []

    async def large(send: Send) -> None:
        await send(OK + b"Content-Length: 100000000\r\n\r\n")
        for _ in range(100):
            await send(bytes(1_000_000))
            held_bytes.append(psutil.Process().memory_info().rss)

    async with Receiver(large) as receiver:
        assert await download(client, receiver.url(), film, max_bytes=10**9) == 100_000_000
    assert max(held_bytes) - held_bytes[0] < 16 * 2**20


@pytest.mark.parametrize("announced", [len(FILM) + 1, 4294967297])
async def test_a_body_shorter_than_announced_is_a_failure(client: OutboundClient, film: Path, announced: int) -> None:
    answer = raw(OK + b"Content-Length: %d\r\n\r\n" % announced + FILM)

    with pytest.raises(FetchFailed, match="protocol"):
        await download_from(client, answer, film, max_bytes=2**40)
    assert held(film.parent) == []


async def test_a_chunked_body_without_its_end_is_a_failure(client: OutboundClient, film: Path) -> None:
    answer = raw(OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(FILM) + FILM + b"\r\n")

    with pytest.raises(FetchFailed, match="protocol"):
        await download_from(client, answer, film)
    assert held(film.parent) == []


async def test_a_body_longer_than_announced_is_a_failure(client: OutboundClient, film: Path) -> None:
    with pytest.raises(FetchFailed, match="protocol"):
        await download_from(client, raw(OK + b"Content-Length: 3\r\n\r\nabcdef"), film)
    assert held(film.parent) == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "GZIP"])
async def test_a_compressed_answer_is_refused_unread(client: OutboundClient, film: Path, encoding: str) -> None:
    bomb = gzip.compress(bytes(10_000_000))

    with pytest.raises(FetchRefused, match="compressed"):
        await download_from(client, reply(200, bomb, {"Content-Encoding": encoding}), film)
    assert held(film.parent) == []


@pytest.mark.parametrize(
    "answer",
    [
        drip(OK + b"Content-Length: 100000\r\n\r\n"),
        drip(OK, piece=b"X-A: b\r\n"),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"1\r\nx\r\n"),
    ],
    ids=["body", "headers", "chunks"],
)
async def test_a_drip_never_stalls_and_is_cut_when_the_time_is_over(
    client: OutboundClient, film: Path, answer: Reply
) -> None:
    async with Receiver(answer) as receiver:
        with pytest.raises(FetchFailed, match="timeout"):
            await download(client, receiver.url(), film, total_seconds=0.5)
    assert held(film.parent) == []


@pytest.mark.parametrize(
    "answer",
    [hold(), hold(OK + b"Content-Length: 5\r\n\r\n12"), hold(OK + b"Content-Length: 9000000\r\n\r\n" + FILM)],
    ids=["before the answer", "within the body", "after some megabytes"],
)
async def test_silence_ends_it_long_before_the_time_is_over(client: OutboundClient, film: Path, answer: Reply) -> None:
    began = time.monotonic()
    async with Receiver(answer) as receiver:
        with pytest.raises(FetchFailed, match="timeout"):
            await download(client, receiver.url(), film, total_seconds=60, stall_seconds=0.3)
    assert time.monotonic() - began < 5
    assert held(film.parent) == []


async def test_a_sender_slower_than_the_stall_time_in_all_but_never_silent_is_heard_out(
    client: OutboundClient, film: Path
) -> None:
    async def slow(send: Send) -> None:
        await send(OK + b"Content-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.1)
            await send(b"x")

    async with Receiver(slow) as receiver:
        assert await download(client, receiver.url(), film, stall_seconds=0.5) == 8


async def test_cancelled_midway_it_leaves_nothing_and_hangs_up(client: OutboundClient, film: Path) -> None:
    async with Receiver(hold(OK + b"Content-Length: 9000000\r\n\r\n" + FILM)) as receiver:
        downloading = asyncio.create_task(download(client, receiver.url(), film))
        async with asyncio.timeout(10):
            while not (parts := list(film.parent.iterdir())) or parts[0].stat().st_size == 0:  # noqa: ASYNC110 - a folder tells nobody when it changes
                await asyncio.sleep(0.01)

        downloading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await downloading

    assert held(film.parent) == []


async def test_a_disk_that_does_not_take_the_file_is_a_failure_that_names_the_disk(
    client: OutboundClient, film: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(FetchFailed, match=r"the file cannot be written: File too large"):
            await download_from(client, reply(200, FILM), film)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert held(film.parent) == []

    with pytest.raises(FetchFailed, match=r"cannot be written: No such file or directory"):
        await download_from(client, reply(200, FILM), film / "missing" / "film.mp4")


async def test_nobody_at_the_port_is_a_failure(client: OutboundClient, film: Path) -> None:
    async with Receiver() as receiver:
        url = receiver.url()

    with pytest.raises(FetchFailed, match="refused"):
        await download(client, url, film)


@pytest.mark.parametrize("url", ["", "example.com", "file:///etc/passwd", "https://a@b/", "http://2130706433/"])
async def test_what_no_caller_could_name_is_refused(client: OutboundClient, film: Path, url: str) -> None:
    with pytest.raises(FetchRefused):
        await download(client, url, film)


async def test_an_error_names_neither_path_nor_query(client: OutboundClient, film: Path) -> None:
    """They may hold somebody's token, and the text goes to a log."""
    async with Receiver(reply(403)) as receiver:
        with pytest.raises(OutboundError) as caught:
            await download(client, receiver.url("/s3cret?token=s3cret"), film)

    assert "s3cret" not in str(caught.value)
