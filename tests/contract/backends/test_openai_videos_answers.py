"""What servers with `/v1/videos` answer (`upstreams.md` §2), and what is made of it: tolerance, but no guesses."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import Stage, stage_for
from tests.support.upstream import Answer, Mishap, Plan, ScriptedUpstream, answered, html, json_answer, status
from tests.support.upstream.openai_videos import OpenAIVideos, Profile
from understudy.backends.base import (
    Ambiguous,
    BackendError,
    BadInput,
    CollectFailed,
    Failed,
    Finished,
    PollFailed,
    Refused,
    Running,
    Unusable,
    Vanished,
)
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode

PROFILES: tuple[Profile, ...] = ("generic", "vllm-omni", "sglang")


@contextlib.asynccontextmanager
async def _open(profile: Profile, folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    async with ScriptedUpstream(OpenAIVideos(profile)) as upstream, stage_for(upstream, folder, **settings) as stage:
        yield stage


async def _sent(stage: Stage) -> str:
    """vLLM-Omni wants no model named."""
    wanted = replace(stage.wanted(seconds=4, size=Size(720, 1280), picture=False), model="")
    return await stage.backend.submit(stage.request(wanted))


# What comes back ------------------------------------------------------------------------------------------------

JOB = {"id": "video_7", "object": "video"}
POLLS: list[tuple[int, object, object]] = [
    (200, {**JOB, "status": "queued"}, Running(None)),
    (200, {**JOB, "status": "in_progress", "progress": 42}, Running(42)),
    (200, {**JOB, "status": "IN_PROGRESS", "progress": "42%"}, Running(42)),
    (200, {**JOB, "status": "processing", "progress": 41.9}, Running(41)),
    (200, {**JOB, "status": "running", "progress": -1}, Running(None)),
    (200, {**JOB, "status": "running", "progress": 1e300}, Running(None)),
    (200, {**JOB, "status": "running", "progress": {}}, Running(None)),
    (200, {**JOB, "status": "completed"}, Finished()),
    (200, {"task_id": "video_7", "status": "SUCCESS"}, Finished()),
    (202, {**JOB, "status": "succeeded"}, Finished()),
    (200, {"status": "error", "message": "internal"}, PollFailed),
    (200, {**JOB, "status": 3}, PollFailed),
    (200, {**JOB}, PollFailed),
    (200, {**JOB, "status": "failed"}, FailCode.GENERATION_FAILED),
    (200, {**JOB, "status": "failed", "error": {"message": "CUDA"}}, FailCode.GENERATION_FAILED),
    (200, {**JOB, "status": "failed", "error": "the output was flagged"}, FailCode.CONTENT_VIOLATION),
    (200, {**JOB, "status": "failed", "error": {"code": "moderation_blocked"}}, FailCode.CONTENT_VIOLATION),
    (200, {**JOB, "status": "failed", "error": {"code": 400, "message": "nsfw"}}, FailCode.CONTENT_VIOLATION),
    (200, {**JOB, "status": "failed", "error": ["?"]}, FailCode.GENERATION_FAILED),
    (200, {**JOB, "status": "cancelled"}, FailCode.GENERATION_FAILED),
    (200, {**JOB, "status": "expired"}, FailCode.GENERATION_FAILED),
    (500, {**JOB, "status": "failed", "error": {"code": 500, "message": "CUDA"}}, FailCode.GENERATION_FAILED),
    (402, {**JOB, "status": "failed", "error": {"code": 402, "message": "x"}}, FailCode.GENERATION_FAILED),
    (404, {**JOB, "status": "failed", "error": {"code": 404, "message": "x"}}, FailCode.GENERATION_FAILED),
    (500, {"id": "another", "status": "failed"}, PollFailed),
    (404, {"detail": "Video not found"}, Vanished()),
    (404, {"error": {"message": "No such video", "code": None}}, Vanished()),
    (410, {"error": "gone"}, Vanished()),
    (401, {"status": "error", "message": "who are you"}, Unusable),
    (405, {"detail": "Method Not Allowed"}, PollFailed),
]


@pytest.mark.parametrize(("code", "body", "meaning"), POLLS)
async def test_the_job_is_believed_before_the_http_status(
    code: int, body: object, meaning: object, tmp_path: Path
) -> None:
    async with _open("generic", tmp_path) as stage:
        stage.upstream.always("poll", answered(json_answer(body, code), name="poll", acts=False))

        came = await stage.tried(stage.backend.poll("video_7"))

    if isinstance(came, Failed):
        assert came.code is meaning
    elif isinstance(came, BackendError):
        assert type(came) is meaning
    else:
        assert came == meaning


async def test_a_front_servers_page_does_not_mean_that_the_job_is_gone(tmp_path: Path) -> None:
    async with _open("generic", tmp_path) as stage:
        stage.upstream.always("poll", html(404))

        assert type(await stage.error_of(stage.backend.poll("video_7"))) is PollFailed


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_failed_job_is_read_in_each_servers_form(profile: Profile, tmp_path: Path) -> None:
    async with _open(profile, tmp_path) as stage:
        stage.upstream.plan(Plan(mishap=Mishap.FAILS), Plan(mishap=Mishap.REFUSED))
        failed = await stage.poll_until(await _sent(stage), Failed)
        refused = await stage.poll_until(await _sent(stage), Failed)

    assert isinstance(failed, Failed)
    assert isinstance(refused, Failed)
    assert (failed.code, refused.code) == (FailCode.GENERATION_FAILED, FailCode.CONTENT_VIOLATION)
    assert "CUDA out of memory" in failed.detail


LITELLM = "Invalid request format: litellm.InternalServerError: Hosted_vllmException - Failed to send bytes"
SUBMISSIONS: list[tuple[int, object, type[BackendError]]] = [
    (400, {"error": {"message": LITELLM, "type": "invalid_request_error"}}, Ambiguous),
    (400, {"error": {"message": "x", "code": "content_policy_violation"}}, Refused),
    (400, {"detail": "Guardrail: unsafe content, moderation"}, Refused),
    (400, {"code": "prohibited_content", "message": "x", "data": None}, Refused),
    (422, {"detail": [{"loc": ["body", "size"], "msg": "must look like WxH", "input": "nsfw"}]}, BadInput),
    (400, {"error": "size"}, BadInput),
    (404, {"detail": "Not Found"}, Unusable),
    (403, {"error": {"message": "insufficient_user_quota", "code": 7}}, Unusable),
]


@pytest.mark.parametrize(("code", "body", "verdict"), SUBMISSIONS)
async def test_a_refusal_is_read_in_each_servers_form(
    code: int, body: object, verdict: type[BackendError], tmp_path: Path
) -> None:
    """FastAPI's list of errors repeats the input: a prompt of the caller's must not decide whose fault it is."""
    async with _open("generic", tmp_path) as stage:
        stage.upstream.always("submit", answered(json_answer(body, code), name="no", acts=False))

        assert type(await stage.error_of(stage.submit())) is verdict


# Collecting -----------------------------------------------------------------------------------------------------


async def test_a_file_that_is_late_is_waited_for(tmp_path: Path) -> None:
    async with _open("generic", tmp_path, content_wait_seconds=5) as stage:
        job_id = await stage.finished()
        stage.upstream.script("download", status(404))

        assert await stage.collected(job_id) == stage.upstream.film
        targets = [request.target for request in stage.upstream.calls("download")]
    assert targets == [f"/v1/videos/{job_id}/content"] * 2, "no variant: SGLang reads it as a number"


async def test_a_file_that_never_comes_is_waited_for_no_longer_than_told(tmp_path: Path) -> None:
    async with _open("generic", tmp_path, content_wait_seconds=0) as stage:
        job_id = await stage.finished()
        stage.upstream.always("download", status(404))

        assert isinstance(await stage.error_of(stage.collected(job_id)), CollectFailed)
        assert len(stage.upstream.calls("download")) == 1


@pytest.mark.parametrize(
    "place",
    [
        {"url": "{file}"},
        {"urls": ["{file}", "http://127.0.0.1:1/other"]},
        {"video_url": "{file}"},
        {"metadata": {"url": "{file}"}},
        {"video": {"url": "{file}"}},
        {"output": {"video_url": "{file}"}},
        {"url": None, "urls": [], "metadata": {"url": "{file}"}},
        {"url": "/v1/videos/{job}/content"},
        {"url": "", "file_path": "/srv/outputs/7.mp4", "metadata": "none"},
    ],
)
async def test_the_film_is_found_where_the_job_says(place: dict[str, object], tmp_path: Path) -> None:
    async with _open("generic", tmp_path) as stage:
        job_id = await stage.finished()
        file = f"{stage.upstream.file_address}/files/{job_id}/0.mp4"
        text = json.dumps(place).replace("{file}", file).replace("{job}", job_id)
        body = {**JOB, "status": "completed", **json.loads(text)}
        stage.upstream.always("poll", answered(json_answer(body), name="done", acts=True))

        assert await stage.collected(job_id) == stage.upstream.film


async def test_an_address_that_is_none_is_hopeless(tmp_path: Path) -> None:
    async with _open("generic", tmp_path) as stage:
        job_id = await stage.finished()
        body = {**JOB, "status": "completed", "url": "http://[::1"}
        stage.upstream.always("poll", answered(json_answer(body), name="done", acts=True))
        error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert error.hopeless


# Stopping, checking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("profile", "stopped"), [("generic", False), ("vllm-omni", True), ("sglang", False)])
async def test_only_vllm_omni_stops_a_running_job(profile: Profile, stopped: bool, tmp_path: Path) -> None:
    async with _open(profile, tmp_path) as stage:
        assert await stage.backend.cancel(await _sent(stage)) is stopped


@pytest.mark.parametrize("code", [404, 405, 409])
async def test_a_server_that_cannot_cancel_says_so(code: int, tmp_path: Path) -> None:
    """LiteLLM has no DELETE; vLLM-Omni answers 409 while it is at it."""
    async with _open("vllm-omni", tmp_path) as stage:
        stage.upstream.always("cancel", answered(Answer(code), name="no", acts=False))

        assert await stage.backend.cancel("video_7") is False


async def test_check_asks_the_list_of_jobs_where_there_is_no_list_of_models(tmp_path: Path) -> None:
    async with _open("generic", tmp_path) as stage:
        named = await stage.backend.check()
        stage.upstream.always("check", answered(Answer(404), name="none", acts=False))
        unnamed = await stage.backend.check()

        assert (named, unnamed) == ("answers; serves ltx-2.5", "answers")
        assert stage.upstream.requests[-1].target == "/v1/videos?limit=1"


async def test_the_traits_are_honest_about_lost_answers(tmp_path: Path) -> None:
    seconds = {}
    for profile in PROFILES:
        async with _open(profile, tmp_path, repeat_lost=True) as stage:
            assert stage.backend.traits.free_to_repeat
            seconds[profile] = stage.backend.traits.reconcile_seconds

    assert seconds == {"generic": 30, "vllm-omni": 30, "sglang": 0}
