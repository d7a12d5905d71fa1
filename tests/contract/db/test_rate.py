"""The rate limit against a model of it, over any history of calls (`reliability.md` §4)."""

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.db.base import Database, Tx
from understudy.db.connect import open_database, sqlite_url
from understudy.db.limits import RateOutcome, take_rate_token
from understudy.domain.ids import random_base62

_START = 1_790_000_000_000

_MINUTE_MS = 60_000
_GAPS = st.lists(st.integers(min_value=0, max_value=90_000), min_size=1, max_size=60)
_DIVIDES_A_MINUTE = st.sampled_from([1, 2, 3, 4, 5, 6, 10, 12, 60])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("rate") / "understudy.db"
    opened = asyncio.run(open_database(sqlite_url(path), migrate=True))
    yield opened
    asyncio.run(opened.close())


def _call(database: Database, times_ms: list[int], per_minute: int) -> list[RateOutcome]:
    """Ask a fresh bucket at each of `times_ms`."""
    bucket = random_base62(22)

    async def body(tx: Tx) -> list[RateOutcome]:
        return [
            await take_rate_token(tx, bucket=bucket, per_minute=per_minute, now_ms=_START + time_ms)
            for time_ms in times_ms
        ]

    async def main() -> list[RateOutcome]:
        return await database.transact(body)

    return asyncio.run(main())


def _times(gaps: list[int]) -> list[int]:
    times, now = [], 0
    for gap in gaps:
        now += gap
        times.append(now)
    return times


_FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FAST
@given(gaps=_GAPS, per_minute=_DIVIDES_A_MINUTE)
def test_outcomes_are_those_of_a_bucket_that_refills_evenly(
    database: Database, gaps: list[int], per_minute: int
) -> None:
    times = _times(gaps)
    level, last = Fraction(per_minute), 0
    for time_ms, outcome in zip(times, _call(database, times, per_minute), strict=True):
        level = min(Fraction(per_minute), level + Fraction((time_ms - last) * per_minute, _MINUTE_MS))
        last = time_ms
        assert outcome.allowed == (level >= 1)
        level -= outcome.allowed
        assert outcome.remaining == int(level)


@_FAST
@given(gaps=_GAPS, per_minute=st.integers(min_value=1, max_value=100_000))
def test_caller_who_keeps_the_limit_in_every_minute_is_never_refused(
    database: Database, gaps: list[int], per_minute: int
) -> None:
    kept: list[int] = []
    for time_ms in _times(gaps):
        if sum(time_ms - earlier < _MINUTE_MS for earlier in kept) < per_minute:
            kept.append(time_ms)

    assert all(outcome.allowed for outcome in _call(database, kept, per_minute))


@_FAST
@given(gaps=_GAPS, per_minute=st.integers(min_value=1, max_value=1000))
def test_refused_call_succeeds_when_it_was_told_to_come_back(
    database: Database, gaps: list[int], per_minute: int
) -> None:
    times = [time_ms // 100 for time_ms in _times(gaps)]
    outcomes = _call(database, times, min(per_minute, 5))
    refused = [number for number, outcome in enumerate(outcomes) if not outcome.allowed]
    if refused:
        first = refused[0]
        again = [*times[: first + 1], times[first] + outcomes[first].retry_after_ms]

        assert _call(database, again, min(per_minute, 5))[-1].allowed


@_FAST
@given(jump_ms=st.integers(min_value=-(10**9), max_value=10**9), per_minute=_DIVIDES_A_MINUTE)
def test_clock_that_jumps_admits_at_most_one_more_burst(database: Database, jump_ms: int, per_minute: int) -> None:
    times = [0] * (per_minute + 1) + [jump_ms] * (2 * per_minute + 1)
    allowed = [outcome.allowed for outcome in _call(database, times, per_minute)]

    assert sum(allowed[: per_minute + 1]) == per_minute
    assert sum(allowed[per_minute + 1 :]) <= per_minute
