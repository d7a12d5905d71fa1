"""What `doctor` looks at, one finding after another."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from rich.console import Console

from understudy import __version__
from understudy.backends.base import Backend, BackendError
from understudy.backends.registry import upstream_names
from understudy.bootstrap import Foundation, build_parts, database_url, embedded, open_foundation
from understudy.config import Settings
from understudy.domain.errors import OperatorError
from understudy.moderation.filter import NOTICE

Finding = tuple[str, bool, str]
"""What was looked at, whether it is well, and a few words; for a fault, the sentence that says how to mend it."""


async def examine(console: Console, settings: Settings) -> bool:
    """Print every finding; return whether all is well."""
    healthy = True
    async for finding in _findings(settings):
        show(console, finding)
        healthy = healthy and finding[1]
    return healthy


def show(console: Console, finding: Finding) -> None:
    """Print one finding on a line."""
    name, well, text = finding
    console.print("[green]ok  [/green]" if well else "[red]FAIL[/red]", f"[bold]{name:<10}[/bold] ", end="")
    console.print(text, markup=False, soft_wrap=True)


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield "program", True, f"Understudy {__version__}"
    yield "settings", True, f"data folder {settings.data_dir.expanduser().absolute()}"
    async with AsyncExitStack() as stack:
        try:
            foundation = await stack.enter_async_context(open_foundation(settings, migrate=embedded(settings)))
            parts = await build_parts(foundation, "http://doctor.invalid", stack)
        except OperatorError as error:
            yield "start-up", False, str(error)
            return
        yield "database", True, _database(settings, foundation)
        free = await foundation.storage.free_bytes()
        room = "" if free is None else f", {free / 1024**3:.1f} GiB free"
        yield "storage", True, f"{settings.storage_url or 'local folder'}{room}"
        yield "moderation", True, NOTICE
        yield "catalogue", True, ", ".join(f"{model.name} → {model.backend}" for model in parts.catalogue)
        yield "found", True, "backends: " + ", ".join(upstream_names())
        for backend in parts.backends:
            yield await _ask(backend)


def _database(settings: Settings, foundation: Foundation) -> str:
    # The address of a database may hold a password: only its kind and what follows the user are shown.
    return f"{foundation.database.dialect}: {database_url(settings).rpartition('@')[2]}"


async def _ask(backend: Backend) -> Finding:
    try:
        return f"{backend.name}", True, await backend.check()
    except BackendError as error:
        return f"{backend.name}", False, f"does not answer: {error}"
