"""Cancelling, checking, finding a lost job, and the upstream's webhooks."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.backends.stage import WEBHOOK, Stage, open_stage, patience
from tests.support.upstream import CallName, Fault, drip, garbage, html, lost, reset_after, status, vendors, wrong_shape
from understudy.backends.base import BackendError, Finished, LostAttempt, PollFailed, Running, Unusable
from understudy.domain.ids import AttemptId


async def test_a_running_job_is_cancelled_and_the_answer_is_honest(stage: Stage) -> None:
    """True is a promise that nothing is billed: the upstream must have been told, and must have stopped it."""
    job_id = await stage.submit()
    await stage.backend.poll(job_id)

    stopped = await stage.backend.cancel(job_id)

    [job] = stage.upstream.jobs.values()
    assert not stopped or job.cancelled
    assert len(stage.upstream.calls("cancel")) <= 1


async def test_cancelling_a_job_that_nobody_knows_is_no_catastrophe(stage: Stage) -> None:
    job_id = await stage.submit()
    stage.upstream.jobs.clear()

    came = await stage.tried(stage.backend.cancel(job_id))

    assert isinstance(came, bool | BackendError)


@pytest.mark.parametrize("fault", [status(500), reset_after(), lost()], ids=repr)
async def test_a_cancellation_that_goes_wrong_promises_nothing(kind: str, fault: Fault, tmp_path: Path) -> None:
    async with open_stage(kind, tmp_path, call_seconds=patience(fault)) as stage:
        job_id = await stage.submit()
        stage.upstream.always("cancel", fault)

        came = await stage.tried(stage.backend.cancel(job_id))

    assert came is False or isinstance(came, PollFailed)


async def test_check_tells_a_few_words(stage: Stage) -> None:
    words = await stage.backend.check()

    assert 0 < len(words) <= 300
    assert stage.vendor.key not in words
    assert stage.upstream.requests, "nobody was asked"
    assert stage.upstream.creations == 0


async def test_check_finds_a_wrong_key(kind: str, tmp_path: Path) -> None:
    variable = vendors()[kind].key_env
    async with open_stage(kind, tmp_path, environment={variable: "not-the-right-key"}) as stage:
        error = await stage.error_of(stage.backend.check())

    assert isinstance(error, Unusable)
    assert "not-the-right-key" not in str(error)


@pytest.mark.parametrize("fault", [status(503), html(200), garbage(), wrong_shape(), drip(), lost()], ids=repr)
async def test_check_finds_an_upstream_that_is_unwell(kind: str, fault: Fault, tmp_path: Path) -> None:
    calls: tuple[CallName, ...] = ("submit", "poll", "result", "list", "check", "cancel")
    async with open_stage(kind, tmp_path, call_seconds=patience(fault)) as stage:
        for call in calls:
            stage.upstream.always(call, fault)

        error = await stage.error_of(stage.backend.check())

    assert isinstance(error, PollFailed)


def _lost(stage: Stage, *, taken: frozenset[str] = frozenset()) -> LostAttempt:
    request = stage.request()
    return LostAttempt(
        attempt_id=AttemptId("att_lost"),
        prompt=request.prompt,
        wanted=request.wanted,
        generate=request.generate,
        started_at_ms=int(time.time() * 1000),
        taken=taken,
    )


async def test_nothing_is_found_where_nothing_was_created(stage: Stage) -> None:
    assert await stage.backend.find(_lost(stage)) is None


async def test_what_is_found_is_the_lost_job(stage: Stage) -> None:
    """Most upstreams offer no way; one that does must hand out an id that can be polled."""
    stage.upstream.script("submit", reset_after())
    await stage.error_of(stage.submit())

    found = await stage.backend.find(_lost(stage))

    if found is not None:
        assert stage.backend.traits.reconcile_seconds > 0
        assert isinstance(await stage.poll_until(found, Finished), Finished)
        assert await stage.collected(found) == stage.upstream.film
    assert stage.submissions() == 1


async def test_a_job_is_not_found_for_another_prompt(stage: Stage) -> None:
    stage.upstream.script("submit", reset_after())
    await stage.error_of(stage.submit())

    assert await stage.backend.find(replace(_lost(stage), prompt="Another film")) is None


async def test_of_two_jobs_that_look_alike_none_is_found(stage: Stage) -> None:
    stage.upstream.script("submit", reset_after(), reset_after())
    await stage.error_of(stage.submit())
    await stage.error_of(stage.submit())

    assert await stage.backend.find(_lost(stage)) is None


async def test_a_job_of_another_attempt_is_not_found(stage: Stage) -> None:
    job_id = await stage.submit()

    assert await stage.backend.find(_lost(stage, taken=frozenset({job_id}))) is None


@pytest.mark.parametrize("fault", [status(500), html(200), wrong_shape(), lost()], ids=repr)
async def test_a_list_that_cannot_be_read_finds_nothing(kind: str, fault: Fault, tmp_path: Path) -> None:
    async with open_stage(kind, tmp_path, call_seconds=patience(fault)) as stage:
        stage.upstream.always("list", fault)

        came = await stage.tried(stage.backend.find(_lost(stage)))

    assert came is None or isinstance(came, PollFailed)


async def test_the_upstream_is_given_the_attempts_own_address_to_call_back(kind: str, tmp_path: Path) -> None:
    async with open_stage(kind, tmp_path, webhooks=True) as stage:
        if not stage.backend.traits.webhooks:
            pytest.skip("the vendor calls nobody back")
        await stage.submit()

        [job] = stage.upstream.jobs.values()
        assert job.submission.webhook == WEBHOOK


async def test_a_webhook_names_its_job(kind: str, tmp_path: Path) -> None:
    """What it names can be polled and collected, also by an attempt that never got an answer."""
    async with open_stage(kind, tmp_path, webhooks=True) as stage:
        if not stage.backend.traits.webhooks:
            pytest.skip("the vendor calls nobody back")
        await stage.finished()
        [job] = stage.upstream.jobs.values()
        sent = stage.vendor.webhook(job)
        assert sent is not None
        body, headers = sent

        named = stage.backend.job_of_webhook(body, {name.lower(): text for name, text in headers.items()})

        assert named is not None
        assert isinstance(await stage.backend.poll(named), Finished | Running)
        assert await stage.collected(named) == stage.upstream.film


_NAMES = ("id", "request_id", "gateway_request_id", "task_id", "status", "data", "payload", "error", "type", "x")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5),
    max_leaves=15,
)
_BODIES = st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode())
_HEADERS = st.dictionaries(st.sampled_from(["content-type", "webhook-id", "x-id"]), st.text(max_size=30), max_size=3)


async def test_no_webhook_is_too_strange(stage: Stage) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(body=_BODIES, headers=_HEADERS)
    def never_raises(body: bytes, headers: Mapping[str, str]) -> None:
        named = stage.backend.job_of_webhook(body, headers)
        assert named is None or 0 < len(named) <= 4096

    never_raises()
