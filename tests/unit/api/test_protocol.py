"""The limits of a connection (reliability.md §7.4, N7)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from tests.unit.api.house import RawAnswer, exchange, read_answer, serve
from understudy.api.protocol import MAX_HEAD_BYTES, MAX_HEADERS, HttpProtocol


class ImpatientProtocol(HttpProtocol):
    """The real one, with a clock for tests."""

    head_seconds = 0.3
    stall_seconds = 0.3


class Film:
    """An application that sends far more than any buffer holds, and notes how it ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["path"] != "/film":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 262_144, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        self.ended.set()


@pytest.fixture
def film() -> Film:
    return Film()


@pytest.fixture
async def port(film: Film) -> AsyncIterator[int]:
    async with serve(film, ImpatientProtocol) as url:
        yield int(url.rsplit(":", 1)[1])


def malformed(answer: RawAnswer, status: int) -> str:
    """Check the envelope of a request that never reached the application; return its sentence."""
    body = json.loads(answer.body)
    assert (answer.status, body["code"]) == (status, status)
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"].startswith("req_")
    return str(body["data"]["error"])


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\n: c\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=repr,
)
async def test_what_is_not_http_gets_an_envelope_too(port: int, request_bytes: bytes) -> None:
    assert malformed(await exchange(port, request_bytes), 400) == "the request is not valid HTTP/1.1"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n", id="long path"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", id="long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", id="many headers"),
    ],
)
async def test_a_head_over_its_limits_is_a_431(port: int, request_bytes: bytes) -> None:
    assert "at most 32768 bytes in 100 lines" in malformed(await exchange(port, request_bytes), 431)


async def test_an_unfinished_header_that_grows_for_ever_is_cut(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nA: ")
    for _ in range(9):
        await asyncio.sleep(0.01)
        writer.write(b"a" * 4096)
    answer = await read_answer(reader)
    writer.close()

    assert malformed(answer, 431)


async def test_a_head_just_within_its_limits_is_served(port: int) -> None:
    request = b"GET / HTTP/1.1\r\nA: " + b"a" * (MAX_HEAD_BYTES - 20) + b"\r\n\r\n"

    assert (await exchange(port, request[:20_000], request[20_000:])).status == 200


async def test_trailers_are_held_to_the_limits_too(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"

    assert malformed(await exchange(port, head + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n"), 431)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nA: b\r\n"])
async def test_a_head_that_never_ends_is_hung_up_on(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(3):
        received = await reader.read()
    writer.close()

    assert received == b""


async def test_a_second_head_that_never_ends_is_hung_up_on(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    first = await read_answer(reader)
    writer.write(b"GET / HT")
    async with asyncio.timeout(3):
        rest = await reader.read()
    writer.close()

    assert (first.body, rest) == (b"ok", b"")


async def test_requests_in_a_row_are_all_answered(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    answers = [await read_answer(reader) for _ in range(3)]
    writer.close()

    assert [answer.body for answer in answers] == [b"ok"] * 3


async def test_a_reader_that_stops_reading_is_dropped(port: int, film: Film) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.read(1)
    async with asyncio.timeout(5):
        await film.ended.wait()
    writer.close()

    assert film.ended.is_set()


async def test_a_slow_reader_that_goes_on_reading_gets_everything(port: int, film: Film) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(60):
        received = len(await reader.readexactly(1_000_000))
        await asyncio.sleep(0.2)
        while not film.ended.is_set():
            received += len(await reader.read(1_000_000))
    writer.close()

    assert received > 90_000_000
