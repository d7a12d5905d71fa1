"""Fetching a picture from an address that a stranger named."""

import gzip
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.receiver import CA_FILE, Receiver, Reply, drip, endless, hold, raw, redirect, reply
from understudy.outbound.client import OutboundClient
from understudy.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge, OutboundError
from understudy.outbound.policy import OutboundPolicy

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    """A client that may reach this host."""
    async with OutboundClient(OutboundPolicy.parse(["127.0.0.0/8", "::1"]), ca_file=CA_FILE) as client:
        yield client


async def fetch(client: OutboundClient, answer: Reply, *, max_bytes: int = 1000) -> bytes:
    """Fetch once from a receiver with that one answer."""
    async with Receiver(answer) as receiver:
        return await client.fetch(receiver.url("/a.png"), max_bytes=max_bytes, total_seconds=10)


def peak_memory_bytes() -> int:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


async def test_the_bytes_of_a_2xx_answer_are_returned(client: OutboundClient) -> None:
    assert await fetch(client, reply(200, b"picture")) == b"picture"
    assert await fetch(client, reply(203, b"picture", {"Content-Encoding": "identity"})) == b"picture"
    assert await fetch(client, raw(OK + b"\r\nuntil the end")) == b"until the end"
    assert await fetch(client, raw(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) == b"abc"


async def test_a_request_tells_our_name_and_nothing_else_about_us(client: OutboundClient) -> None:
    async with Receiver(reply(200, headers={"Set-Cookie": "a=b; Path=/"})) as receiver:
        url = receiver.url("/a.png?size=1", host="localhost")
        await client.fetch(url, max_bytes=10)
        await client.fetch(url, max_bytes=10)

        first, second = receiver.requests
        assert (first.method, first.path) == ("GET", "/a.png?size=1")
        assert (
            first.headers.keys()
            == second.headers.keys()
            == {"host", "accept", "accept-encoding", "user-agent", "connection"}
        )
        assert first.headers["user-agent"].startswith("Understudy/")
        assert first.headers["accept-encoding"] == "identity"


async def test_proxies_and_passwords_of_the_process_are_not_used(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login operator password s3cret\n")
    async with Receiver() as proxy, Receiver(reply(200, b"direct")) as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setenv("http_proxy", proxy.url())
        monkeypatch.setenv("NETRC", str(netrc))

        assert await client.fetch(receiver.url(host="localhost"), max_bytes=10) == b"direct"
        assert proxy.connections == 0
        assert "authorization" not in receiver.requests[0].headers


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 410, 429, 500, 503])
async def test_any_other_status_is_a_failure(client: OutboundClient, status: int) -> None:
    with pytest.raises(FetchFailed, match=str(status)):
        await fetch(client, reply(status))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_relative_ones_too(client: OutboundClient, status: int) -> None:
    async with Receiver(redirect("../b.png?x=%2F", status), reply(200, b"picture")) as receiver:
        assert await client.fetch(receiver.url("/pictures/a.png"), max_bytes=10) == b"picture"
        assert [request.path for request in receiver.requests] == ["/pictures/a.png", "/b.png?x=%2F"]


async def test_three_redirects_are_followed_and_not_a_fourth(client: OutboundClient) -> None:
    async with Receiver(*[redirect("/next")] * 3, reply(200, b"picture")) as receiver:
        assert await client.fetch(receiver.url(), max_bytes=10) == b"picture"
    async with Receiver(redirect("/next")) as receiver:
        with pytest.raises(FetchRefused, match="more than 3 redirects"):
            await client.fetch(receiver.url(), max_bytes=10)
        assert len(receiver.requests) == 4


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://example.com/", "//user@127.0.0.1/", "http://[", "http://2130706433/"]
)
async def test_a_redirect_must_lead_to_a_url_that_a_caller_could_name(client: OutboundClient, location: str) -> None:
    with pytest.raises(OutboundError):
        await fetch(client, redirect(location))


async def test_a_redirect_without_a_location_is_a_failure(client: OutboundClient) -> None:
    with pytest.raises(FetchFailed, match="without a Location"):
        await fetch(client, reply(302))


