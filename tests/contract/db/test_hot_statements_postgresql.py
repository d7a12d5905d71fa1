"""PostgreSQL takes a partial index only where it can prove that it holds every row that is asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import pytest

from tests.contract.db.rows import NOW
from understudy.db import attempts, polls, tasks
from understudy.db.base import Parameters, Row, Statement, Tx


class PlanningTx:
    """Asks PostgreSQL how it would run each statement if it had to avoid reading whole tables; runs none."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plan = ""

    async def _explain(self, statement: Statement, parameters: Parameters) -> None:
        del parameters
        compiled = statement.postgresql
        nothing = ", ".join("NULL" for _ in compiled.names)
        await self._connection.execute(f"PREPARE planned AS {compiled.sql}")
        rows = await self._connection.fetch(f"EXPLAIN EXECUTE planned{f'({nothing})' if nothing else ''}")
        await self._connection.execute("DEALLOCATE planned")
        self.plan += "\n".join(row[0] for row in rows)

    async def fetch_one(self, statement: Statement, parameters: Parameters) -> Row | None:
        await self._explain(statement, parameters)
        return None

    async def fetch_all(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        await self._explain(statement, parameters)
        return []

    async def execute(self, statement: Statement, parameters: Parameters) -> int:
        await self._explain(statement, parameters)
        return 0

    async def execute_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        for each in parameters:
            await self._explain(statement, each)


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(postgres_url)
    for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
        await opened.execute(f"SET {setting} = off")
    # One plan for all values, as is used once a statement has run a few times.
    await opened.execute("SET plan_cache_mode = force_generic_plan")
    yield opened
    await opened.close()


_THROUGH: dict[str, Callable[[Tx], Awaitable[object]]] = {
    "ix_tasks_next_at": lambda tx: tasks.due_tasks(tx, now_ms=NOW, limit=10),
    "ix_tasks_steps": lambda tx: tasks.due_tasks(tx, now_ms=NOW, limit=10, polls=False),
    "ix_tasks_polls": lambda tx: polls.due_polls(tx, backend="b", now_ms=NOW, limit=10),
    "ix_attempts_open": lambda tx: attempts.count_open(tx, backend="b"),
    "ix_attempts_jobs": lambda tx: attempts.job_ids_of(tx, backend="b", started_after_ms=NOW),
    "ix_attempts_watched": lambda tx: attempts.watched_attempts(tx, started_after_ms=NOW, limit=10),
    "ix_attempts_unknown": lambda tx: attempts.unknown_attempts(tx, limit=10, settled=True),
}


@pytest.mark.parametrize("index", _THROUGH)
async def test_statement_goes_through_its_index(connection: asyncpg.Connection, index: str) -> None:
    tx = PlanningTx(connection)
    await _THROUGH[index](tx)

    assert f"using {index}" in tx.plan
    assert "Seq Scan" not in tx.plan


@pytest.mark.parametrize(
    "ask",
    [
        polls.backends_with_open_polls,
        lambda tx: polls.next_poll_due_at(tx, backend="b"),
        lambda tx: polls.due_polls(tx, backend="b", now_ms=NOW, limit=10),
    ],
)
async def test_polls_are_looked_for_in_their_own_index(
    connection: asyncpg.Connection, ask: Callable[[Tx], Awaitable[object]]
) -> None:
    tx = PlanningTx(connection)
    await ask(tx)

    assert "using ix_tasks_polls" in tx.plan
    assert "Seq Scan on tasks" not in tx.plan
    assert "Sort" not in tx.plan
