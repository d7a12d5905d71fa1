"""Gemini Omni's own traps; what holds for every backend is in `tests/contract/backends`."""

import base64
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import stage_for
from tests.support.upstream import Answer, Mishap, Plan, ScriptedUpstream, answered, endless, json_answer, ok
from tests.support.upstream.gemini_omni import GeminiOmni
from understudy.backends.base import (
    Backend,
    Busy,
    CannotPlay,
    CollectFailed,
    Failed,
    Finished,
    JobRequest,
    JobStatus,
    PollFailed,
    Running,
    Unusable,
    Wanted,
)
from understudy.backends.http import MAX_BODY_BYTES
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode
from understudy.domain.ids import new_attempt_id

LONG_FILM = random.Random(7).randbytes(MAX_BODY_BYTES + 1)  # its base64 ends in "="
AT_ONCE = Plan(polls=0)


@asynccontextmanager
async def played(upstream: ScriptedUpstream, work_dir: Path, **settings: Any) -> AsyncIterator[Backend]:
    async with upstream, stage_for(upstream, work_dir, **{"result_bytes": 64 * 1024**2, **settings}) as stage:
        yield stage.backend


def wanted(model: str = "", size: Size = Size(1280, 720), seconds: int = 12) -> Wanted:  # noqa: B008 - frozen
    return Wanted(model=model, size=size, seconds=seconds, picture=False)


async def submitted(backend: Backend) -> str:
    film = wanted()
    return await backend.submit(
        JobRequest(
            attempt_id=new_attempt_id(), prompt="A heron", wanted=film, generate=backend.fit(film).size, seed=2**62
        )
    )


async def polled_twice(backend: Backend, job_id: str) -> JobStatus:
    """Poll again after an answer of more than 4 MiB: the second in a row is read to its end."""
    try:
        return await backend.poll(job_id)
    except PollFailed:
        return await backend.poll(job_id)


def told(interaction: object) -> Answer:
    """Return the answer of a look at an interaction, in the JSON of a server that escapes what a browser might run."""
    text = json.dumps(interaction).replace("/", "\\/").replace("=", "\\u003d")
    return Answer(200, text.encode(), {"Content-Type": "application/json"})


def finished(*content: object) -> dict[str, object]:
    return {"id": "v1_x", "status": "completed", "steps": [{"type": "model_output", "content": list(content)}]}


@pytest.mark.parametrize("film", [b"a short film", LONG_FILM], ids=["within a call's bound", "beyond it"])
async def test_a_film_inside_the_answer_is_unpacked(film: bytes, tmp_path: Path) -> None:
    """Google gives it so at present although it was ordered as an address."""
    (tmp_path / "work").mkdir()
    upstream = ScriptedUpstream(GeminiOmni(inline=True, film=film), usual_plan=AT_ONCE)
    async with played(upstream, tmp_path / "work") as backend:
        job_id = await submitted(backend)
        assert isinstance(await polled_twice(backend, job_id), Finished)
        await backend.collect(job_id, tmp_path / "film.mp4")

    assert (tmp_path / "film.mp4").read_bytes() == film
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("film", [b"a short film\xff\xfe?", LONG_FILM], ids=["within a call's bound", "beyond it"])
async def test_escapes_in_the_answer_do_not_spoil_the_film(film: bytes, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni(), usual_plan=AT_ONCE)
    async with played(upstream, tmp_path) as backend:
        job_id = await submitted(backend)
        data = base64.b64encode(film).decode()
        upstream.always("poll", answered(told(finished({"type": "video", "data": data})), name="escaped", acts=True))
        await backend.collect(job_id, tmp_path / "film.mp4")

    assert (tmp_path / "film.mp4").read_bytes() == film


@pytest.mark.parametrize(
    "film", [b"\0" * 1500, b"\0" * 5 * 1024**2], ids=["within a call's bound", "beyond a call's bound"]
)
async def test_a_film_inside_the_answer_has_the_bound_of_any_other(film: bytes, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni(inline=True, film=film), usual_plan=AT_ONCE)
    async with played(upstream, tmp_path, result_bytes=1024) as backend:
        job_id = await submitted(backend)
        with pytest.raises(CollectFailed):
            await backend.collect(job_id, tmp_path / "film.mp4")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", ["AAA", "@0:40"], ids=["broken off", "like a place in a file"])
