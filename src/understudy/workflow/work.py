"""The loops that advance tasks, deliver callbacks and sweep: what a process with workers runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from understudy.workflow.agenda import DeliveryAgenda, TaskAgenda
from understudy.workflow.deliver import Courier
from understudy.workflow.parts import Parts
from understudy.workflow.places import Places
from understudy.workflow.poller import Poller
from understudy.workflow.scheduler import EmbeddedScheduler, Scheduler
from understudy.workflow.story import Story
from understudy.workflow.sweep import Sweeper

TASKS_AT_ONCE = 64
DELIVERIES_AT_ONCE = 64
DRAIN_SECONDS = 15.0


class Work:
    """Everything that goes on without a request. `idle_seconds` bounds how long another process's row goes unseen."""

    def __init__(self, parts: Parts, places: Places, *, idle_seconds: float) -> None:
        self._places = places
        courier = Courier(parts)
        self._deliveries: Scheduler = EmbeddedScheduler(
            DeliveryAgenda(parts.database),
            courier.deliver,
            clock_ms=parts.clock_ms,
            concurrency=DELIVERIES_AT_ONCE,
            idle_seconds=idle_seconds,
        )
        story = Story(parts, on_ended=self._deliveries.wake, on_moved=self.wake)
        self._tasks: Scheduler = EmbeddedScheduler(
            TaskAgenda(parts.database),
            story.advance,
            clock_ms=parts.clock_ms,
            concurrency=TASKS_AT_ONCE,
            idle_seconds=idle_seconds,
        )
        self._pollers = [
            Poller(parts, backend, on_end=story.job_ended, on_late=story.advance, idle_seconds=idle_seconds)
            for backend in parts.backends
        ]
        self._sweeper = Sweeper(parts, wake=self.wake, advance=story.advance)

    def wake(self) -> None:
        """Tell that a task may have become due."""
        self._tasks.wake()
        for poller in self._pollers:
            poller.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loops; on leaving, let what runs end within a bound, then stop."""
        self._places.on_woken(self.wake)
        loops = [
            asyncio.create_task(coroutine)
            for coroutine in (
                self._tasks.run(),
                self._deliveries.run(),
                self._places.run(),
                self._sweeper.run(),
                *(poller.run() for poller in self._pollers),
            )
        ]
        try:
            yield
        finally:
            await asyncio.gather(
                self._tasks.drain(seconds=DRAIN_SECONDS), self._deliveries.drain(seconds=DRAIN_SECONDS)
            )
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
