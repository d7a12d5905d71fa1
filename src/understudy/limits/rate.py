"""Requests a minute, per key: GCRA, a bucket that fills evenly and holds one minute's worth (`reliability.md` §4).

It never refuses a caller who stays within the quota in every 60 seconds, its memory is one number, and its
`Retry-After` is exact.
"""

import math
from collections.abc import Callable, Mapping

from understudy.db import limits as rows
from understudy.db.base import Tx
from understudy.domain.errors import RateLimited, RateState
from understudy.domain.ids import KeyId

WINDOW_SECONDS = 60
LOCAL_BUCKETS = 50_000


def headers(state: RateState) -> Mapping[str, str]:
    """Return the `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10) for a bucket."""
    return {
        "RateLimit-Policy": f'"{state.name}";q={state.quota};w={state.window_seconds}',
        "RateLimit": f'"{state.name}";r={state.remaining};t={state.reset_seconds}',
    }


def refusal(state: RateState, *, retry_after: int, what: str) -> RateLimited:
    """Return the 429 that names this limit."""
    return RateLimited(
        f"Rate limit exceeded: at most {state.quota} {what} per minute for this key",
        retry_after=max(1, retry_after),
        state=state,
    )


async def take_submit(tx: Tx, *, key_id: KeyId, per_minute: int, now_ms: int) -> tuple[RateState, int | None]:
    """Take one submit from the key's stored bucket, in the transaction of the submit itself.

    Returns how the bucket stands, and None or the seconds to wait. Exact over processes: the bucket is a row.
    """
    outcome = await rows.take_rate_token(tx, bucket=f"submit:{key_id}", per_minute=per_minute, now_ms=now_ms)
    state = RateState("submit", per_minute, WINDOW_SECONDS, outcome.remaining, math.ceil(outcome.reset_ms / 1000))
    return state, None if outcome.allowed else math.ceil(outcome.retry_after_ms / 1000)


class StatusRate:
    """The status bucket, kept in memory: a durable write for every read would cost more than the read.

    It is exact in one process; over several, each process has its own (`contract.md` §6 asks exactness of the
    submit and concurrency limits).
    """

    def __init__(self, *, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._theoretical_arrival_ms: dict[KeyId, float] = {}

    def take(self, key_id: KeyId, *, per_minute: int) -> RateState:
        """Take one status read; return how the bucket stands. Raises `RateLimited`."""
        now = float(self._clock_ms())
        window = WINDOW_SECONDS * 1000.0
        cost = window / per_minute
        arrival = self._theoretical_arrival_ms.get(key_id, now)
        # Further ahead than a full bucket can be: the clock was set back, and the caller must not pay for it.
        base = now if arrival > now + window + cost else max(arrival, now)
        allowed = base + cost - now <= window + 1e-6
        after = base + cost if allowed else base
        state = RateState(
            "status",
            per_minute,
            WINDOW_SECONDS,
            max(0, int((window - (after - now)) / cost + 1e-9)),
            math.ceil((after - now) / 1000),
        )
        if not allowed:
            raise refusal(state, retry_after=math.ceil((base + cost - window - now) / 1000), what="status requests")
        if len(self._theoretical_arrival_ms) >= LOCAL_BUCKETS:
            self._forget_full_buckets(now)
        self._theoretical_arrival_ms[key_id] = after
        return state

    def _forget_full_buckets(self, now: float) -> None:
        self._theoretical_arrival_ms = {key: at for key, at in self._theoretical_arrival_ms.items() if at > now}
