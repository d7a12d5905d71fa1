"""Open jobs polled every 5 s, from 10 to 10,000: how late an end is seen, and what the watching costs.

Three processes: an upstream over real HTTP (`bench.polling_upstream`), the poller with its database
(`bench.polling_process`), and this one, which prepares the rows and watches the others from outside. As many jobs are
open at the end as at the beginning: for each that ends a new row comes due. The cost is processor time and not a wall
clock's, so that a machine that does something else meanwhile tells nearly the same.
"""

import asyncio
import json
import random
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import httpx2
import psutil  # type: ignore[import-untyped]  # it ships no types

from bench.commands import environment, python, working_folder
from bench.latencies import percentile
from bench.polling_jobs import INTERVAL_SECONDS, Job, Times, first_poll_ms, jobs_of, lags_ms, mean_life_ms
from bench.polling_process import BACKEND
from bench.polling_upstream import ANSWER_SECONDS, job_id
from bench.processes import RunningServer, ServerFailed, running
from bench.stage import Stage, settings_for
from understudy.db import attempts, keys, tasks
from understudy.db.base import Database, Tx
from understudy.db.connect import open_database, sqlite_url
from understudy.domain.catalogue import Mode, Size
from understudy.domain.clock import system_clock_ms
from understudy.domain.ids import TaskId, new_attempt_id, new_key_id, new_task_id
from understudy.domain.records import ApiKey, Attempt, AttemptState
from understudy.domain.request import GenerationRequest
from understudy.domain.task import Stage as TaskStage
from understudy.domain.task import State, Task

OPEN_JOBS: Final = ((10, 100, 1000), (10_000,))
"""In groups that are measured at once: the small ones leave the machine nearly idle."""
ROWS_PER_SECOND: Final = 4000
STOP_SECONDS: Final = 30.0
MB: Final = 1_000_000

_BATCH = 500
_KEY = "a-key-that-is-made-up"


def measure(stage: Stage) -> dict[str, Any]:
    """Measure each number of open jobs, and the largest alone; return plain values for the results file."""
    seconds = 10.0 if stage.quick else 30.0
    cells: dict[str, dict[str, Any]] = {}
    for group in OPEN_JOBS[:1] if stage.quick else OPEN_JOBS:
        stage.say(f"polling: {', '.join(f'{open_jobs:,}' for open_jobs in group)} open jobs")
        houses = [_prepare(stage.scratch / f"polling-{open_jobs}", open_jobs) for open_jobs in group]
        with ThreadPoolExecutor(len(houses)) as threads:
            measured = threads.map(partial(_measure_one, seconds=seconds), houses)
            cells |= {str(house.open_jobs): cell for house, cell in zip(houses, measured, strict=True)}
    return {
        "interval_seconds": INTERVAL_SECONDS,
        "seconds": seconds,
        "answer_ms": round(ANSWER_SECONDS * 1000),
        "cells": cells,
    }


@dataclass(frozen=True, slots=True)
class _House:
    """A data folder with a database and a key in it, for so many open jobs."""

    folder: Path
    key: ApiKey
    open_jobs: int

    @property
    def database(self) -> Path:
        return self.folder / "understudy.db"


def _prepare(folder: Path, open_jobs: int) -> _House:
    folder.mkdir(mode=0o700)
    key = ApiKey(id=new_key_id(), name="bench", key_hash=bytes(32), hint="", created_at_ms=system_clock_ms())
    house = _House(folder, key, open_jobs)

    async def make() -> None:
        database = await open_database(sqlite_url(house.database), migrate=True)
        await database.transact(lambda tx: keys.insert_key(tx, key))
        await database.close()

    asyncio.run(make())
    return house


def _measure_one(house: _House, seconds: float) -> dict[str, Any]:
    dice = random.Random(house.open_jobs)
    with running("bench.polling_upstream") as upstream, _poller(house.folder, upstream) as poller:
        times = Times.of(system_clock_ms() + 500 + 2000 * house.open_jobs // ROWS_PER_SECOND, seconds)
        jobs = list(jobs_of(house.open_jobs, mean_life_ms(house.open_jobs, seconds), times, dice))
        done_at_ms = asyncio.run(_prepare_rows(house, jobs, times, dice))
        poller.go(times)
        usage = _watch(poller, upstream, times)
        moved_at_ms = poller.moves()
    _check(house.database, moved_at_ms)
    lags, missed = lags_ms(done_at_ms, moved_at_ms, times)
    return {
        "ended": len(lags),
        "missed": missed,
        "p50_s": percentile(lags, 0.5) / 1000,
        "p99_s": percentile(lags, 0.99) / 1000,
        "max_s": lags[-1] / 1000,
        **usage,
    }


class _Poller:
    """The polling process, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self._watched = psutil.Process(process.pid)
        if self._line() != "ready\n":
            raise self._failed("did not start")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _failed(self, what: str) -> ServerFailed:
        self._log.seek(0)
        return ServerFailed(f"the polling process {what}:\n{self._log.read().decode(errors='replace')[-2000:]}")

    def go(self, times: Times) -> None:
        """Let it poll."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{times.until_ms}\n")
        self._process.stdin.flush()

    def moves(self) -> dict[str, int]:
        """Wait for its end; return when it moved each task on. Raises `ServerFailed`."""
        try:
            return dict(json.loads(self._line()))
        except ValueError:
            raise self._failed("told nothing") from None

    @property
    def cpu_seconds(self) -> float:
        """The processor time of all its threads."""
        times = self._watched.cpu_times()
        return float(times.user + times.system)

    @property
    def resident_bytes(self) -> int:
        """Its resident memory."""
        return int(self._watched.memory_info().rss)


