"""The jobs of a scripted upstream, and what goes wrong with single ones."""

import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Phase(Enum):
    """How a job stands; the vendor has its own word for each."""

    QUEUED = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()  # the vendor's own fault
    REFUSED = auto()  # ended by moderation, in the vendor's own words
    CANCELLED = auto()


class Mishap(Enum):
    """What goes wrong with one job."""

    VANISHES = auto()  # created, but unknown at every poll
    NEVER_ENDS = auto()
    GOES_BACK = auto()  # done once, then running again, then done for good
    UNKNOWN_WORD = auto()  # a status word that nobody has heard of, until it is done
    FAILS = auto()
    REFUSED = auto()  # the moderation looks at the finished film
    NO_FILE = auto()  # done, and no file anywhere
    TWO_FILES = auto()  # done, with a second file that is not the film
    EXPIRED_LINK = auto()  # the first link answers 403; one from a later poll works
    PRIVATE_LINK = auto()  # the link leads into the private network
    LOGIN_PAGE = auto()  # the file redirects to a page in HTML
    WRONG_MEDIA = auto()  # a PNG where the film should be
    TRUNCATED = auto()  # half of the film, announced as such
    WRONG_LENGTH = auto()  # half of the film, the whole length announced


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a job goes: `polls` unfinished answers, or `seconds` of time if given; then it is done.

    `mishap` is what goes wrong, None for a job that goes well.
    """

    polls: int = 1
    seconds: float | None = None
    mishap: Mishap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a submission asked for, as the vendor's fake understood it. `fields` holds the body's own fields."""

    prompt: str
    model: str = ""
    seconds: float | None = None
    picture: bytes | None = None
    webhook: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Job:
    """One job. `created_at` is Unix time. The vendor reads `phase`, `progress`, `word` and `links` when it renders.

    `word` is a status word to send instead of the vendor's own, None usually. `links` are the addresses of the files,
    empty until the job is done.
    """

    id: str
    submission: Submission
    plan: Plan
    created_at: float = field(default_factory=time.time)
    polls: int = 0
    cancelled: bool = False
    phase: Phase = Phase.QUEUED
    word: str | None = None
    links: tuple[str, ...] = ()
    issue: int = 0
    """How often links were made for it; a link carries the number."""
    stale_before: int = 0
    """Links of earlier issues have expired."""

    @property
    def progress(self) -> int:
        """0 to 100."""
        if self.phase is Phase.DONE:
            return 100
        return 0 if self.phase is Phase.QUEUED else min(99, 10 + 10 * self.polls)

    def advance(self) -> None:
        """Count a poll and bring `phase` and `word` up to date."""
        self.polls += 1
        self.phase = self._phase()
        unknown = self.plan.mishap is Mishap.UNKNOWN_WORD and self.phase in (Phase.QUEUED, Phase.RUNNING)
        self.word = "recalibrating" if unknown else None

    def _phase(self) -> Phase:
        mishap = self.plan.mishap
        if self.cancelled:
            return Phase.CANCELLED
        back = mishap is Mishap.GOES_BACK and self.polls == self.plan.polls + 2
        if back or mishap is Mishap.NEVER_ENDS or not self._over():
            return Phase.QUEUED if self.polls == 1 else Phase.RUNNING
        if mishap is Mishap.FAILS:
            return Phase.FAILED
        return Phase.REFUSED if mishap is Mishap.REFUSED else Phase.DONE

    def _over(self) -> bool:
        if self.plan.seconds is not None:
            return time.time() >= self.created_at + self.plan.seconds
        return self.polls > self.plan.polls
