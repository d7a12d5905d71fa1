"""Every test of this folder that takes `kind` or `stage` runs for every vendor that has a scripted upstream."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.backends.stage import KINDS, Stage, open_stage


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    assert isinstance(request.param, str)
    return request.param


@pytest.fixture
async def stage(kind: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(kind, tmp_path) as made:
        yield made
