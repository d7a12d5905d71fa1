"""A sandbox, and films made once for all tests."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.media.films import film
from understudy.sandbox.runner import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    box = Sandbox(2)
    yield box
    await box.close()


@pytest.fixture(scope="session")
def good_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """320x240, 2 s, 24 frames a second, H.264 and AAC, index in front; its first half second is black."""
    return film(tmp_path_factory.mktemp("film") / "film.mp4", black_frames=12)
