"""What is Runway's own: the longest prompt, two entrances, what its 400s and failure codes mean, who pays a cancel."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import NAME, Stage, open_stage
from tests.support.upstream import Fault, Plan, answered, json_answer, status
from understudy.backends.base import (
    Ambiguous,
    BackendError,
    BadInput,
    CannotPlay,
    Failed,
    Finished,
    Refused,
    Running,
    Unusable,
    Wanted,
)
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode

WIDE = Size(1280, 720)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage("runway", tmp_path) as stage:
        yield stage


def wanted(model: str = "seedance2", size: Size = WIDE, seconds: int = 4, *, picture: bool = False) -> Wanted:
    return Wanted(model=model, size=size, seconds=seconds, picture=picture)


def refused(error: str, *issues: tuple[str, str]) -> Fault:
    found = [{"code": "custom", "path": [field], "message": message} for field, message in issues]
    return answered(json_answer({"error": error, "issues": found}, 400), name=error, acts=False)


def record(**fields: Any) -> Fault:
    return answered(json_answer({"id": "a", "createdAt": "2026-11-22T12:00:00Z", **fields}), name="record", acts=True)


def last_body(stage: Stage) -> dict[str, Any]:
    return stage.upstream.calls("submit")[-1].table()


@pytest.mark.parametrize(
    ("model", "prompt", "taken"),
    [
        ("gen4.5", "a" * 1000, True),
        ("gen4.5", "a" * 1001, False),
        ("gen4.5", "🎬" * 500, True),
        ("gen4.5", "🎬" * 501, False),
        ("seedance2", "a" * 3500, True),
    ],
)
async def test_a_prompt_is_measured_as_runway_measures_it(stage: Stage, model: str, prompt: str, taken: bool) -> None:
    """In UTF-16 code units, before anything is sent: another backend may take the task."""
    request = replace(stage.request(wanted(model)), prompt=prompt)

    if taken:
        await stage.backend.submit(request)
    else:
        with pytest.raises(BadInput):
            await stage.backend.submit(request)

    assert stage.submissions() == taken


async def test_a_first_frame_has_its_own_entrance_and_a_position(stage: Stage) -> None:
    await stage.backend.submit(stage.request(wanted()))
    await stage.backend.submit(stage.request(wanted(picture=True)))

    assert [request.path for request in stage.upstream.calls("submit")] == ["/v1/text_to_video", "/v1/image_to_video"]
    assert [picture["position"] for picture in last_body(stage)["promptImage"]] == ["first"]


async def test_a_first_frame_that_is_too_large_is_not_sent(stage: Stage) -> None:
    request = stage.request(wanted(picture=True))
    assert request.picture is not None
    request.picture.write_bytes(b"\xff\xd8\xff" + bytes(4 * 1024**2))

    with pytest.raises(BadInput, match="the first frame has 4194307 bytes"):
        await stage.backend.submit(request)

    assert stage.submissions() == 0


async def test_a_model_is_sent_only_what_it_takes(stage: Stage) -> None:
    """The scripted upstream refuses `audio` and `seed` where the types have none."""
    for model in ("gen4.5", "seedance2", "veo3.1", "gemini_omni_flash_1.1"):
        await stage.backend.submit(stage.request(wanted(model)))

    sent = [set(request.table()) & {"audio", "seed"} for request in stage.upstream.calls("submit")]
    assert sent == [{"seed"}, {"audio", "seed"}, {"audio", "seed"}, set()]


@pytest.mark.parametrize(
    ("film", "generated"),
    [
        (wanted(), WIDE),
        (wanted(size=Size(1792, 1024), seconds=12), Size(1920, 1080)),
        (wanted(size=Size(1024, 1792), seconds=15), Size(1080, 1920)),
        (wanted("veo3.1", Size(1080, 1920), 8), Size(1080, 1920)),
        (wanted("seedance2_fast", Size(480, 854)), Size(496, 864)),
        (wanted("gen4_turbo", Size(960, 960), picture=True), Size(960, 960)),
    ],
)
def test_the_nearest_size_that_a_model_makes_is_generated(stage: Stage, film: Wanted, generated: Size) -> None:
    assert stage.backend.fit(film).size == generated


@pytest.mark.parametrize(
    ("unplayable", "sentence"),
    [
        (wanted("veo3.1", seconds=12), "veo3.1 makes films of 4, 6 or 8 seconds, not of 12"),
        (wanted("gen4.5", seconds=12), "gen4.5 makes films of 2 to 10 seconds, not of 12"),
        (wanted("gen4_turbo"), "gen4_turbo makes films from a first frame only"),
        (wanted("gen4.5", Size(960, 960)), "gen4.5 makes films of 1280*720, 720*1280: 960*960 is larger or of another"),
        (wanted("gen4.5", Size(1024, 1792), 10), "1024*1792 is larger or of another shape"),
        (wanted("seedance2_5", Size(1920, 1080), 30), "1920*1080 is larger or of another shape"),
        (wanted("kling_9"), f"set durations in [backends.{NAME}]"),
    ],
)
def test_what_a_model_cannot_make_is_told_beforehand(stage: Stage, unplayable: Wanted, sentence: str) -> None:
    with pytest.raises(CannotPlay) as caught:
        stage.backend.fit(unplayable)

    assert sentence in str(caught.value)


async def test_another_model_is_played_once_its_powers_are_told(tmp_path: Path) -> None:
    async with open_stage("runway", tmp_path, model="kling_9", durations=[5, 10], sizes=["1440:1440"]) as stage:
        square = wanted("", Size(1024, 1024), 10)

        assert stage.backend.fit(square).size == Size(1440, 1440)
        # Runway no longer knows that model: the operator must act.
        with pytest.raises(Unusable):
            await stage.backend.submit(stage.request(square))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refused("You do not have enough credits to run this task."), Unusable),
        (refused("Validation of body failed", ("model", "Invalid input")), Unusable),
        (refused("Validation of body failed", ("ratio", "Invalid option: sensitive")), BadInput),
        (refused("Validation of body failed", ("contentModeration", "Invalid")), BadInput),
        # Runway says that these may be sent again; that nothing was created it does not say.
        (status(502), Ambiguous),
        (status(503), Ambiguous),
    ],
    ids=str,
)
async def test_a_refused_submission_tells_who_must_act(stage: Stage, fault: Fault, kind: type[BackendError]) -> None:
    stage.upstream.script("submit", fault)

    with pytest.raises(BackendError) as caught:
        await stage.submit()

    assert type(caught.value) is kind


async def test_a_first_frame_that_is_refused_is_the_callers_to_know(stage: Stage) -> None:
    fault = refused("Validation of body failed", ("promptImage", "Asset aspect ratio must be at most 2"))
    stage.upstream.script("submit", fault)

    with pytest.raises(Refused) as caught:
        await stage.backend.submit(stage.request(wanted(picture=True)))

    assert caught.value.code is FailCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    ("code", "fail_code"),
    [
        ("SAFETY.INPUT.TEXT", FailCode.CONTENT_VIOLATION),
        ("SAFETY.OUTPUT.VIDEO", FailCode.CONTENT_VIOLATION),
        ("INPUT_PREPROCESSING.SAFETY.TEXT", FailCode.CONTENT_VIOLATION),
        ("INPUT_PREPROCESSING.SAFETY.THIRD_PARTY", FailCode.CONTENT_VIOLATION),
        ("INPUT_PREPROCESSING.IMAGE", FailCode.UNSUPPORTED_FORMAT),
        ("ASSET.INVALID", FailCode.UNSUPPORTED_FORMAT),
        ("INPUT_PREPROCESSING.INTERNAL", FailCode.GENERATION_FAILED),
        ("INTERNAL.BAD_OUTPUT.CODE01", FailCode.GENERATION_FAILED),
        ("THIRD_PARTY.UNAVAILABLE", FailCode.GENERATION_FAILED),
        (None, FailCode.GENERATION_FAILED),
    ],
)
async def test_a_failure_code_tells_why(stage: Stage, code: str | None, fail_code: FailCode) -> None:
    job_id = await stage.submit()
    stage.upstream.script("poll", record(status="FAILED", failure="It failed.", failureCode=code))

    ended = await stage.backend.poll(job_id)

    assert isinstance(ended, Failed)
    assert ended.code is fail_code


async def test_progress_is_a_percentage(stage: Stage) -> None:
    job_id = await stage.submit()
    stage.upstream.script("poll", record(status="RUNNING", progress=0.37), record(status="RUNNING", progress="much"))

    assert await stage.backend.poll(job_id) == Running(37)
    assert await stage.backend.poll(job_id) == Running(None)


async def test_a_cancelled_job_is_free_only_if_it_was_still_waiting(stage: Stage) -> None:
    """Runway gives the credits back for a job that had not begun, and tells so in the job's cost."""
    stage.upstream.plan(Plan(polls=5), Plan(polls=5))
    waiting, running = await stage.submit(), await stage.submit()
    await stage.backend.poll(running)
    await stage.backend.poll(running)

    assert await stage.backend.cancel(waiting) is True
    assert await stage.backend.cancel(running) is False
    assert stage.upstream.jobs[running].cancelled


async def test_a_cancelled_job_that_is_gone_may_have_been_billed(stage: Stage) -> None:
    stage.upstream.plan(Plan(polls=5))
    job_id = await stage.submit()
    gone = answered(json_answer({"error": "Task not found."}, 404), name="gone", acts=False)
    stage.upstream.script("poll", record(status="PENDING"), gone)

    assert await stage.backend.cancel(job_id) is False


async def test_a_finished_film_is_not_deleted_by_a_cancel(stage: Stage) -> None:
    job_id = await stage.submit()
    await stage.poll_until(job_id, Finished)

    assert await stage.backend.cancel(job_id) is False
    assert stage.upstream.calls("cancel") == []


async def test_every_call_names_the_version(stage: Stage) -> None:
    await stage.finished()
    await stage.backend.check()

    assert {request.headers["x-runway-version"] for request in stage.upstream.requests} == {"2024-11-06"}


async def test_check_tells_the_credits(stage: Stage) -> None:
    assert await stage.backend.check() == "answers; 4321 credits left"
