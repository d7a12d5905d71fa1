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
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from bench.commands import environment, python, working_folder
from bench.latencies import percentile
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

OPEN_JOBS: Final = (10, 100, 1000, 10_000)
INTERVAL_SECONDS: Final = 5
WARMUP_SECONDS: Final = 6.0
TAIL_SECONDS: Final = INTERVAL_SECONDS + 2.0
LIFE_SECONDS: Final = (10.0, 60.0)
WANTED_ENDS: Final = 200
ROWS_PER_SECOND: Final = 4000
STOP_SECONDS: Final = 30.0
MB: Final = 1_000_000

_BATCH = 500
_KEY = "a key that is made up"


@dataclass(frozen=True, slots=True)
class Job:
    """One job: when its task begins to wait for it, and when it is done. Unix milliseconds."""

    born_at_ms: int
    done_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When what happens in one measurement, in Unix milliseconds."""

    begin_ms: int
    from_ms: int
    to_ms: int
    until_ms: int

    @classmethod
    def of(cls, begin_ms: int, seconds: float) -> "Times":
        """Return the times of a measurement of `seconds`, with what goes before and after it."""
        from_ms = begin_ms + int(WARMUP_SECONDS * 1000)
        to_ms = from_ms + int(seconds * 1000)
        return cls(begin_ms=begin_ms, from_ms=from_ms, to_ms=to_ms, until_ms=to_ms + int(TAIL_SECONDS * 1000))


def mean_life_ms(open_jobs: int, seconds: float) -> int:
    """Return how long a job takes: a minute where that gives ends enough to count, else less, 10 s at least."""
    shortest, longest = LIFE_SECONDS
    return int(1000 * max(shortest, min(longest, open_jobs * seconds / WANTED_ENDS)))


def jobs_of(open_jobs: int, mean_life: int, times: Times, dice: random.Random) -> Iterator[Job]:
    """Yield the jobs of a run: `open_jobs` at any time, ending at random moments, each replaced by a new one.

    No two take equally long: a life that is a multiple of the interval would be seen to end at once, or always late.
    """
    for _ in range(open_jobs):
        life = dice.randint(mean_life // 2, mean_life * 3 // 2)
        born = times.begin_ms - dice.randrange(life)
        while born < times.until_ms:
            yield Job(born, born + life)
            born += life
            life = dice.randint(mean_life // 2, mean_life * 3 // 2)


def first_poll_ms(job: Job, times: Times, dice: random.Random) -> int:
    """Return when the job is asked about first: those that are open at the beginning are in the middle of their polls.

    Jobs are not submitted in step, so neither are their polls.
    """
    if job.born_at_ms < times.begin_ms:
        return times.begin_ms + dice.randrange(INTERVAL_SECONDS * 1000)
    return job.born_at_ms + INTERVAL_SECONDS * 1000


def lags_ms(done_at_ms: Mapping[str, int], moved_at_ms: Mapping[str, int], times: Times) -> tuple[list[int], int]:
    """Return how late each end within the measurement was seen, rising, and how many of them were not seen at all.

    One that was not seen counts as late as the run is long after it.
    """
    lags, missed = [], 0
    for task_id, done_ms in done_at_ms.items():
        if times.from_ms <= done_ms < times.to_ms:
            missed += task_id not in moved_at_ms
            lags.append(moved_at_ms.get(task_id, times.until_ms) - done_ms)
    return sorted(lags), missed


def measure(stage: Stage) -> dict[str, Any]:
    """Measure each number of open jobs in turn; return plain values for the results file."""
    seconds = 8.0 if stage.quick else 15.0
    cells = {}
    for open_jobs in OPEN_JOBS[: 3 if stage.quick else None]:
        stage.say(f"polling: {open_jobs:,} open jobs")
        cells[str(open_jobs)] = _measure_one(stage, open_jobs, seconds)
    return {
        "interval_seconds": INTERVAL_SECONDS,
        "seconds": seconds,
        "answer_ms": round(ANSWER_SECONDS * 1000),
        "cells": cells,
    }


def _measure_one(stage: Stage, open_jobs: int, seconds: float) -> dict[str, Any]:
    folder = stage.scratch / f"polling-{open_jobs}"
    folder.mkdir(mode=0o700)
    with running("bench.polling_upstream") as upstream:
        database = folder / "understudy.db"
        key = asyncio.run(_prepare_key(database))
        with _poller(folder, upstream) as poller:
            times = Times.of(system_clock_ms() + 500 + 2000 * open_jobs // ROWS_PER_SECOND, seconds)
            dice = random.Random(open_jobs)
            jobs = list(jobs_of(open_jobs, mean_life_ms(open_jobs, seconds), times, dice))
            done_at_ms = asyncio.run(_prepare_rows(database, key, jobs, times, dice))
            poller.go(times)
            usage = _watch(poller, upstream, times)
            moved_at_ms = poller.moves()
        _check(database, moved_at_ms)
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
    key_file.write_text(_KEY.replace(" ", "-"), encoding="ascii")
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
        polls = int(upstream.get("/polls").text)
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


async def _prepare_key(path: Path) -> ApiKey:
    database = await open_database(sqlite_url(path), migrate=True)
    key = ApiKey(id=new_key_id(), name="bench", key_hash=bytes(32), hint="", created_at_ms=system_clock_ms())
    await database.transact(lambda tx: keys.insert_key(tx, key))
    await database.close()
    return key


async def _prepare_rows(
    path: Path, key: ApiKey, jobs: Sequence[Job], times: Times, dice: random.Random
) -> dict[str, int]:
    """Insert each job's task and attempt, as they are while a job is under way; return when each is done."""
    database = await open_database(sqlite_url(path), migrate=False)
    done_at_ms: dict[str, int] = {}
    rows = [_rows(key, job, number, first_poll_ms(job, times, dice)) for number, job in enumerate(jobs)]
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
