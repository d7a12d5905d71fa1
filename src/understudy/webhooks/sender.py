"""One POST of a finished task to its callback."""

import time
from dataclasses import dataclass

from understudy.domain.records import Delivery
from understudy.outbound.client import OutboundClient
from understudy.outbound.errors import PostFailed
from understudy.webhooks.signing import sign

ANSWER_SECONDS = 30.0  # contract.md §4
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What became of one attempt.

    `status` is None when there was no HTTP answer; `error` then is one of the words of `outbound.errors.ErrorClass`.
    `excerpt` holds at most the first 1024 bytes of the answer. `gone` tells that the receiver wants no more (410).
    """

    delivered: bool
    status: int | None
    error: str | None
    elapsed_ms: int
    excerpt: bytes = b""
    retry_after_seconds: int | None = None
    gone: bool = False


async def send(
    client: OutboundClient,
    delivery: Delivery,
    *,
    secret: str,
    now_s: int,
    answer_seconds: float = ANSWER_SECONDS,
) -> SendResult:
    """Send the frozen body of `delivery` once, signed for `now_s` in Unix seconds; any 2xx in time delivers it.

    Never raises for what the receiver does. Raises `ValueError` for a secret or an id that `sign` refuses.
    """
    headers = sign(secret=secret, message_id=delivery.id, timestamp=now_s, body=delivery.body)
    headers["content-type"] = "application/json"
    started = time.monotonic()
    try:
        answer = await client.post(delivery.url, body=delivery.body, headers=headers, total_seconds=answer_seconds)
    except PostFailed as error:
        elapsed_ms = round((time.monotonic() - started) * 1000)
        return SendResult(delivered=False, status=None, error=str(error.error_class), elapsed_ms=elapsed_ms)
    return SendResult(
        delivered=200 <= answer.status <= 299,
        status=answer.status,
        error=None,
        elapsed_ms=answer.elapsed_ms,
        excerpt=answer.excerpt,
        retry_after_seconds=answer.retry_after_seconds,
        gone=answer.status == GONE,
    )
