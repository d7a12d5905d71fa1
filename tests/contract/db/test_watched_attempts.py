"""Attempts whose outcome is open: what the server still watches, and what an operator has dealt with."""

from functools import partial

import pytest

from tests.contract.db.rows import NOW, add_key, add_task, an_attempt
from understudy.db import attempts
from understudy.db.base import Database
from understudy.domain.ids import TaskId, new_attempt_id
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.task import Stage, State


async def _ended(database: Database) -> TaskId:
    task = await add_task(
        database, stage=Stage.ENDED, state=State.FAILED, next_at_ms=None, completed_at_ms=NOW, attempt_id=None
    )
    return task.id


async def _add(database: Database, task_id: TaskId, state: AttemptState, started_at_ms: int = NOW) -> Attempt:
    attempt = an_attempt(task_id, state=state, started_at_ms=started_at_ms)
    await database.transact(lambda tx: attempts.insert_attempt(tx, attempt))
    return attempt


async def _watched(database: Database, *, after_ms: int = NOW - 1000, limit: int = 9) -> list[Attempt]:
    return await database.read(partial(attempts.watched_attempts, started_after_ms=after_ms, limit=limit))


async def _settle(database: Database, attempt: Attempt) -> bool:
    return await database.transact(partial(attempts.settle_attempt, attempt_id=attempt.id, now_ms=NOW + 7))


async def test_abandoned_and_unknown_attempts_of_ended_tasks_are_watched_oldest_first(database: Database) -> None:
    task_id = await _ended(database)
    second = await _add(database, task_id, AttemptState.UNKNOWN, NOW)
    first = await _add(database, task_id, AttemptState.ABANDONED, NOW - 5)

    assert await _watched(database) == [first, second]
    assert await _watched(database, limit=1) == [first]


@pytest.mark.parametrize(
    "state",
    [state for state in AttemptState if state not in (AttemptState.ABANDONED, AttemptState.UNKNOWN, AttemptState.LATE)],
)
async def test_attempt_whose_outcome_is_known_is_not_watched(database: Database, state: AttemptState) -> None:
    await _add(database, await _ended(database), state)

    assert await _watched(database) == []


async def test_unknown_attempt_of_an_open_task_is_that_task_s_business(database: Database) -> None:
    await _add(database, (await add_task(database)).id, AttemptState.UNKNOWN)

    assert await _watched(database) == []


async def test_watching_ends_after_its_time(database: Database) -> None:
    task_id = await _ended(database)
    await _add(database, task_id, AttemptState.ABANDONED, NOW)
    young = await _add(database, task_id, AttemptState.ABANDONED, NOW + 1)

    assert await _watched(database, after_ms=NOW) == [young]


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.ABANDONED, AttemptState.LATE])
async def test_settled_attempt_is_watched_no_more(database: Database, state: AttemptState) -> None:
    attempt = await _add(database, await _ended(database), state)

    assert await _settle(database, attempt)
    assert await _watched(database) == []
    found = await database.read(partial(attempts.get_attempt, attempt_id=attempt.id))
    assert found is not None
    assert (found.state, found.settled_at_ms) == (state, NOW + 7)


@pytest.mark.parametrize(
    "state",
    [state for state in AttemptState if state not in (AttemptState.ABANDONED, AttemptState.UNKNOWN, AttemptState.LATE)],
)
async def test_attempt_whose_outcome_is_known_needs_no_settling(database: Database, state: AttemptState) -> None:
    attempt = await _add(database, await _ended(database), state)

    assert not await _settle(database, attempt)


async def test_settling_twice_or_nothing_says_so(database: Database) -> None:
    task_id = await _ended(database)
    attempt = await _add(database, task_id, AttemptState.UNKNOWN)

    assert await _settle(database, attempt)
    assert not await _settle(database, attempt)
    assert not await _settle(database, an_attempt(task_id, id=new_attempt_id()))


async def test_operator_sees_the_unknown_and_the_settled_apart(database: Database) -> None:
    key = await add_key(database)
    task = await add_task(database, key.id)
    settled = await _add(database, task.id, AttemptState.UNKNOWN, NOW)
    still_open = await _add(database, task.id, AttemptState.UNKNOWN, NOW + 1)
    await _add(database, task.id, AttemptState.ABANDONED, NOW - 1)
    await _settle(database, settled)
    found = [await database.read(partial(attempts.unknown_attempts, limit=9, settled=value)) for value in (False, True)]

    assert [[attempt.id for attempt in listed] for listed in found] == [[still_open.id], [settled.id]]
