"""The poller, in real time over a real database: each job at its own time, none held up, none forgotten."""

import asyncio
import itertools
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.workflow.conftest import Theatre
from tests.unit.workflow.polling import LONG_SECONDS, House, Line, Upstream, until
from understudy.backends.base import Failed, Finished, JobStatus, PollFailed, Running, Vanished
from understudy.db import tasks
from understudy.domain.clock import system_clock_ms
from understudy.domain.errors import FailCode
from understudy.workflow.poller import BATCH, FAULT_MS
from understudy.workflow.produce import MOST_POLL_RETRY_MS, POLL_RETRY_MS

SLACK_MS = 4_000
"""How much later than planned something may happen on a machine that is busy with something else."""


@pytest.fixture
def house(theatre: Theatre) -> House:
    line = Line(theatre.parts.database)
    return House(replace(theatre.parts, database=line, clock_ms=system_clock_ms), line, theatre)


# Each at its own time -------------------------------------------------------------------------------------------


async def test_a_job_is_asked_when_its_first_wait_is_over_and_then_once_an_interval(house: House) -> None:
    upstream = Upstream(poll_seconds=0.2)
    due_at_ms = system_clock_ms() + 300
    await house.open_jobs("job", due_in_ms=300)

    async with house.polling(upstream):
        await until(lambda: upstream.asked() >= 4)

    times = upstream.asked_at_ms["job"]
    assert times[0] >= due_at_ms
    assert all(later - earlier >= 200 for earlier, later in itertools.pairwise(times))


async def test_jobs_of_other_backends_and_tasks_in_other_stages_are_not_asked(house: House) -> None:
    upstream = Upstream()
    await house.open_jobs("foreign", backend="spare")
    [collecting] = await house.open_jobs("collecting")
    await house.on_end(collecting, Finished())
    await house.open_jobs("job")

    async with house.polling(upstream):
        await until(lambda: upstream.asked() == 1)
        await asyncio.sleep(0.3)

    assert set(upstream.asked_at_ms) == {"job"}


async def test_a_row_that_was_just_made_due_is_asked_at_once_after_a_wake(house: House) -> None:
    upstream = Upstream()

    async with house.polling(upstream) as [poller]:
        await asyncio.sleep(0.3)
        await house.open_jobs("job")
        await asyncio.sleep(0.3)
        assert upstream.asked() == 0
        poller.wake()
        await until(lambda: upstream.asked() == 1)


async def test_more_jobs_than_one_look_takes_are_all_asked(house: House) -> None:
    upstream = Upstream()
    names = [f"job-{number}" for number in range(2 * BATCH + 10)]
    await house.open_jobs(*names)

    async with house.polling(upstream):
        await until(lambda: len(upstream.asked_at_ms) == len(names))

    assert all(upstream.asked(name) == 1 for name in names)


async def test_a_hundred_wakes_ask_nobody_before_the_time(house: House) -> None:
    upstream = Upstream()
    upstream.answer_seconds = 0.02
    names = [f"job-{number}" for number in range(150)]
    await house.open_jobs(*names)

    async with house.polling(upstream) as [poller]:
        for _ in range(100):
            poller.wake()
            await asyncio.sleep(0.01)

    assert all(upstream.asked(name) == 1 for name in names)
    assert not upstream.twice_at_once


async def test_rows_that_were_read_before_a_job_ended_do_not_have_it_asked_again(house: House) -> None:
    upstream = Upstream()
    upstream.script = defaultdict(lambda: [Finished()])
    house.end_seconds, house.line.late_seconds = 0.1, 0.2
    names = [f"job-{number}" for number in range(5)]
    await house.open_jobs(*names)

    async with house.polling(upstream) as [poller]:
        for _ in range(50):
            poller.wake()
            await asyncio.sleep(0.02)

    assert all(upstream.asked(name) == 1 for name in names)
    assert len(house.ended) == len(names)


# None held up ---------------------------------------------------------------------------------------------------


async def test_a_poll_that_hangs_does_not_delay_the_others(house: House) -> None:
    upstream = Upstream(poll_seconds=0.05)
    upstream.hangs = {"slow"}
    await house.open_jobs("slow", "quick")

    async with house.polling(upstream):
        await until(lambda: upstream.asked("quick") >= 4)

    assert upstream.asked("slow") == 1


