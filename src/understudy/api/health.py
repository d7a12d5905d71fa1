"""Probes: whether the process is up, and whether the server can do its work."""

import asyncio
import time

import orjson
from starlette.types import Receive, Scope, Send

from understudy.api.answers import json_answer
from understudy.api.errors import method_not_allowed
from understudy.service.health import Health, HealthService

REMEMBERED_SECONDS = 1.0
_METHODS = ("GET", "HEAD")


class HealthRoute:
    """An ASGI application for `/health`: 200 when ready, else 503.

    The route is open to strangers and a check asks every backend, so one answer serves all who ask within a second.
    """

    def __init__(self, health: HealthService, *, version: str) -> None:
        self._health = health
        self._version = version
        self._lock = asyncio.Lock()
        self._known: tuple[float, Health] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve GET and HEAD."""
        if scope["method"] not in _METHODS:
            await method_not_allowed(*_METHODS)(scope, receive, send)
            return
        health = await self._check()
        body = {
            "status": "ok" if health.ready else "unavailable",
            "version": self._version,
            "database": health.database,
            "backends": health.backends,
            "moderation": health.moderation,
            "openTasks": health.open_tasks,
        }
        await json_answer(200 if health.ready else 503, orjson.dumps(body))(scope, receive, send)

    async def _check(self) -> Health:
        async with self._lock:
            if self._known is None or time.monotonic() - self._known[0] >= REMEMBERED_SECONDS:
                self._known = time.monotonic(), await self._health.check()
            return self._known[1]


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `/health/live`: the process runs and its event loop turns; nothing else is asked."""
    answer = json_answer(200, b'{"status":"ok"}') if scope["method"] in _METHODS else method_not_allowed(*_METHODS)
    await answer(scope, receive, send)
