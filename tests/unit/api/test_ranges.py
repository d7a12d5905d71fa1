"""Reading `Range` (RFC 9110 §14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.api.errors import RangeNotSatisfiable
from understudy.api.ranges import ByteRange, parse_range

sizes = st.integers(min_value=1, max_value=10**12)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=0-499", (0, 499)),
        ("bytes=500-999", (500, 999)),
        ("bytes=500-", (500, 999)),
        ("bytes=-1", (999, 999)),
        ("bytes=-5000", (0, 999)),
        ("bytes=0-5000", (0, 999)),
        ("Bytes=0-1", (0, 1)),
        ("bytes= 0-1 ,", (0, 1)),
        ("bytes=0-99999999999999999999999999", (0, 999)),
    ],
)
def test_a_range_of_a_thousand_bytes(header: str, expected: tuple[int, int]) -> None:
    assert parse_range(header, 1000) == ByteRange(*expected)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=99999999999999999999-"])
def test_a_range_outside_the_file_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        parse_range(header, 1000)

    assert caught.value.size == 1000


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0 - 1", "bytes=0x1-2", "bytes=+1-2",
     "bytes=\u0661-\u0662", "lines=0-1", "bytes 0-1", "bytes=0-1\n", "bytes=1-2-3"],
)  # fmt: skip
def test_what_is_no_range_of_bytes_is_ignored(header: str) -> None:
    assert parse_range(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=0-0,2-2", "bytes=0-,0-,0-", "bytes=0-1, 9999-"])
def test_several_ranges_are_ignored(header: str) -> None:
    assert parse_range(header, 1000) is None


def test_a_header_longer_than_any_real_one_is_ignored() -> None:
    assert parse_range("bytes=0-" + "9" * 5000, 1000) is None


@given(st.text(max_size=300), sizes)
def test_any_text_is_a_range_within_the_file_or_ignored_or_refused(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        try:
            found = parse_range(text, size)
        except RangeNotSatisfiable:
            continue
        assert found is None or 0 <= found.first <= found.last < size


@given(sizes, st.data())
def test_every_part_of_a_file_can_be_asked_for(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    part = ByteRange(first, last)

    assert parse_range(f"bytes={first}-{last}", size) == part
    assert part.content_range(size) == f"bytes {first}-{last}/{size}"
    assert part.length == last - first + 1


@given(sizes, st.integers(min_value=1, max_value=10**13))
def test_a_suffix_is_the_end_of_the_file(size: int, suffix: int) -> None:
    assert parse_range(f"bytes=-{suffix}", size) == ByteRange(max(0, size - suffix), size - 1)
