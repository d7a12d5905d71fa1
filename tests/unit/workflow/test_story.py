"""The story of a task when a backend misbehaves: never paid twice, always ended, the slot given back once."""

import asyncio

import pytest

from tests.unit.workflow.conftest import DEADLINE_MS, ScriptedBackend, Theatre
from understudy.backends.base import (
    Ambiguous,
    BackendError,
    Busy,
    CollectFailed,
    Failed,
    Finished,
    JobStatus,
    NotCreated,
    Refused,
    Running,
    Vanished,
)
from understudy.db import attempts, tasks
from understudy.domain.errors import FailCode
from understudy.domain.ids import new_attempt_id
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.task import Stage, State
from understudy.storage.base import StorageFull
from understudy.workflow.ending import Ending, end
from understudy.workflow.watch import watch_abandoned


async def test_a_task_is_processing_once_the_backend_has_it_and_tells_its_progress(theatre: Theatre) -> None:
    task_id = await theatre.accept(backend=theatre.paid)
    theatre.paid.on_poll = [Running(10), Running(40), Running(30)]

    await theatre.story().advance(task_id)
    submitted = await theatre.task(task_id)
    later = await theatre.play(task_id, seconds=6)

    assert (submitted.state, submitted.stage) == (State.PROCESSING, Stage.AWAIT)
    assert later.progress == 40


async def test_the_poller_is_told_of_a_new_job(theatre: Theatre) -> None:
    await theatre.story().advance(await theatre.accept(backend=theatre.paid))

    assert theatre.moved


async def test_two_who_carry_one_task_on_in_a_process_run_no_stage_twice(theatre: Theatre) -> None:
    theatre.paid.on_submit = [NotCreated("away")]
    task_id, story = await theatre.accept(backend=theatre.paid), theatre.story()
    await asyncio.gather(*(story.advance(task_id) for _ in range(5)))

    assert len(theatre.paid.submitted) == 1


@pytest.mark.parametrize("error", [Ambiguous("answer lost"), TimeoutError(), ConnectionResetError(), ValueError("bug")])
async def test_a_submission_that_may_have_arrived_is_never_sent_again(theatre: Theatre, error: Exception) -> None:
    theatre.paid.on_submit = [error, "job-2"]
    task_id = await theatre.accept(backend=theatre.paid)
    task = await theatre.play(task_id, seconds=30)

    assert len(theatre.paid.submitted) == 1
    assert (task.state, task.fail_code) == (State.FAILED, FailCode.GENERATION_FAILED)
    assert [attempt.state for attempt in await theatre.attempts(task_id)] == [AttemptState.UNKNOWN]
    assert await theatre.active() == 0
    assert theatre.paid.places == 1


async def _crash_during_submission(theatre: Theatre, backend: ScriptedBackend) -> Attempt:
    """Leave the rows as a process does that died between recording the attempt and hearing of its job."""
    task_id = await theatre.accept(backend=backend)
    backend.places = 0
    await theatre.story().advance(task_id)
    task = await theatre.task(task_id)
    attempt = Attempt(
        id=new_attempt_id(),
        task_id=task_id,
        backend=backend.name,
        state=AttemptState.SUBMITTING,
        request_sha256="0" * 64,
        started_at_ms=theatre.clock(),
    )

    async def commit(tx: object) -> None:
        await attempts.insert_attempt(tx, attempt)  # type: ignore[arg-type] # a real Tx
        await tasks.move_task(
            tx,  # type: ignore[arg-type] # a real Tx
            task_id=task_id,
            claim=task.claim,
            from_stage=Stage.SUBMIT,
            to_stage=Stage.SUBMIT,
            state=task.state,
            next_at_ms=theatre.clock(),
            attempt_id=attempt.id,
        )

    await theatre.parts.database.transact(commit)
    backend.places = 1
    theatre.clock.now_ms += 1  # attempts are told apart by when they began
    return attempt


async def test_after_a_crash_during_a_paid_submission_nothing_is_sent(theatre: Theatre) -> None:
    attempt = await _crash_during_submission(theatre, theatre.paid)
    task = await theatre.play(attempt.task_id, seconds=5)

    assert theatre.paid.submitted == []
    assert task.fail_code is FailCode.GENERATION_FAILED
    assert [row.state for row in await theatre.attempts(task.id)] == [AttemptState.UNKNOWN]


async def test_after_a_crash_during_a_free_submission_the_film_is_drawn_again(theatre: Theatre) -> None:
    attempt = await _crash_during_submission(theatre, theatre.free)
    task = await theatre.play(attempt.task_id, seconds=1)

    assert len(theatre.free.submitted) == 1
    assert task.stage is Stage.AWAIT
    assert [row.state for row in await theatre.attempts(task.id)] == [AttemptState.LOST, AttemptState.SUBMITTED]


