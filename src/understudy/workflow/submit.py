"""Stage `submit`: an attempt row is committed, the backend is called once, the job's id is committed after it.

A crash or a lost answer between the two leaves the row behind: what cannot be proved to have created nothing is
`unknown` and never sent again (`reliability.md` §3.2). No engine gives that; the row does.
"""

import hashlib
from typing import NoReturn

import structlog

from understudy.backends.base import Backend, Busy, JobRequest, NotCreated, Refused
from understudy.db import attempts, tasks
from understudy.db.base import Tx
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.ids import AttemptId, new_attempt_id
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.task import Stage, Task
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.moves import move, settle, wait
from understudy.workflow.parts import Parts
from understudy.workflow.shape import NOT_GENERATED, shape_of

MAX_LOST_ATTEMPTS = 3
"""How often a job that is free to repeat may get lost before its task fails."""
BUSY_WAIT_MS = 10_000
"""The longest a task sleeps for want of a place; it is woken when one becomes free."""

_log = structlog.get_logger(__name__)


async def submit(parts: Parts, task: Task) -> None:
    """Move on to `await`, stay and wait for a place, or raise `TaskFailure`."""
    backend = backend_of(parts, task)
    request = await _request_for(parts, task, backend)
    if not backend.reserve():
        await wait(parts, task, BUSY_WAIT_MS)
        return
    try:
        job_id = await _call_once(parts, task, backend, request)
    except BaseException:
        backend.release()
        raise
    if job_id is None:
        backend.release()
        return
    parts.crash.reach(CrashPoint.SUBMIT_AFTER_CALL)

    async def commit(tx: Tx) -> None:
        await attempts.set_attempt(tx, attempt_id=request.attempt_id, state=AttemptState.SUBMITTED, job_id=job_id)
        due_at_ms = parts.clock_ms() + int(backend.traits.first_poll_seconds * 1000)
        await move(tx, task, Stage.AWAIT, next_at_ms=due_at_ms)

    await parts.database.transact(commit)
    parts.crash.reach(CrashPoint.SUBMIT_AFTER_COMMIT)


def backend_of(parts: Parts, task: Task) -> Backend:
    """Return the task's backend; raise `TaskFailure` if this server has it no more."""
    backend = parts.backends.get(task.backend)
    if backend is None:
        raise TaskFailure(
            FailCode.MODEL_UNAVAILABLE, "The model is not available", detail=f"no backend called {task.backend}"
        )
    return backend


async def _request_for(parts: Parts, task: Task, backend: Backend) -> JobRequest:
    lost = await _settle_earlier(parts, task, backend)
    if lost >= MAX_LOST_ATTEMPTS:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=f"{lost} attempts were lost")
    shape = await shape_of(parts, task)
    return JobRequest(
        attempt_id=new_attempt_id(),
        prompt=task.request.prompt,
        size=shape.size,
        seconds=task.request.seconds,
        # Every attempt at a task draws the same film; two tasks with one prompt are two takes.
        seed=int.from_bytes(hashlib.sha256(task.id.encode()).digest()[:8], "big") >> 1,
        picture=shape.picture,
    )


async def _settle_earlier(parts: Parts, task: Task, backend: Backend) -> int:
    """Decide about attempts that a crash cut off, and return how many got lost so far.

    A submission that may have arrived is repeated only where that costs nothing.
    """
    earlier = await parts.database.read(lambda reader: attempts.attempts_of(reader, task_id=task.id))
    lost = sum(attempt.state is AttemptState.LOST for attempt in earlier)
    for attempt in earlier:
        if attempt.state is AttemptState.UNKNOWN:
            raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="an attempt is unknown")
        if attempt.state is not AttemptState.SUBMITTING:
            continue
        if not backend.traits.free_to_repeat:
            await _unknown(parts, attempt.id, "the server stopped during the submission")
        await settle(parts, attempt.id, AttemptState.LOST, "the server stopped during the submission")
        await backend.forget(attempt.id)
        lost += 1
    return lost


async def _call_once(parts: Parts, task: Task, backend: Backend, request: JobRequest) -> str | None:
    """Record the attempt, call the backend; return the job's id, or None if nothing was created and we wait."""
    if not await _record(parts, task, request):
        return None
    parts.crash.reach(CrashPoint.SUBMIT_AFTER_ATTEMPT_RECORDED)
    try:
        return await backend.submit(request)
    except Refused as error:
        await settle(parts, request.attempt_id, AttemptState.NOT_CREATED, str(error))
        raise TaskFailure(error.code, error.message, detail=str(error)) from error
    except NotCreated as error:
        await settle(parts, request.attempt_id, AttemptState.NOT_CREATED, str(error))
        await wait(parts, task, int(error.retry_after_seconds * 1000) if isinstance(error, Busy) else BUSY_WAIT_MS)
        return None
    except Exception as error:  # noqa: BLE001 - whatever is not proved to have created nothing may have created a job
        await _unknown(parts, request.attempt_id, repr(error))


async def _record(parts: Parts, task: Task, request: JobRequest) -> bool:
    started_at_ms = parts.clock_ms()
    attempt = Attempt(
        id=request.attempt_id,
        task_id=task.id,
        backend=task.backend,
        state=AttemptState.SUBMITTING,
        request_sha256=hashlib.sha256(repr(task.request).encode()).hexdigest(),
        started_at_ms=started_at_ms,
    )

    async def commit(tx: Tx) -> bool:
        ours = await tasks.move_task(
            tx,
            task_id=task.id,
            claim=task.claim,
            from_stage=task.stage,
            to_stage=task.stage,
            state=task.state,
            next_at_ms=started_at_ms,
            attempt_id=attempt.id,
        )
        if ours:
            await attempts.insert_attempt(tx, attempt)
        return ours

    return await parts.database.transact(commit)


async def _unknown(parts: Parts, attempt_id: AttemptId, detail: str) -> NoReturn:
    """Record for the operator that a submission may have arrived; towards the caller the task fails, unbilled."""
    _log.error("submission is unknown", attempt_id=attempt_id, detail=detail)
    await settle(parts, attempt_id, AttemptState.UNKNOWN, detail)
    raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=f"attempt {attempt_id} is unknown")
