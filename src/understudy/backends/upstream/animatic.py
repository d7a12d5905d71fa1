"""The built-in backend: films drawn by `animatic/`, one limited child process for each.

No key, no GPU, no network. A job lives in memory and dies with the server; its film is deterministic and free, so
that a lost one is simply drawn again.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from understudy.animatic.entry import render_film
from understudy.backends.base import (
    Backend,
    CollectFailed,
    Context,
    Failed,
    Finished,
    Fit,
    JobRequest,
    JobStatus,
    Running,
    Traits,
    Vanished,
    Wanted,
)
from understudy.backends.facts import Facts
from understudy.backends.options import BackendOptions as Options
from understudy.domain.errors import FailCode
from understudy.sandbox.errors import SandboxError
from understudy.sandbox.limits import Limits

FACTS = Facts(
    kind="animatic",
    title="Built-in animatic renderer",
    reference="",
    read_on="2026-11-22",
    base_url="",
    key_env=None,
    default_model="",
    cost="Free: processor time of this machine.",
    result_life="Until it is stored.",
    lost_answer="The film is drawn again: it is free, and the same.",
    cancels="Ends the drawing process.",
)

MEMORY_BYTES = 1024**3
"""Data, twice and more what a film of 1792 x 1024 was measured to use: 400 MB resident."""
FILE_BYTES = 512 * 1024**2
SECONDS_PER_FILM_SECOND = 60
"""Wall and processor time allowed for one second of film: 30 times the slowest measured, for slow machines."""


@dataclass(slots=True)
class _Render:
    film: Path
    progress: int = 0
    failure: str | None = None
    finished: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class AnimaticBackend(Backend):
    """Draws films, at most `processes` at once."""

    traits = Traits(first_poll_seconds=0.5, poll_seconds=0.5, free_to_repeat=True, procedural=True)

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._sandbox = context.sandbox
        self._context = context
        self._renders: dict[str, _Render] = {}
        self._places = context.processes

    @override
    def fit(self, wanted: Wanted) -> Fit:
        return Fit(size=wanted.size)

    @override
    def reserve(self) -> bool:
        if self._places < 1:
            return False
        self._places -= 1
        return True

    @override
    def release(self) -> None:
        self._places += 1
        self._context.wake(self.name)

    @override
    async def submit(self, request: JobRequest) -> str:
        film = self._context.work_dir / f"{request.attempt_id}.mp4"
        render = self._renders[request.attempt_id] = _Render(film)
        render.task = asyncio.create_task(self._render(render, request))
        # Not in a `finally` of the coroutine: cancelled before its first step, it would never give the place back.
        render.task.add_done_callback(lambda _: self.release())
        return request.attempt_id

    async def _render(self, render: _Render, request: JobRequest) -> None:
        def note(progress: float) -> None:
            render.progress = min(99, int(progress * 100))

        allowed = request.wanted.seconds * SECONDS_PER_FILM_SECOND
        limits = Limits(
            memory_bytes=MEMORY_BYTES, cpu_seconds=allowed, wall_seconds=allowed, file_bytes=FILE_BYTES, nice=10
        )
        arguments = {
            "prompt": request.prompt,
            "width": request.generate.width,
            "height": request.generate.height,
            "seconds": request.wanted.seconds,
            "seed": request.seed,
            "picture": None if request.picture is None else str(request.picture),
            "destination": str(render.film),
        }
        try:
            await self._sandbox.run(render_film, arguments, limits=limits, on_progress=note)
            render.finished = True
        except (SandboxError, OSError) as error:
            render.failure = str(error)

    @override
    async def poll(self, job_id: str) -> JobStatus:
        render = self._renders.get(job_id)
        if render is None:
            # The film is renamed into place when it is whole: one that outlived a crash is a finished job.
            return Finished() if self._film_of(job_id).is_file() else Vanished()
        if render.failure is not None:
            return Failed(FailCode.GENERATION_FAILED, "The video could not be generated", render.failure)
        return Finished() if render.finished else Running(render.progress)

    def _film_of(self, job_id: str) -> Path:
        return self._context.work_dir / f"{job_id}.mp4"

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        try:
            destination.unlink(missing_ok=True)  # noqa: ASYNC240 - two names in one folder do not block noticeably
            os.link(self._film_of(job_id), destination)
        except OSError as error:
            raise CollectFailed(f"the film cannot be read: {error.strerror}") from error

    @override
    async def cancel(self, job_id: str) -> bool:
        render = self._renders.pop(job_id, None)
        if render is not None and render.task is not None:
            render.task.cancel()
            await asyncio.wait([render.task])
        self._film_of(job_id).unlink(missing_ok=True)
        return True

    @override
    async def forget(self, job_id: str) -> None:
        await self.cancel(job_id)

    @override
    async def check(self) -> str:
        return f"built in; draws {self._context.processes} at once, {self._context.processes - self._places} now"

    @override
    async def close(self) -> None:
        for job_id in tuple(self._renders):
            render = self._renders[job_id]
            if render.task is not None and not render.task.done():
                render.task.cancel()
                await asyncio.wait([render.task])


def create(name: str, options: Options, context: Context) -> AnimaticBackend:
    """Return the backend; it has nothing to set."""
    del options
    return AnimaticBackend(name, context)