async def test_no_more_polls_are_under_way_than_allowed(house: House) -> None:
    upstream = Upstream(polls_at_once=3)
    upstream.answer_seconds = 0.01
    await house.open_jobs(*(f"job-{number}" for number in range(30)))

    async with house.polling(upstream):
        await until(lambda: len(upstream.asked_at_ms) == 30)

    assert upstream.most_at_once == 3


async def test_a_task_that_is_carried_on_holds_no_place(house: House) -> None:
    """Carrying on may mean to fetch a film: polls cannot wait for that."""
    upstream = Upstream(poll_seconds=0.05, polls_at_once=1)
    upstream.script["done"] = [Finished()]
    house.end_seconds = LONG_SECONDS
    await house.open_jobs("done", "other")

    async with house.polling(upstream):
        await until(lambda: house.ended)
        before = upstream.asked("other")
        await until(lambda: upstream.asked("other") >= before + 2)


async def test_jobs_of_two_backends_do_not_hold_each_other_up(house: House) -> None:
    stuck, other = Upstream("paid", polls_at_once=1), Upstream("spare", poll_seconds=0.05)
    stuck.hangs = {"stuck"}
    await house.open_jobs("stuck", "behind")
    await house.open_jobs("job", backend="spare")

    async with house.polling(stuck, other):
        await until(lambda: other.asked() >= 3)

    assert stuck.asked("stuck") + stuck.asked("behind") == 1


async def test_stopping_leaves_nothing_running(house: House) -> None:
    upstream = Upstream()
    upstream.hangs = {"hanging"}
    upstream.script["done"] = [Finished()]
    house.end_seconds = LONG_SECONDS
    await house.open_jobs("hanging", "done")
    before = asyncio.all_tasks()

    async with house.polling(upstream):
        await until(lambda: upstream.under_way and house.ended)

    assert upstream.under_way == []
    assert asyncio.all_tasks() == before


# What is written back -------------------------------------------------------------------------------------------


async def test_the_answers_of_many_jobs_are_written_back_together(house: House) -> None:
    upstream = Upstream()
    task_ids = await house.open_jobs(*(f"job-{number}" for number in range(300)))
    before = house.line.writes

    async with house.polling(upstream):
        for task_id in task_ids:
            await house.until_rescheduled(task_id)

    assert house.line.writes - before <= 30


RUNNING = st.builds(Running, st.one_of(st.none(), st.integers(min_value=-20, max_value=120)))
ENDS = st.sampled_from([None, Finished(), Vanished(), Failed(FailCode.GENERATION_FAILED, "The video failed")])


# Not shrunk: an example that fails takes as long as its slowest wait.
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scripts=st.lists(st.tuples(st.lists(RUNNING, max_size=3), ENDS), min_size=1, max_size=20))
async def test_whatever_jobs_answer_each_ends_once_and_its_progress_only_grows(
    house: House, scripts: list[tuple[list[Running], JobStatus | None]]
) -> None:
    upstream = Upstream(poll_seconds=0.01)
    names = [f"job-{number}" for number in range(len(scripts))]
    for name, (running, end) in zip(names, scripts, strict=True):
        upstream.script[name] = [*running, end or Running()]
    house.ended.clear()
    task_ids = await house.open_jobs(*names)
    ends = {task_id: end for task_id, (_, end) in zip(task_ids, scripts, strict=True) if end is not None}

    async with house.polling(upstream):
        await until(lambda: all(len(upstream.script[name]) == 1 for name in names))
        await until(lambda: len(house.ended) >= len(ends))
        await asyncio.sleep(0.3)
        await house.close(task_ids)

    assert sorted(house.ended) == sorted(ends.items())
    assert not upstream.twice_at_once
    for task_id, (running, _) in zip(task_ids, scripts, strict=True):
        told = [max(0, min(100, status.progress)) for status in running if status.progress is not None]
        assert (await house.theatre.task(task_id)).progress == max(told, default=None)


async def test_an_ended_job_is_told_once_however_long_its_task_is_carried_on(house: House) -> None:
    upstream = Upstream(poll_seconds=0.01)
    upstream.script["job"] = [Finished()]
    house.end_seconds = 0.5
    [task_id] = await house.open_jobs("job")

    async with house.polling(upstream) as [poller]:
        for _ in range(50):
            poller.wake()
            await asyncio.sleep(0.02)

    assert house.ended == [(task_id, Finished())]
    assert upstream.asked() == 1


