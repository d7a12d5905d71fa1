"""A job whose answer was lost is found in the server's list, or not at all: it is never mistaken for another one."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import Stage, stage_for
from tests.support.upstream import Answer, ScriptedUpstream, answered, reset_after, slow, status
from tests.support.upstream.openai_videos import OpenAIVideos, Profile
from understudy.backends.base import LostAttempt, PollFailed
from understudy.domain.catalogue import Size
from understudy.domain.ids import AttemptId


@contextlib.asynccontextmanager
async def _open(folder: Path, profile: Profile = "vllm-omni", **settings: Any) -> AsyncIterator[Stage]:
    async with ScriptedUpstream(OpenAIVideos(profile)) as upstream, stage_for(upstream, folder, **settings) as stage:
        yield stage


def _request(stage: Stage) -> LostAttempt:
    wanted = replace(stage.wanted(seconds=8, size=Size(1280, 720), picture=False), model="")
    request = stage.request(wanted)
    return LostAttempt(
        attempt_id=AttemptId("att_lost"),
        prompt=request.prompt,
        wanted=wanted,
        generate=request.generate,
        started_at_ms=int(time.time() * 1000),
        taken=frozenset(),
    )


async def _lose(stage: Stage, *, times: int = 1) -> LostAttempt:
    lost = _request(stage)
    stage.upstream.script("submit", *[reset_after()] * times)
    for _ in range(times):
        await stage.error_of(stage.backend.submit(stage.request(lost.wanted)))
    return lost


async def test_the_one_job_that_fits_is_found(tmp_path: Path) -> None:
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)

        assert await stage.backend.find(lost) == next(iter(stage.upstream.jobs))
        assert stage.upstream.requests[-1].target == "/v1/videos?limit=100&order=desc"


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Another film"},
        {"generate": Size(736, 1280)},
        {"taken": "all"},
        {"started_at_ms": int((time.time() - 3600) * 1000)},
        {"started_at_ms": int((time.time() + 3600) * 1000)},
    ],
    ids=["prompt", "size", "taken", "long-after", "long-before"],
)
async def test_a_job_that_differs_is_not_found(change: dict[str, object], tmp_path: Path) -> None:
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)
        if change.get("taken") == "all":
            change = {"taken": frozenset(stage.upstream.jobs)}

        assert await stage.backend.find(replace(lost, **change)) is None  # type: ignore[arg-type]  # one field of several types


async def test_a_job_of_another_length_is_not_found(tmp_path: Path) -> None:
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)

        assert await stage.backend.find(replace(lost, wanted=replace(lost.wanted, seconds=4))) is None


async def test_a_film_from_a_picture_is_not_looked_for(tmp_path: Path) -> None:
    """Two callers may send one prompt with two pictures, and the list shows no pictures."""
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)

        assert await stage.backend.find(replace(lost, wanted=replace(lost.wanted, picture=True))) is None


async def test_of_two_that_fit_none_is_found(tmp_path: Path) -> None:
    async with _open(tmp_path) as stage:
        assert await stage.backend.find(await _lose(stage, times=2)) is None


async def test_a_job_that_this_process_was_told_of_is_nobodys_lost_one(tmp_path: Path) -> None:
    """Its id may not be in the database yet."""
    async with _open(tmp_path) as stage:
        lost = _request(stage)
        await stage.backend.submit(stage.request(lost.wanted))

        assert await stage.backend.find(lost) is None


async def test_while_another_submission_looks_the_same_none_is_found(tmp_path: Path) -> None:
    """Its job may be on the list already, and its answer on the way."""
    async with _open(tmp_path) as stage:
        lost = _request(stage)
        stage.upstream.script("submit", slow(0.5))
        other = asyncio.create_task(stage.backend.submit(stage.request(lost.wanted)))
        await stage.upstream.wait_until(lambda: stage.upstream.creations == 1)

        assert await stage.backend.find(lost) is None
        await other


async def test_a_list_that_is_full_of_recent_jobs_proves_nothing(tmp_path: Path) -> None:
    """A second job that fits may stand on its next page."""
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)
        [job] = stage.upstream.jobs.values()
        for number in range(99):
            other = replace(job, id=f"video_{number}", submission=replace(job.submission, prompt=f"{number}"))
            stage.upstream.jobs[other.id] = other

        assert await stage.backend.find(lost) is None


async def test_a_server_that_lists_no_prompts_finds_nothing(tmp_path: Path) -> None:
    async with _open(tmp_path, "sglang") as stage:
        assert await stage.backend.find(await _lose(stage)) is None


@pytest.mark.parametrize("code", [404, 405])
async def test_a_server_without_a_list_finds_nothing(code: int, tmp_path: Path) -> None:
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)
        stage.upstream.always("list", answered(Answer(code), name="none", acts=False))

        assert await stage.backend.find(lost) is None


async def test_a_list_that_fails_may_be_asked_again(tmp_path: Path) -> None:
    async with _open(tmp_path) as stage:
        lost = await _lose(stage)
        stage.upstream.script("list", status(503))

        assert type(await stage.error_of(stage.backend.find(lost))) is PollFailed
        assert await stage.backend.find(lost) is not None
