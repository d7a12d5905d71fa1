"""What is done now and then: expired files go, counters are recounted, rows long overdue are reported."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from understudy.db import assets, limits, polls, tasks
from understudy.domain.errors import Unavailable
from understudy.domain.ids import TaskId
from understudy.domain.records import Asset
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.parts import Parts
from understudy.workflow.watch import watch_abandoned

SWEEP_SECONDS = 60
IDEMPOTENCY_MS = 49 * 3_600_000
"""`contract.md` §2 promises 48 hours; the extra hour forgives a clock."""
OVERDUE_MS = 60_000
STALE_WORK_SECONDS = 24 * 3600
BATCH = 200

_log = structlog.get_logger(__name__)


class Sweeper:
    """Sweeps every minute. Each part stands alone: one that fails does not keep the others from running."""

    def __init__(self, parts: Parts, *, wake: Callable[[], None], advance: Callable[[TaskId], Awaitable[None]]) -> None:
        self._parts = parts
        self._wake = wake
        self._advance = advance

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Sweep once."""
        for step in (
            self.delete_expired,
            self._forget_idempotency,
            self._recount,
            self._report_overdue,
            self._end_homeless,
            self._watch,
            self._tidy,
        ):
            try:
                await step()
            except Unavailable as error:
                _log.warning("sweep postponed", step=step.__name__, error=str(error))
            except Exception:  # noqa: BLE001 - one step's fault must not keep the others from running
                _log.exception("sweep failed", step=step.__name__)

    async def delete_expired(self) -> int:
        """Delete the files whose life is over; return how many. The file goes first, then the row says so."""
        parts, deleted = self._parts, 0
        while True:
            expired = await parts.database.read(
                partial(assets.expired_assets, now_ms=parts.clock_ms(), limit=BATCH), scan=True
            )
            for asset in expired:
                await self._delete(asset)
            deleted += len(expired)
            if len(expired) < BATCH:
                return deleted

    async def _delete(self, asset: Asset) -> None:
        parts = self._parts
        await parts.storage.delete(asset.storage_key)
        parts.crash.reach(CrashPoint.SWEEP_AFTER_FILE_DELETED)
        await parts.database.transact(lambda tx: assets.mark_deleted(tx, asset_id=asset.id, now_ms=parts.clock_ms()))

    async def _forget_idempotency(self) -> None:
        before_ms = self._parts.clock_ms() - IDEMPOTENCY_MS
        await self._parts.database.transact(lambda tx: tasks.clear_idempotency(tx, accepted_before_ms=before_ms))

    async def _recount(self) -> None:
        drifts = await self._parts.database.transact(limits.recount_slots)
        if drifts:
            _log.error("slot counters had drifted and were mended", drifts=drifts)

    async def _report_overdue(self) -> None:
        """Re-wake rows long past their time: the belt beside the braces, and it reports what it found."""
        before_ms = self._parts.clock_ms() - OVERDUE_MS
        overdue = await self._parts.database.read(
            lambda reader: tasks.overdue_tasks(reader, before_ms=before_ms, limit=BATCH), scan=True
        )
        if overdue:
            _log.warning("tasks are overdue", count=len(overdue), first=overdue[0])
            self._wake()

    async def _end_homeless(self) -> None:
        """Tell of jobs at backends that are not configured any more, and end their tasks when their time is over."""
        parts = self._parts
        names = await parts.database.read(polls.backends_with_open_polls, scan=True)
        for name in sorted(name for name in names if parts.backends.get(name) is None):
            _log.error("jobs wait for a backend that is not configured: put it back until they have ended", name=name)
            late = await parts.database.read(
                partial(polls.due_polls, backend=name, now_ms=parts.clock_ms(), limit=BATCH), scan=True
            )
            for poll in late:
                if poll.deadline_at_ms <= parts.clock_ms():
                    await self._advance(poll.task_id)

    async def _watch(self) -> None:
        late = await watch_abandoned(self._parts)
        if late:
            _log.error("paid films came after their tasks had ended: see `understudy attempts --late`", count=late)

    async def _tidy(self) -> None:
        await self._parts.storage.clean_parts()
        oldest = time.time() - STALE_WORK_SECONDS
        for path in await asyncio.to_thread(lambda: tuple(self._parts.work_dir.iterdir())):
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
