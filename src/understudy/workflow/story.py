"""The story of a task, top to bottom: `stage -> function`, and what happens when one goes wrong.

prepare -> submit -> await -> collect -> finish -> ended
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import structlog

from understudy.backends.base import JobStatus
from understudy.db import tasks
from understudy.domain.errors import FailCode, TaskFailure, Unavailable
from understudy.domain.ids import TaskId
from understudy.domain.task import Stage, Task
from understudy.workflow.collect import collect, finish
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.ending import Ending, end
from understudy.workflow.moves import wait
from understudy.workflow.parts import Parts
from understudy.workflow.prepare import prepare
from understudy.workflow.produce import act_on, await_job, stop_job
from understudy.workflow.shape import NOT_GENERATED
from understudy.workflow.submit import submit

STORY: Final[Mapping[Stage, Callable[[Parts, Task], Awaitable[None]]]] = {
    Stage.PREPARE: prepare,
    Stage.SUBMIT: submit,
    Stage.AWAIT: await_job,
    Stage.COLLECT: collect,
    Stage.FINISH: finish,
}

MAX_FAULTS = 5
FIRST_FAULT_WAIT_MS = 1_000
FAULT = "fault of ours"

_log = structlog.get_logger(__name__)


async def _act_on(parts: Parts, task: Task, *, status: JobStatus) -> None:
    await act_on(parts, task, status)


class Story:
    """Carries tasks on, one stage after another, until they have to wait.

    `on_ended` is called when one ended and may have a callback to send, `on_moved` when one may be due.
    """

    def __init__(self, parts: Parts, *, on_ended: Callable[[], None], on_moved: Callable[[], None]) -> None:
        self._parts = parts
        self._on_ended = on_ended
        self._on_moved = on_moved
        self._under_way: set[TaskId] = set()

    async def advance(self, task_id: TaskId) -> None:
        """Run the stages of a task that are due. Safe to call at any time, any number of times.

        One that is under way already is left to whoever runs it. Raises `Unavailable` when the database is away: the
        row then still says what is to be done.
        """
        if task_id in self._under_way:
            return
        self._under_way.add(task_id)
        try:
            await self._advance(task_id)
        finally:
            self._under_way.discard(task_id)

    async def _advance(self, task_id: TaskId) -> None:
        while True:
            task = await self._parts.database.read(lambda reader: tasks.get_task(reader, task_id=task_id))
            now_ms = self._parts.clock_ms()
            if task is None or task.next_at_ms is None or task.next_at_ms > now_ms:
                break
            late = now_ms >= task.deadline_at_ms and task.stage is not Stage.FINISH
            await self._run(task, self._abandon if late else STORY[task.stage])
        if task is None or task.stage is Stage.ENDED:
            self._parts.patience.regain(FAULT, task_id)
            self._on_ended()
        elif task.stage is Stage.AWAIT:
            # Its poller sleeps until the next poll that it knows of, and does not know of this one.
            self._on_moved()

    async def job_ended(self, task_id: TaskId, status: JobStatus) -> None:
        """Carry a task over the end of its job, as the poller found it; `advance` goes on from there."""
        task = await self._parts.database.read(lambda reader: tasks.get_task(reader, task_id=task_id))
        if task is not None and task.stage is Stage.AWAIT:
            await self._run(task, partial(_act_on, status=status))
        self._on_moved()

    async def _run(self, task: Task, stage: Callable[[Parts, Task], Awaitable[None]]) -> None:
        try:
            await stage(self._parts, task)
        except TaskFailure as failure:
            await self._fail(task, failure)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the task must still end
            await self._stumble(task, error)
        else:
            self._parts.patience.regain(FAULT, task.id)

    @staticmethod
    async def _abandon(parts: Parts, task: Task) -> None:
        """Give up a task whose deadline has passed, and stop its job if it has one."""
        if task.attempt_id is not None and task.stage in (Stage.AWAIT, Stage.COLLECT):
            await stop_job(parts, task, task.attempt_id)
        raise TaskFailure(FailCode.PROCESSING_TIMEOUT, "The video was not ready in time")

    async def _fail(self, task: Task, failure: TaskFailure) -> None:
        _log.info("task fails", task_id=task.id, fail_code=failure.code.value, detail=failure.detail)
        self._parts.crash.reach(CrashPoint.FAIL_BEFORE_COMMIT)
        completed_at_ms = max(self._parts.clock_ms(), task.created_at_ms)
        await end(
            self._parts,
            task,
            Ending(completed_at_ms=completed_at_ms, fail_code=failure.code, fail_message=failure.message),
        )
        self._on_ended()

    async def _stumble(self, task: Task, error: Exception) -> None:
        """Wait longer after each fault of ours, and give up before a caller waits for the deadline."""
        faults = self._parts.patience.lose(FAULT, task.id)
        _log.error("stage failed", task_id=task.id, stage=task.stage.value, faults=faults, exc_info=error)
        if faults >= MAX_FAULTS:
            await self._fail(task, TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=repr(error)))
            return
        await wait(self._parts, task, FIRST_FAULT_WAIT_MS * 2 ** (faults - 1))
