"""Case U13: an upstream's webhook brings back a job that nobody heard of; a forged or repeated one changes nothing."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.paid import creations_by_prompt
from tests.support.rows import attempt_states
from tests.support.server import MODEL_PATH, Server, make_key, running, wait_for_end
from tests.support.upstream import Plan, ScriptedUpstream, tiny_film, vendors
from understudy.workflow.crash_points import CrashPoint

FILM = {"width": 1280, "height": 720, "frames": 96}


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedUpstream]:
    vendor = vendors()["fal"]()
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    async with ScriptedUpstream(vendor, film=tiny_film(**FILM), usual_plan=Plan(polls=0)) as upstream:
        yield upstream


def settings(upstream: ScriptedUpstream) -> dict[str, str]:
    routes = [{"backend": "star", "model": upstream.vendor.model}]
    slow = {"first_poll_seconds": 600, "poll_seconds": 600}
    return {
        "BACKENDS": json.dumps({"star": upstream.settings(webhooks=True, **slow)}),
        "MODELS": json.dumps({"sora-2-pro": {"routes": routes}}),
        "OUTBOUND_ALLOW": ",".join(["127.0.0.1", *upstream.outbound_allow]),
        "LOG_LEVEL": "warning",
    }


async def submit(server: Server, key: str) -> str:
    body = {"input": {"prompt": "a cat", "size": "1280*720"}}
    async with server.client(key) as client:
        answer = await client.post(MODEL_PATH, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["taskId"])


async def created(upstream: ScriptedUpstream) -> None:
    for _ in range(400):
        if upstream.creations:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was submitted")


async def call_back(upstream: ScriptedUpstream, server: Server) -> int:
    """Post the vendor's webhook to the server as it listens now: one that was started again has another port."""
    [job] = upstream.jobs.values()
    job.advance()
    assert job.submission.webhook is not None
    there = urlsplit(job.submission.webhook)._replace(netloc=urlsplit(server.url).netloc).geturl()
    job.submission = dataclasses.replace(job.submission, webhook=there)
    return await upstream.post_webhook(job)


async def test_a_webhook_ends_the_wait_for_the_next_poll(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = (await make_key(data))["key"]
    async with running(data, **settings(upstream)) as server, server.client(key) as client:
        task_id = await submit(server, key)
        await created(upstream)
        await asyncio.sleep(0.5)
        told = await call_back(upstream, server)
        end = await wait_for_end(client, task_id)

    assert told == 200
    assert end["state"] == "success", end


async def test_a_job_whose_answer_died_with_the_server_is_adopted_through_its_webhook(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    key = (await make_key(data))["key"]
    async with running(data, CRASH_AT=CrashPoint.SUBMIT_AFTER_CALL.value, **settings(upstream)) as server:
        task_id = await submit(server, key)
        assert await server.died(within_seconds=30) == -9
    async with running(data, **settings(upstream)) as server, server.client(key) as client:
        await asyncio.sleep(1)
        waiting = attempt_states(data, task_id)
        assert await call_back(upstream, server) == 200
        end = await wait_for_end(client, task_id)
        assert await call_back(upstream, server) == 200

    assert waiting == ["unknown"]
    assert end["state"] == "success", end
    assert attempt_states(data, task_id) == ["succeeded"]
    assert set(creations_by_prompt(upstream).values()) == {1}


@pytest.mark.parametrize(
    "path", ["/upstream/att_0000000000000000000000/x", "/upstream/{attempt}/forged", "/upstream/{attempt}/%C3%A4"]
)
async def test_a_forged_address_is_an_unknown_one(upstream: ScriptedUpstream, tmp_path: Path, path: str) -> None:
    data = tmp_path / "data"
    key = (await make_key(data))["key"]
    async with running(data, **settings(upstream)) as server, server.client(key) as client:
        await submit(server, key)
        await created(upstream)
        [job] = upstream.jobs.values()
        assert job.submission.webhook is not None
        attempt = urlsplit(job.submission.webhook).path.split("/")[2]
        answer = await client.post(path.format(attempt=attempt), content=b"{}")
        big = await client.post(urlsplit(job.submission.webhook).path, content=b"x" * (1024**2 + 1))
        garbage = await client.post(urlsplit(job.submission.webhook).path, content=b"\xff\x00garbage")
        wrong_method = await client.get(urlsplit(job.submission.webhook).path)

    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert (big.status_code, garbage.status_code, wrong_method.status_code) == (413, 200, 405)
