"""The ledger of submissions."""

from functools import partial

import pytest

from tests.contract.db.rows import NOW, add_key, add_task, an_attempt
from understudy.db import attempts
from understudy.db.base import Database
from understudy.domain.ids import new_attempt_id
from understudy.domain.records import Attempt, AttemptState


async def _add(database: Database, attempt: Attempt) -> Attempt:
    await database.transact(lambda tx: attempts.insert_attempt(tx, attempt))
    return attempt


async def _get(database: Database, attempt: Attempt) -> Attempt | None:
    return await database.read(lambda reader: attempts.get_attempt(reader, attempt_id=attempt.id))


async def test_attempt_is_read_as_it_was_inserted(database: Database) -> None:
    task = await add_task(database)
    attempt = await _add(
        database,
        an_attempt(
            task.id,
            job_id="job",
            ended_at_ms=NOW,
            detail="lost 🙈",
            model="bytedance/seedance-2.0",
            generate_width=1280,
            generate_height=736,
            claim=3,
            remark="generated at 1280x736, scaled and cropped to 1280x720",
            settled_at_ms=NOW + 1,
        ),
    )

    assert await _get(database, attempt) == attempt


async def test_setting_keeps_what_is_not_given(database: Database) -> None:
    attempt = await _add(database, an_attempt((await add_task(database)).id))
    await database.transact(
        lambda tx: attempts.set_attempt(
            tx, attempt_id=attempt.id, state=AttemptState.SUBMITTED, job_id="job-1", detail="queued", remark="cropped"
        )
    )
    await database.transact(
        lambda tx: attempts.set_attempt(tx, attempt_id=attempt.id, state=AttemptState.SUCCEEDED, ended_at_ms=NOW + 5)
    )

    found = await _get(database, attempt)
    assert found is not None
    assert (found.state, found.job_id, found.detail, found.remark, found.ended_at_ms) == (
        AttemptState.SUCCEEDED,
        "job-1",
        "queued",
        "cropped",
        NOW + 5,
    )


async def test_setting_an_unknown_attempt_says_so(database: Database) -> None:
    assert not await database.transact(
        lambda tx: attempts.set_attempt(tx, attempt_id=new_attempt_id(), state=AttemptState.LOST)
    )


async def test_attempts_of_a_task_come_oldest_first(database: Database) -> None:
    key = await add_key(database)
    task = await add_task(database, key.id)
    second = await _add(database, an_attempt(task.id, started_at_ms=NOW + 1))
    first = await _add(database, an_attempt(task.id, started_at_ms=NOW))
    await _add(database, an_attempt((await add_task(database, key.id)).id))

    assert await database.read(lambda reader: attempts.attempts_of(reader, task_id=task.id)) == [first, second]


async def test_unknown_attempts_are_listed_for_the_operator(database: Database) -> None:
    task = await add_task(database)
    later = await _add(database, an_attempt(task.id, state=AttemptState.UNKNOWN, started_at_ms=NOW + 1))
    earlier = await _add(database, an_attempt(task.id, state=AttemptState.UNKNOWN, started_at_ms=NOW))
    await _add(database, an_attempt(task.id, state=AttemptState.NOT_CREATED))

    assert await database.read(lambda reader: attempts.unknown_attempts(reader, limit=9)) == [earlier, later]
    assert await database.read(lambda reader: attempts.unknown_attempts(reader, limit=1)) == [earlier]


@pytest.mark.parametrize("state", AttemptState)
async def test_every_state_can_be_kept(database: Database, state: AttemptState) -> None:
    attempt = await _add(database, an_attempt((await add_task(database)).id))
    await database.transact(partial(attempts.set_attempt, attempt_id=attempt.id, state=state))
    found = await _get(database, attempt)

    assert found is not None
    assert found.state is state


async def test_job_id_is_kept_once_whoever_tells_it_first(database: Database) -> None:
    attempt = await _add(database, an_attempt((await add_task(database)).id))
    told = [
        await database.transact(partial(attempts.keep_job_id, attempt_id=attempt.id, job_id=job_id))
        for job_id in ("job-1", "job-2", "job-1")
    ]
    found = await _get(database, attempt)

    assert told == [True, False, False]
    assert found is not None
    assert (found.job_id, found.state) == ("job-1", AttemptState.SUBMITTING)


async def test_job_id_of_an_unknown_attempt_is_kept_nowhere(database: Database) -> None:
    assert not await database.transact(partial(attempts.keep_job_id, attempt_id=new_attempt_id(), job_id="job"))


async def test_open_attempts_are_counted_for_their_backend(database: Database) -> None:
    task = await add_task(database)
    for state in AttemptState:
        await _add(database, an_attempt(task.id, backend="fal", state=state))
    await _add(database, an_attempt(task.id, backend="replicate", state=AttemptState.SUBMITTED))

    assert await database.read(partial(attempts.count_open, backend="fal")) == 2
    assert await database.read(partial(attempts.count_open, backend="openrouter")) == 0


async def test_job_ids_of_a_backend_are_those_of_all_its_attempts_in_that_time(database: Database) -> None:
    task = await add_task(database)
    for number, state in enumerate(AttemptState):
        await _add(
            database,
            an_attempt(task.id, backend="fal", state=state, job_id=f"job-{number}", started_at_ms=NOW + number),
        )
    await _add(database, an_attempt(task.id, backend="fal", started_at_ms=NOW + 99))
    await _add(database, an_attempt(task.id, backend="replicate", job_id="other", started_at_ms=NOW + 99))

    found = await database.read(partial(attempts.job_ids_of, backend="fal", started_after_ms=NOW + 6))
    assert found == {"job-7", "job-8"}
