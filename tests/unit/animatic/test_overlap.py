import threading
from collections.abc import Iterator

import pytest

from understudy.animatic.overlap import overlapped


def test_everything_made_is_taken_in_order() -> None:
    assert overlapped(range(100), list, ahead=3) == list(range(100))


def test_making_and_taking_happen_in_two_threads() -> None:
    def taker(items: Iterator[int]) -> int:
        list(items)
        return threading.get_ident()

    assert overlapped(range(3), taker, ahead=1) != threading.get_ident()


def test_no_more_than_ahead_items_wait() -> None:
    made = 0
    most = 0

    def maker() -> Iterator[int]:
        nonlocal made
        for item in range(50):
            made += 1
            yield item

    def taker(items: Iterator[int]) -> None:
        nonlocal most
        for item in items:
            most = max(most, made - item - 1)

    overlapped(maker(), taker, ahead=4)

    # Four in the queue and one in the maker's hand.
    assert 1 <= most <= 5


def test_what_the_maker_raises_is_raised_and_the_taker_does_not_finish() -> None:
    finished = []

    def maker() -> Iterator[int]:
        yield 1
        raise LookupError("no more paint")

    def taker(items: Iterator[int]) -> None:
        finished.append(sum(items))

    with pytest.raises(LookupError, match="no more paint"):
        overlapped(maker(), taker, ahead=2)

    assert finished == []


def test_what_the_taker_raises_is_raised_and_the_maker_stops() -> None:
    made = []

    def maker() -> Iterator[int]:
        for item in range(10_000):
            made.append(item)
            yield item

    def taker(items: Iterator[int]) -> None:
        next(items)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        overlapped(maker(), taker, ahead=2)

    assert len(made) < 10


def test_a_taker_content_with_less_ends_it() -> None:
    assert overlapped(range(1000), next, ahead=2) == 0


@pytest.mark.parametrize("fails", [True, False])
def test_no_thread_outlives_the_call(fails: bool) -> None:
    def taker(items: Iterator[int]) -> None:
        if fails:
            raise ValueError("no")
        list(items)

    before = threading.active_count()
    try:
        overlapped(range(20), taker, ahead=2)
    except ValueError:
        assert fails

    assert threading.active_count() == before
