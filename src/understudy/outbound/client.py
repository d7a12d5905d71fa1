"""The client: every connection attempt passes the guard, every answer is bounded in time and size.

The guard sits where aiohttp makes a socket for one address, so names, literals, redirects and every address of a name
with several are judged at the moment of connecting (`reliability.md` §2.1). Nothing is validated first and connected
later: an answer of DNS may change in between. The same holds under asyncio and under uvloop.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from understudy.outbound.errors import (
    AddressNotAllowed,
    ErrorClass,
    FetchFailed,
    FetchRefused,
    FetchTooLarge,
    PostFailed,
)
from understudy.outbound.file_sink import DiskFailed, FileSink
from understudy.outbound.policy import OutboundPolicy, Reach, host_of
from understudy.outbound.resolver import ThreadResolver
from understudy.outbound.retry_after import parse_retry_after
from understudy.outbound.target import read_target, resolve_location

TOTAL_SECONDS = 30.0
CONNECT_SECONDS = 5.0  # one connection with its TLS handshake
READ_SECONDS = 10.0  # silence within a fetch; a receiver of a POST may think for the whole time
MAX_REDIRECTS = 3
MAX_ANSWER_BYTES = 16 * 1024
EXCERPT_BYTES = 1024
EXCERPT_SECONDS = 5.0  # the status has decided already: no worker waits longer for the text of an answer

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 64 * 1024

# The first kind that fits names the class, so a special kind stands before the one it derives from.
_CLASSES = (
    (TimeoutError, ErrorClass.TIMEOUT),
    (aiohttp.ClientConnectorDNSError, ErrorClass.DNS),
    (aiohttp.ClientSSLError, ErrorClass.TLS),
    (aiohttp.ClientConnectorError, ErrorClass.REFUSED),
)

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer to a POST. `excerpt` holds at most the first 1024 bytes of its body."""

    status: int
    retry_after_seconds: int | None
    excerpt: bytes
    elapsed_ms: int


