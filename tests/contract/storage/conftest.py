"""Every storage that must keep the contract; a new one is one more entry of `STORAGES`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.storage.base import Storage
from understudy.storage.local import LocalStorage

STORAGES: dict[str, Callable[[Path], Storage]] = {"local": lambda folder: LocalStorage(folder / "results")}


@pytest.fixture(params=sorted(STORAGES))
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    made = STORAGES[request.param](tmp_path)
    await made.check(free_floor_bytes=1)
    return made


@pytest.fixture
def source(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that writes a file to be stored."""
    numbers = iter(range(1000))

    def write(data: bytes) -> Path:
        path = tmp_path / f"source-{next(numbers)}"
        path.write_bytes(data)
        return path

    return write
