"""One process owns a data folder: two schedulers over one embedded database would do everything twice."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from understudy.domain.errors import OperatorError


class Ownership:
    """Holds `understudy.lock` in the data folder until closed; the kernel lets it go when the process dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "understudy.lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise OperatorError(
                f"Another Understudy (process {owner}) uses the data folder {folder}: stop it, or name another folder "
                "with --data."
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def __enter__(self) -> Self:
        """Return the held lock."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self.close()

    def close(self) -> None:
        """Let go; the file stays, since removing it could hand the folder to two owners."""
        os.close(self._descriptor)
