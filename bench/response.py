"""The least of HTTP/1.1 that a load generator needs: which status, and where the answer ends."""

import re
from typing import Final

MAX_HEAD_BYTES: Final = 64 * 1024

_HEAD_END: Final = b"\r\n\r\n"
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r]")
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_KEPT_BYTES: Final = 2048


class MalformedResponse(Exception):  # noqa: N818 - the field's word
    """What came is no answer of the kind we ask for: HTTP/1.1 with a `Content-Length`."""


class ResponseReader:
    """Reads answers one after the other; bodies are counted and dropped, but for the first 2 KiB of each."""

    __slots__ = ("_buffer", "_left", "_reading_body", "body_bytes", "head", "status")

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._reading_body = False
        self.status = 0
        """Of the last answer begun."""
        self.head = b""
        """Its head and the beginning of its body, for a message to a person."""
        self.body_bytes = 0
        """Of all answers so far."""

    def feed(self, data: bytes) -> list[int]:
        """Take what arrived; return the status of each answer that is now whole. Raises `MalformedResponse`."""
        whole: list[int] = []
        while True:
            if not self._reading_body:
                data = self._read_head(data)
                if not self._reading_body:
                    return whole
            if len(data) < self._left:
                self._left -= len(data)
                self.body_bytes += len(data)
                return whole
            self.body_bytes += self._left
            whole.append(self.status)
            data, self._left, self._reading_body = data[self._left :], 0, False
            if not data:
                return whole

    def _read_head(self, data: bytes) -> bytes:
        """Return what follows the head; keep everything while the head is not whole."""
        if self._buffer:
            data = self._buffer + data
        end = data.find(_HEAD_END)
        if end < 0:
            if len(data) > MAX_HEAD_BYTES:
                raise MalformedResponse("the head of an answer does not end")
            self._buffer = data
            return b""
        self._buffer = b""
        status, length = _STATUS.match(data), _LENGTH.search(data, 0, end + 2)
        if status is None or length is None:
            raise MalformedResponse(f"no answer of HTTP/1.1 with a length: {data[:200]!r}")
        self.status, self._left, self._reading_body = int(status[1]), int(length[1]), True
        self.head = data[:_KEPT_BYTES]
        return data[end + 4 :]
