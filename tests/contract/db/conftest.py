"""Every test here that asks for `url` or `database` runs on SQLite and on a real PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.support.postgres import PostgresServer, shared_server
from understudy.db.base import Database
from understudy.db.connect import open_database, sqlite_url
from understudy.db.schema import HEAD, REVISION_TABLE
from understudy.db.tables import metadata


async def _migrate(url: str) -> None:
    database = await open_database(url, migrate=True)
    await database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with shared_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "migrated.db"
    asyncio.run(_migrate(sqlite_url(path)))
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgresServer) -> str:
    async def make() -> str:
        name = await postgres.new_database()
        await _migrate(postgres.url(name))
        return name

    return asyncio.run(make())


@pytest.fixture
def sqlite_path(tmp_path: Path, migrated_file: Path) -> Path:
    return Path(shutil.copy(migrated_file, tmp_path / "understudy.db"))


@pytest.fixture
def postgres_url(postgres: PostgresServer, migrated_database: str) -> str:
    """The one migrated database, emptied: a tenth of what a new one for each test would cost."""
    statements = [
        "SET lock_timeout = '5s'",
        *(str(delete(table)) for table in reversed(metadata.sorted_tables)),
        f"UPDATE {REVISION_TABLE} SET version_num = '{HEAD}'",  # noqa: S608 - both are constants of ours
    ]
    asyncio.run(postgres.execute("; ".join(statements), database=migrated_database))
    return postgres.url(migrated_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database with no rows."""
    if request.param == "sqlite":
        return sqlite_url(request.getfixturevalue("sqlite_path"))
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody has migrated; on SQLite not even a file."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "new" / "understudy.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(asyncio.run(server.new_database()))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await open_database(url, migrate=False)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(sqlite_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(sqlite_url(sqlite_path), migrate=False)
    yield opened
    await opened.close()


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await open_database(postgres_url, migrate=False)
    yield opened
    await opened.close()
