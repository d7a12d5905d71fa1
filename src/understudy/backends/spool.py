"""A JSON answer with a film in it: too long for memory, so it is read from a file, and the film unpacked from there.

`read_spool` parses all of it but its long texts, for each of which it gives the place in the file; `write_film` takes
such a place, or a text that is short enough to have come in an ordinary answer.
"""

import binascii
import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from understudy.backends.http import MAX_BODY_BYTES

SPOOL_BYTES: Final = 256 * 1024**2
"""Most of an answer that holds a film: twelve seconds of 1080p are some 40 MB as base64."""
LONG_BYTES: Final = 64 * 1024
"""A text of more than so many bytes, its quotation marks included, is left in the file."""

_PIECE: Final = 1024**2
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def read_spool(spool: Path) -> dict[str, Any]:
    """Return the JSON object in a file, each long text replaced by its place in it, `@FIRST:LAST`.

    Raises `ValueError` for what is no object, more than `SPOOL_BYTES`, or more than 4 MiB without its long texts, and
    `OSError`.
    """
    if not 0 < spool.stat().st_size <= SPOOL_BYTES:
        raise ValueError(f"it is empty or longer than {SPOOL_BYTES} bytes")
    with spool.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        places = [found.span() for found in _STRING.finditer(view) if found.end() - found.start() > LONG_BYTES]
        if len(view) - sum(last - first for first, last in places) > MAX_BODY_BYTES:
            raise ValueError("it is not one long text but many")
        pieces, at = [], 0
        for first, last in places:
            pieces += [view[at:first], b'"@%d:%d"' % (first + 1, last - 1)]
            at = last
        value = orjson.loads(b"".join([*pieces, view[at:]]))
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - a wrong value from outside, not a wrong call
    return value


def write_film(data: str, spool: Path, destination: Path, limit: int) -> None:
    """Write the film that `data` is as base64, or whose place in `spool` it names; whole or not at all.

    Raises `ValueError` for what is no base64 or makes more than `limit` bytes, and `OSError`.
    """
    part = destination.with_name(destination.name + ".part")
    try:
        with part.open("wb") as file:
            for piece in _decoded(_pieces(spool, data) if data.startswith("@") else [data.encode()]):
                file.write(piece)
                if file.tell() > limit:
                    raise ValueError(f"it has more than {limit} bytes")
        part.replace(destination)
    finally:
        part.unlink(missing_ok=True)


def _pieces(spool: Path, place: str) -> Iterator[bytes]:
    """Yield a JSON string's text piece by piece, its escapes undone (a slash and "=" may be escaped)."""
    first, last = (int(number) for number in place.removeprefix("@").split(":"))
    rest = b""
    with spool.open("rb") as file:
        file.seek(first)
        while (left := last - file.tell()) > 0:
            fresh = file.read(min(_PIECE, left))
            if not fresh:
                # The answer itself held a text that looks like a place.
                raise ValueError("its place is beyond the answer")
            piece = rest + fresh
            # An escape of six characters at most may go on in the next piece.
            cut = piece.rfind(b"\\", -5) if file.tell() < last else -1
            piece, rest = (piece, b"") if cut < 0 else (piece[:cut], piece[cut:])
            yield orjson.loads(b'"' + piece + b'"').encode()


def _decoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of base64 that comes in pieces (RFC 4648 §4)."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        whole = len(text) - len(text) % 4
        rest = text[whole:]
        yield binascii.a2b_base64(text[:whole], strict_mode=True)
    if rest:
        raise ValueError("its base64 breaks off")
