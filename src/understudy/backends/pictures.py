"""A first frame on its way to a vendor: read from its file, written as a data URI."""

import asyncio
import base64
import sys
from pathlib import Path

from understudy.backends.base import BadInput, NotCreated


async def read_picture(picture: Path, *, most_bytes: int = sys.maxsize) -> bytes:
    """Return the JPEG of a first frame; `most_bytes` is what the vendor takes.

    Raises `NotCreated` if it cannot be read and `BadInput` if it is longer: both before anything is sent.
    """
    try:
        data = await asyncio.to_thread(picture.read_bytes)
    except OSError as error:
        raise NotCreated(f"the first frame cannot be read: {error.strerror}") from None
    if len(data) > most_bytes:
        raise BadInput(f"the first frame has {len(data)} bytes: at most {most_bytes} are taken")
    return data


def data_uri(jpeg: bytes) -> str:
    """Return a picture as an address that holds it (RFC 2397)."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