async def test_a_redirect_from_tls_to_plain_http_is_refused() -> None:
    async with Receiver(redirect("http://127.0.0.1:8080/"), certificate="localhost") as receiver:
        policy = OutboundPolicy.parse([f"localhost:{receiver.port}"])
        async with OutboundClient(policy, ca_file=CA_FILE) as client:
            with pytest.raises(FetchRefused, match=r"http://127\.0\.0\.1 is not allowed"):
                await client.fetch(receiver.url(host="localhost"), max_bytes=10)


async def test_a_redirect_from_tls_to_plain_http_is_followed_where_the_operator_allows_it(
    client: OutboundClient,
) -> None:
    async with (
        Receiver(reply(200, b"plain")) as plain,
        Receiver(redirect(plain.url()), certificate="localhost") as receiver,
    ):
        assert await client.fetch(receiver.url(), max_bytes=10) == b"plain"


async def test_exactly_the_allowed_number_of_bytes_is_accepted(client: OutboundClient) -> None:
    assert await fetch(client, reply(200, bytes(1000)), max_bytes=1000) == bytes(1000)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, bytes(1001)),
        raw(OK + b"\r\n" + bytes(1001)),
        hold(OK + b"Content-Length: 5000000000\r\n\r\n"),
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n"),
    ],
    ids=["announced", "unannounced", "announced and never sent", "chunked"],
)
async def test_one_byte_more_is_too_large(client: OutboundClient, answer: Reply) -> None:
    with pytest.raises(FetchTooLarge):
        await fetch(client, answer)


@pytest.mark.parametrize(
    "head", [b"\r\n", b"Content-Length: 1000000000\r\n\r\n"], ids=["unannounced", "announced as less than asked"]
)
async def test_an_endless_body_is_cut_soon_after_the_limit(client: OutboundClient, head: bytes) -> None:
    async with Receiver(endless(OK + head, bytes(65536))) as receiver:
        with pytest.raises(FetchTooLarge):
            await client.fetch(receiver.url(), max_bytes=10_000_000 if b"Length" not in head else 1_000_000)
        assert receiver.bytes_sent < 40_000_000


@pytest.mark.parametrize("length", [b"11", b"4294967297"])
async def test_a_body_shorter_than_announced_is_a_failure(client: OutboundClient, length: bytes) -> None:
    with pytest.raises(FetchFailed):
        await fetch(client, raw(OK + b"Content-Length: " + length + b"\r\n\r\n0123456789"), max_bytes=2**40)


async def test_a_body_longer_than_announced_is_a_failure(client: OutboundClient) -> None:
    with pytest.raises(FetchFailed, match="protocol"):
        await fetch(client, raw(OK + b"Content-Length: 3\r\n\r\nabcdef"))


@pytest.mark.parametrize(
    "target", ["/a%2Fb/%7e?X-Amz-Credential=a%2Fb&sig=a%2bb%3D%3d", "/a+b;c=1?a=1&a=2&empty", "/?", "/'()*!$,@:"]
)
async def test_path_and_query_are_sent_as_they_are_written(client: OutboundClient, target: str) -> None:
    """Somebody may have signed them."""
    async with Receiver(redirect(target), reply()) as receiver:
        await client.fetch(receiver.url(target), max_bytes=10)

        assert [request.path for request in receiver.requests] == [target.removesuffix("?")] * 2


async def test_other_characters_in_path_and_query_are_encoded(client: OutboundClient) -> None:
    async with Receiver(redirect("/é b"), reply()) as receiver:
        await client.fetch(receiver.url('/猫"<?q=ü'), max_bytes=10)

        assert [request.path for request in receiver.requests] == ["/%E7%8C%AB%22%3C?q=%C3%BC", "/%C3%A9%20b"]


