"""What is Replicate's own: models that differ, words of refusal, large pictures, films that die young, the list."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import WEBHOOK, Stage, open_stage
from tests.support.upstream import Fault, Plan, answered, html, json_answer, made, reset_after, status
from understudy.backends.base import (
    BadInput,
    Busy,
    CannotPlay,
    CollectFailed,
    Failed,
    Finished,
    JobRequest,
    LostAttempt,
    NotCreated,
    PollFailed,
    Refused,
    Running,
    Unusable,
    Wanted,
)
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode
from understudy.domain.ids import AttemptId

WIDE, TALL = Size(1280, 720), Size(720, 1280)
SEED = 201228010
OWN_VERSION = f"studio/own-model:{'0123456789abcdef' * 4}"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage("replicate", tmp_path) as stage:
        yield stage


def wanted(model: str, size: Size = WIDE, seconds: int = 8, *, picture: bool = False) -> Wanted:
    return Wanted(model=model, size=size, seconds=seconds, picture=picture)


async def sent(stage: Stage, film: Wanted) -> tuple[str, dict[str, Any]]:
    """Submit a film; return the path and the input without prompt and picture."""
    await stage.backend.submit(stage.request(film))
    request = stage.upstream.calls("submit")[-1]
    given = request.table()["input"]
    return request.path, {name: given[name] for name in given if name not in ("prompt", "image")}


def prediction(**fields: object) -> Fault:
    body = {"id": "abc", "status": "succeeded", "output": None, "error": None, **fields}
    return answered(json_answer(body), name="prediction", acts=True)


@pytest.mark.parametrize(
    ("model", "size", "generated"),
    [
        ("bytedance/seedance-2.0", TALL, TALL),
        ("bytedance/seedance-2.0", Size(1792, 1024), Size(1920, 1080)),
        ("bytedance/seedance-2.0", Size(1024, 1792), Size(1080, 1920)),
        ("kwaivgi/kling-v3-video", WIDE, WIDE),
    ],
)
def test_the_nearest_size_that_a_model_makes_is_generated(
    stage: Stage, model: str, size: Size, generated: Size
) -> None:
    assert stage.backend.fit(wanted(model, size)).size == generated


@pytest.mark.parametrize(
    ("film", "sentence"),
    [
        (wanted("bytedance/seedance-2.0", seconds=16), "seedance-2.0 makes films of 4 to 15 seconds, not of 16."),
        (wanted("google/veo-3.1", seconds=12), "google/veo-3.1 makes films of 4, 6 or 8 seconds, not of 12."),
        (wanted("bytedance/seedance-2.5", Size(1920, 1080)), "1920*1080 is larger or of another shape."),
        (wanted("studio/unknown"), '[backends.studio.models."studio/unknown"].'),
    ],
)
def test_what_a_model_cannot_make_is_told_with_what_it_can(stage: Stage, film: Wanted, sentence: str) -> None:
    with pytest.raises(CannotPlay) as caught:
        stage.backend.fit(film)

    assert str(caught.value).endswith(sentence)


@pytest.mark.parametrize(
    ("film", "name", "given"),
    [
        (
            wanted("bytedance/seedance-2.5", TALL, 30),
            "bytedance/seedance-2.5",
            {"duration": 30, "resolution": "720p", "aspect_ratio": "9:16", "generate_audio": True, "seed": SEED},
        ),
        (
            wanted("bytedance/seedance-2.5", picture=True),
            "bytedance/seedance-2.5",
            {"duration": 8, "resolution": "720p", "aspect_ratio": "adaptive", "generate_audio": True, "seed": SEED},
        ),
        (
            wanted("wan-video/wan-2.7", seconds=12),
            "wan-video/wan-2.7-t2v",
            {"duration": 12, "resolution": "720p", "aspect_ratio": "16:9", "seed": SEED},
        ),
        (
            wanted("google/veo-3.1", TALL, picture=True),
            "google/veo-3.1",
            {"duration": 8, "resolution": "720p", "aspect_ratio": "9:16", "generate_audio": True, "seed": SEED},
        ),
        (
            wanted("kwaivgi/kling-v3-video", Size(1792, 1024)),
            "kwaivgi/kling-v3-video",
            {"duration": 8, "mode": "pro", "aspect_ratio": "16:9", "generate_audio": True},
        ),
    ],
    ids=lambda value: value.model if isinstance(value, Wanted) else "",
)
async def test_each_model_is_told_in_its_own_words(
    stage: Stage, film: Wanted, name: str, given: dict[str, Any]
) -> None:
    assert await sent(stage, film) == (f"/v1/models/{name}/predictions", given)


@pytest.mark.parametrize("model", ["wan-video/wan-2.7", "wan-video/wan-2.7-t2v", "wan-video/wan-2.7-i2v"])
async def test_a_picture_chooses_the_form_of_a_model_that_has_two(stage: Stage, model: str) -> None:
    path, given = await sent(stage, wanted(model, picture=True))

    assert path == "/v1/models/wan-video/wan-2.7-i2v/predictions"
    assert given.pop("first_frame").startswith("data:image/jpeg;base64,")
    assert given == {"duration": 8, "resolution": "720p", "seed": SEED}


async def test_a_version_of_the_operators_own_is_asked_by_its_number(tmp_path: Path) -> None:
    own = {"text": OWN_VERSION, "seconds": [5], "sizes": {"720p": [1280, 720]}}
    async with open_stage("replicate", tmp_path, models={"own": own}) as stage:
        path, _ = await sent(stage, wanted("own", seconds=5))

        assert path == "/v1/predictions"
        assert stage.upstream.calls("submit")[-1].table()["version"] == OWN_VERSION


async def test_a_prompt_that_is_too_long_for_the_model_is_never_sent(stage: Stage) -> None:
    request = replace(stage.request(wanted("kwaivgi/kling-v3-video")), prompt="a" * 2501)

    with pytest.raises(BadInput, match="at most 2500 characters"):
        await stage.backend.submit(request)

    assert stage.submissions() == 0


def with_large_picture(stage: Stage) -> tuple[JobRequest, bytes]:
    request = stage.request(wanted("bytedance/seedance-2.0", picture=True))
    assert request.picture is not None
    data = request.picture.read_bytes() + bytes(256_000)
    request.picture.write_bytes(data)
    return request, data


async def test_a_large_picture_is_uploaded_first(stage: Stage) -> None:
    request, data = with_large_picture(stage)

    await stage.backend.submit(request)

    [job] = stage.upstream.jobs.values()
    assert job.submission.picture == data
    assert [one.call for one in stage.upstream.requests] == ["upload", "submit"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (reset_after(), NotCreated),
        (status(500), NotCreated),
        (html(200), NotCreated),
        (answered(json_answer({"urls": {"get": 7}}, 201), name="odd", acts=True), NotCreated),
        (status(401), Unusable),
        (status(413), BadInput),
        (status(429, retry_after="7"), Busy),
    ],
    ids=repr,
)
async def test_a_picture_that_is_not_uploaded_proves_that_nothing_was_created(
    stage: Stage, fault: Fault, error: type[Exception]
) -> None:
    stage.upstream.script("upload", fault)
    request, _ = with_large_picture(stage)

    came = await stage.error_of(stage.backend.submit(request))

    assert type(came) is error
    assert stage.submissions() == 0


async def test_webhooks_that_are_off_are_never_asked_for(tmp_path: Path) -> None:
    async with open_stage("replicate", tmp_path, webhooks=False) as stage:
        await stage.backend.submit(replace(stage.request(), webhook_url=WEBHOOK))

        assert set(stage.upstream.calls("submit")[-1].table()) == {"input"}
        assert stage.backend.traits.reconcile_seconds == 0


async def test_throttling_tells_its_seconds_in_words(stage: Stage) -> None:
    stage.upstream.script("submit", status(429, text="Request was throttled. Your rate limit resets in ~30s."))

    error = await stage.error_of(stage.submit())

    assert isinstance(error, Busy)
    assert error.retry_after_seconds == 30


@pytest.mark.parametrize("status_word", ["failed", "canceled", "aborted"])
async def test_each_of_the_bad_ends_is_an_end(stage: Stage, status_word: str) -> None:
    stage.upstream.script("poll", prediction(status=status_word, error="CUDA out of memory"))

    ended = await stage.backend.poll(await stage.submit())

    assert ended == Failed(
        FailCode.GENERATION_FAILED, "The video could not be generated", f"{status_word}: CUDA out of memory"
    )


@pytest.mark.parametrize(
    "error",
    [
        "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (abc123)",
        "Prediction failed. (E005)",
        "NSFW content detected. Try running it again, or try a different prompt.",
        "Your request was blocked by our moderation system.",
    ],
)
async def test_a_refusal_is_known_by_its_words(stage: Stage, error: str) -> None:
    stage.upstream.script("poll", prediction(status="failed", error=error))

    ended = await stage.backend.poll(await stage.submit())

    assert isinstance(ended, Failed)
    assert ended.code is FailCode.CONTENT_VIOLATION


async def test_a_refusal_at_once_is_one_too(stage: Stage) -> None:
    stage.upstream.script("submit", status(422, text="The input was flagged as sensitive. (E005)"))

    error = await stage.error_of(stage.submit())

    assert isinstance(error, Refused)
    assert error.code is FailCode.CONTENT_VIOLATION


@pytest.mark.parametrize("error", ["Unexpected code E00512", {"code": "E005"}, None, 7])
async def test_other_failures_are_no_refusals(stage: Stage, error: object) -> None:
    stage.upstream.script("poll", prediction(status="failed", error=error))

    ended = await stage.backend.poll(await stage.submit())

    assert isinstance(ended, Failed)
    assert ended.code is FailCode.GENERATION_FAILED


@pytest.mark.parametrize(
    "shape", [lambda link: link, lambda link: [link, "https://x/cover.png"], lambda link: {"video": link}]
)
async def test_the_film_is_found_in_every_shape_of_output(stage: Stage, shape: Any) -> None:
    job_id = await stage.finished()

    def reshaped(scene: Any) -> Any:
        usual = json.loads(scene.usual.body)
        return json_answer({**usual, "output": shape(usual["output"])})

    stage.upstream.script("poll", made(reshaped, name="reshaped", acts=True))

    assert await stage.collected(job_id) == stage.upstream.film


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"data_removed": True}, "deleted, an hour after it was made"),
        ({"output": []}, "the output is no film"),
        ({"output": {"frames": 7}}, "the output is no film"),
        ({"output": [[]]}, "the output is no film"),
    ],
)
async def test_a_prediction_without_a_film_is_hopeless(stage: Stage, fields: Mapping[str, Any], text: str) -> None:
    job_id = await stage.finished()
    stage.upstream.script("poll", prediction(**fields))

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert error.hopeless
    assert text in str(error)


async def test_only_a_prediction_that_never_ran_is_cancelled_for_certain(stage: Stage) -> None:
    stage.upstream.plan(Plan(polls=9), Plan(polls=9))
    waiting, running = [await stage.submit() for _ in range(2)]
    for _ in range(2):
        assert isinstance(await stage.backend.poll(running), Running)

    assert await stage.backend.cancel(waiting) is True
    assert await stage.backend.cancel(running) is False


ATTEMPT = AttemptId("att_7Fq2Lm9")


def lost_attempt(stage: Stage, attempt_id: AttemptId = ATTEMPT, *, taken: frozenset[str] = frozenset()) -> LostAttempt:
    request = stage.request()
    return LostAttempt(
        attempt_id=attempt_id,
        prompt=request.prompt,
        wanted=request.wanted,
        generate=request.generate,
        started_at_ms=int(time.time() * 1000),
        taken=taken,
    )


async def lose(stage: Stage, attempt_id: str) -> None:
    """Submit, and never hear of it."""
    stage.upstream.script("submit", reset_after())
    address = f"https://understudy.example/upstream/{attempt_id}/mac"
    await stage.error_of(stage.backend.submit(replace(stage.request(), webhook_url=address)))


async def test_a_lost_prediction_is_found_by_the_webhook_that_it_repeats(stage: Stage) -> None:
    """Two that are alike in everything else are told apart."""
    for attempt_id in ("att_other", ATTEMPT, f"{ATTEMPT}x"):
        await lose(stage, attempt_id)

    found = await stage.backend.find(lost_attempt(stage))

    assert found == list(stage.upstream.jobs)[1]
    assert isinstance(await stage.poll_until(found, Finished), Finished)


async def test_a_prediction_of_another_attempt_is_not_handed_out(stage: Stage) -> None:
    await lose(stage, ATTEMPT)

    assert await stage.backend.find(lost_attempt(stage, taken=frozenset(stage.upstream.jobs))) is None


async def test_a_list_that_repeats_no_webhook_finds_nothing(stage: Stage) -> None:
    await lose(stage, ATTEMPT)

    def bare(scene: Any) -> Any:
        page = json.loads(scene.usual.body)
        return json_answer({**page, "results": [{**one, "webhook": None} for one in page["results"]]})

    stage.upstream.script("list", made(bare, name="bare", acts=True))

    assert await stage.backend.find(lost_attempt(stage)) is None


async def test_a_long_list_is_read_page_by_page(stage: Stage) -> None:
    await lose(stage, ATTEMPT)
    address = f"{stage.upstream.address}/v1/predictions?cursor=abc"
    page = json_answer({"next": address, "results": [{"id": "x1", "webhook": None}, 7]})
    stage.upstream.script("list", answered(page, name="page", acts=True))

    assert await stage.backend.find(lost_attempt(stage)) == next(iter(stage.upstream.jobs))
    assert [request.query.get("cursor") for request in stage.upstream.calls("list")] == [None, "abc"]


async def test_a_list_without_an_end_is_left(stage: Stage) -> None:
    page = json_answer({"next": f"{stage.upstream.address}/v1/predictions?cursor=a", "results": []})
    stage.upstream.always("list", answered(page, name="page", acts=True))

    assert await stage.backend.find(lost_attempt(stage)) is None
    assert len(stage.upstream.calls("list")) == 10


async def test_a_next_page_elsewhere_is_not_followed(stage: Stage) -> None:
    """It would be asked with the key."""
    page = json_answer({"next": "https://evil.example/v1/predictions", "results": []})
    stage.upstream.script("list", answered(page, name="page", acts=True))

    assert isinstance(await stage.error_of(stage.backend.find(lost_attempt(stage))), PollFailed)
