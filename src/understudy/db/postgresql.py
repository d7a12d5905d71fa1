"""PostgreSQL through an asyncpg pool, for many processes at once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import ColumnElement, func, literal_column, select

from understudy.db.base import DialectName, Parameters, Reader, Row, Statement, Tx, compile_statement
from understudy.domain.errors import Unavailable

T = TypeVar("T")

ACQUIRE_SECONDS: Final = 2.0
"""How long a request waits for a connection before it is told to come back."""

_COMMAND_SECONDS = 10.0
_CLOSE_SECONDS = 10.0
_WORK_LOCK: ColumnElement[int] = literal_column(
    str(0x756E64657773)
)  # an advisory lock's number; any that others do not use
_TRIES = 3

SERVER_SETTINGS: Final = {
    "application_name": "understudy",
    "synchronous_commit": "on",  # an acknowledged task is on disk, whatever the server's default is
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",  # a process that froze must not hold a key's row for ever
}

_RETRIED = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,  # another process has just migrated
)
_AWAY = (
    OSError,  # TimeoutError among them
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # it became a standby
    asyncpg.IdleInTransactionSessionTimeoutError,
    *_RETRIED,
)
_DRIVER = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class _Tx:
    """A connection with an open transaction, or, for reads, without one."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch_one(self, statement: Statement, parameters: Parameters) -> Row | None:
        compiled = statement.postgresql
        row: Row | None = await self._connection.fetchrow(compiled.sql, *compiled.values(parameters))
        return row

    async def fetch_all(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        compiled = statement.postgresql
        rows: Sequence[Row] = await self._connection.fetch(compiled.sql, *compiled.values(parameters))
        return rows

    async def execute(self, statement: Statement, parameters: Parameters) -> int:
        compiled = statement.postgresql
        tag: str = await self._connection.execute(compiled.sql, *compiled.values(parameters))
        return int(tag.rpartition(" ")[2])  # "UPDATE 1", "INSERT 0 1"

    async def execute_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        compiled = statement.postgresql
        await self._connection.executemany(compiled.sql, [compiled.values(each) for each in parameters])


_OWN_WORK = compile_statement(select(func.pg_try_advisory_lock(_WORK_LOCK)))


async def _keep_session(_connection: Any) -> None:
    """Do nothing when a connection goes back: nobody here changes its session, and asyncpg's reset is a round trip."""


class PostgreSQLDatabase:
    """A `Database` on a server. `connect.open_database` has migrated it."""

    dialect: DialectName = "postgresql"

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._owner: Any = None

    @classmethod
    async def connect(cls, dsn: str, *, connections: int) -> "PostgreSQLDatabase":
        """Open a pool of at most `connections`; raises what asyncpg raises."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=connections,
            command_timeout=_COMMAND_SECONDS,
            statement_cache_size=256,
            max_cached_statement_lifetime=0,
            server_settings=SERVER_SETTINGS,
            reset=_keep_session,
        )
        return cls(pool)

    async def transact(self, body: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
        """Run `body`, at most three times if it loses a deadlock or a serialization conflict; see `Database`."""
        for tried in range(_TRIES - 1):
            try:
                return await self._transact_once(body)
            except Unavailable as error:
                if not isinstance(error.__cause__, _RETRIED):
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * (tried + 1))
        return await self._transact_once(body)

    async def _transact_once(self, body: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
        async with self._connection() as connection, connection.transaction(isolation="read_committed"):
            return await body(_Tx(connection))

    async def read(self, body: Callable[[Reader], Coroutine[Any, Any, T]], *, scan: bool = False) -> T:
        """Run `body` on a connection of its own; a scan holds up nobody here."""
        del scan
        async with self._connection() as connection:
            return await body(_Tx(connection))

    async def own_work(self) -> bool:
        """Take the advisory lock and keep its connection: the server frees it when this process dies."""
        connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        row = await _Tx(connection).fetch_one(_OWN_WORK, {})
        if row is not None and row[0]:
            self._owner = connection
            return True
        await self._pool.release(connection)
        return False

    async def close(self) -> None:
        """Wait for the connections in use, 10 s at most, then close all."""
        if self._owner is not None:
            await self._owner.close()  # with its session ends the advisory lock
            await self._pool.release(self._owner)
            self._owner = None
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except _DRIVER as error:
            raise _unavailable() from error
        try:
            yield connection
        except _DRIVER as error:
            if isinstance(error, _AWAY) or _is_lost(connection):
                raise _unavailable() from error
            raise
        finally:
            await self._pool.release(connection)


def _is_lost(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken it back already
        return True


def _unavailable() -> Unavailable:
    return Unavailable("The database is not available, try again later", retry_after=5)
