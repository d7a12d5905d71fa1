"""Rows of tasks: the truth about each, and what is to be done next."""

from collections.abc import Collection
from enum import Enum
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    Text,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from understudy.db.base import Reader, Statement, Tx, any_of, any_of_values, compile_statement
from understudy.db.tables import tasks
from understudy.db.task_rows import (
    STATUS_COLUMNS,
    TASK_COLUMNS,
    status_from_row,
    task_from_row,
    task_to_row,
    urls_to_json,
)
from understudy.domain.errors import FailCode
from understudy.domain.ids import AttemptId, KeyId, TaskId
from understudy.domain.status import TaskStatus
from understudy.domain.task import Stage, State, Task


class _Keep(Enum):
    KEEP = "keep"


KEEP: Final = _Keep.KEEP
"""Leave the column as it is; None would empty it."""

Keep = Literal[_Keep.KEEP]

_OPEN = tasks.c.next_at.is_not(None)
_THIS = tasks.c.id == bindparam("task_id")
_NOW = bindparam("now_ms", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)
# Fencing: whoever was overtaken, or comes late to another stage, changes nothing.
_FENCED = (_THIS, tasks.c.claim == bindparam("held_claim", type_=Integer), _OPEN)
_IN_STAGE = tasks.c.stage == bindparam("from_stage")


def _unless_kept(column: Column[Any], name: str) -> ColumnElement[Any]:
    return case((bindparam(f"keep_{name}", type_=Boolean), column), else_=bindparam(f"new_{name}", type_=column.type))


_FIND_IDEMPOTENT = compile_statement(
    select(tasks.c.id, tasks.c.fingerprint).where(
        tasks.c.key_id == bindparam("key_id"), tasks.c.idempotency_key == bindparam("idempotency_key")
    )
)
_INSERT = compile_statement(insert(tasks))
_GET = compile_statement(select(*TASK_COLUMNS).where(_THIS))
_STATUS = compile_statement(select(*STATUS_COLUMNS).where(_THIS))
_MOVE = compile_statement(
    update(tasks)
    .where(*_FENCED, _IN_STAGE)
    .values(
        stage=bindparam("to_stage"),
        state=bindparam("new_state"),
        next_at=bindparam("new_next_at", type_=BigInteger),
        attempt_id=_unless_kept(tasks.c.attempt_id, "attempt_id"),
        progress=_unless_kept(tasks.c.progress, "progress"),
        backend=_unless_kept(tasks.c.backend, "backend"),
    )
)
_NEW_PROGRESS = bindparam("new_progress", type_=Integer)
RESCHEDULE: Final[Statement] = compile_statement(
    update(tasks)
    .where(*_FENCED, _IN_STAGE)
    .values(
        next_at=bindparam("new_next_at", type_=BigInteger),
        progress=case(
            (or_(tasks.c.progress.is_(None), tasks.c.progress < _NEW_PROGRESS), _NEW_PROGRESS),
            else_=tasks.c.progress,
        ),
    )
)
"""What `reschedule_values` are for."""

