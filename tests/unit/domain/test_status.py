"""The status envelope (`contract.md` §3): fields that do not apply are absent."""

import orjson
import pytest

from understudy.domain.errors import FailCode
from understudy.domain.ids import KeyId, TaskId
from understudy.domain.status import TaskStatus, status_envelope
from understudy.domain.task import State


def status(state: State, **changes: object) -> TaskStatus:
    fields: dict[str, object] = {
        "id": TaskId("task_1"),
        "key_id": KeyId("key_1"),
        "model": "sora-2-pro",
        "state": state,
        "created_at_ms": 1_000,
        "completed_at_ms": None,
        "progress": None,
        "result_urls": (),
        "fail_code": None,
        "fail_message": None,
    }
    return TaskStatus(**(fields | changes))  # type: ignore[arg-type] # the table of changes is untyped on purpose


def data_of(task: TaskStatus) -> dict[str, object]:
    answer = orjson.loads(status_envelope(task))

    assert (answer["code"], answer["message"]) == (200, "success")
    return dict(answer["data"])


@pytest.mark.parametrize("state", [State.PENDING, State.PROCESSING])
def test_a_running_task_has_three_fields(state: State) -> None:
    assert data_of(status(state)) == {"taskId": "task_1", "state": state.value, "createTime": 1_000}


def test_progress_is_told_while_a_task_runs() -> None:
    assert data_of(status(State.PROCESSING, progress=0))["progress"] == 0


def test_a_success_has_its_times_and_its_result_as_a_string() -> None:
    data = data_of(status(State.SUCCESS, completed_at_ms=5_500, result_urls=("https://x/v.mp4",), progress=99))

    assert data == {
        "taskId": "task_1",
        "state": "success",
        "createTime": 1_000,
        "completeTime": 5_500,
        "costTime": 4_500,
        "resultJson": '{"resultUrls":["https://x/v.mp4"]}',
    }


def test_a_failure_has_its_code_and_no_result() -> None:
    data = data_of(
        status(State.FAILED, completed_at_ms=5_500, fail_code=FailCode.CONTENT_VIOLATION, fail_message="No.")
    )

    assert data == {
        "taskId": "task_1",
        "state": "failed",
        "createTime": 1_000,
        "completeTime": 5_500,
        "failCode": "CONTENT_VIOLATION",
        "failMsg": "No.",
    }
