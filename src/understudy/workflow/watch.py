"""Jobs whose task has ended without them: a paid film that comes too late is found and recorded, never lost in silence.

The task stays as it ended (case U7 of `reliability.md` §7.4); the operator sees the loss in `understudy attempts`.
"""

import asyncio
from typing import Final

import structlog

from understudy.backends.base import Backend, Finished, Running
from understudy.db import attempts, tasks
from understudy.domain.records import Attempt, AttemptState
from understudy.workflow.moves import settle
from understudy.workflow.parts import Parts
from understudy.workflow.produce import ask
from understudy.workflow.reconcile import look_for

WATCH_MS: Final = 24 * 3_600_000
"""No upstream keeps a result that it made for longer than it is asked here."""
AT_ONCE: Final = 8
BATCH: Final = 200

_log = structlog.get_logger(__name__)


async def watch_abandoned(parts: Parts) -> int:
    """Ask once about every job that nobody waits for any more; return how many came too late."""
    watched = await parts.database.read(
        lambda reader: attempts.watched_attempts(reader, started_after_ms=parts.clock_ms() - WATCH_MS, limit=BATCH)
    )
    bound = asyncio.Semaphore(AT_ONCE)

    async def look(attempt: Attempt) -> bool:
        backend = parts.backends.get(attempt.backend)
        if backend is None:
            return False
        async with bound:
            return await _look(parts, attempt, backend)

    return sum(await asyncio.gather(*(look(attempt) for attempt in watched)))


async def _look(parts: Parts, attempt: Attempt, backend: Backend) -> bool:
    job_id = attempt.job_id or await _find(parts, attempt, backend)
    if job_id is None:
        return False
    status, _ = await ask(parts, backend, job_id)
    if isinstance(status, Running):
        return False
    if isinstance(status, Finished):
        _log.error("film came after its task had ended", attempt_id=attempt.id, backend=backend.name, job_id=job_id)
        await settle(parts, attempt.id, AttemptState.LATE, "the film was finished after the task had ended")
        return True
    await settle(parts, attempt.id, AttemptState.FAILED, f"ended upstream: {type(status).__name__.lower()}")
    return False


async def _find(parts: Parts, attempt: Attempt, backend: Backend) -> str | None:
    if backend.traits.reconcile_seconds == 0:
        return None
    task = await parts.database.read(lambda reader: tasks.get_task(reader, task_id=attempt.task_id))
    job_id = None if task is None else await look_for(parts, task, attempt, backend)
    if job_id is not None:
        known = job_id
        await parts.database.transact(lambda tx: attempts.keep_job_id(tx, attempt_id=attempt.id, job_id=known))
    return job_id
