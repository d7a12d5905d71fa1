"""What a transaction promises, on both databases."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import bindparam, insert

from tests.contract.db.rows import a_key, a_task, add_key, fetch_task
from understudy.db import keys, limits, tables, tasks
from understudy.db.base import Database, Tx, compile_statement
from understudy.db.connect import open_database
from understudy.domain.errors import NotFound, Unavailable
from understudy.domain.ids import KeyId, new_key_id
from understudy.domain.records import ApiKey

_INSERT_KEY = compile_statement(
    insert(tables.keys).values(
        id=bindparam("id"), name="", key_hash=bindparam("key_hash"), hint="", created_at=0, active_tasks=0
    )
)


async def _find(database: Database, key_id: KeyId) -> ApiKey | None:
    return await database.read(lambda reader: keys.get_key(reader, key_id=key_id))


async def test_result_of_the_body_comes_back(database: Database) -> None:
    async def body(_tx: Tx) -> str:
        return "done"

    assert await database.transact(body) == "done"


async def test_transaction_reads_its_own_writes(database: Database) -> None:
    key = a_key()

    async def body(tx: Tx) -> ApiKey | None:
        await keys.insert_key(tx, key)
        return await keys.get_key(tx, key_id=key.id)

    assert await database.transact(body) == key


async def test_whatever_the_body_raises_comes_out_and_undoes_it(database: Database) -> None:
    key = a_key()

    async def body(tx: Tx) -> None:
        await keys.insert_key(tx, key)
        raise NotFound("Task not found")

    with pytest.raises(NotFound, match="Task not found"):
        await database.transact(body)
    assert await _find(database, key.id) is None


async def test_transaction_that_fails_leaves_its_neighbours_alone(database: Database) -> None:
    added = [a_key() for _ in range(40)]

    async def add(tx: Tx, number: int) -> None:
        await keys.insert_key(tx, added[number])
        if number % 4 == 1:
            raise ValueError(number)

    outcomes = await asyncio.gather(
        *(database.transact(partial(add, number=n)) for n in range(40)), return_exceptions=True
    )

    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [n % 4 == 1 for n in range(40)]
    found = [await _find(database, key.id) for key in added]
    assert [key is None for key in found] == [n % 4 == 1 for n in range(40)]


async def test_statement_that_fails_inside_a_body_undoes_all_of_it(database: Database) -> None:
    key, twin = a_key(), a_key()

    async def body(tx: Tx) -> None:
        await keys.insert_key(tx, key)
        await keys.insert_key(tx, twin)
        await keys.insert_key(tx, key)

    with pytest.raises(Exception, match=r"(?i)unique"):
        await database.transact(body)
    assert await _find(database, twin.id) is None


async def test_broken_constraint_is_a_bug_and_not_unavailability(database: Database) -> None:
    task = a_task(new_key_id())
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught:
        await database.transact(lambda tx: tasks.insert_task(tx, task))

    assert not isinstance(caught.value, Unavailable)


@pytest.mark.parametrize("changes", [{"progress": 101}, {"next_at_ms": None}, {"completed_at_ms": 1}])
async def test_row_that_cannot_be_true_is_refused(database: Database, changes: dict[str, int | None]) -> None:
    key = await add_key(database)
    task = a_task(key.id, **changes)
    with pytest.raises(Exception, match=r"(?i)check constraint"):
        await database.transact(lambda tx: tasks.insert_task(tx, task))


async def test_commit_is_seen_by_others_once_transact_returns(database: Database, url: str) -> None:
    other = await open_database(url, migrate=False)
    try:
        for _ in range(20):
            key = await add_key(database)

            assert await _find(other, key.id) == key
    finally:
        await other.close()


async def test_scan_reads_the_same_rows(database: Database) -> None:
    key = await add_key(database)

    assert await database.read(keys.list_keys, scan=True) == [key]


async def test_cancelled_caller_does_not_disturb_the_next(database: Database) -> None:
    waiting = [asyncio.ensure_future(add_key(database)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    for outcome in outcomes:
        if isinstance(outcome, ApiKey):
            assert await _find(database, outcome.id) == outcome
    assert sum(isinstance(outcome, ApiKey) for outcome in outcomes) >= 10


async def test_closing_finishes_what_was_asked_for(url: str) -> None:
    database = await open_database(url, migrate=False)
    key = a_key()
    pending = asyncio.ensure_future(database.transact(lambda tx: keys.insert_key(tx, key)))
    await asyncio.sleep(0)
    await database.close()
    await pending
    again = await open_database(url, migrate=False)
    try:
        assert await _find(again, key.id) == key
    finally:
        await again.close()


async def test_closed_database_is_unavailable(url: str) -> None:
    database = await open_database(url, migrate=False)
    await database.close()
    await database.close()
    with pytest.raises(Unavailable):
        await database.read(keys.list_keys)
    with pytest.raises(Unavailable):
        await add_key(database)


async def test_statements_of_one_body_run_in_order(database: Database) -> None:
    key = await add_key(database)
    task = a_task(key.id)

    async def body(tx: Tx) -> list[bool]:
        taken = [await limits.take_slot(tx, key_id=key.id, limit=2) for _ in range(3)]
        await tasks.insert_task(tx, task)
        return taken

    assert await database.transact(body) == [True, True, False]
    assert await fetch_task(database, task.id) == task


async def test_whoever_was_told_of_a_commit_reads_it_however_many_read_at_once(database: Database) -> None:
    async def write_and_read() -> bool:
        key = a_key()
        await database.transact(lambda tx: keys.insert_key(tx, key))
        return await database.read(lambda reader: keys.get_key(reader, key_id=key.id)) == key

    assert all(await asyncio.gather(*(write_and_read() for _ in range(200))))


async def test_many_at_once_are_one_transaction(database: Database) -> None:
    """Like any other statement: the last that fails takes the first with it."""
    key, twice = a_key(), a_key()
    parameters = [{"id": each.id, "key_hash": each.key_hash} for each in (key, twice, twice)]

    with pytest.raises(Exception, match=r"(?i)unique"):
        await database.transact(lambda tx: tx.execute_many(_INSERT_KEY, parameters))
    assert await database.read(keys.list_keys) == []
    await database.transact(lambda tx: tx.execute_many(_INSERT_KEY, parameters[:2]))
    assert {found.id for found in await database.read(keys.list_keys)} == {key.id, twice.id}
