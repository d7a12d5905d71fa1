"""What became of attempts whose answer was lost: adopted where the vendor has a handle, else failed and listed.

The handles are the upstream's webhook, whose address belongs to one attempt, and `Backend.find`
(`reliability.md` §3.2, step 5). None of them ever sends a submission again.
"""

import asyncio
from typing import Final

import structlog

from understudy.backends.base import Backend, BackendError, Fit, LostAttempt, Wanted
from understudy.db import attempts
from understudy.db.base import Tx
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode, TaskFailure, Unavailable
from understudy.domain.ids import AttemptId
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.task import Stage, Task
from understudy.workflow.moves import move, settle, wait
from understudy.workflow.parts import Parts
from understudy.workflow.shape import NOT_GENERATED, shape_of

UNANSWERED: Final = "the answer to the submission was lost"
STOPPED: Final = "the server stopped during the submission"
FIND_EVERY_MS: Final = 5_000
WITHOUT_WEBHOOK_SECONDS: Final = 60.0
"""How long to look for a lost job by listing where the upstream cannot call us back."""
COMMIT_TRIES: Final = 30
COMMIT_WAIT_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


async def settle_earlier(parts: Parts, task: Task) -> list[Attempt] | None:
    """Decide about attempts that a crash or a lost answer cut off; return all attempts if a new one may be made.

    None: the row says what comes next, since a job was adopted or is still looked for. Raises `TaskFailure` where
    nothing can be found out: towards the caller the task fails, unbilled; the attempt stays `unknown`.
    """
    earlier = await parts.database.read(lambda reader: attempts.attempts_of(reader, task_id=task.id))
    for attempt in earlier:
        if attempt.state not in (AttemptState.SUBMITTING, AttemptState.UNKNOWN):
            continue
        backend = parts.backends.get(attempt.backend)
        if attempt.job_id is None and backend is not None and backend.traits.free_to_repeat:
            await settle(parts, attempt.id, AttemptState.LOST, attempt.detail or STOPPED)
            await backend.forget(attempt.id)
            continue
        await _reconcile(parts, task, attempt, backend)
        return None
    return await parts.database.read(lambda reader: attempts.attempts_of(reader, task_id=task.id))


async def _reconcile(parts: Parts, task: Task, attempt: Attempt, backend: Backend | None) -> None:
    if attempt.state is AttemptState.SUBMITTING and attempt.job_id is None:
        _log.error("submission is unknown", attempt_id=attempt.id, backend=attempt.backend, error=STOPPED)
        await settle(parts, attempt.id, AttemptState.UNKNOWN, STOPPED)
    if backend is None:
        raise _unknown(attempt, "its backend is not configured any more")
    job_id = attempt.job_id or await look_for(parts, task, attempt, backend)
    if job_id is not None:
        _log.warning("lost job found again", task_id=task.id, attempt_id=attempt.id, backend=backend.name)
        # It is as old as its attempt, and may be done: whoever waited for it to be found need not wait once more.
        await commit_job(parts, task, attempt.id, job_id, first_poll_seconds=0)
        return
    patience_seconds = backend.traits.reconcile_seconds
    if backend.traits.webhooks and backend.name not in parts.called_back:
        patience_seconds = min(patience_seconds, WITHOUT_WEBHOOK_SECONDS)
    left_ms = attempt.started_at_ms + int(patience_seconds * 1000) - parts.clock_ms()
    if left_ms <= 0:
        raise _unknown(attempt, "nothing was heard of it")
    await wait(parts, task, min(FIND_EVERY_MS, left_ms))


def _unknown(attempt: Attempt, why: str) -> TaskFailure:
    return TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=f"attempt {attempt.id} is unknown: {why}")


async def look_for(parts: Parts, task: Task, attempt: Attempt, backend: Backend) -> str | None:
    """Return the id of the attempt's job if the upstream lets it be found without doubt."""
    try:
        shape = await shape_of(parts, task)
        wanted = Wanted(
            model=attempt.model or "", size=shape.size, seconds=task.request.seconds, picture=shape.picture is not None
        )
        fit = Fit(size=Size(attempt.generate_width or shape.size.width, attempt.generate_height or shape.size.height))
        taken = await parts.database.read(
            lambda reader: attempts.job_ids_of(
                reader, backend=backend.name, started_after_ms=attempt.started_at_ms - 86_400_000
            )
        )
        lost = LostAttempt(
            attempt_id=attempt.id,
            prompt=task.request.prompt,
            wanted=wanted,
            generate=fit.size,
            started_at_ms=attempt.started_at_ms,
            taken=taken,
        )
        return await backend.find(lost)
    except (BackendError, TaskFailure) as error:
        _log.warning("lost job not looked for", attempt_id=attempt.id, backend=backend.name, error=str(error))
        return None


async def commit_job(
    parts: Parts, task: Task, attempt_id: AttemptId, job_id: str, *, first_poll_seconds: float
) -> None:
    """Commit the job's id and move on to `await`.

    It was paid for and this is the only place that knows its id: a database that is away is waited for.
    """

    async def commit(tx: Tx) -> None:
        await attempts.set_attempt(tx, attempt_id=attempt_id, state=AttemptState.SUBMITTED, job_id=job_id)
        due_at_ms = parts.clock_ms() + int(first_poll_seconds * 1000)
        if not await move(tx, task, Stage.AWAIT, next_at_ms=due_at_ms, attempt_id=attempt_id):
            # The task ended, or was taken over, while the call was under way: its job must not be forgotten.
            await attempts.set_attempt(tx, attempt_id=attempt_id, state=AttemptState.ABANDONED)

    for left in reversed(range(COMMIT_TRIES)):
        try:
            await parts.database.transact(commit)
        except Unavailable:
            _log.error("job id not committed yet", attempt_id=attempt_id, job_id=job_id, tries_left=left)
            if left == 0:
                raise
            await asyncio.sleep(COMMIT_WAIT_SECONDS)
        else:
            return
