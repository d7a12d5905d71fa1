"""One upstream's HTTP interface: a paid call is sent once, every other one may be sent again; all are bounded.

The address is the operator's and trusted; what comes back is not: bodies are capped, time is limited as a whole (a
server that drips bytes never trips a read timeout), and no text that leaves here holds the key.
"""

import asyncio
import functools
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson
from pydantic import SecretStr
from yarl import URL

from understudy import __version__
from understudy.backends.base import Ambiguous, AnswerTooLong, CollectFailed, NotCreated, PollFailed
from understudy.backends.options import BackendOptions
from understudy.outbound.client import OutboundClient
from understudy.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge
from understudy.outbound.file_sink import FileSink
from understudy.outbound.retry_after import parse_retry_after
from understudy.outbound.trusted import TrustedClient

CONNECT_SECONDS: Final = 10.0
STALL_SECONDS: Final = 30.0
MAX_BODY_BYTES: Final = 4 * 1024**2
MAX_HOPS: Final = 3
MAX_TEXT: Final = 300
_OWN_HEADERS: Final = {"User-Agent": f"Understudy/{__version__}", "Accept-Encoding": "identity"}

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
"""Raised before the first byte of a request is written on a new connection: name, connection or TLS failed."""


class _TooLong(Exception):  # noqa: N818 - private signal, turned into the caller's own error
    """The body is longer than we read."""


class _Packed(Exception):  # noqa: N818 - the same
    """The body is packed in a way that we do not unpack."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status. `headers` have lower-case names; `retry_after_seconds` is 0 or more."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299

    def json(self) -> object:
        """Return the JSON value of the body, None if it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def table(self) -> dict[str, Any]:
        """Return the JSON object of the body; empty if it is anything else."""
        return read_table(self.body)


