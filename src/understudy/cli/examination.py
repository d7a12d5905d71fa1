"""What `doctor` looks at, one finding after another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from rich.console import Console

from understudy import __version__
from understudy.backends.base import Backend, BackendError
from understudy.backends.registry import Registry, upstream_names
from understudy.bootstrap import Foundation, build_parts, database_url, embedded, open_foundation
from understudy.config import Settings
from understudy.db import attempts, health
from understudy.domain import circuit
from understudy.domain.catalogue import Model
from understudy.domain.circuit import Circuit
from understudy.domain.clock import system_clock_ms
from understudy.domain.errors import OperatorError
from understudy.moderation.filter import NOTICE
from understudy.workflow.routing import unplayable

BACKEND_SECONDS = 20
"""An operator waits longer than a probe, but not for ever."""

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
        for model in parts.catalogue:
            yield _casting(model, parts.backends)
        yield "kinds", True, "of backends: " + ", ".join(upstream_names())
        circuits = {seen.name: seen for seen in await foundation.database.read(health.all_circuits)}
        for backend in parts.backends:
            yield await _ask(backend, circuits.get(backend.name))
        yield await _attempts(foundation)


def _database(settings: Settings, foundation: Foundation) -> str:
    # The address of a database may hold a password: only its kind and what follows the user are shown.
    return f"{foundation.database.dialect}: {database_url(settings).rpartition('@')[2]}"


def _casting(model: Model, backends: Registry) -> Finding:
    """Say who plays a model; what it offers and nobody can play is a fault that callers would meet as a 400."""
    routes = ", ".join(
        f"{route.backend}{f' ({route.model})' if route.model else ''}{'' if route.weight else ', stand-in'}"
        for route in model.routes
    )
    missing = unplayable(model, backends)
    if not missing:
        return "model", True, f"{model.name} → {routes}"
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    unplayed = ", ".join(missing[:3]) + more
    return "model", True, f"{model.name} → {routes}; no backend of it plays, so a 400 answers: {unplayed}"


async def _ask(backend: Backend, seen: Circuit | None) -> Finding:
    state = "ok" if seen is None else circuit.describe(seen, system_clock_ms())
    resting = "" if state == "ok" else f"; {state}"
    try:
        async with asyncio.timeout(BACKEND_SECONDS):
            return backend.name, not resting, await backend.check() + resting
    except BackendError as error:
        return backend.name, False, f"does not answer: {error}{resting}"
    except TimeoutError:
        return backend.name, False, f"does not answer within {BACKEND_SECONDS} s{resting}"


async def _attempts(foundation: Foundation) -> Finding:
    """Remind of submissions that may have been billed: no fault of the set-up, but the operator's to settle."""
    unknown = await foundation.database.read(lambda reader: attempts.unknown_attempts(reader, limit=1000))
    if not unknown:
        return "attempts", True, "no submission is unknown"
    return "attempts", True, f"{len(unknown)} submission(s) are unknown: see `understudy attempts --unknown`"
