"""What is fal's own: words that differ from model to model, a result that may be an error, addresses, webhooks."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends.stage import WEBHOOK, Stage, open_stage
from tests.support.upstream import Answer, Fault, Mishap, Plan, Request, answered, json_answer, made, status
from understudy.backends.base import (
    Ambiguous,
    BadInput,
    CannotPlay,
    Failed,
    Finished,
    PollFailed,
    Running,
    Unusable,
    Vanished,
    Wanted,
)
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode

WIDE, TALL = Size(1280, 720), Size(720, 1280)
DONE = answered(json_answer({"status": "COMPLETED"}), name="done", acts=True)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage("fal", tmp_path) as stage:
        yield stage


def wanted(model: str, size: Size = WIDE, seconds: int = 8, *, picture: bool = False) -> Wanted:
    return Wanted(model=model, size=size, seconds=seconds, picture=picture)


async def sent(stage: Stage, film: Wanted) -> tuple[str, dict[str, Any]]:
    """Submit a film; return the endpoint and the body."""
    await stage.backend.submit(stage.request(film))
    request = stage.upstream.calls("submit")[-1]
    return request.path, request.table()


def wrong(code: int, *entries: dict[str, Any]) -> Fault:
    """Answer a result as a model does that refuses its input."""
    body = {"detail": [{"loc": ["body"], "input": {"prompt": "a secret plan"}, **entry} for entry in entries]}
    return answered(json_answer(body, code), name="wrong", acts=True)


@pytest.mark.parametrize(
    ("model", "size", "generated"),
    [
        ("bytedance/seedance-2.0", WIDE, WIDE),
        ("bytedance/seedance-2.0", TALL, TALL),
        ("bytedance/seedance-2.0", Size(1792, 1024), Size(1920, 1080)),
        ("bytedance/seedance-2.0", Size(1024, 1792), Size(1080, 1920)),
        ("minimax/h3", WIDE, Size(1344, 768)),
        ("minimax/h3", Size(1080, 1920), Size(1440, 2560)),
        ("fal-ai/kling-video/v3/pro", WIDE, Size(1920, 1080)),
    ],
)
def test_the_nearest_size_that_a_model_makes_is_generated(
    stage: Stage, model: str, size: Size, generated: Size
) -> None:
    assert stage.backend.fit(wanted(model, size)).size == generated


@pytest.mark.parametrize(
    ("film", "sentence"),
    [
        (wanted("bytedance/seedance-2.0", seconds=3), "seedance-2.0 makes films of 4 to 15 seconds, not of 3."),
        (wanted("fal-ai/veo3.1", seconds=12), "fal-ai/veo3.1 makes films of 4, 6 or 8 seconds, not of 12."),
        (wanted("minimax/h3", seconds=4), "minimax/h3 makes films of 5 to 15 seconds, not of 4."),
        (
            wanted("bytedance/seedance-2.5", Size(1792, 1024)),
            "bytedance/seedance-2.5 makes films of 1280*720, 720*1280: 1792*1024 is larger or of another shape.",
        ),
        (wanted("bytedance/seedance-2.0", Size(1024, 1024)), "1024*1024 is larger or of another shape."),
        (wanted("studio/unknown"), '[backends.studio.models."studio/unknown"].'),
    ],
)
def test_what_a_model_cannot_make_is_told_with_what_it_can(stage: Stage, film: Wanted, sentence: str) -> None:
    with pytest.raises(CannotPlay) as caught:
        stage.backend.fit(film)

    assert str(caught.value).endswith(sentence)


@pytest.mark.parametrize(
    ("film", "path", "fields"),
    [
        (
            wanted("minimax/h3"),
            "/minimax/h3/text-to-video",
            {"duration": 8, "resolution": "768P", "aspect_ratio": "16:9", "seed": 201228010},
        ),
        (
            wanted("fal-ai/veo3.1", TALL),
            "/fal-ai/veo3.1",
            {
                "duration": "8s",
                "resolution": "720p",
                "aspect_ratio": "9:16",
                "generate_audio": True,
                "seed": 201228010,
            },
        ),
        (
            wanted("fal-ai/kling-video/v3/pro"),
            "/fal-ai/kling-video/v3/pro/text-to-video",
            {"duration": "8", "aspect_ratio": "16:9", "generate_audio": True},
        ),
        (
            wanted("bytedance/seedance-2.5", seconds=30),
            "/bytedance/seedance-2.5/text-to-video",
            {"duration": "30", "resolution": "720p", "aspect_ratio": "16:9", "generate_audio": True},
        ),
    ],
    ids=lambda value: value.model if isinstance(value, Wanted) else "",
)
async def test_each_model_is_told_in_its_own_words(
    stage: Stage, film: Wanted, path: str, fields: dict[str, Any]
) -> None:
    endpoint, body = await sent(stage, film)

    assert endpoint == path
    assert {name: value for name, value in body.items() if name != "prompt"} == fields


@pytest.mark.parametrize(
    ("model", "path", "field"),
    [
        ("bytedance/seedance-2.5", "/bytedance/seedance-2.5/image-to-video", "image_url"),
        ("minimax/h3", "/minimax/h3/image-to-video", "image_url"),
        ("fal-ai/veo3.1", "/fal-ai/veo3.1/image-to-video", "image_url"),
        ("fal-ai/kling-video/v3/pro", "/fal-ai/kling-video/v3/pro/image-to-video", "start_image_url"),
        ("bytedance/seedance-2.0/text-to-video", "/bytedance/seedance-2.0/image-to-video", "image_url"),
    ],
)
async def test_a_picture_goes_to_the_models_other_endpoint_and_gives_the_shape(
    stage: Stage, model: str, path: str, field: str
) -> None:
    endpoint, body = await sent(stage, wanted(model, TALL, picture=True))

    assert endpoint == path
    assert body[field].startswith("data:image/jpeg;base64,")
    assert "aspect_ratio" not in body


async def test_a_model_that_the_operator_describes_is_asked_as_described(tmp_path: Path) -> None:
    own = {"text": "minimax/h3/text-to-video", "seconds": [6], "sizes": {"2K": [2560, 1440]}, "duration": "number"}
    models = {"studio/h3": {**own, "audio": False, "seed": []}}
    async with open_stage("fal", tmp_path, models=models) as stage:
        endpoint, body = await sent(stage, wanted("studio/h3", seconds=6))
        with pytest.raises(CannotPlay, match="takes no first frame"):
            stage.backend.fit(wanted("studio/h3", seconds=6, picture=True))

    assert endpoint == "/minimax/h3/text-to-video"
    assert {name: body[name] for name in body if name != "prompt"} == {
        "duration": 6,
        "resolution": "2K",
        "aspect_ratio": "16:9",
    }


async def test_a_prompt_that_is_too_long_for_the_model_is_never_sent(stage: Stage) -> None:
    request = replace(stage.request(wanted("fal-ai/kling-video/v3/pro")), prompt="a" * 2501)

    with pytest.raises(BadInput, match="at most 2500 characters"):
        await stage.backend.submit(request)

    assert stage.submissions() == 0


async def test_a_film_that_the_model_cannot_make_is_never_sent(stage: Stage) -> None:
    """`fit` comes first; should the settings change in between, nothing was created, and that is told."""
    request = replace(stage.request(), wanted=wanted("studio/gone"))

    with pytest.raises(BadInput):
        await stage.backend.submit(request)

    assert stage.submissions() == 0


async def test_the_webhooks_address_arrives_whole(stage: Stage) -> None:
    address = f"{WEBHOOK}?a=1&b=%26#c"

    await stage.backend.submit(replace(stage.request(), webhook_url=address))

    assert stage.upstream.calls("submit")[-1].query == {"fal_webhook": address}


async def test_webhooks_that_are_off_are_never_asked_for(tmp_path: Path) -> None:
    async with open_stage("fal", tmp_path, webhooks=False) as stage:
        await stage.backend.submit(replace(stage.request(), webhook_url=WEBHOOK))

        assert stage.upstream.calls("submit")[-1].query == {}
        assert stage.backend.traits.reconcile_seconds == 0


CONTENT, PICTURE, OTHER = FailCode.CONTENT_VIOLATION, FailCode.UNSUPPORTED_FORMAT, FailCode.GENERATION_FAILED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (wrong(422, {"type": "content_policy_violation", "msg": "No."}), CONTENT),
        (wrong(422, {"type": "value_error", "msg": "x"}, {"type": "content_policy_violation", "msg": "No."}), CONTENT),
        (wrong(422, {"type": "no_media_generated", "msg": "The prompt was flagged by a safety filter."}), CONTENT),
        (answered(json_answer({"detail": "Content flagged as NSFW."}, 400), name="old", acts=True), CONTENT),
        (wrong(422, {"type": "image_load_error", "msg": "Failed to load the image."}), PICTURE),
        (wrong(422, {"type": "file_download_error", "msg": "Failed to download the file."}), PICTURE),
        (wrong(422, {"type": "literal_error", "msg": "safety_tolerance should be '1' or '2'"}), OTHER),
        (wrong(422, {"type": "no_media_generated", "msg": "Nothing came."}), OTHER),
        (wrong(500, {"type": "internal_server_error", "msg": "Out of memory."}), OTHER),
        (wrong(504, {"type": "generation_timeout", "msg": "Too slow."}), OTHER),
        (answered(json_answer({"detail": "x", "error_type": "runner_disconnected"}, 503), name="r", acts=True), OTHER),
        (status(404, text="Path /text-to-video not found"), OTHER),
    ],
)
async def test_completed_is_not_success(stage: Stage, fault: Fault, code: FailCode) -> None:
    job_id = await stage.submit()
    stage.upstream.always("poll", DONE)
    stage.upstream.always("result", fault)

    ended = await stage.backend.poll(job_id)

    assert isinstance(ended, Failed)
    assert ended.code is code
    assert ended.detail
    assert "secret" not in ended.detail


async def test_a_status_that_tells_an_error_is_believed_without_a_reason(stage: Stage) -> None:
    job_id = await stage.submit()
    told = {"status": "COMPLETED", "error": "Runner died", "error_type": "runner_disconnected"}
    stage.upstream.always("poll", answered(json_answer(told), name="told", acts=True))
    stage.upstream.always("result", status(500))

    ended = await stage.backend.poll(job_id)

    assert isinstance(ended, Failed)
    assert ended.code is FailCode.GENERATION_FAILED


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (status(403, text="User is locked. Reason: Exhausted balance."), Unusable),
        (status(401), Unusable),
        (status(429), PollFailed),
        (status(502), PollFailed),
        (status(503), PollFailed),
    ],
    ids=repr,
)
async def test_a_result_that_cannot_be_read_now_says_nothing_of_the_job(
    stage: Stage, fault: Fault, error: type[Exception]
) -> None:
    job_id = await stage.submit()
    stage.upstream.always("poll", DONE)
    stage.upstream.script("result", fault)

    with pytest.raises(error):
        await stage.backend.poll(job_id)

    stage.upstream.script("result", answered(json_answer({"video": {"url": "x"}}), name="film", acts=True))
    assert isinstance(await stage.backend.poll(job_id), Finished)


async def test_an_account_without_money_is_no_refusal_of_content(stage: Stage) -> None:
    stage.upstream.script("submit", status(403, text="User is locked: flagged. Reason: Exhausted balance."))

    assert isinstance(await stage.error_of(stage.submit()), Unusable)


def with_addresses(**addresses: object) -> Fault:
    """Answer a submission as usual, but with other addresses."""

    def make(scene: Any) -> Answer:
        return json_answer({**json.loads(scene.usual.body), **addresses})

    return made(make, name="addresses", acts=True)


@pytest.mark.parametrize(
    "address", ["https://evil.example/status", "//evil.example", "http://[", 7, None, "https://u:p@evil.example:1/x"]
)
async def test_addresses_elsewhere_are_not_followed(stage: Stage, address: object) -> None:
    """They would be asked with the key; the documented form, owner and app, serves as well."""
    stage.upstream.script("submit", with_addresses(status_url=address, response_url=address, cancel_url=address))

    job_id = await stage.submit()

    assert "evil" not in job_id
    await stage.poll_until(job_id, Finished)
    assert await stage.collected(job_id) == stage.upstream.film


async def test_addresses_of_fals_own_are_kept_as_they_are(stage: Stage) -> None:
    base = f"{stage.upstream.address}/other/app/requests"
    given = {"status_url": f"{base}/1/status", "response_url": f"{base}/2", "cancel_url": f"{base}/3/cancel"}
    stage.upstream.script("submit", with_addresses(**given))

    job_id = await stage.submit()
    await stage.backend.poll(job_id)
    await stage.backend.cancel(job_id)

    assert [request.path for request in stage.upstream.requests][1:] == [
        "/other/app/requests/1/status",
        "/other/app/requests/3/cancel",
    ]


async def test_a_job_id_stays_short_whatever_fal_answers(stage: Stage) -> None:
    stage.upstream.script("submit", with_addresses(status_url=f"{stage.upstream.address}/{'a' * 5000}"))

    job_id = await stage.submit()

    assert len(job_id) < 300
    await stage.poll_until(job_id, Finished)


@pytest.mark.parametrize("request_id", ["", "../../x", "a b", 7, None, "a" * 201])
async def test_an_answer_without_a_sensible_id_is_ambiguous(stage: Stage, request_id: object) -> None:
    stage.upstream.script("submit", with_addresses(request_id=request_id))

    assert isinstance(await stage.error_of(stage.submit()), Ambiguous)


def polls_of(stage: Stage) -> list[str]:
    return [request.path.partition("/requests/")[0] for request in stage.upstream.calls("poll")]


async def test_a_job_known_from_a_webhook_is_looked_for_among_the_apps(stage: Stage) -> None:
    """The webhook tells no model, and a request's address holds one: the app that was used last is asked first."""
    await stage.backend.submit(stage.request(wanted("minimax/h3")))
    [job] = stage.upstream.jobs.values()
    stage.upstream.script("poll", answered(json_answer({"status": "NOT_FOUND"}, 404), name="elsewhere", acts=False))

    statuses = [await stage.backend.poll(job.id) for _ in range(3)]

    assert isinstance(statuses[-1], Running | Finished)
    assert polls_of(stage)[0] == "/minimax/h3"
    assert len(set(polls_of(stage)[1:])) == 1, "where it was found is remembered"


