"""The official `openai` package finds at our scripted server what it knows from OpenAI's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.judges.openai_package import OpenAIPackage, PackageError, package_process
from tests.support.upstream import Fault, Mishap, Plan, ScriptedUpstream, lost, picture_bytes, refusal, status
from tests.support.upstream.openai_videos import OpenAIVideos

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60, func_only=True)]

PROMPT = 'A lighthouse keeper reads "Moby Dick", rain; 灯台 🎬'
WANTED: dict[str, Any] = {"prompt": PROMPT, "model": "ltx-2.5", "seconds": "8", "size": "1280x720"}
AS_JSON = {"extra_headers": {"Content-Type": "application/json"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(judges: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    async with package_process(judges) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream(OpenAIVideos()) as server:
        yield server


@pytest.fixture
def package(process: asyncio.subprocess.Process, upstream: ScriptedUpstream) -> OpenAIPackage:
    return OpenAIPackage(process, f"{upstream.address}/v1", upstream.vendor.key)


async def check_shape(package: OpenAIPackage, kind: str, value: dict[str, Any]) -> None:
    """Check a value as strictly as the package can: it does not by itself when it reads an answer."""
    await package.call(f"openai.types.{kind}.model_validate", obj=value, strict=True)


@pytest.mark.parametrize(("how", "media_type"), [({}, "multipart/form-data"), (AS_JSON, "application/json")])
async def test_a_submission_is_read_as_it_was_meant(
    package: OpenAIPackage, upstream: ScriptedUpstream, how: dict[str, Any], media_type: str
) -> None:
    video = await package.call("videos.create", **WANTED, **how)

    [job] = upstream.jobs.values()
    assert upstream.requests[-1].media_type == media_type
    assert job.submission.fields == WANTED
    assert (video["id"], video["status"], video["progress"]) == (job.id, "queued", 0)
    assert (video["prompt"], video["model"]) == (PROMPT, "ltx-2.5")
    await check_shape(package, "Video", video)


async def test_a_submission_by_the_bare_post_of_the_package_is_read_too(
    package: OpenAIPackage, upstream: ScriptedUpstream
) -> None:
    picture = {"image_url": "data:image/png;base64,iVBORw0KGgo="}
    body = {**WANTED, "input_reference": picture}
    video = await package.call("post", path="/videos", body=body, cast_to={"$type": "types.Video"})

    assert upstream.requests[-1].media_type == "application/json"
    assert upstream.jobs[video["id"]].submission.fields == body


async def test_a_film_is_polled_to_its_end_and_fetched_byte_for_byte(
    package: OpenAIPackage, upstream: ScriptedUpstream
) -> None:
    upstream.plan(Plan(polls=2))
    video = await package.call("videos.create", **WANTED)
    seen = [await package.call("videos.retrieve", video_id=video["id"]) for _ in range(3)]

    assert [each["status"] for each in seen] == ["queued", "in_progress", "completed"]
    assert [each["progress"] for each in seen] == sorted(each["progress"] for each in seen)
    assert seen[-1]["progress"] == 100
    assert seen[-1]["completed_at"] >= seen[-1]["created_at"]
    assert await package.download(video["id"]) == upstream.film
    for each in seen:
        await check_shape(package, "Video", each)


async def test_the_packages_own_waiting_comes_to_an_end(package: OpenAIPackage, upstream: ScriptedUpstream) -> None:
    upstream.plan(Plan(polls=3))
    video = await package.call("videos.create_and_poll", **WANTED, poll_interval_ms=1)

    assert video["status"] == "completed"
    assert len(upstream.calls("poll")) == 4


async def test_a_picture_arrives_as_the_very_bytes(
    package: OpenAIPackage, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    picture = tmp_path / "first.jpg"
    picture.write_bytes(picture_bytes(width=1280, height=720))
    video = await package.call("videos.create", **WANTED, input_reference={"$file": str(picture)})

    assert upstream.jobs[video["id"]].submission.picture == picture.read_bytes()


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_list_is_followed_through_its_pages(
    package: OpenAIPackage, upstream: ScriptedUpstream, order: str
) -> None:
    made = [(await package.call("videos.create", prompt=f"shot {number}"))["id"] for number in range(5)]
    listed = await package.call("videos.list", limit=2, order=order, **{"$all": True})

    assert [video["id"] for video in listed] == (made if order == "asc" else made[::-1])
    assert len(upstream.calls("list")) == 3
    await check_shape(package, "Video", listed[0])


async def test_a_list_of_nothing_has_no_pages(package: OpenAIPackage) -> None:
    assert await package.call("videos.list", **{"$all": True}) == []


async def test_a_deleted_video_is_gone(package: OpenAIPackage) -> None:
    video = await package.call("videos.create_and_poll", **WANTED, poll_interval_ms=1)
    deleted = await package.call("videos.delete", video_id=video["id"])

    assert deleted == {"id": video["id"], "deleted": True, "object": "video.deleted"}
    assert await package.call("videos.list", **{"$all": True}) == []
    for method in ("videos.retrieve", "videos.download_content"):
        with pytest.raises(PackageError) as caught:
            await package.call(method, video_id=video["id"])
        assert caught.value.kind == "NotFoundError"


@pytest.mark.parametrize(
    ("fault", "kind", "http", "code"),
    [
        (status(400), "BadRequestError", 400, None),
        (refusal(), "BadRequestError", 400, "content_policy_violation"),
        (status(429, retry_after="7"), "RateLimitError", 429, "rate_limit_exceeded"),
        (status(404), "NotFoundError", 404, "model_not_found"),
        (status(500), "InternalServerError", 500, None),
    ],
    ids=repr,
)
async def test_an_error_is_the_packages_own(
    package: OpenAIPackage, upstream: ScriptedUpstream, fault: Fault, kind: str, http: int, code: str | None
) -> None:
    upstream.script("submit", fault)
    with pytest.raises(PackageError) as caught:
        await package.call("videos.create", **WANTED)

    assert (caught.value.kind, caught.value.status, caught.value.code) == (kind, http, code)


async def test_a_wrong_key_is_refused(package: OpenAIPackage, upstream: ScriptedUpstream) -> None:
    stranger = OpenAIPackage(package.process, package.url, "sk-wrong")
    with pytest.raises(PackageError) as caught:
        await stranger.call("videos.create", **WANTED)

    assert (caught.value.kind, caught.value.code) == ("AuthenticationError", "invalid_api_key")
    assert upstream.creations == 0


async def test_a_job_that_moderation_ends_tells_its_code(package: OpenAIPackage, upstream: ScriptedUpstream) -> None:
    upstream.plan(Plan(mishap=Mishap.REFUSED))
    video = await package.call("videos.create_and_poll", **WANTED, poll_interval_ms=1)

    assert (video["status"], video["error"]["code"]) == ("failed", "moderation_blocked")
    await check_shape(package, "Video", video)


async def test_a_retry_comes_after_as_long_as_the_server_asked(
    package: OpenAIPackage, upstream: ScriptedUpstream
) -> None:
    upstream.script("submit", status(429, retry_after="1"))
    await package.call("videos.create", **WANTED, retries=1)

    first, second = upstream.calls("submit")
    # Without the header the package waits half a second at most.
    assert second.at - first.at >= 1
    assert upstream.creations == 1


async def test_the_package_itself_pays_twice_when_an_answer_is_lost(
    package: OpenAIPackage, upstream: ScriptedUpstream
) -> None:
    """Why no upstream of ours is spoken to through it: its usual two retries."""
    upstream.script("submit", lost(0))
    await package.call("videos.create", **WANTED, retries=2)

    assert upstream.creations == 2


async def test_what_is_served_is_listed(package: OpenAIPackage) -> None:
    models = await package.call("models.list", **{"$all": True})

    assert [model["id"] for model in models] == ["ltx-2.5"]
    await check_shape(package, "Model", models[0])
