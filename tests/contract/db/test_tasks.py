"""Task rows: what is written is read, only the holder of the claim writes, and the end is the end."""

from functools import partial

import pytest

from tests.contract.db.rows import NOW, REQUEST, a_task, add_key, add_task, fetch_task
from understudy.db import tasks
from understudy.db.base import Database, Tx
from understudy.domain.catalogue import Mode
from understudy.domain.errors import FailCode
from understudy.domain.ids import AttemptId, TaskId, new_task_id
from understudy.domain.request import GenerationRequest
from understudy.domain.status import TaskStatus
from understudy.domain.task import Stage, State, Task


async def _end(database: Database, task_id: TaskId, *, claim: int = 0, state: State = State.FAILED) -> bool:
    async def body(tx: Tx) -> bool:
        ended = await tasks.end_task(
            tx,
            task_id=task_id,
            claim=claim,
            state=state,
            completed_at_ms=NOW + 5000,
            result_urls=("https://example.com/a.mp4",) if state is State.SUCCESS else (),
            fail_code=FailCode.GENERATION_FAILED if state is State.FAILED else None,
            fail_message="It failed." if state is State.FAILED else None,
        )
        return ended is not None

    return await database.transact(body)


async def _move(database: Database, task: Task, *, claim: int = 0, from_stage: Stage = Stage.PREPARE) -> bool:
    return await database.transact(
        lambda tx: tasks.move_task(
            tx,
            task_id=task.id,
            claim=claim,
            from_stage=from_stage,
            to_stage=Stage.SUBMIT,
            state=State.PENDING,
            next_at_ms=NOW + 7,
        )
    )


async def test_task_is_read_as_it_was_inserted(database: Database) -> None:
    key = await add_key(database)
    request = GenerationRequest(
        mode=Mode.IMAGE_TO_VIDEO,
        prompt="雨の中の猫 🐈 \"quoted\" \\ 'n' \u2028 %s $1 :x",
        seconds=12,
        resolution="1080p",
        image_url="https://example.com/cat.png",
        callback_url="https://example.com/callback",
    )
    task = a_task(key.id, request=request, progress=0, attempt_id=AttemptId("att_1"))
    await database.transact(lambda tx: tasks.insert_task(tx, task))

    assert await fetch_task(database, task.id) == task


async def test_prompt_may_be_as_long_as_the_contract_allows(database: Database) -> None:
    request = GenerationRequest(mode=Mode.TEXT_TO_VIDEO, prompt="🐈" * 5000, seconds=4, size=REQUEST.size)
    task = await add_task(database, request=request)

    assert (await fetch_task(database, task.id)).request == request


async def test_unknown_task_is_none(database: Database) -> None:
    task_id = new_task_id()

    assert await database.read(lambda reader: tasks.get_task(reader, task_id=task_id)) is None
    assert await database.read(lambda reader: tasks.get_status(reader, task_id=task_id)) is None


async def test_status_of_a_success_names_its_results(database: Database) -> None:
    task = await add_task(database)
    await _end(database, task.id, state=State.SUCCESS)

    assert await database.read(lambda reader: tasks.get_status(reader, task_id=task.id)) == TaskStatus(
        id=task.id,
        key_id=task.key_id,
        model="sora-2-pro",
        state=State.SUCCESS,
        created_at_ms=NOW,
        completed_at_ms=NOW + 5000,
        progress=None,
        result_urls=("https://example.com/a.mp4",),
        fail_code=None,
        fail_message=None,
    )


async def test_status_of_a_failure_says_why(database: Database) -> None:
    task = await add_task(database)
    await _end(database, task.id)
    status = await database.read(lambda reader: tasks.get_status(reader, task_id=task.id))

    assert status is not None
    assert (status.state, status.fail_code, status.fail_message, status.result_urls) == (
        State.FAILED,
        FailCode.GENERATION_FAILED,
        "It failed.",
        (),
    )


async def test_move_changes_the_stage_and_keeps_what_is_not_named(database: Database) -> None:
    task = await add_task(database, attempt_id=AttemptId("att_1"), progress=7)

    assert await _move(database, task)
    moved = await fetch_task(database, task.id)
    assert (moved.stage, moved.next_at_ms) == (Stage.SUBMIT, NOW + 7)
    assert (moved.attempt_id, moved.progress, moved.backend) == ("att_1", 7, "animatic")


