"""The backend interface: fit, submit, poll, collect, cancel, find; and the errors that decide about money.

BackendError
├── NotCreated        proved: the call created nothing, so another attempt is safe, here or elsewhere
│   ├── Busy          too many or too fast (429): the task waits `pending`, the backend is slowed down
│   ├── Refused       refused for good, with the fail code for the caller (content, a picture it cannot read)
│   ├── BadInput      this backend does not take this request; another one may
│   └── Unusable      no request will pass until the operator acts (key, money, model)
├── Ambiguous         the call may have created a job: never sent again (`reliability.md` §3.2)
├── CannotPlay        this size, length or mode is not in the backend's power: told before anything is sent
├── PollFailed        the upstream did not tell how a job stands; asking again is safe
│   └── AnswerTooLong it told more than a call may read
└── CollectFailed     the job's video could not be had this time; collecting again is safe
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode, UnderstudyError
from understudy.domain.ids import AttemptId
from understudy.outbound.client import OutboundClient
from understudy.sandbox.runner import Sandbox


class BackendError(UnderstudyError):
    """A call to a backend went wrong; the text is for the operator's log and holds no secret."""


class NotCreated(BackendError):  # noqa: N818 - named for the proof it carries
    """Nothing was created, and that is certain: the request never left, or was refused as a whole."""


class Busy(NotCreated):
    """There is no place for another job. `retry_after_seconds` is what the upstream asked for, if it did."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Refused(NotCreated):
    """The request was refused for good. `message` is the caller's sentence, not the upstream's."""

    def __init__(self, code: FailCode, message: str, *, detail: str = "") -> None:
        super().__init__(detail or message)
        self.code = code
        self.message = message


class BadInput(NotCreated):
    """This backend does not accept the request as it is. No fault of the backend: its health is not affected."""


class Unusable(NotCreated):
    """Nothing will pass until the operator acts: 401, 402, 403, 404 or 410. `poll` and `check` raise it too."""


class Ambiguous(BackendError):  # noqa: N818 - the field's word for an outcome nobody knows
    """The job may exist."""


class CannotPlay(BackendError):  # noqa: N818 - a verdict, as in `Refused`
    """The backend cannot make such a film; the text says what it can."""


class PollFailed(BackendError):  # noqa: N818 - an outcome, as in `JobStatus`
    """The upstream does not answer, or not in a way that can be read. `retry_after_seconds` is what it asked for."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class AnswerTooLong(PollFailed):
    """The answer is longer than a call may read (`http.MAX_BODY_BYTES`), as one is that holds a film."""


class CollectFailed(BackendError):  # noqa: N818 - an outcome, as in `JobStatus`
    """The finished video could not be fetched.

    `hopeless`: the upstream answered, and what it gave is no video (no file, a login page, a forbidden address): asked
    a few times more, not until the deadline.
    """

    def __init__(self, message: str, *, hopeless: bool = False) -> None:
        super().__init__(message)
        self.hopeless = hopeless


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The film that a task asks for: `size` and `seconds` as the caller gets them.

    `model` is the upstream's name for the model, as the route says; empty: the backend's own choice. `picture` tells
    whether there is a first frame.
    """

    model: str
    size: Size
    seconds: int
    picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a backend plays what is wanted: `size` is what it will generate, as near as can be told beforehand.

    Where it differs from the size that is wanted the film is scaled and cropped by us, and the task's record says so.
    """

    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What is asked of a backend.

    `wanted` is the caller's film, `generate` the size from the backend's own `Fit`. `picture` is a JPEG made by us, of
    exactly `generate` pixels. `webhook_url`, if there is one, may be given to the upstream: it is ours, unguessable,
    and belongs to this attempt alone.
    """

    attempt_id: AttemptId
    prompt: str
    wanted: Wanted
    generate: Size
    seed: int
    picture: Path | None = None
    webhook_url: str | None = None

    @property
    def short_seed(self) -> int:
        """The seed in 31 bits, 0 to 2**31 - 1: the smallest range among vendors that name one."""
        return self.seed % 2**31


@dataclass(frozen=True, slots=True)
class Running:
    """The job goes on; `progress` is 0 to 100 if the upstream tells one."""

    progress: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The job's video can be collected."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended without a video. `message` is the caller's sentence; `detail` the operator's."""

    code: FailCode
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Vanished:
    """The upstream knows no such job."""


