"""A story over a real database and a scripted backend, with a clock that a test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typing_extensions import override

from understudy.auth.links import LinkSigner
from understudy.auth.upstream_links import UpstreamLinks
from understudy.backends.base import (
    Backend,
    CannotPlay,
    Fit,
    JobRequest,
    JobStatus,
    LostAttempt,
    Running,
    Traits,
    Wanted,
)
from understudy.backends.registry import Registry
from understudy.db import attempts, deliveries, health, keys, limits, tasks
from understudy.db.connect import open_database, sqlite_url
from understudy.domain.catalogue import Catalogue, Mode, Model, Route, Size
from understudy.domain.circuit import Circuit
from understudy.domain.ids import TaskId, new_key_id, new_task_id
from understudy.domain.records import ApiKey, Attempt, Delivery
from understudy.domain.request import GenerationRequest
from understudy.domain.task import Stage, State, Task
from understudy.moderation.filter import LocalModerator, LocalPolicy
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy
from understudy.sandbox.runner import Sandbox
from understudy.storage.local import LocalStorage
from understudy.workflow.circuits import Circuits
from understudy.workflow.crash_points import CrashSwitch
from understudy.workflow.parts import Parts
from understudy.workflow.story import Story

DEADLINE_MS = 3_600_000
CATALOGUE = Catalogue(
    (
        Model(name="paid", routes=(Route(backend="paid"),)),
        Model(name="free", routes=(Route(backend="free"),)),
        Model(name="both", routes=(Route(backend="paid"), Route(backend="spare", model="spare/1", weight=0))),
    )
)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms


class ScriptedBackend(Backend):
    """Answers as the test says; an exception among the answers is raised. The last answer repeats."""

    name = "scripted"

    def __init__(self, *, free: bool) -> None:
        self.traits = Traits(first_poll_seconds=1, poll_seconds=1, free_to_repeat=free)
        self.cannot: str | None = None
        self.cancels = True
        self.on_find: list[str | None] = [None]
        self.looked_for: list[LostAttempt] = []
        self.on_submit: list[str | Exception] = ["job-1"]
        self.on_poll: list[JobStatus | Exception] = [Running(10)]
        self.on_collect: Exception = AssertionError("no film is made here")
        self.places = 1
        self.submitted: list[JobRequest] = []
        self.cancelled: list[str] = []

    @override
    def fit(self, wanted: Wanted) -> Fit:
        if self.cannot is not None:
            raise CannotPlay(self.cannot)
        return Fit(size=wanted.size)

    @override
    async def find(self, lost: LostAttempt) -> str | None:
        self.looked_for.append(lost)
        return self.on_find.pop(0) if len(self.on_find) > 1 else self.on_find[0]

    @override
    def reserve(self) -> bool:
        if self.places < 1:
            return False
        self.places -= 1
        return True

    @override
    def release(self) -> None:
        self.places += 1

    @override
    async def submit(self, request: JobRequest) -> str:
        self.submitted.append(request)
        answer = self.on_submit.pop(0) if len(self.on_submit) > 1 else self.on_submit[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @override
    async def poll(self, job_id: str) -> JobStatus:
        answer = self.on_poll.pop(0) if len(self.on_poll) > 1 else self.on_poll[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        raise self.on_collect

    @override
    async def cancel(self, job_id: str) -> bool:
        self.cancelled.append(job_id)
        return self.cancels

    @override
    async def check(self) -> str:
        return "scripted"


@dataclass
class Theatre:
    """The parts, and short ways to look at what came of them."""

    parts: Parts
    clock: Clock
    paid: ScriptedBackend
    free: ScriptedBackend
    spare: ScriptedBackend
    key: ApiKey
    ended: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)

    def story(self) -> Story:
        """Return a new story, as a process that has just started has one."""
        return Story(
            self.parts,
            on_ended=lambda: self.ended.append(self.clock.now_ms),
            on_moved=lambda: self.moved.append(self.clock.now_ms),
        )

    async def accept(
        self,
        *,
        backend: ScriptedBackend | None = None,
        model: str = "",
        callback_url: str | None = None,
        claim: int = 0,
    ) -> TaskId:
        """Insert a task as `service` does, slot and all, for a model or for the model that has this backend alone."""
        model = model or ("paid" if backend is self.paid else "free")
        now_ms = self.clock()
        task = Task(
            id=new_task_id(),
            key_id=self.key.id,
            model=model,
            state=State.PENDING,
            stage=Stage.PREPARE,
            request=GenerationRequest(
                mode=Mode.TEXT_TO_VIDEO, prompt="a cat", seconds=4, size=Size(720, 1280), callback_url=callback_url
            ),
            created_at_ms=now_ms,
            deadline_at_ms=now_ms + DEADLINE_MS,
            next_at_ms=now_ms,
            claim=claim,
            backend=CATALOGUE.get(model).routes[0].backend,
        )

        async def commit(tx: object) -> None:
            assert await limits.take_slot(tx, key_id=self.key.id, limit=10)  # type: ignore[arg-type] # a real Tx
            await tasks.insert_task(tx, task, idempotency_key=None, fingerprint=None)  # type: ignore[arg-type] # same

        await self.parts.database.transact(commit)
        return task.id

    async def play(self, task_id: TaskId, *, seconds: int, story: Story | None = None) -> Task:
        """Advance the task once a second; return it as it is then."""
        story = story or self.story()
        for _ in range(seconds):
            await story.advance(task_id)
            self.clock.now_ms += 1000
        return await self.task(task_id)

    async def task(self, task_id: TaskId) -> Task:
        """Return the task's row."""
        task = await self.parts.database.read(lambda reader: tasks.get_task(reader, task_id=task_id))
        assert task is not None
        return task

    async def attempts(self, task_id: TaskId) -> list[Attempt]:
        """Return the task's attempts."""
        return await self.parts.database.read(lambda reader: attempts.attempts_of(reader, task_id=task_id))

    async def delivery(self, task_id: TaskId) -> Delivery | None:
        """Return the task's delivery."""
        return await self.parts.database.read(lambda reader: deliveries.delivery_of_task(reader, task_id=task_id))

    async def circuit(self, name: str) -> Circuit:
        """Return the circuit of a backend."""
        return await self.parts.database.read(lambda reader: health.get_circuit(reader, name=name))

    async def active(self) -> int:
        """Return how many slots the key has in use."""
        key = await self.parts.database.read(lambda reader: keys.get_key(reader, key_id=self.key.id))
        assert key is not None
        return key.active_tasks


