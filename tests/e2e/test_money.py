"""Never paid twice: a real server killed at each point of a paid submission, and an upstream that counts."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import paid
from tests.support.rows import attempt_states, query, slots_in_use
from tests.support.server import MODEL_PATH, Server, make_key, running, understudy, wait_for_end
from tests.support.upstream import (
    Mishap,
    Plan,
    ScriptedUpstream,
    lost,
    reset_after,
    reset_before,
    status,
    tiny_film,
    vendors,
)
from understudy.workflow.crash_points import CrashPoint

DEATH_SECONDS = 30
AFTER_THE_COMMIT = (
    CrashPoint.SUBMIT_AFTER_COMMIT,
    CrashPoint.AWAIT_AFTER_FINISHED,
    CrashPoint.COLLECT_AFTER_FETCH,
    CrashPoint.FINISH_BEFORE_COMMIT,
)
"""`test_crash_points.py` runs every point with the built-in renderer."""


@dataclass(frozen=True, slots=True)
class Case:
    """A data folder with a key, and a paid upstream."""

    data: Path
    key: str
    upstream: ScriptedUpstream

    def settings(self, **options: object) -> dict[str, str]:
        return paid.settings({"star": self.upstream}, **options)

    async def submit(self, server: Server) -> str:
        async with server.client(self.key) as client:
            answer = await client.post(MODEL_PATH, json={"input": {"prompt": "a cat", "duration": 1}})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["taskId"])

    async def end(self, server: Server, task_id: str, *, within_seconds: float = 60) -> dict[str, Any]:
        async with server.client(self.key) as client:
            return await wait_for_end(client, task_id, within_seconds=within_seconds)


@pytest.fixture
async def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Case]:
    vendor = vendors()["openai_videos"]()
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    data = tmp_path / "data"
    key = await make_key(data)
    async with ScriptedUpstream(vendor) as upstream:
        yield Case(data, key["key"], upstream)


@pytest.mark.parametrize("point", AFTER_THE_COMMIT)
async def test_a_kill_after_the_job_is_known_costs_nothing(case: Case, point: CrashPoint) -> None:
    async with running(case.data, CRASH_AT=point.value, **case.settings()) as server:
        task_id = await case.submit(server)
        assert await server.died(within_seconds=DEATH_SECONDS) == -9
    async with running(case.data, **case.settings()) as server:
        end = await case.end(server, task_id)

    assert end["state"] == "success", end
    assert case.upstream.creations == 1
    assert attempt_states(case.data, task_id) == ["succeeded"]
    assert slots_in_use(case.data) == 0


async def test_a_kill_before_the_call_sends_nothing_and_lists_the_attempt(case: Case) -> None:
    point = CrashPoint.SUBMIT_AFTER_ATTEMPT_RECORDED
    case.upstream.always("list", status(404))
    settings = case.settings(reconcile_seconds=1)
    async with running(case.data, CRASH_AT=point.value, **settings) as server:
        task_id = await case.submit(server)
        assert await server.died(within_seconds=DEATH_SECONDS) == -9
    async with running(case.data, **settings) as server:
        end = await case.end(server, task_id)

    assert (end["state"], end["failCode"]) == ("failed", "GENERATION_FAILED")
    assert case.upstream.creations == 0
    assert attempt_states(case.data, task_id) == ["unknown"]


async def test_a_kill_between_the_call_and_its_commit_is_never_paid_twice(case: Case) -> None:
    case.upstream.always("list", status(404))
    settings = case.settings(reconcile_seconds=1)
    async with running(case.data, CRASH_AT=CrashPoint.SUBMIT_AFTER_CALL.value, **settings) as server:
        task_id = await case.submit(server)
        assert await server.died(within_seconds=DEATH_SECONDS) == -9
    async with running(case.data, **settings) as server:
        end = await case.end(server, task_id)
        _, listed, _ = await understudy("attempts", "--unknown", data=case.data, **settings)

    assert (end["state"], end["failCode"]) == ("failed", "GENERATION_FAILED")
    assert case.upstream.creations == 1
    assert task_id in listed


async def test_a_kill_between_the_call_and_its_commit_is_found_again_where_the_upstream_lists_its_jobs(
    case: Case,
) -> None:
    async with running(case.data, CRASH_AT=CrashPoint.SUBMIT_AFTER_CALL.value, **case.settings()) as server:
        task_id = await case.submit(server)
        assert await server.died(within_seconds=DEATH_SECONDS) == -9
    async with running(case.data, **case.settings()) as server:
        end = await case.end(server, task_id)

    assert end["state"] == "success", end
    assert case.upstream.creations == 1
    assert attempt_states(case.data, task_id) == ["succeeded"]


@pytest.mark.parametrize("fault", [lost(), reset_after()], ids=["silence", "reset"])
async def test_a_lost_answer_is_found_again_and_not_sent_again(case: Case, fault: Any) -> None:
    case.upstream.script("submit", fault)
    async with running(case.data, **case.settings()) as server:
        end = await case.end(server, await case.submit(server))

    assert end["state"] == "success", end
    assert case.upstream.creations == 1


@pytest.mark.parametrize(
    "fault", [status(429, retry_after="1"), status(429)], ids=["with Retry-After", "without Retry-After"]
)
async def test_too_many_requests_hold_a_task_pending_until_it_is_taken(case: Case, fault: Any) -> None:
    case.upstream.script("submit", fault)
    async with running(case.data, **case.settings()) as server:
        end = await case.end(server, await case.submit(server))

    assert end["state"] == "success", end
    assert case.upstream.creations == 1


async def test_a_server_error_on_submission_is_not_sent_again(case: Case) -> None:
    case.upstream.script("submit", status(500))
    case.upstream.always("list", status(404))
    async with running(case.data, **case.settings(reconcile_seconds=1)) as server:
        task_id = await case.submit(server)
        end = await case.end(server, task_id)

    assert end["failCode"] == "GENERATION_FAILED"
    assert len(case.upstream.calls("submit")) == 1
    assert attempt_states(case.data, task_id) == ["unknown"]


async def test_another_route_takes_over_only_where_nothing_was_created(case: Case) -> None:
    vendor = vendors()["openai_videos"]()
    case.upstream.script("submit", status(401))
    async with ScriptedUpstream(vendor) as second:
        settings = paid.settings({"star": case.upstream, "stand-in": second})
        async with running(case.data, **settings) as server:
            task_id = await case.submit(server)
            end = await case.end(server, task_id)
            await asyncio.sleep(1)  # one answer of /health serves all who ask within a second
            async with server.client(case.key) as client:
                health = (await client.get("/health")).json()

    assert end["state"] == "success", end
    assert (case.upstream.creations, second.creations) == (0, 1)
    assert attempt_states(case.data, task_id) == ["not_created", "succeeded"]
    assert health["backends"]["star"].startswith("resting for ")
    assert health["backends"]["stand-in"] == "ok"


async def test_a_film_that_comes_after_the_deadline_is_recorded_as_late(case: Case) -> None:
    case.upstream.plan(Plan(seconds=14))
    case.upstream.always("cancel", reset_before())
    settings = case.settings() | {"TASK_DEADLINE_SECONDS": "10"}
    async with running(case.data, **settings) as server:
        task_id = await case.submit(server)
        end = await case.end(server, task_id)
    await asyncio.sleep(4)
    async with running(case.data, **settings):
        for _ in range(100):
            if attempt_states(case.data, task_id) == ["late"]:
                break
            await asyncio.sleep(0.1)

    assert end["failCode"] == "PROCESSING_TIMEOUT"
    assert attempt_states(case.data, task_id) == ["late"]


async def test_a_film_of_a_near_size_is_fitted_and_the_record_says_so(case: Case) -> None:
    case.upstream.film = tiny_film(width=64, height=72)
    async with running(case.data, **case.settings()) as server:
        task_id = await case.submit(server)
        end = await case.end(server, task_id)
        async with server.client(case.key) as client:
            [link] = json.loads(end["resultJson"])["resultUrls"]
            served = (await client.get(link)).content

    [(remark,)] = query(case.data, "SELECT remark FROM attempts WHERE task_id = ?", task_id)
    [(original,)] = query(case.data, "SELECT sha256 FROM assets WHERE task_id = ? AND kind = 'original'", task_id)
    assert remark == "generated at 64x72, scaled and cropped to 64x64"
    assert original == hashlib.sha256(case.upstream.film).hexdigest()
    assert served != case.upstream.film


async def test_a_film_of_the_very_size_is_served_byte_for_byte(case: Case) -> None:
    async with running(case.data, **case.settings()) as server:
        end = await case.end(server, await case.submit(server))
        async with server.client(case.key) as client:
            [link] = json.loads(end["resultJson"])["resultUrls"]
            served = (await client.get(link)).content

    assert served == case.upstream.film


@pytest.mark.parametrize(
    ("mishap", "fail_code"),
    [
        (Mishap.REFUSED, "CONTENT_VIOLATION"),
        (Mishap.VANISHES, "GENERATION_FAILED"),
    ],
)
async def test_a_paid_job_that_comes_to_nothing_ends_its_task_and_is_paid_once(
    case: Case, mishap: Mishap, fail_code: str
) -> None:
    case.upstream.plan(Plan(mishap=mishap))
    async with running(case.data, **case.settings()) as server:
        end = await case.end(server, await case.submit(server))

    assert end["failCode"] == fail_code
    assert case.upstream.creations == 1
    assert slots_in_use(case.data) == 0


async def test_a_submission_that_never_arrived_is_unknown_all_the_same(case: Case) -> None:
    case.upstream.script("submit", reset_before())
    async with running(case.data, **case.settings(reconcile_seconds=1)) as server:
        task_id = await case.submit(server)
        end = await case.end(server, task_id)

    assert end["failCode"] == "GENERATION_FAILED"
    assert case.upstream.creations == 0
    assert query(case.data, "SELECT state FROM attempts WHERE task_id = ?", task_id) == [("unknown",)]
