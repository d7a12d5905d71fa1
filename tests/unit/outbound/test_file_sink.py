"""A stream becomes a file, whole or not at all."""

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.outbound.errors import FetchTooLarge
from understudy.outbound.file_sink import GATHER_BYTES, DiskFailed, FileSink

CHUNKS = [os.urandom(size) for size in (0, 1, 65536, GATHER_BYTES - 1, GATHER_BYTES, GATHER_BYTES + 1, 3_000_001)]
BODY = b"".join(CHUNKS)


def held(folder: Path) -> list[str]:
    """Return the names of what `folder` holds."""
    return [entry.name for entry in folder.iterdir()]


async def fill(destination: Path, *chunks: bytes, max_bytes: int = 10**9) -> int:
    """Write `chunks` and close; return the size that the sink tells."""
    async with FileSink(destination, max_bytes=max_bytes) as sink:
        for chunk in chunks:
            await sink.write(chunk)
    return sink.size_bytes


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return tmp_path / "film.mp4"


@pytest.fixture
def slow_disk(film: Path) -> Iterator[threading.Event]:
    """Make the part file a pipe that takes nothing, as a disk that hangs does, until the event is set."""
    part = film.with_name("film.mp4.part")
    os.mkfifo(part)
    reader = os.open(part, os.O_RDONLY | os.O_NONBLOCK)
    go_on = threading.Event()

    def drain() -> None:
        go_on.wait(30)
        os.set_blocking(reader, True)
        while os.read(reader, 65536):
            pass

    thread = threading.Thread(target=drain)
    thread.start()
    yield go_on
    go_on.set()
    thread.join()
    os.close(reader)


async def test_the_file_holds_all_chunks_in_their_order(film: Path) -> None:
    assert await fill(film, *CHUNKS) == len(BODY)
    assert film.read_bytes() == BODY
    assert held(film.parent) == ["film.mp4"]


async def test_nothing_written_is_an_empty_file(film: Path) -> None:
    assert await fill(film) == 0
    assert film.read_bytes() == b""


async def test_a_file_that_was_there_is_replaced_and_a_part_left_by_a_killed_process_is_no_hindrance(
    film: Path,
) -> None:
    film.write_bytes(b"older and longer")
    film.with_name("film.mp4.part").write_bytes(b"half")

    await fill(film, b"new")

    assert film.read_bytes() == b"new"
    assert held(film.parent) == ["film.mp4"]


async def test_only_its_owner_reads_the_file(film: Path) -> None:
    await fill(film, b"private")

    assert film.stat().st_mode & 0o777 == 0o600


async def test_the_name_appears_when_the_file_is_whole_and_not_before(film: Path) -> None:
    async with FileSink(film, max_bytes=10**9) as sink:
        await sink.write(BODY)
        assert held(film.parent) == ["film.mp4.part"]
    assert held(film.parent) == ["film.mp4"]


async def test_exactly_the_allowed_bytes_are_accepted_and_not_one_more(film: Path) -> None:
    assert await fill(film, b"12345", b"67890", max_bytes=10) == 10
    film.unlink()

    with pytest.raises(FetchTooLarge, match="more than 10 bytes"):
        await fill(film, b"12345", b"678901", max_bytes=10)
    assert held(film.parent) == []


@pytest.mark.parametrize("written", [b"little", bytes(3 * GATHER_BYTES)], ids=["in memory", "on disk"])
@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError, KeyboardInterrupt])
async def test_after_an_exception_nothing_is_left_and_what_was_there_stays(
    film: Path, written: bytes, error: type[BaseException]
) -> None:
    film.write_bytes(b"older")

    with pytest.raises(error):  # noqa: PT012 - the context manager is what is tested
        async with FileSink(film, max_bytes=10**9) as sink:
            await sink.write(written)
            raise error

    assert held(film.parent) == ["film.mp4"]
    assert film.read_bytes() == b"older"


async def test_a_full_disk_is_told_and_leaves_nothing(film: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(DiskFailed) as caught:
            await fill(film, BODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert caught.value.errno == errno.EFBIG
    assert held(film.parent) == []


@pytest.mark.parametrize("place", ["missing/film.mp4", "folder"])
async def test_a_place_that_takes_no_file_is_told_and_leaves_no_part(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(DiskFailed):
        await fill(tmp_path / place, b"x")

    assert held(tmp_path) == ["folder"]


async def test_the_loop_goes_on_while_the_disk_hangs(film: Path, slow_disk: threading.Event) -> None:
    writing = asyncio.create_task(fill(film, bytes(2 * GATHER_BYTES)))

    longest = 0.0
    for _ in range(20):
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    assert not writing.done()
    assert longest < 0.2

    slow_disk.set()
    with pytest.raises(DiskFailed):  # a pipe cannot be made durable
        await writing


async def test_cancelled_while_the_disk_hangs_the_part_is_removed_once_it_goes_on(
    film: Path, slow_disk: threading.Event
) -> None:
    writing = asyncio.create_task(fill(film, bytes(2 * GATHER_BYTES)))
    await asyncio.sleep(0.05)

    for _ in range(2):  # the second one interrupts the clearing up
        writing.cancel()
        await asyncio.sleep(0.05)
    assert writing.done()
    slow_disk.set()

    async with asyncio.timeout(10):
        while held(film.parent):  # noqa: ASYNC110 - a folder tells nobody when it changes
            await asyncio.sleep(0.01)


def test_a_loop_that_ends_amid_a_download_removes_the_part_first(tmp_path: Path) -> None:
    program = f"""
        import asyncio
        from pathlib import Path
        from understudy.outbound.file_sink import FileSink

        async def download():
            async with FileSink(Path({str(tmp_path)!r}) / "film.mp4", max_bytes=10**9) as sink:
                while True:
                    await sink.write(bytes(10**6))

        async def main():
            task = asyncio.create_task(download())
            await asyncio.sleep(0.2)

        asyncio.run(main())
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)

    assert held(tmp_path) == []