@contextmanager
def _poller(folder: Path, upstream: RunningServer) -> Iterator[_Poller]:
    key_file = folder / "upstream.key"
    key_file.write_text(_KEY, encoding="ascii")
    table = {
        "kind": "openai_videos",
        "url": f"http://127.0.0.1:{upstream.port}/v1",
        "api_key_file": str(key_file),
        "poll_seconds": INTERVAL_SECONDS,
    }
    settings = settings_for(folder, BACKENDS=json.dumps({BACKEND: table}))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            python("bench.polling_process"),
            env=environment(**settings),
            cwd=working_folder(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        with process:
            try:
                yield _Poller(process, log)
                process.wait(STOP_SECONDS)
            finally:
                process.kill()


def _watch(poller: _Poller, upstream: RunningServer, times: Times) -> dict[str, Any]:
    """Look at both processes at the beginning and at the end of the measurement."""

    def look() -> tuple[float, float, float, int]:
        try:
            polls = int(upstream.get("/polls").text)
        except httpx2.TransportError as error:
            raise ServerFailed(f"the upstream is gone: {error}") from None
        return time.monotonic(), poller.cpu_seconds, upstream.cpu_seconds, polls

    _sleep_until(times.from_ms)
    before = look()
    rss = []
    while system_clock_ms() < times.to_ms - 1000:
        time.sleep(1)
        rss.append(poller.resident_bytes)
    _sleep_until(times.to_ms)
    wall, cpu, upstream_cpu, polls = (after - earlier for after, earlier in zip(look(), before, strict=True))
    return {
        "polls_per_second": round(polls / wall, 1),
        "cpu_share": round(cpu / wall, 4),
        "cpu_us_per_poll": round(1e6 * cpu / max(1, polls), 1),
        "memory_mb": round(statistics.median(rss) / MB, 1),
        "upstream_cpu_share": round(upstream_cpu / wall, 4),
    }


def _sleep_until(at_ms: int) -> None:
    time.sleep(max(0.0, (at_ms - system_clock_ms()) / 1000))


def _check(database: Path, moved_at_ms: Mapping[str, int]) -> None:
    """Find on disk what the process told; it was stopped in the middle of more. Raises `ServerFailed`."""
    with closing(sqlite3.connect(database)) as connection:
        moved = {row[0] for row in connection.execute("SELECT id FROM tasks WHERE stage = 'collect'")}
    missing = set(moved_at_ms) - moved
    if missing:
        raise ServerFailed(f"{len(missing)} of {len(moved_at_ms)} tasks were not moved on in the database")


async def _prepare_rows(house: _House, jobs: Sequence[Job], times: Times, dice: random.Random) -> dict[str, int]:
    """Insert each job's task and attempt, as they are while a job is under way; return when each is done."""
    database = await open_database(sqlite_url(house.database), migrate=False)
    done_at_ms: dict[str, int] = {}
    rows = [_rows(house.key, job, number, first_poll_ms(job, times, dice)) for number, job in enumerate(jobs)]
    for start in range(0, len(rows), _BATCH):
        await _insert(database, rows[start : start + _BATCH])
    for job, (task, _) in zip(jobs, rows, strict=True):
        done_at_ms[task.id] = job.done_at_ms
    await database.close()
    return done_at_ms


async def _insert(database: Database, rows: Sequence[tuple[Task, Attempt]]) -> None:
    async def commit(tx: Tx) -> None:
        for task, attempt in rows:
            await tasks.insert_task(tx, task)
            await attempts.insert_attempt(tx, attempt)

    await database.transact(commit)


def _rows(key: ApiKey, job: Job, number: int, next_at_ms: int) -> tuple[Task, Attempt]:
    task_id: TaskId = new_task_id()
    attempt = Attempt(
        id=new_attempt_id(),
        task_id=task_id,
        backend=BACKEND,
        state=AttemptState.SUBMITTED,
        request_sha256="0" * 64,
        started_at_ms=job.born_at_ms,
        job_id=job_id(job.done_at_ms, job.done_at_ms - job.born_at_ms, number),
    )
    task = Task(
        id=task_id,
        key_id=key.id,
        model="sora-2-pro",
        state=State.PROCESSING,
        stage=TaskStage.AWAIT,
        request=GenerationRequest(
            mode=Mode.TEXT_TO_VIDEO, prompt="A calm sea at sunset.", seconds=4, size=Size(1280, 720)
        ),
        created_at_ms=job.born_at_ms,
        deadline_at_ms=job.born_at_ms + 3_600_000,
        next_at_ms=next_at_ms,
        backend=BACKEND,
        attempt_id=attempt.id,
    )
    return task, attempt
