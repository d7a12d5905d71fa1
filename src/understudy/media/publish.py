"""Writing a file so that it is seen whole or not at all, also after a power cut."""

import os
from pathlib import Path


def part_of(destination: Path) -> Path:
    """Return the name under which `destination` is written; a killed child leaves it behind."""
    return destination.with_name(destination.name + ".part")


def publish(destination: Path, data: bytes | memoryview) -> None:
    """Write `data` to `destination`, replacing what was there."""
    part = part_of(destination)
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _replace(part, destination)


def publish_part(destination: Path) -> None:
    """Make what was written to `part_of(destination)` the file at `destination`, replacing what was there."""
    part = part_of(destination)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    _replace(part, destination)


def _replace(part: Path, destination: Path) -> None:
    part.replace(destination)
    folder = os.open(destination.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the name may be lost although the bytes are not
    finally:
        os.close(folder)