async def test_move_sets_what_is_named_even_to_none(database: Database) -> None:
    task = await add_task(database, attempt_id=AttemptId("att_1"), progress=7)
    await database.transact(
        lambda tx: tasks.move_task(
            tx,
            task_id=task.id,
            claim=0,
            from_stage=Stage.PREPARE,
            to_stage=Stage.AWAIT,
            state=State.PROCESSING,
            next_at_ms=NOW,
            attempt_id=None,
            progress=None,
            backend="fal",
        )
    )

    moved = await fetch_task(database, task.id)
    assert (moved.attempt_id, moved.progress, moved.backend, moved.state) == (None, None, "fal", State.PROCESSING)


async def test_move_from_another_stage_changes_nothing(database: Database) -> None:
    task = await add_task(database)

    assert not await _move(database, task, from_stage=Stage.AWAIT)
    assert await fetch_task(database, task.id) == task


async def test_whoever_was_overtaken_can_write_nothing(database: Database) -> None:
    task = await add_task(database)
    claim = await database.transact(lambda tx: tasks.raise_claim(tx, task_id=task.id))

    assert claim == 1
    assert not await _move(database, task, claim=0)
    assert not await _reschedule(database, task, claim=0, progress=50)
    assert not await _end(database, task.id, claim=0)
    assert await _end(database, task.id, claim=1)


async def _reschedule(database: Database, task: Task, *, claim: int = 0, progress: int | None = None) -> bool:
    return await database.transact(
        lambda tx: tasks.reschedule_task(
            tx, task_id=task.id, claim=claim, stage=task.stage, next_at_ms=NOW + 9, progress=progress
        )
    )


@pytest.mark.parametrize(
    ("before", "told", "after"), [(None, 10, 10), (10, 20, 20), (20, 10, 20), (20, None, 20), (None, None, None)]
)
async def test_progress_only_grows(database: Database, before: int | None, told: int | None, after: int | None) -> None:
    task = await add_task(database, progress=before)

    assert await _reschedule(database, task, progress=told)
    rescheduled = await fetch_task(database, task.id)
    assert (rescheduled.progress, rescheduled.next_at_ms) == (after, NOW + 9)


async def test_ending_names_the_key_whose_slot_is_free(database: Database) -> None:
    task = await add_task(database)
    key_id = await database.transact(
        lambda tx: tasks.end_task(tx, task_id=task.id, claim=0, state=State.SUCCESS, completed_at_ms=NOW)
    )

    assert key_id == task.key_id


async def test_ended_task_never_changes(database: Database) -> None:
    task = await add_task(database)
    assert await _end(database, task.id)
    ended = await fetch_task(database, task.id)

    assert not await _end(database, task.id, state=State.SUCCESS)
    assert not await _move(database, task)
    assert not await _reschedule(database, task, progress=99)
    assert await database.transact(lambda tx: tasks.raise_claim(tx, task_id=task.id)) is None
    assert await fetch_task(database, task.id) == ended
    assert (ended.stage, ended.next_at_ms) == (Stage.ENDED, None)


async def test_task_never_ends_before_it_began(database: Database) -> None:
    """A clock that went back between the two gives a duration of zero, not a negative one."""
    task = await add_task(database)
    await database.transact(
        lambda tx: tasks.end_task(tx, task_id=task.id, claim=0, state=State.SUCCESS, completed_at_ms=NOW - 60_000)
    )

    assert (await fetch_task(database, task.id)).completed_at_ms == NOW


async def test_idempotency_key_is_found_for_its_own_api_key_alone(database: Database) -> None:
    mine, other = await add_key(database), await add_key(database)
    task = a_task(mine.id)
    fingerprint = bytes(range(32))
    await database.transact(lambda tx: tasks.insert_task(tx, task, idempotency_key="once", fingerprint=fingerprint))

    assert await database.read(
        lambda reader: tasks.find_idempotent(reader, key_id=mine.id, idempotency_key="once")
    ) == (task.id, fingerprint)
    assert (
        await database.read(lambda reader: tasks.find_idempotent(reader, key_id=other.id, idempotency_key="once"))
        is None
    )


async def test_idempotency_keys_are_forgotten_after_their_time(database: Database) -> None:
    key = await add_key(database)
    for number, created_at_ms in enumerate((NOW, NOW + 1)):
        task = a_task(key.id, created_at_ms=created_at_ms)
        await database.transact(
            partial(tasks.insert_task, task=task, idempotency_key=f"key-{number}", fingerprint=b"f" * 32)
        )

    assert await database.transact(lambda tx: tasks.clear_idempotency(tx, accepted_before_ms=NOW + 1)) == 1
    found = [
        await database.read(partial(tasks.find_idempotent, key_id=key.id, idempotency_key=name))
        for name in ("key-0", "key-1")
    ]
    assert [entry is None for entry in found] == [True, False]
