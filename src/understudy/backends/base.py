"""The backend interface: submit, poll, collect, cancel; and the errors that decide about money.

BackendError
├── NotCreated        proved: the call created nothing; another attempt is safe
│   ├── Busy          no place now; the task waits `pending`
│   └── Refused       refused for good, with the fail code for the caller (content, bad input)
├── Ambiguous         the call may have created a job: never sent again (`reliability.md` §3.2)
└── CollectFailed     the job's video could not be had this time; collecting again is safe
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode, UnderstudyError
from understudy.domain.ids import AttemptId
from understudy.sandbox.runner import Sandbox


class BackendError(UnderstudyError):
    """A call to a backend went wrong; the text is for the operator's log."""


class NotCreated(BackendError):  # noqa: N818 - named for the proof it carries
    """Nothing was created, and that is certain."""


class Busy(NotCreated):
    """There is no place for another job. `retry_after_seconds` is when to ask again."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Refused(NotCreated):
    """The request was refused for good. `message` is the caller's sentence, not the upstream's."""

    def __init__(self, code: FailCode, message: str, *, detail: str = "") -> None:
        super().__init__(detail or message)
        self.code = code
        self.message = message


class Ambiguous(BackendError):  # noqa: N818 - the field's word for an outcome nobody knows
    """The job may exist."""


class CollectFailed(BackendError):  # noqa: N818 - an outcome, as in `JobStatus`
    """The finished video could not be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What is asked of a backend. `seconds` of film at `size`; `picture` is an image re-encoded by us."""

    attempt_id: AttemptId
    prompt: str
    size: Size
    seconds: int
    seed: int
    picture: Path | None = None


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
class Traits:
    """Facts about a backend that the workflow needs.

    `free_to_repeat`: a job costs nothing and its death is certain when it is not found, so that the same task may be
    submitted anew. `procedural`: the pictures are drawn by rules, not by a trained model.
    """

    first_poll_seconds: float
    poll_seconds: float
    free_to_repeat: bool = False
    procedural: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a backend may use. `wake` is told a backend's name when one of its jobs ends."""

    sandbox: Sandbox
    work_dir: Path
    processes: int
    wake: Callable[[str], None]


class Backend(ABC):
    """One upstream. All calls are safe to repeat but `submit`, which is called once for each attempt."""

    name: str
    traits: Traits

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
        """Start a job and return its id. Raises `NotCreated` or `Ambiguous`; anything else counts as ambiguous."""

    @abstractmethod
    async def poll(self, job_id: str) -> JobStatus:
        """Tell how a job stands. Raises `BackendError` if the upstream does not answer; asking again is safe."""

    @abstractmethod
    async def collect(self, job_id: str, destination: Path) -> None:
        """Write the finished video to `destination`. Raises `CollectFailed`."""

    @abstractmethod
    async def cancel(self, job_id: str) -> bool:
        """Stop a job; True if it is certain that it stopped."""

    async def forget(self, job_id: str) -> None:
        """Drop what is kept of a job whose video is stored or no longer wanted."""
        del job_id

    @abstractmethod
    async def check(self) -> str:
        """Return a few words on the backend's state for `doctor`; raises `BackendError` if it does not answer."""

    async def close(self) -> None:
        """End what runs."""
        return
