"""How a submit's body is taken (contract.md §2 and §5; reliability.md §7.4, N5 and N6), byte by byte."""

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from tests.unit.api.house import SUBMIT, House, RawAnswer, exchange, open_house, read_answer
from understudy.domain.status import envelope

MIB = 1024 * 1024
JSON = b'{"input":{"prompt":"A lighthouse"}}'


def head(house: House, *lines: str) -> bytes:
    """Return a submit's head with these header lines."""
    fixed = (f"POST {SUBMIT} HTTP/1.1", "Host: x", f"Authorization: Bearer {house.key}")
    return ("\r\n".join((*fixed, *lines)) + "\r\n\r\n").encode("latin-1")


def refused(answer: RawAnswer, status: int, message: str) -> None:
    """Check a refusal's envelope."""
    assert (answer.status, answer.body) == (status, envelope(status, message, None))


TOO_LARGE = "The body must be at most 1 MiB"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json ; v=1;",
    ],
)
async def test_json_in_utf8_is_taken_however_it_is_spelt(house: House, content_type: str) -> None:
    lines = (f"Content-Type: {content_type}", f"Content-Length: {len(JSON)}")

    assert (await exchange(house.port, head(house, *lines) + JSON)).status == 200


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Content-Type:",),
        ("Content-Type: text/plain",),
        ("Content-Type: application/json-patch",),
        ("Content-Type: application/problem+json",),
        ("Content-Type: multipart/form-data; boundary=x",),
        ("Content-Type: application/x-www-form-urlencoded",),
        ("Content-Type: application/json; charset=utf-16",),
        ("Content-Type: application/json; charset",),
        ("Content-Type: application/json", "Content-Type: application/json"),
    ],
    ids=str,
)
async def test_another_type_is_a_415(house: House, lines: tuple[str, ...]) -> None:
    answer = await exchange(house.port, head(house, *lines, f"Content-Length: {len(JSON)}") + JSON)

    refused(answer, 415, "Content-Type must be application/json, in UTF-8")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "deflate"])
async def test_a_compressed_body_is_a_415(house: House, encoding: str) -> None:
    lines = ("Content-Type: application/json", f"Content-Encoding: {encoding}", f"Content-Length: {len(JSON)}")

    assert (await exchange(house.port, head(house, *lines) + JSON)).status == 415


async def test_a_body_of_exactly_one_mib_is_taken(house: House) -> None:
    body = JSON + b" " * (MIB - len(JSON))
    lines = ("Content-Type: application/json", f"Content-Length: {MIB}")

    assert (await exchange(house.port, head(house, *lines), body)).status == 200


async def test_one_byte_more_is_a_413_and_closes_the_connection(house: House) -> None:
    lines = ("Content-Type: application/json", f"Content-Length: {MIB + 1}")
    answer = await exchange(house.port, head(house, *lines), b" " * (MIB + 1))

    refused(answer, 413, TOO_LARGE)
    assert answer.headers["connection"] == "close"


async def test_a_chunked_body_without_a_length_is_held_to_the_cap(house: House) -> None:
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = await exchange(house.port, head(house, *lines), *[chunk] * 17, b"0\r\n\r\n")

    refused(answer, 413, TOO_LARGE)
    assert answer.headers["connection"] == "close"


async def test_a_chunked_body_within_the_cap_is_taken(house: House) -> None:
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in JSON) + b"0\r\n\r\n"

    assert (await exchange(house.port, head(house, *lines), body)).status == 200


async def test_an_enormous_announced_length_is_refused_without_reading_it(house: House) -> None:
    lines = ("Content-Type: application/json", f"Content-Length: {100 * 1024 * MIB}")

    refused(await exchange(house.port, head(house, *lines), b"x"), 413, TOO_LARGE)


async def test_a_client_that_asks_first_hears_no_before_it_sends(house: House) -> None:
    lines = ("Content-Type: application/json", "Expect: 100-continue", f"Content-Length: {2 * MIB}")

    refused(await exchange(house.port, head(house, *lines)), 413, TOO_LARGE)


async def test_a_client_that_asks_first_hears_continue(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    lines = ("Content-Type: application/json", "Expect: 100-continue", f"Content-Length: {len(JSON)}")
    writer.write(head(house, *lines))
    interim = await reader.readuntil(b"\r\n\r\n")
    writer.write(JSON)
    answer = await read_answer(reader)
    writer.close()

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.status == 200


async def test_a_body_shorter_than_announced_is_a_408(tmp_path: Path) -> None:
    async with open_house(tmp_path, body_seconds=0.2) as house:
        lines = ("Content-Type: application/json", f"Content-Length: {len(JSON) + 1}")
        answer = await exchange(house.port, head(house, *lines) + JSON)

    refused(answer, 408, "The body did not arrive within 0.2 seconds")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_trickles_is_a_408(tmp_path: Path) -> None:
    async with open_house(tmp_path, body_seconds=0.3) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(head(house, "Content-Type: application/json", f"Content-Length: {len(JSON)}"))
        answering = asyncio.create_task(read_answer(reader))
        for byte in JSON:
            if answering.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
        answer = await answering
        writer.close()

    assert answer.status == 408


async def test_a_body_longer_than_announced_is_malformed_http(house: House) -> None:
    lines = ("Content-Type: application/json", f"Content-Length: {len(JSON) - 1}")
    answer = await exchange(house.port, head(house, *lines) + JSON)

    assert answer.status == 400
    assert answer.headers["connection"] == "close"


async def test_a_length_and_chunks_together_are_malformed_http(house: House) -> None:
    """Two readings of where a request ends are how requests are smuggled past a proxy."""
    lines = ("Content-Type: application/json", "Content-Length: 4", "Transfer-Encoding: chunked")

    assert (await exchange(house.port, head(house, *lines) + b"0\r\n\r\n")).status == 400


async def test_a_client_that_leaves_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, requests_per_minute=1) as house:
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(head(house, "Content-Type: application/json", "Content-Length: 1000") + b"{")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.05)
        lines = ("Content-Type: application/json", f"Content-Length: {len(JSON)}")
        answer = await exchange(house.port, head(house, *lines) + JSON)

    assert answer.status == 200


async def test_the_connection_lives_on_after_a_refusal_without_reading(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    codes = []
    for content_type in ("text/plain", "application/json"):
        writer.write(head(house, f"Content-Type: {content_type}", f"Content-Length: {len(JSON)}") + JSON)
        codes.append((await read_answer(reader)).status)
    writer.close()

    assert codes == [415, 200]


async def test_an_endless_body_does_not_fill_the_memory(house: House) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    tracemalloc.start()
    try:
        writer.write(head(house, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        sent = 0
        while sent < 64 * MIB and not reader.at_eof() and not writer.transport.is_closing():
            writer.write(chunk)
            await writer.drain()
            sent += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    except ConnectionError:
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        writer.close()

    assert peak < 16 * MIB
