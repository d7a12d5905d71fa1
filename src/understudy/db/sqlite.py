"""SQLite: one writer thread that commits all waiting transactions in one fsync, and readers beside it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from understudy.db.base import DialectName, Parameters, Reader, Row, Statement, Tx
from understudy.domain.errors import Unavailable

T = TypeVar("T")

BUSY_SECONDS: Final = 10.0
"""How long a write waits for another process, such as `understudy keys create`."""

_READ_BUSY_SECONDS = 1.0  # a reader waits for a writer only while the log is being recovered; it holds up the loop
_GROUP_LIMIT = 256  # so that one commit never takes long enough for another process to give up waiting

# Primary result codes (sqlite.org/rescode.html) of what may be over in a moment, and after how many seconds.
_PASSING: Final = {
    sqlite3.SQLITE_BUSY: 1,
    sqlite3.SQLITE_LOCKED: 1,
    sqlite3.SQLITE_PROTOCOL: 1,
    sqlite3.SQLITE_NOMEM: 5,
    sqlite3.SQLITE_IOERR: 5,
    sqlite3.SQLITE_CANTOPEN: 5,
    sqlite3.SQLITE_READONLY: 5,
    sqlite3.SQLITE_FULL: 10,
}


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code; None for an error that Python's module found by itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else None


def connect(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Return a connection that leaves transactions to us and may be handed to another thread."""
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        # FULL: the log is synced at every commit, so that an acknowledged task outlives a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


class _Reader:
    """Runs statements at once, so that its awaitables never suspend."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch_one(self, statement: Statement, parameters: Parameters) -> Row | None:
        compiled = statement.sqlite
        row: Row | None = self._connection.execute(compiled.sql, compiled.values(parameters)).fetchone()
        return row

    async def fetch_all(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        compiled = statement.sqlite
        return self._connection.execute(compiled.sql, compiled.values(parameters)).fetchall()


class _Tx(_Reader):
    __slots__ = ()

    async def execute(self, statement: Statement, parameters: Parameters) -> int:
        compiled = statement.sqlite
        return self._connection.execute(compiled.sql, compiled.values(parameters)).rowcount

    async def execute_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        compiled = statement.sqlite
        self._connection.executemany(compiled.sql, [compiled.values(each) for each in parameters])


def _run_to_end(body: Coroutine[Any, Any, T]) -> T:
    """Drive a body whose awaitables complete at once."""
    try:
        body.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    body.close()
    raise RuntimeError("a database body may await nothing but its Tx or Reader, never something that takes time")


class _Job(Generic[T]):
    """One waiting transaction, and what became of it."""

    __slots__ = ("body", "error", "future", "loop", "result")

    def __init__(self, body: Callable[[Tx], Coroutine[Any, Any, T]]) -> None:
        self.body = body
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None

    def resolve(self) -> None:
        """Tell the waiting task; in its own loop's thread."""
        if self.future.done():  # its task was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # None only where T allows it


class _Writer:
    """The thread that owns the writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="understudy-db-writer", daemon=True)
        self._thread.start()

    def put(self, job: _Job[Any]) -> None:
        self._waiting.put(job)

    def stop(self) -> None:
        """Finish what waits, then end the thread; blocks until it has."""
        self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            # While one group's commit waits for the disk, the next one gathers.
            group: list[_Job[Any]] = []
            job = self._waiting.get()
            while job is not None:
                group.append(job)
                if len(group) == _GROUP_LIMIT:
                    break
                try:
                    job = self._waiting.get_nowait()
                except Empty:
                    break
            open_ = job is not None
            if group:
                self._run_group([job for job in group if not job.future.cancelled()])
                _resolve(group)

    def _run_group(self, group: list[_Job[Any]]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in group:
                self._run_one(job)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # SQLite rolls back by itself after some errors
                self._connection.execute("ROLLBACK")
            # Also those whose body had raised: they may have seen what is now undone.
            for job in group:
                job.result, job.error = None, unavailable_from(error) or error

    def _run_one(self, job: _Job[Any]) -> None:
        self._connection.execute("SAVEPOINT body")
        try:
            job.result = _run_to_end(job.body(_Tx(self._connection)))
        except BaseException as error:
            if isinstance(error, sqlite3.Error) and not self._connection.in_transaction:
                raise  # a full disk made SQLite undo the whole group: all of it must hear that
            job.error = unavailable_from(error) or error
            self._connection.execute("ROLLBACK TO body")
        self._connection.execute("RELEASE body")


def _resolve(group: list[_Job[Any]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in group:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        with suppress(RuntimeError):  # a loop that is closed by now has nobody waiting
            loop.call_soon_threadsafe(_resolve_here, jobs)


def _resolve_here(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        job.resolve()


def unavailable_from(error: BaseException) -> Unavailable | None:
    """Return the refusal that `error` amounts to if it is a state of the world and may pass, else None."""
    if not isinstance(error, sqlite3.Error):
        return None
    retry_after = _PASSING.get(primary_code(error) or 0)
    if retry_after is None:
        return None
    unavailable = Unavailable("The database is not available, try again later", retry_after=retry_after)
    unavailable.__cause__ = error
    return unavailable


class SQLiteDatabase:
    """A `Database` in one file. `connect.open_database` has made and migrated it."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._writer = _Writer(connect(path, busy_seconds=busy_seconds))
        self._point = self._new_reader(_READ_BUSY_SECONDS)
        self._scan = self._new_reader(BUSY_SECONDS)
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="understudy-db-scan")
        self._closed = False
        self._in_turn = False

    def _new_reader(self, busy_seconds: float) -> sqlite3.Connection:
        connection = connect(self._path, busy_seconds=busy_seconds)
        connection.execute("PRAGMA query_only = ON")
        return connection

    async def transact(self, body: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
        """Run `body` in the writer's thread; see `Database`."""
        self._check_open()
        job = _Job(body)
        self._writer.put(job)
        return await job.future

    async def read(self, body: Callable[[Reader], Coroutine[Any, Any, T]], *, scan: bool = False) -> T:
        """Run `body` here and now, since a thread's hop costs more than a point read, or a scan in its thread."""
        self._check_open()
        if scan:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._scanner, self._read, self._scan, body)
        self._begin_turn()
        return self._read(self._point, body)

    def _begin_turn(self) -> None:
        """Let all point reads of this turn of the event loop share one snapshot.

        Taking and leaving it costs as much as a read. It is never older than the turn, so that whoever was told of a
        commit reads it: a commit is told in a later turn than the one it happened in.
        """
        if not self._in_turn:
            self._point.execute("BEGIN")
            self._in_turn = True
            asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._in_turn = False
        with suppress(sqlite3.Error):  # closed meanwhile, or ended by an error of a read
            self._point.execute("COMMIT")

    def _read(self, connection: sqlite3.Connection, body: Callable[[Reader], Coroutine[Any, Any, T]]) -> T:
        try:
            return _run_to_end(body(_Reader(connection)))
        except sqlite3.Error as error:
            unavailable = unavailable_from(error)
            if unavailable is None:
                raise
            raise unavailable from error

    async def own_work(self) -> bool:
        """Say True: the lock file of the data folder keeps others away."""
        return True

    async def close(self) -> None:
        """Commit what waits, then close every connection."""
        if self._closed:
            return
        self._closed = True
        # Here, where its statements run: closed by another thread while the turn's end runs one, it took the process
        # with it.
        self._point.close()
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._scanner.shutdown()
        self._scan.close()
        self._writer.stop()  # last: the last connection to close folds the log into the file

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("The server is shutting down, try again later", retry_after=5)
