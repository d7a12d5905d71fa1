"""What every backend does when all goes well: fit, submit, poll, collect; and what every kind brings along."""

import asyncio
import datetime as dt
import itertools
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.contract.backends.stage import KINDS, MODEL, NAME, Stage, open_stage
from tests.support.upstream import CallName, Plan, extra_fields, vendors
from understudy.backends.base import CannotPlay, Failed, Finished, Running, Vanished, Wanted
from understudy.backends.options import BackendOptions
from understudy.backends.registry import BUILT_IN, upstream_module, upstream_names
from understudy.domain.catalogue import Size
from understudy.domain.errors import OperatorError

HOSTED = tuple(kind for kind in upstream_names() if kind != BUILT_IN)


def test_every_kind_has_a_scripted_upstream() -> None:
    """A new backend without a fake in `tests/support/upstream/` fails here."""
    assert set(KINDS) == set(HOSTED)


@pytest.mark.parametrize("kind", HOSTED)
def test_the_facts_of_a_kind_are_complete(kind: str) -> None:
    module = upstream_module(kind)
    facts = module.FACTS

    assert facts.kind == kind
    assert dt.date.fromisoformat(facts.read_on) >= dt.date(2026, 11, 1)
    assert facts.reference.startswith("https://")
    assert facts.base_url.startswith("https://") or not facts.base_url
    empty = {field.name for field in fields(facts) if not getattr(facts, field.name)}
    assert empty <= {"base_url", "key_env", "default_model"}
    assert all(facts_text.endswith(".") for facts_text in (facts.cost, facts.result_life, facts.lost_answer))
    assert issubclass(module.Options, BackendOptions)


@pytest.mark.parametrize("picture", [False, True], ids=["text", "picture"])
@pytest.mark.parametrize("seconds", MODEL.durations)
async def test_a_film_is_made_byte_for_byte(stage: Stage, seconds: int, picture: bool) -> None:
    wanted = stage.wanted(seconds=seconds, size=Size(1280, 720), picture=picture)
    if reason := stage.fits(wanted):
        pytest.skip(reason)
    request = stage.request(wanted)

    job_id = await stage.backend.submit(request)
    status = await stage.poll_until(job_id, Finished, Failed, Vanished)
    film = await stage.collected(job_id)

    assert isinstance(status, Finished)
    assert film == stage.upstream.film
    [job] = stage.upstream.jobs.values()
    assert job.submission.prompt == request.prompt
    assert job.submission.seconds in (None, seconds) or job.submission.seconds == pytest.approx(seconds, abs=0.2)
    assert (job.submission.picture is not None) == picture


async def test_no_order_in_a_prompt_reaches_a_model_that_obeys_it(stage: Stage) -> None:
    """Seedance takes `--duration 15` for an order, whoever sells it, and the operator would pay for what it says."""
    if "seedance" not in stage.vendor.model:
        pytest.skip("the vendor's usual model obeys no orders")
    request = replace(stage.request(), prompt="A cat -- a real one --duration 15")

    await stage.backend.submit(request)

    [job] = stage.upstream.jobs.values()
    assert job.submission.prompt == "A cat -- a real one —duration 15"


def _films() -> list[tuple[int, Size, bool]]:
    sizes = {*MODEL.sizes, *MODEL.resolutions.values()}
    return [*itertools.product(MODEL.durations, sorted(sizes, key=str), (False, True))]


async def test_a_backend_can_make_films_from_text_and_from_a_picture(stage: Stage) -> None:
    able = set()
    for seconds, size, picture in _films():
        wanted = stage.wanted(seconds=seconds, size=size, picture=picture)
        if stage.fits(wanted):
            continue
        able.add(picture)
        generated = stage.backend.fit(wanted).size

        assert generated.width % 2 == 0
        assert generated.height % 2 == 0
        assert (generated.width > generated.height) == (size.width > size.height), "turned by a quarter"

    assert able == {False, True}


async def test_a_length_that_nobody_makes_is_refused_before_anything_is_sent(stage: Stage) -> None:
    """A generic server is asked for what is wanted, since only its operator knows what it serves."""
    if stage.vendor.kind == "openai_videos":
        pytest.skip("the operator sets what it can do")
    wanted = stage.wanted(seconds=3600, size=Size(1280, 720), picture=False)

    with pytest.raises(CannotPlay, match=r"\d"):
        stage.backend.fit(wanted)

    assert not stage.upstream.requests