JobStatus = Running | Finished | Failed | Vanished


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAttempt:
    """An attempt whose answer was lost: what `find` looks for. Times are Unix milliseconds.

    `taken` holds the job ids that belong to other attempts at this backend: a job is never given to two.
    """

    attempt_id: AttemptId
    prompt: str
    wanted: Wanted
    generate: Size
    started_at_ms: int
    taken: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Facts about a backend that the workflow needs.

    `polls_at_once` bounds its concurrent polls; `max_jobs` its open jobs (None: the upstream queues by itself).
    `free_to_repeat`: a job costs nothing and its death is certain when it is not found, so that the same task may be
    submitted anew. `procedural`: the pictures are drawn by rules, not by a trained model. `webhooks`: the upstream
    calls an address back. `reconcile_seconds`: how long an attempt whose answer was lost may be found by `find` or by
    the upstream's webhook; 0 says that neither exists. `vanish_after`: so many polls in a row must find no job.
    """

    first_poll_seconds: float
    poll_seconds: float
    polls_at_once: int = 64
    max_jobs: int | None = None
    free_to_repeat: bool = False
    procedural: bool = False
    webhooks: bool = False
    reconcile_seconds: float = 0
    vanish_after: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a backend may use.

    `wake` is told a backend's name when one of its jobs ends. `outbound` fetches results from addresses that an
    upstream names. `read_env` reads a variable of the environment, None if it is not set.
    """

    sandbox: Sandbox
    work_dir: Path
    processes: int
    wake: Callable[[str], None]
    outbound: OutboundClient
    read_env: Callable[[str], str | None]


class Backend(ABC):
    """One upstream. All calls are safe to repeat but `submit`, which is called once for each attempt."""

    name: str
    traits: Traits

    @abstractmethod
    def fit(self, wanted: Wanted) -> Fit:
        """Tell how this backend plays it. Raises `CannotPlay`; a length or a shape is never rounded in silence."""

    def reserve(self) -> bool:
        """Take a place for one job; False means that there is none now and the task waits `pending`.

        The place is given back when the job ends, or by `release` if it is never submitted.
        """
        return True

    def release(self) -> None:
        """Give back a place that `reserve` took and `submit` never used."""
        return

    @abstractmethod
    async def submit(self, request: JobRequest) -> str:
        """Start a job and return its id: any text of at most 4,096 characters that `poll` understands later.

        Raises `NotCreated` or `Ambiguous`; anything else counts as ambiguous.
        """

    @abstractmethod
    async def poll(self, job_id: str) -> JobStatus:
        """Tell how a job stands. Raises `PollFailed` or `Unusable`; asking again is safe."""

    @abstractmethod
    async def collect(self, job_id: str, destination: Path) -> None:
        """Write the finished video to `destination`. Raises `CollectFailed`."""

    @abstractmethod
    async def cancel(self, job_id: str) -> bool:
        """Stop a job; True if it is certain that it stopped and is not billed. Raises `BackendError`."""

    async def find(self, lost: LostAttempt) -> str | None:
        """Return the id of the job that a lost attempt created, if the upstream lets it be recognized without doubt.

        None is no proof that there is none. Raises `PollFailed`.
        """
        del lost
        return None

    def job_of_webhook(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return the id of the job that an upstream's webhook speaks of, None if it tells none. Never raises."""
        del body, headers
        return None

    async def forget(self, job_id: str) -> None:
        """Drop what is kept of a job whose video is stored or no longer wanted."""
        del job_id

    @abstractmethod
    async def check(self) -> str:
        """Return a few words on the backend's state for `doctor`, asking the upstream. Raises `BackendError`."""

    async def close(self) -> None:
        """End what runs."""
        return
