"""A directory on this machine.

A reader never sees a part of an object: bytes are on the disk before the name is, and the name before `put_file`
returns. Names that begin with a dot are ours for the time of writing and never keys.
"""

import asyncio
import contextlib
import errno
import itertools
import os
import secrets
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from understudy.domain.errors import OperatorError
from understudy.storage.base import CHUNK_BYTES, NotStored, StorageError, StorageFull, StoredObject, check_key

T = TypeVar("T")

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the disk, the quota, the process's own limit
_PAGE: Final = 500
_PUT_TRIES: Final = 10


class LocalStorage:
    """Objects as files below `root`, folders 0700 and files 0600. Several processes may share the directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def check(self, *, free_floor_bytes: int) -> None:
        """See `Storage.check`; also makes the directory if it is missing."""
        try:
            await asyncio.to_thread(self._try_writing)
        except OSError as error:
            raise OperatorError(
                f"The storage folder {self._root} cannot be written ({error.strerror}): "
                "make it writable or set UNDERSTUDY_STORAGE_URL to another one"
            ) from error
        free = await self.free_bytes()
        if free < free_floor_bytes:
            raise OperatorError(
                f"The storage folder {self._root} has {free} bytes free, fewer than the {free_floor_bytes} it needs: "
                "make room or set UNDERSTUDY_STORAGE_URL to a folder on a larger disk"
            )

    async def free_bytes(self) -> int:
        """See `Storage.free_bytes`: what the file system leaves to this user."""
        return (await asyncio.to_thread(shutil.disk_usage, self._root)).free

    async def put_file(self, key: str, path: Path, *, content_type: str) -> None:  # noqa: ARG002 - a file has no content type
        """See `Storage.put_file`. A file on the same file system is renamed, any other is copied."""
        await asyncio.to_thread(self._put, key, path)

    async def size(self, key: str) -> int | None:
        """See `Storage.size`."""
        return await asyncio.to_thread(lambda: _size(self._file(key)))

    async def open_range(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """See `Storage.open_range`."""
        if start < 0 or length < 0:
            raise ValueError("start and length must be at least 0")
        file = await asyncio.to_thread(lambda: _open(self._file(key)))
        with file:
            await asyncio.to_thread(file.seek, start)
            while length > 0 and (chunk := await asyncio.to_thread(file.read, min(length, CHUNK_BYTES))):
                length -= len(chunk)
                yield chunk

    def local_path(self, key: str) -> Path | None:
        """See `Storage.local_path`."""
        file = self._file(key)
        return None if _size(file) is None else file

    async def delete(self, key: str) -> bool:
        """See `Storage.delete`."""
        return await asyncio.to_thread(self._delete, key)

    async def keys(self) -> AsyncIterator[StoredObject]:
        """See `Storage.keys`."""
        objects = self._walk()
        while page := await asyncio.to_thread(_take, objects):
            for item in page:
                yield item

    async def clean_parts(self, *, older_than_seconds: float = 3600) -> int:
        """See `Storage.clean_parts`."""
        return await asyncio.to_thread(self._clean_parts, time.time() - older_than_seconds)

    def _file(self, key: str) -> Path:
        file = self._root / check_key(key)
        # A link that somebody put among the folders must not lead us out of ours.
        if not file.resolve().is_relative_to(self._root.resolve()):
            raise StorageError(f"{key} leads out of the storage folder {self._root}")
        return file

    def _try_writing(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = self._root / f".{secrets.token_hex(8)}.part"
        try:
            with _create(probe) as file:
                file.write(b"understudy")
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)

    def _put(self, key: str, source: Path) -> None:
        file = self._file(key)
        try:
            _make_durable(source)
            self._move(source, file)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull(f"there is no room for {key} in {self._root}") from error
            raise StorageError(f"{key} cannot be written in {self._root}: {error.strerror}") from error

    def _move(self, source: Path, file: Path) -> None:
        for left in reversed(range(_PUT_TRIES)):
            try:
                self._make_folders(file.parent)
                try:
                    source.rename(file)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    _copy(source, file)
                    source.unlink(missing_ok=True)
                _fsync_folder(file.parent)
            except (FileNotFoundError, FileExistsError):
                # Somebody deleted the last object of the folder, and the folder with it, at this very moment.
                if left == 0 or not source.exists():
                    raise
            else:
                return

    def _make_folders(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder != self._root:
            self._make_folders(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self._root, exist_ok=True)
        _fsync_folder(folder.parent)

    def _delete(self, key: str) -> bool:
        file = self._file(key)
        if _size(file) is None:
            return False
        try:
            file.unlink()
        except FileNotFoundError:
            return False
        with contextlib.suppress(FileNotFoundError):  # somebody else removed the empty folder first
            _fsync_folder(file.parent)
        for folder in itertools.takewhile(lambda parent: parent != self._root, file.parents):
            try:
                folder.rmdir()
            except OSError:  # not empty
                break
        return True

    def _walk(self) -> Iterator[StoredObject]:
        for folder, folders, names in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                key = Path(folder, name).relative_to(self._root).as_posix()
                with contextlib.suppress(ValueError, FileNotFoundError):
                    found = Path(folder, name).lstat()
                    if stat.S_ISREG(found.st_mode):
                        yield StoredObject(check_key(key), found.st_size, found.st_mtime_ns // 1_000_000)

    def _clean_parts(self, before: float) -> int:
        count = 0
        for folder, _, names in os.walk(self._root):
            for name in names:
                part = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    if name.startswith(".") and name.endswith(".part") and part.lstat().st_mtime < before:
                        part.unlink()
                        count += 1
        return count


def _size(file: Path) -> int | None:
    try:
        found = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _open(file: Path) -> BinaryIO:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise
        raise NotStored(f"there is no file {file}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotStored(f"{file} is no file")
    return os.fdopen(descriptor, "rb", buffering=0)


def _create(file: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(file, flags, 0o600), "wb")


def _make_durable(source: Path) -> None:
    """Bring the bytes to the disk before a name promises them."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
            raise StorageError(f"{source} is empty or no regular file; it is not stored")
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, file: Path) -> None:
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}.part")
    try:
        with source.open("rb") as old, _create(part) as new:
            shutil.copyfileobj(old, new, CHUNK_BYTES)
            new.flush()
            os.fsync(new.fileno())
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take(objects: Iterator[T]) -> list[T]:
    return list(itertools.islice(objects, _PAGE))
