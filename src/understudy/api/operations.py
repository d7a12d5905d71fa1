"""The operations of the OpenAPI document: which answers each call has (`contract.md` §5), with their headers."""

import re
from collections.abc import Sequence
from typing import Any, Final

from understudy.api import schemas
from understudy.api.schemas import EXAMPLE_COMPLETED_MS, EXAMPLE_CREATED_MS, EXAMPLE_RESULT, EXAMPLE_TASK_ID
from understudy.domain.catalogue import Model
from understudy.domain.errors import FailCode
from understudy.domain.ids import KeyId, TaskId
from understudy.domain.status import TaskStatus, status_data
from understudy.domain.task import State

Part = dict[str, Any]

_ALWAYS: Final = ("X-Request-Id",)
_RATE: Final = ("RateLimit", "RateLimit-Policy")
_HEADERS: Final = {
    "X-Request-Id": "Names this request in the operator's log.",
    "RateLimit": 'How the bucket stands: `"submit";r=REMAINING;t=SECONDS_UNTIL_FULL`.',
    "RateLimit-Policy": 'The bucket: `"submit";q=QUOTA;w=WINDOW_SECONDS`.',
    "Retry-After": "Whole seconds to wait.",
    "Idempotent-Replayed": "`true` if this answer is that of an earlier submit with the same Idempotency-Key.",
    "WWW-Authenticate": "`Bearer`.",
    "Allow": "The methods allowed.",
    "ETag": "Strong: the bytes never change.",
    "Accept-Ranges": "`bytes`.",
    "Content-Range": "Which bytes these are, of how many.",
}
_ERRORS: Final = {
    "Unauthenticated": (
        "Key missing, malformed, unknown, revoked or expired: one text for all.",
        ("WWW-Authenticate",),
    ),
    "Forbidden": ("The key may not do this.", ()),
    "NotFound": ("Unknown path, model or task, or another key's task.", ()),
    "MethodNotAllowed": ("Another method is meant.", ("Allow",)),
    "RequestTimeout": ("The body did not arrive in time.", ()),
    "BodyTooLarge": ("The body is over 1 MiB.", ()),
    "UnsupportedMediaType": ("The body is not `application/json` in UTF-8.", ()),
    "IdempotencyConflict": ("The Idempotency-Key was used with another body.", ()),
    "TooManyRequests": ("Rate or concurrency limit; `message` says which.", ("Retry-After", *_RATE)),
    "Unavailable": ("Not now, and nothing was accepted.", ("Retry-After",)),
    "Gone": ("Expired or deleted.", ()),
    "PreconditionFailed": ("Not the version that `If-Match` names.", ()),
    "RangeNotSatisfiable": ("The range lies outside the file.", ("Content-Range",)),
}

_EXAMPLES: Final = {
    "Unauthenticated": (401, "Invalid or missing API key"),
    "Forbidden": (403, "The link's signature is not valid"),
    "NotFound": (404, "Task not found"),
    "MethodNotAllowed": (405, "Method not allowed"),
    "RequestTimeout": (408, "The body did not arrive within 30 seconds"),
    "BodyTooLarge": (413, "The body must be at most 1 MiB"),
    "UnsupportedMediaType": (415, "Content-Type must be application/json, in UTF-8"),
    "IdempotencyConflict": (422, "The Idempotency-Key was used with another body"),
    "TooManyRequests": (429, "Concurrency limit exceeded: at most 10 tasks at once for this key"),
    "Unavailable": (503, "The server is busy"),
    "Gone": (410, "The link has expired"),
    "PreconditionFailed": (412, "If-Match names another version of this file"),
    "RangeNotSatisfiable": (416, "The range is outside the file of 931204 bytes"),
}


def request_name(model: Model) -> str:
    """Return the component's name of a model's request."""
    return "Submit_" + re.sub(r"[^A-Za-z0-9._-]", "_", model.name)


def _schema(name: str) -> Part:
    return {"$ref": f"#/components/schemas/{name}"}


def _headers(*names: str) -> Part:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _json(schema: Part, examples: Part | None = None) -> Part:
    content: Part = {"schema": schema}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"application/json": content}


