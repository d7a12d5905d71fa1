"""Reading `Retry-After` (RFC 9110 §10.2.3): whole seconds, or an HTTP date."""

from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_SECONDS = 10 * 366 * 86_400


def parse_retry_after(value: str | None, now_s: float) -> int | None:
    """Return the wait in seconds, 0 for a date that has passed, at most ten years; None if absent or garbage.

    `now_s` is the Unix time of the answer.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return MAX_SECONDS if len(text) > 10 else min(int(text), MAX_SECONDS)
    try:
        at = parsedate_to_datetime(text)
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_s
    except (ValueError, OverflowError):
        return None
    return min(max(0, round(seconds)), MAX_SECONDS)
