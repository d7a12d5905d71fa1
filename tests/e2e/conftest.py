"""One server for the tests that only use it."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from PIL import Image

from tests.support.receiver import Receiver, reply
from tests.support.server import Server, make_key, running

QUICK = {"OUTBOUND_ALLOW": "127.0.0.1", "CALLBACK_RETRY_SECONDS": "1,1,1", "LOG_LEVEL": "warning"}


@dataclass(frozen=True, slots=True)
class House:
    """A running server, its data folder, and an API key with its webhook secret."""

    server: Server
    data: Path
    key: str
    webhook_secret: str

    def client(self) -> httpx2.AsyncClient:
        """Return an HTTP client that sends the key."""
        return self.server.client(self.key)


def png(width: int, height: int) -> bytes:
    """Return a picture."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, "PNG")
    return file.getvalue()


def picture_host(data: bytes, *, content_type: str = "image/png") -> Receiver:
    """Return a host that answers every request with these bytes."""
    return Receiver(reply(200, data, {"Content-Type": content_type}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A server that a whole module uses; its limits are wide, so that tests do not meet each other in them."""
    data = tmp_path_factory.mktemp("house") / "data"
    key = await make_key(data)
    wide = QUICK | {"REQUESTS_PER_MINUTE": "6000", "CONCURRENT_TASKS": "1000"}
    async with running(data, **wide) as server:
        yield House(server, data, key["key"], key["webhookSecret"])
