"""The two kinds of rows that wait for their time: tasks and deliveries."""

from collections.abc import Sequence

from understudy.db import deliveries, tasks
from understudy.db.base import Database
from understudy.domain.ids import DeliveryId, TaskId


class TaskAgenda:
    """Tasks by `next_at`, but for those whose job is polled: they have a poller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, *, now_ms: int, limit: int) -> Sequence[TaskId]:
        """Return tasks whose stage is due."""
        due = await self._database.read(lambda reader: tasks.due_tasks(reader, now_ms=now_ms, limit=limit, polls=False))
        return [task_id for task_id, _ in due]

    async def next_at_ms(self, *, after_ms: int) -> int | None:
        """Return when the next task is due."""
        return await self._database.read(lambda reader: tasks.next_task_due_at(reader, after_ms=after_ms, polls=False))


class DeliveryAgenda:
    """Deliveries by `next_at`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, *, now_ms: int, limit: int) -> Sequence[DeliveryId]:
        """Return deliveries whose attempt is due."""
        due = await self._database.read(lambda reader: deliveries.due_deliveries(reader, now_ms=now_ms, limit=limit))
        return [delivery_id for delivery_id, _ in due]

    async def next_at_ms(self, *, after_ms: int) -> int | None:
        """Return when the next delivery is due."""
        return await self._database.read(lambda reader: deliveries.next_delivery_due_at(reader, after_ms=after_ms))