@pytest.mark.parametrize("error", [NotCreated("no connection"), Busy("full", retry_after_seconds=3)])
async def test_what_is_proved_not_to_exist_is_submitted_again_while_the_task_waits(
    theatre: Theatre, error: Exception
) -> None:
    theatre.paid.on_submit = [error, "job-2"]
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(task_id)
    waiting = await theatre.task(task_id)
    task = await theatre.play(task_id, seconds=15)

    assert waiting.state is State.PENDING
    assert task.state is State.PROCESSING
    assert len(theatre.paid.submitted) == 2
    states = [attempt.state for attempt in await theatre.attempts(task_id)]
    assert states == [AttemptState.NOT_CREATED, AttemptState.SUBMITTED]


async def test_a_refusal_fails_with_the_callers_sentence_and_not_the_upstreams(theatre: Theatre) -> None:
    theatre.paid.on_submit = [Refused(FailCode.CONTENT_VIOLATION, "Not this.", detail="upstream said: key sk-1")]
    task = await theatre.play(await theatre.accept(backend=theatre.paid), seconds=2)

    assert (task.fail_code, task.fail_message) == (FailCode.CONTENT_VIOLATION, "Not this.")
    assert theatre.paid.places == 1


async def test_without_a_free_place_a_task_waits_pending_and_no_attempt_is_made(theatre: Theatre) -> None:
    theatre.free.places = 0
    task_id = await theatre.accept(backend=theatre.free)
    task = await theatre.play(task_id, seconds=20)

    assert (task.state, task.stage) == (State.PENDING, Stage.SUBMIT)
    assert await theatre.attempts(task_id) == []


async def test_a_poll_that_fails_is_made_again(theatre: Theatre) -> None:
    theatre.paid.on_poll = [BackendError("503"), Running(50)]
    task = await theatre.play(await theatre.accept(backend=theatre.paid), seconds=10)

    assert (task.state, task.progress) == (State.PROCESSING, 50)


@pytest.mark.parametrize("status", [Vanished(), Failed(FailCode.GENERATION_FAILED, "No.", "it crashed")])
async def test_a_paid_job_that_is_gone_ends_the_task_and_is_not_paid_again(theatre: Theatre, status: JobStatus) -> None:
    theatre.paid.on_poll = [status]
    task_id = await theatre.accept(backend=theatre.paid)
    task = await theatre.play(task_id, seconds=10)

    assert task.state is State.FAILED
    assert len(theatre.paid.submitted) == 1
    assert [attempt.state for attempt in await theatre.attempts(task_id)] == [AttemptState.FAILED]


async def test_a_free_job_that_keeps_dying_is_drawn_three_times_and_then_fails(theatre: Theatre) -> None:
    theatre.free.places = 10
    theatre.free.on_poll = [Vanished()]
    task_id = await theatre.accept(backend=theatre.free)
    task = await theatre.play(task_id, seconds=20)

    assert task.fail_code is FailCode.GENERATION_FAILED
    assert len(theatre.free.submitted) == 3
    assert len({request.seed for request in theatre.free.submitted}) == 1


async def test_a_task_past_its_deadline_fails_and_its_job_is_stopped(theatre: Theatre) -> None:
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(task_id)
    theatre.clock.now_ms += DEADLINE_MS
    task = await theatre.play(task_id, seconds=1)

    assert task.fail_code is FailCode.PROCESSING_TIMEOUT
    assert theatre.paid.cancelled == ["job-1"]
    assert await theatre.active() == 0


async def test_a_task_that_waits_for_a_place_fails_at_its_deadline_too(theatre: Theatre) -> None:
    theatre.free.places = 0
    task_id = await theatre.accept(backend=theatre.free)
    await theatre.story().advance(task_id)
    theatre.clock.now_ms += DEADLINE_MS

    assert (await theatre.play(task_id, seconds=1)).fail_code is FailCode.PROCESSING_TIMEOUT


async def test_a_fault_of_ours_is_tried_five_times_and_then_fails_the_task(theatre: Theatre) -> None:
    theatre.paid.on_poll = [Finished()]
    task_id = await theatre.accept(backend=theatre.paid)
    story = theatre.story()
    early = await theatre.play(task_id, seconds=5, story=story)
    late = await theatre.play(task_id, seconds=40, story=story)

    assert early.stage is Stage.COLLECT
    assert late.fail_code is FailCode.GENERATION_FAILED


