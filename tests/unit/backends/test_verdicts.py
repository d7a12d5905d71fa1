"""What an upstream's answer means, where vendors agree."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.backends.base import Ambiguous, BackendError, BadInput, Busy, PollFailed, Refused, Unusable
from understudy.backends.http import Reply
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content
from understudy.domain.errors import FailCode

UNUSABLE = {401, 402, 403, 404, 410, *range(300, 400)}
BAD_INPUT = {400, 405, 406, 411, 413, 414, 415, 416, 417, 422, 428, 431, 451}


def _reply(status: int, *, retry_after_seconds: float | None = None) -> Reply:
    return Reply(status, {}, b"", retry_after_seconds)


def _verdict(status: int, *, content: bool = False, picture: bool = False) -> type[BackendError] | None:
    try:
        check_submission(_reply(status), detail="said so", content=content, picture=picture)
    except BackendError as error:
        return type(error)
    return None


@given(status=st.integers(100, 599), content=st.booleans(), picture=st.booleans())
def test_only_a_documented_refusal_proves_that_nothing_was_created(status: int, content: bool, picture: bool) -> None:
    """`reliability.md` §3.2, step 4, for every status there can be."""
    verdict = _verdict(status, content=content, picture=picture)

    if 200 <= status <= 299:
        assert verdict is None
    elif status == 429:
        assert verdict is Busy
    elif (content or picture) and status in (UNUSABLE | BAD_INPUT) - set(range(300, 400)):
        assert verdict is Refused
    elif status in UNUSABLE:
        assert verdict is Unusable
    else:
        assert verdict is (BadInput if status in BAD_INPUT else Ambiguous)


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504, 529])
def test_words_of_moderation_in_a_servers_own_fault_prove_nothing(status: int) -> None:
    assert _verdict(status, content=True) is Ambiguous


def test_a_refusal_tells_the_caller_nothing_of_the_vendors_text() -> None:
    with pytest.raises(Refused) as caught:
        check_submission(_reply(400), detail="acme says: flagged by sentinel", content=True)

    assert caught.value.code is FailCode.CONTENT_VIOLATION
    assert "acme" not in caught.value.message
    assert "acme" in str(caught.value)


def test_a_picture_that_is_not_taken_has_a_code_of_its_own() -> None:
    with pytest.raises(Refused) as caught:
        check_submission(_reply(422), detail="x", content=False, picture=True)

    assert caught.value.code is FailCode.UNSUPPORTED_FORMAT


def test_content_weighs_more_than_the_picture() -> None:
    assert failure("x", content=True, picture=True).code is FailCode.CONTENT_VIOLATION
    assert failure("x", content=False, picture=True).code is FailCode.UNSUPPORTED_FORMAT
    assert failure("x", content=False).code is FailCode.GENERATION_FAILED


def test_the_wait_is_handed_on() -> None:
    with pytest.raises(Busy) as busy:
        check_submission(_reply(429, retry_after_seconds=3), detail="", content=False)
    with pytest.raises(PollFailed) as failed:
        check_poll(_reply(503, retry_after_seconds=4), detail="")

    assert busy.value.retry_after_seconds == 3
    assert failed.value.retry_after_seconds == 4


@pytest.mark.parametrize("status", [status.value for status in HTTPStatus if status.value >= 300])
def test_a_poll_fails_unless_the_key_is_refused(status: int) -> None:
    with pytest.raises(Unusable if status in (401, 402, 403) else PollFailed):
        check_poll(_reply(status), detail="")


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("queued", "running"),
        ("IN_QUEUE", "running"),
        ("NOT_START", "running"),
        ("In Progress", "running"),
        (" processing ", "running"),
        ("THROTTLED", "running"),
        ("completed", "done"),
        ("COMPLETED", "done"),
        ("SUCCEEDED", "done"),
        ("succeed", "done"),
        ("failed", "failed"),
        ("expired", "failed"),
        ("incomplete", "failed"),
        ("canceled", "failed"),
        ("cancelled", "failed"),
        ("deleted", "failed"),
        ("aborted", "failed"),
    ],
)
def test_the_vendors_words_for_a_state(word: str, meaning: str) -> None:
    assert meaning_of(word) == meaning


@given(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())))
def test_any_other_word_means_ask_again(status: object) -> None:
    assert meaning_of(status) in {"running", "done", "failed"}
    assert meaning_of(f"{status}?") == "running"


@pytest.mark.parametrize(
    "text",
    [
        "moderation_blocked",
        "Your request was blocked by our moderation system.",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
        "sentinel_block",
        "OutputVideoSensitiveContentDetected",
        "The output video may contain sensitive information.",
        "SAFETY.INPUT.TEXT",
        "NSFW content detected. Try running it again, or try a different prompt.",
        "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
        "Image violates our usage policies",
        "prohibited_content",
        "content filtered by Responsible AI practices",
        "The prompt was moderated",
    ],
)
def test_words_of_moderation(text: str) -> None:
    assert speaks_of_content(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        7,
        "CUDA out of memory",
        "insufficient_quota",
        "Invalid value for 'size': must be one of 1280x720, 720x1280",
        "image_too_large",
        "Field names are case-sensitive",
        "case sensitive: Model",
        "Unknown parameter: 'safety_identifier'",
        "Unknown parameter: enable_safety_checker",
        "motion must be low, moderate or high",
        "Internal error in the training run",
    ],
)
def test_words_of_other_troubles(text: object) -> None:
    """A wrong guess would tell a caller that the prompt is to blame, and the operator nothing."""
    assert not speaks_of_content(text)
