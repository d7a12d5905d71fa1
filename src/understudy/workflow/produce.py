"""Stage `await`: how a job stands decides what comes next."""

from functools import partial

import structlog

from understudy.backends.base import (
    Backend,
    BackendError,
    Failed,
    Finished,
    JobStatus,
    PollFailed,
    Running,
    Unusable,
    Vanished,
)
from understudy.db import attempts
from understudy.db.base import Tx
from understudy.domain import circuit
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.ids import AttemptId
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.task import Stage, Task
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.moves import move, settle, wait
from understudy.workflow.parts import Parts
from understudy.workflow.shape import NOT_GENERATED

POLL_RETRY_MS = 5_000
MOST_POLL_RETRY_MS = 120_000
REFUSED_POLL_MS = 30_000
"""A key that was refused may be put right while its jobs go on."""
VANISHED = "job not found"

_log = structlog.get_logger(__name__)


def backend_of(parts: Parts, task: Task) -> Backend:
    """Return the backend that has the task's job; raise `TaskFailure` if this server has it no more."""
    backend = parts.backends.get(task.backend)
    if backend is None:
        raise TaskFailure(
            FailCode.MODEL_UNAVAILABLE, "The model is not available", detail=f"no backend called {task.backend}"
        )
    return backend


async def attempt_of(parts: Parts, task: Task) -> Attempt:
    """Return the attempt that the task stands on; raise `TaskFailure` if there is none."""
    attempt_id = task.attempt_id
    attempt = None
    if attempt_id is not None:
        attempt = await parts.database.read(lambda reader: attempts.get_attempt(reader, attempt_id=attempt_id))
    if attempt is None:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="the task's attempt is gone")
    return attempt


async def await_job(parts: Parts, task: Task) -> None:
    """Ask how the job stands: wait on, move on to `collect`, go back to `submit`, or raise `TaskFailure`."""
    backend = backend_of(parts, task)
    attempt = await attempt_of(parts, task)
    status, wait_ms = await ask(parts, backend, attempt.job_id or attempt.id)
    if isinstance(status, Running):
        parts.crash.reach(CrashPoint.AWAIT_WHILE_RUNNING)
        await wait(parts, task, wait_ms, progress=status.progress)
    else:
        await act_on(parts, task, status)


async def ask(parts: Parts, backend: Backend, job_id: str) -> tuple[JobStatus, int]:
    """Return how a job stands, and after how many ms to ask again if it is running.

    An upstream that does not answer leaves the job running. One that knows no such job is asked `vanish_after` times:
    some tell of a new job only after a while.
    """
    try:
        status = await backend.poll(job_id)
    except Unusable as error:
        _log.error("poll refused", backend=backend.name, error=str(error))
        reason = str(error)
        await parts.circuits.went_wrong(backend, partial(circuit.unusable, reason=reason))
        return Running(), REFUSED_POLL_MS
    except BackendError as error:
        _log.warning("poll failed", backend=backend.name, error=str(error))
        asked_for = error.retry_after_seconds if isinstance(error, PollFailed) else None
        return Running(), min(MOST_POLL_RETRY_MS, max(POLL_RETRY_MS, int((asked_for or 0) * 1000)))
    again_ms = int(backend.traits.poll_seconds * 1000)
    if isinstance(status, Vanished) and parts.patience.lose(VANISHED, job_id) < backend.traits.vanish_after:
        return Running(), again_ms
    parts.patience.regain(VANISHED, job_id)
    return status, again_ms


async def act_on(parts: Parts, task: Task, status: JobStatus) -> None:
    """Do what a job's end asks for: move on to `collect`, go back to `submit`, or raise `TaskFailure`."""
    backend, attempt = backend_of(parts, task), await attempt_of(parts, task)
    match status:
        case Finished():
            parts.crash.reach(CrashPoint.AWAIT_AFTER_FINISHED)
            await parts.database.transact(
                lambda tx: move(tx, task, Stage.COLLECT, next_at_ms=parts.clock_ms()),
            )
        case Failed(code, message, detail):
            if code is FailCode.GENERATION_FAILED:
                await parts.circuits.went_wrong(backend, partial(circuit.fault, reason=detail))
            if not await submit_again(parts, task, attempt, detail):
                await settle(parts, attempt.id, AttemptState.FAILED, detail)
                raise TaskFailure(code, message, detail=detail)
        case Vanished():
            if not await submit_again(parts, task, attempt, "the job vanished"):
                await settle(parts, attempt.id, AttemptState.FAILED, "the job vanished")
                raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="the job vanished upstream")
        case Running():
            pass


async def stop_job(parts: Parts, task: Task, attempt_id: AttemptId) -> None:
    """Stop the job of a task whose deadline has passed; a backend that does not answer keeps nobody waiting.

    Where it is not certain that it stopped, the job is watched on: a paid film that comes too late is recorded.
    """
    attempt, backend, stopped = await attempt_of(parts, task), parts.backends.get(task.backend), False
    try:
        stopped = backend is not None and await backend.cancel(attempt.job_id or attempt.id)
    except BackendError as error:
        _log.warning("job not stopped", task_id=task.id, attempt_id=attempt_id, error=str(error))
    state = AttemptState.FAILED if stopped else AttemptState.ABANDONED
    await settle(parts, attempt_id, state, "the task's deadline passed")


async def submit_again(parts: Parts, task: Task, attempt: Attempt, detail: str) -> bool:
    """Go back to `submit` if another job costs nothing; `submit` counts how often that has happened."""
    backend = backend_of(parts, task)
    if not backend.traits.free_to_repeat:
        return False
    _log.warning("job lost", task_id=task.id, attempt_id=attempt.id, detail=detail)
    await backend.forget(attempt.job_id or attempt.id)

    async def commit(tx: Tx) -> None:
        await attempts.set_attempt(
            tx, attempt_id=attempt.id, state=AttemptState.LOST, detail=detail, ended_at_ms=parts.clock_ms()
        )
        await move(tx, task, Stage.SUBMIT, next_at_ms=parts.clock_ms())

    await parts.database.transact(commit)
    return True
