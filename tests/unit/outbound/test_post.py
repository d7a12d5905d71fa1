"""Posting to an address that a stranger named."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest
import uvloop

from tests.support.receiver import CA_FILE, Receiver, Reply, drip, endless, hold, raw, redirect, reply
from understudy.outbound.client import EXCERPT_BYTES, MAX_ANSWER_BYTES, OutboundClient
from understudy.outbound.errors import PostFailed
from understudy.outbound.policy import OutboundPolicy

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    """A client that may reach this host."""
    async with OutboundClient(OutboundPolicy.parse(["127.0.0.1", "localhost"]), ca_file=CA_FILE) as client:
        yield client


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that takes no further connection: its backlog is full and nobody accepts."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


async def error_class(client: OutboundClient, url: str, *, total_seconds: float = 10) -> str:
    """Post, and return the class of the failure."""
    with pytest.raises(PostFailed) as caught:
        await client.post(url, body=b"{}", headers={}, total_seconds=total_seconds)
    return str(caught.value.error_class)


async def test_body_and_headers_arrive_as_given(client: OutboundClient) -> None:
    body = '{"a": "é中"}\n'.encode()
    async with Receiver(reply(202, b"thanks")) as receiver:
        answer = await client.post(
            receiver.url("/hook?x=1"), body=body, headers={"Content-Type": "application/json", "webhook-id": "msg_1"}
        )

        [request] = receiver.requests
        assert (request.method, request.path, request.body) == ("POST", "/hook?x=1", body)
        assert request.headers["content-type"] == "application/json"
        assert request.headers["webhook-id"] == "msg_1"
        assert request.headers["user-agent"].startswith("Understudy/")
        assert request.headers["accept-encoding"] == "identity"
    assert (answer.status, answer.excerpt, answer.retry_after_seconds) == (202, b"thanks", None)
    assert 0 <= answer.elapsed_ms < 10_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(client: OutboundClient, status: int) -> None:
    async with Receiver() as other, Receiver(redirect(other.url(), status)) as receiver:
        answer = await client.post(receiver.url(), body=b"{}", headers={})

        assert answer.status == status
        assert other.connections == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), ("99999999999999999999", 316224000), ("soon", None), ("-1", None), ("1.5", None)],
)
async def test_retry_after_is_read_in_seconds(client: OutboundClient, header: str, seconds: int | None) -> None:
    async with Receiver(reply(429, headers={"Retry-After": header})) as receiver:
        answer = await client.post(receiver.url(), body=b"{}", headers={})

    assert answer.retry_after_seconds == seconds


async def test_an_answer_of_a_gigabyte_is_cut_and_its_beginning_kept(client: OutboundClient) -> None:
    async with Receiver(endless(OK + b"Content-Length: 1000000000\r\n\r\n", b"ab" * 32768)) as receiver:
        answer = await client.post(receiver.url(), body=b"{}", headers={})

        assert answer.status == 200
        assert answer.excerpt == b"ab" * (EXCERPT_BYTES // 2)
        assert receiver.bytes_sent < 20_000_000


async def test_at_most_16_kib_of_an_answer_are_waited_for(client: OutboundClient) -> None:
    async with Receiver(hold(OK + b"Content-Length: 1000000\r\n\r\n" + bytes(MAX_ANSWER_BYTES))) as receiver:
        answer = await client.post(receiver.url(), body=b"{}", headers={}, total_seconds=4)

    assert answer.elapsed_ms < 3_000


@pytest.mark.parametrize(
    "rest",
    [
        drip(OK + b"Content-Length: 100000\r\n\r\nthanks"),
        hold(OK + b"\r\nthanks"),
        raw(OK + b"Content-Length: 100000\r\n\r\nthanks"),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"nonsense\r\n"),
    ],
    ids=["drip", "never closes", "breaks off", "malformed"],
)
async def test_a_bad_body_does_not_take_back_the_status(client: OutboundClient, rest: Reply) -> None:
    async with Receiver(rest) as receiver:
        answer = await client.post(receiver.url(), body=b"{}", headers={}, total_seconds=0.5)

    assert answer.status == 200
    assert answer.excerpt[:6] in (b"thanks", b"")
    assert answer.elapsed_ms < 3_000


async def test_an_answer_just_in_time_counts(client: OutboundClient) -> None:
    async with Receiver(reply(200, delay_seconds=0.5)) as receiver:
        assert (await client.post(receiver.url(), body=b"{}", headers={}, total_seconds=5)).status == 200


@pytest.mark.parametrize(
    "answer",
    [hold(), drip(b"HTTP/1.1 200 O", piece=b"K"), drip(OK, piece=b"A: b\r\n"), reply(200, delay_seconds=2)],
    ids=["silence", "status line", "headers", "late"],
)
async def test_no_answer_in_time_is_a_timeout(client: OutboundClient, answer: Reply) -> None:
    async with Receiver(answer) as receiver:
        assert await error_class(client, receiver.url(), total_seconds=0.3) == "timeout"


async def test_a_host_that_takes_no_connection_is_a_timeout(client: OutboundClient, full_port: int) -> None:
    assert await error_class(client, f"http://127.0.0.1:{full_port}/", total_seconds=0.3) == "timeout"


async def test_nobody_at_the_port_is_refused(client: OutboundClient) -> None:
    async with Receiver() as receiver:
        url = receiver.url()

    assert await error_class(client, url) == "refused"


@pytest.mark.parametrize("certificate", ["self-signed", "wrong-name", "expired"])
async def test_a_certificate_that_does_not_hold_is_a_tls_failure(client: OutboundClient, certificate: str) -> None:
    async with Receiver(certificate=certificate) as receiver:
        assert await error_class(client, receiver.url()) == "tls"
        assert await error_class(client, receiver.url(host="localhost")) == "tls"
        assert receiver.requests == []


async def test_a_certificate_of_the_added_authority_holds(client: OutboundClient) -> None:
    async with Receiver(certificate="localhost") as receiver:
        for host in ("127.0.0.1", "localhost"):
            assert (await client.post(receiver.url(host=host), body=b"{}", headers={})).status == 200


@pytest.mark.parametrize("answer", [raw(b""), raw(b"nonsense\r\n\r\n"), endless(OK, b"A: b\r\n" * 1000)])
async def test_what_is_no_http_answer_is_a_protocol_failure(client: OutboundClient, answer: Reply) -> None:
    async with Receiver(answer) as receiver:
        assert await error_class(client, receiver.url()) == "protocol"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.2/", "http://8.8.8.8/", "https://2130706433/", "https://[::1]/", "nonsense"]
)
async def test_what_the_policy_forbids_is_not_allowed(client: OutboundClient, url: str) -> None:
    assert await error_class(client, url) == "not-allowed"


async def test_a_post_is_sent_once_even_if_the_connection_breaks(client: OutboundClient) -> None:
    async with Receiver(raw(b"")) as receiver:
        await error_class(client, receiver.url())
        await error_class(client, receiver.url())

        assert len(receiver.requests) == 2


def test_answers_and_failures_are_the_same_under_uvloop() -> None:
    async def scenario() -> None:
        policy = OutboundPolicy.parse(["127.0.0.1", "localhost"])
        async with OutboundClient(policy, ca_file=CA_FILE) as client:
            async with Receiver(reply(204), hold(), raw(b""), raw(b"nonsense\r\n\r\n")) as receiver:
                url = receiver.url(host="localhost")
                assert (await client.post(url, body=b"{}", headers={})).status == 204
                assert await error_class(client, url, total_seconds=0.3) == "timeout"
                assert await error_class(client, url) == "protocol"
                assert await error_class(client, url) == "protocol"
            assert await error_class(client, url) == "refused"
            assert await error_class(client, "https://127.0.0.2/") == "not-allowed"
            async with Receiver(reply(200), certificate="localhost") as receiver:
                assert (await client.post(receiver.url(), body=b"{}", headers={})).status == 200
            async with Receiver(certificate="self-signed") as receiver:
                assert await error_class(client, receiver.url()) == "tls"

    uvloop.run(scenario())