@pytest.mark.parametrize(
    "answer",
    [
        drip(OK + b"Content-Length: 100000\r\n\r\n"),
        drip(b"HTTP/1.1 200 O", piece=b"K"),
        drip(OK, piece=b"X-A: b\r\n"),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"1\r\nx\r\n"),
        drip(b"", piece=b"HTTP/1.1 100 Continue\r\n\r\n"),
        hold(),
        hold(OK + b"Content-Length: 5\r\n\r\n12"),
    ],
    ids=["body", "status line", "headers", "chunks", "interim answers", "silence", "silence within the body"],
)
async def test_a_slow_answer_is_cut_when_the_time_is_over(client: OutboundClient, answer: Reply) -> None:
    async with Receiver(answer) as receiver:
        with pytest.raises(FetchFailed, match="timeout"):
            await client.fetch(receiver.url(), max_bytes=10**6, total_seconds=0.3)


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (OK, b"X-Header: value\r\n" * 1000),
        (OK + b"X-Header: ", b"v" * 65536),
        (b"HTTP/1.1 200 ", b"O" * 65536),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5;", b"extension" * 8192),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: value\r\n" * 1000),
        (b"", b"\0" * 65536),
        (b"", b"\r\n" * 32768),
    ],
    ids=["headers", "one header", "reason", "chunk extension", "trailers", "no HTTP", "empty lines"],
)
async def test_an_endless_answer_is_cut_and_costs_no_memory(client: OutboundClient, head: bytes, block: bytes) -> None:
    before = peak_memory_bytes()
    async with Receiver(endless(head, block)) as receiver:
        with pytest.raises(FetchFailed):
            await client.fetch(receiver.url(), max_bytes=10**6, total_seconds=1)

    assert peak_memory_bytes() - before < 32 * 2**20


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "GZIP"])
async def test_a_compressed_answer_is_refused_unread(client: OutboundClient, encoding: str) -> None:
    bomb = gzip.compress(bytes(10_000_000))

    with pytest.raises(FetchRefused, match="compressed"):
        await fetch(client, reply(200, bomb, {"Content-Encoding": encoding}), max_bytes=10**7)


@pytest.mark.parametrize(
    "answer", [raw(b""), raw(b"HTTP/1.1 200"), raw(b"SSH-2.0-OpenSSH\r\n\r\n"), raw(b"\x16\x03\x01")]
)
async def test_what_is_no_http_answer_is_a_failure(client: OutboundClient, answer: Reply) -> None:
    with pytest.raises(FetchFailed, match="protocol"):
        await fetch(client, answer)


@pytest.mark.parametrize("certificate", ["self-signed", "wrong-name", "expired"])
async def test_a_certificate_that_does_not_hold_is_a_failure(client: OutboundClient, certificate: str) -> None:
    async with Receiver(certificate=certificate) as receiver:
        with pytest.raises(FetchFailed, match="tls"):
            await client.fetch(receiver.url(), max_bytes=10)
        assert receiver.requests == []


async def test_a_certificate_of_the_added_authority_holds_and_only_with_it(client: OutboundClient) -> None:
    async with Receiver(reply(200, b"private"), certificate="localhost") as receiver:
        assert await client.fetch(receiver.url(), max_bytes=10) == b"private"
        async with OutboundClient(OutboundPolicy.parse(["127.0.0.1"])) as other:
            with pytest.raises(FetchFailed, match="tls"):
                await other.fetch(receiver.url(), max_bytes=10)


async def test_nobody_at_the_port_is_a_failure(client: OutboundClient) -> None:
    async with Receiver() as receiver:
        url = receiver.url()

    with pytest.raises(FetchFailed, match="refused"):
        await client.fetch(url, max_bytes=10)


@pytest.mark.parametrize(
    "url", ["", "example.com", "https://a@b/", "https://a\\b/", "javascript:1", "https://[::1%1]/"]
)
async def test_what_the_contract_calls_no_url_is_refused(client: OutboundClient, url: str) -> None:
    with pytest.raises(FetchRefused, match="the URL must"):
        await client.fetch(url, max_bytes=10)


async def test_an_error_names_neither_path_nor_query(client: OutboundClient) -> None:
    """They may hold somebody's token, and the text goes to a log."""
    async with Receiver(raw(b"nonsense\r\n\r\n")) as receiver:
        with pytest.raises(FetchFailed) as caught:
            await client.fetch(receiver.url("/s3cret?token=s3cret"), max_bytes=10)

    assert "s3cret" not in str(caught.value)
