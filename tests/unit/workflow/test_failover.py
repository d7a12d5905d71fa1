"""Several routes for one task: another one is asked only where it is proved that nothing was created."""

import pytest

from tests.unit.workflow.conftest import Theatre
from understudy.backends.base import Ambiguous, BadInput, Busy, Failed, NotCreated, Refused, Unusable
from understudy.domain.errors import FailCode
from understudy.domain.records import AttemptState
from understudy.domain.task import Stage, State


@pytest.mark.parametrize(
    "error", [NotCreated("no connection"), Busy("429"), Unusable("401: key refused"), BadInput("400: model mismatch")]
)
async def test_a_task_fails_over_at_once_where_nothing_was_created(theatre: Theatre, error: Exception) -> None:
    theatre.paid.on_submit = [error]
    task_id = await theatre.accept(model="both")
    task = await theatre.play(task_id, seconds=1)

    assert (task.state, task.stage, task.backend) == (State.PROCESSING, Stage.AWAIT, "spare")
    rows = {(attempt.backend, attempt.state, attempt.model) for attempt in await theatre.attempts(task_id)}
    assert rows == {("paid", AttemptState.NOT_CREATED, ""), ("spare", AttemptState.SUBMITTED, "spare/1")}


@pytest.mark.parametrize("error", [Ambiguous("answer lost"), TimeoutError()])
async def test_an_unknown_outcome_is_never_failed_over(theatre: Theatre, error: Exception) -> None:
    theatre.paid.on_submit = [error]
    task = await theatre.play(await theatre.accept(model="both"), seconds=10)

    assert task.fail_code is FailCode.GENERATION_FAILED
    assert theatre.spare.submitted == []


async def test_a_content_refusal_is_final_and_asked_of_nobody_else(theatre: Theatre) -> None:
    theatre.paid.on_submit = [Refused(FailCode.CONTENT_VIOLATION, "Not this.")]
    task = await theatre.play(await theatre.accept(model="both"), seconds=3)

    assert task.fail_code is FailCode.CONTENT_VIOLATION
    assert theatre.spare.submitted == []


async def test_bad_input_on_every_route_fails_the_task_after_one_call_each(theatre: Theatre) -> None:
    theatre.paid.on_submit = [BadInput("400")]
    theatre.spare.on_submit = [BadInput("400")]
    task = await theatre.play(await theatre.accept(model="both"), seconds=30)

    assert task.fail_code is FailCode.GENERATION_FAILED
    assert (len(theatre.paid.submitted), len(theatre.spare.submitted)) == (1, 1)


async def test_a_route_that_refused_the_input_is_not_asked_again_while_another_is_waited_for(theatre: Theatre) -> None:
    theatre.paid.on_submit = [BadInput("400")]
    theatre.spare.on_submit = [NotCreated("away"), "job-2"]
    task_id = await theatre.accept(model="both")
    task = await theatre.play(task_id, seconds=30)

    assert task.stage is Stage.AWAIT
    assert len(theatre.paid.submitted) == 1


async def test_repeated_faults_open_the_circuit_and_the_stand_in_takes_over_without_a_call(theatre: Theatre) -> None:
    theatre.paid.on_submit = [NotCreated("no connection")]
    theatre.spare.places = 100
    for _ in range(8):
        await theatre.story().advance(await theatre.accept(model="both"))

    assert len(theatre.paid.submitted) == 5
    assert len(theatre.spare.submitted) == 8
    assert (await theatre.circuit("paid")).reason == "no connection"


async def test_content_refusals_and_bad_input_never_open_the_circuit(theatre: Theatre) -> None:
    refusals: list[str | Exception] = [Refused(FailCode.CONTENT_VIOLATION, "No."), BadInput("400")]
    theatre.paid.on_submit = [*refusals * 15, "job"]
    for _ in range(30):
        await theatre.play(await theatre.accept(backend=theatre.paid), seconds=1)

    assert len(theatre.paid.submitted) == 30
    assert (await theatre.circuit("paid")).open_until_ms is None


async def test_a_refused_key_opens_at_once_and_tasks_wait_pending(theatre: Theatre) -> None:
    theatre.paid.on_submit = [Unusable("status 401")]
    first = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(first)
    second = await theatre.accept(backend=theatre.paid)
    await theatre.story().advance(second)

    assert len(theatre.paid.submitted) == 1
    assert (await theatre.task(first)).state is State.PENDING
    assert await theatre.attempts(second) == []


async def test_after_its_rest_one_probe_is_admitted_and_its_success_frees_the_others(theatre: Theatre) -> None:
    theatre.paid.places = 100
    theatre.paid.on_submit = [Unusable("status 402"), "job-1"]
    tasks = [await theatre.accept(backend=theatre.paid) for _ in range(4)]
    story = theatre.story()
    for task_id in tasks:
        await story.advance(task_id)
    theatre.clock.now_ms += 301_000
    for _ in range(60):
        for task_id in tasks:
            await story.advance(task_id)
        theatre.clock.now_ms += 1000

    assert [(await theatre.task(task_id)).stage for task_id in tasks] == [Stage.AWAIT] * 4
    assert (await theatre.circuit("paid")).open_until_ms is None


async def test_too_many_requests_slow_the_backend_down_and_lose_no_task(theatre: Theatre) -> None:
    theatre.paid.places = 100
    theatre.paid.on_submit = [Busy("429", retry_after_seconds=20), Busy("429"), "job"]
    tasks = [await theatre.accept(backend=theatre.paid) for _ in range(3)]
    story = theatre.story()
    for task_id in tasks:
        await story.advance(task_id)
    calls_at_first = len(theatre.paid.submitted)
    for _ in range(120):
        for task_id in tasks:
            await story.advance(task_id)
        theatre.clock.now_ms += 1000

    assert calls_at_first == 1
    assert [(await theatre.task(task_id)).stage for task_id in tasks] == [Stage.AWAIT] * 3


async def test_jobs_that_keep_failing_open_the_circuit_too(theatre: Theatre) -> None:
    theatre.paid.places = 100
    theatre.paid.on_poll = [Failed(FailCode.GENERATION_FAILED, "No.", "CUDA out of memory")]
    for _ in range(30):
        await theatre.play(await theatre.accept(backend=theatre.paid), seconds=3)

    assert (await theatre.circuit("paid")).reason == "CUDA out of memory"


async def test_a_backend_with_a_bound_never_has_more_open_jobs(theatre: Theatre) -> None:
    theatre.paid.places = 100
    object.__setattr__(theatre.paid.traits, "max_jobs", 2)
    tasks = [await theatre.accept(backend=theatre.paid) for _ in range(5)]
    for task_id in tasks:
        await theatre.story().advance(task_id)

    stages = [(await theatre.task(task_id)).stage for task_id in tasks]
    assert (stages.count(Stage.AWAIT), stages.count(Stage.SUBMIT)) == (2, 3)
