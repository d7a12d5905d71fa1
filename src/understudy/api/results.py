"""Result links: films behind our own signature (`contract.md` §7)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from understudy.api.answers import Answer, Header, text_header
from understudy.api.errors import PreconditionFailed, method_not_allowed, refusal_answer
from understudy.api.ranges import ByteRange, parse_range
from understudy.domain.errors import NotFound, Refusal
from understudy.service.results import Result, ResultService

PATH: Final = "/v/{task_id}/{name}"
_SUFFIX: Final = ".mp4"
_METHODS: Final = ("GET", "HEAD", "OPTIONS")

# The address itself is the permission and no cookie is involved, so any page may play the film (`reliability.md` §6.3).
_CORS: Final[tuple[Header, ...]] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"accept-ranges, content-length, content-range, etag, x-request-id"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
_PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"range, if-range, if-match, if-none-match"),
    (b"access-control-max-age", b"86400"),
    (b"allow", b"GET, HEAD, OPTIONS"),
)
# A reader may keep the bytes but has to ask each time: a deleted film is gone at once.
_FILE: Final[tuple[Header, ...]] = (
    (b"accept-ranges", b"bytes"),
    (b"cache-control", b"private, max-age=0, must-revalidate"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
)


class ResultRoute:
    """An ASGI application that serves one link."""

    def __init__(self, results: ResultService) -> None:
        self._results = results

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve GET, HEAD and OPTIONS."""
        try:
            if scope["method"] not in _METHODS:
                answer = method_not_allowed(*_METHODS)
            elif scope["method"] == "OPTIONS":
                answer = Answer(204, b"", _PREFLIGHT)
            else:
                await self._serve(scope, receive, send)
                return
        except Refusal as refusal:
            answer = refusal_answer(refusal)
        await Answer(answer.status, answer.body, (*answer.headers, *_CORS))(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["name"]
        if not name.endswith(_SUFFIX):
            raise NotFound("Not found")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        result = await self._results.open(
            scope["path_params"]["task_id"],
            name.removesuffix(_SUFFIX),
            end=_only(query.get("e")),
            signature=_only(query.get("s")),
        )
        headers = Headers(scope=scope)
        common = (*_FILE, *_CORS, text_header("etag", result.etag))
        if not _matches(headers.getlist("if-match"), result.etag, absent=True, weak=False):
            raise PreconditionFailed("The video is not the version that If-Match names")
        if _matches(headers.getlist("if-none-match"), result.etag, absent=False, weak=True):
            await Answer(304, b"", common)(scope, receive, send)
            return
        part = _wanted(headers, result) if scope["method"] == "GET" else None  # RFC 9110 §14.2: GET alone has ranges
        await self._send(scope, receive, send, result, part, common)

    async def _send(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        result: Result,
        part: ByteRange | None,
        common: tuple[Header, ...],
    ) -> None:
        size = result.asset.size_bytes
        whole = part or ByteRange(0, size - 1)
        headers = [
            *common,
            text_header("content-type", result.asset.media_type),
            text_header("content-length", str(whole.length)),
            text_header("content-disposition", f'inline; filename="{result.file_name}"'),
        ]
        if part is not None:
            headers.append(text_header("content-range", part.content_range(size)))
        start = {"type": "http.response.start", "status": 200 if part is None else 206, "headers": headers}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        async with contextlib.aclosing(result.read(whole.first, whole.length)) as chunks:
            # The first chunk before the first header: a file that vanished just now is still a 410.
            chunk = await anext(chunks)
            await send(start)
            await _stream(chunk, chunks, receive, send)


async def _stream(chunk: bytes, chunks: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send `chunk` and the rest, until the client goes away."""
    # The server takes what is sent to nobody without a word, so somebody has to listen for the end.
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        while chunk and not gone.done():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await anext(chunks, b"")
        if not chunk:
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _only(values: list[str] | None) -> str:
    """Return the one value of a query field; given twice it could mean one thing to a proxy and another to us."""
    return values[0] if values is not None and len(values) == 1 else ""


def _matches(headers: list[str], etag: str, *, absent: bool, weak: bool) -> bool:
    """Tell whether one of the entity tags listed is `etag` (RFC 9110 §13.1); `absent` is the answer without a list."""
    if not headers:
        return absent
    tags = {tag.strip() for header in headers for tag in header.split(",")}
    return bool(tags & {"*", etag} or (weak and f"W/{etag}" in tags))


def _wanted(headers: Headers, result: Result) -> ByteRange | None:
    ranges = headers.getlist("range")
    condition = headers.get("if-range")
    # A date never matches: the file has none. A weak tag does not either (RFC 9110 §13.1.5).
    if not ranges or (condition is not None and condition.strip() != result.etag):
        return None
    return parse_range(", ".join(ranges), result.asset.size_bytes)
