"""Rows of attempts: the ledger that makes a paid submission at most one (`reliability.md` §3.2)."""

from sqlalchemy import BigInteger, Integer, Text, bindparam, func, insert, literal_column, or_, select, update

from understudy.db.base import Reader, Row, Tx, compile_statement
from understudy.db.tables import attempts, tasks
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
    attempts.c.model,
    attempts.c.generate_width,
    attempts.c.generate_height,
    attempts.c.claim,
    attempts.c.remark,
    attempts.c.settled_at,
)

# Conditions are written out, not bound, wherever only so a partial index matches them.
_UNKNOWN_STATE = attempts.c.state == literal_column("'unknown'")
_OPEN = attempts.c.state.in_([literal_column("'submitting'"), literal_column("'submitted'")])
_WATCHED = (
    attempts.c.state.in_([literal_column("'abandoned'"), literal_column("'unknown'")]),
    attempts.c.settled_at.is_(None),
)
_THIS = attempts.c.id == bindparam("attempt_id")
_BACKEND = attempts.c.backend == bindparam("backend")
_STARTED_AFTER = bindparam("started_after", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)

_INSERT = compile_statement(insert(attempts))
_SET = compile_statement(
    update(attempts)
    .where(_THIS)
    .values(
        state=bindparam("new_state"),
        job_id=func.coalesce(bindparam("new_job_id", type_=Text), attempts.c.job_id),
        detail=func.coalesce(bindparam("new_detail", type_=Text), attempts.c.detail),
        ended_at=func.coalesce(bindparam("new_ended_at", type_=BigInteger), attempts.c.ended_at),
        remark=func.coalesce(bindparam("new_remark", type_=Text), attempts.c.remark),
    )
)
_KEEP_JOB_ID = compile_statement(
    update(attempts).where(_THIS, attempts.c.job_id.is_(None)).values(job_id=bindparam("new_job_id", type_=Text))
)
_SETTLE = compile_statement(
    update(attempts)
    .where(_THIS, attempts.c.settled_at.is_(None), literal_column("state IN ('unknown', 'abandoned', 'late')"))
    .values(settled_at=bindparam("now_ms", type_=BigInteger))
)
_BY_ID = compile_statement(select(*_COLUMNS).where(_THIS))
_OF_TASK = compile_statement(
    select(*_COLUMNS).where(attempts.c.task_id == bindparam("task_id")).order_by(attempts.c.started_at, attempts.c.id)
)
_UNSETTLED = compile_statement(
    select(*_COLUMNS).where(*_WATCHED, _UNKNOWN_STATE).order_by(attempts.c.started_at).limit(_LIMIT)
)
_SETTLED = compile_statement(
    select(*_COLUMNS)
    .where(_UNKNOWN_STATE, attempts.c.settled_at.is_not(None))
    .order_by(attempts.c.started_at)
    .limit(_LIMIT)
)
_WATCHED_ATTEMPTS = compile_statement(
    select(*_COLUMNS)
    .join(tasks, tasks.c.id == attempts.c.task_id)
    .where(
        *_WATCHED,
        attempts.c.started_at > _STARTED_AFTER,
        or_(attempts.c.state == literal_column("'abandoned'"), tasks.c.next_at.is_(None)),
    )
    .order_by(attempts.c.started_at)
    .limit(_LIMIT)
)
_COUNT_OPEN = compile_statement(select(func.count()).select_from(attempts).where(_BACKEND, _OPEN))
_JOB_IDS = compile_statement(
    select(attempts.c.job_id).where(_BACKEND, attempts.c.job_id.is_not(None), attempts.c.started_at > _STARTED_AFTER)
)


