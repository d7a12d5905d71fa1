"""A task as its owner sees it, and the bytes that say so (`contract.md` §1 and §3).

One function writes them for the status route and for the callback, because §4 promises that the callback's body is
byte for byte the status envelope.
"""

from typing import NamedTuple

import orjson

from understudy.domain.errors import FailCode
from understudy.domain.ids import KeyId, TaskId
from understudy.domain.task import State


class TaskStatus(NamedTuple):
    """What the status route needs of a task, and no more.

    A tuple, since it is read many times a second: a frozen dataclass takes four times as long to make.
    """

    id: TaskId
    key_id: KeyId
    model: str
    state: State
    created_at_ms: int
    completed_at_ms: int | None
    progress: int | None
    result_urls: tuple[str, ...]
    fail_code: FailCode | None
    fail_message: str | None


def envelope(code: int, message: str, data: object) -> bytes:
    """Return the JSON envelope of every answer under `/api/` (`contract.md` §1)."""
    return orjson.dumps({"code": code, "message": message, "data": data})


def status_data(status: TaskStatus) -> dict[str, object]:
    """Return the `data` object of a status answer; fields that do not apply are absent, not null."""
    data: dict[str, object] = {"taskId": status.id, "state": status.state.value, "createTime": status.created_at_ms}
    if not status.state.terminal:
        if status.progress is not None:
            data["progress"] = status.progress
        return data
    completed_at_ms = status.completed_at_ms or status.created_at_ms
    data["completeTime"] = completed_at_ms
    if status.state is State.SUCCESS:
        data["costTime"] = completed_at_ms - status.created_at_ms
        data["resultJson"] = orjson.dumps({"resultUrls": status.result_urls}).decode()
    else:
        data["failCode"] = (status.fail_code or FailCode.GENERATION_FAILED).value
        data["failMsg"] = status.fail_message or ""
    return data


def status_envelope(status: TaskStatus) -> bytes:
    """Return the whole status answer; a failed task is `code` 200 too (`contract.md` §1)."""
    return envelope(200, "success", status_data(status))
