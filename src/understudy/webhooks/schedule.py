"""When to try a callback again (`contract.md` §4): pure, so that a virtual clock can test it."""

from understudy.webhooks.sender import SendResult

MAX_JITTER = 0.2


def next_attempt_at(
    *,
    attempt_number: int,
    now_ms: int,
    retry_seconds: tuple[int, ...],
    jitter: float,
    result: SendResult | None = None,
) -> int | None:
    """Return when the attempt after `attempt_number` is due, in Unix milliseconds; None if there is none.

    `attempt_number` counts the attempts made, so 0 asks for the first one, which is due at once. After attempt n the
    delay is the n-th of `retry_seconds`, counted from `now_ms`, when `result` was known. `jitter`, from -0.2 to 0.2,
    is the share of the delay to add: it parts the retries of deliveries that failed together. A `Retry-After` in the
    answer lengthens the delay to at most twice its value and never shortens it.

    A success, a 410 and the end of `retry_seconds` end the schedule. Raises `ValueError` for a jitter or a number
    outside its range.
    """
    if not -MAX_JITTER <= jitter <= MAX_JITTER:
        raise ValueError(f"jitter must be from {-MAX_JITTER} to {MAX_JITTER}")
    if attempt_number < 0:
        raise ValueError("attempt_number must not be negative")
    if attempt_number == 0:
        return now_ms
    if attempt_number > len(retry_seconds) or (result is not None and (result.delivered or result.gone)):
        return None
    base_ms = retry_seconds[attempt_number - 1] * 1000
    delay_ms = round(base_ms * (1 + jitter))
    if result is not None and result.retry_after_seconds is not None:
        wished_ms = min(max(result.retry_after_seconds * 1000, base_ms), 2 * base_ms)
        delay_ms = max(delay_ms, wished_ms)
    return now_ms + delay_ms
