"""Puts the HTTP application together."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.api import docs, health, openapi, results, upstream
from understudy.api.answers import Answer, text_header
from understudy.api.body import BODY_SECONDS
from understudy.api.errors import crash_answer, refusal_answer, status_answer
from understudy.api.guard import REQUEST_ID, Guard
from understudy.api.tasks import TaskRoutes
from understudy.auth.principal import Authenticator
from understudy.domain.catalogue import Catalogue
from understudy.domain.errors import Refusal
from understudy.service.health import HealthService
from understudy.service.results import ResultService
from understudy.service.tasks import TaskService
from understudy.service.upstream_events import UpstreamEvents


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the routes need. `docs` serves `/docs` and `/openapi.json`; `body_seconds` is a body's time to arrive."""

    tasks: TaskService
    results: ResultService
    health: HealthService
    upstream_events: UpstreamEvents
    authenticator: Authenticator
    catalogue: Catalogue
    version: str
    docs: bool = True
    body_seconds: float = BODY_SECONDS


class Application(FastAPI):
    """FastAPI behind our guard, with the two contract routes in front of its router."""

    def __init__(self, doors: Doors) -> None:
        self._document = openapi.build_document(doors.catalogue, version=doors.version)
        super().__init__(
            title="Understudy",
            version=doors.version,
            openapi_url="/openapi.json" if doors.docs else None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            routes=_routes(doors),
            exception_handlers={
                Refusal: _on(lambda _request, error: refusal_answer(error)),
                HTTPException: _on(lambda _request, error: _turned_away(error)),
                Exception: _on(lambda request, _error: crash_answer(request.scope[REQUEST_ID])),
            },
        )
        self._task_routes = TaskRoutes(doors.tasks, doors.authenticator, body_seconds=doors.body_seconds)
        self._guard = Guard(self._dispatch)

    def openapi(self) -> dict[str, Any]:
        """Return the document that `openapi.json` holds."""
        return self._document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        await (self._guard if scope["type"] == "http" else super().__call__)(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await self._task_routes.serve(scope, receive, send):
            await super().__call__(scope, receive, send)


def create_app(doors: Doors) -> FastAPI:
    """Return the ASGI application; it starts and stops nothing."""
    return Application(doors)


def _routes(doors: Doors) -> list[BaseRoute]:
    routes: list[tuple[str, ASGIApp]] = [
        ("/", docs.index(version=doors.version, with_docs=doors.docs)),
        ("/favicon.ico", docs.no_icon),
        ("/health", health.HealthRoute(doors.health, version=doors.version)),
        ("/health/live", health.live),
        (results.PATH, results.ResultRoute(doors.results)),
        (upstream.PATH, upstream.UpstreamRoute(doors.upstream_events, body_seconds=doors.body_seconds)),
    ]
    if doors.docs:
        routes += [("/docs", docs.page), (docs.STATIC_PATH, docs.static)]
    return [Route(path, _Endpoint(app)) for path, app in routes]


class _Endpoint:
    """Shows an ASGI function to `Route` as an object: a function would be taken for one that gets a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _on(make: Callable[[Request, Any], Answer]) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    """Return an exception handler in the framework's form."""

    async def handle(request: Request, error: Exception) -> Response:
        answer = make(request, error)
        response = Response(answer.body, answer.status)
        response.raw_headers.extend(answer.headers)
        return response

    return handle


def _turned_away(error: HTTPException) -> Answer:
    headers = [text_header(name, value) for name, value in (error.headers or {}).items()]
    return status_answer(error.status_code, *headers)
