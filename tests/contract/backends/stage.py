"""One backend on stage: loaded as the server loads it, in front of its vendor's scripted upstream, on real sockets."""

import contextlib
import traceback
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.support.upstream import Fault, ScriptedUpstream, Vendor, picture_bytes, vendors
from understudy.backends.base import Backend, BackendError, CannotPlay, Context, Finished, JobRequest, JobStatus, Wanted
from understudy.backends.registry import load_backends
from understudy.domain.catalogue import DEFAULT_CATALOGUE, Size
from understudy.domain.ids import AttemptId
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy
from understudy.sandbox.runner import Sandbox

KINDS: Final = tuple(vendors())
NAME: Final = "studio"
PROMPT: Final = 'A lighthouse keeper reads "Moby Dick" in the rain; 灯台, naïve 🎬'
WEBHOOK: Final = "https://understudy.example/upstream/studio/attempt/mac"
CALL_SECONDS: Final = 10.0
"""Time for a call that is to go well, on a busy machine too."""
SHORT_SECONDS: Final = 0.9
"""Time for a call that never ends."""
MODEL: Final = next(iter(DEFAULT_CATALOGUE))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """A backend and its upstream. `folder` is empty at first."""

    upstream: ScriptedUpstream
    backend: Backend
    folder: Path

    @property
    def vendor(self) -> Vendor:
        """How the upstream speaks."""
        return self.upstream.vendor

    @property
    def destination(self) -> Path:
        """Where `collect` writes to."""
        return self.folder / "film.mp4"

    def wanted(self, *, seconds: int, size: Size, picture: bool) -> Wanted:
        """Return what a task wants."""
        return Wanted(model=self.vendor.model, size=size, seconds=seconds, picture=picture)

    def playable(self) -> Wanted:
        """Return a film from a text that the backend can make."""
        for seconds in MODEL.durations:
            for size in MODEL.sizes:
                wanted = self.wanted(seconds=seconds, size=size, picture=False)
                if not self.fits(wanted):
                    return wanted
        raise AssertionError(f"{self.vendor.kind} can make no film at all")

    def fits(self, wanted: Wanted) -> str:
        """Return nothing if the backend can make this film, else the sentence that says what it can."""
        try:
            self.backend.fit(wanted)
        except CannotPlay as error:
            return str(error) or "no reason given"
        return ""

    def request(self, wanted: Wanted | None = None, *, number: int = 1) -> JobRequest:
        """Return a submission as the workflow makes it; raises `CannotPlay`."""
        wanted = wanted or self.playable()
        size = self.backend.fit(wanted).size
        picture = None
        if wanted.picture:
            picture = self.folder / "picture.jpg"
            picture.write_bytes(picture_bytes(width=size.width, height=size.height))
        return JobRequest(
            attempt_id=AttemptId(f"att_{number:032x}"),
            prompt=PROMPT,
            wanted=wanted,
            generate=size,
            seed=8_765_432_109_876_543_210,
            picture=picture,
            webhook_url=WEBHOOK if self.backend.traits.webhooks else None,
        )

    async def submit(self) -> str:
        """Submit a film that the backend can make."""
        return await self.backend.submit(self.request())

    async def poll_until(self, job_id: str, *kinds: type[JobStatus], polls: int = 8) -> JobStatus:
        """Poll until the status is one of `kinds`."""
        seen: list[JobStatus] = []
        for _ in range(polls):
            seen.append(await self.backend.poll(job_id))
            if isinstance(seen[-1], kinds):
                return seen[-1]
        raise AssertionError(f"never {kinds}: {seen}")

    async def finished(self) -> str:
        """Submit a film and poll until it is finished; return the job's id."""
        job_id = await self.submit()
        await self.poll_until(job_id, Finished)
        return job_id

    async def collected(self, job_id: str) -> bytes:
        """Collect the film and return it."""
        await self.backend.collect(job_id, self.destination)
        return self.destination.read_bytes()

    async def tried(self, call: Awaitable[T]) -> T | BackendError:
        """Return what a call returns, or the error that it ends with, which does not hold the key."""
        try:
            return await call
        except BackendError as error:
            assert_keyless(error, self.vendor.key)
            return error

    async def error_of(self, call: Awaitable[object]) -> BackendError:
        """Return the error that a call ends with, after checking that it does not hold the key."""
        came = await self.tried(call)
        assert isinstance(came, BackendError), f"no error, but {came!r}"
        return came

    def leaves_nothing(self) -> bool:
        """Tell whether no film, whole or in part, lies about."""
        return not list(self.folder.glob("film*"))

    def submissions(self) -> int:
        """Count the submissions that reached the wire, read or not."""
        return len(self.upstream.calls("submit"))


@contextlib.asynccontextmanager
async def open_stage(
    kind: str, folder: Path, *, environment: Mapping[str, str] | None = None, **settings: Any
) -> AsyncIterator[Stage]:
    """Load the backend of `kind` in front of its upstream; `settings` are added to its table."""
    async with (
        ScriptedUpstream(vendors()[kind]()) as upstream,
        stage_for(upstream, folder, environment=environment, **settings) as stage,
    ):
        yield stage


@contextlib.asynccontextmanager
async def stage_for(
    upstream: ScriptedUpstream, folder: Path, *, environment: Mapping[str, str] | None = None, **settings: Any
) -> AsyncIterator[Stage]:
    """Load the backend in front of an upstream that runs already."""
    variables = upstream.vendor.environment() if environment is None else environment
    usual = {"call_seconds": CALL_SECONDS, "download_seconds": CALL_SECONDS, "result_bytes": 1024 * 1024}
    async with OutboundClient(OutboundPolicy.parse(upstream.outbound_allow)) as outbound:
        context = Context(
            sandbox=Sandbox(max_children=1),
            work_dir=folder,
            processes=1,
            wake=lambda _: None,
            outbound=outbound,
            read_env=variables.get,
        )
        table = upstream.settings(**{**usual, **settings})
        registry = load_backends({NAME: table}, context)
        backend = registry.get(NAME)
        assert backend is not None
        try:
            yield Stage(upstream, backend, folder)
        finally:
            await registry.close()


def patience(fault: Fault) -> float:
    """Return how long to wait for a call that meets this fault."""
    return SHORT_SECONDS if fault.waits else CALL_SECONDS


def assert_keyless(error: BaseException, key: str) -> None:
    """Check that neither the error's text, nor its parts, nor a traceback of it and of its causes holds the key."""
    texts = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    assert not [text for text in texts if key in text]
