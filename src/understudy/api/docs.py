"""Pages for people: Swagger UI from files in this package, so that it works without any other address."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.api.answers import Answer, Header, json_answer, text_header
from understudy.api.errors import method_not_allowed, status_answer

STATIC_PATH: Final = "/docs/static/{digest}/{name}"

_METHODS: Final = ("GET", "HEAD")
_FOLDER: Final = files("understudy.api") / "static"
_FILES: Final = {
    "docs.css": ("docs.css", "text/css; charset=utf-8"),
    "docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "favicon-32x32.png": ("swagger-ui/favicon-32x32.png", "image/png"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
}
_HTML: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # Swagger UI sets style attributes and draws icons from data addresses; scripts come from here alone.
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"referrer-policy", b"no-referrer"),
)
_UNCHANGING: Final[Header] = (b"cache-control", b"public, max-age=31536000, immutable")
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Understudy API</title>
<link rel="icon" type="image/png" href="{folder}/favicon-32x32.png">
<link rel="stylesheet" href="{folder}/swagger-ui.css">
<link rel="stylesheet" href="{folder}/docs.css">
</head>
<body>
<noscript>This page needs JavaScript; the document behind it is <a href="openapi.json">openapi.json</a>.</noscript>
<div id="swagger-ui"></div>
<script src="{folder}/swagger-ui-bundle.js"></script>
<script src="{folder}/docs.js"></script>
</body>
</html>
"""


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / _FILES[name][0]).read_bytes()


@cache
def static_digest() -> str:
    """Return what names this version of the static files: their addresses change when their bytes do."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update(hashlib.sha256(_read(name)).digest())
    return digest.hexdigest()[:16]


async def _send(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    allowed = answer if scope["method"] in _METHODS else method_not_allowed(*_METHODS)
    await allowed(scope, receive, send)


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `/docs`. Addresses in it are relative, so that it works behind a proxy that adds a prefix."""
    html = _PAGE.format(folder=f"docs/static/{static_digest()}")
    await _send(Answer(200, html.encode(), _HTML), scope, receive, send)


async def static(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one file of the page; it may be kept for a year, since another version has another address."""
    name = scope["path_params"]["name"]
    if name not in _FILES or scope["path_params"]["digest"] != static_digest():
        answer = status_answer(404)
    else:
        answer = Answer(200, _read(name), (text_header("content-type", _FILES[name][1]), _UNCHANGING))
    await _send(answer, scope, receive, send)


async def no_icon(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell browsers, which ask for it unbidden, that there is no icon."""
    await _send(Answer(204, b"", (_UNCHANGING,)), scope, receive, send)


def index(*, version: str, with_docs: bool) -> ASGIApp:
    """Return the application for `/`: what this is, and where to go on."""
    links = {"docs": "/docs", "openapi": "/openapi.json"} if with_docs else {}
    body = orjson.dumps({"name": "understudy", "version": version, **links, "health": "/health"})

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await _send(json_answer(200, body), scope, receive, send)

    return serve