async def test_an_app_that_is_unwell_is_not_taken_for_the_jobs_own(stage: Stage) -> None:
    await stage.submit()
    [job] = stage.upstream.jobs.values()
    stage.upstream.script("poll", status(503))
    assert isinstance(await stage.error_of(stage.backend.poll(job.id)), PollFailed)
    stage.upstream.script("poll", answered(json_answer({"status": "NOT_FOUND"}, 404), name="elsewhere", acts=False))

    assert isinstance(await stage.backend.poll(job.id), Running | Finished)
    assert polls_of(stage)[1] != polls_of(stage)[2]


async def test_a_job_that_no_app_knows_has_vanished(stage: Stage) -> None:
    assert isinstance(await stage.backend.poll("764cabcf-b745-4b3e-ae38-1200304cf45b"), Vanished)


@pytest.mark.parametrize("job_id", ["{", "{}", "[]", '{"id": "a", "zone": "b"}', "a/../b", ""])
async def test_a_job_id_of_another_making_is_told_as_one(stage: Stage, job_id: str) -> None:
    assert isinstance(await stage.error_of(stage.backend.poll(job_id)), PollFailed)
    assert not stage.upstream.requests


async def test_only_a_request_that_waits_is_cancelled_for_certain(stage: Stage) -> None:
    stage.upstream.plan(Plan(polls=9), Plan(polls=9), Plan(polls=0))
    waiting, running, over = [await stage.submit() for _ in range(3)]
    await stage.backend.poll(running)
    await stage.backend.poll(running)
    await stage.poll_until(over, Finished)

    assert await stage.backend.cancel(waiting) is True
    assert await stage.backend.cancel(running) is False
    assert await stage.backend.cancel(over) is False


async def test_the_film_is_asked_for_anew_when_its_link_has_expired(stage: Stage) -> None:
    stage.upstream.plan(Plan(mishap=Mishap.EXPIRED_LINK))
    job_id = await stage.finished()
    await stage.error_of(stage.collected(job_id))

    assert await stage.collected(job_id) == stage.upstream.film


async def test_fal_is_asked_to_drop_the_public_film(tmp_path: Path) -> None:
    async with open_stage("fal", tmp_path, keep_seconds=7200) as stage:
        await stage.submit()
        [request] = stage.upstream.calls("submit")

    assert _preference(request) == {"expiration_duration_seconds": 7200}


def _preference(request: Request) -> object:
    return json.loads(request.headers["x-fal-object-lifecycle-preference"])
