"""What an upstream's answer means, where vendors agree: statuses, words for a job's state, words of refusal."""

import re
from typing import Final

from understudy.backends.base import Ambiguous, BadInput, Busy, Failed, PollFailed, Refused, Unusable
from understudy.backends.http import Reply
from understudy.domain.errors import FailCode

CONTENT_MESSAGE: Final = "The request was refused by the model's content policy"
PICTURE_MESSAGE: Final = "The model cannot use the provided image"
FAILED_MESSAGE: Final = "The video could not be generated"

_CONTENT = re.compile(
    r"moderat(?:ion|ed|or)|content[ _-]?polic|content[ _-]?filter|safety(?![ _-]?(?:identifier|checker|tolerance))|"
    r"sentinel|(?<!case[ _-])(?<!in)sensitive|nsfw|prohibited|inappropriate|responsible[ _-]?ai|\brai\b|"
    r"policy[ _-]?violation|violates? .{0,40}polic|flagged",
    re.IGNORECASE,
)
_UNUSABLE: Final = frozenset({401, 402, 403, 404, 410})
_BAD_INPUT: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 416, 417, 422, 428, 431, 451})

_WAITING = "queued pending submitted not_start not_started preparing starting created throttled in_queue accepted"
_RUNNING = "processing running generating in_progress inprogress started rendering dreaming suspended"
_DONE = "completed complete success succeeded succeed finished done ok"
_FAILED = "failed failure fail error errored expired rejected incomplete aborted"
_CANCELLED = "cancelled canceled deleted"
_WORDS: Final = {
    word: meaning
    for meaning, words in (
        ("running", _WAITING),
        ("running", _RUNNING),
        ("done", _DONE),
        ("failed", _FAILED),
        ("failed", _CANCELLED),
    )
    for word in words.split()
}


def speaks_of_content(*texts: object) -> bool:
    """Tell whether a vendor's code or message means that the content was refused.

    For vendors that give no code of their own for it; a code that is documented is compared with, not searched.
    """
    return any(_CONTENT.search(text) is not None for text in texts if isinstance(text, str))


def meaning_of(status: object) -> str:
    """Return "running", "done" or "failed" for a vendor's word; an unknown one is "running" (case U8): ask again."""
    word = re.sub(r"[\s-]+", "_", status.strip().lower()) if isinstance(status, str) else ""
    return _WORDS.get(word, "running")


def check_submission(reply: Reply, *, detail: str, content: bool, picture: bool = False) -> None:
    """Return for a 2xx; raise what any other answer to a submission means (`reliability.md` §3.2, step 4).

    `detail` is the vendor's text without secrets; `content` and `picture` tell that it refuses what was asked for.
    A status that proves nothing (5xx, 408, 409, 425) is ambiguous: the job may exist.
    """
    text = f"status {reply.status}: {detail}"
    definite = reply.status in _BAD_INPUT or reply.status in _UNUSABLE
    if reply.ok:
        return
    if definite and content:
        raise Refused(FailCode.CONTENT_VIOLATION, CONTENT_MESSAGE, detail=text)
    if definite and picture:
        raise Refused(FailCode.UNSUPPORTED_FORMAT, PICTURE_MESSAGE, detail=text)
    if reply.status == 429:
        raise Busy(text, retry_after_seconds=reply.retry_after_seconds)
    if reply.status in _UNUSABLE or 300 <= reply.status <= 399:
        raise Unusable(text)
    if reply.status in _BAD_INPUT:
        raise BadInput(text)
    raise Ambiguous(text)


def check_poll(reply: Reply, *, detail: str) -> None:
    """Return for a 2xx; raise `Unusable` for a refused key, `PollFailed` for everything else.

    The caller has dealt with 404 before: it means that the job is gone, not the interface.
    """
    if reply.ok:
        return
    text = f"status {reply.status}: {detail}"
    if reply.status in (401, 402, 403):
        raise Unusable(text)
    raise PollFailed(text, retry_after_seconds=reply.retry_after_seconds)


def failure(detail: str, *, content: bool, picture: bool = False) -> Failed:
    """Return how a job ended that the upstream calls failed."""
    if content:
        return Failed(FailCode.CONTENT_VIOLATION, CONTENT_MESSAGE, detail)
    if picture:
        return Failed(FailCode.UNSUPPORTED_FORMAT, PICTURE_MESSAGE, detail)
    return Failed(FailCode.GENERATION_FAILED, FAILED_MESSAGE, detail)
