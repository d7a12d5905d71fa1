"""A soak: many tasks, random upstream faults, random `kill -9` of the server, and an exact count of what was paid."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.support import paid
from tests.support.rows import query, slots_in_use
from tests.support.server import MODEL_PATH, STATUS_PATH, Server, make_key, running
from tests.support.upstream import (
    Fault,
    Mishap,
    Plan,
    ScriptedUpstream,
    garbage,
    html,
    lost,
    ok,
    refusal,
    reset_after,
    reset_before,
    status,
    vendors,
)

SUBMITTERS = 8
TERMINAL = frozenset({"success", "failed"})
PROVED = frozenset({"not_created"})
"""States of attempts that stand for no job at all."""
SPENT = frozenset({"succeeded", "late"})

SUBMIT_FAULTS: tuple[Callable[[], Fault], ...] = (
    lambda: status(429, retry_after="1"),
    lambda: status(429),
    lambda: status(500),
    lambda: status(503),
    lambda: status(400),
    html,
    garbage,
    refusal,
    reset_before,
    reset_after,
    lambda: lost(5),
)
POLL_FAULTS: tuple[Callable[[], Fault], ...] = (lambda: status(500), lambda: status(429), html, garbage, reset_after)
MISHAPS = (
    None,
    None,
    None,
    None,
    Mishap.FAILS,
    Mishap.REFUSED,
    Mishap.VANISHES,
    Mishap.GOES_BACK,
    Mishap.UNKNOWN_WORD,
    Mishap.EXPIRED_LINK,
)


@dataclass(kw_only=True)
class Report:
    """What came of a soak. `wrong` holds a sentence for each task that broke a promise; empty is good."""

    tasks: int
    kills: int
    seconds: float
    creations: int
    most_for_one_task: int
    states: Counter[str]
    attempts: Counter[str]
    wrong: list[str] = field(default_factory=list)


@dataclass
class Soak:
    """One soak. The same `seed` plans the same faults; when they strike depends on the machine."""

    data: Path
    tasks: int
    seed: int
    kill_every_seconds: tuple[float, float] = (1.0, 4.0)
    on_progress: Callable[[int, int], None] = lambda _done, _kills: None
    _random: random.Random = field(init=False)
    _ids: dict[str, str] = field(default_factory=dict)
    _ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    _kills: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    async def run(self, *, within_seconds: float) -> Report:
        """Submit everything while the server dies again and again; then let it come to rest, and count."""
        began = time.monotonic()
        vendor = vendors()["openai_videos"]()
        async with ScriptedUpstream(vendor, usual_plan=Plan(polls=2)) as upstream:
            self._plan(upstream)
            key_file = self.data.with_name("upstream.key")
            key_file.write_text(vendor.key)
            settings = paid.settings(
                {"star": upstream}, api_key_file=str(key_file), call_seconds=1, reconcile_seconds=4
            )
            settings["LOG_LEVEL"] = "error"
            key = (await make_key(self.data, **settings))["key"]
            while len(self._ends) < self.tasks:
                assert time.monotonic() - began < within_seconds, f"{len(self._ends)} of {self.tasks} tasks ended"
                async with self._life(settings) as server:
                    assert server.url or self._kills, "\n".join(server.log)
                    await self._work(server, key)
            return self._judge(upstream, time.monotonic() - began)

    def _plan(self, upstream: ScriptedUpstream) -> None:
        """Let one call in five meet a fault, one job in three a mishap."""
        draw = self._random
        for _ in range(self.tasks * 3):
            upstream.script("submit", draw.choice(SUBMIT_FAULTS)() if draw.random() < 0.2 else ok())
            upstream.script("poll", draw.choice(POLL_FAULTS)() if draw.random() < 0.1 else ok())
        upstream.plan(*(Plan(polls=draw.randrange(3), mishap=draw.choice(MISHAPS)) for _ in range(self.tasks)))

    @asynccontextmanager
    async def _life(self, settings: dict[str, str]) -> AsyncIterator[Server]:
        """Run the server until it is killed, or until every task has ended."""
        async with running(self.data, **settings) as server:
            killer = asyncio.create_task(self._kill(server))
            try:
                yield server
            finally:
                killer.cancel()
                await asyncio.gather(killer, return_exceptions=True)

    async def _kill(self, server: Server) -> None:
        await asyncio.sleep(self._random.uniform(*self.kill_every_seconds))
        # The last tasks are let go in peace: otherwise waits longer than a life would never end.
        if len(self._ends) < self.tasks * 0.9:
            server.kill()
            self._kills += 1

    async def _work(self, server: Server, key: str) -> None:
        with contextlib.suppress(httpx2.TransportError):
            async with server.client(key) as client:
                await asyncio.gather(*(self._submit(client, number) for number in range(SUBMITTERS)))
                while len(self._ends) < self.tasks:
                    await self._look(client)
                    self.on_progress(len(self._ends), self._kills)
                    await asyncio.sleep(0.2)

    async def _submit(self, client: httpx2.AsyncClient, first: int) -> None:
        """Submit every eighth task that has no id yet; the idempotency key makes a second try safe."""
        for number in range(first, self.tasks, SUBMITTERS):
            prompt = f"take {number}"
            if prompt in self._ids:
                continue
            body = {"input": {"prompt": prompt, "duration": 1}}
            answer = await client.post(MODEL_PATH, json=body, headers={"Idempotency-Key": prompt})
            assert answer.status_code == 200, answer.text
            self._ids[prompt] = answer.json()["data"]["taskId"]

    async def _look(self, client: httpx2.AsyncClient) -> None:
        for prompt, task_id in self._ids.items():
            if prompt in self._ends:
                continue
            answer = await client.get(STATUS_PATH, params={"taskId": task_id})
            assert answer.status_code == 200, answer.text
            if answer.json()["data"]["state"] in TERMINAL:
                self._ends[prompt] = answer.json()["data"]

    def _judge(self, upstream: ScriptedUpstream, seconds: float) -> Report:
        created = paid.creations_by_prompt(upstream)
        attempts = paid.attempts_by_prompt(self.data)
        wrong = [
            sentence
            for prompt, end in self._ends.items()
            for sentence in _faults(prompt, end["state"], attempts.get(prompt, []), created[prompt])
        ]
        if slots_in_use(self.data):
            wrong.append(f"{slots_in_use(self.data)} slots are still taken")
        open_tasks = query(self.data, "SELECT count(*) FROM tasks WHERE stage <> 'ended'")[0][0]
        if open_tasks or len(self._ids) != self.tasks:
            wrong.append(f"{open_tasks} tasks are open, {len(self._ids)} were accepted")
        return Report(
            tasks=self.tasks,
            kills=self._kills,
            seconds=seconds,
            creations=upstream.creations,
            most_for_one_task=max(created.values(), default=0),
            states=Counter(end["state"] for end in self._ends.values()),
            attempts=Counter(state for states in attempts.values() for state in states),
            wrong=wrong,
        )


def _faults(prompt: str, state: str, attempts: list[str], created: int) -> list[str]:
    """Return what is wrong with one task: the upstream's own count against what our rows say."""
    wrong = []
    open_attempts = [attempt for attempt in attempts if attempt not in PROVED]
    if created > 1:
        wrong.append(f"{prompt}: {created} jobs were created")
    if len(open_attempts) > 1:
        wrong.append(f"{prompt}: attempts {attempts}")
    if not open_attempts and created:
        wrong.append(f"{prompt}: a job exists, and every attempt is said not to have made one")
    if (state == "success") != ("succeeded" in attempts):
        wrong.append(f"{prompt}: it ended as {state} with attempts {attempts}")
    if any(attempt in SPENT | {"failed", "submitted"} for attempt in open_attempts) and created != 1:
        wrong.append(f"{prompt}: {created} jobs for attempts {attempts}")
    return wrong
