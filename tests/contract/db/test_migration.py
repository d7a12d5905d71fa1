"""A database that the first version filled is brought to this one without losing a row."""

import asyncio
import io
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, select, table

from tests.contract.db.rows import NOW, a_delivery, a_task, add_key, an_asset, an_attempt, fetch_task
from tests.support.postgres import PostgresServer
from understudy.db import attempts, deliveries, limits, schema, tasks
from understudy.db.base import Database, DialectName, Reader, Row, Statement, Tx, compile_statement
from understudy.db.connect import open_database, sqlite_url
from understudy.db.postgresql import PostgreSQLDatabase
from understudy.db.sqlite import SQLiteDatabase
from understudy.domain.errors import OperatorError
from understudy.domain.ids import KeyId, TaskId
from understudy.domain.records import Asset, AssetKind, Attempt, AttemptState, DeliveryAttempt, DeliveryState
from understudy.domain.task import Stage, State, Task

_TASKS = 60
_FIRST_STATES = [state for state in AttemptState if state not in (AttemptState.ABANDONED, AttemptState.LATE)]
_FIRST_KINDS = (AssetKind.INPUT, AssetKind.OUTPUT)

# As 0001 wrote them: what changed since is named nowhere here.
_COLUMNS = {
    "keys": ("id", "name", "key_hash", "hint", "created_at", "active_tasks"),
    "tasks": ("id", "key_id", "stage", "state", "request", "next_at", "attempt_id", "fail_message"),
    "attempts": (
        *("id", "task_id", "backend", "state", "request_sha256", "started_at", "job_id", "ended_at", "detail"),
    ),
    "assets": (
        *("id", "task_id", "kind", "position", "storage_key", "media_type", "width", "height"),
        *("size_bytes", "sha256", "created_at", "expires_at", "deleted_at"),
    ),
    "deliveries": ("id", "task_id", "key_id", "url", "state", "created_at", "next_at", "attempts", "body"),
    "delivery_attempts": ("delivery_id", "number", "started_at", "elapsed_ms", "status", "error", "excerpt"),
    "rate_limits": ("bucket", "arrival_us"),
}
_READ: dict[str, Statement] = {
    name: compile_statement(select(*(column(each) for each in columns)).select_from(table(name)))
    for name, columns in _COLUMNS.items()
}


def _insert(name: str) -> Statement:
    return compile_statement(insert(table(name, *(column(each) for each in _COLUMNS[name]))))


_INSERT_ATTEMPT, _INSERT_ASSET = _insert("attempts"), _insert("assets")


def _first_schema(dialect: DialectName) -> str:
    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["dialect"] = dialect
    command.upgrade(config, "0001", sql=True)
    return output.getvalue()


