"""Rows of tasks in stage `await`, whose jobs are asked about many at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, bindparam, func, literal_column, select

from understudy.db.base import Reader, Tx, compile_statement
from understudy.db.tables import attempts, tasks
from understudy.db.tasks import RESCHEDULE, reschedule_values
from understudy.domain.ids import AttemptId, TaskId
from understudy.domain.task import Stage


class DuePoll(NamedTuple):
    """A task whose job is to be asked about now. `attempt_id` is None only for a row that is broken."""

    task_id: TaskId
    claim: int
    attempt_id: AttemptId | None
    job_id: str | None
    deadline_at_ms: int
    next_at_ms: int


class RescheduledPoll(NamedTuple):
    """When to ask again, under the claim it was read with; `progress` is 0 to 100, None if the job told none."""

    task_id: TaskId
    claim: int
    next_at_ms: int
    progress: int | None


# Written out, not bound: only so does the partial index match.
_AWAITS = tasks.c.stage == literal_column("'await'")
_OF_BACKEND = tasks.c.backend == bindparam("backend")

_DUE = compile_statement(
    select(tasks.c.id, tasks.c.claim, tasks.c.attempt_id, attempts.c.job_id, tasks.c.deadline_at, tasks.c.next_at)
    # A task whose attempt is gone must be seen too, or it would never end.
    .outerjoin(attempts, attempts.c.id == tasks.c.attempt_id)
    .where(_AWAITS, _OF_BACKEND, tasks.c.next_at <= bindparam("now_ms", type_=BigInteger))
    .order_by(tasks.c.next_at)
    .limit(bindparam("limit", type_=Integer))
)
_NEXT_DUE = compile_statement(
    select(func.min(tasks.c.next_at)).where(
        _AWAITS, _OF_BACKEND, tasks.c.next_at > bindparam("after_ms", type_=BigInteger)
    )
)
# From one name to the next through the index: a few look-ups, however many jobs each backend has.
_FIRST = select(func.min(tasks.c.backend).label("name")).where(_AWAITS)
_NAMES = _FIRST.cte("names", recursive=True)
_NAMES = _NAMES.union_all(
    select(select(func.min(tasks.c.backend)).where(_AWAITS, tasks.c.backend > _NAMES.c.name).scalar_subquery()).where(
        _NAMES.c.name.is_not(None)
    )
)
_BACKENDS = compile_statement(select(_NAMES.c.name).where(_NAMES.c.name.is_not(None)))


async def due_polls(reader: Reader, *, backend: str, now_ms: int, limit: int) -> list[DuePoll]:
    """Return at most `limit` tasks whose job at `backend` is to be asked about now, longest due first."""
    rows = await reader.fetch_all(_DUE, {"backend": backend, "now_ms": now_ms, "limit": limit})
    return [DuePoll(*row) for row in rows]


async def next_poll_due_at(reader: Reader, *, backend: str, after_ms: int = 0) -> int | None:
    """Return the earliest time later than `after_ms` at which a poll of `backend` is due, or None if there is none."""
    row = await reader.fetch_one(_NEXT_DUE, {"backend": backend, "after_ms": after_ms})
    return row[0] if row is not None else None


async def reschedule_polls(tx: Tx, polls: Sequence[RescheduledPoll]) -> None:
    """Let each poll run again at its time; progress only ever grows.

    A task that ended, left `await`, or was taken over under a higher claim is left as it is.
    """
    # In one order, so that two that reschedule the same tasks wait for each other instead of deadlocking.
    values = [
        reschedule_values(
            task_id=poll.task_id,
            claim=poll.claim,
            stage=Stage.AWAIT,
            next_at_ms=poll.next_at_ms,
            progress=poll.progress,
        )
        for poll in sorted(polls, key=lambda poll: poll.task_id)
    ]
    await tx.execute_many(RESCHEDULE, values)


async def backends_with_open_polls(reader: Reader) -> list[str]:
    """Return the names of the backends that have tasks in stage `await`, ascending."""
    return [row[0] for row in await reader.fetch_all(_BACKENDS, {})]
