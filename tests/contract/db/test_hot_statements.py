"""A large history must not slow the hot statements: each goes through an index."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.contract.db.rows import NOW, a_delivery, a_key, a_task, an_asset, an_attempt
from understudy.db import assets, attempts, deliveries, health, keys, limits, polls, tasks
from understudy.db.base import Parameters, Row, Statement, Tx
from understudy.db.connect import open_database, sqlite_url
from understudy.domain.ids import KeyId, new_asset_id, new_attempt_id, new_delivery_id, new_task_id
from understudy.domain.records import AssetKind, AttemptState, DeliveryAttempt, DeliveryState
from understudy.domain.task import Stage, State

_KEY = KeyId("key_1")
_TASK = new_task_id()
_SMALL = ("USING INDEX ix_attempts_unknown", "USING INDEX ix_attempts_watched", "SCAN names")


def _is_slow(step: str) -> bool:
    """Tell whether a step of a plan reads or sorts a whole table; a small partial index may be read from its start."""
    return (step.startswith("SCAN") and not step.endswith(_SMALL)) or step == "USE TEMP B-TREE FOR ORDER BY"


class PlanningTx:
    """Asks SQLite how it would run each statement, and runs it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.steps: list[str] = []

    def _run(self, statement: Statement, parameters: Parameters) -> sqlite3.Cursor:
        sql, values = statement.sqlite.sql, statement.sqlite.values(parameters)
        self.steps += [row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        return self._connection.execute(sql, values)

    async def fetch_one(self, statement: Statement, parameters: Parameters) -> Row | None:
        row: Row | None = self._run(statement, parameters).fetchone()
        return row

    async def fetch_all(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        return self._run(statement, parameters).fetchall()

    async def execute(self, statement: Statement, parameters: Parameters) -> int:
        return self._run(statement, parameters).rowcount

    async def execute_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        for each in parameters:
            self._run(statement, each)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "understudy.db"

    async def make() -> None:
        await (await open_database(sqlite_url(path), migrate=True)).close()

    asyncio.run(make())
    opened = sqlite3.connect(path, isolation_level=None)
    yield opened
    opened.close()


_HOT: dict[str, Callable[[Tx], Awaitable[object]]] = {
    "key by hash": lambda tx: keys.key_by_hash(tx, key_hash=bytes(32)),
    "take a slot": lambda tx: limits.take_slot(tx, key_id=_KEY, limit=10),
    "give a slot": lambda tx: limits.give_slot(tx, key_id=_KEY),
    "find idempotent": lambda tx: tasks.find_idempotent(tx, key_id=_KEY, idempotency_key="k"),
    "status": lambda tx: tasks.get_status(tx, task_id=_TASK),
    "task": lambda tx: tasks.get_task(tx, task_id=_TASK),
    "due tasks": lambda tx: tasks.due_tasks(tx, now_ms=NOW, limit=10),
    "next task": tasks.next_task_due_at,
    "due steps": lambda tx: tasks.due_tasks(tx, now_ms=NOW, limit=10, polls=False),
    "next step": lambda tx: tasks.next_task_due_at(tx, polls=False),
    "wake a task": lambda tx: tasks.wake_task(tx, task_id=_TASK, now_ms=NOW, stages=(Stage.SUBMIT,)),
    "due polls": lambda tx: polls.due_polls(tx, backend="b", now_ms=NOW, limit=10),
    "next poll": lambda tx: polls.next_poll_due_at(tx, backend="b"),
    "reschedule polls": lambda tx: polls.reschedule_polls(tx, [polls.RescheduledPoll(_TASK, 0, NOW, None)]),
    "backends with polls": polls.backends_with_open_polls,
    "raise the claim": lambda tx: tasks.raise_claim(tx, task_id=_TASK),
    "move": lambda tx: tasks.move_task(
        tx,
        task_id=_TASK,
        claim=0,
        from_stage=Stage.PREPARE,
        to_stage=Stage.SUBMIT,
        state=State.PENDING,
        next_at_ms=NOW,
    ),
    "reschedule": lambda tx: tasks.reschedule_task(tx, task_id=_TASK, claim=0, stage=Stage.AWAIT, next_at_ms=NOW),
    "end": lambda tx: tasks.end_task(tx, task_id=_TASK, claim=0, state=State.SUCCESS, completed_at_ms=NOW),
    "wake the waiting": lambda tx: tasks.wake_waiting(tx, backend="b", stage=Stage.SUBMIT, limit=1, now_ms=NOW),
    "forget idempotency keys": lambda tx: tasks.clear_idempotency(tx, accepted_before_ms=NOW),
    "set an attempt": lambda tx: attempts.set_attempt(tx, attempt_id=new_attempt_id(), state=AttemptState.LOST),
    "attempts of a task": lambda tx: attempts.attempts_of(tx, task_id=_TASK),
    "unknown attempts": lambda tx: attempts.unknown_attempts(tx, limit=10),
    "settled attempts": lambda tx: attempts.unknown_attempts(tx, limit=10, settled=True),
    "watched attempts": lambda tx: attempts.watched_attempts(tx, started_after_ms=NOW, limit=10),
    "keep a job id": lambda tx: attempts.keep_job_id(tx, attempt_id=new_attempt_id(), job_id="j"),
    "settle an attempt": lambda tx: attempts.settle_attempt(tx, attempt_id=new_attempt_id(), now_ms=NOW),
    "open attempts": lambda tx: attempts.count_open(tx, backend="b"),
    "job ids": lambda tx: attempts.job_ids_of(tx, backend="b", started_after_ms=NOW),
    "output asset": lambda tx: assets.output_asset(tx, task_id=_TASK, position=0),
    "expire assets": lambda tx: assets.expire_kinds_at(tx, task_id=_TASK, kinds=tuple(AssetKind), expires_at_ms=NOW),
    "expired assets": lambda tx: assets.expired_assets(tx, now_ms=NOW, limit=10),
    "delete an asset": lambda tx: assets.mark_deleted(tx, asset_id=new_asset_id(), now_ms=NOW),
    "page of storage keys": lambda tx: assets.storage_keys(tx, after="", limit=10),
    "due deliveries": lambda tx: deliveries.due_deliveries(tx, now_ms=NOW, limit=10),
    "next delivery": deliveries.next_delivery_due_at,
    "delivery of a task": lambda tx: deliveries.delivery_of_task(tx, task_id=_TASK),
    "a circuit": lambda tx: health.get_circuit(tx, name="b"),
    "attempts at a delivery": lambda tx: deliveries.attempts_of(tx, delivery_id=new_delivery_id()),
}


@pytest.mark.parametrize("name", _HOT)
async def test_statement_goes_through_an_index(connection: sqlite3.Connection, name: str) -> None:
    tx = PlanningTx(connection)
    await _HOT[name](tx)

    assert tx.steps
    assert [step for step in tx.steps if _is_slow(step)] == []


async def test_counting_what_is_open_reads_the_open_ones_alone(connection: sqlite3.Connection) -> None:
    tx = PlanningTx(connection)
    await tasks.count_open(tx)

    assert tx.steps[0] == "SEARCH tasks USING INDEX ix_tasks_next_at (next_at>?)"


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("due steps", "ix_tasks_steps (next_at<?)"),
        ("next step", "ix_tasks_steps (next_at>?)"),
        ("due polls", "ix_tasks_polls (backend=? AND next_at<?)"),
        ("next poll", "ix_tasks_polls (backend=? AND next_at>?)"),
        ("open attempts", "ix_attempts_open (backend=?)"),
        ("unknown attempts", "ix_attempts_watched"),
        ("watched attempts", "ix_attempts_watched (started_at>?)"),
    ],
)
async def test_statement_reads_what_it_is_about_alone(connection: sqlite3.Connection, name: str, index: str) -> None:
    """Due polls must not hide a due step, nor a long history the few rows that are open."""
    tx = PlanningTx(connection)
    await _HOT[name](tx)

    assert index in tx.steps[0]


async def test_inserts_read_nothing_but_their_parents(connection: sqlite3.Connection) -> None:
    tx = PlanningTx(connection)
    key = a_key()
    task = a_task(key.id)
    delivery = a_delivery(task)
    await keys.insert_key(tx, key)
    await tasks.insert_task(tx, task)
    await attempts.insert_attempt(tx, an_attempt(task.id))
    await assets.insert_asset(tx, an_asset(task.id))
    await deliveries.insert_delivery(tx, delivery)
    await limits.take_rate_token(tx, bucket="b", per_minute=60, now_ms=NOW)

    assert tx.steps == []
    await deliveries.record_attempt(
        tx,
        DeliveryAttempt(delivery_id=delivery.id, number=1, started_at_ms=NOW, elapsed_ms=1, status=200, error=None),
        state=DeliveryState.DELIVERED,
        next_at_ms=None,
    )
    assert [step for step in tx.steps if _is_slow(step)] == []
