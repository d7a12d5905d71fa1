"""How one vendor speaks: the part of a scripted upstream that each vendor's module writes."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from tests.support.upstream.base.jobs import Job, Submission
from tests.support.upstream.base.wire import Answer, Request

CallName = Literal["submit", "poll", "result", "download", "cancel", "list", "check", "upload"]


@dataclass(frozen=True, slots=True)
class Call:
    """What a request is to the vendor. `job_id` is the job it speaks of, `file` the number of the file it fetches."""

    name: CallName
    job_id: str = ""
    file: int = 0


class Denied(Exception):  # noqa: N818 - what the vendor did with the submission
    """The submission is not accepted; `answer` is the vendor's own 4xx. Nothing is created."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Vendor(ABC):
    """One vendor. It keeps no jobs: `ScriptedUpstream` does, and asks this class how to read and how to answer.

    `kind` is the backend's kind and the module's name. `key_env` is the variable in which the backend looks for its
    key; `key` is what it finds there, and no text of ours may ever hold it. `model` is a model name that the vendor
    knows (empty: the backend's own default). `url_path` is appended to the server's address to make the setting `url`.

    `files_at` tells where films lie: "cdn" is a second origin (another port), which must never see the key, and whose
    links the server makes up; "origin" is the interface's own, where `route` finds the download and `file_path` names
    it.
    """

    kind: ClassVar[str]
    key_env: ClassVar[str]
    model: ClassVar[str] = ""
    url_path: ClassVar[str] = ""
    files_at: ClassVar[Literal["cdn", "origin"]] = "cdn"
    key: str = "canary-key-7f3a9c1e5b2d4860"

    def settings(self, address: str) -> dict[str, object]:
        """Return the table `[backends.NAME]` for a server at `address` (`http://127.0.0.1:PORT`)."""
        return {"kind": self.kind, "url": f"{address}{self.url_path}", "api_key_env": self.key_env}

    def environment(self) -> dict[str, str]:
        """Return the variables that the backend reads."""
        return {self.key_env: self.key}

    @abstractmethod
    def route(self, method: str, path: str) -> Call | None:
        """Tell which call a request is, from its method and its path without the query; None: the vendor has none."""

    @abstractmethod
    def unauthorized(self, request: Request) -> Answer | None:
        """Return the vendor's 401 if the request does not carry the key the way the vendor wants it, else None."""

    @abstractmethod
    def read_submission(self, request: Request) -> Submission:
        """Read a submission as strictly as the vendor does; raise `Denied` with the vendor's answer for a wrong one."""

    @abstractmethod
    def submitted(self, job: Job, address: str) -> Answer:
        """Answer a submission. `address` is the server's, for answers that hold addresses of their own."""

    @abstractmethod
    def polled(self, job: Job) -> Answer:
        """Answer a poll, from `job.phase`, `job.word`, `job.progress` and `job.links`."""

    @abstractmethod
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        """Answer as the vendor does where HTTP says `status`: 400, 401, 402, 403, 404, 410, 429, 500, 502, 503.

        404 and 410 on a submission mean that the model is gone, 402 that there is no money: where the vendor has
        another status for it, answer that one. `text` is put where the vendor puts its message.
        """

    @abstractmethod
    def refusal(self) -> Answer:
        """Answer a submission that moderation refuses, in the vendor's own words."""

    @abstractmethod
    def cancelled(self, job: Job) -> Answer:
        """Answer a cancellation; `job.cancelled` is set already."""

    def new_job_id(self) -> str:
        """Make up the id of a new job, in the vendor's form."""
        return f"job-{secrets.token_hex(12)}"

    def unknown_job(self) -> Answer:
        """Answer a call for a job that does not exist."""
        return self.error(404, "The job does not exist.")

    def result(self, job: Job) -> Answer:
        """Answer the GET of a result, for vendors that have one beside the poll."""
        return self.polled(job)

    def listed(self, jobs: Sequence[Job], query: Mapping[str, str]) -> Answer:
        """Answer a list, newest job first; `jobs` comes in that order."""
        del jobs, query
        return self.error(404, "There is no list.")

    def checked(self, path: str) -> Answer:
        """Answer what the backend's `check` asks for."""
        del path
        return self.error(404, "There is nothing to check.")

    def uploaded(self, request: Request, address: str) -> Answer:
        """Take a file that is uploaded before a submission names it. `address` is the server's."""
        del request, address
        return self.error(404, "There is nowhere to upload to.")

    def file_path(self, job: Job, file: int) -> str:
        """Return path and query of a film that lies at the interface's own origin."""
        raise NotImplementedError(f"{self.kind} keeps its files elsewhere: {job.id} {file}")

    def webhook(self, job: Job) -> tuple[bytes, dict[str, str]] | None:
        """Return body and headers of the webhook that tells how `job` stands; None if the vendor has none."""
        del job
        return None
