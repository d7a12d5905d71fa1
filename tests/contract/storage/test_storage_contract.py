"""What every storage keeps (`storage/base.py`)."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.storage.base import CHUNK_BYTES, NotStored, Storage, StorageError, check_key

KEY = "task_0123456789abcdefghijAB/ast_0123456789abcdefghijAB.mp4"
TYPE = "video/mp4"
Source = Callable[[bytes], Path]


async def read(storage: Storage, key: str, start: int = 0, length: int = 1 << 40) -> bytes:
    return b"".join([chunk async for chunk in storage.open_range(key, start, length)])


async def test_what_is_put_is_read_back_and_the_source_is_gone(storage: Storage, source: Source) -> None:
    data = random.Random(1).randbytes(3 * CHUNK_BYTES + 17)
    path = source(data)

    await storage.put_file(KEY, path, content_type=TYPE)

    assert await read(storage, KEY) == data
    assert await storage.size(KEY) == len(data)
    assert not path.exists()


async def test_putting_a_key_again_replaces_it(storage: Storage, source: Source) -> None:
    await storage.put_file(KEY, source(b"first, and longer"), content_type=TYPE)
    await storage.put_file(KEY, source(b"second"), content_type=TYPE)

    assert await read(storage, KEY) == b"second"
    assert await storage.size(KEY) == 6


async def test_a_reader_keeps_the_object_it_began_with(storage: Storage, source: Source) -> None:
    old, new = b"a" * 3 * CHUNK_BYTES, b"b" * 3 * CHUNK_BYTES
    await storage.put_file(KEY, source(old), content_type=TYPE)
    chunks = storage.open_range(KEY, 0, len(old))
    first = await anext(chunks)

    await storage.put_file(KEY, source(new), content_type=TYPE)
    rest = [chunk async for chunk in chunks]

    assert first + b"".join(rest) == old


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (0, 0), (5, 10), (999_999, 1), (999_999, 100), (1_000_000, 1), (2_000_000, 5), (100, 600_000)],
)
async def test_a_range_is_exact_and_ends_with_the_object(
    storage: Storage, source: Source, start: int, length: int
) -> None:
    data = random.Random(2).randbytes(1_000_000)
    await storage.put_file(KEY, source(data), content_type=TYPE)

    assert await read(storage, KEY, start, length) == data[start : start + length]


async def test_chunks_are_bounded(storage: Storage, source: Source) -> None:
    await storage.put_file(KEY, source(b"x" * (2 * CHUNK_BYTES + 1)), content_type=TYPE)

    sizes = [len(chunk) async for chunk in storage.open_range(KEY, 0, 1 << 40)]

    assert max(sizes) <= CHUNK_BYTES
    assert min(sizes) > 0


@pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, -1)])
async def test_a_negative_range_is_a_mistake(storage: Storage, source: Source, start: int, length: int) -> None:
    await storage.put_file(KEY, source(b"x"), content_type=TYPE)

    with pytest.raises(ValueError, match="at least 0"):
        await read(storage, KEY, start, length)


async def test_what_is_not_there_is_told_apart_from_a_fault(storage: Storage) -> None:
    assert await storage.size(KEY) is None
    assert storage.local_path(KEY) is None
    assert await storage.delete(KEY) is False
    with pytest.raises(NotStored):
        await read(storage, KEY)


async def test_a_key_that_only_begins_other_keys_holds_nothing(storage: Storage, source: Source) -> None:
    await storage.put_file("ab/cd/ef", source(b"x"), content_type=TYPE)

    assert await storage.size("ab/cd") is None
    assert await storage.delete("ab/cd") is False
    assert await storage.size("ab/cd/ef/gh") is None
    with pytest.raises(NotStored):
        await read(storage, "ab/cd")


async def test_deleting_tells_whether_there_was_something(storage: Storage, source: Source) -> None:
    await storage.put_file(KEY, source(b"x"), content_type=TYPE)

    assert await storage.delete(KEY) is True
    assert await storage.size(KEY) is None
    assert await storage.delete(KEY) is False


async def test_deleting_one_object_leaves_its_neighbours(storage: Storage, source: Source) -> None:
    await storage.put_file("task/one.mp4", source(b"1"), content_type=TYPE)
    await storage.put_file("task/two.mp4", source(b"2"), content_type=TYPE)

    await storage.delete("task/one.mp4")

    assert await read(storage, "task/two.mp4") == b"2"


async def test_a_local_path_is_the_object(storage: Storage, source: Source) -> None:
    await storage.put_file(KEY, source(b"film"), content_type=TYPE)
    path = storage.local_path(KEY)

    assert path is None or path.read_bytes() == b"film"


async def test_the_listing_names_every_object_with_size_and_time(storage: Storage, source: Source) -> None:
    before = time.time_ns() // 1_000_000 - 2000
    wanted = {f"task_{number}/{number}.mp4": number + 1 for number in range(30)} | {"in/pictures/one.jpg": 3}
    for key, size in wanted.items():
        await storage.put_file(key, source(b"x" * size), content_type=TYPE)

    found = [item async for item in storage.keys()]  # noqa: SIM118 - a storage is no mapping

    assert {item.key: item.size_bytes for item in found} == wanted
    assert all(before <= item.modified_ms <= time.time_ns() // 1_000_000 + 2000 for item in found)


async def test_a_listing_of_nothing_is_empty(storage: Storage) -> None:
    assert [item async for item in storage.keys()] == []  # noqa: SIM118 - a storage is no mapping


@pytest.mark.parametrize("data", [b"", None], ids=["empty", "missing"])
async def test_an_empty_or_missing_file_is_refused(storage: Storage, source: Source, data: bytes | None) -> None:
    """A success with zero bytes must not come about."""
    path = source(b"" if data is None else data)
    if data is None:
        path.unlink()

    with pytest.raises(StorageError):
        await storage.put_file(KEY, path, content_type=TYPE)

    assert await storage.size(KEY) is None


async def test_puts_and_deletes_at_once_do_not_disturb_each_other(storage: Storage, source: Source) -> None:
    async def come_and_go(number: int) -> None:
        key = f"task/{number}.mp4"
        for _ in range(40):
            await storage.put_file(key, source(b"%d" % number), content_type=TYPE)
            assert await read(storage, key) == b"%d" % number
            assert await storage.delete(key) is True

    await asyncio.gather(*(come_and_go(number) for number in range(4)))


async def test_a_sound_storage_passes_its_check_and_has_no_leftovers(storage: Storage) -> None:
    await storage.check(free_floor_bytes=1)

    assert await storage.clean_parts(older_than_seconds=0) == 0
    free = await storage.free_bytes()
    assert free is None or free > 0


BAD_KEYS = [
    "", "a", "ab", "/ab/cd", "ab/", "ab//cd", "ab/../cd", "ab/..", "ab/.", "ab/.hidden", "../ab/cd", "ab/c d",
    "ab/cd\n", "ab/c\0d", "ab/é", "a.b/cd", "ab/cd/ef/gh/ij", "ab\\cd", "x" * 65 + "/cd", "ab/" + "x" * 81, "file:///ab/cd",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_malformed_key_is_a_mistake_everywhere(storage: Storage, source: Source, key: str) -> None:
    for call in (
        storage.put_file(key, source(b"x"), content_type=TYPE),
        storage.size(key),
        storage.delete(key),
        read(storage, key),
    ):
        with pytest.raises(ValueError, match="is not a storage key"):
            await call
    with pytest.raises(ValueError, match="is not a storage key"):
        storage.local_path(key)


@given(st.text(alphabet="ab./\\ \0~-_é", max_size=12))
def test_no_text_that_passes_as_a_key_leads_out_of_its_folder(text: str) -> None:
    try:
        check_key(text)
    except ValueError:
        return
    root = Path("/root")
    assert (root / text).resolve().relative_to(root).as_posix() == text
