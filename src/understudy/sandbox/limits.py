"""What a child process may use, and how much it may say."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
MAX_ANSWER_BYTES: Final = MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may use; all of it is set before the first line of the target is imported.

    `memory_bytes` counts private writable memory (RLIMIT_DATA: heap, private maps, thread stacks), the libraries'
    included, not their code and not address space that is merely reserved; 80 MiB of it are gone once numpy, PyAV and
    OpenCV are imported. `cpu_seconds` is summed over all threads, `wall_seconds` counts from the child's start and
    not from the wait for a free place. `file_bytes` caps each file it writes; None sets no cap. `nice` is added to
    the scheduling priority: 0 to 19.
    """

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float
    file_bytes: int | None = None
    nice: int = 0