# When something is wrong ----------------------------------------------------------------------------------------


async def test_a_job_past_its_deadline_is_not_asked_but_told(house: House) -> None:
    upstream = Upstream()
    [task_id] = await house.open_jobs("job", deadline_in_ms=-1)

    async with house.polling(upstream):
        await until(lambda: house.late)

    assert house.late == [task_id]
    assert upstream.asked() == 0


async def test_the_deadline_comes_before_the_next_poll(house: House) -> None:
    upstream = Upstream(poll_seconds=LONG_SECONDS)
    [task_id] = await house.open_jobs("job", deadline_in_ms=600)

    async with house.polling(upstream):
        await until(lambda: house.late)

    assert house.late == [task_id]
    assert upstream.asked() == 1


@pytest.mark.parametrize(
    ("error", "wait_ms"),
    [
        (RuntimeError("a fault in the adapter"), FAULT_MS),
        (PollFailed("no answer"), POLL_RETRY_MS),
        (PollFailed("too fast", retry_after_seconds=30), 30_000),
        (PollFailed("too fast", retry_after_seconds=1), POLL_RETRY_MS),
        (PollFailed("too fast", retry_after_seconds=1e6), MOST_POLL_RETRY_MS),
    ],
)
async def test_a_poll_that_fails_comes_again_after_a_wait_and_stops_no_other(
    house: House, error: Exception, wait_ms: int
) -> None:
    upstream = Upstream(poll_seconds=0.05)
    upstream.script["job"] = [error]
    [task_id] = await house.open_jobs("job")
    await house.open_jobs("other")

    async with house.polling(upstream):
        next_at_ms = await house.until_rescheduled(task_id)
        await until(lambda: upstream.asked("other") >= 3)

    asked_at_ms = upstream.asked_at_ms["job"]
    assert asked_at_ms[0] + wait_ms <= next_at_ms <= asked_at_ms[0] + wait_ms + SLACK_MS
    assert len(asked_at_ms) == 1


async def test_a_poll_that_failed_is_made_again(house: House) -> None:
    upstream = Upstream()
    upstream.script["job"] = [PollFailed("no answer"), Finished()]
    [task_id] = await house.open_jobs("job")

    async with house.polling(upstream) as [poller]:
        await house.until_rescheduled(task_id)
        await house.make_due(task_id)
        poller.wake()
        await until(lambda: house.ended)

    assert upstream.asked() == 2


async def test_a_database_that_is_away_is_waited_out(house: House) -> None:
    upstream = Upstream()
    await house.open_jobs("job")
    house.line.cut_for_reads = True

    async with house.polling(upstream):
        await asyncio.sleep(0.3)
        assert upstream.asked() == 0
        house.line.cut_for_reads = False
        await until(lambda: upstream.asked() == 1)


async def test_an_answer_that_cannot_be_written_down_is_kept_and_nobody_is_asked_again(house: House) -> None:
    upstream = Upstream()
    [task_id] = await house.open_jobs("job")
    house.line.cut_for_writes = True

    async with house.polling(upstream) as [poller]:
        await until(lambda: upstream.asked() == 1)
        for _ in range(10):
            poller.wake()
            await asyncio.sleep(0.03)
        house.line.cut_for_writes = False
        await house.until_rescheduled(task_id)

    assert upstream.asked() == 1


async def test_an_end_that_cannot_be_written_down_is_told_again(house: House) -> None:
    upstream = Upstream()
    upstream.script["job"] = [Finished()]
    [task_id] = await house.open_jobs("job")
    house.line.cut_for_writes = True

    async with house.polling(upstream):
        await until(lambda: house.ended)
        house.line.cut_for_writes = False
        await until(lambda: len(house.ended) == 2)

    assert house.ended == [(task_id, Finished())] * 2


async def test_a_task_that_was_taken_over_meanwhile_keeps_its_time(house: House) -> None:
    upstream = Upstream()
    upstream.answer_seconds = 0.3
    [taken, own] = await house.open_jobs("taken", "own")
    before = await house.next_at_ms(taken)

    async with house.polling(upstream):
        await until(lambda: len(upstream.under_way) == 2)
        await house.parts.database.transact(lambda tx: tasks.raise_claim(tx, task_id=taken))
        await house.until_rescheduled(own)

        assert await house.next_at_ms(taken) == before
