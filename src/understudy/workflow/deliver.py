"""One attempt at telling a callback that its task ended; what is known of it is in the delivery's row."""

import random

import structlog

from understudy.db import deliveries
from understudy.db.base import Tx
from understudy.domain.ids import DeliveryId
from understudy.domain.records import Delivery, DeliveryAttempt, DeliveryState
from understudy.webhooks.schedule import next_attempt_at
from understudy.webhooks.sender import SendResult, send
from understudy.webhooks.signing import SECRET_VERSION, derive_secret
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.parts import Parts

JITTER = 0.2

_log = structlog.get_logger(__name__)


class Courier:
    """Sends deliveries that are due."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._random = random.SystemRandom()

    async def deliver(self, delivery_id: DeliveryId) -> None:
        """Make the attempt that is due, if one is. A crash after sending sends the same bytes once more.

        Raises `Unavailable` when the database is away.
        """
        parts = self._parts
        delivery = await parts.database.read(lambda reader: deliveries.get_delivery(reader, delivery_id=delivery_id))
        now_ms = parts.clock_ms()
        if delivery is None or delivery.next_at_ms is None or delivery.next_at_ms > now_ms:
            return
        parts.crash.reach(CrashPoint.DELIVER_BEFORE_SEND)
        secret = derive_secret(parts.webhook_root, delivery.key_id, SECRET_VERSION)
        result = await send(parts.outbound, delivery, secret=secret, now_s=now_ms // 1000)
        parts.crash.reach(CrashPoint.DELIVER_AFTER_SEND)
        await self._record(delivery, result, started_at_ms=now_ms)
        parts.crash.reach(CrashPoint.DELIVER_AFTER_COMMIT)

    async def _record(self, delivery: Delivery, result: SendResult, *, started_at_ms: int) -> None:
        attempt = DeliveryAttempt(
            delivery_id=delivery.id,
            number=delivery.attempts + 1,
            started_at_ms=started_at_ms,
            elapsed_ms=result.elapsed_ms,
            status=result.status,
            error=result.error,
            excerpt=result.excerpt,
        )
        state, next_at_ms = DeliveryState.DELIVERED, None
        if not result.delivered:
            next_at_ms = next_attempt_at(
                attempt_number=attempt.number,
                now_ms=self._parts.clock_ms(),
                retry_seconds=self._parts.callback_retry_seconds,
                jitter=self._random.uniform(-JITTER, JITTER),
                result=result,
            )
            state = DeliveryState.EXHAUSTED if next_at_ms is None else DeliveryState.PENDING

        async def commit(tx: Tx) -> None:
            await deliveries.record_attempt(tx, attempt, state=state, next_at_ms=next_at_ms)

        await self._parts.database.transact(commit)
        _log.info(
            "callback attempted",
            task_id=delivery.task_id,
            delivery_id=delivery.id,
            attempt=attempt.number,
            state=state.value,
            status=result.status,
            error=result.error,
        )
