"""The load generator: raw sockets, requests made beforehand, and a look at every single answer.

`run_load` starts it as a process of its own (`python -m bench.load`), apart from the server's processors, with a
`Plan` on its stdin and a `LoadResult` on its stdout.
"""

import asyncio
import functools
import gc
import json
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import uvloop

from bench.commands import environment, python, working_folder
from bench.latencies import Latencies, Summary
from bench.processors import pin
from bench.response import MalformedResponse, ResponseReader

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0


class LoadFailed(Exception):  # noqa: N818 - what happened
    """The load could not be put on, or an answer was not the one expected; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send.

    Each connection sends the next of `requests` when its answer is whole (a closed loop), beginning at a place of its
    own. With `per_second` the requests of all connections together start on a fixed timetable instead, and a latency
    counts from the moment in the timetable: a late start is part of it (no "coordinated omission").
    """

    port: int
    requests: tuple[str, ...]
    connections: int
    seconds: float
    warmup_seconds: float = 0.5
    expected_status: int = 200
    per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What was measured after the warm-up. `busy` is the share of one processor that the generator itself used."""

    requests: int
    seconds: float
    bytes_per_second: float
    busy: float
    latency: Summary

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


@dataclass
class _Tally:
    """What all connections of a run share."""

    plan: Plan
    latencies: Latencies = field(default_factory=Latencies)
    failure: str = ""
    stopped: bool = False
    body_bytes: int = 0
    open: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, text: str) -> None:
        self.failure = self.failure or text
        self.stopped = True
        self.idle.set()


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, tally: _Tally, first: int) -> None:
        requests = [text.encode("latin-1") for text in tally.plan.requests]
        first %= len(requests)
        self._requests = requests[first:] + requests[:first]
        self._next = 0
        self._tally = tally
        self._reader = ResponseReader()
        self._sent_at = 0
        self._expected = [tally.plan.expected_status]
        self._paced = tally.plan.per_second is not None
        self._counted = 0
        self.free = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        self._tally.open += 1

    def send(self, due_at: int) -> None:
        """Send the next request; its latency counts from `due_at`, in nanoseconds."""
        self.free = False
        request = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        self._sent_at = due_at
        self._write(request)

    def data_received(self, data: bytes) -> None:
        try:
            statuses = self._reader.feed(data)
        except MalformedResponse as error:
            self._tally.fail(str(error))
            return
        if not statuses:
            return
        now = time.perf_counter_ns()
        if statuses != self._expected:
            self._tally.fail(f"expected {self._expected[0]}, got {statuses}: {self._reader.head!r}")
            return
        self._tally.latencies.add(now - self._sent_at)
        self._tally.body_bytes += self._reader.body_bytes - self._counted
        self._counted = self._reader.body_bytes
        self.free = True
        if not self._paced and not self._tally.stopped:
            self.send(time.perf_counter_ns())

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.open -= 1
        if not self._tally.stopped:
            self._tally.fail(f"the server closed a connection ({exc or 'no reason given'})")
        if self._tally.open == 0:
            self._tally.idle.set()

    def close(self) -> None:
        self._transport.close()


async def _pace(tally: _Tally, connections: list[_Connection], per_second: float) -> None:
    """Start requests by the timetable, on whichever connection is free."""
    step, due_at, turn = int(1e9 / per_second), time.perf_counter_ns(), 0
    while not tally.stopped:
        now = time.perf_counter_ns()
        while due_at <= now:
            free = next((c for c in (*connections[turn:], *connections[:turn]) if c.free), None)
            if free is None:
                break  # the timetable goes on: what waits here for a free connection starts late, and that counts
            turn = (connections.index(free) + 1) % len(connections)
            free.send(due_at)
            due_at += step
        await asyncio.sleep(max(0.0005, (due_at - time.perf_counter_ns()) / 1e9))


async def _run(plan: Plan) -> LoadResult:
    loop = asyncio.get_running_loop()
    tally = _Tally(plan)
    connections: list[_Connection] = []
    async with asyncio.timeout(CONNECT_SECONDS):
        for number in range(plan.connections):
            make = functools.partial(_Connection, tally, number)
            connections.append((await loop.create_connection(make, "127.0.0.1", plan.port))[1])
    if plan.per_second is None:
        for connection in connections:
            connection.send(time.perf_counter_ns())
        pacer = None
    else:
        pacer = asyncio.create_task(_pace(tally, connections, plan.per_second))
    await _wait(tally, plan.warmup_seconds)
    tally.latencies.clear()
    tally.body_bytes = 0
    began, used = time.perf_counter(), time.process_time()
    await _wait(tally, plan.seconds)
    seconds, busy = time.perf_counter() - began, time.process_time() - used
    count, body_bytes = len(tally.latencies), tally.body_bytes
    tally.stopped = True
    if pacer is not None:
        await pacer
    await _hang_up(tally, connections)
    if tally.failure or not count:
        raise LoadFailed(tally.failure or "not one answer came in the time of the measurement")
    return LoadResult(
        requests=count,
        seconds=seconds,
        bytes_per_second=body_bytes / seconds,
        busy=busy / seconds,
        latency=tally.latencies.summary(),
    )


async def _wait(tally: _Tally, seconds: float) -> None:
    """Let the run go on for `seconds`, or until something is wrong."""
    try:
        async with asyncio.timeout(seconds):
            await tally.idle.wait()
    except TimeoutError:
        return


async def _hang_up(tally: _Tally, connections: list[_Connection]) -> None:
    """Take the last answers, so that no request is cut off in the server, and close."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while not tally.failure and not all(connection.free for connection in connections):
        if time.monotonic() > deadline:
            raise LoadFailed(f"an answer did not come within {ANSWER_SECONDS:.0f} s")
        await asyncio.sleep(0.005)
    for connection in connections:
        connection.close()
    tally.idle.clear()
    if tally.open:
        await _wait(tally, 1.0)


def run_load(plan: Plan, cpus: Collection[int] = ()) -> LoadResult:
    """Run the plan in a process of its own, on those processors (none named: on any); raises `LoadFailed`."""
    order = json.dumps({"plan": asdict(plan), "cpus": sorted(cpus)})
    limit = plan.warmup_seconds + plan.seconds + CONNECT_SECONDS + 2 * ANSWER_SECONDS
    done = subprocess.run(
        python("bench.load"),
        input=order,
        env=environment(),
        cwd=working_folder(),
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
    if done.returncode != 0:
        raise LoadFailed(f"the load generator failed: {done.stderr.strip()[-1000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "failure" in answer:
        raise LoadFailed(str(answer["failure"]))
    return LoadResult(**{**answer, "latency": Summary.from_json(answer["latency"])})


def main() -> None:
    """Read an order from stdin, carry it out, and print what was measured."""
    order = json.load(sys.stdin)
    plan = Plan(**{**order["plan"], "requests": tuple(order["plan"]["requests"])})
    pin(0, order["cpus"])
    gc.freeze()
    gc.disable()  # nothing here makes cycles while it runs, and a pause would count as the server's
    try:
        answer = asdict(uvloop.run(_run(plan)))
    except (LoadFailed, OSError, TimeoutError) as error:
        answer = {"failure": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
