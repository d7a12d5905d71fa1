"""The outbox and its story."""

from functools import partial

from tests.contract.db.rows import NOW, a_delivery, add_key, add_task
from understudy.db import deliveries
from understudy.db.base import Database
from understudy.domain.ids import new_delivery_id
from understudy.domain.records import Delivery, DeliveryAttempt, DeliveryState


async def _add(database: Database, **changes: object) -> Delivery:
    delivery = a_delivery(await add_task(database), **changes)
    await database.transact(lambda tx: deliveries.insert_delivery(tx, delivery))
    return delivery


async def _get(database: Database, delivery: Delivery) -> Delivery | None:
    return await database.read(lambda reader: deliveries.get_delivery(reader, delivery_id=delivery.id))


def _attempt(delivery: Delivery, number: int = 1, *, status: int | None = 500) -> DeliveryAttempt:
    return DeliveryAttempt(
        delivery_id=delivery.id,
        number=number,
        started_at_ms=NOW + number,
        elapsed_ms=12,
        status=status,
        error=None if status is not None else "timeout",
        excerpt=b"<html>\xff",
    )


async def _record(
    database: Database, attempt: DeliveryAttempt, state: DeliveryState, next_at_ms: int | None = None
) -> bool:
    return await database.transact(
        lambda tx: deliveries.record_attempt(tx, attempt, state=state, next_at_ms=next_at_ms)
    )


async def test_delivery_is_read_as_it_was_inserted(database: Database) -> None:
    delivery = await _add(database)

    assert await _get(database, delivery) == delivery
    assert await database.read(lambda reader: deliveries.delivery_of_task(reader, task_id=delivery.task_id)) == delivery


async def test_task_without_a_callback_has_no_delivery(database: Database) -> None:
    task = await add_task(database)

    assert await database.read(lambda reader: deliveries.delivery_of_task(reader, task_id=task.id)) is None


async def test_due_deliveries_come_longest_due_first(database: Database) -> None:
    key = await add_key(database)
    now = await _add(database, key_id=key.id, next_at_ms=NOW)
    late = await _add(database, key_id=key.id, next_at_ms=NOW - 1)
    await _add(database, key_id=key.id, next_at_ms=NOW + 1)

    assert await database.read(lambda reader: deliveries.due_deliveries(reader, now_ms=NOW, limit=9)) == [
        (late.id, NOW - 1),
        (now.id, NOW),
    ]
    assert await database.read(deliveries.next_delivery_due_at) == NOW - 1


async def test_failed_attempt_sets_the_next_one(database: Database) -> None:
    delivery = await _add(database)

    assert await _record(database, _attempt(delivery, status=None), DeliveryState.PENDING, NOW + 30_000)
    after = await _get(database, delivery)
    assert after is not None
    assert (after.state, after.attempts, after.next_at_ms) == (DeliveryState.PENDING, 1, NOW + 30_000)
    assert await database.read(lambda reader: deliveries.attempts_of(reader, delivery_id=delivery.id)) == [
        _attempt(delivery, status=None)
    ]


async def test_same_attempt_is_recorded_once(database: Database) -> None:
    """A worker that was overtaken while it waited for the answer changes nothing."""
    delivery = await _add(database)
    assert await _record(database, _attempt(delivery, status=200), DeliveryState.DELIVERED)

    assert not await _record(database, _attempt(delivery, status=500), DeliveryState.PENDING, NOW + 30_000)
    after = await _get(database, delivery)
    assert after is not None
    assert (after.state, after.attempts, after.next_at_ms) == (DeliveryState.DELIVERED, 1, None)
    assert await database.read(deliveries.next_delivery_due_at) is None


async def test_replay_makes_a_given_up_delivery_due_once_more(database: Database) -> None:
    delivery = await _add(database)
    await _record(database, _attempt(delivery), DeliveryState.EXHAUSTED)

    assert await database.transact(lambda tx: deliveries.reopen_delivery(tx, delivery_id=delivery.id, now_ms=NOW + 9))
    reopened = await _get(database, delivery)
    assert reopened is not None
    assert (reopened.state, reopened.attempts, reopened.next_at_ms) == (DeliveryState.PENDING, 1, NOW + 9)
    assert await _record(database, _attempt(delivery, 2, status=200), DeliveryState.DELIVERED)


async def test_open_or_unknown_delivery_is_not_reopened(database: Database) -> None:
    delivery = await _add(database)
    for delivery_id in (delivery.id, new_delivery_id()):
        assert not await database.transact(partial(deliveries.reopen_delivery, delivery_id=delivery_id, now_ms=NOW))
