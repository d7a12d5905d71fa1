"""What is kept beside a task: keys, attempts, assets, deliveries. Times are Unix milliseconds, UTC."""

from dataclasses import dataclass
from enum import StrEnum

from understudy.domain.ids import AssetId, AttemptId, DeliveryId, KeyId, TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key without its secret: that is kept only as `key_hash`, 32 bytes of HMAC-SHA256.

    A limit of None follows the server's setting. `hint` is the last four characters, for display.
    """

    id: KeyId
    name: str
    key_hash: bytes
    hint: str
    created_at_ms: int
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None
    requests_per_minute: int | None = None
    concurrent_tasks: int | None = None
    active_tasks: int = 0

    def usable_at(self, now_ms: int) -> bool:
        """Tell whether the key opens anything at `now_ms`."""
        return self.revoked_at_ms is None and (self.expires_at_ms is None or now_ms < self.expires_at_ms)


class AttemptState(StrEnum):
    """How one submission to a backend stands (`reliability.md` §3.2)."""

    SUBMITTING = "submitting"  # committed before the call: after a crash nobody knows whether it arrived
    SUBMITTED = "submitted"  # the backend gave a job id
    NOT_CREATED = "not_created"  # proved: nothing was created, so another attempt is safe
    UNKNOWN = "unknown"  # may have been created; never sent again
    LOST = "lost"  # was created and is proved to be gone without a bill
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"  # its task has ended; the job may still go on, and be billed
    LATE = "late"  # it succeeded after its task had ended: the operator's loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One submission of a task to a backend, made under the task's `claim`.

    `job_id` is the upstream's own name for it and `model` its name for the model. `generate_width` and
    `generate_height` are the pixels that were asked of it; `remark` says what was done to the film to make it what the
    caller wanted. `settled_at_ms`: when an operator dealt with an attempt whose outcome nobody knew.
    """

    id: AttemptId
    task_id: TaskId
    backend: str
    state: AttemptState
    request_sha256: str
    started_at_ms: int
    job_id: str | None = None
    ended_at_ms: int | None = None
    detail: str | None = None
    model: str | None = None
    generate_width: int | None = None
    generate_height: int | None = None
    claim: int = 0
    remark: str | None = None
    settled_at_ms: int | None = None


class AssetKind(StrEnum):
    """What stored bytes are to a task."""

    INPUT = "input"
    OUTPUT = "output"
    ORIGINAL = "original"  # the upstream's own bytes, where the output had to be made from them
    POSTER = "poster"
    THUMBNAIL = "thumbnail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Stored bytes: where, what, how many, and until when. `position` counts a task's outputs from 0.

    `width` and `height` are in pixels.
    """

    id: AssetId
    task_id: TaskId
    kind: AssetKind
    position: int
    storage_key: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    created_at_ms: int
    expires_at_ms: int
    deleted_at_ms: int | None = None


class DeliveryState(StrEnum):
    """How telling a callback stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One finished task to one callback. `body` is frozen: every attempt sends these very bytes."""

    id: DeliveryId
    task_id: TaskId
    key_id: KeyId
    url: str
    body: bytes
    state: DeliveryState
    created_at_ms: int
    next_at_ms: int | None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One POST to a callback. `status` is None when there was no HTTP answer; `error` then names its class."""

    delivery_id: DeliveryId
    number: int
    started_at_ms: int
    elapsed_ms: int
    status: int | None
    error: str | None
    excerpt: bytes = b""
