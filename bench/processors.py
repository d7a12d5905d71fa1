"""Which processors the machine lends us, and who runs where."""

import os
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seats:
    """The processors of the server and those of the load generator; apart where there are two or more."""

    server: frozenset[int]
    load: frozenset[int]


def available() -> frozenset[int]:
    """Return the processors this process may use; empty where the system does not tell (macOS)."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def count() -> int:
    """Return how many processors there are to use."""
    return len(available()) or os.cpu_count() or 1


def seats() -> Seats:
    """Give the load generator the last processor, and the server all others."""
    all_ = sorted(available())
    if len(all_) < 2:
        return Seats(frozenset(), frozenset())
    return Seats(frozenset(all_[:-1]), frozenset(all_[-1:]))


def pin(pid: int, cpus: Collection[int]) -> None:
    """Bind a process (0: this one) and the threads it will start to `cpus`; nothing happens when none is named."""
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, cpus)
