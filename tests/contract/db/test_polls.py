"""Tasks whose jobs are asked about many at a time."""

from functools import partial

from tests.contract.db.rows import NOW, add_key, add_task, an_attempt, fetch_task
from understudy.db import attempts, polls, tasks
from understudy.db.base import Database, Tx
from understudy.db.polls import DuePoll, RescheduledPoll
from understudy.domain.ids import KeyId, new_attempt_id
from understudy.domain.records import AttemptState
from understudy.domain.task import Stage, State, Task


async def _add(
    database: Database,
    key_id: KeyId | None = None,
    *,
    job_id: str | None = "job",
    backend: str = "fal",
    **changes: object,
) -> Task:
    """Add a task in stage `await` with its attempt."""
    attempt_id = new_attempt_id()
    task = await add_task(
        database,
        key_id,
        stage=Stage.AWAIT,
        state=State.PROCESSING,
        backend=backend,
        attempt_id=attempt_id,
        **changes,
    )
    attempt = an_attempt(task.id, id=attempt_id, state=AttemptState.SUBMITTED, job_id=job_id, backend=backend)
    await database.transact(lambda tx: attempts.insert_attempt(tx, attempt))
    return task


async def _due(database: Database, *, backend: str = "fal", limit: int = 10) -> list[DuePoll]:
    return await database.read(partial(polls.due_polls, backend=backend, now_ms=NOW, limit=limit))


async def _reschedule(database: Database, *changes: RescheduledPoll) -> None:
    await database.transact(lambda tx: polls.reschedule_polls(tx, changes))


async def test_due_poll_has_all_that_asking_needs(database: Database) -> None:
    task = await _add(database, claim=3, next_at_ms=NOW - 1, job_id="job 1")

    assert await _due(database) == [
        DuePoll(
            task_id=task.id,
            claim=3,
            attempt_id=task.attempt_id,
            job_id="job 1",
            deadline_at_ms=task.deadline_at_ms,
            next_at_ms=NOW - 1,
        )
    ]


async def test_due_polls_come_longest_due_first(database: Database) -> None:
    key = await add_key(database)
    late, now, latest = [await _add(database, key.id, next_at_ms=NOW - wait) for wait in (5, 0, 10)]
    await _add(database, key.id, next_at_ms=NOW + 1)

    assert [poll.task_id for poll in await _due(database)] == [latest.id, late.id, now.id]
    assert [poll.task_id for poll in await _due(database, limit=1)] == [latest.id]


async def test_each_backend_has_polls_of_its_own(database: Database) -> None:
    key = await add_key(database)
    mine = await _add(database, key.id, backend="fal")
    await _add(database, key.id, backend="replicate")

    assert [poll.task_id for poll in await _due(database, backend="fal")] == [mine.id]
    assert await _due(database, backend="openrouter") == []


async def test_only_stage_await_is_polled(database: Database) -> None:
    key = await add_key(database)
    for stage in (Stage.PREPARE, Stage.SUBMIT, Stage.COLLECT, Stage.FINISH):
        await add_task(database, key.id, stage=stage, backend="fal")

    assert await _due(database) == []
    assert await database.read(polls.backends_with_open_polls) == []


async def test_job_whose_id_is_not_known_is_polled_all_the_same(database: Database) -> None:
    task = await _add(database, job_id=None)

    assert [(poll.task_id, poll.job_id) for poll in await _due(database)] == [(task.id, None)]


async def test_task_whose_attempt_is_gone_is_not_forgotten(database: Database) -> None:
    """A row that is broken must still come up, or its task would never end."""
    key = await add_key(database)
    nameless = await add_task(
        database, key.id, stage=Stage.AWAIT, state=State.PROCESSING, backend="fal", next_at_ms=NOW - 1
    )
    dangling = await add_task(
        database, key.id, stage=Stage.AWAIT, state=State.PROCESSING, backend="fal", attempt_id=new_attempt_id()
    )

    assert [poll.task_id for poll in await _due(database)] == [nameless.id, dangling.id]


