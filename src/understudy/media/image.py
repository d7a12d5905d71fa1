"""Checking the image that a caller named, before any model sees it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.domain.errors import FailCode, TaskFailure
from understudy.media.in_child import cover_with, reencode
from understudy.media.publish import part_of
from understudy.sandbox.errors import ChildCrashed, ChildFailed, ChildOutOfMemory, ChildTimeout, Rejected
from understudy.sandbox.limits import MIB, Limits
from understudy.sandbox.runner import Sandbox

MEDIA_TYPE: Final = "image/jpeg"
"""Of what is written; whatever came in, it goes out as this."""

LIMITS: Final = Limits(memory_bytes=768 * MIB, cpu_seconds=20, wall_seconds=60, file_bytes=64 * MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedImage:
    """The image as it was written: upright, width and height in pixels.

    `format` tells what the caller's file was: JPEG, PNG or WEBP. `sha256` is in hexadecimal.
    """

    width: int
    height: int
    format: str
    size_bytes: int
    sha256: str


async def check_image(
    sandbox: Sandbox, data: bytes | Path, *, max_bytes: int, destination: Path, limits: Limits = LIMITS
) -> CheckedImage:
    """Check an image in a child process and write it anew, as a JPEG, at the absolute path `destination`.

    It must be a still JPEG, PNG or WebP of at most `max_bytes` bytes, 64, 40 or 25 megapixels and 12,000 pixels a
    side, at least 16 pixels a side, its longer side at most 20 times the shorter one. It is written upright, in sRGB,
    on grey where it was transparent, at most 2560 pixels on its longer side, whole or not at all. The folder must
    exist.

    Raises `TaskFailure`: `IMAGE_TOO_LARGE` for too many bytes or pixels and for an image that needs more memory than
    a child may have; `UNSUPPORTED_FORMAT` for everything else that is wrong with it, also when it crashes the decoder
    or keeps it busy too long. Raises `ChildRaised` or `SandboxClosed` when the fault is ours (a full disk, the end of
    the server): then the same call may well succeed later.
    """
    size = len(data) if isinstance(data, bytes) else (await asyncio.to_thread(data.stat)).st_size
    if size > max_bytes:
        raise TaskFailure(FailCode.IMAGE_TOO_LARGE, f"The image must be at most {max_bytes / MIB:g} MiB")
    async with _file_of(data, beside=destination) as source:
        try:
            arguments = {"source": str(source), "destination": str(destination)}
            facts = await sandbox.run(reencode, arguments, limits=limits)
        except (Rejected, ChildCrashed, ChildOutOfMemory, ChildTimeout) as error:
            raise _failure(error) from error
        finally:
            part_of(destination).unlink(missing_ok=True)
    return CheckedImage(**facts)


async def cover_image(sandbox: Sandbox, source: Path, destination: Path, *, width: int, height: int) -> None:
    """Write the JPEG at `source`, one that `check_image` wrote, as a JPEG of exactly `width` x `height` pixels.

    In a child process it is scaled to cover that size and cropped at its middle, so that nothing is stretched.
    Both paths are absolute; `destination` is written whole or not at all.

    Raises `SandboxError`: the image is ours, and so is every fault.
    """
    arguments = {"source": str(source), "destination": str(destination), "width": width, "height": height}
    try:
        await sandbox.run(cover_with, arguments, limits=LIMITS)
    finally:
        part_of(destination).unlink(missing_ok=True)


def _failure(error: Rejected | ChildFailed) -> TaskFailure:
    if isinstance(error, Rejected):
        return TaskFailure(FailCode(error.code), error.message)
    detail = f"{type(error).__name__}: {error}\n{error.stderr}".strip()
    if isinstance(error, ChildOutOfMemory):
        message = "The image needs too much memory to be opened: send a smaller one"
        return TaskFailure(FailCode.IMAGE_TOO_LARGE, message, detail=detail)
    message = "The image cannot be decoded: send an undamaged JPG, PNG or WebP"
    return TaskFailure(FailCode.UNSUPPORTED_FORMAT, message, detail=detail)


@asynccontextmanager
async def _file_of(data: bytes | Path, *, beside: Path) -> AsyncIterator[Path]:
    """Give the child a file to read: a pipe would have to be fed while a hanging decoder does not read."""
    if isinstance(data, Path):
        yield data
        return
    source = beside.with_name(beside.name + ".source.part")
    try:
        await asyncio.to_thread(_write_private, source, data)
        yield source
    finally:
        source.unlink(missing_ok=True)


def _write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
