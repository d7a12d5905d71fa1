"""The process that polls: `python -m bench.polling_process`.

The real poller and the real backend, built by the composition root, over the database whose rows the benchmark has
prepared. A job that ended is moved on as the workflow does it, and not collected: films are another benchmark's. It
waits for one line on stdin, the Unix time in ms until which to run, and prints when each task was moved on.
"""

import asyncio
import gc
import json
import sys
from contextlib import AsyncExitStack, suppress
from typing import Final

from bench.serving import run
from understudy.backends.base import JobStatus
from understudy.bootstrap import build_parts, open_foundation
from understudy.config import Settings, load_settings
from understudy.db import tasks
from understudy.domain.ids import TaskId
from understudy.telemetry import configure_logging
from understudy.workflow.parts import Parts
from understudy.workflow.poller import Poller
from understudy.workflow.produce import act_on

BACKEND: Final = "upstream"
IDLE_SECONDS: Final = 5.0


class _Moves:
    """When which task was moved on."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.moved_at_ms: dict[str, int] = {}

    async def end(self, task_id: TaskId, status: JobStatus) -> None:
        task = await self._parts.database.read(lambda reader: tasks.get_task(reader, task_id=task_id))
        assert task is not None, "the benchmark's own row is gone"
        await act_on(self._parts, task, status)
        self.moved_at_ms[task_id] = self._parts.clock_ms()

    async def late(self, task_id: TaskId) -> None:
        raise AssertionError(f"the deadline of {task_id} is an hour away")


async def _poll(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(open_foundation(settings, migrate=False))
        parts = await build_parts(foundation, "http://127.0.0.1", stack)
        backend = parts.backends.get(BACKEND)
        assert backend is not None, "the settings name it"
        moves = _Moves(parts)
        poller = Poller(parts, backend, on_end=moves.end, on_late=moves.late, idle_seconds=IDLE_SECONDS)
        gc.collect()
        gc.freeze()  # as the server does once everything is built
        print("ready", flush=True)
        until_ms = int(await asyncio.to_thread(sys.stdin.readline))
        polling = asyncio.create_task(poller.run())
        await asyncio.sleep((until_ms - parts.clock_ms()) / 1000)
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
        print(json.dumps(moves.moved_at_ms), flush=True)


def main() -> None:
    """Poll; the settings come from the environment."""
    settings = load_settings()
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    run(_poll(settings))


if __name__ == "__main__":
    main()
