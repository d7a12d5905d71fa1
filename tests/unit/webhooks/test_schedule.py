"""When a callback is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.webhooks.schedule import next_attempt_at
from understudy.webhooks.sender import SendResult

DEFAULT = (30, 120, 600)
NOW = 1_800_000_000_000
FAILED = SendResult(delivered=False, status=500, error=None, elapsed_ms=1)


def delay_seconds(
    attempt_number: int, *, jitter: float = 0, retry_after: int | None = None, status: int = 500
) -> float:
    """Return the delay after a failed attempt."""
    result = SendResult(
        delivered=False, status=status, error=None, elapsed_ms=1, retry_after_seconds=retry_after, gone=status == 410
    )
    due = next_attempt_at(
        attempt_number=attempt_number, now_ms=NOW, retry_seconds=DEFAULT, jitter=jitter, result=result
    )
    assert due is not None
    return (due - NOW) / 1000


def test_the_first_attempt_is_due_at_once() -> None:
    assert next_attempt_at(attempt_number=0, now_ms=NOW, retry_seconds=DEFAULT, jitter=0.2) == NOW


def test_three_retries_follow_after_30_seconds_2_minutes_and_10_minutes() -> None:
    assert [delay_seconds(number) for number in (1, 2, 3)] == [30, 120, 600]


def test_jitter_moves_a_retry_by_at_most_a_fifth() -> None:
    assert [delay_seconds(number, jitter=-0.2) for number in (1, 2, 3)] == [24, 96, 480]
    assert [delay_seconds(number, jitter=0.2) for number in (1, 2, 3)] == [36, 144, 720]


def test_after_the_last_retry_there_is_none() -> None:
    assert next_attempt_at(attempt_number=4, now_ms=NOW, retry_seconds=DEFAULT, jitter=0, result=FAILED) is None
    assert next_attempt_at(attempt_number=1, now_ms=NOW, retry_seconds=(), jitter=0, result=FAILED) is None


def test_a_success_ends_the_schedule() -> None:
    delivered = SendResult(delivered=True, status=204, error=None, elapsed_ms=1)

    assert next_attempt_at(attempt_number=1, now_ms=NOW, retry_seconds=DEFAULT, jitter=0, result=delivered) is None


def test_gone_ends_the_schedule() -> None:
    gone = SendResult(delivered=False, status=410, error=None, elapsed_ms=1, gone=True, retry_after_seconds=60)

    assert next_attempt_at(attempt_number=1, now_ms=NOW, retry_seconds=DEFAULT, jitter=0, result=gone) is None


def test_an_attempt_without_any_answer_is_retried_like_a_failed_one() -> None:
    timeout = SendResult(delivered=False, status=None, error="timeout", elapsed_ms=30_000)

    for result in (timeout, None):  # None: the process died before it knew
        due = next_attempt_at(attempt_number=1, now_ms=NOW, retry_seconds=DEFAULT, jitter=0, result=result)
        assert due == NOW + 30_000


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(0, 30), (1, 30), (30, 30), (45, 45), (60, 60), (61, 60), (316_224_000, 60)]
)
def test_retry_after_lengthens_a_delay_to_at_most_twice(retry_after: int, seconds: float) -> None:
    assert delay_seconds(1, retry_after=retry_after, status=429) == seconds


def test_retry_after_never_shortens_a_delay() -> None:
    assert delay_seconds(1, jitter=0.2, retry_after=31) == 36
    assert delay_seconds(1, jitter=-0.2, retry_after=1) == 30


@pytest.mark.parametrize("jitter", [-0.21, 0.21, float("nan")])
def test_a_jitter_out_of_range_is_refused(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter"):
        next_attempt_at(attempt_number=1, now_ms=NOW, retry_seconds=DEFAULT, jitter=jitter, result=FAILED)


def test_a_negative_attempt_number_is_refused() -> None:
    with pytest.raises(ValueError, match="attempt_number"):
        next_attempt_at(attempt_number=-1, now_ms=NOW, retry_seconds=DEFAULT, jitter=0, result=FAILED)


@given(
    st.lists(st.integers(0, 86_400), max_size=10).map(tuple),
    st.floats(-0.2, 0.2),
    st.none() | st.integers(0, 10**9),
)
def test_any_schedule_ends_after_its_retries_and_keeps_each_within_bounds(
    retry_seconds: tuple[int, ...], jitter: float, retry_after: int | None
) -> None:
    result = SendResult(delivered=False, status=503, error=None, elapsed_ms=1, retry_after_seconds=retry_after)
    for number, base in enumerate(retry_seconds, 1):
        due = next_attempt_at(
            attempt_number=number, now_ms=NOW, retry_seconds=retry_seconds, jitter=jitter, result=result
        )
        assert due is not None
        assert 0.8 * base * 1000 - 1 <= due - NOW <= 2 * base * 1000

    after_last = len(retry_seconds) + 1
    assert (
        next_attempt_at(
            attempt_number=after_last, now_ms=NOW, retry_seconds=retry_seconds, jitter=jitter, result=result
        )
        is None
    )
