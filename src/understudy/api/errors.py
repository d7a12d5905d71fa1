"""The one mapping from errors to HTTP answers (`contract.md` §5). Every one of them is the envelope."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from understudy.api.answers import CLOSE, Answer, Header, envelope_answer, text_header
from understudy.domain.errors import (
    BodyTooLarge,
    ConcurrencyLimited,
    Forbidden,
    Gone,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    RateLimited,
    RateState,
    Refusal,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from understudy.limits import rate


class BodyTimeout(Refusal):
    """The body did not arrive in time."""


class PreconditionFailed(Refusal):
    """An `If-Match` names another version of the file."""


class RangeNotSatisfiable(Refusal):
    """The range lies outside the file. `size` is the file's length in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The range is outside the file of {size} bytes")
        self.size = size


STATUS_OF: Final[Mapping[type[Refusal], int]] = {
    InvalidRequest: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    BodyTimeout: 408,
    Gone: 410,
    PreconditionFailed: 412,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    RangeNotSatisfiable: 416,
    IdempotencyConflict: 422,
    RateLimited: 429,
    ConcurrencyLimited: 429,
    Unavailable: 503,
}
"""Every refusal and its status."""

INVALID_REQUEST: Final = "Invalid request"
UNAUTHENTICATED: Final = "Invalid or missing API key"
INTERNAL_ERROR: Final = "Internal server error"

_PHRASES: Final[Mapping[int, str]] = {404: "Not found", 405: "Method not allowed"}


def refusal_answer(refusal: Refusal) -> Answer:
    """Return the answer to a request that is not accepted."""
    status = STATUS_OF[next(kind for kind in type(refusal).__mro__ if kind in STATUS_OF)]
    if status == HTTPStatus.BAD_REQUEST:
        return envelope_answer(status, INVALID_REQUEST, {"error": str(refusal)})
    if status == HTTPStatus.UNAUTHORIZED:
        return envelope_answer(status, UNAUTHENTICATED, None, (b"www-authenticate", b"Bearer"))
    return envelope_answer(status, str(refusal), None, *_headers(refusal))


def _headers(refusal: Refusal) -> list[Header]:
    headers: list[Header] = []
    if isinstance(refusal, RateLimited | ConcurrencyLimited | Unavailable):
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if isinstance(refusal, RateLimited | ConcurrencyLimited):
        headers += rate_headers(refusal.state)
    if isinstance(refusal, RangeNotSatisfiable):
        headers.append((b"content-range", b"bytes */%d" % refusal.size))
    if isinstance(refusal, BodyTooLarge | BodyTimeout):
        headers.append(CLOSE)  # what is left of the body would be read as the next request
    return headers


def rate_headers(state: RateState) -> list[Header]:
    """Return how a bucket stands, as headers."""
    return [text_header(name, value) for name, value in rate.headers(state).items()]


def status_answer(status: int, *headers: Header) -> Answer:
    """Return the answer to what the router itself turns away: 404, 405 and their like."""
    return envelope_answer(status, _PHRASES.get(status) or HTTPStatus(status).phrase, None, *headers)


def method_not_allowed(*allowed: str) -> Answer:
    """Return the 405 that names the methods allowed (RFC 9110 §15.5.6)."""
    return status_answer(405, text_header("allow", ", ".join(allowed)))


def crash_answer(request_id: str) -> Answer:
    """Return the 500: a request id to ask the operator about, and nothing of what went wrong."""
    return envelope_answer(500, INTERNAL_ERROR, {"requestId": request_id})
