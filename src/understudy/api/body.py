"""Reading a JSON request body: what type it says it is, and no more bytes or seconds than allowed."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from starlette.types import Receive

from understudy.api.errors import BodyTimeout
from understudy.api.guard import ClientGone
from understudy.domain.errors import BodyTooLarge, UnsupportedMediaType

MAX_BODY_BYTES: Final = 1024 * 1024
BODY_SECONDS: Final = 30.0

# A client that is still sending when the connection closes gets a reset and may never see the 413, so a body that is
# a little too large is read to its end and thrown away.
DRAIN_BYTES: Final = 8 * 1024 * 1024
DRAIN_SECONDS: Final = 5.0

_PARAMETER = re.compile(r"""\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[!#$%&'*+.^_`|~0-9A-Za-z-]+)""")
_TOO_LARGE: Final = "The body must be at most 1 MiB"


def check_media_type(content_types: Sequence[bytes], content_encodings: Sequence[bytes]) -> None:
    """Raise `UnsupportedMediaType` unless the body says it is plain `application/json` in UTF-8."""
    if len(content_types) != 1 or not _is_json(content_types[0].decode("latin-1")):
        raise UnsupportedMediaType("Content-Type must be application/json, in UTF-8")
    # An unpacked body could be a thousand times larger than the cap.
    if any(value.strip().lower() not in {b"", b"identity"} for value in content_encodings):
        raise UnsupportedMediaType("Content-Encoding must be identity: send the body uncompressed")


def _is_json(content_type: str) -> bool:
    media_type, semicolon, rest = content_type.partition(";")
    if media_type.strip().lower() != "application/json":
        return False
    rest, position = semicolon + rest.rstrip(" \t;"), 0
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if match is None:
            return False
        if match[1].lower() == "charset" and match[2].strip('"').lower() not in {"utf-8", "utf8"}:
            return False
        position = match.end()
    return True


async def read_body(
    receive: Receive, *, content_length: int | None, expects_continue: bool, seconds: float = BODY_SECONDS
) -> bytes:
    """Return the whole body.

    Raises `BodyTooLarge` over 1 MiB, whatever `Content-Length` said; `BodyTimeout` if it is not whole after
    `seconds`; `ClientGone`.
    """
    if content_length is not None and content_length > MAX_BODY_BYTES:
        if not expects_continue:  # else it waits for our word and has sent nothing yet (RFC 9110 §10.1.1)
            await _drain(receive, content_length)
        raise BodyTooLarge(_TOO_LARGE)
    try:
        async with asyncio.timeout(seconds):
            return await _read_parts(receive)
    except TimeoutError:
        raise BodyTimeout(f"The body did not arrive within {seconds:g} seconds") from None


async def _read_parts(receive: Receive) -> bytes:
    body, more = await _next_part(receive)
    if not more and len(body) <= MAX_BODY_BYTES:
        return body
    whole = bytearray(body)
    while more and len(whole) <= MAX_BODY_BYTES:
        part, more = await _next_part(receive)
        whole += part
    if len(whole) > MAX_BODY_BYTES:
        if more:
            await _drain(receive, DRAIN_BYTES)
        raise BodyTooLarge(_TOO_LARGE)
    return bytes(whole)


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def _drain(receive: Receive, expected_bytes: int) -> None:
    """Throw away the rest of a body, unless it is so long or so slow that only closing helps."""
    if expected_bytes > DRAIN_BYTES:
        return
    size, more = 0, True
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while more and size <= DRAIN_BYTES:
                part, more = await _next_part(receive)
                size += len(part)
    except TimeoutError:
        return
