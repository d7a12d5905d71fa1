"""A submission whose answer was lost: found by the vendor's handle or failed and listed, never sent again."""

import dataclasses

from tests.unit.workflow.conftest import DEADLINE_MS, Theatre
from understudy.backends.base import Ambiguous, Failed, Finished, Running, Traits, Vanished
from understudy.db import attempts
from understudy.domain.errors import FailCode
from understudy.domain.ids import TaskId
from understudy.domain.records import AttemptState
from understudy.domain.task import Stage, State
from understudy.workflow.watch import watch_abandoned

HANDLE = Traits(first_poll_seconds=1, poll_seconds=1, reconcile_seconds=30)


async def _states(theatre: Theatre, task_id: TaskId) -> list[AttemptState]:
    return [attempt.state for attempt in await theatre.attempts(task_id)]


async def test_a_lost_job_that_the_upstream_lists_is_adopted(theatre: Theatre) -> None:
    theatre.paid.traits = HANDLE
    theatre.paid.on_submit, theatre.paid.on_find = [Ambiguous("reset")], [None, None, "job-7"]
    task_id = await theatre.accept(backend=theatre.paid)
    task = await theatre.play(task_id, seconds=25)

    assert (task.state, task.stage) == (State.PROCESSING, Stage.AWAIT)
    [attempt] = await theatre.attempts(task_id)
    assert (attempt.state, attempt.job_id) == (AttemptState.SUBMITTED, "job-7")
    assert len(theatre.paid.submitted) == 1


async def test_what_is_looked_for_is_what_was_submitted(theatre: Theatre) -> None:
    theatre.paid.traits = HANDLE
    theatre.paid.on_submit = [Ambiguous("reset")]
    await theatre.play(await theatre.accept(backend=theatre.paid), seconds=2)

    sent, lost = theatre.paid.submitted[0], theatre.paid.looked_for[0]
    assert (lost.attempt_id, lost.prompt, lost.wanted, lost.generate) == (
        sent.attempt_id,
        sent.prompt,
        sent.wanted,
        sent.generate,
    )


async def test_a_job_that_belongs_to_another_attempt_is_named_as_taken(theatre: Theatre) -> None:
    theatre.paid.traits, theatre.paid.places = HANDLE, 10
    theatre.paid.on_submit = ["job-1", Ambiguous("reset")]
    await theatre.play(await theatre.accept(backend=theatre.paid), seconds=1)
    await theatre.play(await theatre.accept(backend=theatre.paid), seconds=2)

    assert theatre.paid.looked_for[0].taken == {"job-1"}


async def test_a_lost_job_that_is_never_found_fails_after_its_time_and_stays_unknown(theatre: Theatre) -> None:
    theatre.paid.traits = HANDLE
    theatre.paid.on_submit = [Ambiguous("reset"), "job-2"]
    task_id = await theatre.accept(backend=theatre.paid)
    early = await theatre.play(task_id, seconds=25)
    late = await theatre.play(task_id, seconds=15)

    assert early.state is State.PENDING
    assert late.fail_code is FailCode.GENERATION_FAILED
    assert await _states(theatre, task_id) == [AttemptState.UNKNOWN]
    assert len(theatre.paid.submitted) == 1


async def test_a_webhook_that_comes_before_the_search_ends_brings_the_job(theatre: Theatre) -> None:
    theatre.paid.traits = HANDLE
    theatre.paid.on_submit = [Ambiguous("reset")]
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.play(task_id, seconds=3)
    [attempt] = await theatre.attempts(task_id)
    await theatre.parts.database.transact(
        lambda tx: attempts.keep_job_id(tx, attempt_id=attempt.id, job_id="job-from-webhook")
    )
    task = await theatre.play(task_id, seconds=10)

    assert task.stage is Stage.AWAIT
    [adopted] = await theatre.attempts(task_id)
    assert (adopted.state, adopted.job_id) == (AttemptState.SUBMITTED, "job-from-webhook")


