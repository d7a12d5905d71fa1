"""A server of OpenAI's `/v1/videos` that does nothing but answer polls: `python -m bench.polling_upstream`.

It keeps no jobs: the id of one says when it ends (`job_id`). Every answer comes after `ANSWER_SECONDS`, as from a
server that is not on the same machine, so that polls are really under way at once. `GET /polls` tells how many there
were. It reads no more of HTTP than it needs, or it would be what is measured.
"""

import asyncio
import functools
import signal
import socket
import time
from typing import Final, cast

from bench.serving import announce, listen, run

ANSWER_SECONDS: Final = 0.02

_HEAD_END: Final = b"\r\n\r\n"
_COUNT: Final = b"GET /polls "
_NOT_FOUND: Final = b'{"error":{"message":"Video not found","type":"invalid_request_error","code":"not_found"}}'
# What vLLM-Omni says of a job, and the headers that uvicorn sends with it.
_JOB: Final = (
    '{{"id":"{id}","object":"video","model":"Lightricks/LTX-Video","status":"{status}","progress":{progress},'
    '"created_at":{created_at},"size":"1280x736","seconds":"4","quality":"standard","remixed_from_video_id":null,'
    '"error":null,"file_name":null,"inference_time_s":null,"expires_at":null}}'
)
_HEAD: Final = (
    "HTTP/1.1 {status}\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: {length}\r\n"
    "content-type: application/json\r\n\r\n"
)


def job_id(done_at_ms: int, life_ms: int, number: int) -> str:
    """Return the id of a job that takes `life_ms` and ends at `done_at_ms` (Unix milliseconds)."""
    return f"video_{done_at_ms}_{life_ms}_{number}"


def answer(path: bytes, now_ms: int) -> bytes:
    """Return the whole answer to a GET of `path` at `now_ms`: the job, or 404 for an id that is none of `job_id`'s."""
    name, _, found = path.decode("latin-1").rpartition("/")[2].partition("_")
    parts = found.split("_")
    if name != "video" or len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return _whole("404 Not Found", _NOT_FOUND)
    done_at_ms, life_ms = int(parts[0]), int(parts[1])
    done = now_ms >= done_at_ms
    body = _JOB.format(
        id=f"{name}_{found}",
        status="completed" if done else "in_progress",
        progress=100 if done else max(0, min(99, 100 - (done_at_ms - now_ms) * 100 // max(1, life_ms))),
        created_at=(done_at_ms - life_ms) // 1000,
    )
    return _whole("200 OK", body.encode())


def _whole(status: str, body: bytes) -> bytes:
    return _HEAD.format(status=status, length=len(body)).encode() + body


class _Tally:
    polls = 0


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way; requests have no body."""

    def __init__(self, tally: _Tally, loop: asyncio.AbstractEventLoop) -> None:
        self._tally = tally
        self._loop = loop
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._buffer.endswith(_HEAD_END):
            return
        head, self._buffer = self._buffer, b""
        if head.startswith(_COUNT):
            self._transport.write(_whole("200 OK", b"%d" % self._tally.polls))
            return
        self._tally.polls += 1
        self._loop.call_later(ANSWER_SECONDS, self._answer, head.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer(path, time.time_ns() // 1_000_000))


async def _serve(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(functools.partial(_Connection, _Tally(), loop), sock=listener)
    announce(listener)
    await stop.wait()
    server.close()


def main() -> None:
    """Serve on a free port until SIGTERM."""
    with listen() as listener:
        run(_serve(listener))


if __name__ == "__main__":
    main()
