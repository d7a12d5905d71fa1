"""The ledger of submissions."""

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
    attempt = await _add(database, an_attempt(task.id, job_id="job", ended_at_ms=NOW, detail="lost 🙈"))

    assert await _get(database, attempt) == attempt


async def test_setting_keeps_what_is_not_given(database: Database) -> None:
    attempt = await _add(database, an_attempt((await add_task(database)).id))
    await database.transact(
        lambda tx: attempts.set_attempt(
            tx, attempt_id=attempt.id, state=AttemptState.SUBMITTED, job_id="job-1", detail="queued"
        )
    )
    await database.transact(
        lambda tx: attempts.set_attempt(tx, attempt_id=attempt.id, state=AttemptState.SUCCEEDED, ended_at_ms=NOW + 5)
    )

    found = await _get(database, attempt)
    assert found is not None
    assert (found.state, found.job_id, found.detail, found.ended_at_ms) == (
        AttemptState.SUCCEEDED,
        "job-1",
        "queued",
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