_NEW_COMPLETED = bindparam("new_completed_at", type_=BigInteger)
_END = compile_statement(
    update(tasks)
    .where(*_FENCED)
    .values(
        stage=Stage.ENDED.value,
        state=bindparam("new_state"),
        next_at=None,
        # A clock that went back must not make a task end before it began.
        completed_at=case((tasks.c.created_at > _NEW_COMPLETED, tasks.c.created_at), else_=_NEW_COMPLETED),
        result_urls=bindparam("new_result_urls", type_=Text),
        fail_code=bindparam("new_fail_code", type_=Text),
        fail_message=bindparam("new_fail_message", type_=Text),
    )
    .returning(tasks.c.key_id)
)
_RAISE_CLAIM = compile_statement(
    update(tasks).where(_THIS, _OPEN).values(claim=tasks.c.claim + 1).returning(tasks.c.claim)
)
# Written out, not bound: only so does the partial index match.
_NO_POLL = tasks.c.stage.not_in([literal_column("'await'"), literal_column("'ended'")])
_SELECT_DUE = select(tasks.c.id, tasks.c.next_at).where(tasks.c.next_at <= _NOW).order_by(tasks.c.next_at).limit(_LIMIT)
_DUE = compile_statement(_SELECT_DUE)
_DUE_STEPS = compile_statement(_SELECT_DUE.where(_NO_POLL))
_SELECT_NEXT_DUE = select(func.min(tasks.c.next_at)).where(tasks.c.next_at > bindparam("after_ms", type_=BigInteger))
_NEXT_DUE = compile_statement(_SELECT_NEXT_DUE)
_NEXT_DUE_STEP = compile_statement(_SELECT_NEXT_DUE.where(_NO_POLL))
_FIRST_WAITING = (
    select(tasks.c.id)
    .where(
        tasks.c.backend == bindparam("of_backend"),
        tasks.c.stage == bindparam("of_stage"),
        _OPEN,
        tasks.c.next_at > _NOW,
    )
    .order_by(tasks.c.created_at)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_WAKE = compile_statement(
    update(tasks).where(tasks.c.id.in_(_FIRST_WAITING)).values(next_at=_NOW).returning(tasks.c.id, tasks.c.created_at)
)
_WAKE_ONE = compile_statement(
    update(tasks)
    .where(_THIS, _OPEN, any_of(tasks.c.stage, "in_stage", len(Stage)))
    .values(next_at=case((tasks.c.next_at > _NOW, _NOW), else_=tasks.c.next_at))
)
_COUNT_OPEN = compile_statement(select(tasks.c.state, func.count()).where(_OPEN).group_by(tasks.c.state))
_CLEAR_IDEMPOTENCY = compile_statement(
    update(tasks)
    .where(tasks.c.idempotency_key.is_not(None), tasks.c.created_at < bindparam("before_ms", type_=BigInteger))
    .values(idempotency_key=None, fingerprint=None)
)


async def find_idempotent(reader: Reader, *, key_id: KeyId, idempotency_key: str) -> tuple[TaskId, bytes] | None:
    """Return the task that this key accepted under this idempotency key, and its body's fingerprint."""
    row = await reader.fetch_one(_FIND_IDEMPOTENT, {"key_id": key_id, "idempotency_key": idempotency_key})
    return (TaskId(row[0]), row[1]) if row is not None else None


async def insert_task(
    tx: Tx, task: Task, *, idempotency_key: str | None = None, fingerprint: bytes | None = None
) -> None:
    """Keep a new task. With an idempotency key goes a fingerprint (SHA-256, 32 bytes) of the body; without, none."""
    await tx.execute(_INSERT, {**task_to_row(task), "idempotency_key": idempotency_key, "fingerprint": fingerprint})


async def get_task(reader: Reader, *, task_id: TaskId) -> Task | None:
    """Return the whole task."""
    row = await reader.fetch_one(_GET, {"task_id": task_id})
    return task_from_row(row) if row is not None else None


async def get_status(reader: Reader, *, task_id: TaskId) -> TaskStatus | None:
    """Return what the status route needs: the hot read."""
    row = await reader.fetch_one(_STATUS, {"task_id": task_id})
    return status_from_row(row) if row is not None else None


async def move_task(
    tx: Tx,
    *,
    task_id: TaskId,
    claim: int,
    from_stage: Stage,
    to_stage: Stage,
    state: State,
    next_at_ms: int,
    attempt_id: AttemptId | Keep | None = KEEP,
    progress: int | Keep | None = KEEP,
    backend: str | Keep = KEEP,
) -> bool:
    """Take the task to another running stage.

    False, and nothing changed, if it ended, left `from_stage`, or was taken over under a higher claim.
    """
    changed = await tx.execute(
        _MOVE,
        {
            "task_id": task_id,
            "held_claim": claim,
            "from_stage": from_stage.value,
            "to_stage": to_stage.value,
            "new_state": state.value,
            "new_next_at": next_at_ms,
            **_kept_or_new("attempt_id", attempt_id),
            **_kept_or_new("progress", progress),
            **_kept_or_new("backend", backend),
        },
    )
    return changed == 1


async def reschedule_task(
    tx: Tx, *, task_id: TaskId, claim: int, stage: Stage, next_at_ms: int, progress: int | Keep | None = KEEP
) -> bool:
    """Let the stage run again at `next_at_ms`; `progress` only ever grows. False as in `move_task`."""
    values = reschedule_values(
        task_id=task_id,
        claim=claim,
        stage=stage,
        next_at_ms=next_at_ms,
        progress=None if progress is KEEP else progress,
    )
    return await tx.execute(RESCHEDULE, values) == 1


def reschedule_values(
    *, task_id: TaskId, claim: int, stage: Stage, next_at_ms: int, progress: int | None
) -> dict[str, object]:
    """Return what `RESCHEDULE` takes; None leaves the progress as it is."""
    return {
        "task_id": task_id,
        "held_claim": claim,
        "from_stage": stage.value,
        "new_next_at": next_at_ms,
        "new_progress": progress,
    }


async def end_task(
    tx: Tx,
    *,
    task_id: TaskId,
    claim: int,
    state: State,
    completed_at_ms: int,
    result_urls: tuple[str, ...] = (),
    fail_code: FailCode | None = None,
    fail_message: str | None = None,
) -> KeyId | None:
    """Make the task terminal and return whose slot is to be given back.

    None, and nothing changed, if it ended before or was taken over. A `completed_at_ms` before the task's creation is
    kept as the creation's time.
    """
    row = await tx.fetch_one(
        _END,
        {
            "task_id": task_id,
            "held_claim": claim,
            "new_state": state.value,
            "new_completed_at": completed_at_ms,
            "new_result_urls": urls_to_json(result_urls),
            "new_fail_code": fail_code.value if fail_code is not None else None,
            "new_fail_message": fail_message,
        },
    )
    return KeyId(row[0]) if row is not None else None


async def raise_claim(tx: Tx, *, task_id: TaskId) -> int | None:
    """Take the task over: every earlier claim is worthless from now on. Returns the new one, None if it has ended."""
    row = await tx.fetch_one(_RAISE_CLAIM, {"task_id": task_id})
    return row[0] if row is not None else None


async def due_tasks(
    reader: Reader, *, now_ms: int, limit: int, exclude: Collection[TaskId] = (), polls: bool = True
) -> list[tuple[TaskId, int]]:
    """Return at most `limit` tasks whose stage is to run now, each with its `next_at_ms`, longest due first.

    `exclude` names those that run already in this process; without `polls` those in stage `await` are left out.
    """
    statement = _DUE if polls else _DUE_STEPS
    rows = await reader.fetch_all(statement, {"now_ms": now_ms, "limit": limit + len(exclude)})
    return [(TaskId(row[0]), row[1]) for row in rows if row[0] not in exclude][:limit]


async def next_task_due_at(reader: Reader, *, after_ms: int = 0, polls: bool = True) -> int | None:
    """Return the earliest time later than `after_ms` at which a task's stage is due, or None; `polls` as above."""
    row = await reader.fetch_one(_NEXT_DUE if polls else _NEXT_DUE_STEP, {"after_ms": after_ms})
    return row[0] if row is not None else None


async def wake_task(tx: Tx, *, task_id: TaskId, now_ms: int, stages: Collection[Stage]) -> bool:
    """Make the task due now if it is open and in one of `stages`; False if it is not."""
    in_stages = any_of_values("in_stage", [stage.value for stage in stages], len(Stage))
    return await tx.execute(_WAKE_ONE, {"task_id": task_id, "now_ms": now_ms, **in_stages}) == 1


async def wake_waiting(tx: Tx, *, backend: str, stage: Stage, limit: int, now_ms: int) -> list[TaskId]:
    """Make due now at most `limit` tasks that wait in `stage` for `backend`; return them, earliest created first."""
    rows = await tx.fetch_all(_WAKE, {"of_backend": backend, "of_stage": stage.value, "limit": limit, "now_ms": now_ms})
    return [TaskId(row[0]) for row in sorted(rows, key=lambda row: (row[1], row[0]))]


async def count_open(reader: Reader) -> dict[State, int]:
    """Return how many tasks are `pending` and how many `processing`; both are always there."""
    rows = await reader.fetch_all(_COUNT_OPEN, {})
    return {State.PENDING: 0, State.PROCESSING: 0} | {State(row[0]): row[1] for row in rows}


async def overdue_tasks(reader: Reader, *, before_ms: int, limit: int) -> list[tuple[TaskId, int]]:
    """Return at most `limit` open tasks that should have run before `before_ms`, as `due_tasks` does: for the sweep."""
    return await due_tasks(reader, now_ms=before_ms - 1, limit=limit)


async def clear_idempotency(tx: Tx, *, accepted_before_ms: int) -> int:
    """Forget the idempotency keys of tasks accepted before then (`contract.md` §2: at least 48 h); return how many."""
    return await tx.execute(_CLEAR_IDEMPOTENCY, {"before_ms": accepted_before_ms})


def _kept_or_new(name: str, value: object) -> dict[str, object]:
    return {f"keep_{name}": value is KEEP, f"new_{name}": None if value is KEEP else value}