class OutboundClient:
    """One per process, used from one event loop; `close` it, or use it as a context.

    `ca_file` names a PEM file of certificate authorities that are trusted beside the system's.
    Raises `OSError` if that file cannot be read as such (`ssl.SSLError` is one).
    """

    def __init__(
        self, policy: OutboundPolicy, *, ca_file: Path | None = None, resolver: AbstractResolver | None = None
    ) -> None:
        self._policy = policy
        self._resolver = resolver or ThreadResolver()
        self._tls = ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._tls.set_alpn_protocols(["http/1.1"])
        if ca_file is not None:
            self._tls.load_verify_locations(cafile=ca_file)
        self._sessions: dict[Reach, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End every connection. The client cannot be used afterwards."""
        for session in self._sessions.values():
            await session.close()
        await self._resolver.close()

    async def fetch(self, url: str, *, max_bytes: int, total_seconds: float = TOTAL_SECONDS) -> bytes:
        """Return the body of a GET, following at most 3 redirects, each judged anew.

        Raises `FetchRefused` for what our rules forbid, `FetchTooLarge` past `max_bytes`, and `FetchFailed` for
        anything but a complete 2xx answer within `total_seconds`, redirects included.
        """
        try:
            async with asyncio.timeout(total_seconds), self._get(url, read_seconds=READ_SECONDS) as response:
                return await _body(response, max_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _failure(error) from error

    async def download(
        self, url: str, destination: Path, *, max_bytes: int, total_seconds: float, stall_seconds: float
    ) -> int:
        """Write the body of a GET to `destination`, whole or not at all, and return how many bytes it has.

        As `fetch`, but memory does not grow with the body, and a silence of `stall_seconds` ends it before
        `total_seconds` do. Raises what `fetch` raises, and `FetchFailed` too if the disk does not take the file.
        """
        try:
            async with asyncio.timeout(total_seconds), self._get(url, read_seconds=stall_seconds) as response:
                _check(response, max_bytes)
                async with FileSink(destination, max_bytes=max_bytes) as sink:
                    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                        await sink.write(chunk)
                return sink.size_bytes
        except DiskFailed as error:
            raise FetchFailed(f"the file cannot be written: {error.strerror}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _failure(error) from error

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], total_seconds: float = TOTAL_SECONDS
    ) -> Answer:
        """POST `body` and return the answer, whatever its status; a redirect is an answer too and is not followed.

        The answer must begin within `total_seconds`. Of its body at most 16 KiB are read, for at most 5 seconds;
        then the connection is closed. A body that breaks off does not take back the status.

        Raises `PostFailed` if there is no answer.
        """
        started = time.monotonic()
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(total_seconds):
                    target = read_target(url)
                    opened = self._open("POST", target, plain_http=False, read_seconds=None, body=body, headers=headers)
                    response = await stack.enter_async_context(opened)
            except FetchRefused as error:
                raise PostFailed(ErrorClass.NOT_ALLOWED, str(error)) from error
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise PostFailed(_classify(error), type(error).__name__) from error
            left_seconds = total_seconds - (time.monotonic() - started)
            excerpt = await _excerpt(response, min(left_seconds, EXCERPT_SECONDS))
            return Answer(
                status=response.status,
                retry_after_seconds=parse_retry_after(response.headers.get("Retry-After"), time.time()),
                excerpt=excerpt,
                elapsed_ms=round((time.monotonic() - started) * 1000),
            )

    @contextlib.asynccontextmanager
    async def _get(self, text: str, *, read_seconds: float) -> AsyncIterator[aiohttp.ClientResponse]:
        url, plain_http = read_target(text), True
        for _ in range(MAX_REDIRECTS + 1):
            async with self._open("GET", url, plain_http=plain_http, read_seconds=read_seconds) as response:
                if response.status not in _REDIRECTS:
                    yield response
                    return
                # From TLS back to plain HTTP only where the operator allows it.
                plain_http = url.scheme == "http"
                url = _next_hop(url, response)
        raise FetchRefused(f"more than {MAX_REDIRECTS} redirects")

    @contextlib.asynccontextmanager
    async def _open(
        self,
        method: str,
        url: URL,
        *,
        plain_http: bool,
        read_seconds: float | None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        reach = self._policy.reach(url, plain_http=plain_http)
        if reach is None:
            raise FetchRefused(f"{url.scheme}://{host_of(url)} is not allowed")
        response = await self._session(reach).request(
            method,
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=read_seconds),
        )
        try:
            yield response
        finally:
            response.close()  # not release: that may read on for a connection worth keeping, and none is kept

    def _session(self, reach: Reach) -> aiohttp.ClientSession:
        if reach not in self._sessions:
            connector = aiohttp.TCPConnector(
                socket_factory=self._guard(reach),
                resolver=self._resolver,
                use_dns_cache=False,
                ssl=self._tls,
                # Every request makes its own connection, so every one passes the guard, and no POST is lost on a
                # kept connection that the other side was just closing.
                force_close=True,
                limit=0,  # the callers' own concurrency is the bound; a queue here would eat into the time limits
            )
            self._sessions[reach] = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": f"Understudy/{version('understudy')}", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,  # neither proxies nor a .netrc of the process
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._sessions[reach]

    def _guard(self, reach: Reach) -> Callable[[_AddressInfo], socket.socket]:
        def make_socket(info: _AddressInfo) -> socket.socket:
            family, kind, protocol, _, address = info
            host, port = address[0], address[1]
            if not isinstance(host, str) or not isinstance(port, int) or not self._policy.permits(reach, host, port):
                raise AddressNotAllowed
            return socket.socket(family, kind, protocol)

        return make_socket


def _next_hop(url: URL, response: aiohttp.ClientResponse) -> URL:
    location = response.headers.get("Location")
    if location is None:
        raise FetchFailed(f"status {response.status} without a Location")
    return resolve_location(url, location)


def _check(response: aiohttp.ClientResponse, max_bytes: int) -> None:
    if not 200 <= response.status <= 299:
        raise FetchFailed(f"status {response.status}", status=response.status)
    encodings = {value.strip().lower() for value in response.headers.getall("Content-Encoding", ())}
    if encodings - {"", "identity"}:
        raise FetchRefused("the answer is compressed although it was asked for as it is")
    if response.content_length is not None and response.content_length > max_bytes:
        raise FetchTooLarge(f"{response.content_length} bytes are announced, {max_bytes} are allowed")


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    _check(response, max_bytes)
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise FetchTooLarge(f"more than {max_bytes} bytes")
    return bytes(body)


async def _excerpt(response: aiohttp.ClientResponse, seconds: float) -> bytes:
    body = bytearray()
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout(max(seconds, 0)):
            while len(body) < MAX_ANSWER_BYTES:
                chunk = await response.content.read(MAX_ANSWER_BYTES - len(body))
                if not chunk:
                    break
                body += chunk
    return bytes(body[:EXCERPT_BYTES])


def _failure(error: aiohttp.ClientError | OSError) -> FetchRefused | FetchFailed:
    error_class = _classify(error)
    text = f"{error_class} ({type(error).__name__})"
    return FetchRefused(text) if error_class is ErrorClass.NOT_ALLOWED else FetchFailed(text)


def _classify(error: aiohttp.ClientError | OSError) -> ErrorClass:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressNotAllowed):
        return ErrorClass.NOT_ALLOWED
    return next((error_class for kind, error_class in _CLASSES if isinstance(error, kind)), ErrorClass.PROTOCOL)
