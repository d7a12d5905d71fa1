"""Reading `Retry-After`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.outbound.retry_after import MAX_SECONDS, parse_retry_after

NOON = 1_800_014_400  # Fri, 15 Jan 2027 12:00:00 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("30", 30),
        (" 30 ", 30),
        ("Fri, 15 Jan 2027 12:02:00 GMT", 120),
        ("Fri, 15 Jan 2027 11:00:00 GMT", 0),
        ("Fri, 15 Jan 2027 12:02:00 -0000", 120),
        ("Fri, 01 Jan 9999 00:00:00 GMT", MAX_SECONDS),
        ("٣٠", None),
        ("", None),
        ("Fri, 99 Jan 2027 12:02:00 GMT", None),
    ],
)
def test_whole_seconds_and_http_dates_are_read(value: str | None, seconds: int | None) -> None:
    assert parse_retry_after(value, NOON) == seconds


@given(
    st.one_of(
        st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d( GMT| [+-]\d{4,6})?")
    )
)
def test_no_header_makes_the_reading_raise(value: str) -> None:
    seconds = parse_retry_after(value, NOON)

    assert seconds is None or 0 <= seconds <= MAX_SECONDS
