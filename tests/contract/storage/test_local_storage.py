"""What a directory on this machine keeps beyond the contract."""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from understudy.domain.errors import OperatorError
from understudy.storage.base import NotStored, StorageError, StorageFull
from understudy.storage.local import LocalStorage
from understudy.storage.open import open_storage

TYPE = "video/mp4"
Source = Callable[[bytes], Path]


@pytest.fixture
async def local(tmp_path: Path) -> LocalStorage:
    made = LocalStorage(tmp_path / "deep" / "results")
    await made.check(free_floor_bytes=1)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "results"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A file on another file system."""
    memory = Path("/dev/shm")  # noqa: S108 - the one place that is another file system on every Linux
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        path = Path(folder, "film")
        path.write_bytes(b"film" * 25_000)
        yield path


def files_in(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def entries_of(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_nobody_else_may_read(local: LocalStorage, root: Path, source: Source) -> None:
    path = source(b"film")
    path.chmod(0o644)
    await local.put_file("task/films/one.mp4", path, content_type=TYPE)

    assert (root / "task/films/one.mp4").stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (root, root / "task", root / "task/films")} == {0o700}


async def test_a_file_from_another_file_system_is_copied(local: LocalStorage, root: Path, elsewhere: Path) -> None:
    await local.put_file("task/one.mp4", elsewhere, content_type=TYPE)

    assert (root / "task/one.mp4").read_bytes() == b"film" * 25_000
    assert files_in(elsewhere.parent) == set()
    assert files_in(root) == {"task/one.mp4"}


@pytest.mark.parametrize("before", [None, b"the old one"], ids=["new", "replacing"])
async def test_a_full_disk_leaves_nothing_half_written_and_the_source_whole(
    local: LocalStorage, root: Path, source: Source, elsewhere: Path, before: bytes | None
) -> None:
    """The kernel refuses the write: here by the process's own limit, as it would for want of blocks."""
    if before is not None:
        await local.put_file("task/one.mp4", source(before), content_type=TYPE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(StorageFull, match=r"no room for task/one\.mp4"):
            await local.put_file("task/one.mp4", elsewhere, content_type=TYPE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert files_in(root) == (set() if before is None else {"task/one.mp4"})
    assert await local.size("task/one.mp4") == (None if before is None else len(before))
    await local.put_file("task/one.mp4", elsewhere, content_type=TYPE)
    assert await local.size("task/one.mp4") == 100_000


async def test_deleting_the_last_object_removes_its_empty_folders(
    local: LocalStorage, root: Path, source: Source
) -> None:
    await local.put_file("task/films/one.mp4", source(b"1"), content_type=TYPE)

    await local.delete("task/films/one.mp4")

    assert entries_of(root) == []


async def test_leftovers_of_a_killed_writer_are_no_objects_and_go_after_an_hour(
    local: LocalStorage, root: Path, source: Source
) -> None:
    await local.put_file("task/one.mp4", source(b"1"), content_type=TYPE)
    old, young = root / "task/.one.mp4.0a1b.part", root / "task/.two.mp4.0a1b.part"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (time.time() - 3700, time.time() - 3700))

    assert [item.key async for item in local.keys()] == ["task/one.mp4"]  # noqa: SIM118 - a storage is no mapping
    assert await local.clean_parts() == 1
    assert files_in(root) == {"task/one.mp4", "task/.two.mp4.0a1b.part"}


async def test_a_writer_killed_at_any_moment_shows_nothing_or_the_whole(
    local: LocalStorage, root: Path, elsewhere: Path
) -> None:
    """P6 of `reliability.md` §7.4: the child copies from another file system for as long as it lives."""
    program = (
        "import asyncio, shutil, sys; from pathlib import Path; from understudy.storage.local import LocalStorage\n"
        "storage, source, copy = LocalStorage(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[2] + '-copy')\n"
        "print(flush=True)\n"
        "while True:\n"
        "    shutil.copy(source, copy)\n"
        "    asyncio.run(storage.put_file('task/one.mp4', copy, content_type='video/mp4'))\n"
    )
    for round_number in range(6):
        command = [sys.executable, "-c", program, str(root), str(elsewhere)]
        with await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            await asyncio.to_thread(writer.stdout.readline)
            await asyncio.sleep(0.007 * round_number)
            writer.kill()
        assert await local.size("task/one.mp4") in {None, 100_000}
    await local.clean_parts(older_than_seconds=0)
    assert files_in(root) <= {"task/one.mp4"}


async def test_a_link_that_leads_out_is_not_followed(
    local: LocalStorage, root: Path, source: Source, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "task").symlink_to(outside)

    for call in (local.size("task/secret"), local.delete("task/secret"), _read_all(local, "task/secret")):
        with pytest.raises(StorageError, match="leads out"):
            await call
    with pytest.raises(StorageError, match="leads out"):
        await local.put_file("task/new", source(b"x"), content_type=TYPE)
    assert {path.name for path in outside.iterdir()} == {"secret"}


async def test_a_link_in_place_of_an_object_is_no_object(local: LocalStorage, root: Path, source: Source) -> None:
    await local.put_file("task/one", source(b"1"), content_type=TYPE)
    (root / "task" / "two").symlink_to(root / "task" / "one")

    assert await local.size("task/two") is None
    with pytest.raises(NotStored):
        await _read_all(local, "task/two")


async def test_a_link_is_not_stored(local: LocalStorage, source: Source, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(source(b"x"))

    with pytest.raises(StorageError):
        await local.put_file("task/one", link, content_type=TYPE)


async def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OperatorError, match="cannot be written"):
        await LocalStorage(tmp_path / "file" / "results").check(free_floor_bytes=1)


async def test_too_little_free_space_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="bytes free, fewer than"):
        await LocalStorage(tmp_path).check(free_floor_bytes=1 << 62)


async def test_the_check_leaves_nothing_behind(local: LocalStorage, root: Path) -> None:
    await local.check(free_floor_bytes=1)

    assert entries_of(root) == []


async def test_an_address_names_a_folder(tmp_path: Path, source: Source) -> None:
    storage = open_storage(f"file://{tmp_path}/a%20b", tmp_path)
    await storage.put_file("task/one", source(b"1"), content_type=TYPE)

    assert (tmp_path / "a b" / "task" / "one").read_bytes() == b"1"


async def test_no_address_means_the_data_folder(tmp_path: Path, source: Source) -> None:
    await open_storage("", tmp_path).put_file("task/one", source(b"1"), content_type=TYPE)

    assert (tmp_path / "results" / "task" / "one").read_bytes() == b"1"


def test_a_bucket_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="UNDERSTUDY_STORAGE_URL to file:///"):
        open_storage("s3://bucket/prefix", tmp_path)


@pytest.mark.parametrize(
    "url", ["/plain/path", "file://host/path", "file:relative", "file:///", "https://x/y", "nonsense"]
)
def test_any_other_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(OperatorError, match="must be of the form"):
        open_storage(url, tmp_path)


async def _read_all(storage: LocalStorage, key: str) -> bytes:
    return b"".join([chunk async for chunk in storage.open_range(key, 0, 1000)])
