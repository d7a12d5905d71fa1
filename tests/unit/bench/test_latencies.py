"""Percentiles of a run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.latencies import Latencies, Summary, percentile

VALUES = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=200)


@given(VALUES, st.floats(min_value=0, max_value=1))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[int], fraction: float) -> None:
    ordered = sorted(values)

    found = percentile(ordered, fraction)

    covered = sum(value <= found for value in values)
    below = sum(value < found for value in values)
    assert found in values
    assert covered >= math.ceil(fraction * len(values))
    assert below < max(1, math.ceil(fraction * len(values)))


@given(VALUES)
def test_percentiles_never_fall(values: list[int]) -> None:
    summary = Latencies(values).summary()

    heights = [value for _, value in summary.curve]
    assert heights == sorted(heights)
    assert summary.p50_ms <= summary.p90_ms <= summary.p99_ms <= summary.max_ms


@pytest.mark.parametrize(("fraction", "value"), [(0, 1), (0.5, 50), (0.99, 99), (0.995, 100), (1, 100)])
def test_percentiles_of_one_to_a_hundred_are_the_numbers_themselves(fraction: float, value: int) -> None:
    assert percentile(list(range(1, 101)), fraction) == value


@pytest.mark.parametrize("fraction", [-0.01, 1.01])
def test_a_fraction_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction must be 0 to 1"):
        percentile([1], fraction)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Latencies().summary()


def test_nanoseconds_become_milliseconds() -> None:
    assert Latencies([1_500_000]).summary().p50_ms == 1.5


def test_what_was_cleared_does_not_count() -> None:
    latencies = Latencies([9_000_000])

    latencies.clear()
    latencies.add(1_000_000)

    assert len(latencies) == 1
    assert latencies.summary().max_ms == 1.0


@given(VALUES)
def test_a_summary_survives_json(values: list[int]) -> None:
    summary = Latencies(values).summary()

    assert Summary.from_json(summary.as_json()) == summary
