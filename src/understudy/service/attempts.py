"""What an operator asks of the attempts: which of them nobody knows the outcome of, and what became of the rest."""

from collections.abc import Sequence

from understudy.db import attempts
from understudy.db.base import Database
from understudy.domain.clock import ClockMs
from understudy.domain.errors import NotFound
from understudy.domain.ids import AttemptId, TaskId
from understudy.domain.records import Attempt, AttemptState


class AttemptService:
    """Lists attempts, and marks those that an operator has dealt with."""

    def __init__(self, database: Database, *, clock_ms: ClockMs) -> None:
        self._database = database
        self._clock_ms = clock_ms

    async def in_state(self, state: AttemptState, *, limit: int) -> Sequence[Attempt]:
        """Return at most `limit` attempts in `state` that no operator has settled, the newest first."""
        return await self._database.read(
            lambda reader: attempts.attempts_in_state(reader, state=state, limit=limit), scan=True
        )

    async def of_task(self, task_id: str) -> Sequence[Attempt]:
        """Return a task's attempts, oldest first."""
        return await self._database.read(lambda reader: attempts.attempts_of(reader, task_id=TaskId(task_id)))

    async def recent(self, *, limit: int) -> Sequence[Attempt]:
        """Return the newest `limit` attempts, the newest first."""
        return await self._database.read(lambda reader: attempts.recent_attempts(reader, limit=limit), scan=True)

    async def settle(self, attempt_id: str) -> None:
        """Take an attempt off the lists; its row stays as it is. Raises `NotFound`."""
        known = AttemptId(attempt_id)
        found = await self._database.transact(
            lambda tx: attempts.settle_attempt(tx, attempt_id=known, now_ms=self._clock_ms())
        )
        if not found:
            raise NotFound(f"There is no open attempt {attempt_id}: `understudy attempts --unknown` lists their ids.")
