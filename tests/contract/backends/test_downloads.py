"""Fetching the film: bounded in time and bytes, and the key stays at home."""

import time
from pathlib import Path

import pytest

from tests.contract.backends.stage import Stage, open_stage, patience, stage_for
from tests.support.upstream import (
    Answer,
    Fault,
    ScriptedUpstream,
    answered,
    drip,
    empty,
    endless,
    gzip_bomb,
    html,
    lost,
    ok,
    reset_after,
    reset_before,
    status,
    vendors,
)
from understudy.backends.base import CollectFailed

FAULTS: list[Fault] = [
    status(404),
    status(429),
    status(500),
    html(403),
    html(503),
    drip(),
    gzip_bomb(),
    reset_before(),
    reset_after(),
    lost(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_a_download_that_goes_wrong_leaves_nothing_and_goes_well_later(
    kind: str, fault: Fault, tmp_path: Path
) -> None:
    async with open_stage(kind, tmp_path, download_seconds=patience(fault)) as stage:
        job_id = await stage.finished()
        stage.upstream.always("download", fault)
        begun = time.monotonic()

        error = await stage.error_of(stage.collected(job_id))
        took = time.monotonic() - begun
        nothing_left = stage.leaves_nothing()
        stage.upstream.always("download", ok())
        film = await stage.collected(job_id)

    assert isinstance(error, CollectFailed)
    assert took < 5
    assert nothing_left
    assert film == stage.upstream.film
    assert stage.submissions() == 1


async def test_a_film_without_an_end_is_cut(kind: str, tmp_path: Path) -> None:
    async with open_stage(kind, tmp_path, result_bytes=64 * 1024) as stage:
        job_id = await stage.finished()
        stage.upstream.always("download", endless(b"\0" * 16384))

        error = await stage.error_of(stage.collected(job_id))

        assert isinstance(error, CollectFailed)
        assert error.hopeless
        assert stage.leaves_nothing()


async def test_a_film_that_announces_too_many_bytes_is_cut(kind: str, tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(vendors()[kind](), film=b"\0" * 200_000) as upstream,
        stage_for(upstream, tmp_path, result_bytes=64 * 1024) as stage,
    ):
        job_id = await stage.finished()

        error = await stage.error_of(stage.collected(job_id))

        assert isinstance(error, CollectFailed)
        assert error.hopeless
        assert stage.leaves_nothing()


async def test_an_empty_file_is_no_film(stage: Stage) -> None:
    job_id = await stage.finished()
    stage.upstream.always("download", empty(200))

    came = await stage.tried(stage.collected(job_id))

    assert came == b"" or isinstance(came, CollectFailed)


async def test_the_key_is_never_sent_to_another_origin(stage: Stage) -> None:
    """The film's own link, and a redirect to another host, which an interface may answer a download with."""
    job_id = await stage.finished()
    [job] = stage.upstream.jobs
    elsewhere = f"{stage.upstream.file_address}/files/{job}/0.mp4?issue=99"
    redirect = answered(Answer(302, b"", {"Location": elsewhere}), name="redirect", acts=True)
    stage.upstream.script("download", redirect)

    film = await stage.collected(job_id)

    assert film == stage.upstream.film
    strangers = [request for request in stage.upstream.file_requests if request.path.startswith("/files/")]
    assert strangers
    assert not [request for request in strangers if stage.vendor.key in f"{request.target} {request.headers}"]


async def test_a_redirect_into_the_private_network_is_not_followed(stage: Stage) -> None:
    job_id = await stage.finished()
    inside = f"http://127.0.0.1:{stage.upstream.internal_port}/film.mp4"
    stage.upstream.always("download", answered(Answer(302, b"", {"Location": inside}), name="inside", acts=True))

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert error.hopeless
    assert stage.upstream.internal_connections == 0


async def test_redirects_without_an_end_are_cut(stage: Stage) -> None:
    job_id = await stage.finished()
    [job] = stage.upstream.jobs
    again = f"{stage.upstream.file_address}/files/{job}/0.mp4"
    stage.upstream.always("download", answered(Answer(302, b"", {"Location": again}), name="loop", acts=True))

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert error.hopeless
    assert len(stage.upstream.calls("download")) <= 10
