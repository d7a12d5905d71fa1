"""What the poller is tested with: jobs in a real database, an upstream with a script, a line that can be cut."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from typing_extensions import override

from tests.unit.workflow.conftest import Theatre
from understudy.backends.base import Backend, Fit, JobRequest, JobStatus, Running, Traits, Wanted
from understudy.db import attempts, tasks
from understudy.db.base import Database, DialectName, Reader, Tx
from understudy.domain.catalogue import Mode, Size
from understudy.domain.clock import system_clock_ms
from understudy.domain.errors import Unavailable
from understudy.domain.ids import TaskId, new_attempt_id, new_task_id
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.request import GenerationRequest
from understudy.domain.task import Stage, State, Task
from understudy.workflow.moves import move
from understudy.workflow.parts import Parts
from understudy.workflow.poller import Poller

T = TypeVar("T")

HOUR_MS = 3_600_000
LONG_SECONDS = 600.0


class Upstream(Backend):
    """Answers each job by its own script, whose last entry repeats; an exception in it is raised."""

    def __init__(self, name: str = "paid", *, poll_seconds: float = LONG_SECONDS, polls_at_once: int = 64) -> None:
        self.name = name
        self.traits = Traits(first_poll_seconds=1, poll_seconds=poll_seconds, polls_at_once=polls_at_once)
        self.script: dict[str, list[JobStatus | Exception]] = defaultdict(lambda: [Running()])
        self.answer_seconds = 0.0
        self.hangs: set[str] = set()
        self.asked_at_ms: dict[str, list[int]] = defaultdict(list)
        self.under_way: list[str] = []
        self.most_at_once = 0
        self.twice_at_once: set[str] = set()

    @override
    async def poll(self, job_id: str) -> JobStatus:
        self.asked_at_ms[job_id].append(system_clock_ms())
        if job_id in self.under_way:
            self.twice_at_once.add(job_id)
        self.under_way.append(job_id)
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        try:
            await asyncio.sleep(LONG_SECONDS if job_id in self.hangs else self.answer_seconds)
        finally:
            self.under_way.remove(job_id)
        script = self.script[job_id]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def asked(self, job_id: str = "job") -> int:
        return len(self.asked_at_ms[job_id])

    @override
    def fit(self, wanted: Wanted) -> Fit:
        raise AssertionError("a poller fits nothing")

    @override
    async def submit(self, request: JobRequest) -> str:
        raise AssertionError("a poller submits nothing")

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        raise AssertionError("a poller collects nothing")

    @override
    async def cancel(self, job_id: str) -> bool:
        raise AssertionError("a poller cancels nothing")

    @override
    async def check(self) -> str:
        return "scripted"


class Line:
    """The line to a database, which can be cut: every call then fails as it does when the database is away.

    What a scan has found arrives `late_seconds` later.
    """

    dialect: DialectName = "sqlite"

    def __init__(self, database: Database) -> None:
        self._database = database
        self.cut_for_reads = False
        self.cut_for_writes = False
        self.late_seconds = 0.0
        self.writes = 0

    async def transact(self, body: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
        if self.cut_for_writes:
            raise Unavailable("away", retry_after=1)
        self.writes += 1
        return await self._database.transact(body)

    async def read(self, body: Callable[[Reader], Coroutine[Any, Any, T]], *, scan: bool = False) -> T:
        if self.cut_for_reads:
            raise Unavailable("away", retry_after=1)
        found = await self._database.read(body, scan=scan)
        if scan:
            await asyncio.sleep(self.late_seconds)
        return found

    async def own_work(self) -> bool:
        return True

    async def close(self) -> None:
        return


@dataclass
class House:
    """A database with jobs in it, and what the poller told of them."""

    parts: Parts
    line: Line
    theatre: Theatre
    ended: list[tuple[TaskId, JobStatus]] = field(default_factory=list)
    late: list[TaskId] = field(default_factory=list)
    end_seconds: float = 0.0
    due_at_ms: dict[TaskId, int] = field(default_factory=dict)

    async def open_jobs(
        self, *job_ids: str, backend: str = "paid", due_in_ms: int = 0, deadline_in_ms: int = HOUR_MS
    ) -> list[TaskId]:
        """Insert a task for each, as it is when its job has been submitted."""
        now_ms = system_clock_ms()
        rows = [self._rows(job_id, backend, now_ms + due_in_ms, now_ms + deadline_in_ms) for job_id in job_ids]

        async def commit(tx: Tx) -> None:
            for task, attempt in rows:
                await tasks.insert_task(tx, task)
                await attempts.insert_attempt(tx, attempt)

        await self.parts.database.transact(commit)
        self.due_at_ms |= {task.id: now_ms + due_in_ms for task, _ in rows}
        return [task.id for task, _ in rows]

    def _rows(self, job_id: str, backend: str, next_at_ms: int, deadline_at_ms: int) -> tuple[Task, Attempt]:
        task_id, attempt_id, created_at_ms = new_task_id(), new_attempt_id(), system_clock_ms() - HOUR_MS
        attempt = Attempt(
            id=attempt_id,
            task_id=task_id,
            backend=backend,
            state=AttemptState.SUBMITTED,
            request_sha256="0" * 64,
            started_at_ms=created_at_ms,
            job_id=job_id,
        )
        request = GenerationRequest(mode=Mode.TEXT_TO_VIDEO, prompt="a cat", seconds=4, size=Size(720, 1280))
        task = Task(
            id=task_id,
            key_id=self.theatre.key.id,
            model=backend,
            state=State.PROCESSING,
            stage=Stage.AWAIT,
            request=request,
            created_at_ms=created_at_ms,
            deadline_at_ms=deadline_at_ms,
            next_at_ms=next_at_ms,
            backend=backend,
            attempt_id=attempt_id,
        )
        return task, attempt

    async def on_end(self, task_id: TaskId, status: JobStatus) -> None:
        self.ended.append((task_id, status))
        await asyncio.sleep(self.end_seconds)
        await self.take_off(await self.theatre.task(task_id))

    async def on_late(self, task_id: TaskId) -> None:
        self.late.append(task_id)
        await self.take_off(await self.theatre.task(task_id))

    async def take_off(self, task: Task) -> None:
        """Move the task on, as the story does."""
        await self.parts.database.transact(lambda tx: move(tx, task, Stage.COLLECT, next_at_ms=system_clock_ms()))

    @asynccontextmanager
    async def polling(self, *upstreams: Upstream) -> AsyncIterator[list[Poller]]:
        """Run a poller for each upstream; none looks by itself before the test is long over."""
        pollers = [
            Poller(self.parts, upstream, on_end=self.on_end, on_late=self.on_late, idle_seconds=LONG_SECONDS)
            for upstream in upstreams
        ]
        loops = [asyncio.create_task(poller.run()) for poller in pollers]
        try:
            yield pollers
        finally:
            for loop in loops:
                loop.cancel()
            for loop in loops:
                with suppress(asyncio.CancelledError):
                    await loop

    async def next_at_ms(self, task_id: TaskId) -> int:
        task = await self.theatre.task(task_id)
        assert task.next_at_ms is not None
        return task.next_at_ms

    async def until_rescheduled(self, task_id: TaskId) -> int:
        """Wait until the answer to the task's first poll is written down; return the time of the next."""
        async with asyncio.timeout(20):
            while (next_at_ms := await self.next_at_ms(task_id)) == self.due_at_ms[task_id]:  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.01)
        return next_at_ms

    async def make_due(self, task_id: TaskId) -> None:
        now_ms = system_clock_ms()
        await self.parts.database.transact(
            lambda tx: tasks.wake_task(tx, task_id=task_id, now_ms=now_ms, stages=[Stage.AWAIT])
        )

    async def close(self, task_ids: list[TaskId]) -> None:
        """Take them off the poller's list, so that another example finds it empty."""
        for task_id in task_ids:
            task = await self.theatre.task(task_id)
            if task.stage is Stage.AWAIT:
                await self.take_off(task)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - plain data, with nothing to wait on
            await asyncio.sleep(0.005)
