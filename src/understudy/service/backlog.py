"""Whether there is room for another task on this server: refuse early rather than accept and drop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from understudy.db import tasks
from understudy.db.base import Database
from understudy.domain.errors import Unavailable
from understudy.domain.task import State
from understudy.storage.base import Storage

RETRY_AFTER_SECONDS = 10
REFRESH_SECONDS = 1.0
FREE_FLOOR_BYTES = 256 * 1024**2
"""A few films' worth: below it results could not be stored, so nothing is accepted."""


class Backlog:
    """Counts open tasks: exactly now and then, by addition in between.

    It also closes while the storage is below its floor of free space.
    """

    def __init__(self, database: Database, storage: Storage, *, limit: int) -> None:
        self._database = database
        self._storage = storage
        self._limit = limit
        self._open = 0
        self._disk_full = False

    @property
    def open_tasks(self) -> int:
        """The open tasks, as far as this process knows."""
        return self._open

    def note_accepted(self) -> None:
        """Count one more."""
        self._open += 1

    def check(self) -> None:
        """Raise `Unavailable` if another task is not to be accepted (`contract.md` §5: 503, before acceptance)."""
        if self._disk_full:
            raise Unavailable("The server is out of storage", retry_after=60)
        if self._open >= self._limit:
            raise Unavailable("The server is busy", retry_after=RETRY_AFTER_SECONDS)

    async def refresh(self) -> None:
        """Count anew, and measure the storage. Raises `Unavailable` when the database is away."""
        free = await self._storage.free_bytes()
        self._disk_full = free is not None and free < FREE_FLOOR_BYTES
        counts = await self._database.read(tasks.count_open, scan=True)
        self._open = counts.get(State.PENDING, 0) + counts.get(State.PROCESSING, 0)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep the count fresh while inside."""
        await self.refresh()
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait([watch])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            with suppress(Unavailable):
                await self.refresh()
