"""A sandbox that is found out if it leaves anything behind."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.sandbox.processes import our_children
from understudy.sandbox.limits import MIB, Limits
from understudy.sandbox.runner import Sandbox

LIMITS = Limits(memory_bytes=256 * MIB, cpu_seconds=10, wall_seconds=20)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    before = our_children()
    box = Sandbox(2)
    yield box
    await box.close()
    assert our_children() <= before
