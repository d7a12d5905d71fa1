"""What our server is held against: `asgi`, the least that uvicorn can serve, and `canned`, no HTTP at all.

`python -m bench.bare asgi|canned`. The second answers any bytes with prebuilt ones; how fast that goes is the ceiling
of the load generator.
"""

import asyncio
import signal
import socket
import sys
from typing import Any, Final, cast

from bench.serving import announce, listen, run, serve

BODY: Final = b'{"message":"hello"}'
_CANNED: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}
_END: Final = {"type": "http.response.body", "body": BODY}


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer every request with the same few bytes, as an ASGI application."""
    await send(_START)
    await send(_END)


class _Canned(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.Transport", transport).write

    def data_received(self, _data: bytes) -> None:
        self._write(_CANNED)


async def _serve_canned(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(_Canned, sock=listener)
    announce(listener)
    await stop.wait()
    server.close()


def main() -> None:
    """Serve the one that is named until SIGTERM."""
    with listen() as listener:
        run(_serve_canned(listener) if sys.argv[1:] == ["canned"] else serve(hello, listener))


if __name__ == "__main__":
    main()
