"""The migrations make what `tables.py` says, and a database of another version is recognized."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.contract.db.rows import add_task, fetch_task
from tests.support.postgres import PostgresServer
from understudy.db import schema
from understudy.db.base import Reader
from understudy.db.connect import open_database, sqlite_url
from understudy.db.tables import metadata
from understudy.domain.errors import OperatorError

_POSTGRES_FACTS = (
    """
    SELECT table_name, ordinal_position, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'schema_revision'
    """,
    """
    SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'schema_revision'
    """,
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 'schema_revision'::regclass
    """,
)


def _statements(dialect: Dialect) -> list[str]:
    """Return the SQL that makes `tables.py`."""
    elements: list[Any] = []
    for table in metadata.sorted_tables:
        elements.append(CreateTable(table))
        elements += [CreateIndex(index) for index in table.indexes]
    return [str(element.compile(dialect=dialect)) for element in elements]


def _sqlite_facts(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """Return every table's columns in order, its constraints, and every index, as SQLite keeps them."""
    facts: set[tuple[Any, ...]] = set()
    rows = connection.execute("SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    for kind, table, sql in rows:
        if table == schema.REVISION_TABLE:
            continue
        if kind == "table":
            facts |= {(table, *row) for row in connection.execute(f"PRAGMA table_info({table})")}
            facts |= {(table, line.strip(" ,\t")) for line in sql.splitlines()[1:]}
        else:
            facts.add((table, re.sub(r"\s+", " ", sql)))
    return facts


def test_migrated_sqlite_has_the_schema_of_tables(migrated_file: Path) -> None:
    fresh = sqlite3.connect(":memory:")
    migrated = sqlite3.connect(migrated_file)
    try:
        for statement in _statements(sqlite.dialect()):
            fresh.execute(statement)

        assert _sqlite_facts(migrated) == _sqlite_facts(fresh)
    finally:
        fresh.close()
        migrated.close()


async def test_migrated_postgresql_has_the_schema_of_tables(postgres: PostgresServer, postgres_url: str) -> None:
    fresh = await asyncpg.connect(postgres.url(await postgres.new_database()))
    migrated = await asyncpg.connect(postgres_url)
    try:
        await fresh.execute("CREATE TABLE schema_revision ()")
        for statement in _statements(postgresql.dialect()):  # type: ignore[no-untyped-call]  # it is unannotated
            await fresh.execute(statement)
        for question in _POSTGRES_FACTS:
            expected = {tuple(row) for row in await fresh.fetch(question)}

            assert {tuple(row) for row in await migrated.fetch(question)} == expected
            assert len(expected) > 10
    finally:
        await fresh.close()
        await migrated.close()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    revisions = [revision.revision for revision in script.walk_revisions()]

    assert script.get_current_head() == schema.HEAD
    assert revisions == sorted(revisions, reverse=True)
    assert all(re.fullmatch(r"\d{4}", revision) for revision in revisions)


async def _stored(reader: Reader) -> list[str]:
    return [row[0] for row in await reader.fetch_all(schema.STORED_REVISION, {})]


async def test_empty_database_is_migrated_once_and_keeps_its_rows(empty_url: str) -> None:
    first = await open_database(empty_url, migrate=True)
    task = await add_task(first)
    await first.close()
    second = await open_database(empty_url, migrate=True)
    try:
        assert await second.read(_stored) == [schema.HEAD]
        assert await fetch_task(second, task.id) == task
    finally:
        await second.close()


async def test_database_opened_many_times_at_once_is_migrated_once(empty_url: str) -> None:
    opened = await asyncio.gather(*(open_database(empty_url, migrate=True) for _ in range(4)))
    try:
        assert await opened[0].read(_stored) == [schema.HEAD]
    finally:
        for database in opened:
            await database.close()


async def test_empty_database_is_refused_without_permission_to_migrate(empty_url: str) -> None:
    with pytest.raises(OperatorError, match="run `understudy migrate`"):
        await open_database(empty_url, migrate=False)


async def _set_revision(url: str, revision: str) -> None:
    sql = f"UPDATE schema_revision SET version_num = '{revision}'"  # noqa: S608 - both values are ours
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite://")) as file:
            file.execute(sql)
        file.close()
    else:
        server = await asyncpg.connect(url)
        await server.execute(sql)
        await server.close()


@pytest.mark.parametrize("migrate", [True, False])
async def test_newer_database_is_refused(url: str, migrate: bool) -> None:
    await _set_revision(url, "9999")
    with pytest.raises(OperatorError, match=r"made by a newer Understudy \(revision 9999.*restore a backup"):
        await open_database(url, migrate=migrate)


async def test_older_database_is_refused_without_permission_to_migrate(url: str) -> None:
    await _set_revision(url, "0000")
    with pytest.raises(OperatorError, match=r"is at revision 0000 and this version needs .*run `understudy migrate`"):
        await open_database(url, migrate=False)


def test_database_up_to_date_is_opened_without_importing_alembic(sqlite_path: Path) -> None:
    """A server starts often and migrates seldom; alembic and asyncpg cost it memory and time."""
    program = (
        "import asyncio, sys\n"
        "from understudy.db.connect import open_database\n"
        f"database = asyncio.run(open_database({sqlite_url(sqlite_path)!r}, migrate=True))\n"
        "asyncio.run(database.close())\n"
        "print(sorted({'alembic', 'asyncpg'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
