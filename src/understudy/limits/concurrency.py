"""Tasks at once, per key: one atomic counter, taken in the transaction that inserts the task.

Counting the open tasks and then inserting let 60 through a limit of 10 (`reliability.md` §0, fact 3).
"""

from understudy.domain.errors import ConcurrencyLimited, RateState

RETRY_AFTER_SECONDS = 5


def refusal(limit: int, state: RateState) -> ConcurrencyLimited:
    """Return the 429 that names this limit; when a task will end is a guess, so the wait is one poll."""
    return ConcurrencyLimited(
        f"Concurrency limit exceeded: at most {limit} tasks at once for this key",
        retry_after=RETRY_AFTER_SECONDS,
        state=state,
    )