async def test_the_traits_follow_the_settings(kind: str, tmp_path: Path) -> None:
    async with open_stage(kind, tmp_path, first_poll_seconds=7, poll_seconds=3, polls_at_once=5, max_jobs=9) as stage:
        traits = stage.backend.traits

    assert stage.backend.name == NAME
    assert (traits.first_poll_seconds, traits.poll_seconds, traits.polls_at_once, traits.max_jobs) == (7, 3, 5, 9)
    assert not traits.procedural
    assert not traits.free_to_repeat


async def test_webhooks_can_be_switched_off(kind: str, tmp_path: Path) -> None:
    async with open_stage(kind, tmp_path, webhooks=False) as stage:
        assert not stage.backend.traits.webhooks
        await stage.submit()

    [job] = stage.upstream.jobs.values()
    assert job.submission.webhook is None


async def test_a_job_takes_the_time_it_takes(stage: Stage) -> None:
    stage.upstream.plan(Plan(polls=4))
    job_id = await stage.submit()

    statuses = [await stage.backend.poll(job_id) for _ in range(5)]

    assert [type(status) for status in statuses] == [Running] * 4 + [Finished]
    told = [status.progress for status in statuses if isinstance(status, Running)]
    assert all(progress is None or 0 <= progress <= 100 for progress in told)


async def test_a_film_can_be_collected_twice(stage: Stage) -> None:
    """After a crash between the download and the commit it is fetched again."""
    job_id = await stage.finished()

    assert await stage.collected(job_id) == await stage.collected(job_id) == stage.upstream.film


async def test_unknown_fields_and_headers_are_ignored(stage: Stage) -> None:
    """Case U15."""
    calls: tuple[CallName, ...] = ("submit", "poll", "result", "check", "list")
    for call in calls:
        stage.upstream.always(call, extra_fields())

    job_id = await stage.finished()

    assert await stage.collected(job_id) == stage.upstream.film


async def test_submissions_side_by_side_create_one_job_each(stage: Stage) -> None:
    request = stage.request()

    job_ids = await asyncio.gather(*(stage.backend.submit(request) for _ in range(20)))

    assert len(set(job_ids)) == 20
    assert stage.upstream.creations == stage.submissions() == 20


async def test_a_job_survives_a_restart_of_the_server(kind: str, tmp_path: Path) -> None:
    """The id alone, as the database keeps it, must do for a process that did not submit the job."""
    async with open_stage(kind, tmp_path) as first:
        job_id = await first.submit()
        assert len(job_id) <= 4096
        async with open_stage(kind, tmp_path, url=first.upstream.settings()["url"]) as second:
            await second.poll_until(job_id, Finished)


async def test_a_missing_key_is_told_with_the_names_that_mend_it(kind: str, tmp_path: Path) -> None:
    variable = vendors()[kind].key_env

    with pytest.raises(OperatorError, match=rf"studio.*{variable}.*api_key_file"):
        async with open_stage(kind, tmp_path, environment={}):
            pass


async def test_a_misspelt_setting_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=rf"unknown setting poll_second: docs/backends/{kind}.md"):
        async with open_stage(kind, tmp_path, poll_second=3):
            pass


async def test_a_key_among_the_settings_is_refused_and_not_shown(kind: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="api_key_file or api_key_env") as caught:
        async with open_stage(kind, tmp_path, api_key="a-secret-in-the-wrong-place"):
            pass

    assert "a-secret" not in str(caught.value)


async def test_a_model_named_by_the_route_reaches_the_upstream(stage: Stage) -> None:
    if not stage.vendor.model:
        pytest.skip("the vendor's fake names no model")

    await stage.submit()

    [request] = stage.upstream.calls("submit")
    assert stage.vendor.model in request.target or stage.vendor.model.encode() in request.body


async def test_the_settings_name_the_model_where_the_route_does_not(kind: str, tmp_path: Path) -> None:
    model = vendors()[kind].model
    if not model:
        pytest.skip("the vendor's fake names no model")
    async with open_stage(kind, tmp_path, model=model) as stage:
        wanted = Wanted(model="", size=stage.playable().size, seconds=stage.playable().seconds, picture=False)
        await stage.backend.submit(stage.request(wanted))

        [request] = stage.upstream.calls("submit")
        assert model in request.target or model.encode() in request.body
