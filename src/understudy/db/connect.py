"""Opening a database: find it, bring it to this version, or tell the operator in one sentence why not."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from understudy.db.base import Database
from understudy.db.schema import REVISION_TABLE, STORED_REVISION, migration_sql, needs_migration
from understudy.db.sqlite import BUSY_SECONDS, SQLiteDatabase, connect, primary_code
from understudy.db.tables import metadata
from understudy.domain.errors import OperatorError

if TYPE_CHECKING:
    from understudy.db.postgresql import PostgreSQLDatabase

CONNECTIONS: Final = 10
_CONNECT_SECONDS = 10.0
_MIGRATION_LOCK = 0x756E6465727374  # PostgreSQL's advisory lock; any number that others do not use

_SQLITE_SENTENCES: Final = {
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: make it and its folder readable and writable for this user",
    sqlite3.SQLITE_READONLY: "cannot be written: make it and its folder writable for this user",
    sqlite3.SQLITE_NOTADB: "is not a database: move it away or name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore a backup",
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full: free some space",
    sqlite3.SQLITE_BUSY: "is locked by another program: stop that program",
}


def sqlite_url(path: Path) -> str:
    """Return the URL of the database in the file `path`."""
    return f"sqlite://{path.absolute()}"


async def open_database(url: str, *, migrate: bool, connections: int = CONNECTIONS) -> Database:
    """Open `sqlite:///ABSOLUTE/PATH` or `postgresql://USER:PASSWORD@HOST/NAME`, and bring it to this version.

    With `migrate` false an older database is refused instead. `connections` is PostgreSQL's most at once. Raises
    `OperatorError` with a sentence that says how to mend what is wrong.
    """
    kind, _, rest = url.partition("://")
    if kind == "sqlite" and rest.startswith("/"):
        return await asyncio.to_thread(_open_sqlite, Path("/" + rest.lstrip("/")), migrate=migrate)
    if kind in {"postgresql", "postgres"}:
        return await _open_postgresql(url, migrate=migrate, connections=connections)
    raise OperatorError(
        "The database URL must be sqlite:///ABSOLUTE/PATH or postgresql://USER:PASSWORD@HOST/NAME; "
        f"it begins with {kind[:20]!r}"
    )


def _open_sqlite(path: Path, *, migrate: bool) -> SQLiteDatabase:
    if sqlite3.sqlite_version_info < (3, 35):  # RETURNING
        raise OperatorError(f"SQLite {sqlite3.sqlite_version} is too old: use a Python built with 3.35 or newer")
    if not migrate and not path.exists():
        needs_migration(None, name=str(path), migrate=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # prompts are nobody else's business; SQLite gives its log the same mode
        connection = connect(path, busy_seconds=BUSY_SECONDS)
        try:
            _use_log(connection, path)
            _migrate_sqlite(connection, path, migrate=migrate)
        finally:
            connection.close()
        return SQLiteDatabase(path)
    except OSError as error:
        raise OperatorError(
            f"The database file {path} cannot be made or written ({error.strerror}): "
            "make its folder writable for this user or name another"
        ) from error
    except sqlite3.Error as error:
        sentence = _SQLITE_SENTENCES.get(primary_code(error) or 0, f"cannot be used ({error}): restore a backup")
        raise OperatorError(f"The database file {path} {sentence}") from error


def _use_log(connection: sqlite3.Connection, path: Path) -> None:
    """Switch the file to write-ahead logging, which stays; SQLite does not wait by itself while another does that."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
            continue
        if mode != "wal":
            raise OperatorError(
                f"The database file {path} lies on a file system without shared memory: move it to a local disk"
            )
        return


def _migrate_sqlite(connection: sqlite3.Connection, path: Path, *, migrate: bool) -> None:
    # The write lock also keeps a second process from migrating at the same time, and shows that we may write at all.
    connection.execute("BEGIN IMMEDIATE")
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        stored = None
        if REVISION_TABLE in tables:
            stored = _only(connection.execute(STORED_REVISION.sqlite.sql).fetchall())
        elif tables:
            raise OperatorError(f"The database file {path} belongs to another program: name another file")
        if needs_migration(stored, name=str(path), migrate=migrate):
            for statement in _statements(migration_sql(stored, dialect="sqlite")):
                connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _statements(script: str) -> Iterator[str]:
    """Split `script`; sqlite3's own `executescript` would commit first and so give up the lock."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _only(rows: Any) -> str | None:
    return rows[0][0] if rows else None


async def _open_postgresql(dsn: str, *, migrate: bool, connections: int) -> "PostgreSQLDatabase":
    # asyncpg costs memory that a server on SQLite need not spend.
    import asyncpg  # noqa: PLC0415 - see above

    from understudy.db.postgresql import SERVER_SETTINGS, PostgreSQLDatabase  # noqa: PLC0415 - see above

    name = _without_password(dsn)
    try:
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS, server_settings=SERVER_SETTINGS)
        try:
            await _migrate_postgresql(connection, name, migrate=migrate)
        finally:
            await connection.close()
        return await PostgreSQLDatabase.connect(dsn, connections=connections)
    except asyncpg.InvalidCatalogNameError as error:
        raise OperatorError(f"The database {name} does not exist: create it with `createdb`") from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:  # a wrong password is one of these
        raise OperatorError(f"The database {name} refuses the user or the password: correct them in its URL") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise OperatorError(
            f"The database {name} does not let this user make tables: grant it CREATE on the schema"
        ) from error
    except (ValueError, asyncpg.InterfaceError) as error:
        raise OperatorError(
            "The database URL cannot be read: it must be postgresql://USER:PASSWORD@HOST/NAME, "
            "with special characters of the password percent-encoded"
        ) from error
    except (OSError, asyncpg.PostgresError) as error:
        reason = str(error) or type(error).__name__
        raise OperatorError(f"The database {name} cannot be reached ({reason}): start it or correct its URL") from error


async def _migrate_postgresql(connection: Any, name: str, *, migrate: bool) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK, timeout=None)
        tables = {
            row[0]
            for row in await connection.fetch(
                "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
            )
        }
        stored = None
        if REVISION_TABLE in tables:
            stored = _only(await connection.fetch(STORED_REVISION.postgresql.sql))
        elif tables & set(metadata.tables):
            raise OperatorError(f"The database {name} has tables of another program: name an empty one")
        if needs_migration(stored, name=name, migrate=migrate):
            await connection.execute(migration_sql(stored, dialect="postgresql"))


def _without_password(dsn: str) -> str:
    kind, _, rest = dsn.partition("://")
    return f"{kind}://{rest.rpartition('@')[2].partition('?')[0]}"
