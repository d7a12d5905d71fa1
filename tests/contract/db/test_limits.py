"""The two limits, exact under concurrency (`reliability.md` §4)."""

import asyncio
import time

import pytest
from sqlalchemy import BigInteger, bindparam, update

from tests.contract.db.rows import NOW, a_task, add_key, add_task
from understudy.db import keys, limits, tasks
from understudy.db.base import Database, Tx, compile_statement
from understudy.db.limits import RateOutcome, SlotDrift
from understudy.db.tables import rate_limits
from understudy.domain.ids import KeyId, TaskId
from understudy.domain.task import State

_SHIFT = compile_statement(
    update(rate_limits).values(arrival_us=rate_limits.c.arrival_us + bindparam("shift_us", type_=BigInteger))
)


async def _ask(database: Database, *, per_minute: int = 60, now_ms: int | None = None) -> RateOutcome:
    return await database.transact(
        lambda tx: limits.take_rate_token(
            tx, bucket="submit:key", per_minute=per_minute, now_ms=now_ms or int(time.time() * 1000)
        )
    )


async def test_500_calls_at_once_admit_exactly_60(database: Database) -> None:
    now_ms = int(time.time() * 1000)
    outcomes = await asyncio.gather(*(_ask(database, now_ms=now_ms) for _ in range(500)))
    elapsed = time.time() - now_ms / 1000

    admitted = sum(outcome.allowed for outcome in outcomes)
    # PostgreSQL goes by its own clock, and gives one back for each second that the test took.
    refilled = int(elapsed) if database.dialect == "postgresql" else 0
    assert 60 <= admitted <= 60 + refilled


async def test_fresh_bucket_tells_how_it_stands(database: Database) -> None:
    outcome = await _ask(database)

    # PostgreSQL's clock runs on within the statement.
    assert outcome == RateOutcome(allowed=True, remaining=59, reset_ms=outcome.reset_ms, retry_after_ms=0)
    assert outcome.reset_ms == 1000 or (database.dialect == "postgresql" and 500 < outcome.reset_ms < 1000)


async def test_refusal_says_when_to_come_back(database: Database) -> None:
    for _ in range(2):
        await _ask(database, per_minute=2, now_ms=NOW)
    refused = await _ask(database, per_minute=2, now_ms=NOW)

    assert not refused.allowed
    assert refused.remaining == 0
    # On PostgreSQL the database's clock has gone on a little since the first call.
    assert 25_000 < refused.retry_after_ms <= 30_000
    assert 55_000 < refused.reset_ms <= 60_000


async def test_buckets_are_apart(database: Database) -> None:
    await _ask(database, per_minute=1)
    other = await database.transact(
        lambda tx: limits.take_rate_token(tx, bucket="status:key", per_minute=1, now_ms=NOW)
    )

    assert other.allowed


async def test_clock_that_went_back_an_hour_locks_nobody_out(database: Database) -> None:
    """Case D9: at most one extra burst, where a plain GCRA would refuse for that hour."""
    now_ms = int(time.time() * 1000)
    await _ask(database, per_minute=2, now_ms=now_ms)
    await database.transact(lambda tx: tx.execute(_SHIFT, {"shift_us": 3_600_000_000}))
    outcomes = [(await _ask(database, per_minute=2, now_ms=now_ms)).allowed for _ in range(4)]

    assert outcomes == [True, True, False, False]


async def test_clock_that_went_forward_gives_one_burst(database: Database) -> None:
    now_ms = int(time.time() * 1000)
    for _ in range(2):
        await _ask(database, per_minute=2, now_ms=now_ms)
    await database.transact(lambda tx: tx.execute(_SHIFT, {"shift_us": -3_600_000_000}))
    outcomes = [(await _ask(database, per_minute=2, now_ms=now_ms)).allowed for _ in range(4)]

    assert outcomes == [True, True, False, False]


@pytest.mark.parametrize("per_minute", [7, 99_999, 100_000])
async def test_rate_that_does_not_divide_a_minute_still_bursts_exactly(database: Database, per_minute: int) -> None:
    first = await _ask(database, per_minute=per_minute, now_ms=NOW)

    assert first.remaining == per_minute - 1


async def test_slots_are_given_up_to_the_limit(database: Database) -> None:
    key = await add_key(database)
    taken = await asyncio.gather(
        *(database.transact(lambda tx: limits.take_slot(tx, key_id=key.id, limit=10)) for _ in range(60))
    )

    assert sum(taken) == 10
    assert await _active(database, key.id) == 10


async def test_slot_given_back_can_be_taken_again(database: Database) -> None:
    key = await add_key(database, active_tasks=1)

    assert await database.transact(lambda tx: limits.give_slot(tx, key_id=key.id))
    assert await database.transact(lambda tx: limits.take_slot(tx, key_id=key.id, limit=1))


async def test_slot_never_taken_is_not_given_back(database: Database) -> None:
    key = await add_key(database)

    assert not await database.transact(lambda tx: limits.give_slot(tx, key_id=key.id))
    assert await _active(database, key.id) == 0


async def test_recount_sets_right_what_drifted_and_names_it(database: Database) -> None:
    right = await add_key(database, active_tasks=1)
    await add_task(database, right.id)
    high = await add_key(database, active_tasks=7)
    low = await add_key(database, active_tasks=0)
    await add_task(database, low.id)
    ended = await add_task(database, low.id)
    await _end(database, ended.id)

    drifts = await database.transact(limits.recount_slots)
    assert sorted(drifts, key=lambda drift: drift.recorded) == [
        SlotDrift(key_id=low.id, recorded=0, actual=1),
        SlotDrift(key_id=high.id, recorded=7, actual=0),
    ]
    assert [await _active(database, key.id) for key in (right, high, low)] == [1, 0, 1]
    assert await database.transact(limits.recount_slots) == []


async def test_recount_beside_submits_and_endings_finds_nothing(database: Database) -> None:
    key = await add_key(database)

    async def submit_and_end() -> None:
        task = a_task(key.id)

        async def submit(tx: Tx) -> None:
            await limits.take_slot(tx, key_id=key.id, limit=1000)
            await tasks.insert_task(tx, task)

        await database.transact(submit)
        await _end(database, task.id, give=True)

    async def recount() -> list[SlotDrift]:
        return await database.transact(limits.recount_slots)

    results = await asyncio.gather(*(recount() if n % 10 == 0 else submit_and_end() for n in range(100)))
    assert [drifts for drifts in results if drifts] == []
    assert await _active(database, key.id) == 0


async def _end(database: Database, task_id: TaskId, *, give: bool = False) -> None:
    async def body(tx: Tx) -> None:
        key_id = await tasks.end_task(tx, task_id=task_id, claim=0, state=State.SUCCESS, completed_at_ms=NOW)
        if give and key_id is not None:
            await limits.give_slot(tx, key_id=key_id)

    await database.transact(body)


async def _active(database: Database, key_id: KeyId) -> int:
    key = await database.read(lambda reader: keys.get_key(reader, key_id=key_id))
    assert key is not None
    return key.active_tasks