async def test_next_poll_is_the_earliest_of_that_backend_after_the_time(database: Database) -> None:
    key = await add_key(database)
    for wait in (-5, 20, 10):
        await _add(database, key.id, next_at_ms=NOW + wait)
    await _add(database, key.id, backend="replicate", next_at_ms=NOW + 1)
    await add_task(database, key.id, stage=Stage.SUBMIT, backend="fal", next_at_ms=NOW + 1)

    assert await database.read(partial(polls.next_poll_due_at, backend="fal", after_ms=NOW)) == NOW + 10
    assert await database.read(partial(polls.next_poll_due_at, backend="fal", after_ms=NOW + 20)) is None
    assert await database.read(partial(polls.next_poll_due_at, backend="fal")) == NOW - 5


async def test_backends_with_open_polls_are_each_named_once(database: Database) -> None:
    key = await add_key(database)
    for backend in ("replicate", "fal", "fal", "openrouter", "replicate"):
        await _add(database, key.id, backend=backend, next_at_ms=NOW + 99)

    assert await database.read(polls.backends_with_open_polls) == ["fal", "openrouter", "replicate"]


async def test_many_polls_are_rescheduled_together(database: Database) -> None:
    key = await add_key(database)
    added = [await _add(database, key.id, progress=50) for _ in range(30)]
    await _reschedule(
        database,
        *(RescheduledPoll(task.id, 0, NOW + number, 40 + number) for number, task in enumerate(added, start=1)),
    )
    found = [await fetch_task(database, task.id) for task in added]

    assert [task.next_at_ms for task in found] == [NOW + number for number in range(1, 31)]
    assert [task.progress for task in found] == [max(50, 40 + number) for number in range(1, 31)]


async def test_progress_that_was_not_told_stays(database: Database) -> None:
    task = await _add(database, progress=50)
    await _reschedule(database, RescheduledPoll(task.id, 0, NOW + 9, None))
    found = await fetch_task(database, task.id)

    assert (found.progress, found.next_at_ms) == (50, NOW + 9)


async def test_rescheduling_nothing_is_nothing(database: Database) -> None:
    task = await _add(database)
    await _reschedule(database)

    assert await fetch_task(database, task.id) == task


async def test_task_that_was_taken_over_moved_on_or_ended_is_left_as_it_is(database: Database) -> None:
    key = await add_key(database)
    taken, moved, ended, mine = [await _add(database, key.id) for _ in range(4)]

    async def meanwhile(tx: Tx) -> None:
        await tasks.raise_claim(tx, task_id=taken.id)
        await tasks.move_task(
            tx,
            task_id=moved.id,
            claim=0,
            from_stage=Stage.AWAIT,
            to_stage=Stage.COLLECT,
            state=State.PROCESSING,
            next_at_ms=NOW,
        )
        await tasks.end_task(tx, task_id=ended.id, claim=0, state=State.FAILED, completed_at_ms=NOW)

    await database.transact(meanwhile)
    before = [await fetch_task(database, task.id) for task in (taken, moved, ended)]
    await _reschedule(database, *(RescheduledPoll(task.id, 0, NOW + 9, 99) for task in (taken, moved, ended, mine)))

    assert [await fetch_task(database, task.id) for task in (taken, moved, ended)] == before
    assert (await fetch_task(database, mine.id)).next_at_ms == NOW + 9


async def test_polls_and_other_work_can_be_looked_for_apart(database: Database) -> None:
    key = await add_key(database)
    await _add(database, key.id, next_at_ms=NOW - 9)
    await _add(database, key.id, next_at_ms=NOW + 1)
    step = await add_task(database, key.id, stage=Stage.COLLECT, state=State.PROCESSING, next_at_ms=NOW)
    await add_task(database, key.id, stage=Stage.SUBMIT, next_at_ms=NOW + 5)
    ended = await add_task(database, key.id, next_at_ms=NOW)
    await database.transact(
        lambda tx: tasks.end_task(tx, task_id=ended.id, claim=0, state=State.FAILED, completed_at_ms=NOW)
    )

    assert await database.read(partial(tasks.due_tasks, now_ms=NOW, limit=1, polls=False)) == [(step.id, NOW)]
    assert await database.read(partial(tasks.next_task_due_at, after_ms=NOW, polls=False)) == NOW + 5
    assert await database.read(partial(tasks.next_task_due_at, after_ms=NOW)) == NOW + 1
