"""Rows of deliveries and of each attempt at one."""

from typing import Any

from sqlalchemy import BigInteger, ClauseElement, Integer, bindparam, func, insert, select, update

from understudy.db.base import Reader, Row, Tx, compile_statement, compile_upsert
from understudy.db.tables import deliveries, delivery_attempts
from understudy.domain.ids import DeliveryId, KeyId, TaskId
from understudy.domain.records import Delivery, DeliveryAttempt, DeliveryState

_COLUMNS = (
    deliveries.c.id,
    deliveries.c.task_id,
    deliveries.c.key_id,
    deliveries.c.url,
    deliveries.c.body,
    deliveries.c.state,
    deliveries.c.created_at,
    deliveries.c.next_at,
    deliveries.c.attempts,
)
_ATTEMPT_COLUMNS = (
    delivery_attempts.c.delivery_id,
    delivery_attempts.c.number,
    delivery_attempts.c.started_at,
    delivery_attempts.c.elapsed_ms,
    delivery_attempts.c.status,
    delivery_attempts.c.error,
    delivery_attempts.c.excerpt,
)

_INSERT = compile_statement(insert(deliveries))
_BY_ID = compile_statement(select(*_COLUMNS).where(deliveries.c.id == bindparam("delivery_id")))
_OF_TASK = compile_statement(select(*_COLUMNS).where(deliveries.c.task_id == bindparam("task_id")))
_DUE = compile_statement(
    select(deliveries.c.id, deliveries.c.next_at)
    .where(deliveries.c.next_at <= bindparam("now_ms", type_=BigInteger))
    .order_by(deliveries.c.next_at)
    .limit(bindparam("limit", type_=Integer))
)
_NEXT_DUE = compile_statement(
    select(func.min(deliveries.c.next_at)).where(deliveries.c.next_at > bindparam("after_ms", type_=BigInteger))
)
_REOPEN = compile_statement(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.next_at.is_(None))
    .values(state=DeliveryState.PENDING.value, next_at=bindparam("now_ms", type_=BigInteger))
)
_ADVANCE = compile_statement(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.attempts < bindparam("number", type_=Integer))
    .values(
        state=bindparam("new_state"),
        next_at=bindparam("new_next_at", type_=BigInteger),
        attempts=bindparam("number", type_=Integer),
    )
)
_ATTEMPTS = compile_statement(
    select(*_ATTEMPT_COLUMNS)
    .where(delivery_attempts.c.delivery_id == bindparam("delivery_id"))
    .order_by(delivery_attempts.c.number)
)


def _build_insert_attempt(insert_or_ignore: Any) -> ClauseElement:
    statement: ClauseElement = insert_or_ignore(delivery_attempts).on_conflict_do_nothing(
        index_elements=[delivery_attempts.c.delivery_id, delivery_attempts.c.number]
    )
    return statement


_INSERT_ATTEMPT = compile_upsert(_build_insert_attempt)


async def insert_delivery(tx: Tx, delivery: Delivery) -> None:
    """Keep a new delivery: the outbox, in the transaction that ends the task."""
    await tx.execute(
        _INSERT,
        {
            "id": delivery.id,
            "task_id": delivery.task_id,
            "key_id": delivery.key_id,
            "url": delivery.url,
            "body": delivery.body,
            "state": delivery.state.value,
            "created_at": delivery.created_at_ms,
            "next_at": delivery.next_at_ms,
            "attempts": delivery.attempts,
        },
    )


async def get_delivery(reader: Reader, *, delivery_id: DeliveryId) -> Delivery | None:
    """Return the delivery."""
    row = await reader.fetch_one(_BY_ID, {"delivery_id": delivery_id})
    return _delivery(row) if row is not None else None


async def delivery_of_task(reader: Reader, *, task_id: TaskId) -> Delivery | None:
    """Return the task's delivery: none before it ends, or if it has no callback."""
    row = await reader.fetch_one(_OF_TASK, {"task_id": task_id})
    return _delivery(row) if row is not None else None


async def due_deliveries(reader: Reader, *, now_ms: int, limit: int) -> list[tuple[DeliveryId, int]]:
    """Return at most `limit` deliveries to be tried now, each with its `next_at_ms`, longest due first."""
    rows = await reader.fetch_all(_DUE, {"now_ms": now_ms, "limit": limit})
    return [(DeliveryId(row[0]), row[1]) for row in rows]


async def next_delivery_due_at(reader: Reader, *, after_ms: int = 0) -> int | None:
    """Return the earliest time later than `after_ms` at which an attempt is due, or None if there is none."""
    row = await reader.fetch_one(_NEXT_DUE, {"after_ms": after_ms})
    return row[0] if row is not None else None


async def record_attempt(tx: Tx, attempt: DeliveryAttempt, *, state: DeliveryState, next_at_ms: int | None) -> bool:
    """Keep the attempt and what follows from it; False, and nothing changed, if that number was recorded before."""
    inserted = await tx.execute(
        _INSERT_ATTEMPT,
        {
            "delivery_id": attempt.delivery_id,
            "number": attempt.number,
            "started_at": attempt.started_at_ms,
            "elapsed_ms": attempt.elapsed_ms,
            "status": attempt.status,
            "error": attempt.error,
            "excerpt": attempt.excerpt,
        },
    )
    if not inserted:
        return False
    await tx.execute(
        _ADVANCE,
        {
            "delivery_id": attempt.delivery_id,
            "number": attempt.number,
            "new_state": state.value,
            "new_next_at": next_at_ms,
        },
    )
    return True


async def reopen_delivery(tx: Tx, *, delivery_id: DeliveryId, now_ms: int) -> bool:
    """Make a delivery that is over due once more, for the operator's replay; False if it is none such."""
    return await tx.execute(_REOPEN, {"delivery_id": delivery_id, "now_ms": now_ms}) == 1


async def attempts_of(reader: Reader, *, delivery_id: DeliveryId) -> list[DeliveryAttempt]:
    """Return the delivery's attempts, first to last."""
    rows = await reader.fetch_all(_ATTEMPTS, {"delivery_id": delivery_id})
    return [
        DeliveryAttempt(
            delivery_id=DeliveryId(row[0]),
            number=row[1],
            started_at_ms=row[2],
            elapsed_ms=row[3],
            status=row[4],
            error=row[5],
            excerpt=row[6],
        )
        for row in rows
    ]


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=DeliveryId(row[0]),
        task_id=TaskId(row[1]),
        key_id=KeyId(row[2]),
        url=row[3],
        body=row[4],
        state=DeliveryState(row[5]),
        created_at_ms=row[6],
        next_at_ms=row[7],
        attempts=row[8],
    )