def _answer(description: str, *headers: str, content: Part | None = None) -> Part:
    answer: Part = {"description": description, "headers": _headers(*_ALWAYS, *headers)}
    return answer if content is None else {**answer, "content": content}


def _errors(**by_status: str) -> Part:
    """Return references to shared answers: `_401="Unauthenticated"`."""
    return {status[1:]: {"$ref": f"#/components/responses/{name}"} for status, name in by_status.items()}


def shared_headers() -> Part:
    """Return `components.headers`."""
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()}


def shared_responses() -> Part:
    """Return `components.responses`."""
    example = {
        "error": {"code": 400, "message": "Invalid request", "data": {"error": "input.duration must be 4, 8 or 12"}}
    }
    return {
        "InvalidRequest": _answer(
            "Bad parameters or malformed JSON; `data.error` names the field and says what is allowed.",
            content=_json(_schema("InvalidRequest"), example),
        ),
        **{
            name: _answer(description, *headers, content=_json(_schema("Error"), _error_example(name)))
            for name, (description, headers) in _ERRORS.items()
        },
        "InternalError": _answer(
            "Our fault, never caused by input; `data.requestId` is what to tell the operator.",
            content=_json(
                _schema("InternalError"),
                {
                    "error": {
                        "code": 500,
                        "message": "Internal server error",
                        "data": {"requestId": "req_2c9cce4a3de68c3033ebdc92"},
                    }
                },
            ),
        ),
    }


def _error_example(name: str) -> Part:
    code, message = _EXAMPLES[name]
    return {"error": {"code": code, "message": message, "data": None}}


def paths(models: Sequence[Model]) -> Part:
    """Return `paths`."""
    model = {"name": "model", "in": "path", "required": True, "description": "A name in the model catalogue."}
    model["schema"] = {"type": "string", "enum": [row.name for row in models]}
    return {
        "/api/v1/generateTask/{model}": {"parameters": [model], "post": _submit(models)},
        "/api/v1/statusTask/{model}": {"parameters": [model], "get": _status()},
        "/v/{taskId}/{position}.mp4": {"get": _result(), "head": _result(head=True)},
        "/health": {"get": _health()},
        "/health/live": {
            "get": {
                "tags": ["Health"],
                "operationId": "getLiveness",
                "summary": "Whether the process runs",
                "security": [],
                "responses": {"200": _answer("It does.", content=_json({"type": "object"}))},
            }
        },
    }


def _submit(models: Sequence[Model]) -> Part:
    references = [_schema(request_name(model)) for model in models]
    examples = {
        (name if len(models) == 1 else f"{model.name}-{name}"): body
        for model in models
        for name, body in schemas.submit_examples(model)
    }
    accepted = {"code": 200, "message": "success", "data": {"taskId": EXAMPLE_TASK_ID}}
    return {
        "tags": ["Tasks"],
        "operationId": "generateTask",
        "summary": "Create a generation task",
        "description": "When the answer leaves, the task is on disk. At most 1 MiB of JSON.",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Same key and same body: same `taskId`, nothing is made twice. Kept for at least 48 h.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": _json(references[0] if len(references) == 1 else {"anyOf": references}, examples),
        },
        "responses": {
            "200": _answer(
                "Accepted.", "Idempotent-Replayed", *_RATE, content=_json(_schema("TaskCreated"), {"created": accepted})
            ),
            **_errors(_400="InvalidRequest", _401="Unauthenticated", _403="Forbidden", _404="NotFound"),
            **_errors(_405="MethodNotAllowed", _408="RequestTimeout", _413="BodyTooLarge", _415="UnsupportedMediaType"),
            **_errors(_422="IdempotencyConflict", _429="TooManyRequests", _500="InternalError", _503="Unavailable"),
        },
        "callbacks": {"taskEnded": {"{$request.body#/callback_url}": {"post": callback("receiveTaskEndedAtCallback")}}},
    }


