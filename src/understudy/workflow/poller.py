"""Asks after the open jobs of one backend: each at its own time, many at once, written back in batches.

A job costs one call and its share of one transaction for each poll; only a job that ended is looked at singly. Ten
thousand rows that each ran their stage alone would keep the database busy with nothing new.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import structlog

from understudy.backends.base import Backend, JobStatus, Running
from understudy.db import polls
from understudy.db.base import Reader
from understudy.db.polls import DuePoll, RescheduledPoll
from understudy.domain.errors import Unavailable
from understudy.domain.ids import TaskId
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.parts import Parts
from understudy.workflow.produce import ask

BATCH: Final = 1000
ENDS_AT_ONCE: Final = 64
GATHER_SECONDS: Final = 0.1
"""Least time between two looks at the rows: one for each job, or for each task that a busy server wakes its pollers
with, would cost more than a poll."""
DATABASE_AWAY_SECONDS: Final = 1.0
FAULT_MS: Final = 5_000

_log = structlog.get_logger(__name__)


class Poller:
    """The poller of one backend.

    `on_end` is called with a task whose job ended and how; `on_late` with a task whose deadline has passed.
    `idle_seconds` bounds how long a row written by another process goes unseen.
    """

    def __init__(
        self,
        parts: Parts,
        backend: Backend,
        *,
        on_end: Callable[[TaskId, JobStatus], Awaitable[None]],
        on_late: Callable[[TaskId], Awaitable[None]],
        idle_seconds: float,
    ) -> None:
        self._parts = parts
        self._backend = backend
        self._on_end = on_end
        self._on_late = on_late
        self._idle_seconds = idle_seconds
        self._woken = asyncio.Event()
        self._looked_at = -GATHER_SECONDS
        self._places = asyncio.Semaphore(backend.traits.polls_at_once)
        self._ends = asyncio.Semaphore(ENDS_AT_ONCE)
        self._under_way: dict[TaskId, asyncio.Task[None]] = {}
        self._left: set[TaskId] = set()
        self._answered: dict[TaskId, RescheduledPoll] = {}

    def wake(self) -> None:
        """Look at the rows again now."""
        self._woken.set()

    async def run(self) -> None:
        """Serve until cancelled; what is under way then is let go: its rows still say when to ask."""
        loop, look_at = asyncio.get_running_loop(), 0.0
        try:
            while True:
                try:
                    # What was written says when to look next, so a look follows.
                    if await self._write_back() or self._woken.is_set() or loop.time() >= look_at:
                        self._woken.clear()
                        self._looked_at = loop.time()
                        look_at = loop.time() + await self._start_due()
                except Exception as error:  # noqa: BLE001 - whatever ails the database, the jobs go on and cost money
                    trace = not isinstance(error, Unavailable)
                    _log.warning("poller waits for the database", backend=self._backend.name, exc_info=trace)
                    await asyncio.sleep(DATABASE_AWAY_SECONDS)
                    look_at = 0.0
                await self._pause(look_at - loop.time())
        finally:
            running = tuple(self._under_way.values())
            for poll in running:
                poll.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        if self._under_way or self._answered:
            seconds = min(seconds, GATHER_SECONDS)
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that meets the event's setting.
            async with asyncio.timeout(seconds):
                await self._woken.wait()
                await asyncio.sleep(self._looked_at + GATHER_SECONDS - asyncio.get_running_loop().time())

    async def _start_due(self) -> float:
        """Start the polls that are due; return in how many seconds to look again."""
        # What is under way is still due by its row: that many rows more are asked for.
        limit = BATCH + len(self._under_way) + len(self._answered)
        if limit >= 3 * BATCH:
            return GATHER_SECONDS
        self._left.clear()
        now_ms = self._parts.clock_ms()
        due, next_at_ms = await self._parts.database.read(partial(self._look, now_ms=now_ms, limit=limit), scan=True)
        for poll in due:
            # One that left while the rows were read stands there as it was before.
            if not (poll.task_id in self._under_way or poll.task_id in self._answered or poll.task_id in self._left):
                self._under_way[poll.task_id] = asyncio.create_task(self._guarded(poll))
        if len(due) >= limit:
            return GATHER_SECONDS
        if next_at_ms is None:
            return self._idle_seconds
        return min(self._idle_seconds, max(GATHER_SECONDS, (next_at_ms - self._parts.clock_ms()) / 1000))

    async def _look(self, reader: Reader, *, now_ms: int, limit: int) -> tuple[Sequence[DuePoll], int | None]:
        name = self._backend.name
        due = await polls.due_polls(reader, backend=name, now_ms=now_ms, limit=limit)
        return due, await polls.next_poll_due_at(reader, backend=name, after_ms=now_ms)

    async def _guarded(self, poll: DuePoll) -> None:
        try:
            await self._poll(poll)
        except Unavailable:
            await asyncio.sleep(DATABASE_AWAY_SECONDS)
            self.wake()  # the row is still due
        except Exception:  # noqa: BLE001 - one job's fault must not stop the polls of all others
            _log.exception("a poll failed", task_id=poll.task_id, backend=self._backend.name)
            self._again(poll, FAULT_MS, None)
        finally:
            del self._under_way[poll.task_id]
            self._left.add(poll.task_id)

    async def _poll(self, poll: DuePoll) -> None:
        """Ask once. A job that ended gives back its place before its task is carried on, which may take a while."""
        if self._parts.clock_ms() >= poll.deadline_at_ms:
            async with self._ends:
                await self._on_late(poll.task_id)
            return
        async with self._places:
            status, again_ms = await ask(self._parts, self._backend, poll.job_id or poll.attempt_id or "")
        if isinstance(status, Running):
            self._parts.crash.reach(CrashPoint.AWAIT_WHILE_RUNNING)
            self._again(poll, again_ms, status.progress)
        else:
            async with self._ends:
                await self._on_end(poll.task_id, status)

    def _again(self, poll: DuePoll, wait_ms: int, progress: int | None) -> None:
        next_at_ms = min(self._parts.clock_ms() + wait_ms, poll.deadline_at_ms)
        if progress is not None:
            progress = max(0, min(100, progress))  # the row takes nothing else, nor any other row of its batch then
        self._answered[poll.task_id] = RescheduledPoll(poll.task_id, poll.claim, next_at_ms, progress)

    async def _write_back(self) -> bool:
        """Write down the answers that have come; False if there is none. What cannot be written is kept."""
        answered = dict(self._answered)
        if not answered:
            return False
        await self._parts.database.transact(partial(polls.reschedule_polls, polls=tuple(answered.values())))
        for task_id in answered:
            del self._answered[task_id]
        return True