@pytest.fixture
async def theatre(tmp_path: Path) -> AsyncIterator[Theatre]:
    clock, paid, free = Clock(), ScriptedBackend(free=False), ScriptedBackend(free=True)
    spare = ScriptedBackend(free=False)
    paid.name, free.name, spare.name = "paid", "free", "spare"
    database = await open_database(sqlite_url(tmp_path / "theatre.db"), migrate=True)
    key = ApiKey(id=new_key_id(), name="k", key_hash=b"h" * 32, hint="hint", created_at_ms=clock())
    await database.transact(lambda tx: keys.insert_key(tx, key))
    sandbox, outbound = Sandbox(max_children=1), OutboundClient(OutboundPolicy())
    parts = Parts(
        database=database,
        storage=LocalStorage(tmp_path / "results"),
        backends=Registry((paid, free, spare)),
        catalogue=CATALOGUE,
        moderator=LocalModerator(LocalPolicy.load()),
        outbound=outbound,
        sandbox=sandbox,
        links=LinkSigner(b"s" * 32, "http://films.example"),
        work_dir=tmp_path,
        webhook_root=b"w" * 32,
        result_ms=1000,
        callback_retry_seconds=(1, 1, 1),
        clock_ms=clock,
        crash=CrashSwitch(),
        circuits=Circuits(database, clock_ms=clock),
        upstream_links=UpstreamLinks(b"u" * 32, "http://films.example"),
    )
    yield Theatre(parts, clock, paid, free, spare, key)
    await outbound.close()
    await sandbox.close()
    await database.close()
