"""What every storage keeps (the suite in `tests/contract/storage` holds each one to it).

StorageError
├── NotStored        there is nothing under that key
└── StorageFull      no room left; nothing of the new object is visible
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from understudy.domain.errors import UnderstudyError

CHUNK_BYTES: Final = 256 * 1024

_KEY = re.compile(r"[A-Za-z0-9_-]{2,64}(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}){1,3}")


class StorageError(UnderstudyError):
    """The storage could not do what it was asked; the sentence is for the operator's log."""


class NotStored(StorageError):  # noqa: N818 - a fact, as `NotFound` is in the domain
    """There is nothing under that key."""


class StorageFull(StorageError):  # noqa: N818 - a state, and the tree says it is an error
    """No room left. Nothing half-written is visible, and the source file is still there for another try."""


class StoredObject(NamedTuple):
    """One object of a listing. `modified_ms` is Unix milliseconds, UTC, by the storage's clock."""

    key: str
    size_bytes: int
    modified_ms: int


def check_key(key: str) -> str:
    """Return `key` if it has a key's shape, else raise `ValueError`.

    Keys are ours, never a stranger's file name: two to four segments of letters, digits, `_`, `-` and, after the first
    segment, dots. No segment begins with a dot, which rules out `.` and `..`.
    """
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"{key!r} is not a storage key: two to four segments of letters, digits, _ - and . are")
    return key


class Storage(Protocol):
    """A place for bytes by key. Every method raises `ValueError` for a malformed key."""

    async def check(self, *, free_floor_bytes: int) -> None:
        """Raise `OperatorError` if objects cannot be written here, or fewer than `free_floor_bytes` are free."""
        ...

    async def free_bytes(self) -> int | None:
        """Return how many bytes can still be written; None where nobody can tell, as with a bucket."""
        ...

    async def put_file(self, key: str, path: Path, *, content_type: str) -> None:
        """Move the file at `path` to `key`; on return it is on disk, whole, and `path` is gone.

        Readers see the old object or the new one, never a part. Putting a key again replaces it, so that a step may
        be run again. Raises `StorageFull`, or `StorageError` if `path` is missing, empty or no regular file.
        """
        ...

    async def size(self, key: str) -> int | None:
        """Return the object's size in bytes, None if there is none."""
        ...

    def open_range(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """Iterate over `length` bytes from `start` (both at least 0), in chunks of at most 256 KiB.

        It ends early where the object does. The first step raises `NotStored` if there is none.
        """
        ...

    def local_path(self, key: str) -> Path | None:
        """Return the object's file for reading, None if it is not on this machine or does not exist."""
        ...

    async def delete(self, key: str) -> bool:
        """Delete the object; tell whether there was one."""
        ...

    def keys(self) -> AsyncIterator[StoredObject]:
        """Iterate over all objects, in no order; what is put or deleted meanwhile may or may not appear."""
        ...

    async def clean_parts(self, *, older_than_seconds: float = 3600) -> int:
        """Remove what interrupted writes left behind, if it is that old; return how many files went."""
        ...