async def test_a_paid_job_whose_task_ends_by_a_fault_of_ours_is_watched_on(theatre: Theatre) -> None:
    theatre.paid.on_poll = [Finished()]
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.play(task_id, seconds=45, story=theatre.story())

    assert (await theatre.task(task_id)).state is State.FAILED
    assert [attempt.state for attempt in await theatre.attempts(task_id)] == [AttemptState.ABANDONED]
    assert await watch_abandoned(theatre.parts) == 1


async def test_a_submission_cut_off_by_a_crash_is_listed_although_the_deadline_passed_meanwhile(
    theatre: Theatre,
) -> None:
    attempt = await _crash_during_submission(theatre, theatre.paid)
    theatre.clock.now_ms += DEADLINE_MS
    task = await theatre.play(attempt.task_id, seconds=1)

    assert task.fail_code is FailCode.PROCESSING_TIMEOUT
    assert [row.state for row in await theatre.attempts(task.id)] == [AttemptState.UNKNOWN]


@pytest.mark.parametrize("error", [CollectFailed("503"), StorageFull("no room")])
async def test_a_finished_film_is_fetched_until_the_deadline(theatre: Theatre, error: Exception) -> None:
    theatre.paid.on_poll, theatre.paid.on_collect = [Finished()], error
    task_id = await theatre.accept(backend=theatre.paid)
    early = await theatre.play(task_id, seconds=60)
    theatre.clock.now_ms += DEADLINE_MS
    late = await theatre.play(task_id, seconds=1)

    assert (early.state, early.stage) == (State.PROCESSING, Stage.COLLECT)
    assert late.fail_code is FailCode.PROCESSING_TIMEOUT
    assert len(theatre.paid.submitted) == 1


async def test_an_upstream_that_gives_no_film_again_and_again_is_believed_after_a_minute(theatre: Theatre) -> None:
    theatre.paid.on_poll, theatre.paid.on_collect = [Finished()], CollectFailed("a login page", hopeless=True)
    task_id = await theatre.accept(backend=theatre.paid)
    early = await theatre.play(task_id, seconds=30)
    late = await theatre.play(task_id, seconds=60)

    assert early.stage is Stage.COLLECT
    assert late.fail_code is FailCode.GENERATION_FAILED
    assert [attempt.state for attempt in await theatre.attempts(task_id)] == [AttemptState.FAILED]
    assert len(theatre.paid.submitted) == 1


async def test_a_free_film_that_cannot_be_fetched_is_drawn_again(theatre: Theatre) -> None:
    theatre.free.places = 10
    theatre.free.on_poll, theatre.free.on_collect = [Finished()], CollectFailed("the file is gone")
    task_id = await theatre.accept(backend=theatre.free)
    task = await theatre.play(task_id, seconds=20)

    assert len(theatre.free.submitted) == 3
    assert task.fail_code is FailCode.GENERATION_FAILED


async def test_ending_freezes_the_callback_and_gives_the_slot_back_once(theatre: Theatre) -> None:
    theatre.paid.on_poll = [Failed(FailCode.GENERATION_FAILED, "No.")]
    task_id = await theatre.accept(backend=theatre.paid, callback_url="https://example.com/hook")
    await theatre.accept(backend=theatre.paid)
    await theatre.play(task_id, seconds=5)
    first = await theatre.delivery(task_id)
    await theatre.play(task_id, seconds=5)

    assert first is not None
    assert b'"failMsg":"No."' in first.body
    assert await theatre.delivery(task_id) == first
    assert await theatre.active() == 1
    assert theatre.ended


async def test_two_callers_that_race_for_one_task_end_it_once(theatre: Theatre) -> None:
    theatre.paid.places = 1_000
    for _ in range(50):
        task_id = await theatre.accept(backend=theatre.paid, callback_url="https://example.com/hook")
        theatre.paid.on_poll = [Failed(FailCode.CONTENT_VIOLATION, "No.")]
        one, other = theatre.story(), theatre.story()
        for _ in range(4):
            await asyncio.gather(one.advance(task_id), other.advance(task_id))
            theatre.clock.now_ms += 1000

        assert (await theatre.task(task_id)).state is State.FAILED
        assert await theatre.active() == 0


async def test_a_process_that_was_taken_over_writes_nothing(theatre: Theatre) -> None:
    task_id = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(task_id)
    stale = await theatre.task(task_id)
    await theatre.parts.database.transact(lambda tx: tasks.raise_claim(tx, task_id=task_id))

    ending = Ending(completed_at_ms=theatre.clock(), fail_code=FailCode.GENERATION_FAILED, fail_message="late")
    assert not await end(theatre.parts, stale, ending)
    assert (await theatre.task(task_id)).state is State.PROCESSING
