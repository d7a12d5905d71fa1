"""What wakes tasks and deliveries: "call this at or after time T; if the one who was calling dies, call again".

The rows' `next_at` is the only memory; whatever is due after a crash is simply called again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from understudy.domain.clock import ClockMs
from understudy.domain.errors import Unavailable

IdT = TypeVar("IdT", bound=str)
RowIdT_co = TypeVar("RowIdT_co", bound=str, covariant=True)

DATABASE_AWAY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Scheduler(Protocol):
    """Wakes rows when they are due."""

    def wake(self) -> None:
        """Tell that a row may have become due; never blocks, safe to call too often."""
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    async def drain(self, *, seconds: float) -> None:
        """Take on nothing new, give what runs this long to end, then let it go: its rows still name it."""
        ...


class Agenda(Protocol[RowIdT_co]):
    """The rows of one kind that wait for their time."""

    async def due(self, *, now_ms: int, limit: int) -> Sequence[RowIdT_co]:
        """Return up to `limit` ids whose time has come, earliest first."""
        ...

    async def next_at_ms(self, *, after_ms: int) -> int | None:
        """Return the earliest time later than `after_ms` at which a row is due."""
        ...


class EmbeddedScheduler(Generic[IdT]):
    """One loop over the `next_at` index, for a database that one process owns.

    At most `concurrency` calls run at once. `idle_seconds` bounds how long a row written by another process (the
    command line, say) goes unseen.
    """

    def __init__(
        self,
        agenda: Agenda[IdT],
        call: Callable[[IdT], Awaitable[None]],
        *,
        clock_ms: ClockMs,
        concurrency: int,
        idle_seconds: float = 5.0,
    ) -> None:
        self._agenda = agenda
        self._call = call
        self._clock_ms = clock_ms
        self._concurrency = concurrency
        self._idle_seconds = idle_seconds
        self._woken = asyncio.Event()
        self._running: dict[IdT, asyncio.Task[None]] = {}
        self._draining = False

    def wake(self) -> None:
        """Look at the rows again now."""
        self._woken.set()

    async def run(self) -> None:
        """Serve until cancelled; the database going away is waited out."""
        while not self._draining:
            self._woken.clear()
            try:
                wait_seconds = await self._start_due()
            except Unavailable as error:
                _log.warning("scheduler waits for the database", error=str(error))
                wait_seconds = DATABASE_AWAY_SECONDS
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that meets the event's setting.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_seconds):
                    await self._woken.wait()

    async def _start_due(self) -> float:
        """Start what is due; return how long nothing else will be."""
        now_ms = self._clock_ms()
        free = self._concurrency - len(self._running)
        if free > 0:
            # What runs is still due by its row, so that many rows more are asked for.
            for row_id in await self._agenda.due(now_ms=now_ms, limit=self._concurrency):
                if row_id not in self._running and len(self._running) < self._concurrency and not self._draining:
                    self._running[row_id] = asyncio.create_task(self._guarded(row_id))
        next_at_ms = await self._agenda.next_at_ms(after_ms=now_ms)
        if next_at_ms is None:
            return self._idle_seconds
        return min(self._idle_seconds, max(0.0, (next_at_ms - self._clock_ms()) / 1000))

    async def _guarded(self, row_id: IdT) -> None:
        try:
            await self._call(row_id)
        except Unavailable:
            # The row is still due: without this pause the loop would spin on it while the database is away.
            await asyncio.sleep(DATABASE_AWAY_SECONDS)
        except Exception:  # noqa: BLE001 - one row's fault must not stop the loop for all others
            _log.exception("a scheduled call failed", row_id=row_id)
            await asyncio.sleep(DATABASE_AWAY_SECONDS)
        finally:
            self._running.pop(row_id, None)
            self._woken.set()

    async def drain(self, *, seconds: float) -> None:
        """Take on nothing new and wait for what runs; what is left then is cancelled and runs again later."""
        self._draining = True
        self._woken.set()
        running = tuple(self._running.values())
        if not running:
            return
        _, left = await asyncio.wait(running, timeout=seconds)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