async def test_without_an_address_for_webhooks_the_search_is_given_up_after_a_minute(theatre: Theatre) -> None:
    theatre.paid.traits = dataclasses.replace(HANDLE, reconcile_seconds=900, webhooks=True)
    theatre.paid.on_submit = [Ambiguous("reset")]
    task_id = await theatre.accept(backend=theatre.paid)

    assert (await theatre.play(task_id, seconds=70)).fail_code is FailCode.GENERATION_FAILED


async def test_each_attempt_gives_the_upstream_an_address_of_its_own(theatre: Theatre) -> None:
    theatre.paid.places = 10
    object.__setattr__(theatre.parts, "called_back", frozenset({"paid"}))
    for _ in range(2):
        await theatre.play(await theatre.accept(backend=theatre.paid), seconds=1)

    first, second = theatre.paid.submitted
    assert first.webhook_url is not None
    assert first.attempt_id in first.webhook_url
    assert first.webhook_url != second.webhook_url


async def test_a_paid_film_that_comes_after_the_deadline_is_recorded_and_the_task_stays_failed(
    theatre: Theatre,
) -> None:
    theatre.paid.cancels = False
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(task_id)
    theatre.clock.now_ms += DEADLINE_MS
    await theatre.play(task_id, seconds=1)
    abandoned = await _states(theatre, task_id)
    theatre.paid.on_poll = [Running(50), Finished()]

    assert await watch_abandoned(theatre.parts) == 0
    assert await watch_abandoned(theatre.parts) == 1
    assert await watch_abandoned(theatre.parts) == 0
    assert abandoned == [AttemptState.ABANDONED]
    assert await _states(theatre, task_id) == [AttemptState.LATE]
    assert (await theatre.task(task_id)).fail_code is FailCode.PROCESSING_TIMEOUT


async def test_an_abandoned_job_that_fails_is_watched_no_more(theatre: Theatre) -> None:
    theatre.paid.cancels = False
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(task_id)
    theatre.clock.now_ms += DEADLINE_MS
    await theatre.play(task_id, seconds=1)
    theatre.paid.on_poll = [Failed(FailCode.GENERATION_FAILED, "No.")]

    assert await watch_abandoned(theatre.parts) == 0
    assert await _states(theatre, task_id) == [AttemptState.FAILED]


async def test_an_abandoned_job_that_is_not_found_once_is_asked_for_again(theatre: Theatre) -> None:
    theatre.paid.traits = dataclasses.replace(HANDLE, vanish_after=3)
    theatre.paid.cancels = False
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(task_id)
    theatre.clock.now_ms += DEADLINE_MS
    await theatre.play(task_id, seconds=1)
    theatre.paid.on_poll = [Vanished(), Finished()]

    assert await watch_abandoned(theatre.parts) == 0
    assert await watch_abandoned(theatre.parts) == 1


async def test_an_unknown_job_that_turns_up_after_its_task_failed_is_recorded_as_late(theatre: Theatre) -> None:
    theatre.paid.traits = HANDLE
    theatre.paid.on_submit = [Ambiguous("reset")]
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.play(task_id, seconds=50)
    theatre.paid.on_find, theatre.paid.on_poll = ["job-9"], [Finished()]

    assert await watch_abandoned(theatre.parts) == 1
    [attempt] = await theatre.attempts(task_id)
    assert (attempt.state, attempt.job_id) == (AttemptState.LATE, "job-9")


async def test_a_job_is_called_gone_only_after_so_many_polls_found_none(theatre: Theatre) -> None:
    theatre.paid.traits = dataclasses.replace(HANDLE, vanish_after=3)
    theatre.paid.on_poll = [Vanished(), Vanished(), Running(5), Vanished(), Vanished(), Vanished()]
    task_id = await theatre.accept(backend=theatre.paid)
    early = await theatre.play(task_id, seconds=5)
    late = await theatre.play(task_id, seconds=5)

    assert early.state is State.PROCESSING
    assert late.fail_code is FailCode.GENERATION_FAILED
