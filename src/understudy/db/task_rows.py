"""A task, and its status, as columns and back."""

import orjson

from understudy.db.base import Row
from understudy.db.tables import tasks
from understudy.domain.catalogue import Mode, Size
from understudy.domain.errors import FailCode
from understudy.domain.ids import AttemptId, KeyId, TaskId
from understudy.domain.request import GenerationRequest
from understudy.domain.status import TaskStatus
from understudy.domain.task import Stage, State, Task

TASK_COLUMNS = (
    tasks.c.id,
    tasks.c.key_id,
    tasks.c.model,
    tasks.c.state,
    tasks.c.stage,
    tasks.c.request,
    tasks.c.created_at,
    tasks.c.deadline_at,
    tasks.c.next_at,
    tasks.c.claim,
    tasks.c.backend,
    tasks.c.attempt_id,
    tasks.c.progress,
    tasks.c.completed_at,
    tasks.c.result_urls,
    tasks.c.fail_code,
    tasks.c.fail_message,
)

STATUS_COLUMNS = (
    tasks.c.id,
    tasks.c.key_id,
    tasks.c.model,
    tasks.c.state,
    tasks.c.created_at,
    tasks.c.completed_at,
    tasks.c.progress,
    tasks.c.result_urls,
    tasks.c.fail_code,
    tasks.c.fail_message,
)


def task_to_row(task: Task) -> dict[str, object]:
    """Return the parameters of an insert, but for the idempotency key, which is no part of a task."""
    return {
        "id": task.id,
        "key_id": task.key_id,
        "model": task.model,
        "state": task.state.value,
        "stage": task.stage.value,
        "request": _request_to_json(task.request),
        "created_at": task.created_at_ms,
        "deadline_at": task.deadline_at_ms,
        "next_at": task.next_at_ms,
        "claim": task.claim,
        "backend": task.backend,
        "attempt_id": task.attempt_id,
        "progress": task.progress,
        "completed_at": task.completed_at_ms,
        "result_urls": urls_to_json(task.result_urls),
        "fail_code": task.fail_code.value if task.fail_code is not None else None,
        "fail_message": task.fail_message,
    }


def status_from_row(row: Row) -> TaskStatus:
    """Read a row of `STATUS_COLUMNS`."""
    return TaskStatus(
        id=row[0],
        key_id=row[1],
        model=row[2],
        state=State(row[3]),
        created_at_ms=row[4],
        completed_at_ms=row[5],
        progress=row[6],
        result_urls=_urls_from_json(row[7]),
        fail_code=_fail_code(row[8]),
        fail_message=row[9],
    )


def urls_to_json(urls: tuple[str, ...]) -> str | None:
    """Return a JSON array, or None for no address."""
    return orjson.dumps(urls).decode() if urls else None


def _urls_from_json(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text is not None else ()


def _fail_code(text: str | None) -> FailCode | None:
    return FailCode(text) if text is not None else None


def _request_to_json(request: GenerationRequest) -> str:
    fields = {
        "mode": request.mode.value,
        "prompt": request.prompt,
        "seconds": request.seconds,
        "size": [request.size.width, request.size.height] if request.size is not None else None,
        "resolution": request.resolution,
        "image_url": request.image_url,
        "callback_url": request.callback_url,
    }
    return orjson.dumps({name: value for name, value in fields.items() if value is not None}).decode()


def _request_from_json(text: str) -> GenerationRequest:
    fields = orjson.loads(text)
    size = fields.get("size")
    return GenerationRequest(
        mode=Mode(fields["mode"]),
        prompt=fields["prompt"],
        seconds=fields["seconds"],
        size=Size(*size) if size is not None else None,
        resolution=fields.get("resolution"),
        image_url=fields.get("image_url"),
        callback_url=fields.get("callback_url"),
    )


def task_from_row(row: Row) -> Task:
    """Read a row of `TASK_COLUMNS`."""
    return Task(
        id=TaskId(row[0]),
        key_id=KeyId(row[1]),
        model=row[2],
        state=State(row[3]),
        stage=Stage(row[4]),
        request=_request_from_json(row[5]),
        created_at_ms=row[6],
        deadline_at_ms=row[7],
        next_at_ms=row[8],
        claim=row[9],
        backend=row[10],
        attempt_id=AttemptId(row[11]) if row[11] is not None else None,
        progress=row[12],
        completed_at_ms=row[13],
        result_urls=_urls_from_json(row[14]),
        fail_code=_fail_code(row[15]),
        fail_message=row[16],
    )
