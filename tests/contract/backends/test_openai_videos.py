"""What servers with `/v1/videos` are sent (`upstreams.md` §2): each profile as its server reads it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.backends.stage import PROMPT, Stage, stage_for
from tests.support.upstream import ScriptedUpstream, answered, json_answer
from tests.support.upstream.openai_videos import OpenAIVideos, Profile
from understudy.backends.base import (
    BadInput,
    CannotPlay,
    Finished,
    Vanished,
)
from understudy.domain.catalogue import Size
from understudy.domain.errors import OperatorError

PROFILES: tuple[Profile, ...] = ("generic", "vllm-omni", "sglang")
FACE = Size(720, 1280)


@contextlib.asynccontextmanager
async def _open(profile: Profile, folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    async with ScriptedUpstream(OpenAIVideos(profile)) as upstream, stage_for(upstream, folder, **settings) as stage:
        yield stage


async def _sent(stage: Stage, *, seconds: int = 4, picture: bool = False, model: str = "") -> str:
    wanted = replace(stage.wanted(seconds=seconds, size=FACE, picture=picture), model=model)
    return await stage.backend.submit(stage.request(wanted))


# What goes out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["multipart", "json"])
@pytest.mark.parametrize("picture", [False, True], ids=["text", "picture"])
@pytest.mark.parametrize("profile", PROFILES)
async def test_each_server_understands_what_it_is_sent(
    profile: Profile, picture: bool, encoding: str, tmp_path: Path
) -> None:
    if profile == "vllm-omni" and encoding == "json":
        pytest.skip("reads no JSON")
    async with _open(profile, tmp_path, encoding=encoding) as stage:
        job_id = await _sent(stage, seconds=8, picture=picture)
        await stage.poll_until(job_id, Finished)

        assert await stage.collected(job_id) == stage.upstream.film
        [job] = stage.upstream.jobs.values()
        assert (job.submission.prompt, job.submission.seconds) == (PROMPT, 8)
        assert (job.submission.picture is not None) == picture


@pytest.mark.parametrize(("seconds", "frames"), [(4, "97"), (8, "193"), (12, "289")])
async def test_vllm_omni_is_told_frames_rate_and_sides_that_its_model_takes(
    seconds: int, frames: str, tmp_path: Path
) -> None:
    async with _open("vllm-omni", tmp_path) as stage:
        await _sent(stage, seconds=seconds)

        fields, files = stage.upstream.calls("submit")[0].form()
    assert fields.pop("prompt") == PROMPT
    assert 0 <= int(fields.pop("seed")) < 2**31
    assert fields == {"seconds": str(seconds), "size": "736x1280", "num_frames": frames, "fps": "24"}
    assert not files


async def test_a_generic_server_is_told_what_the_contract_has_and_no_more(tmp_path: Path) -> None:
    async with _open("generic", tmp_path, encoding="json") as stage:
        await _sent(stage, model="sora-2-pro")

        table = stage.upstream.calls("submit")[0].table()
    assert table == {"prompt": PROMPT, "seconds": "4", "size": "720x1280", "model": "sora-2-pro"}


async def test_a_model_name_for_vllm_omni_is_an_operators_mistake_that_creates_nothing(tmp_path: Path) -> None:
    async with _open("vllm-omni", tmp_path) as stage:
        error = await stage.error_of(_sent(stage, model="ltx"))

    assert type(error) is BadInput
    assert "Model mismatch" in str(error)


async def test_extra_fields_are_sent_as_they_are(tmp_path: Path) -> None:
    extra = {"negative_prompt": "text", "generate_sound": True, "num_inference_steps": 8, "extra_params": {"a": [1]}}
    async with _open("vllm-omni", tmp_path, extra=extra) as stage:
        await _sent(stage)
        form = stage.upstream.calls("submit")[0].form()[0]
    async with _open("sglang", tmp_path, extra=extra, encoding="json") as stage:
        await _sent(stage)
        table = stage.upstream.calls("submit")[0].table()

    texts = {
        "negative_prompt": "text",
        "generate_sound": "true",
        "num_inference_steps": "8",
        "extra_params": '{"a":[1]}',
    }
    assert texts.items() <= form.items()
    assert extra.items() <= table.items()


async def test_what_the_operator_says_the_model_can_is_kept_to(tmp_path: Path) -> None:
    async with _open("vllm-omni", tmp_path, durations=[4, 8], sizes=["1280x736"]) as stage:
        with pytest.raises(CannotPlay, match="studio makes films of 4 or 8 seconds, not of 12"):
            stage.backend.fit(stage.wanted(seconds=12, size=Size(1280, 720), picture=False))
        with pytest.raises(CannotPlay, match=r"studio makes films of 1280\*736: .* is larger or of another shape"):
            stage.backend.fit(stage.wanted(seconds=4, size=FACE, picture=False))

        assert stage.backend.fit(stage.wanted(seconds=4, size=Size(1280, 720), picture=False)).size == Size(1280, 736)


# Keys and addresses ---------------------------------------------------------------------------------------------


async def test_without_a_key_none_is_sent_and_none_is_looked_for(tmp_path: Path) -> None:
    """A key that stands in OPENAI_API_KEY for other programs must not travel to whatever server is set here."""
    async with ScriptedUpstream(OpenAIVideos()) as upstream:
        environment = {"OPENAI_API_KEY": "sk-somebody-elses"}
        async with stage_for(upstream, tmp_path, environment=environment, api_key_env="") as stage:
            await stage.error_of(stage.submit())

        [request] = upstream.requests
    assert "authorization" not in request.headers


async def test_the_key_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{OpenAIVideos.key}\n")
    async with _open("generic", tmp_path, api_key_env="", api_key_file=file) as stage:
        assert await stage.submit()


async def test_a_server_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"\[backends\.studio\] has no url: .* http://127\.0\.0\.1:8091/v1"):
        async with _open("generic", tmp_path, url=""):
            pass


@pytest.mark.parametrize("job_id", ["../v1/models", "a b/c?d#e%2Ff", "ünï", "video_" + "QUJD" * 500])
async def test_an_id_is_one_segment_of_the_path_whatever_it_holds(job_id: str, tmp_path: Path) -> None:
    """LiteLLM's ids are long; a server's id must not lead to another call."""
    answer = answered(json_answer({"id": job_id, "status": "queued"}), name="id", acts=False)
    async with _open("generic", tmp_path) as stage:
        stage.upstream.script("submit", answer)

        assert await stage.submit() == job_id
        assert await stage.backend.poll(job_id) == Vanished()
        assert stage.upstream.requests[-1].target == f"/v1/videos/{quote(job_id, safe='')}"
