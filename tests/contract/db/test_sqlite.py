"""What is particular to the one file: group commit, and other processes at the same file."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert

from tests.contract.db.rows import a_key, add_key
from understudy.db import keys, tables
from understudy.db.base import Database, Reader, Tx, compile_statement
from understudy.db.sqlite import SQLiteDatabase
from understudy.domain.errors import Unavailable
from understudy.domain.ids import KeyId

_INSERT = compile_statement(
    insert(tables.keys).values(
        id=bindparam("id"), name="", key_hash=bindparam("key_hash"), hint="", created_at=0, active_tasks=0
    )
)


async def _find(database: Database, key_id: KeyId) -> object:
    return await database.read(lambda reader: keys.get_key(reader, key_id=key_id))


def _rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM keys").fetchone()[0])
    finally:
        connection.close()


class _Gate:
    """A body that keeps the writer busy until it is opened, so that what comes after forms one group."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._open = threading.Event()

    async def body(self, _tx: Tx) -> None:
        self.entered.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


async def _hold(database: Database) -> tuple[_Gate, "asyncio.Future[None]"]:
    gate = _Gate()
    held = asyncio.ensure_future(database.transact(gate.body))
    await asyncio.to_thread(gate.entered.wait, 10)
    return gate, held


async def test_transaction_that_fails_in_a_group_is_undone_alone(sqlite_database: Database) -> None:
    first, failing, last = a_key(), a_key(), a_key()

    async def fail(tx: Tx) -> None:
        await keys.insert_key(tx, failing)
        raise ValueError("this one alone")

    gate, held = await _hold(sqlite_database)
    group = asyncio.gather(
        sqlite_database.transact(lambda tx: keys.insert_key(tx, first)),
        sqlite_database.transact(fail),
        sqlite_database.transact(lambda tx: keys.insert_key(tx, last)),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    gate.open()
    outcomes = await group
    await held

    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, type(None)]
    assert await _find(sqlite_database, first.id) == first
    assert await _find(sqlite_database, failing.id) is None
    assert await _find(sqlite_database, last.id) == last


async def test_nobody_is_told_before_the_group_is_committed(sqlite_database: Database, sqlite_path: Path) -> None:
    """The first of a group has run to its end while the second still keeps the commit waiting."""
    key, gate = a_key(), _Gate()
    blocker, held = await _hold(sqlite_database)
    first = asyncio.ensure_future(sqlite_database.transact(lambda tx: keys.insert_key(tx, key)))
    second = asyncio.ensure_future(sqlite_database.transact(gate.body))
    await asyncio.sleep(0)
    blocker.open()
    await asyncio.to_thread(gate.entered.wait, 10)
    await asyncio.sleep(0.05)

    assert not first.done()
    assert _rows(sqlite_path) == 0
    gate.open()
    await asyncio.gather(first, second, held)
    assert _rows(sqlite_path) == 1


async def test_transaction_of_a_caller_who_left_the_queue_is_not_run(
    sqlite_database: Database, sqlite_path: Path
) -> None:
    gate, held = await _hold(sqlite_database)
    left = asyncio.ensure_future(add_key(sqlite_database))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.sleep(0)
    gate.open()
    await held
    await add_key(sqlite_database)

    assert _rows(sqlite_path) == 1


async def test_body_that_waits_for_something_else_is_a_bug(sqlite_database: Database) -> None:
    key = a_key()

    async def body(tx: Tx) -> None:
        await keys.insert_key(tx, key)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may await nothing but its Tx or Reader"):
        await sqlite_database.transact(body)
    assert await _find(sqlite_database, key.id) is None


async def test_read_that_waits_for_something_else_is_a_bug(sqlite_database: Database) -> None:
    async def body(_reader: Reader) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may await nothing but its Tx or Reader"):
        await sqlite_database.read(body)


async def test_read_cannot_write(sqlite_database: Database) -> None:
    key = a_key()

    async def body(reader: Reader) -> None:
        await reader.fetch_all(_INSERT, {"id": key.id, "key_hash": key.key_hash})

    with pytest.raises(Unavailable):
        await sqlite_database.read(body)
    assert await _find(sqlite_database, key.id) is None


async def test_reads_go_on_while_a_transaction_is_open(sqlite_database: Database) -> None:
    key = await add_key(sqlite_database)
    gate, held = await _hold(sqlite_database)

    assert await _find(sqlite_database, key.id) == key
    gate.open()
    await held


async def test_file_locked_too_long_by_another_program_is_unavailable(sqlite_path: Path) -> None:
    database = SQLiteDatabase(sqlite_path, busy_seconds=0.2)
    other = sqlite3.connect(sqlite_path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as caught:
            await add_key(database)
        other.execute("COMMIT")

        assert caught.value.retry_after >= 1
        await add_key(database)
    finally:
        other.close()
        await database.close()


async def test_full_disk_is_unavailable_and_nothing_of_the_group_is_kept(
    sqlite_database: Database, sqlite_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: the same write fails."""
    await add_key(sqlite_database)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in sqlite_path.parent.glob("understudy.db*"))
    gate, held = await _hold(sqlite_database)
    group = asyncio.gather(*(add_key(sqlite_database, name="x" * 100_000) for _ in range(20)), return_exceptions=True)
    await asyncio.sleep(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, hard))
    try:
        gate.open()
        outcomes = await group
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await held

    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert _rows(sqlite_path) == 1
    await add_key(sqlite_database)
    assert _rows(sqlite_path) == 2


async def test_file_and_its_log_are_for_the_owner_alone(sqlite_database: Database, sqlite_path: Path) -> None:
    await add_key(sqlite_database)
    files = list(sqlite_path.parent.glob("understudy.db*"))

    assert len(files) == 3
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_closing_right_after_a_read_does_not_crash_the_process(sqlite_path: Path) -> None:
    """Such a race crashed most runs of this: a connection closed by one thread within another's statement."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from understudy.db.keys import list_keys\n"
        "from understudy.db.sqlite import SQLiteDatabase\n"
        "async def main():\n"
        "    for _ in range(400):\n"
        "        database = SQLiteDatabase(Path(sys.argv[1]))\n"
        "        await database.read(list_keys)\n"
        "        await database.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(sqlite_path)], check=False)

    assert done.returncode == 0
