"""The one way to ask for the time: Unix milliseconds, UTC."""

import time
from collections.abc import Callable

ClockMs = Callable[[], int]
"""Returns the time as Unix milliseconds. Passed in everywhere, so that a test can move it."""


def system_clock_ms() -> int:
    """Return this machine's time."""
    return time.time_ns() // 1_000_000
