"""The resident memory of the server process: at rest, under load, and while films are read from it."""

import time
from typing import Any, Final

from bench.load import Plan, run_load
from bench.processes import PeakMemory, RunningServer
from bench.requests import range_requests, status_request
from bench.stage import Film, Stage

READERS: Final = 16
PART_BYTES: Final = 1_000_000
MB: Final = 1_000_000


def measure(stage: Stage) -> dict[str, Any]:
    """Start a fresh server and watch it through its day; return plain values for the results file, in MB."""
    films, key = stage.films(), stage.key()
    seconds, settle_seconds = (1.5, 1.5) if stage.quick else (8.0, 5.0)
    reads = tuple(status_request(film.task_id, key) for film in films)
    with stage.serving() as server:
        stage.say("memory: at rest")
        time.sleep(settle_seconds)
        rest, children = server.resident_bytes, server.children
        stage.say("memory: 64 connections")
        with PeakMemory(server) as load:
            run_load(Plan(port=server.port, requests=reads, connections=64, seconds=seconds))
        stage.say(f"memory: {READERS} readers of one film")
        with PeakMemory(server) as streaming:
            rate = _read_film(server, films[-1], seconds)
        time.sleep(settle_seconds)
        afterwards = server.resident_bytes
    return {
        "rest_mb": _mb(rest),
        "rest_children": children,
        "load_mb": _mb(load.bytes),
        "streaming_mb": _mb(streaming.bytes),
        "afterwards_mb": _mb(afterwards),
        "film_mb": round(films[-1].size_bytes / MB, 2),
        "streaming_mb_per_second": round(rate / MB, 1),
    }


def _read_film(server: RunningServer, film: Film, seconds: float) -> float:
    """Read it over and over in parts, as players do; return bytes a second."""
    plan = Plan(
        port=server.port,
        requests=range_requests(film.path, film.size_bytes, PART_BYTES),
        connections=READERS,
        seconds=seconds,
        expected_status=206,
    )
    return run_load(plan).bytes_per_second


def _mb(size_bytes: int) -> float:
    return round(size_bytes / MB, 1)
