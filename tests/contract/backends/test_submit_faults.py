"""One submission goes wrong: exactly the right error, exactly one POST, and the creations that it stands for.

What is not proved to have created nothing is `Ambiguous` (`reliability.md` §3.2): with the second column a wrong
verdict would cost money twice, or a caller the film.
"""

import contextlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.backends.stage import PROMPT, Stage, open_stage, patience
from tests.support.upstream import (
    Answer,
    Fault,
    answered,
    cut_answer,
    drip,
    empty,
    endless,
    garbage,
    gzip_bomb,
    html,
    key_echo,
    lost,
    refusal,
    reset_after,
    reset_before,
    status,
    wrong_shape,
    wrong_types,
)
from understudy.backends.base import Ambiguous, BackendError, BadInput, Busy, NotCreated, Refused, Unusable
from understudy.domain.errors import FailCode

FAULTS: list[tuple[Fault, type[BackendError], int]] = [
    # (what happens, what it means, jobs that exist afterwards)
    (status(400), BadInput, 0),
    (status(401), Unusable, 0),
    (status(402), Unusable, 0),
    (status(403), Unusable, 0),
    (status(404), Unusable, 0),
    (status(410), Unusable, 0),
    (status(429), Busy, 0),
    (refusal(), Refused, 0),
    (status(500), Ambiguous, 1),
    (status(502), Ambiguous, 1),
    (status(503), Ambiguous, 1),
    (html(200), Ambiguous, 1),
    (html(502), Ambiguous, 1),
    (garbage(), Ambiguous, 1),
    (wrong_shape(), Ambiguous, 1),
    (wrong_shape({}), Ambiguous, 1),
    (wrong_types(), Ambiguous, 1),
    (empty(200), Ambiguous, 1),
    (drip(), Ambiguous, 1),
    (endless(), Ambiguous, 1),
    (gzip_bomb(), Ambiguous, 1),
    (cut_answer(), Ambiguous, 1),
    (reset_after(), Ambiguous, 1),
    (lost(), Ambiguous, 1),
    (reset_before(), Ambiguous, 0),
    (key_echo(401), Unusable, 0),
    (key_echo(400), BadInput, 0),
    (key_echo(500), Ambiguous, 1),
]


@pytest.mark.parametrize(("fault", "verdict", "creations"), FAULTS, ids=lambda value: repr(value)[:30])
async def test_a_submission_that_goes_wrong(
    kind: str, fault: Fault, verdict: type[BackendError], creations: int, tmp_path: Path
) -> None:
    async with open_stage(kind, tmp_path, call_seconds=patience(fault)) as stage:
        stage.upstream.script("submit", fault)

        error = await stage.error_of(stage.submit())

        assert type(error) is verdict, repr(error)
        assert stage.submissions() == 1
        assert stage.upstream.creations == creations


async def test_the_wait_that_a_busy_upstream_asks_for_is_handed_on(stage: Stage) -> None:
    stage.upstream.script("submit", status(429, retry_after="7"))

    error = await stage.error_of(stage.submit())

    assert isinstance(error, Busy)
    assert error.retry_after_seconds == 7


async def test_a_refusal_by_moderation_is_the_callers_affair_and_not_in_the_vendors_words(stage: Stage) -> None:
    stage.upstream.script("submit", refusal())

    error = await stage.error_of(stage.submit())

    assert isinstance(error, Refused)
    assert error.code is FailCode.CONTENT_VIOLATION
    assert PROMPT not in error.message
    assert stage.vendor.kind not in error.message.lower()
    assert "http" not in error.message


async def test_a_redirect_is_not_followed(stage: Stage) -> None:
    elsewhere = f"{stage.upstream.file_address}/files/x/0.mp4"
    stage.upstream.script("submit", answered(Answer(307, b"", {"Location": elsewhere}), name="redirect", acts=False))

    error = await stage.error_of(stage.submit())

    assert isinstance(error, Unusable)
    assert stage.submissions() == 1
    assert not stage.upstream.file_requests


async def test_where_nobody_listens_nothing_was_created(kind: str, tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    async with open_stage(kind, tmp_path, url=f"http://127.0.0.1:{port}/v1") as stage:
        error = await stage.error_of(stage.submit())

    assert type(error) is NotCreated


async def test_a_picture_that_cannot_be_read_is_not_sent(stage: Stage) -> None:
    """What fails before the call has created nothing: another attempt is safe."""
    request = stage.request(replace(stage.playable(), picture=True))
    assert request.picture is not None
    request.picture.unlink()

    error = await stage.error_of(stage.backend.submit(request))

    assert type(error) is NotCreated
    assert not stage.upstream.requests


async def test_the_next_submission_goes_well(stage: Stage) -> None:
    """A fault leaves no broken connection behind."""
    stage.upstream.script("submit", reset_after(), status(503), cut_answer())
    for _ in range(3):
        await stage.error_of(stage.submit())

    await stage.submit()

    assert stage.submissions() == stage.upstream.creations == 4
