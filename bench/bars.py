"""The bars: what was promised, what was measured, and whether the one is kept by the other."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

STATUS_SHARE: Final = 0.25
SUBMITS_PER_SECOND: Final = 1500
REST_MB: Final = 120
DRAWING_P99_MS: Final = 50
POLLED_JOBS: Final = 1000
POLL_LAG_SECONDS: Final = 1.0
"""How much later than an interval after it the end of a job may be seen, at the 99th percentile."""
POLL_CPU_SHARE: Final = 0.5

STACK_SUBMIT_SHARE: Final = 2100 / 47_000
"""One connection's submits on the recommended stack against bare reads at 64 connections, in the stack's trial."""
STACK_TOLERANCE: Final = 0.8

RENDER_BUDGETS: Final = {(1280, 720, 8): (8.0, 300), (1792, 1024, 12): (20.0, 400)}
"""Width, height and seconds of a film, and what it may take: seconds of wall time, MB of memory."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise. `measured` and `limit` are in the words of the summary."""

    name: str
    measured: str
    limit: str
    met: bool


def bars(results: dict[str, Any]) -> list[Bar]:
    """Hold the results, as far as they are there, against the bars."""
    return [
        *(_http(results["http"]) if "http" in results else ()),
        *(_memory(results["memory"]) if "memory" in results else ()),
        *(_render(results["render"]) if "render" in results else ()),
        *(_latency(results["latency"]) if "latency" in results else ()),
        *(_polling(results["polling"]) if "polling" in results else ()),
        *(_results_memory(results["results_memory"]) if "results_memory" in results else ()),
        *(_soak(results["soak"]) if "soak" in results else ()),
    ]


def share(http: dict[str, Any], name: str, connections: int, *, of: int | None = None) -> float:
    """Return a target's rate as a share of the bare application's, at `of` (or the same) connections.

    It is the median of the shares within each round: a machine that is slow for a while is slow for both.
    """
    ours = http["cells"][name][str(connections)]["rounds_per_second"]
    bare = http["cells"]["bare"][str(of or connections)]["rounds_per_second"]
    if len(ours) != len(bare):  # not measured in the same rounds
        return float(statistics.median(ours) / statistics.median(bare))
    return float(statistics.median(one / other for one, other in zip(ours, bare, strict=True)))


def _http(http: dict[str, Any]) -> Iterator[Bar]:
    status = share(http, "status", 64)
    yield Bar("Status reads, 64 connections", f"{status:.2f} of bare", f"≥ {STATUS_SHARE}", status >= STATUS_SHARE)
    submits = http["cells"]["submit"]["16"]["per_second"]
    limit = f"≥ {SUBMITS_PER_SECOND:,}/s"
    yield Bar("Durable submits, 16 connections", f"{submits:,.0f}/s", limit, submits >= SUBMITS_PER_SECOND)
    single = share(http, "submit", 1, of=64)
    least = STACK_SUBMIT_SHARE * STACK_TOLERANCE
    yield Bar("Durable submits, 1 connection", f"{single:.3f} of bare at 64", f"≥ {least:.3f}", single >= least)


def _polling(polling: dict[str, Any]) -> Iterator[Bar]:
    cell, limit = polling["cells"][str(POLLED_JOBS)], polling["interval_seconds"] + POLL_LAG_SECONDS
    jobs = f"{POLLED_JOBS:,} jobs polled every {polling['interval_seconds']} s"
    seen = cell["p99_s"] <= limit and cell["missed"] == 0
    yield Bar(f"{jobs}, end seen (p99)", f"{cell['p99_s']:.2f} s", f"≤ {limit:.0f} s", seen)
    share = cell["cpu_share"]
    yield Bar(f"{jobs}, processor", f"{share:.3f} of a core", f"≤ {POLL_CPU_SHARE}", share <= POLL_CPU_SHARE)


def _results_memory(found: dict[str, Any]) -> Iterator[Bar]:
    most = max(cell["more_mb"] for cell in found["ways"].values())
    name = f"{found['at_once']} results of {found['size_mb']:.0f} MB at once"
    yield Bar(name, f"{most:.1f} MB more", f"< {found['bar_mb']} MB", most < found["bar_mb"])


def _soak(soak: dict[str, Any]) -> Iterator[Bar]:
    most, wrong = soak["most_for_one_task"], len(soak["wrong"])
    yield Bar(
        f"Jobs paid for one task, {soak['tasks']} tasks, {soak['kills']} kills",
        f"{most}, {wrong} miscounted",
        "≤ 1, 0 miscounted",
        most <= 1 and wrong == 0,
    )


def _memory(memory: dict[str, Any]) -> Iterator[Bar]:
    rest = memory["rest_mb"]
    yield Bar("Server at rest", f"{rest:.0f} MB", f"< {REST_MB} MB", rest < REST_MB)


def _render(render: dict[str, Any]) -> Iterator[Bar]:
    for film in render["films"]:
        budget = RENDER_BUDGETS.get((film["width"], film["height"], film["seconds"]))
        if budget is None:
            continue
        wall_seconds, mb = budget
        yield Bar(
            f"Film {film['width']}x{film['height']} {film['seconds']} s, {film['scene']}",
            f"{film['wall_seconds']:.1f} s, {film['peak_mb']:.0f} MB",
            f"≤ {wall_seconds:.0f} s, ≤ {mb} MB",
            film["wall_seconds"] <= wall_seconds and film["peak_mb"] <= mb,
        )
    slowest = max(film["wall_per_film_second"] for film in render["films"])
    yield Bar("Slowest film, time to draw / length", f"{slowest:.2f}", "< 1", slowest < 1)


def _latency(latency: dict[str, Any]) -> Iterator[Bar]:
    p99 = latency["drawing"]["p99_ms"]
    yield Bar("Status p99 while two films are drawn", f"{p99:.1f} ms", f"< {DRAWING_P99_MS} ms", p99 < DRAWING_P99_MS)
