"""Rows of attempts: the ledger that makes a paid submission at most one (`reliability.md` §3.2)."""

from sqlalchemy import BigInteger, Integer, Text, bindparam, func, insert, literal_column, select, update

from understudy.db.base import Reader, Row, Tx, compile_statement
from understudy.db.tables import attempts
from understudy.domain.ids import AttemptId, TaskId
from understudy.domain.records import Attempt, AttemptState

_COLUMNS = (
    attempts.c.id,
    attempts.c.task_id,
    attempts.c.backend,
    attempts.c.state,
    attempts.c.request_sha256,
    attempts.c.started_at,
    attempts.c.job_id,
    attempts.c.ended_at,
    attempts.c.detail,
)

_INSERT = compile_statement(insert(attempts))
_SET = compile_statement(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt_id"))
    .values(
        state=bindparam("new_state"),
        job_id=func.coalesce(bindparam("new_job_id", type_=Text), attempts.c.job_id),
        detail=func.coalesce(bindparam("new_detail", type_=Text), attempts.c.detail),
        ended_at=func.coalesce(bindparam("new_ended_at", type_=BigInteger), attempts.c.ended_at),
    )
)
_BY_ID = compile_statement(select(*_COLUMNS).where(attempts.c.id == bindparam("attempt_id")))
_OF_TASK = compile_statement(
    select(*_COLUMNS).where(attempts.c.task_id == bindparam("task_id")).order_by(attempts.c.started_at, attempts.c.id)
)
_UNKNOWN = compile_statement(
    select(*_COLUMNS)
    # Written out, not bound: only so does the partial index match.
    .where(attempts.c.state == literal_column("'unknown'"))
    .order_by(attempts.c.started_at)
    .limit(bindparam("limit", type_=Integer))
)


async def insert_attempt(tx: Tx, attempt: Attempt) -> None:
    """Keep a new attempt; to be committed before the call it stands for."""
    await tx.execute(
        _INSERT,
        {
            "id": attempt.id,
            "task_id": attempt.task_id,
            "backend": attempt.backend,
            "state": attempt.state.value,
            "request_sha256": attempt.request_sha256,
            "started_at": attempt.started_at_ms,
            "job_id": attempt.job_id,
            "ended_at": attempt.ended_at_ms,
            "detail": attempt.detail,
        },
    )


async def set_attempt(
    tx: Tx,
    *,
    attempt_id: AttemptId,
    state: AttemptState,
    job_id: str | None = None,
    detail: str | None = None,
    ended_at_ms: int | None = None,
) -> bool:
    """Set the attempt's state, and of the rest what is not None; False if there is no such attempt."""
    changed = await tx.execute(
        _SET,
        {
            "attempt_id": attempt_id,
            "new_state": state.value,
            "new_job_id": job_id,
            "new_detail": detail,
            "new_ended_at": ended_at_ms,
        },
    )
    return changed == 1


async def get_attempt(reader: Reader, *, attempt_id: AttemptId) -> Attempt | None:
    """Return the attempt."""
    row = await reader.fetch_one(_BY_ID, {"attempt_id": attempt_id})
    return _attempt(row) if row is not None else None


async def attempts_of(reader: Reader, *, task_id: TaskId) -> list[Attempt]:
    """Return the task's attempts, oldest first."""
    return [_attempt(row) for row in await reader.fetch_all(_OF_TASK, {"task_id": task_id})]


async def unknown_attempts(reader: Reader, *, limit: int) -> list[Attempt]:
    """Return at most `limit` attempts of which nobody knows whether they arrived, oldest first."""
    return [_attempt(row) for row in await reader.fetch_all(_UNKNOWN, {"limit": limit})]


def _attempt(row: Row) -> Attempt:
    return Attempt(
        id=AttemptId(row[0]),
        task_id=TaskId(row[1]),
        backend=row[2],
        state=AttemptState(row[3]),
        request_sha256=row[4],
        started_at_ms=row[5],
        job_id=row[6],
        ended_at_ms=row[7],
        detail=row[8],
    )
