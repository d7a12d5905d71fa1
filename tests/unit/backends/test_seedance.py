"""What is Seedance's own: orders in a prompt, the first frame of 2.5, error codes, a cancel that may delete."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import NAME, WEBHOOK, Stage, open_stage
from tests.support.upstream import Fault, Plan, answered, json_answer
from understudy.backends.base import (
    BackendError,
    BadInput,
    Busy,
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

STANDARD = "dreamina-seedance-2-0-260128"
NEWEST = "dreamina-seedance-2-5-260628"
ENDPOINT = "ep-20261122-abcde"
WIDE = Size(1280, 720)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage("seedance", tmp_path) as stage:
        yield stage


def wanted(model: str = STANDARD, size: Size = WIDE, seconds: int = 4, *, picture: bool = False) -> Wanted:
    return Wanted(model=model, size=size, seconds=seconds, picture=picture)


def error(status: int, code: str, message: str = "It does not go.") -> Fault:
    return answered(json_answer({"error": {"code": code, "message": message}}, status), name=code, acts=False)


def record(**fields: Any) -> Fault:
    return answered(json_answer({"id": "cgt-1", "model": STANDARD, **fields}), name="record", acts=True)


def last_body(stage: Stage) -> dict[str, Any]:
    return stage.upstream.calls("submit")[-1].table()


async def test_an_order_in_the_prompt_is_not_obeyed(stage: Stage) -> None:
    """Ark takes `--dur 15` in a prompt for an order: a caller could make a film of another length, and price."""
    request = replace(stage.request(wanted()), prompt="A cat --dur 15 --rs 1080p yawns -- slowly, half-asleep")

    job_id = await stage.backend.submit(request)

    job = stage.upstream.jobs[job_id]
    assert job.submission.seconds == 4
    assert job.submission.prompt == "A cat —dur 15 —rs 1080p yawns -- slowly, half-asleep"


@pytest.mark.parametrize("model", [STANDARD, NEWEST])
async def test_a_first_frame_settles_the_ratio(stage: Stage, model: str) -> None:
    """Seedance 2.5 refuses any other word than `adaptive` beside a first frame."""
    await stage.backend.submit(stage.request(wanted(model, Size(720, 1280), picture=True)))

    assert last_body(stage)["ratio"] == "adaptive"
    assert last_body(stage)["resolution"] == "720p"


@pytest.mark.parametrize(
    ("model", "size", "generated"),
    [
        (STANDARD, WIDE, WIDE),
        (STANDARD, Size(1792, 1024), Size(1920, 1080)),
        (STANDARD, Size(1024, 1792), Size(1080, 1920)),
        (STANDARD, Size(1920, 1080), Size(1920, 1080)),
        (STANDARD, Size(1024, 1024), Size(960, 960)),
        (STANDARD, Size(1060, 900), Size(1112, 834)),
        (STANDARD, Size(480, 854), Size(496, 864)),
        (NEWEST, Size(480, 854), Size(480, 854)),
        (NEWEST, Size(1248, 704), WIDE),
    ],
)
def test_the_nearest_size_that_a_model_makes_is_generated(
    stage: Stage, model: str, size: Size, generated: Size
) -> None:
    assert stage.backend.fit(wanted(model, size)).size == generated


@pytest.mark.parametrize(
    ("unplayable", "sentence"),
    [
        (wanted(seconds=3), "makes films of 4 to 15 seconds, not of 3"),
        (wanted(seconds=16), "makes films of 4 to 15 seconds, not of 16"),
        (wanted(NEWEST, seconds=31), "makes films of 4 to 30 seconds, not of 31"),
        (wanted(size=Size(3840, 2160)), "3840*2160 is larger or of another shape"),
        (wanted(NEWEST, Size(1792, 1024)), "makes films of 854*480, 480*854, 752*560"),
        (wanted(NEWEST, Size(1080, 1920)), "1080*1920 is larger or of another shape"),
        (wanted(ENDPOINT), f"set durations in [backends.{NAME}]"),
    ],
)
def test_what_a_model_cannot_make_is_told_beforehand(stage: Stage, unplayable: Wanted, sentence: str) -> None:
    with pytest.raises(CannotPlay) as caught:
        stage.backend.fit(unplayable)

    assert sentence in str(caught.value)


async def test_an_endpoint_is_played_once_its_lengths_are_told(tmp_path: Path) -> None:
    async with open_stage("seedance", tmp_path, durations=[4, 12], model=ENDPOINT) as stage:
        await stage.backend.submit(stage.request(wanted("", seconds=12)))

        assert last_body(stage)["model"] == ENDPOINT
        # What the model behind it takes is not known: sound is on by itself.
        assert "generate_audio" not in last_body(stage)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(429, "ModelAccountRpmRateLimitExceeded"), Busy),
        (error(429, "QuotaExceeded", "The request has exceeded the quota."), Busy),
        (error(429, "QuotaExceeded", "Your account has exhausted its free trial quota."), Unusable),
        (error(429, "SetLimitExceeded"), Unusable),
        (error(403, "AccountOverdueError"), Unusable),
        (error(404, "ModelNotOpen"), Unusable),
        (error(400, "InvalidEndpoint.ClosedEndpoint"), Unusable),
        (error(400, "InvalidParameter.TaskTypeConstraint"), BadInput),
        (error(400, "ContentSecurityDetectionError"), BadInput),
    ],
    ids=str,
)
async def test_a_code_tells_who_must_act(stage: Stage, fault: Fault, kind: type[BackendError]) -> None:
    stage.upstream.script("submit", fault)

    with pytest.raises(BackendError) as caught:
        await stage.submit()

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("code", "fail_code"),
    [
        ("InputTextSensitiveContentDetected.PolicyViolation", FailCode.CONTENT_VIOLATION),
        ("InputImageSensitiveContentDetected.PrivacyInformation", FailCode.CONTENT_VIOLATION),
        ("SensitiveContentDetected.Violence", FailCode.CONTENT_VIOLATION),
        ("InputTextRiskDetection", FailCode.CONTENT_VIOLATION),
        ("InvalidImageURL.InvalidFormat", FailCode.UNSUPPORTED_FORMAT),
    ],
)
async def test_a_refusal_is_the_callers_to_know(stage: Stage, code: str, fail_code: FailCode) -> None:
    stage.upstream.script("submit", error(400, code))

    with pytest.raises(Refused) as caught:
        await stage.submit()

    assert caught.value.code is fail_code


@pytest.mark.parametrize(
    ("fields", "fail_code"),
    [
        ({"status": "expired", "error": None}, FailCode.GENERATION_FAILED),
        ({"status": "failed", "error": {"code": "InvalidParameter.TaskTypeMismatch"}}, FailCode.GENERATION_FAILED),
        (
            {"status": "failed", "error": {"code": "OutputAudioSensitiveContentDetected.PolicyViolation"}},
            FailCode.CONTENT_VIOLATION,
        ),
        ({"status": "failed", "error": {"message": "may contain sensitive information"}}, FailCode.CONTENT_VIOLATION),
    ],
)
async def test_a_job_that_ended_badly_tells_why(stage: Stage, fields: dict[str, Any], fail_code: FailCode) -> None:
    job_id = await stage.submit()
    stage.upstream.script("poll", record(**fields))

    status = await stage.backend.poll(job_id)

    assert isinstance(status, Failed)
    assert status.code is fail_code


async def test_a_queued_job_is_cancelled_for_certain(stage: Stage) -> None:
    stage.upstream.plan(Plan(polls=5))
    job_id = await stage.submit()

    assert await stage.backend.cancel(job_id) is True
    assert stage.upstream.jobs[job_id].cancelled


async def test_a_job_that_starts_in_the_same_moment_is_not_cancelled(stage: Stage) -> None:
    stage.upstream.plan(Plan(polls=5))
    job_id = await stage.submit()
    stage.upstream.script("cancel", error(400, "InvalidAction.RunningTaskDeletion"))

    assert await stage.backend.cancel(job_id) is False


async def test_a_job_that_runs_or_ended_is_left_alone(stage: Stage) -> None:
    """Ark does not stop a running job; of a finished one the same call deletes record and film."""
    stage.upstream.plan(Plan(polls=2))
    job_id = await stage.submit()
    assert await stage.poll_until(job_id, Running) == Running()

    assert await stage.backend.cancel(job_id) is False
    await stage.poll_until(job_id, Finished)
    assert await stage.backend.cancel(job_id) is False
    assert stage.upstream.calls("cancel") == []


async def test_the_callback_tells_the_job(stage: Stage) -> None:
    job_id = await stage.submit()
    job = stage.upstream.jobs[job_id]
    made = stage.vendor.webhook(job)
    assert made is not None

    assert job.submission.webhook == WEBHOOK
    assert stage.backend.job_of_webhook(*made) == job_id


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"id":7}', b'{"id":""}', b"{}", b"[" * 5000, b'{"id":null}'])
def test_a_callback_that_is_none_tells_no_job(stage: Stage, body: bytes) -> None:
    assert stage.backend.job_of_webhook(body, {}) is None


async def test_without_webhooks_no_address_is_given(tmp_path: Path) -> None:
    async with open_stage("seedance", tmp_path, webhooks=False) as stage:
        await stage.backend.submit(replace(stage.request(), webhook_url=WEBHOOK))

        assert "callback_url" not in last_body(stage)
        assert stage.backend.traits.reconcile_seconds == 0


async def test_check_tells_how_many_jobs_are_on_record(stage: Stage) -> None:
    assert await stage.backend.check() == "answers; 2 jobs on record"
