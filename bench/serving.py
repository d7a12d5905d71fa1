"""How every server of the benchmark is served: as `understudy serve` does it."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Coroutine
from typing import Any

import uvicorn
import uvloop

from understudy.cli.running import UVICORN


def listen() -> socket.socket:
    """Return a socket that listens on a free port of 127.0.0.1."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    return listener


def announce(listener: socket.socket) -> None:
    """Tell the process that started us where we are, in the words of `understudy serve`."""
    print(f"bench on http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on uvloop, as `understudy serve` does; Ctrl-C ends it without a word."""
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        uvloop.run(main)


async def serve(app: Any, listener: socket.socket, **more: Any) -> None:
    """Serve an ASGI application until SIGTERM."""
    announce(listener)
    await uvicorn.Server(uvicorn.Config(app, **UVICORN, **more)).serve(sockets=[listener])
