"""One job goes wrong: what `poll` and `collect` make of it (cases U7 to U11)."""

import pytest

from tests.contract.backends.stage import PROMPT, Stage
from tests.support.upstream import Mishap, Plan
from understudy.backends.base import CollectFailed, Failed, Finished, Running, Vanished
from understudy.domain.errors import FailCode


async def _submitted(stage: Stage, mishap: Mishap) -> str:
    stage.upstream.plan(Plan(mishap=mishap))
    return await stage.submit()


async def test_a_job_that_nobody_knows_any_more_has_vanished(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.VANISHES)

    assert await stage.backend.poll(job_id) == Vanished()
    assert 1 <= stage.backend.traits.vanish_after <= 10


async def test_a_job_that_never_ends_is_running(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.NEVER_ENDS)

    statuses = [await stage.backend.poll(job_id) for _ in range(6)]

    assert all(isinstance(status, Running) for status in statuses)


async def test_an_unknown_word_for_the_state_means_ask_again(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.UNKNOWN_WORD)

    assert isinstance(await stage.backend.poll(job_id), Running)
    assert isinstance(await stage.poll_until(job_id, Finished), Finished)


async def test_a_job_that_runs_again_after_it_was_done_is_collected_in_the_end(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.GOES_BACK)
    await stage.poll_until(job_id, Finished)

    assert await _collected_within(stage, job_id, tries=3) == stage.upstream.film


async def test_a_job_that_fails_has_failed_and_is_not_sent_again(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.FAILS)

    status = await stage.poll_until(job_id, Failed)

    assert isinstance(status, Failed)
    assert status.code is FailCode.GENERATION_FAILED
    assert stage.vendor.key not in repr(status)
    assert stage.submissions() == 1


async def test_moderation_at_the_end_is_a_content_violation(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.REFUSED)

    status = await stage.poll_until(job_id, Failed)

    assert isinstance(status, Failed)
    assert status.code is FailCode.CONTENT_VIOLATION
    assert PROMPT not in status.message
    assert stage.vendor.key not in repr(status)


async def test_a_job_without_a_file_never_becomes_a_film(stage: Stage) -> None:
    """Either the poll says that it failed, or collecting says that there is nothing."""
    job_id = await _submitted(stage, Mishap.NO_FILE)
    status = await stage.poll_until(job_id, Finished, Failed)

    if isinstance(status, Finished):
        assert isinstance(await stage.error_of(stage.collected(job_id)), CollectFailed)
    assert stage.leaves_nothing()


async def test_of_two_files_the_first_is_the_film(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.TWO_FILES)
    await stage.poll_until(job_id, Finished)

    assert await stage.collected(job_id) == stage.upstream.film


async def test_an_expired_link_is_replaced_by_a_fresh_one(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.EXPIRED_LINK)
    await stage.poll_until(job_id, Finished)

    assert await _collected_within(stage, job_id, tries=2) == stage.upstream.film


async def test_a_link_into_the_private_network_is_not_followed(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.PRIVATE_LINK)
    await stage.poll_until(job_id, Finished)

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert error.hopeless
    assert stage.upstream.internal_connections == 0
    assert stage.leaves_nothing()


@pytest.mark.parametrize(
    "mishap", [Mishap.LOGIN_PAGE, Mishap.WRONG_MEDIA, Mishap.TRUNCATED], ids=lambda value: value.name
)
async def test_what_is_no_film_is_refused_or_handed_on_as_it_came(stage: Stage, mishap: Mishap) -> None:
    """`media.inspect_video` decodes what is handed on; a backend must not mend it, nor mix it with something else."""
    job_id = await _submitted(stage, mishap)
    await stage.poll_until(job_id, Finished)

    came = await stage.tried(stage.collected(job_id))
    if not isinstance(came, bytes):
        assert isinstance(came, CollectFailed)
        assert stage.leaves_nothing()
        return

    film = stage.upstream.film
    begins = {Mishap.LOGIN_PAGE: b"<!DOCTYPE", Mishap.WRONG_MEDIA: b"\x89PNG", Mishap.TRUNCATED: film[: len(film) // 2]}
    assert came.startswith(begins[mishap])
    assert len(came) < len(film)


async def test_a_film_that_breaks_off_leaves_nothing_behind(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.WRONG_LENGTH)
    await stage.poll_until(job_id, Finished)

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert not error.hopeless
    assert stage.leaves_nothing()


async def test_a_job_that_is_not_done_cannot_be_collected(stage: Stage) -> None:
    job_id = await _submitted(stage, Mishap.NEVER_ENDS)

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert not error.hopeless
    assert stage.leaves_nothing()


async def test_a_job_that_is_gone_cannot_be_collected(stage: Stage) -> None:
    job_id = await stage.finished()
    stage.upstream.jobs.clear()

    error = await stage.error_of(stage.collected(job_id))

    assert isinstance(error, CollectFailed)
    assert stage.leaves_nothing()


async def _collected_within(stage: Stage, job_id: str, *, tries: int) -> bytes:
    for _ in range(tries - 1):
        came = await stage.tried(stage.collected(job_id))
        if isinstance(came, bytes):
            return came
        assert isinstance(came, CollectFailed)
        assert stage.leaves_nothing()
    return await stage.collected(job_id)
