"""The jobs of the polling benchmark, its upstream, and what the numbers mean."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.bars import bars
from bench.polling_jobs import INTERVAL_SECONDS, Times, first_poll_ms, jobs_of, lags_ms, mean_life_ms
from bench.polling_upstream import answer, job_id

TIMES = Times.of(1_800_000_000_000, 10)
OPEN_JOBS = st.integers(min_value=1, max_value=50)
LIVES = st.integers(min_value=5_000, max_value=60_000)
SEEDS = st.integers()


@given(OPEN_JOBS, LIVES, SEEDS, st.floats(min_value=0, max_value=1))
def test_as_many_jobs_are_open_at_any_time(open_jobs: int, life: int, seed: int, moment: float) -> None:
    jobs = list(jobs_of(open_jobs, life, TIMES, random.Random(seed)))

    at_ms = TIMES.begin_ms + int(moment * (TIMES.until_ms - 1 - TIMES.begin_ms))

    assert sum(job.born_at_ms <= at_ms < job.done_at_ms for job in jobs) == open_jobs


@given(OPEN_JOBS, LIVES, SEEDS)
def test_no_job_waits_longer_than_an_interval_for_its_first_poll(open_jobs: int, life: int, seed: int) -> None:
    dice = random.Random(seed)

    for job in jobs_of(open_jobs, life, TIMES, dice):
        waits_from = max(job.born_at_ms, TIMES.begin_ms)

        assert waits_from <= first_poll_ms(job, TIMES, dice) <= waits_from + INTERVAL_SECONDS * 1000


@pytest.mark.parametrize(("open_jobs", "seconds"), [(10, 10), (100, 15), (1000, 60), (10_000, 60)])
def test_jobs_take_a_minute_or_less_where_too_few_would_end(open_jobs: int, seconds: int) -> None:
    assert mean_life_ms(open_jobs, 30) == seconds * 1000


def test_a_lag_counts_from_the_end_of_the_job_and_only_within_the_measurement() -> None:
    done = {"before": TIMES.from_ms - 1, "first": TIMES.from_ms, "last": TIMES.to_ms - 1, "after": TIMES.to_ms}
    moved = {name: at_ms + 1000 for name, at_ms in done.items()} | {"first": TIMES.from_ms + 3000}

    assert lags_ms(done, moved, TIMES) == ([1000, 3000], 0)


def test_an_end_that_was_not_seen_is_as_late_as_the_run_is_long_after_it() -> None:
    assert lags_ms({"a": TIMES.from_ms}, {}, TIMES) == ([TIMES.until_ms - TIMES.from_ms], 1)


@pytest.mark.parametrize(
    ("left_ms", "status", "progress"),
    [(1000, "in_progress", 0), (500, "in_progress", 50), (1, "in_progress", 99), (0, "completed", 100)],
)
def test_the_upstream_tells_a_job_by_its_id(left_ms: int, status: str, progress: int) -> None:
    name = job_id(1_800_000_001_000, 1000, 7)

    head, _, body = answer(f"/v1/videos/{name}".encode(), 1_800_000_001_000 - left_ms).partition(b"\r\n\r\n")

    job = orjson.loads(body)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"content-length: {len(body)}".encode() in head
    assert (job["id"], job["status"], job["progress"]) == (name, status, progress)


@pytest.mark.parametrize("path", [b"/", b"/v1/videos/video_1_2", b"/v1/videos/video_1_2_x", b"/v1/videos/film_1_2_3"])
def test_the_upstream_knows_no_other_jobs(path: bytes) -> None:
    assert answer(path, 0).startswith(b"HTTP/1.1 404 ")


def results(*, p99_s: float = 6.0, missed: int = 0, cpu_share: float = 0.5) -> dict[str, Any]:
    cell = {"p99_s": p99_s, "missed": missed, "cpu_share": cpu_share}
    return {"polling": {"interval_seconds": 5, "cells": {"1000": cell}}}


def test_results_on_the_bars_meet_them() -> None:
    assert [bar.met for bar in bars(results())] == [True, True]


@pytest.mark.parametrize("beyond", [{"p99_s": 6.01}, {"missed": 1}, {"cpu_share": 0.51}])
def test_results_beyond_a_bar_miss_it(beyond: dict[str, Any]) -> None:
    assert sorted(bar.met for bar in bars(results(**beyond))) == [False, True]
