"""Fetching a result: whose address is trusted, who sees the key, and what is bounded."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.receiver import Receiver, drip, endless, hold, raw, redirect, reply
from understudy.backends.base import CollectFailed
from understudy.backends.http import MAX_HOPS, UpstreamApi
from understudy.backends.options import BackendOptions
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy

KEY = "sk-canary-0123456789"
FILM = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 500
Make = Callable[..., UpstreamApi]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make clients; `allow` is what the guard lets pass."""
    closers: list[UpstreamApi | OutboundClient] = []

    def client(url: str, *, allow: tuple[str, ...] = (), **settings: object) -> UpstreamApi:
        outbound = OutboundClient(OutboundPolicy.parse(allow))
        options = BackendOptions.model_validate({"download_seconds": 5, **settings})
        headers = {"Authorization": f"Bearer {KEY}"}
        api = UpstreamApi(url, headers=headers, secrets=(SecretStr(KEY),), options=options, outbound=outbound)
        closers.extend((api, outbound))
        return api

    yield client
    for closer in closers:
        await closer.close()


async def _fails(api: UpstreamApi, address: str, folder: Path) -> CollectFailed:
    with pytest.raises(CollectFailed) as caught:
        await api.download(address, folder / "film.mp4")
    assert KEY not in f"{caught.value} {caught.value!r}"
    assert not list(folder.iterdir()), "something was left behind"
    return caught.value


