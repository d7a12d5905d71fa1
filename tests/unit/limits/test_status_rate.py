"""The status bucket: GCRA in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.domain.errors import RateLimited
from understudy.domain.ids import KeyId
from understudy.limits.rate import StatusRate, headers

KEY = KeyId("key_1")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


def admitted(rate: StatusRate, calls: int, *, per_minute: int, key: KeyId = KEY) -> int:
    count = 0
    for _ in range(calls):
        try:
            rate.take(key, per_minute=per_minute)
        except RateLimited:
            continue
        count += 1
    return count


def test_a_full_bucket_admits_exactly_one_minutes_worth() -> None:
    assert admitted(StatusRate(clock_ms=Clock()), 1000, per_minute=600) == 600


def test_the_refusal_tells_exactly_how_long_to_wait() -> None:
    clock = Clock()
    rate = StatusRate(clock_ms=clock)
    admitted(rate, 60, per_minute=60)

    with pytest.raises(RateLimited) as caught:
        rate.take(KEY, per_minute=60)
    clock.now_ms += caught.value.retry_after * 1000 - 1
    assert admitted(rate, 1, per_minute=60) == 0
    clock.now_ms += 1
    assert admitted(rate, 1, per_minute=60) == 1


def test_keys_do_not_share_a_bucket() -> None:
    rate = StatusRate(clock_ms=Clock())
    admitted(rate, 600, per_minute=600)

    assert admitted(rate, 600, per_minute=600, key=KeyId("key_2")) == 600


def test_a_clock_set_back_does_not_lock_a_caller_out() -> None:
    clock = Clock()
    rate = StatusRate(clock_ms=clock)
    admitted(rate, 60, per_minute=60)
    clock.now_ms -= 3_600_000

    assert admitted(rate, 60, per_minute=60) == 60


def test_the_headers_name_quota_window_and_what_is_left() -> None:
    state = StatusRate(clock_ms=Clock()).take(KEY, per_minute=600)

    assert headers(state) == {"RateLimit-Policy": '"status";q=600;w=60', "RateLimit": '"status";r=599;t=1'}


@given(per_minute=st.integers(1, 500), gaps_ms=st.lists(st.integers(0, 5_000), max_size=200))
def test_no_stretch_of_time_admits_more_than_a_bucket_and_its_refill(per_minute: int, gaps_ms: list[int]) -> None:
    clock = Clock()
    rate = StatusRate(clock_ms=clock)
    times = []
    for gap in gaps_ms:
        clock.now_ms += gap
        if admitted(rate, 1, per_minute=per_minute):
            times.append(clock.now_ms)

    for index, start in enumerate(times):
        for count, end in enumerate(times[index:], start=1):
            assert count <= per_minute + (end - start) * per_minute / 60_000 + 1e-6