@pytest.fixture(params=["sqlite", "postgresql"])
def first_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database as the first version made it, without rows."""
    if request.param == "sqlite":
        path = tmp_path / "understudy.db"
        connection = sqlite3.connect(path)
        connection.executescript(_first_schema("sqlite"))
        connection.close()
        return sqlite_url(path)
    server: PostgresServer = request.getfixturevalue("postgres")
    name = asyncio.run(server.new_database())
    asyncio.run(server.execute(_first_schema("postgresql"), database=name))
    return server.url(name)


@asynccontextmanager
async def _unchecked(url: str) -> AsyncIterator[Database]:
    """Open a database of whatever revision."""
    database: Database
    if url.startswith("sqlite"):
        database = SQLiteDatabase(Path(url.removeprefix("sqlite://")))
    else:
        database = await PostgreSQLDatabase.connect(url, connections=2)
    try:
        yield database
    finally:
        await database.close()


def _first_attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "task_id": attempt.task_id,
        "backend": attempt.backend,
        "state": attempt.state.value,
        "request_sha256": attempt.request_sha256,
        "started_at": attempt.started_at_ms,
        "job_id": attempt.job_id,
        "ended_at": attempt.ended_at_ms,
        "detail": attempt.detail,
    }


def _first_asset(asset: Asset) -> dict[str, object]:
    fields = {name: getattr(asset, name) for name in _COLUMNS["assets"] if not name.endswith("_at")}
    times = {f"{name}_at": getattr(asset, f"{name}_at_ms") for name in ("created", "expires", "deleted")}
    return fields | times | {"kind": asset.kind.value}


def _some_task(key_id: KeyId, number: int) -> Task:
    if number % 3:
        return a_task(key_id, stage=Stage.AWAIT, state=State.PROCESSING, attempt_id=f"att_{number}", progress=number)
    return a_task(
        key_id,
        stage=Stage.ENDED,
        state=State.FAILED,
        next_at_ms=None,
        completed_at_ms=NOW + number,
        fail_message="'It' failed; -- \"so\" 🙈",
    )


def _some_attempt(task_id: TaskId, number: int) -> Attempt:
    return an_attempt(
        task_id,
        state=_FIRST_STATES[number % len(_FIRST_STATES)],
        job_id=f"job {number}" if number % 2 else None,
        detail="lost; 'quoted'\n雨 %s" if number % 5 else None,
    )


async def _fill_one(tx: Tx, task: Task, attempt: Attempt, number: int) -> None:
    asset = an_asset(task.id, kind=_FIRST_KINDS[number % 2], deleted_at_ms=NOW if number % 4 else None)
    delivery = a_delivery(task)
    tried = DeliveryAttempt(
        delivery_id=delivery.id, number=1, started_at_ms=NOW, elapsed_ms=9, status=500, error=None, excerpt=b"\x00\xff"
    )
    await tasks.insert_task(tx, task)
    await tx.execute(_INSERT_ATTEMPT, _first_attempt(attempt))
    await tx.execute(_INSERT_ASSET, _first_asset(asset))
    await deliveries.insert_delivery(tx, delivery)
    await deliveries.record_attempt(tx, tried, state=DeliveryState.PENDING, next_at_ms=NOW + number)


async def _fill(database: Database) -> list[Attempt]:
    """Fill every table with rows of every kind it had; return the attempts."""
    key = await add_key(database)
    filled = [(task, _some_attempt(task.id, n)) for n, task in enumerate(_some_task(key.id, n) for n in range(_TASKS))]

    async def body(tx: Tx) -> None:
        for number, (task, attempt) in enumerate(filled):
            await _fill_one(tx, task, attempt, number)
        await limits.take_rate_token(tx, bucket="b", per_minute=60, now_ms=NOW)

    await database.transact(body)
    return [attempt for _, attempt in filled]


async def _rows(reader: Reader, statement: Statement) -> Sequence[Row]:
    return await reader.fetch_all(statement, {})


async def _everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, statement in _READ.items():
        rows = await database.read(partial(_rows, statement=statement), scan=True)
        found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def _migrated(url: str) -> Database:
    return await open_database(url, migrate=True)


async def test_no_row_is_lost_or_changed(first_url: str) -> None:
    async with _unchecked(first_url) as database:
        await _fill(database)
        before = await _everything(database)
    migrated = await _migrated(first_url)
    try:
        assert await _everything(migrated) == before
        assert all(before.values())
        assert len(before["attempts"]) == _TASKS
    finally:
        await migrated.close()


async def test_attempt_of_the_first_version_reads_as_one_without_what_is_new(first_url: str) -> None:
    async with _unchecked(first_url) as database:
        made = await _fill(database)
    migrated = await _migrated(first_url)
    try:
        for attempt in made:
            assert await migrated.read(partial(attempts.attempts_of, task_id=attempt.task_id)) == [attempt]
    finally:
        await migrated.close()


async def test_process_of_the_first_version_goes_on_writing_while_its_successor_starts(first_url: str) -> None:
    """The promise of a migration that runs before the new code: the old code's inserts and updates still work."""
    async with _unchecked(first_url) as old:
        key = await add_key(old)
        migrated = await _migrated(first_url)
        try:
            task = a_task(key.id)
            attempt = an_attempt(task.id)

            async def body(tx: Tx) -> None:
                await tasks.insert_task(tx, task)
                await tx.execute(_INSERT_ATTEMPT, _first_attempt(attempt))
                await tx.execute(_INSERT_ASSET, _first_asset(an_asset(task.id)))

            await old.transact(body)
            found = await migrated.read(lambda reader: attempts.get_attempt(reader, attempt_id=attempt.id))

            assert found == attempt
            assert await fetch_task(migrated, task.id) == task
        finally:
            await migrated.close()


async def _break_sqlite(url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite://")) as file:
        file.execute("CREATE TABLE backend_health (name TEXT)")
    file.close()


async def _break_postgresql(url: str) -> None:
    server = await asyncpg.connect(url)
    await server.execute("CREATE TABLE backend_health (name TEXT)")
    await server.close()


async def test_migration_that_fails_at_its_end_changes_nothing(first_url: str) -> None:
    """Of a migration there is all or nothing; this one meets a table in its way when the others are rewritten."""
    breaking: Callable[[str], Awaitable[None]] = _break_sqlite if first_url.startswith("sqlite") else _break_postgresql
    async with _unchecked(first_url) as database:
        await _fill(database)
        before = await _everything(database)
    await breaking(first_url)
    with pytest.raises(OperatorError, match="already exists"):
        await _migrated(first_url)
    async with _unchecked(first_url) as database:
        stored = await database.read(partial(_rows, statement=schema.STORED_REVISION))

        assert [row[0] for row in stored] == ["0001"]
        assert await _everything(database) == before
