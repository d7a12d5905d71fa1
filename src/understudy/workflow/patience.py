"""Counts what went wrong with one task in a row, in this process: a restart forgives."""

MOST = 100_000


class Patience:
    """A counter for each of the many things that may be tried again a few times."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def lose(self, what: str, row_id: str) -> int:
        """Count one more failure of `what` for a row; return how many there were in a row."""
        if len(self._counts) >= MOST:
            # Rows whose end nobody told: the oldest go, so that a long life costs no memory.
            del self._counts[next(iter(self._counts))]
        self._counts[what, row_id] = count = self._counts.pop((what, row_id), 0) + 1
        return count

    def regain(self, what: str, row_id: str) -> None:
        """Forget the failures of `what`: it went well, or it is over."""
        self._counts.pop((what, row_id), None)
