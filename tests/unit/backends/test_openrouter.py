"""OpenRouter's own traps; what holds for every backend is in `tests/contract/backends`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.backends.stage import stage_for
from tests.support.upstream import Answer, Mishap, Plan, ScriptedUpstream, answered, json_answer, status
from tests.support.upstream.openrouter import OpenRouter
from understudy.backends.base import (
    Backend,
    CannotPlay,
    Failed,
    Finished,
    JobRequest,
    Refused,
    Running,
    Unusable,
    Wanted,
)
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode
from understudy.domain.ids import new_attempt_id

KLING = "kwaivgi/kling-v3.0-pro"
WAN = "alibaba/wan-2.7"


class SignedOpenRouter(OpenRouter):
    """OpenRouter where it keeps a copy of its own: on another host, behind a signed address."""

    files_at: ClassVar[Literal["cdn", "origin"]] = "cdn"


@asynccontextmanager
async def played(upstream: ScriptedUpstream, work_dir: Path, **settings: Any) -> AsyncIterator[Backend]:
    async with upstream, stage_for(upstream, work_dir, **settings) as stage:
        yield stage.backend


def wanted(model: str = "", size: Size = Size(1280, 720), seconds: int = 8) -> Wanted:  # noqa: B008 - frozen
    return Wanted(model=model, size=size, seconds=seconds, picture=False)


def request(film: Wanted, backend: Backend, seed: int = 7) -> JobRequest:
    return JobRequest(
        attempt_id=new_attempt_id(), prompt="A heron", wanted=film, generate=backend.fit(film).size, seed=seed
    )


@pytest.mark.parametrize(
    ("size", "generated"),
    [
        (Size(1280, 720), Size(1280, 720)),
        (Size(720, 1280), Size(720, 1280)),
        (Size(1792, 1024), Size(1920, 1080)),
        (Size(1024, 1792), Size(1080, 1920)),
        (Size(1080, 1920), Size(1080, 1920)),
    ],
)
async def test_the_resolution_that_is_nearest_to_a_size_is_asked_for(
    size: Size, generated: Size, tmp_path: Path
) -> None:
    async with played(ScriptedUpstream(OpenRouter()), tmp_path) as backend:
        assert backend.fit(wanted(size=size)).size == generated


@pytest.mark.parametrize(
    ("film", "sentence"),
    [
        (wanted(WAN, seconds=12), "alibaba/wan-2.7 makes films of 2 to 10 seconds, not of 12"),
        (wanted("google/veo-3.1", seconds=12), "google/veo-3.1 makes films of 4, 6 or 8 seconds, not of 12"),
        (wanted(KLING, Size(1024, 1792)), f"{KLING} makes films of 1280*720, 720*1280: 1024*1792 is larger"),
        (wanted("acme/new-model"), 'tell its seconds and resolutions in [backends.studio.models."acme/new-model"]'),
    ],
)
async def test_what_a_model_cannot_do_is_said_in_a_sentence(film: Wanted, sentence: str, tmp_path: Path) -> None:
    async with played(ScriptedUpstream(OpenRouter()), tmp_path) as backend:
        with pytest.raises(CannotPlay) as refusal:
            backend.fit(film)

    assert sentence in str(refusal.value)


async def test_a_model_that_the_operator_describes_is_asked_for_nothing_it_may_refuse(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(OpenRouter())
    async with played(upstream, tmp_path, models={"acme/new-model": {"seconds": [4, 8]}}) as backend:
        await backend.submit(request(wanted("acme/new-model"), backend))

        [job] = upstream.jobs.values()
        assert not {"seed", "generate_audio"} & set(job.submission.fields)


async def test_sound_and_seed_are_asked_for_where_the_model_takes_them(tmp_path: Path) -> None:
    """Our seeds have 63 bits, theirs 31."""
    upstream = ScriptedUpstream(OpenRouter())
    async with played(upstream, tmp_path) as backend:
        await backend.submit(request(wanted(), backend, seed=2**63 - 2))
        await backend.submit(request(wanted(KLING), backend))

        seedance, kling = (job.submission.fields for job in upstream.jobs.values())
        assert (seedance["generate_audio"], seedance["seed"]) == (True, 2**31 - 2)
        assert (kling["generate_audio"], "seed" in kling) == (True, False)


async def test_the_403_of_moderation_is_a_refused_prompt_and_not_a_refused_key(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(OpenRouter())
    upstream.script("submit", answered(OpenRouter().refusal(), name="moderation", acts=False), status(403))
    async with played(upstream, tmp_path) as backend:
        with pytest.raises(Refused) as refused:
            await backend.submit(request(wanted(), backend))
        with pytest.raises(Unusable):
            await backend.submit(request(wanted(), backend))

    assert refused.value.code is FailCode.CONTENT_VIOLATION


async def test_the_words_of_the_maker_behind_openrouter_tell_a_refused_prompt(tmp_path: Path) -> None:
    raw = '{"code":"InputTextSensitiveContentDetected"}'
    error = {"code": 400, "message": "Provider returned error", "metadata": {"provider_name": "Seed", "raw": raw}}
    upstream = ScriptedUpstream(OpenRouter())
    upstream.script("submit", answered(json_answer({"error": error}, 400), name="passed-on", acts=False))
    async with played(upstream, tmp_path) as backend:
        with pytest.raises(Refused):
            await backend.submit(request(wanted(), backend))


@pytest.mark.parametrize("word", ["failed", "cancelled", "expired"])
async def test_each_bad_end_is_a_failure(word: str, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(OpenRouter())
    async with played(upstream, tmp_path) as backend:
        job_id = await backend.submit(request(wanted(), backend))
        upstream.script("poll", answered(json_answer({"id": job_id, "status": word}), name=word, acts=True))
        ended = await backend.poll(job_id)

    assert isinstance(ended, Failed)
    assert ended.code is FailCode.GENERATION_FAILED
    assert word in ended.detail


async def test_a_signed_copy_is_fetched_without_the_key(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(SignedOpenRouter(), usual_plan=Plan(polls=0))
    async with played(upstream, tmp_path) as backend:
        job_id = await backend.submit(request(wanted(), backend))
        assert isinstance(await backend.poll(job_id), Finished)
        await backend.collect(job_id, tmp_path / "film.mp4")

        assert (tmp_path / "film.mp4").read_bytes() == upstream.film
        assert all("authorization" not in fetched.headers for fetched in upstream.file_requests)


async def test_where_the_file_is_not_had_the_signed_copy_is(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(OpenRouter(), usual_plan=Plan(polls=0))
    async with played(upstream, tmp_path) as backend:
        job_id = await backend.submit(request(wanted(), backend))
        await backend.poll(job_id)
        addresses = {
            "unsigned_urls": [f"{upstream.address}/api/v1/videos/{job_id}/content?index=0&issue=1"],
            "urls": [f"{upstream.file_address}/files/{job_id}/0.mp4?sig=1"],
        }
        told = json_answer({"id": job_id, "status": "completed", **addresses})
        upstream.script("poll", answered(told, name="both", acts=True))
        upstream.script("download", answered(Answer(502), name="bad-gateway", acts=True))
        await backend.collect(job_id, tmp_path / "film.mp4")

        assert (tmp_path / "film.mp4").read_bytes() == upstream.film


async def test_a_stop_is_not_promised_since_there_is_no_call_for_it(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(OpenRouter(), usual_plan=Plan(mishap=Mishap.NEVER_ENDS))
    async with played(upstream, tmp_path) as backend:
        job_id = await backend.submit(request(wanted(), backend))

        assert await backend.cancel(job_id) is False
        assert isinstance(await backend.poll(job_id), Running)


async def test_doctor_hears_of_credit_and_model(tmp_path: Path) -> None:
    async with played(ScriptedUpstream(OpenRouter()), tmp_path) as backend:
        assert "$12.50 left" in await backend.check()


async def test_doctor_hears_of_a_model_that_is_not_offered(tmp_path: Path) -> None:
    async with played(ScriptedUpstream(OpenRouter()), tmp_path, model="acme/retired") as backend:
        with pytest.raises(Unusable, match="acme/retired is not among the 3 video models"):
            await backend.check()


async def test_webhooks_that_are_switched_off_are_no_handle(tmp_path: Path) -> None:
    async with played(ScriptedUpstream(OpenRouter()), tmp_path, webhooks=False) as backend:
        assert (backend.traits.webhooks, backend.traits.reconcile_seconds) == (False, 0)


async def test_a_strangers_webhook_tells_no_job(tmp_path: Path) -> None:
    values = st.recursive(st.none() | st.integers() | st.text(), lambda deep: st.dictionaries(st.text(), deep))
    near = st.fixed_dictionaries({"type": st.just("video.generation.failed"), "data": values})
    async with played(ScriptedUpstream(OpenRouter()), tmp_path) as backend:

        @given(
            body=st.binary(max_size=200) | values.map(json.dumps).map(str.encode) | near.map(json.dumps).map(str.encode)
        )
        def tell(body: bytes) -> None:
            assert backend.job_of_webhook(body, {}) is None

        tell()
        assert backend.job_of_webhook(b'{"type": "batch.completed", "data": {"id": "batch-1"}}', {}) is None
