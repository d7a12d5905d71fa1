"""Our backend `openai_videos` through a real LiteLLM proxy: what the gateway makes of both sides is understood."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.backends.stage import PROMPT, Stage, stage_for
from tests.judges.litellm import KEY, LOCKED_OUT, MODELS, Proxy, litellm_proxy
from tests.support import paid
from tests.support.server import MODEL_PATH, make_key, running, wait_for_end
from tests.support.upstream import (
    Fault,
    Mishap,
    Plan,
    ScriptedUpstream,
    garbage,
    picture_bytes,
    refusal,
    reset_after,
    status,
)
from tests.support.upstream.openai_videos import OpenAIVideos
from understudy.backends.base import Ambiguous, Busy, Failed, Finished, NotCreated, Refused, Unusable, Vanished, Wanted
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60, func_only=True)]

CALL_SECONDS = 20.0
"""The proxy answers its first calls slowly on a machine with other work."""
OpenStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream(OpenAIVideos()) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(
    judges: Path, upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    async with litellm_proxy(judges, tmp_path_factory.mktemp("litellm"), upstream) as running:
        yield running


@pytest.fixture
def through(proxy: Proxy, upstream: ScriptedUpstream, tmp_path: Path) -> OpenStage:
    """Open our backend in front of the proxy; the upstream has no jobs yet."""
    upstream.jobs.clear()

    def open_stage(*, key: str = KEY, **settings: str) -> AbstractAsyncContextManager[Stage]:
        reached = {"url": proxy.url, "call_seconds": CALL_SECONDS}
        return stage_for(upstream, tmp_path, environment={upstream.vendor.key_env: key}, **reached, **settings)

    return open_stage


async def submit(stage: Stage, model: str = "ltx-2.5", *, picture: bool = False) -> str:
    """Submit a film as a route with this model of the proxy's would."""
    wanted = Wanted(model=model, size=Size(1280, 720), seconds=8, picture=picture)
    return await stage.backend.submit(stage.request(wanted))


@pytest.mark.parametrize("encoding", ["multipart", "json"])
@pytest.mark.parametrize("model", MODELS)
async def test_a_film_comes_through_byte_for_byte(
    through: OpenStage, upstream: ScriptedUpstream, model: str, encoding: str
) -> None:
    async with through(encoding=encoding) as stage:
        job_id = await submit(stage, model)
        await stage.poll_until(job_id, Finished)
        film = await stage.collected(job_id)

    [job] = upstream.jobs.values()
    assert film == upstream.film
    assert (job.submission.prompt, job.submission.fields["seconds"]) == (PROMPT, "8")
    assert (job.submission.fields["model"], job.submission.fields["size"]) == ("ltx-2.5", "1280x720")


@pytest.mark.parametrize("model", MODELS)
async def test_a_picture_comes_through_byte_for_byte(
    through: OpenStage, upstream: ScriptedUpstream, model: str
) -> None:
    async with through() as stage:
        await submit(stage, model, picture=True)

    [job] = upstream.jobs.values()
    assert job.submission.picture == picture_bytes(width=1280, height=720)


@pytest.mark.parametrize("model", MODELS)
async def test_a_refusal_by_moderation_is_one(through: OpenStage, upstream: ScriptedUpstream, model: str) -> None:
    upstream.script("submit", refusal())
    async with through() as stage:
        error = await stage.error_of(submit(stage, model))

    assert isinstance(error, Refused)
    assert error.code is FailCode.CONTENT_VIOLATION
    assert upstream.creations == 0


@pytest.mark.parametrize(
    ("mishap", "code"),
    [(Mishap.REFUSED, FailCode.CONTENT_VIOLATION), (Mishap.FAILS, FailCode.GENERATION_FAILED)],
)
async def test_a_job_that_fails_tells_why(
    through: OpenStage, upstream: ScriptedUpstream, mishap: Mishap, code: FailCode
) -> None:
    upstream.plan(Plan(mishap=mishap))
    async with through() as stage:
        status = await stage.poll_until(await submit(stage), Failed)

    assert isinstance(status, Failed)
    assert status.code is code


async def test_a_job_that_vanished_behind_the_gateway_is_gone(through: OpenStage, upstream: ScriptedUpstream) -> None:
    async with through() as stage:
        job_id = await submit(stage)
        upstream.jobs.clear()

        assert await stage.backend.poll(job_id) == Vanished()


@pytest.mark.parametrize("model", MODELS)
async def test_too_many_requests_wait(through: OpenStage, upstream: ScriptedUpstream, model: str) -> None:
    upstream.script("submit", status(429))
    async with through() as stage:
        error = await stage.error_of(submit(stage, model))

    assert type(error) is Busy
    assert upstream.creations == 0


async def test_a_key_that_the_vendor_took_back_needs_the_operator(
    through: OpenStage, upstream: ScriptedUpstream
) -> None:
    async with through() as stage:
        error = await stage.error_of(submit(stage, LOCKED_OUT))

    assert type(error) is Unusable
    assert "sk-revoked" not in str(error)
    assert upstream.creations == 0


async def test_a_wrong_key_of_the_gateway_creates_nothing(through: OpenStage, upstream: ScriptedUpstream) -> None:
    """Without a database LiteLLM answers 400, not 401."""
    async with through(key="sk-stranger") as stage:
        error = await stage.error_of(submit(stage))

    assert isinstance(error, NotCreated)
    assert "sk-stranger" not in str(error)
    assert upstream.creations == 0


async def test_a_model_that_the_gateway_does_not_know_creates_nothing(
    through: OpenStage, upstream: ScriptedUpstream
) -> None:
    async with through() as stage:
        error = await stage.error_of(submit(stage, "nobody"))

    assert isinstance(error, NotCreated)
    assert upstream.creations == 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", [status(500), status(503), garbage(), reset_after()], ids=repr)
async def test_a_lost_answer_is_ambiguous_and_paid_once(
    through: OpenStage, upstream: ScriptedUpstream, model: str, fault: Fault
) -> None:
    upstream.script("submit", fault)
    async with through() as stage:
        error = await stage.error_of(submit(stage, model))

    assert type(error) is Ambiguous
    assert upstream.creations == 1


async def test_a_cancellation_promises_nothing(through: OpenStage) -> None:
    """LiteLLM has no DELETE for a video."""
    async with through() as stage:
        job_id = await submit(stage)

        assert await stage.backend.cancel(job_id) is False
        assert await stage.poll_until(job_id, Finished) == Finished()


async def test_check_tells_the_models_of_the_gateway(through: OpenStage) -> None:
    async with through() as stage:
        words = await stage.backend.check()

    assert words == f"answers; serves {', '.join([*MODELS, LOCKED_OUT])}"


@pytest.mark.timeout(150, func_only=True)
async def test_a_whole_server_plays_through_the_gateway(
    proxy: Proxy, upstream: ScriptedUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.jobs.clear()
    monkeypatch.setenv(upstream.vendor.key_env, KEY)
    data = tmp_path / "data"
    key = (await make_key(data))["key"]
    settings = paid.settings({"gateway": upstream}, url=proxy.url, call_seconds=CALL_SECONDS)
    async with running(data, **settings) as server, server.client(key) as client:
        answer = await client.post(MODEL_PATH, json={"input": {"prompt": PROMPT, "duration": 1}})
        end = await wait_for_end(client, answer.json()["data"]["taskId"], within_seconds=40)
        assert end["state"] == "success", [end, *server.log]
        film = await client.get(json.loads(end["resultJson"])["resultUrls"][0])

    [job] = upstream.jobs.values()
    assert job.submission.prompt == PROMPT
    assert film.content == upstream.film
