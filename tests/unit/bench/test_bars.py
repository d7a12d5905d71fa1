"""Whether a promise is kept is told from the numbers alone."""

import statistics
from typing import Any

import pytest

from bench.bars import bars, share


def cell(*per_second: float) -> dict[str, Any]:
    """Return what a target did in each round."""
    return {"per_second": statistics.median(per_second), "rounds_per_second": list(per_second)}


def http(*, status: float = 0.25, submits: float = 1500, single: float = 1700) -> dict[str, Any]:
    """Return results of one round in which the bare application answers 47,000 a second."""
    cells = {
        "bare": {"64": cell(47_000)},
        "status": {"64": cell(47_000 * status)},
        "submit": {"1": cell(single), "16": cell(submits)},
    }
    return {"http": {"cells": cells}}


def film(*, seconds: int = 8, wall_seconds: float = 8.0, peak_mb: float = 300) -> dict[str, Any]:
    """Return results with one film."""
    width, height = (1280, 720) if seconds == 8 else (1792, 1024)
    return {
        "render": {
            "films": [
                {
                    "scene": "calm sea",
                    "width": width,
                    "height": height,
                    "seconds": seconds,
                    "wall_seconds": wall_seconds,
                    "peak_mb": peak_mb,
                    "wall_per_film_second": wall_seconds / seconds,
                }
            ]
        }
    }


def missed(results: dict[str, Any]) -> list[str]:
    """Return the names of the bars that are not met."""
    return [bar.name for bar in bars(results) if not bar.met]


def test_results_on_the_bars_meet_them() -> None:
    results = http() | film(wall_seconds=7.9)
    results |= {"memory": {"rest_mb": 119.9}, "latency": {"drawing": {"p99_ms": 49.9}}}

    assert missed(results) == []
    assert len(bars(results)) == 7


@pytest.mark.parametrize(
    ("results", "name"),
    [
        (http(status=0.249), "Status reads, 64 connections"),
        (http(submits=1499), "Durable submits, 16 connections"),
        (http(single=1600), "Durable submits, 1 connection"),
        ({"memory": {"rest_mb": 120.0}}, "Server at rest"),
        (film(wall_seconds=7.9, peak_mb=301), "Film 1280x720 8 s, calm sea"),
        (film(seconds=12, wall_seconds=11, peak_mb=401), "Film 1792x1024 12 s, calm sea"),
        (film(seconds=12, wall_seconds=19), "Slowest film, time to draw / length"),
        ({"latency": {"drawing": {"p99_ms": 50.0}}}, "Status p99 while two films are drawn"),
    ],
)
def test_results_beyond_a_bar_miss_it(results: dict[str, Any], name: str) -> None:
    assert missed(results) == [name]


def test_parts_that_were_not_measured_have_no_bars() -> None:
    assert bars({}) == []


def test_a_share_compares_within_each_round() -> None:
    """The machine is half as fast in the second round; the medians alone would say 0.4."""
    cells = {"bare": {"64": cell(40_000, 20_000, 40_000)}, "status": {"64": cell(20_000, 10_000, 16_000)}}

    assert share({"cells": cells}, "status", 64) == 0.5


def test_a_share_over_different_rounds_compares_medians() -> None:
    cells = {"bare": {"64": cell(40_000, 20_000, 40_000)}, "canned": {"64": cell(80_000)}}

    assert share({"cells": cells}, "canned", 64) == 2.0
