"""Whether drawing films holds up the API: polls on a timetable, without films and while two are drawn."""

import shutil
import statistics
import time
from typing import Any, Final

import httpx2

from bench.latencies import Summary
from bench.load import LoadResult, Plan, run_load
from bench.processes import RunningServer, ServerFailed
from bench.requests import status_request, submit_body
from bench.stage import CALM_SEA, RAIN_CITY, Stage, client, status, submit

POLLS_PER_SECOND: Final = 200
CONNECTIONS: Final = 16
AT_ONCE: Final = 2
START_SECONDS: Final = 30.0

# More than are drawn at once, so that two are at work to the end of the measurement on a fast machine too.
PROMPTS: Final = (CALM_SEA, RAIN_CITY, CALM_SEA, RAIN_CITY)


def measure(stage: Stage) -> dict[str, Any]:
    """Measure both in turn; return plain values for the results file, latencies in milliseconds."""
    rounds, seconds = (1, 4.0) if stage.quick else (3, 8.0)
    idle: list[Summary] = []
    drawing: list[Summary] = []
    for number in range(1, rounds + 1):
        stage.say(f"latency: round {number} of {rounds}")
        quiet, busy = _round(stage, seconds)
        idle.append(quiet.latency)
        drawing.append(busy.latency)
    return {
        "rounds": rounds,
        "seconds": seconds,
        "polls_per_second": POLLS_PER_SECOND,
        "connections": CONNECTIONS,
        "idle": _medians(idle),
        "drawing": _medians(drawing),
    }


def _round(stage: Stage, seconds: float) -> tuple[LoadResult, LoadResult]:
    """Poll a quiet server, then the same one while it draws.

    It runs on a copy of the folder with the films, and is stopped with its work half done.
    """
    reads = tuple(status_request(film.task_id, stage.key()) for film in stage.films())
    copy = stage.scratch / "drawing"
    shutil.copytree(stage.folder, copy)
    try:
        with (
            stage.serving(folder=copy, RENDER_PROCESSES=str(AT_ONCE)) as server,
            client(server, stage.key()) as http,
        ):
            quiet = _poll(server, reads, seconds)
            task_ids = [submit(http, submit_body(prompt, duration=12, size="1792*1024")) for prompt in PROMPTS]
            _until_drawn(http, task_ids)
            busy = _poll(server, reads, seconds)
            if sum(status(http, task_id)["state"] != "success" for task_id in task_ids) < AT_ONCE:
                raise ServerFailed("the films were done before the measurement: this machine draws too fast for it")
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return quiet, busy


def _until_drawn(http: httpx2.Client, task_ids: list[str]) -> None:
    """Wait until as many films as may are being drawn. Raises `ServerFailed`."""
    deadline = time.monotonic() + START_SECONDS
    while sum(status(http, task_id).get("progress", 0) >= 1 for task_id in task_ids) < AT_ONCE:
        if time.monotonic() > deadline:
            raise ServerFailed(f"two films were not being drawn within {START_SECONDS:.0f} s")
        time.sleep(0.05)


def _poll(server: RunningServer, reads: tuple[str, ...], seconds: float) -> LoadResult:
    plan = Plan(
        port=server.port,
        requests=reads,
        connections=CONNECTIONS,
        seconds=seconds,
        per_second=POLLS_PER_SECOND,
    )
    return run_load(plan)


def _medians(latencies: list[Summary]) -> dict[str, Any]:
    typical = sorted(latencies, key=lambda latency: latency.p99_ms)[len(latencies) // 2]
    return {
        "p50_ms": round(statistics.median(latency.p50_ms for latency in latencies), 3),
        "p99_ms": round(statistics.median(latency.p99_ms for latency in latencies), 3),
        "max_ms": round(max(latency.max_ms for latency in latencies), 3),
        "curve_ms": typical.curve,
    }