def read_table(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`, as of an answer or of a webhook; empty if it is anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class UpstreamApi:
    """The client of one backend. `headers` carry the authorization and go to the base address's origin only."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        secrets: tuple[SecretStr, ...],
        options: BackendOptions,
        outbound: OutboundClient,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._origin = URL(self.base_url).origin()
        self._headers = dict(headers)
        self._secrets = tuple(secret.get_secret_value() for secret in secrets)
        self._options = options
        self._outbound = outbound
        # TCP and TLS may take so long each, and both end before the call as a whole does: cut by that, a submission
        # that was never written would count as one whose answer was lost.
        connect_seconds = min(CONNECT_SECONDS, options.call_seconds / 3)
        timeout = httpx2.Timeout(connect=connect_seconds, read=None, write=None, pool=None)
        common: dict[str, Any] = {
            "timeout": timeout,
            "follow_redirects": False,
            "trust_env": False,
            "verify": _tls(),
            "proxy": options.proxy or None,
            "headers": _OWN_HEADERS,
        }
        # A paid call never goes out on a kept connection: if the other side is just closing it, nobody could tell
        # whether the call arrived.
        self._once = httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=0), **common)
        self._again = httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None), **common)
        # Polls are most of what is sent, so their client is the cheap one.
        self._polls = TrustedClient(
            headers=_OWN_HEADERS, tls=_tls(), proxy=options.proxy, connect_seconds=connect_seconds
        )

    async def close(self) -> None:
        """End every connection."""
        await self._once.aclose()
        await self._again.aclose()
        await self._polls.close()

    def hide(self, text: str) -> str:
        """Return `text` fit for a log: without the backend's secrets, on one line, at most 300 characters."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return " ".join(text.split())[:MAX_TEXT]

    async def submit(
        self,
        path: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """POST once, on a connection of its own.

        `form` goes as multipart/form-data, together with `files` (field: file name, bytes, media type).
        Raises `NotCreated` if the request was never written, `Ambiguous` for everything else that is no answer.
        """
        try:
            request = self._request(path, json=json, form=form, files=files, headers=headers)
        except (PollFailed, httpx2.InvalidURL, TypeError, ValueError) as error:
            raise NotCreated(self.hide(f"the request cannot be written: {_words(error)}")) from None
        try:
            async with asyncio.timeout(self._options.call_seconds):
                return await self._send(self._once, request)
        except _NOT_SENT as error:
            raise NotCreated(self.hide(f"no connection: {_words(error)}")) from None
        except (httpx2.HTTPError, TimeoutError, OSError, _TooLong, _Packed) as error:
            raise Ambiguous(self.hide(f"the answer was lost: {_words(error)}")) from None

    async def ask(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a call that is safe to repeat; `path` may be a whole address of the same origin.

        Raises `PollFailed` if there is no answer, `AnswerTooLong` if it is longer than 4 MiB.
        """
        url = self._own(path)
        given = {**self._headers, **(headers or {})}
        body = None
        if json is not None:
            body, given["Content-Type"] = orjson.dumps(json), "application/json"
        try:
            async with asyncio.timeout(self._options.call_seconds):
                answer = await self._polls.call(method, url, headers=given, body=body, max_bytes=MAX_BODY_BYTES)
            plain = _unpack(answer.body, answer.headers.get("content-encoding", ""))
        except (FetchTooLarge, _TooLong) as error:
            raise AnswerTooLong(self.hide(f"no answer: {_words(error)}")) from None
        except (FetchFailed, TimeoutError, _Packed) as error:
            raise PollFailed(self.hide(f"no answer: {_words(error)}")) from None
        return Reply(answer.status, answer.headers, plain, _retry_after(answer.headers))

    async def download(self, address: str, destination: Path) -> None:
        """Write what `address` holds to `destination`, whole or not at all.

        The key goes only to the backend's own origin, hops of a redirect included; any other address passes the guard
        for strangers' addresses, unless its host is one of `result_hosts`. Raises `CollectFailed`.
        """
        try:
            async with asyncio.timeout(self._options.download_seconds):
                await self._download(self._absolute(address), destination)
        except FetchRefused as error:
            raise CollectFailed(self.hide(f"the result's address is not allowed: {error}"), hopeless=True) from None
        except FetchTooLarge as error:
            raise CollectFailed(self.hide(f"the result is too large: {error}"), hopeless=True) from None
        except FetchFailed as error:
            raise CollectFailed(
                self.hide(f"the result was not fetched: {error}"), hopeless=_gone(error.status)
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, ValueError) as error:
            raise CollectFailed(self.hide(f"the result was not fetched: {_words(error)}")) from None

    async def _download(self, url: URL, destination: Path) -> None:
        for _ in range(MAX_HOPS + 1):
            if not self._trusted(url):
                await self._outbound.download(
                    str(url),
                    destination,
                    max_bytes=self._options.result_bytes,
                    total_seconds=self._options.download_seconds,
                    stall_seconds=STALL_SECONDS,
                )
                return
            location = await self._download_trusted(url, destination)
            if location is None:
                return
            url = url.join(URL(location))
        raise CollectFailed(f"more than {MAX_HOPS} redirects", hopeless=True)

    async def _download_trusted(self, url: URL, destination: Path) -> str | None:
        """Fetch from the backend's own origin or a host that the operator named; return where it redirects to."""
        request = self._again.build_request("GET", str(url), headers=self._headers_for(url))
        request.extensions["timeout"] = httpx2.Timeout(CONNECT_SECONDS, read=STALL_SECONDS).as_dict()
        reply = await self._again.send(request, stream=True)
        try:
            if reply.is_redirect:
                return reply.headers.get("location", "")
            if reply.status_code != HTTPStatus.OK:
                text = f"the result was answered with status {reply.status_code}"
                raise CollectFailed(text, hopeless=_gone(reply.status_code))
            if reply.headers.get("content-encoding", "identity").lower() != "identity":
                raise CollectFailed("the result came compressed although asked for as it is", hopeless=True)
            async with FileSink(destination, max_bytes=self._options.result_bytes) as sink:
                async for chunk in reply.aiter_raw(64 * 1024):
                    await sink.write(chunk)
        finally:
            await reply.aclose()
        return None

    def _trusted(self, url: URL) -> bool:
        if url.origin() == self._origin:
            return True
        hosts = {host.lower() for host in self._options.result_hosts}
        return bool(hosts & {(url.host or "").lower(), f"{url.host}:{url.port}".lower()})

    def _headers_for(self, url: URL) -> dict[str, str]:
        return self._headers if url.origin() == self._origin else {}

    def _absolute(self, path: str) -> URL:
        return URL(path) if path.startswith(("http://", "https://")) else URL(f"{self.base_url}/{path.lstrip('/')}")

    def _own(self, path: str) -> URL:
        """Return the address of a call. Raises `PollFailed` for another origin than the backend's."""
        url = self._absolute(path)
        if url.origin() != self._origin:
            # An address that an upstream handed us must not carry its key to somebody else.
            raise PollFailed(self.hide(f"{url.origin()} is not the backend's own address"))
        return url

    def _request(
        self,
        path: str,
        *,
        json: object,
        form: Mapping[str, str] | None,
        files: Mapping[str, tuple[str, bytes, str]] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx2.Request:
        url = str(self._own(path))
        given = {**self._headers, **(headers or {})}
        if form is None:
            given["Content-Type"] = "application/json"
            return self._once.build_request("POST", url, content=orjson.dumps(json), headers=given)
        parts: list[tuple[str, Any]] = [(name, (None, value.encode())) for name, value in form.items()]
        parts += list((files or {}).items())
        return self._once.build_request("POST", url, files=parts, headers=given)

    async def _send(self, client: httpx2.AsyncClient, request: httpx2.Request) -> Reply:
        reply = await client.send(request, stream=True)
        try:
            body = await _read(reply)
        finally:
            await reply.aclose()
        headers = {name.lower(): text for name, text in reply.headers.items()}
        return Reply(reply.status_code, headers, body, _retry_after(headers))


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return the one TLS context: reading the authorities takes 30 ms, and every client would do it anew."""
    return httpx2.create_ssl_context(trust_env=False)


async def _read(reply: httpx2.Response) -> bytes:
    """Read the raw body up to the cap, and unpack it."""
    body = bytearray()
    async for chunk in reply.aiter_raw(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _TooLong(f"more than {MAX_BODY_BYTES} bytes")
    return _unpack(bytes(body), reply.headers.get("content-encoding", ""))


def _unpack(body: bytes, encoding: str) -> bytes:
    """Unpack gzip, which some front servers send unasked, up to the cap of a body that is not packed."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise _Packed(f"packed as {encoding}")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise _Packed("not valid gzip") from error
    if unpacker.unconsumed_tail:
        raise _TooLong(f"unpacks to more than {MAX_BODY_BYTES} bytes")
    return plain


def _words(error: Exception) -> str:
    """Return an error's own words; some have none, and then its kind says most."""
    return str(error) or {"TimeoutError": "no answer in time"}.get(type(error).__name__, type(error).__name__)


def _gone(status: int | None) -> bool:
    """Tell whether a download's status says that there is no film there, rather than none just now."""
    return status is not None and 400 <= status <= 499 and status not in (408, 425, 429)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= 9:
        return int(milliseconds) / 1000
    return parse_retry_after(headers.get("retry-after"), time.time())
