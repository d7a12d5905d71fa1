"""What uvicorn leaves open at the level of connections (`reliability.md` §7.4, N6 and N7).

Its httptools protocol has no limit on the size of a request's head or on the time it may take, none on how long a
reader may stall, and answers malformed HTTP in plain text. Pass `HttpProtocol` as `http=` to `uvicorn.Config`.
"""

import asyncio
from typing import Any, Final

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from understudy.api.answers import CLOSE, JSON_TYPE, NO_STORE, NOSNIFF
from understudy.api.errors import INVALID_REQUEST
from understudy.api.guard import new_request_id
from understudy.domain.status import envelope

MAX_HEAD_BYTES: Final = 32 * 1024
MAX_HEADERS: Final = 100

_log = structlog.get_logger(__name__)


class HeadTooLarge(Exception):  # noqa: N818 - raised through the parser, which only knows that a callback failed
    """The request line and headers are over their limits."""


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits.

    `head_seconds` is how long a request's head may take to arrive, and how long a new connection may stay silent;
    `stall_seconds` is how long a reader may take to free room in the send buffer (64 KiB).
    """

    head_seconds: float = 15.0
    stall_seconds: float = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._head_open = True
        self._head_began = False
        self._later_bytes = 0
        self._head_too_large = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        for timer in (self._head_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; refuse a head that is too large before it is whole."""
        self._head_began = False
        super().data_received(data)
        # The parser keeps an unfinished line to itself and tells of it when it is whole. Where in its first piece of
        # data a head began is not told either, so the count begins with the second.
        if self._head_open and not self._head_began:
            self._later_bytes += len(data)
            if self._later_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._head_too_large = True
                self.send_400_response("")
        self._watch_head()

    def _watch_head(self) -> None:
        if not self._head_open and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        elif self._head_open and self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self._head_bytes, self._later_bytes = 0, 0
        self._head_open = self._head_began = True

    def on_url(self, url: bytes) -> None:
        """Count the request line; it comes in pieces."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header line."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._head_too_large = True
            raise HeadTooLarge

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._head_too_large = True
            raise HeadTooLarge

    def on_headers_complete(self) -> None:
        """End the count."""
        self._head_open = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, or too much of it, and close."""
        del msg
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever its type says
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # in the middle of an answer there is no place for another
            return
        status, message, error = 400, INVALID_REQUEST, "the request is not valid HTTP/1.1"
        if self._head_too_large:
            status, message = 431, "Request header fields too large"
            error = f"the request line and headers must be at most {MAX_HEAD_BYTES} bytes in {MAX_HEADERS} lines"
        body = envelope(status, message, {"error": error})
        request_id = new_request_id()
        _log.info("request_malformed", request_id=request_id, status=status)
        headers = [
            *self.server_state.default_headers,
            JSON_TYPE,
            NO_STORE,
            NOSNIFF,
            CLOSE,
            (b"x-request-id", request_id.encode("ascii")),
            (b"content-length", b"%d" % len(body)),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + body)
        self.transport.close()

    def pause_writing(self) -> None:
        """Begin to wait for a reader that does not read."""
        super().pause_writing()
        # Closing would first wait for the buffer to drain, for ever.
        self._stall_timer = self._stall_timer or self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader reads."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()
