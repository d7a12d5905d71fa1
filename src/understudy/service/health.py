"""Whether this server can do its work, for probes and people."""

import asyncio
from dataclasses import dataclass

from understudy.backends.base import Backend, BackendError
from understudy.backends.registry import Registry
from understudy.db import tasks
from understudy.db.base import Database
from understudy.domain.errors import Unavailable
from understudy.service.backlog import Backlog

BACKEND_SECONDS = 2
"""A probe must not wait as long as the slowest upstream."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe is told. `ready` decides between 200 and 503; nothing here is secret."""

    ready: bool
    database: str
    open_tasks: int
    backends: dict[str, str]
    moderation: str


class HealthService:
    """Asks every part that can be away."""

    def __init__(self, database: Database, backends: Registry, backlog: Backlog, *, moderation: str) -> None:
        self._database = database
        self._backends = backends
        self._backlog = backlog
        self._moderation = moderation

    async def check(self) -> Health:
        """Return how things stand; never raises."""
        try:
            await self._database.read(tasks.count_open, scan=True)
            database = "ok"
        except Unavailable as error:
            database = str(error)
        states = {}
        for backend in self._backends:
            states[backend.name] = await _ask(backend)
        return Health(database == "ok", database, self._backlog.open_tasks, states, self._moderation)


async def _ask(backend: Backend) -> str:
    try:
        async with asyncio.timeout(BACKEND_SECONDS):
            return await backend.check()
    except BackendError as error:
        return f"does not answer: {error}"
    except TimeoutError:
        return f"does not answer within {BACKEND_SECONDS} s"
