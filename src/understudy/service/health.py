"""Whether this server can do its work, for probes and people."""

from dataclasses import dataclass, replace

from understudy.backends.base import Backend, BackendError
from understudy.backends.registry import Registry
from understudy.db import health, tasks
from understudy.db.base import Database
from understudy.domain import circuit
from understudy.domain.circuit import Circuit
from understudy.domain.clock import ClockMs
from understudy.domain.errors import Unavailable
from understudy.service.backlog import Backlog


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe is told. `ready` decides between 200 and 503; nothing here is secret."""

    ready: bool
    database: str
    open_tasks: int
    backends: dict[str, str]
    moderation: str


class HealthService:
    """Asks every part that can be away; of a paid upstream it tells what its circuit says, without asking it."""

    def __init__(
        self, database: Database, backends: Registry, backlog: Backlog, *, moderation: str, clock_ms: ClockMs
    ) -> None:
        self._database = database
        self._backends = backends
        self._backlog = backlog
        self._moderation = moderation
        self._clock_ms = clock_ms

    async def check(self) -> Health:
        """Return how things stand; never raises."""
        circuits: dict[str, Circuit] = {}
        try:
            await self._database.read(tasks.count_open, scan=True)
            circuits = {seen.name: seen for seen in await self._database.read(health.all_circuits, scan=True)}
            database = "ok"
        except Unavailable as error:
            database = str(error)
        states = {backend.name: await self._state(backend, circuits.get(backend.name)) for backend in self._backends}
        return Health(database == "ok", database, self._backlog.open_tasks, states, self._moderation)

    async def _state(self, backend: Backend, seen: Circuit | None) -> str:
        if not backend.traits.procedural:
            # Strangers may ask for this: why a backend rests may hold an upstream's words, and is the operator's.
            bare = Circuit(name=backend.name) if seen is None else replace(seen, reason=None)
            return circuit.describe(bare, self._clock_ms()).removesuffix(": None")
        try:
            return await backend.check()
        except BackendError as error:
            return f"does not answer: {error}"
