"""Reading a `Range` header (RFC 9110 §14). Pure."""

import re
from dataclasses import dataclass
from typing import Final

from understudy.api.errors import RangeNotSatisfiable

MAX_HEADER_CHARACTERS: Final = 200  # well below what Python refuses to read as a number

_RANGE = re.compile(r"(?:([0-9]+)-([0-9]*)|-([0-9]+))\Z")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both inclusive, counted from 0."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes it holds, at least 1."""
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        """Return the `Content-Range` of this part of a file of `size` bytes."""
        return f"bytes {self.first}-{self.last}/{size}"


def parse_range(header: str, size: int) -> ByteRange | None:
    """Return the range of a file of `size` bytes that a `Range` header asks for.

    None means that the header is to be ignored and the whole file sent: another unit, wrong syntax, or several
    ranges, which a server may decline (RFC 9110 §14.2) and which would let one small request ask for the same bytes
    many times. Raises `RangeNotSatisfiable` if the range lies outside the file.
    """
    unit, equals, ranges = header.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes" or len(header) > MAX_HEADER_CHARACTERS:
        return None
    # Empty list elements count for nothing (RFC 9110 §5.6.1.2).
    wanted = [part for part in (item.strip(" \t") for item in ranges.split(",")) if part]
    match = _RANGE.match(wanted[0]) if len(wanted) == 1 else None
    if match is None:
        return None
    if match[3] is not None:
        suffix = min(int(match[3]), size)
        first, last = size - suffix, size - 1
    else:
        first, last = int(match[1]), int(match[2]) if match[2] else size - 1
        if match[2] and last < first:
            return None  # a syntax error, not an unsatisfiable range
    if first >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(first, min(last, size - 1))
