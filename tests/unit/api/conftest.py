"""One running server for a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.api.house import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server with generous limits."""
    async with open_house(tmp_path) as opened:
        yield opened
