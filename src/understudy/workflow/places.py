"""When a job ends, its own task is polled at once and the longest-waiting tasks get the free place."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from understudy.db import tasks
from understudy.db.base import Database, Tx
from understudy.domain.clock import ClockMs
from understudy.domain.errors import Unavailable
from understudy.domain.task import Stage

WOKEN_AT_ONCE = 8

_log = structlog.get_logger(__name__)


class Places:
    """Turns "a job of this backend ended" into rows that are due now.

    Without it every waiting task would have to ask again and again; a call that is lost costs a wait, nothing more.
    """

    def __init__(self, database: Database, *, clock_ms: ClockMs) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._wake: Callable[[], None] | None = None
        self._names: set[str] = set()
        self._news = asyncio.Event()

    def on_woken(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever rows were made due."""
        self._wake = wake

    def job_ended(self, backend: str) -> None:
        """Note that a job of `backend` ended; never blocks."""
        self._names.add(backend)
        self._news.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            names, self._names = self._names, set()
            try:
                await self._database.transact(partial(self._make_due, names=names))
            except Unavailable as error:
                _log.warning("waiting tasks not woken", error=str(error))
            if self._wake is not None:
                self._wake()

    async def _make_due(self, tx: Tx, *, names: set[str]) -> None:
        for name in sorted(names):
            for stage in (Stage.AWAIT, Stage.SUBMIT):
                await tasks.wake_waiting(tx, backend=name, stage=stage, limit=WOKEN_AT_ONCE, now_ms=self._clock_ms())
