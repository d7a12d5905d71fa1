"""A whole HTTP answer in memory, and how it leaves."""

from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from understudy.domain.status import envelope

Header = tuple[bytes, bytes]

JSON_TYPE: Final[Header] = (b"content-type", b"application/json")
NO_STORE: Final[Header] = (b"cache-control", b"no-store")
NOSNIFF: Final[Header] = (b"x-content-type-options", b"nosniff")
CLOSE: Final[Header] = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body; it is an ASGI application that sends itself. `content-length` is added."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; without its body to a HEAD request, but with the length it would have."""
        del receive
        headers = list(self.headers)
        if self.status not in {204, 304}:  # RFC 9110 §8.6: no length where there can be no body
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})


def json_answer(status: int, body: bytes, *headers: Header) -> Answer:
    """Return an answer with a JSON body that no cache may keep."""
    return Answer(status, body, (JSON_TYPE, NO_STORE, *headers))


def envelope_answer(status: int, message: str, data: object = None, *headers: Header) -> Answer:
    """Return the envelope whose `code` is the HTTP status (`contract.md` §1)."""
    return json_answer(status, envelope(status, message, data), *headers)


def text_header(name: str, value: str) -> Header:
    """Return a header from text; the value is printable ASCII."""
    return name.lower().encode("ascii"), value.encode("ascii")
