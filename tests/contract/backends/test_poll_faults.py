"""One poll goes wrong: nothing is decided about the job, and the next poll goes well."""

from pathlib import Path

import pytest

from tests.contract.backends.stage import Stage, open_stage, patience
from tests.support.upstream import (
    Fault,
    cut_answer,
    drip,
    empty,
    endless,
    garbage,
    gzip_bomb,
    html,
    key_echo,
    lost,
    ok,
    reset_after,
    reset_before,
    status,
    wrong_shape,
    wrong_types,
)
from understudy.backends.base import BackendError, Finished, PollFailed, Running, Unusable

FAULTS: list[tuple[Fault, type[BackendError]]] = [
    (status(401), Unusable),
    (status(403), Unusable),
    (key_echo(401), Unusable),
    (status(429), PollFailed),
    (status(500), PollFailed),
    (status(502), PollFailed),
    (status(503), PollFailed),
    (key_echo(500), PollFailed),
    (html(200), PollFailed),
    (html(502), PollFailed),
    (garbage(), PollFailed),
    (wrong_shape(), PollFailed),
    (wrong_shape({}), PollFailed),
    (empty(200), PollFailed),
    (drip(), PollFailed),
    (endless(), PollFailed),
    (gzip_bomb(), PollFailed),
    (cut_answer(), PollFailed),
    (reset_before(), PollFailed),
    (reset_after(), PollFailed),
    (lost(), PollFailed),
]


@pytest.mark.parametrize(("fault", "verdict"), FAULTS, ids=lambda value: repr(value)[:30])
async def test_a_poll_that_goes_wrong_decides_nothing(
    kind: str, fault: Fault, verdict: type[BackendError], tmp_path: Path
) -> None:
    async with open_stage(kind, tmp_path, call_seconds=patience(fault)) as stage:
        job_id = await stage.submit()
        stage.upstream.always("poll", fault)

        error = await stage.error_of(stage.backend.poll(job_id))
        stage.upstream.always("poll", ok())

        assert isinstance(error, verdict), repr(error)
        assert await stage.poll_until(job_id, Finished) == Finished()
        assert stage.submissions() == 1


async def test_the_wait_that_an_upstream_asks_for_is_handed_on(stage: Stage) -> None:
    job_id = await stage.submit()
    stage.upstream.script("poll", status(429, retry_after="11"))

    error = await stage.error_of(stage.backend.poll(job_id))

    assert isinstance(error, PollFailed)
    assert error.retry_after_seconds == 11


async def test_a_status_of_another_type_never_ends_a_job(stage: Stage) -> None:
    """Case U5: a number where the word for the state should be is no state."""
    job_id = await stage.submit()
    stage.upstream.script("poll", wrong_types())

    came = await stage.tried(stage.backend.poll(job_id))

    assert isinstance(came, Running | PollFailed)
