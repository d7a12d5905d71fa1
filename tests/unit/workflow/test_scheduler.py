"""The embedded scheduler: called at or after its time, never twice at once, nothing forgotten."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from understudy.domain.clock import system_clock_ms
from understudy.domain.errors import Unavailable
from understudy.workflow.scheduler import EmbeddedScheduler


class Rows:
    """Rows that wait for their time, and a call that takes them off the list when it is done."""

    def __init__(self) -> None:
        self.due_at: dict[str, int] = {}
        self.running: set[str] = set()
        self.called: list[tuple[str, int]] = []
        self.most_at_once = 0
        self.call_seconds = 0.0
        self.database_away = False
        self.broken: set[str] = set()

    async def due(self, *, now_ms: int, limit: int) -> Sequence[str]:
        if self.database_away:
            raise Unavailable("away", retry_after=1)
        return sorted((row for row, at in self.due_at.items() if at <= now_ms), key=self.due_at.__getitem__)[:limit]

    async def next_at_ms(self, *, after_ms: int) -> int | None:
        return min((at for at in self.due_at.values() if at > after_ms), default=None)

    async def call(self, row: str) -> None:
        assert row not in self.running, "called twice at once"
        if row in self.broken:
            raise RuntimeError(row)
        self.running.add(row)
        self.most_at_once = max(self.most_at_once, len(self.running))
        self.called.append((row, system_clock_ms()))
        try:
            await asyncio.sleep(self.call_seconds)
            self.due_at.pop(row, None)
        finally:
            self.running.discard(row)


@asynccontextmanager
async def scheduler_of(rows: Rows, *, concurrency: int = 4) -> AsyncIterator[EmbeddedScheduler[str]]:
    scheduler = EmbeddedScheduler(rows, rows.call, clock_ms=system_clock_ms, concurrency=concurrency, idle_seconds=30)
    loop = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - the rows are plain data, with nothing to wait on
            await asyncio.sleep(0.005)


async def until_empty(rows: Rows) -> None:
    await until(lambda: not rows.due_at)


async def test_what_was_due_before_the_start_is_called() -> None:
    rows = Rows()
    rows.due_at = {"a": 0, "b": system_clock_ms() - 10_000}

    async with scheduler_of(rows):
        await until_empty(rows)

    assert sorted(row for row, _ in rows.called) == ["a", "b"]


async def test_a_row_is_not_called_before_its_time() -> None:
    rows = Rows()
    due_at = system_clock_ms() + 150
    rows.due_at = {"a": due_at}

    async with scheduler_of(rows):
        await until_empty(rows)

    assert rows.called[0][1] >= due_at


async def test_a_wake_up_is_seen_at_once() -> None:
    rows = Rows()

    async with scheduler_of(rows) as scheduler:
        await asyncio.sleep(0.05)
        rows.due_at["late"] = 0
        scheduler.wake()
        await until_empty(rows)

    assert len(rows.called) == 1


async def test_no_more_than_the_allowed_number_run_at_once() -> None:
    rows = Rows()
    rows.due_at = {f"row{number}": number for number in range(20)}
    rows.call_seconds = 0.01

    async with scheduler_of(rows, concurrency=3):
        await until_empty(rows)

    assert rows.most_at_once == 3
    assert len(rows.called) == 20


async def test_a_row_that_breaks_does_not_stop_the_others() -> None:
    rows = Rows()
    rows.due_at = {"bad": 0, "good": 1}
    rows.broken = {"bad"}

    async with scheduler_of(rows):
        await until(lambda: "good" not in rows.due_at)

    assert [row for row, _ in rows.called] == ["good"]


async def test_the_loop_outlives_a_database_that_goes_away() -> None:
    rows = Rows()
    rows.due_at = {"a": 0}
    rows.database_away = True

    async with scheduler_of(rows):
        await asyncio.sleep(0.1)
        assert rows.called == []
        rows.database_away = False
        await until_empty(rows)

    assert len(rows.called) == 1


async def test_draining_lets_what_runs_end_and_starts_nothing() -> None:
    rows = Rows()
    rows.due_at = {"running": 0}
    rows.call_seconds = 0.2

    async with scheduler_of(rows) as scheduler:
        await until(lambda: bool(rows.running))
        rows.due_at["later"] = 0
        await scheduler.drain(seconds=5)

    assert [row for row, _ in rows.called] == ["running"]
    assert rows.due_at == {"later": 0}