async def test_a_film_that_is_no_base64_is_not_kept(data: str, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni(), usual_plan=AT_ONCE)
    async with played(upstream, tmp_path) as backend:
        job_id = await submitted(backend)
        upstream.always("poll", answered(told(finished({"type": "video", "data": data})), name="spoilt", acts=True))
        with pytest.raises(CollectFailed):
            await backend.collect(job_id, tmp_path / "film.mp4")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [b'{"status": "completed", "steps": "' + b"A" * 5 * 1024**2, b" " * 5 * 1024**2],
    ids=["breaks off", "blank"],
)
async def test_a_long_answer_that_is_no_interaction_is_a_failed_poll(body: bytes, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("poll", answered(Answer(200, body), name="long", acts=True))
    async with played(upstream, tmp_path) as backend:
        job_id = await submitted(backend)
        with pytest.raises(PollFailed):
            await polled_twice(backend, job_id)

    assert list(tmp_path.iterdir()) == []


async def test_one_answer_that_is_too_long_is_no_film_yet(tmp_path: Path) -> None:
    """A server out of order must not fill the disk with each poll."""
    upstream = ScriptedUpstream(GeminiOmni(), usual_plan=Plan(mishap=Mishap.NEVER_ENDS))
    long = answered(Answer(200, b" " * (MAX_BODY_BYTES + 1)), name="long", acts=True)
    upstream.script("poll", long, ok(), long)
    async with played(upstream, tmp_path) as backend:
        job_id = await submitted(backend)
        with pytest.raises(PollFailed):
            await backend.poll(job_id)

        assert isinstance(await backend.poll(job_id), Running)
        with pytest.raises(PollFailed):
            await backend.poll(job_id)

        assert len(upstream.calls("poll")) == 3


async def test_an_answer_without_an_end_is_a_failed_poll(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("poll", endless())
    async with played(upstream, tmp_path, result_bytes=8 * 1024**2) as backend:
        job_id = await submitted(backend)
        with pytest.raises(PollFailed):
            await polled_twice(backend, job_id)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [[], [{"type": "text", "text": "I cannot make that."}]], ids=["empty", "text"])
async def test_an_interaction_that_completes_without_a_film_was_refused(content: list[object], tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("poll", answered(json_answer(finished(*content)), name="no-film", acts=True))
    async with played(upstream, tmp_path) as backend:
        ended = await backend.poll(await submitted(backend))

    assert isinstance(ended, Failed)
    assert ended.code is FailCode.CONTENT_VIOLATION


@pytest.mark.parametrize("word", ["failed", "cancelled", "incomplete", "budget_exceeded", "requires_action"])
async def test_each_end_without_a_film_is_a_failure(word: str, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("poll", answered(json_answer({"id": "v1_x", "status": word}), name=word, acts=True))
    async with played(upstream, tmp_path) as backend:
        ended = await backend.poll(await submitted(backend))

    assert isinstance(ended, Failed)
    assert ended.code is FailCode.GENERATION_FAILED


async def test_an_interaction_that_the_server_continues_by_itself_is_running(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("poll", answered(json_answer({"status": "requires_continuation"}), name="long", acts=True))
    async with played(upstream, tmp_path) as backend:
        assert isinstance(await backend.poll(await submitted(backend)), Running)


@pytest.mark.parametrize("form", ["{address}/v1beta/files/{file}", "{address}/v1beta/files/{file}:download"])
async def test_a_files_name_becomes_the_address_of_its_bytes(form: str, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni(), usual_plan=AT_ONCE)
    async with played(upstream, tmp_path) as backend:
        job_id = await submitted(backend)
        await backend.poll(job_id)
        uri = form.format(address=upstream.address, file=f"{job_id}.0")
        upstream.script("poll", answered(json_answer(finished({"type": "video", "uri": uri})), name="uri", acts=True))
        await backend.collect(job_id, tmp_path / "film.mp4")

        [fetched] = upstream.calls("download")
        assert fetched.query == {"alt": "media"}
        assert (tmp_path / "film.mp4").read_bytes() == upstream.film


@pytest.mark.parametrize(
    "error",
    [
        {"code": 400, "message": "Invalid credentials.", "details": [{"reason": "API_KEY_INVALID"}]},
        {"code": "invalid_request", "message": "API key expired. Please renew the API key."},
    ],
    ids=["by its reason", "by its text"],
)
async def test_a_refused_key_is_known_although_google_says_400(error: object, tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    refused = answered(json_answer({"error": error}, 400), name="key", acts=False)
    upstream.always("submit", refused)
    upstream.always("poll", refused)
    async with played(upstream, tmp_path) as backend:
        with pytest.raises(Unusable):
            await submitted(backend)
        with pytest.raises(Unusable):
            await backend.poll("v1_x")


async def test_an_account_without_billing_is_unusable_and_not_a_bad_request(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("submit", answered(GeminiOmni().error(402), name="billing", acts=False))
    async with played(upstream, tmp_path) as backend:
        with pytest.raises(Unusable, match="enable billing"):
            await submitted(backend)


async def test_the_wait_that_google_names_in_the_body_is_kept(tmp_path: Path) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    error = {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED", "details": ["odd", info]}
    upstream = ScriptedUpstream(GeminiOmni())
    upstream.always("submit", answered(json_answer({"error": error}, 429), name="quota", acts=False))
    async with played(upstream, tmp_path) as backend:
        with pytest.raises(Busy) as busy:
            await submitted(backend)

    assert busy.value.retry_after_seconds == 34.5


@pytest.mark.parametrize(
    ("film", "sentence"),
    [
        (wanted("gemini-omni-1.1-flash"), "gemini-omni-1.1-flash makes films of 3 to 10 seconds"),
        (wanted(size=Size(3840, 2160)), "1920*1080, 1080*1920: 3840*2160 is larger or of another shape"),
        (wanted("gemini-omni-9"), 'tell its seconds and resolutions in [backends.studio.models."gemini-omni-9"]'),
    ],
)
async def test_what_a_model_cannot_do_is_said_in_a_sentence(film: Wanted, sentence: str, tmp_path: Path) -> None:
    async with played(ScriptedUpstream(GeminiOmni()), tmp_path) as backend:
        with pytest.raises(CannotPlay) as refusal:
            backend.fit(film)

    assert sentence in str(refusal.value)


async def test_doctor_hears_of_a_model_that_google_does_not_have(tmp_path: Path) -> None:
    async with played(ScriptedUpstream(GeminiOmni()), tmp_path, model="gemini-omni-flash-preview") as backend:
        with pytest.raises(Unusable, match="gemini-omni-flash-preview is not a model of this key"):
            await backend.check()


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"type":"video.generated","data":{"id":"x"}}', b'{"data":1}'])
async def test_a_webhook_that_tells_of_no_interaction_tells_no_job(body: bytes, tmp_path: Path) -> None:
    async with played(ScriptedUpstream(GeminiOmni()), tmp_path) as backend:
        assert backend.job_of_webhook(body, {}) is None
