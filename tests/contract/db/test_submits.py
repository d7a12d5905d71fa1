"""The order that every submit keeps in its one transaction: rate, idempotency, slot, insert."""

import asyncio
import time
from dataclasses import dataclass

from tests.contract.db.rows import a_task, add_key
from understudy.db import keys, limits, tasks
from understudy.db.base import Database, Tx
from understudy.domain.ids import KeyId, TaskId
from understudy.domain.task import State


@dataclass(frozen=True)
class Outcome:
    task_id: TaskId | None
    replayed: bool = False


async def submit(
    database: Database, key_id: KeyId, *, idempotency_key: str | None = None, per_minute: int = 10_000, slots: int = 10
) -> Outcome:
    task = a_task(key_id)
    fingerprint = b"f" * 32 if idempotency_key is not None else None

    async def body(tx: Tx) -> Outcome:
        rate = await limits.take_rate_token(
            tx, bucket=f"submit:{key_id}", per_minute=per_minute, now_ms=int(time.time() * 1000)
        )
        if not rate.allowed:
            return Outcome(None)
        if idempotency_key is not None:
            known = await tasks.find_idempotent(tx, key_id=key_id, idempotency_key=idempotency_key)
            if known is not None:
                return Outcome(known[0], replayed=True)
        if not await limits.take_slot(tx, key_id=key_id, limit=slots):
            return Outcome(None)
        await tasks.insert_task(tx, task, idempotency_key=idempotency_key, fingerprint=fingerprint)
        return Outcome(task.id)

    return await database.transact(body)


async def _open_tasks(database: Database) -> int:
    return sum((await database.read(tasks.count_open)).values())


async def _active(database: Database, key_id: KeyId) -> int:
    key = await database.read(lambda reader: keys.get_key(reader, key_id=key_id))
    assert key is not None
    return key.active_tasks


async def test_200_submits_at_once_give_exactly_10_tasks(database: Database) -> None:
    key = await add_key(database)
    outcomes = await asyncio.gather(*(submit(database, key.id) for _ in range(200)))

    assert sum(outcome.task_id is not None for outcome in outcomes) == 10
    assert await _open_tasks(database) == 10
    assert await _active(database, key.id) == 10


async def test_50_submits_with_one_idempotency_key_create_one_task(database: Database) -> None:
    key = await add_key(database)
    outcomes = await asyncio.gather(*(submit(database, key.id, idempotency_key="once") for _ in range(50)))

    assert len({outcome.task_id for outcome in outcomes}) == 1
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert await _open_tasks(database) == 1
    assert await _active(database, key.id) == 1


async def test_submits_refused_for_their_number_spend_their_rate_tokens(database: Database) -> None:
    """`contract.md` §6: 60 submit requests a minute, accepted or not."""
    key = await add_key(database)
    for _ in range(3):
        await submit(database, key.id, per_minute=3, slots=1)
    refused = await database.transact(
        lambda tx: limits.take_rate_token(tx, bucket=f"submit:{key.id}", per_minute=3, now_ms=int(time.time() * 1000))
    )

    assert not refused.allowed


async def test_slots_come_back_exactly_once_when_many_end_the_same_task(database: Database) -> None:
    key = await add_key(database)
    outcomes = [await submit(database, key.id) for _ in range(3)]
    target = outcomes[0].task_id
    assert target is not None

    async def end(tx: Tx) -> bool:
        owner = await tasks.end_task(
            tx, task_id=target, claim=0, state=State.SUCCESS, completed_at_ms=int(time.time() * 1000)
        )
        return owner is not None and await limits.give_slot(tx, key_id=owner)

    ended = await asyncio.gather(*(database.transact(end) for _ in range(30)))

    assert sum(ended) == 1
    assert await _active(database, key.id) == 2
