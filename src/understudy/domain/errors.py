"""The error tree.

UnderstudyError
├── Refusal                       a caller's request is not accepted; `api/errors.py` alone maps it to HTTP
│   ├── InvalidRequest            400, names the field
│   ├── Unauthenticated           401, one text for every cause
│   ├── Forbidden                 403
│   ├── NotFound                  404, one text for every cause
│   ├── Gone                      410, a result link past its life
│   ├── BodyTooLarge              413
│   ├── UnsupportedMediaType      415
│   ├── IdempotencyConflict       422
│   ├── RateLimited               429, too many in a minute
│   ├── ConcurrencyLimited        429, too many at once
│   └── Unavailable               503, before acceptance only
├── TaskFailure                   an accepted task must end `failed` with this fail code
├── BackendError                  a backend call went wrong (tree in `backends/base.py`)
└── OperatorError                 start-up ends with this one sentence
"""

from enum import StrEnum
from typing import NamedTuple


class FailCode(StrEnum):
    """Why a task failed (`contract.md` §5); an open set towards callers."""

    CONTENT_VIOLATION = "CONTENT_VIOLATION"
    INVALID_IMAGE_URL = "INVALID_IMAGE_URL"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    GENERATION_FAILED = "GENERATION_FAILED"
    PROCESSING_TIMEOUT = "PROCESSING_TIMEOUT"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    CANCELLED = "CANCELLED"


class UnderstudyError(Exception):
    """Root of everything this project raises on purpose."""


class Refusal(UnderstudyError):  # noqa: N818 - the field says "refusal"; every leaf is named for what it refuses
    """A request that is not accepted; nothing of it is kept."""


class InvalidRequest(Refusal):
    """The request breaks the contract; the sentence names the field and says what is allowed."""


class Unauthenticated(Refusal):
    """No valid key. It never says which of missing, malformed, unknown, revoked or expired it was."""


class Forbidden(Refusal):
    """The key, or the link's signature, does not open this."""


class NotFound(Refusal):
    """Unknown path, task or model, or another key's task: the caller cannot tell which."""


class Gone(Refusal):
    """A result link whose life is over, or whose file was deleted."""


class BodyTooLarge(Refusal):
    """The body is over the byte cap."""


class UnsupportedMediaType(Refusal):
    """The body is not `application/json`."""


class IdempotencyConflict(Refusal):
    """The idempotency key was used with another body."""


class RateState(NamedTuple):
    """How a bucket stands, for the `RateLimit` headers: `remaining` calls, full again in `reset_seconds`.

    A tuple for the reason of `TaskStatus`: one is made for every answer.
    """

    name: str
    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: int


class RateLimited(Refusal):
    """Too many requests in a minute. `retry_after` is in whole seconds, at least 1."""

    def __init__(self, message: str, *, retry_after: int, state: RateState) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.state = state


class ConcurrencyLimited(Refusal):
    """Too many tasks at once. `retry_after` is in whole seconds: a guess, since it depends on running tasks.

    `state` is the submit bucket's: it was taken from, although the limit met is the other one.
    """

    def __init__(self, message: str, *, retry_after: int, state: RateState) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.state = state


class Unavailable(Refusal):
    """Not now: the backlog is full or the database is away. `retry_after` is in whole seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TaskFailure(UnderstudyError):  # noqa: N818 - it is the task's end, not a fault of the program
    """An accepted task must end as `failed`.

    `message` is the caller's `failMsg`: a sentence for a person, free of upstream text, keys, hosts and addresses.
    `detail` is for the operator's log only.
    """

    def __init__(self, code: FailCode, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail


class OperatorError(UnderstudyError):
    """Something the operator set up cannot work; the text says in one sentence what, and how to mend it."""
