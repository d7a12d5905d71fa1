"""How many status reads and durable submits a second, against a bare application under the same web server."""

import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.load import LoadResult, Plan, run_load
from bench.processes import RunningServer, running, sync_ms
from bench.processors import seats
from bench.requests import get_request, status_request, submit_request
from bench.stage import Stage, make_key, settings_for

CONNECTIONS: Final = (1, 16, 64)
WORKING_CONNECTIONS: Final = 16
WARMUP_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and what it is asked."""

    name: str
    server: RunningServer
    requests: tuple[str, ...]


@dataclass
class Cell:
    """The rounds of one target at one number of connections."""

    results: list[LoadResult] = field(default_factory=list)
    server_cpu_us: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the medians over the rounds, the rate of each round, and the latency curve of the median one."""
        latencies = [result.latency for result in self.results]
        typical = sorted(self.results, key=lambda result: result.per_second)[len(self.results) // 2]
        return {
            "per_second": round(statistics.median(result.per_second for result in self.results), 1),
            "p50_ms": round(statistics.median(latency.p50_ms for latency in latencies), 3),
            "p99_ms": round(statistics.median(latency.p99_ms for latency in latencies), 3),
            "server_cpu_us": round(statistics.median(self.server_cpu_us), 1),
            "generator_busy": round(statistics.median(result.busy for result in self.results), 3),
            "rounds_per_second": [round(result.per_second, 1) for result in self.results],
            "curve_ms": typical.latency.curve,
        }


class Cells:
    """All that was measured, by target and connections."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Cell]] = {}

    def run(self, target: Target, connections: int, seconds: float, *, apart: bool = True) -> None:
        """Put the load on once; `apart` keeps the generator on a processor of its own."""
        plan = Plan(
            port=target.server.port,
            requests=target.requests,
            connections=connections,
            seconds=seconds,
            warmup_seconds=WARMUP_SECONDS,
        )
        used = target.server.cpu_seconds
        result = run_load(plan, seats().load if apart else ())
        used = target.server.cpu_seconds - used
        cell = self._rows.setdefault(target.name, {}).setdefault(str(connections), Cell())
        cell.results.append(result)
        # The warm-up's share is taken out by time: the server's clock cannot be read at the very moment it ends.
        asked = result.requests * (1 + WARMUP_SECONDS / seconds)
        cell.server_cpu_us.append(used / asked * 1e6)

    def as_json(self) -> dict[str, Any]:
        """Return them as plain values."""
        return {name: {count: cell.as_json() for count, cell in row.items()} for name, row in self._rows.items()}


def measure(stage: Stage) -> dict[str, Any]:
    """Run all rounds, the servers in turn; return plain values for the results file."""
    rounds, seconds = (2, 0.6) if stage.quick else (5, 3.0)
    cells, sync = Cells(), []
    with _reading(stage) as (canned, bare, status):
        for number in range(1, rounds + 1):
            stage.say(f"HTTP: round {number} of {rounds}")
            sync.append(sync_ms(stage.scratch))
            with _submitting(stage.scratch / f"submits-{number}") as submit:
                for connections in CONNECTIONS:
                    # What the generator can do at all needs no more than one look.
                    for target in (bare, status, submit, *((canned,) if number == 1 else ())):
                        cells.run(target, connections, seconds)
    for number in range(1 if stage.quick else 3):
        stage.say("HTTP: submits while films are drawn")
        with _submitting_while_drawing(stage, stage.scratch / f"working-{number}") as working:
            cells.run(working, WORKING_CONNECTIONS, seconds, apart=False)
    return {
        "rounds": rounds,
        "seconds": seconds,
        "sync_ms": round(statistics.median(sync), 3),
        "cells": cells.as_json(),
    }


@contextmanager
def _reading(stage: Stage) -> Iterator[tuple[Target, Target, Target]]:
    """Run the servers that only answer: both yardsticks, and ours with some finished tasks."""
    cpus = seats().server
    reads = tuple(status_request(film.task_id, stage.key()) for film in stage.films())
    plain = (get_request("/"),)
    with (
        running("bench.bare", "canned", cpus=cpus) as canned,
        running("bench.bare", "asgi", cpus=cpus) as bare,
        stage.serving(cpus=cpus) as status,
    ):
        yield Target("canned", canned, plain), Target("bare", bare, plain), Target("status", status, reads)


@contextmanager
def _submitting(folder: Path) -> Iterator[Target]:
    """Run our server without workers, each time on a fresh folder: a queue without end is no ordinary day."""
    try:
        requests = (submit_request(make_key(folder)),)
        with running("bench.server", settings=settings_for(folder), cpus=seats().server) as server:
            yield Target("submit", server, requests)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _submitting_while_drawing(stage: Stage, folder: Path) -> Iterator[Target]:
    """Run the whole server, which works on what it accepts; one film is drawn at a time."""
    try:
        requests = (submit_request(make_key(folder)),)
        with stage.serving(folder=folder, RENDER_PROCESSES="1") as server:
            yield Target("submit_while_drawing", server, requests)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
