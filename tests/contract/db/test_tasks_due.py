"""What is to be done next, and who waits."""

from tests.contract.db.rows import NOW, add_key, add_task, fetch_task
from understudy.db import tasks
from understudy.db.base import Database
from understudy.domain.ids import TaskId, new_task_id
from understudy.domain.task import Stage, State


async def _end(database: Database, task_id: TaskId) -> None:
    await database.transact(
        lambda tx: tasks.end_task(tx, task_id=task_id, claim=0, state=State.SUCCESS, completed_at_ms=NOW)
    )


async def test_due_tasks_come_longest_due_first(database: Database) -> None:
    late = await add_task(database, next_at_ms=NOW - 5)
    now = await add_task(database, next_at_ms=NOW)
    latest = await add_task(database, next_at_ms=NOW - 10)
    await add_task(database, next_at_ms=NOW + 1)

    due = await database.read(lambda reader: tasks.due_tasks(reader, now_ms=NOW, limit=10))
    assert due == [(latest.id, NOW - 10), (late.id, NOW - 5), (now.id, NOW)]


async def test_excluded_tasks_do_not_use_up_the_limit(database: Database) -> None:
    running = await add_task(database, next_at_ms=NOW - 9)
    waiting = await add_task(database, next_at_ms=NOW - 8)

    due = await database.read(lambda reader: tasks.due_tasks(reader, now_ms=NOW, limit=1, exclude={running.id}))
    assert due == [(waiting.id, NOW - 8)]


async def test_ended_task_is_not_due(database: Database) -> None:
    task = await add_task(database, next_at_ms=NOW)
    await _end(database, task.id)

    assert await database.read(lambda reader: tasks.due_tasks(reader, now_ms=NOW, limit=10)) == []
    assert await database.read(tasks.next_task_due_at) is None


async def test_next_due_time_is_the_earliest(database: Database) -> None:
    await add_task(database, next_at_ms=NOW + 20)
    await add_task(database, next_at_ms=NOW + 10)

    assert await database.read(tasks.next_task_due_at) == NOW + 10


async def test_overdue_tasks_are_those_due_before_the_line(database: Database) -> None:
    forgotten = await add_task(database, next_at_ms=NOW - 1)
    await add_task(database, next_at_ms=NOW)

    overdue = await database.read(lambda reader: tasks.overdue_tasks(reader, before_ms=NOW, limit=10))
    assert overdue == [(forgotten.id, NOW - 1)]


async def test_waking_takes_the_earliest_created_of_that_backend_and_stage(database: Database) -> None:
    key = await add_key(database)
    third = await add_task(database, key.id, stage=Stage.SUBMIT, created_at_ms=NOW + 3, next_at_ms=NOW + 50)
    first = await add_task(database, key.id, stage=Stage.SUBMIT, created_at_ms=NOW + 1, next_at_ms=NOW + 99)
    second = await add_task(database, key.id, stage=Stage.SUBMIT, created_at_ms=NOW + 2, next_at_ms=NOW + 98)
    await add_task(database, key.id, stage=Stage.SUBMIT, backend="fal", next_at_ms=NOW + 50)
    await add_task(database, key.id, stage=Stage.PREPARE, next_at_ms=NOW + 50)

    woken = await database.transact(
        lambda tx: tasks.wake_waiting(tx, backend="animatic", stage=Stage.SUBMIT, limit=2, now_ms=NOW)
    )
    assert woken == [first.id, second.id]
    assert (await fetch_task(database, first.id)).next_at_ms == NOW
    assert (await fetch_task(database, third.id)).next_at_ms == NOW + 50


async def test_task_that_is_due_already_is_not_woken(database: Database) -> None:
    await add_task(database, stage=Stage.SUBMIT, next_at_ms=NOW)

    assert (
        await database.transact(
            lambda tx: tasks.wake_waiting(tx, backend="animatic", stage=Stage.SUBMIT, limit=9, now_ms=NOW)
        )
        == []
    )


async def _wake(database: Database, task_id: TaskId, *stages: Stage) -> bool:
    return await database.transact(lambda tx: tasks.wake_task(tx, task_id=task_id, now_ms=NOW, stages=stages))


async def test_waking_one_task_makes_it_due_now(database: Database) -> None:
    task = await add_task(database, stage=Stage.SUBMIT, next_at_ms=NOW + 50)
    other = await add_task(database, stage=Stage.SUBMIT, next_at_ms=NOW + 50)

    assert await _wake(database, task.id, Stage.AWAIT, Stage.SUBMIT)
    assert (await fetch_task(database, task.id)).next_at_ms == NOW
    assert await fetch_task(database, other.id) == other


async def test_waking_does_not_send_a_task_that_is_due_to_the_end_of_the_line(database: Database) -> None:
    task = await add_task(database, stage=Stage.SUBMIT, next_at_ms=NOW - 50)

    assert await _wake(database, task.id, Stage.SUBMIT)
    assert (await fetch_task(database, task.id)).next_at_ms == NOW - 50


async def test_task_in_another_stage_or_ended_is_not_woken(database: Database) -> None:
    task = await add_task(database, stage=Stage.PREPARE, next_at_ms=NOW + 50)
    ended = await add_task(database, next_at_ms=NOW)
    await _end(database, ended.id)

    assert not await _wake(database, task.id, Stage.SUBMIT, Stage.AWAIT)
    assert not await _wake(database, ended.id, *Stage)
    assert not await _wake(database, new_task_id(), *Stage)
    assert await fetch_task(database, task.id) == task


async def test_open_tasks_are_counted_by_state(database: Database) -> None:
    key = await add_key(database)
    await add_task(database, key.id)
    await add_task(database, key.id)
    await add_task(database, key.id, stage=Stage.AWAIT, state=State.PROCESSING)
    await _end(database, (await add_task(database, key.id)).id)

    assert await database.read(tasks.count_open) == {State.PENDING: 2, State.PROCESSING: 1}


async def test_states_without_tasks_count_zero(database: Database) -> None:
    assert await database.read(tasks.count_open) == {State.PENDING: 0, State.PROCESSING: 0}