def _status() -> Part:
    return {
        "tags": ["Tasks"],
        "operationId": "statusTask",
        "summary": "State and result of a task",
        "parameters": [
            {
                "name": "taskId",
                "in": "query",
                "required": True,
                "description": "The id that generateTask returned.",
                "schema": {"type": "string", "minLength": 1},
                "example": EXAMPLE_TASK_ID,
            }
        ],
        "responses": {
            "200": _answer(
                "The task, also if it failed.", *_RATE, content=_json(_schema("TaskStatus"), status_examples())
            ),
            **_errors(_400="InvalidRequest", _401="Unauthenticated", _403="Forbidden", _404="NotFound"),
            **_errors(_405="MethodNotAllowed", _429="TooManyRequests", _500="InternalError", _503="Unavailable"),
        },
    }


def _example_status(state: State, *, progress: int | None = None) -> Part:
    """Return a status answer, made by the same code as a real one."""
    failed = state is State.FAILED
    status = TaskStatus(
        id=TaskId(EXAMPLE_TASK_ID),
        key_id=KeyId(""),
        model="",
        state=state,
        created_at_ms=EXAMPLE_CREATED_MS,
        completed_at_ms=EXAMPLE_COMPLETED_MS if state.terminal else None,
        progress=progress,
        result_urls=(EXAMPLE_RESULT,) if state is State.SUCCESS else (),
        fail_code=FailCode.CONTENT_VIOLATION if failed else None,
        fail_message="The prompt asks for something this server does not make" if failed else None,
    )
    return {"code": 200, "message": "success", "data": status_data(status)}


def status_examples() -> Part:
    """Return one answer of each state."""
    progress = {State.PROCESSING: 40}
    return {state.value: _example_status(state, progress=progress.get(state)) for state in State}


def callback(operation_id: str) -> Part:
    """Return the operation that a callback's receiver implements (`contract.md` §4)."""
    examples = status_examples()
    headers = {
        "webhook-id": "Same for all attempts: what to recognize a repetition by.",
        "webhook-timestamp": "Unix time in seconds of this attempt.",
        "webhook-signature": "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks).",
    }
    return {
        "operationId": operation_id,
        "summary": "A task ended",
        "description": "One POST for each task with a `callback_url`, good end or bad. Any 2xx within 30 s is success; "
        "otherwise three more attempts follow after 30 s, 2 min and 10 min. The body is the status answer, the same "
        "bytes in every attempt.",
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        ],
        "requestBody": {
            "required": True,
            "content": _json(_schema("TaskEnded"), {state: examples[state] for state in ("success", "failed")}),
        },
        "responses": {"2XX": {"description": "Received."}},
    }


def _result(*, head: bool = False) -> Part:
    film = {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}
    content = None if head else film
    partial = {"206": _answer("The part asked for.", "ETag", "Accept-Ranges", "Content-Range", content=content)}
    outside = _errors(_416="RangeNotSatisfiable")
    return {
        "tags": ["Results"],
        "operationId": "headResult" if head else "getResult",
        "summary": "The head of a film" if head else "A film",
        "description": "Use the whole address from `resultJson`; it is its own permission.",
        "security": [],
        "parameters": [
            {"name": "taskId", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "position", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}},
            {"name": "e", "in": "query", "required": True, "schema": {"type": "integer"}},
            {"name": "s", "in": "query", "required": True, "schema": {"type": "string"}},
            *([] if head else [{"name": "Range", "in": "header", "schema": {"type": "string"}}]),
        ],
        "responses": {
            "200": _answer("All of it.", "ETag", "Accept-Ranges", content=content),
            **({} if head else partial),
            "304": _answer("`If-None-Match` names this version.", "ETag"),
            **_errors(_403="Forbidden", _404="NotFound", _410="Gone", _412="PreconditionFailed"),
            **({} if head else outside),
            **_errors(_500="InternalError", _503="Unavailable"),
        },
    }


def _health() -> Part:
    return {
        "tags": ["Health"],
        "operationId": "getHealth",
        "summary": "Whether the server can do its work",
        "security": [],
        "responses": {
            "200": _answer("It can.", content=_json(_schema("Health"))),
            "503": _answer("It cannot.", content=_json(_schema("Health"))),
        },
    }
