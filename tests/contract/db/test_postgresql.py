"""What is particular to the server: deadlocks, a pool that is used up, and a database that goes away."""

import asyncio

import pytest

from tests.contract.db.rows import a_task, add_key
from tests.support.postgres import PostgresServer
from understudy.db import keys, limits, tasks
from understudy.db.base import Database, Tx
from understudy.db.connect import open_database
from understudy.domain.errors import Unavailable
from understudy.domain.ids import KeyId


async def test_deadlock_is_resolved_by_running_the_loser_again(postgres_database: Database) -> None:
    one, two = await add_key(postgres_database), await add_key(postgres_database)
    holding = {one.id: asyncio.Event(), two.id: asyncio.Event()}

    async def take_both(tx: Tx, first: KeyId, second: KeyId) -> None:
        await limits.take_slot(tx, key_id=first, limit=9)
        holding[first].set()
        await holding[second].wait()
        await limits.take_slot(tx, key_id=second, limit=9)

    await asyncio.gather(
        postgres_database.transact(lambda tx: take_both(tx, one.id, two.id)),
        postgres_database.transact(lambda tx: take_both(tx, two.id, one.id)),
    )

    assert [key.active_tasks for key in await postgres_database.read(keys.list_keys)] == [2, 2]


async def test_recount_waits_for_a_submit_that_is_under_way(postgres_database: Database) -> None:
    """Else it would count before the submit's task is there, and write after its slot is."""
    key = await add_key(postgres_database, active_tasks=1)  # one too many, so that the recount looks at this key
    task = a_task(key.id)
    holds, done = asyncio.Event(), asyncio.Event()

    async def submit(tx: Tx) -> None:
        await limits.take_slot(tx, key_id=key.id, limit=9)
        await tasks.insert_task(tx, task)
        holds.set()
        await done.wait()

    submitting = asyncio.ensure_future(postgres_database.transact(submit))
    await holds.wait()
    recount = asyncio.ensure_future(postgres_database.transact(limits.recount_slots))
    await asyncio.sleep(0.3)
    done.set()
    await submitting

    assert await recount == [limits.SlotDrift(key_id=key.id, recorded=2, actual=1)]
    assert [key.active_tasks for key in await postgres_database.read(keys.list_keys)] == [1]


async def test_waiting_for_a_connection_ends_after_two_seconds(postgres_url: str) -> None:
    database = await open_database(postgres_url, migrate=False, connections=1)
    holds, done = asyncio.Event(), asyncio.Event()

    async def hold(_tx: Tx) -> None:
        holds.set()
        await done.wait()

    held = asyncio.ensure_future(database.transact(hold))
    await holds.wait()
    try:
        async with asyncio.timeout(3):
            with pytest.raises(Unavailable):
                await database.read(keys.list_keys)
    finally:
        done.set()
        await held
        await database.close()


async def test_database_that_goes_away_is_unavailable_and_works_again_by_itself(
    postgres: PostgresServer, postgres_database: Database
) -> None:
    before = await add_key(postgres_database)
    await asyncio.to_thread(postgres.stop)
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await postgres_database.read(keys.list_keys)
            with pytest.raises(Unavailable):
                await add_key(postgres_database)
    finally:
        await asyncio.to_thread(postgres.start_again)
    after = await add_key(postgres_database)

    found = await postgres_database.read(keys.list_keys)
    assert {key.id for key in found} == {before.id, after.id}


async def test_server_that_stops_in_the_middle_of_a_transaction_is_unavailable(
    postgres: PostgresServer, postgres_database: Database
) -> None:
    key = await add_key(postgres_database)

    async def body(tx: Tx) -> None:
        await limits.take_slot(tx, key_id=key.id, limit=9)
        await asyncio.to_thread(postgres.stop)
        await limits.take_slot(tx, key_id=key.id, limit=9)

    try:
        with pytest.raises(Unavailable):
            await postgres_database.transact(body)
    finally:
        await asyncio.to_thread(postgres.start_again)

    assert [key.active_tasks for key in await postgres_database.read(keys.list_keys)] == [0]
