"""The health of the backends, shared by all processes through one row each (`reliability.md` §4)."""

from collections.abc import Callable

import structlog

from understudy.backends.base import Backend
from understudy.db import health
from understudy.db.base import Database, Tx
from understudy.domain import circuit
from understudy.domain.circuit import Admission, Circuit, Go, Wait
from understudy.domain.clock import ClockMs

_log = structlog.get_logger(__name__)


class Circuits:
    """Asks and changes the circuits. The built-in renderer has none: it is this machine itself."""

    def __init__(self, database: Database, *, clock_ms: ClockMs) -> None:
        self._database = database
        self._clock_ms = clock_ms

    async def admit(self, backend: Backend) -> Admission:
        """Tell whether a submission may go out now; a probe is admitted once over all processes."""
        if backend.traits.procedural:
            return Go(probe=False)
        seen = await self._database.read(lambda reader: health.get_circuit(reader, name=backend.name))
        if circuit.spotless(seen):
            return Go(probe=False)
        glance, _ = circuit.admit(seen, self._clock_ms())
        if isinstance(glance, Wait):
            return glance

        async def take(tx: Tx) -> Admission:
            admission, changed = circuit.admit(await health.lock_circuit(tx, name=backend.name), self._clock_ms())
            await health.put_circuit(tx, changed, now_ms=self._clock_ms())
            return admission

        return await self._database.transact(take)

    async def went_well(self, backend: Backend, change: Callable[[Circuit, int], Circuit]) -> None:
        """Record a good sign (`accepted`, `finished`, `undecided`); nothing is written where nothing is to mend."""
        if backend.traits.procedural:
            return
        seen = await self._database.read(lambda reader: health.get_circuit(reader, name=backend.name))
        if not circuit.spotless(seen):
            await self._change(backend, change)

    async def went_wrong(self, backend: Backend, change: Callable[[Circuit, int], Circuit]) -> None:
        """Record a fault, a refusal of the key, or a 429; tell the operator when the circuit opens."""
        if backend.traits.procedural:
            return
        before, after = await self._change(backend, change)
        if after.openings > before.openings or (after.open_until_ms or 0) > (before.open_until_ms or 0):
            state = circuit.describe(after, self._clock_ms())
            _log.error("backend is not used for a while", backend=backend.name, state=state)

    async def _change(self, backend: Backend, change: Callable[[Circuit, int], Circuit]) -> tuple[Circuit, Circuit]:
        async def commit(tx: Tx) -> tuple[Circuit, Circuit]:
            before = await health.lock_circuit(tx, name=backend.name)
            after = change(before, self._clock_ms())
            await health.put_circuit(tx, after, now_ms=self._clock_ms())
            return before, after

        return await self._database.transact(commit)
