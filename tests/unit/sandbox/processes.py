"""Asking the kernel who lives."""

import asyncio
import os
import time
from pathlib import Path


def parent_and_state(pid: int) -> tuple[int, str] | None:
    """Return the parent's pid and the state letter (Z is a zombie), None if there is no such process."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(parent), state


def exists(pid: int) -> bool:
    """Tell whether the process lives or is still to be reaped."""
    return parent_and_state(pid) is not None


def our_children() -> set[int]:
    """Return the pids of this process's children, zombies included."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {pid for pid in pids if (found := parent_and_state(pid)) is not None and found[0] == os.getpid()}


def open_descriptors() -> int:
    """Return how many files and pipes this process holds open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def gone(pid: int, *, within_seconds: float = 5) -> bool:
    """Tell whether the process ends within that time, or is a zombie that somebody else is to reap."""
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        found = parent_and_state(pid)
        if found is None or found[1] == "Z":
            return True
        time.sleep(0.02)
    return False


def told(file: Path) -> int | None:
    """Return the pid that a child wrote into `file`, None if it has not yet."""
    return int(text) if file.exists() and (text := file.read_text()) else None


async def pid_in(file: Path) -> int:
    """Wait until a child has told its pid."""
    for _ in range(500):
        if (pid := told(file)) is not None:
            return pid
        await asyncio.sleep(0.02)
    raise AssertionError("the child never started")