async def test_a_path_is_fetched_from_the_backend_itself_with_its_key(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as receiver:
        await make(receiver.url("/v1")).download("videos/7/content", tmp_path / "film.mp4")

    [request] = receiver.requests
    assert request.path == "/v1/videos/7/content"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert (tmp_path / "film.mp4").read_bytes() == FILM


async def test_another_address_passes_the_guard_and_never_sees_the_key(make: Make, tmp_path: Path) -> None:
    async with Receiver() as receiver, Receiver(reply(200, FILM)) as bucket:
        api = make(receiver.url("/v1"), allow=(f"127.0.0.1:{bucket.port}",))
        await api.download(bucket.url("/film.mp4?sig=1"), tmp_path / "film.mp4")

    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert KEY not in str(bucket.requests)
    assert not receiver.requests


async def test_a_private_address_that_nobody_allowed_is_refused_for_good(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as bucket:
        error = await _fails(make("http://127.0.0.1:1/v1"), bucket.url("/film.mp4"), tmp_path)

    assert error.hopeless
    assert bucket.connections == 0


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.1:{port}"])
async def test_a_host_that_the_operator_named_is_trusted_but_not_with_the_key(
    make: Make, entry: str, tmp_path: Path
) -> None:
    """`result_hosts`: the operator's own S3 in a private network."""
    async with Receiver(reply(200, FILM)) as bucket:
        api = make("http://127.0.0.1:1/v1", result_hosts=(entry.format(port=bucket.port),))
        await api.download(bucket.url("/film.mp4"), tmp_path / "film.mp4")

    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert "authorization" not in bucket.requests[0].headers


async def test_another_port_of_a_named_host_is_not_trusted(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as bucket:
        api = make("http://127.0.0.1:1/v1", result_hosts=("127.0.0.1:9",))
        await _fails(api, bucket.url("/film.mp4"), tmp_path)

    assert bucket.connections == 0


async def test_a_redirect_to_another_host_leaves_the_key_behind(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as bucket, Receiver(redirect(bucket.url("/f"))) as receiver:
        api = make(receiver.url("/v1"), allow=(f"127.0.0.1:{bucket.port}",))
        await api.download("videos/7/content", tmp_path / "film.mp4")

    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert KEY not in str(bucket.requests)


async def test_a_redirect_within_the_origin_keeps_it(make: Make, tmp_path: Path) -> None:
    async with Receiver(redirect("/files/7"), reply(200, FILM)) as receiver:
        await make(receiver.url("/v1")).download("videos/7/content", tmp_path / "film.mp4")

    assert [request.path for request in receiver.requests] == ["/v1/videos/7/content", "/files/7"]
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in receiver.requests)


async def test_a_redirect_to_a_private_address_is_refused_for_good(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as inside, Receiver(redirect(inside.url("/"))) as receiver:
        error = await _fails(make(receiver.url("/v1")), "videos/7/content", tmp_path)

    assert error.hopeless
    assert inside.connections == 0


async def test_redirects_without_an_end_are_cut(make: Make, tmp_path: Path) -> None:
    async with Receiver(redirect("/again")) as receiver:
        error = await _fails(make(receiver.url("/v1")), "videos/7/content", tmp_path)

    assert error.hopeless
    assert len(receiver.requests) == MAX_HOPS + 1


@pytest.mark.parametrize(
    "location", ["", "http://", "http://[::1", "ftp://127.0.0.1/film", "file:///etc/hostname", "\x7f"]
)
async def test_a_redirect_that_leads_nowhere_is_an_error_like_any_other(
    make: Make, location: str, tmp_path: Path
) -> None:
    async with Receiver(redirect(location)) as receiver:
        await _fails(make(receiver.url("/v1")), "videos/7/content", tmp_path)


@pytest.mark.parametrize(
    "address", ["http://", "http://[::1", "http://127.0.0.1:99999/f", "https://user:pw@127.0.0.1/f", "http://0x7f.1/f"]
)
async def test_an_address_that_is_none_is_an_error_like_any_other(make: Make, address: str, tmp_path: Path) -> None:
    await _fails(make("http://127.0.0.1:1/v1"), address, tmp_path)


CUT = {
    "refused": raw(b""),
    "half": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"),
    "status": reply(500, FILM),
    "nothing-new": reply(304),
    "silence": hold(),
    "drip": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"),
}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("where", ["own", "foreign"])
async def test_a_download_that_breaks_off_may_be_tried_again(make: Make, name: str, where: str, tmp_path: Path) -> None:
    async with Receiver(CUT[name]) as receiver:
        own = where == "own"
        api = make(
            receiver.url("/v1") if own else "http://127.0.0.1:1",
            allow=(f"127.0.0.1:{receiver.port}",),
            download_seconds=0.7,
        )
        begun = time.monotonic()
        error = await _fails(api, receiver.url("/v1/film"), tmp_path)

        if name != "nothing-new":
            assert not error.hopeless
        assert time.monotonic() - begun < 4


@pytest.mark.parametrize("where", ["own", "foreign"])
@pytest.mark.parametrize(
    ("status", "hopeless"),
    [(401, True), (403, True), (404, True), (410, True), (429, False), (500, False), (503, False)],
)
async def test_a_file_that_is_not_there_will_hardly_come(
    make: Make, status: int, hopeless: bool, where: str, tmp_path: Path
) -> None:
    async with Receiver(reply(status, FILM)) as receiver:
        base = receiver.url("/v1") if where == "own" else "http://127.0.0.1:1"
        api = make(base, allow=(f"127.0.0.1:{receiver.port}",))
        error = await _fails(api, receiver.url("/v1/film"), tmp_path)

    assert error.hopeless is hopeless
    assert f"status {status}" in str(error)


@pytest.mark.parametrize("where", ["own", "foreign"])
@pytest.mark.parametrize("name", ["announced", "endless", "packed"])
async def test_what_is_too_large_or_packed_stays_so(make: Make, name: str, where: str, tmp_path: Path) -> None:
    answers = {
        "announced": reply(200, FILM),
        "endless": endless(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"\0" * 4096),
        "packed": reply(200, FILM[:100], {"Content-Encoding": "gzip"}),
    }
    async with Receiver(answers[name]) as receiver:
        own = where == "own"
        api = make(
            receiver.url("/v1") if own else "http://127.0.0.1:1",
            allow=(f"127.0.0.1:{receiver.port}",),
            result_bytes=50_000,
        )
        error = await _fails(api, receiver.url("/v1/film"), tmp_path)

    assert error.hopeless
    assert receiver.bytes_sent < 20_000_000


async def test_a_film_of_just_the_allowed_size_is_taken(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as receiver:
        await make(receiver.url(), result_bytes=len(FILM)).download("film", tmp_path / "film.mp4")

    assert (tmp_path / "film.mp4").stat().st_size == len(FILM)


async def test_a_folder_that_cannot_be_written_is_an_error_like_any_other(make: Make, tmp_path: Path) -> None:
    async with Receiver(reply(200, FILM)) as receiver:
        with pytest.raises(CollectFailed) as caught:
            await make(receiver.url()).download("film", tmp_path / "missing" / "film.mp4")

    assert not caught.value.hopeless
