"""The life of a server process: listen, open every part, answer, end cleanly."""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from typing import Any, Final

import uvicorn
from rich.console import Console

from understudy import __version__
from understudy.api.protocol import HttpProtocol
from understudy.bootstrap import Foundation, database_url, embedded, open_foundation, open_server, prepare_data_dir
from understudy.config import Settings
from understudy.db.connect import open_database
from understudy.domain.errors import OperatorError
from understudy.telemetry import configure_logging
from understudy.workflow.ownership import Ownership

BACKLOG = 2048

UVICORN: Final[Mapping[str, Any]] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "lifespan": "off",
    "ws": "none",
    "proxy_headers": False,
    "timeout_graceful_shutdown": 10,
    "timeout_keep_alive": 30,
}
"""How every server of ours is run, the benchmark's too."""

WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound


def run_server(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `OperatorError`."""
    if not settings.workers and embedded(settings):
        raise OperatorError("--workers-off needs PostgreSQL: one process owns an embedded database, so leave it out.")
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    with ExitStack() as stack:
        folder = prepare_data_dir(settings.data_dir)
        if settings.workers:
            stack.enter_context(Ownership(folder))
        listener = stack.enter_context(_listen(settings))
        _run(_serve(settings, listener))


def run_worker(settings: Settings) -> None:
    """Advance tasks until SIGTERM or SIGINT. Raises `OperatorError`."""
    if embedded(settings):
        raise OperatorError(
            "`understudy worker` needs PostgreSQL: set UNDERSTUDY_DATABASE_URL, or run `understudy serve`, which works "
            "on the embedded database by itself."
        )
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    with Ownership(prepare_data_dir(settings.data_dir)):
        _run(_work(settings))


def run_migration(settings: Settings) -> None:
    """Bring the database to this version. Raises `OperatorError`."""

    async def run() -> None:
        prepare_data_dir(settings.data_dir)
        database = await open_database(database_url(settings), migrate=True)
        await database.close()

    asyncio.run(run())


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on uvloop where there is one."""
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    uvloop.run(main)


def _listen(settings: Settings) -> socket.socket:
    """Bind before anything else starts, so that a taken port is one sentence and not a stack trace."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise OperatorError(
                f"The address {where} is taken: stop the other program, or name another --port."
            ) from None
        raise OperatorError(f"Cannot listen on {where} ({error.strerror}): name another --host or --port.") from None
    return listener


def public_url_of(settings: Settings, port: int) -> str:
    """Return the prefix of result links: as set, else where this server listens."""
    host = WILDCARD_HOSTS.get(settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host)
    return (settings.public_url or f"http://{host}:{port}").rstrip("/")


async def _serve(settings: Settings, listener: socket.socket) -> None:
    public_url = public_url_of(settings, listener.getsockname()[1])
    async with (
        open_foundation(settings, migrate=embedded(settings)) as foundation,
        open_server(foundation, public_url=public_url) as app,
    ):
        await _greet(foundation, public_url)
        await uvicorn.Server(uvicorn.Config(app, http=HttpProtocol, **UVICORN)).serve(sockets=[listener])


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    public_url = public_url_of(settings, settings.port)
    async with open_foundation(settings, migrate=False) as foundation, open_server(foundation, public_url=public_url):
        Console(stderr=True, highlight=False).print("Understudy worker: ready.")
        await stop.wait()


async def _greet(foundation: Foundation, public_url: str) -> None:
    """Say where the server is; on the very first start make a key, since without one nothing can be called."""
    console = Console(stderr=True, highlight=False)
    console.print(f"[bold]Understudy {__version__}[/bold] on {public_url} (docs: {public_url}/docs)", soft_wrap=True)
    console.print(f"Data in {foundation.settings.data_dir.expanduser().absolute()}", soft_wrap=True)
    if await foundation.keys.list():
        return
    made = await foundation.keys.create("first")
    print(f"API key (shown once):        {made.key}", flush=True)  # noqa: T201 - the one thing a first start prints
    print(f"Webhook secret (shown once): {made.webhook_secret}", flush=True)  # noqa: T201 - the same
