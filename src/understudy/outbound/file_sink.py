"""A stream that becomes a file: seen whole under its name or not at all, at the cost of one buffer of memory."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from understudy.outbound.errors import FetchTooLarge

GATHER_BYTES: Final = 1024**2


class DiskFailed(OSError):  # noqa: N818 - it names what failed: our disk, not the other side
    """The file could not be written; `errno` and `strerror` are the system's."""


class FileSink:
    """Writes chunks to `destination.part`, and on a clean exit renames it to `destination`, replacing what was there.

    The part file has mode 0600; one that a killed process left behind is written over. On any exception, a
    cancellation included, it is removed and `destination` is left as it was; only a cancellation that comes after the
    rename comes too late. The event loop never waits for the disk. Use it once, from one task.

    `max_bytes` may be written, not one more. Raises `FetchTooLarge` for that, and `DiskFailed`, an `OSError`.
    """

    def __init__(self, destination: Path, *, max_bytes: int) -> None:
        self.size_bytes = 0
        self._destination = destination
        self._part = destination.with_name(destination.name + ".part")
        self._max_bytes = max_bytes
        self._buffer = bytearray(GATHER_BYTES)
        self._filled = 0
        self._descriptor = -1
        # One disk operation at a time: a cancelled await leaves its thread at work, and the file must not be closed
        # under it.
        self._disk = threading.Lock()
        self._abandoned = False

    async def __aenter__(self) -> Self:
        try:
            await self._in_thread(self._open)
        except asyncio.CancelledError:
            await self._discard()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                await self._in_thread(self._publish)
            except BaseException:
                await self._discard()
                raise
        else:
            await self._discard()

    async def write(self, chunk: bytes) -> None:
        """Append `chunk`. Raises `FetchTooLarge` before it takes a byte of one that would go past `max_bytes`."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self._max_bytes:
            raise FetchTooLarge(f"more than {self._max_bytes} bytes")
        rest = memoryview(chunk)
        while rest:
            taken = rest[: GATHER_BYTES - self._filled]
            self._buffer[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            rest = rest[len(taken) :]
            if self._filled == GATHER_BYTES:
                await self._in_thread(self._flush)

    async def _discard(self) -> None:
        self._abandoned = True
        with contextlib.suppress(OSError):  # the reason is on its way already, and tells more
            await self._in_thread(self._remove)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        # No task: neither a cancellation nor the end of the loop may take a removal off the executor's queue.
        done = asyncio.get_running_loop().run_in_executor(None, self._guarded, work)
        await asyncio.shield(done)

    def _guarded(self, work: Callable[[], None]) -> None:
        with self._disk:
            try:
                work()
            except OSError as error:
                raise DiskFailed(error.errno, error.strerror) from error

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        if not self._abandoned:
            self._descriptor = os.open(self._part, flags, 0o600)

    def _flush(self) -> None:
        rest = memoryview(self._buffer)[: self._filled]
        while rest and not self._abandoned:
            rest = rest[os.write(self._descriptor, rest) :]
        self._filled = 0

    def _publish(self) -> None:
        self._flush()
        os.fsync(self._descriptor)
        if self._abandoned:
            return
        self._close()
        self._part.replace(self._destination)
        folder = os.open(self._destination.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # or the name may be lost although the bytes are not
        finally:
            os.close(folder)

    def _remove(self) -> None:
        self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor != -1:
            os.close(descriptor)
