"""Two kinds of work at once: one thread makes things, another takes them, and only a few wait in between."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Mark:
    """Stands in the queue for something other than an item."""


_END: Final = _Mark()
_ABANDONED: Final = _Mark()

_LOOK_UP_SECONDS = 0.2
"""How long a maker blocked by a full queue waits before it looks whether its taker still lives."""


class _AbandonedError(Exception):
    """The maker failed; the taker must not finish as if the items had ended."""


def overlapped(items: Iterable[T], consume: Callable[[Iterator[T]], R], *, ahead: int) -> R:
    """Iterate `items` in this thread while `consume` takes them in another; return what it returns.

    At most `ahead` items wait between the two, so that a fast maker does not fill the memory. What either side raises
    is raised here, after the other has stopped: no thread outlives the call.
    """
    waiting: Queue[T | _Mark] = Queue(maxsize=ahead)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="overlapped") as pool:
        result = pool.submit(consume, _taken(waiting))
        ending = _ABANDONED
        try:
            for item in items:
                if not _put(waiting, item, result):
                    break
            ending = _END
        finally:
            _put(waiting, ending, result)
        return result.result()


def _put(waiting: "Queue[T | _Mark]", item: T | _Mark, result: "Future[R]") -> bool:
    """Queue `item`; return False when nobody will take it any more."""
    while not result.done():
        try:
            waiting.put(item, timeout=_LOOK_UP_SECONDS)
        except Full:
            continue
        return True
    return False


def _taken(waiting: "Queue[T | _Mark]") -> Iterator[T]:
    while True:
        item = waiting.get()
        if item is _ABANDONED:
            raise _AbandonedError
        if isinstance(item, _Mark):
            return
        yield item