_NEWEST_FIRST = (attempts.c.started_at.desc(), attempts.c.id)
_RECENT = compile_statement(select(*_COLUMNS).order_by(*_NEWEST_FIRST).limit(bindparam("limit", type_=Integer)))
_IN_STATE = compile_statement(
    select(*_COLUMNS)
    .where(attempts.c.state == bindparam("of_state"), attempts.c.settled_at.is_(None))
    .order_by(*_NEWEST_FIRST)
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
            "model": attempt.model,
            "generate_width": attempt.generate_width,
            "generate_height": attempt.generate_height,
            "claim": attempt.claim,
            "remark": attempt.remark,
            "settled_at": attempt.settled_at_ms,
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
    remark: str | None = None,
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
            "new_remark": remark,
        },
    )
    return changed == 1


async def keep_job_id(tx: Tx, *, attempt_id: AttemptId, job_id: str) -> bool:
    """Keep the upstream's name for the job unless one is known; False, and nothing changed, if one is.

    An answer and a webhook may both tell it, in either order.
    """
    return await tx.execute(_KEEP_JOB_ID, {"attempt_id": attempt_id, "new_job_id": job_id}) == 1


async def settle_attempt(tx: Tx, *, attempt_id: AttemptId, now_ms: int) -> bool:
    """Note that an operator has dealt with an unknown, abandoned or late attempt; False if it is none, or settled."""
    return await tx.execute(_SETTLE, {"attempt_id": attempt_id, "now_ms": now_ms}) == 1


async def get_attempt(reader: Reader, *, attempt_id: AttemptId) -> Attempt | None:
    """Return the attempt."""
    row = await reader.fetch_one(_BY_ID, {"attempt_id": attempt_id})
    return _attempt(row) if row is not None else None


async def attempts_of(reader: Reader, *, task_id: TaskId) -> list[Attempt]:
    """Return the task's attempts, oldest first."""
    return [_attempt(row) for row in await reader.fetch_all(_OF_TASK, {"task_id": task_id})]


async def unknown_attempts(reader: Reader, *, limit: int, settled: bool = False) -> list[Attempt]:
    """Return at most `limit` attempts of which nobody knows whether they arrived, oldest first.

    Those that no operator has dealt with yet, or with `settled` those that one has.
    """
    rows = await reader.fetch_all(_SETTLED if settled else _UNSETTLED, {"limit": limit})
    return [_attempt(row) for row in rows]


async def attempts_in_state(reader: Reader, *, state: AttemptState, limit: int) -> list[Attempt]:
    """Return at most `limit` attempts in `state` that no operator has dealt with, newest first: for the operator."""
    return [_attempt(row) for row in await reader.fetch_all(_IN_STATE, {"of_state": state.value, "limit": limit})]


async def recent_attempts(reader: Reader, *, limit: int) -> list[Attempt]:
    """Return the newest `limit` attempts, newest first: for the operator."""
    return [_attempt(row) for row in await reader.fetch_all(_RECENT, {"limit": limit})]


async def watched_attempts(reader: Reader, *, started_after_ms: int, limit: int) -> list[Attempt]:
    """Return at most `limit` attempts whose task has ended and whose outcome is still open, oldest first.

    They are abandoned or unknown, not settled, started later than `started_after_ms`; some have no job id.
    """
    parameters = {"started_after": started_after_ms, "limit": limit}
    return [_attempt(row) for row in await reader.fetch_all(_WATCHED_ATTEMPTS, parameters)]


async def count_open(reader: Reader, *, backend: str) -> int:
    """Return how many attempts at `backend` are `submitting` or `submitted`."""
    row = await reader.fetch_one(_COUNT_OPEN, {"backend": backend})
    return row[0] if row is not None else 0


async def job_ids_of(reader: Reader, *, backend: str, started_after_ms: int) -> frozenset[str]:
    """Return the job ids of all attempts at `backend`, however they stand, started later than `started_after_ms`."""
    rows = await reader.fetch_all(_JOB_IDS, {"backend": backend, "started_after": started_after_ms})
    return frozenset(row[0] for row in rows)


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
        model=row[9],
        generate_width=row[10],
        generate_height=row[11],
        claim=row[12],
        remark=row[13],
        settled_at_ms=row[14],
    )
