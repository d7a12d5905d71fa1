"""The client for calls that are safe to repeat: connections are kept, and no answer is taken for another's."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from yarl import URL

from tests.support.receiver import Receiver, reply
from understudy.outbound.errors import FetchFailed, FetchTooLarge
from understudy.outbound.trusted import TrustedAnswer, TrustedClient

TLS = ssl.create_default_context()


class KeepingServer:
    """Keeps its connections and answers each request with its path.

    `silent_from` is the number of the request on each connection that it closes at instead; `slow` paths are answered
    after half a second; `more` follows each answer unasked.
    """

    def __init__(self, *, silent_from: int = 1_000, more: bytes = b"") -> None:
        self.heads: list[str] = []
        self.connections = 0
        self.left = 0
        self._silent_from = silent_from
        self._more = more

    @asynccontextmanager
    async def running(self) -> AsyncIterator[URL]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, OSError):
            for number in range(1, self._silent_from + 1):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                if number == self._silent_from:
                    break
                path = head.split()[1]
                if path == "/slow":
                    await asyncio.sleep(0.5)
                writer.write(_answer(path) + self._more)
                await writer.drain()
        self.left += 1
        writer.close()


def _answer(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-Name: Value\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
async def client() -> AsyncIterator[TrustedClient]:
    client = TrustedClient(headers={"User-Agent": "test"}, tls=TLS, proxy="", connect_seconds=2)
    yield client
    await client.close()


async def call(client: TrustedClient, url: URL, method: str = "GET") -> TrustedAnswer:
    return await client.call(method, url, headers={"X-Key": "k"}, body=None, max_bytes=100)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - plain counters, with nothing to wait on
            await asyncio.sleep(0.005)


async def test_a_connection_is_kept_for_the_next_call(client: TrustedClient) -> None:
    server = KeepingServer()

    async with server.running() as url:
        answers = [await call(client, url / name) for name in ("1", "2", "3")]

        assert [answer.body for answer in answers] == [b"/1", b"/2", b"/3"]
        assert server.connections == 1
        await client.close()


async def test_calls_at_once_have_a_connection_each(client: TrustedClient) -> None:
    server = KeepingServer()

    async with server.running() as url:
        answers = await asyncio.gather(*(call(client, url / "slow") for _ in range(3)))

        assert [answer.body for answer in answers] == [b"/slow"] * 3
        assert server.connections == 3
        await client.close()


async def test_a_get_that_finds_its_kept_connection_closed_is_sent_once_more(client: TrustedClient) -> None:
    server = KeepingServer(silent_from=2)

    async with server.running() as url:
        for name in ("1", "2", "3"):
            assert (await call(client, url / name)).body == f"/{name}".encode()

        assert server.connections == 3
        await client.close()


async def test_a_post_that_finds_its_kept_connection_closed_is_not_sent_again(client: TrustedClient) -> None:
    server = KeepingServer(silent_from=2)

    async with server.running() as url:
        await call(client, url / "1", "POST")
        with pytest.raises(FetchFailed):
            await call(client, url / "2", "POST")

        assert [head.split()[1] for head in server.heads] == ["/1", "/2"]
        await client.close()


async def test_a_server_that_never_answers_is_asked_twice_at_most(client: TrustedClient) -> None:
    server = KeepingServer(silent_from=1)

    async with server.running() as url:
        with pytest.raises(FetchFailed):
            await call(client, url)

        assert server.connections == 2


async def test_the_answer_to_a_call_that_was_given_up_is_not_taken_for_the_next_ones(client: TrustedClient) -> None:
    server = KeepingServer()

    async with server.running() as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await call(client, url / "slow")

        assert (await call(client, url / "next")).body == b"/next"
        await until(lambda: server.left == 1)
        await client.close()


async def test_bytes_that_follow_an_answer_are_not_taken_for_the_next_one(client: TrustedClient) -> None:
    server = KeepingServer(more=_answer("forged"))

    async with server.running() as url:
        for name in ("1", "2", "3"):
            assert (await call(client, url / name)).body == f"/{name}".encode()
        await client.close()


async def test_what_is_sent_is_what_was_given(client: TrustedClient) -> None:
    server = KeepingServer()

    async with server.running() as url:
        await call(client, url / "1")
        await call(client, url / "2")
        await client.close()

    head = server.heads[1].lower()
    assert "\r\nx-key: k\r\n" in head
    assert "\r\nuser-agent: test\r\n" in head
    assert "cookie" not in head
    assert "content-type" not in head


async def test_headers_come_back_in_lower_case(client: TrustedClient) -> None:
    server = KeepingServer()

    async with server.running() as url:
        answer = await call(client, url)
        await client.close()

    assert answer.headers["x-name"] == "Value"


async def test_a_user_and_password_in_the_address_go_as_basic_authorization(client: TrustedClient) -> None:
    server = KeepingServer()

    async with server.running() as url:
        await call(client, url.with_user("me").with_password("p:w") / "1")
        await client.close()

    wanted = base64.b64encode(b"me:p:w").decode()
    assert f"Authorization: Basic {wanted}\r\n" in server.heads[0]
    assert server.heads[0].startswith("GET /1 ")


@pytest.mark.parametrize(("length", "fits"), [(100, True), (101, False)])
async def test_a_body_may_be_as_long_as_allowed(client: TrustedClient, length: int, fits: bool) -> None:
    async with Receiver(reply(200, b"x" * length)) as receiver:
        if fits:
            assert len((await call(client, URL(receiver.url()))).body) == length
        else:
            with pytest.raises(FetchTooLarge):
                await call(client, URL(receiver.url()))


async def test_a_certificate_that_is_not_trusted_ends_the_call(client: TrustedClient) -> None:
    async with Receiver(certificate="self-signed") as receiver:
        with pytest.raises(FetchFailed):
            await call(client, URL(receiver.url()))

        assert not receiver.requests


async def test_a_proxy_of_the_environment_is_not_used(client: TrustedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as proxy, Receiver() as receiver:
        monkeypatch.setenv("http_proxy", proxy.url())
        await call(client, URL(receiver.url()))

    assert not proxy.requests


async def test_a_proxy_that_is_named_is_used() -> None:
    async with Receiver() as proxy:
        address = proxy.url("").replace("://", "://me:pw@")
        client = TrustedClient(headers={}, tls=TLS, proxy=address, connect_seconds=2)
        await call(client, URL("http://vendor.invalid/v1/jobs"))
        await client.close()

    [request] = proxy.requests
    assert request.path == "http://vendor.invalid/v1/jobs"
    assert request.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'me:pw').decode()}"
