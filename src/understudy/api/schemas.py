"""JSON Schemas (2020-12) of what goes over the wire; those of a submit come from the model's catalogue row."""

from typing import Any, Final

from understudy.domain.catalogue import Mode, Model
from understudy.domain.errors import FailCode
from understudy.domain.request import PROVIDERS, RequestType
from understudy.domain.url import MAX_URL_CHARACTERS

Schema = dict[str, Any]

EXAMPLE_TASK_ID: Final = "task_7hK2mQx9Rt4VbN1cYw8ZsE"
EXAMPLE_CREATED_MS: Final = 1_790_000_000_000
EXAMPLE_COMPLETED_MS: Final = 1_790_000_042_500
EXAMPLE_RESULT: Final = (
    f"https://video.example.com/v/{EXAMPLE_TASK_ID}/0.mp4?e=1791296042&s=3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
_EXAMPLE_PROMPT: Final = "A lighthouse at dusk, waves rolling in, slow camera move to the left"
_URL: Final[Schema] = {"type": "string", "format": "uri", "maxLength": MAX_URL_CHARACTERS, "pattern": "^https?://"}


def submit_schema(model: Model) -> Schema:
    """Return the schema of a submit's body for `model` (`contract.md` §2)."""
    return {
        "type": "object",
        "title": f"{model.name} request",
        "description": "Fields that are not listed are ignored, and named in `data.warnings`.",
        "required": ["input"],
        "properties": {
            "request_type": {
                "type": "string",
                "enum": [kind.value for kind in RequestType],
                "default": RequestType.ASYNC.value,
                "description": "`async`: ask statusTask. `callback`: the end is also sent to `callback_url`.",
            },
            "callback_url": {
                **_URL,
                "description": "HTTPS address with a public host that gets one POST when the task ends. "
                "Required for `callback`, ignored with `async`.",
            },
            "provider": {
                "type": "string",
                "enum": list(PROVIDERS),
                "default": PROVIDERS[0],
                "description": "The route that the operator set.",
            },
            "input": {"oneOf": [_input_schema(model, mode) for mode in model.modes]},
        },
        "if": {"properties": {"request_type": {"const": "callback"}}, "required": ["request_type"]},
        "then": {"required": ["callback_url"]},
        "examples": [body for _, body in submit_examples(model)],
    }


def _input_schema(model: Model, mode: Mode) -> Schema:
    default = mode is model.modes[0]
    is_text = mode is Mode.TEXT_TO_VIDEO
    required = ["prompt"] if default else ["mode", "prompt"]
    kind: Schema = {"type": "string", "const": mode.value, "description": "What the film is made from."}
    return {
        "type": "object",
        "title": "Text to video" if is_text else "Image to video",
        "required": required if is_text else [*required, "image_urls"],
        "properties": {
            "mode": {**kind, "default": mode.value} if default else kind,
            "prompt": {
                "type": "string",
                "minLength": 1,
                "maxLength": model.prompt_characters,
                "pattern": r"^[^\u0000]*[^\u0000\s][^\u0000]*$",
                "description": f"What the film shows: 1 to {model.prompt_characters} characters after trimming.",
            },
            "duration": _duration_schema(model),
            **(_text_fields(model) if is_text else _image_fields(model)),
        },
    }


def _duration_schema(model: Model) -> Schema:
    # The digits alone would do for a validator; the enumeration is what readers and generated clients look at.
    digits = "|".join(str(seconds) for seconds in model.durations)
    return {
        "anyOf": [
            {"type": "integer", "enum": list(model.durations)},
            {"type": "string", "pattern": f"^0*({digits})$", "description": "The same, in digits."},
        ],
        "default": model.durations[0],
        "description": "Length in seconds.",
    }


def _text_fields(model: Model) -> Schema:
    sizes = [str(size) for size in model.sizes]
    return {
        "size": {
            "type": "string",
            "enum": [*sizes, *(size.replace("*", "x") for size in sizes)],
            "default": sizes[0],
            "description": "Width and height in pixels.",
        },
        "image_urls": {
            "type": ["array", "null"],
            "maxItems": 0,
            "description": "Not allowed in this mode: the film would be made without the picture.",
        },
    }


def _image_fields(model: Model) -> Schema:
    return {
        "resolution": {
            "type": "string",
            "enum": list(model.resolutions),
            "default": next(iter(model.resolutions)),
            "description": "The shorter side in pixels; orientation follows the image.",
        },
        "image_urls": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": dict(_URL),
            "description": f"One address of a JPG, PNG or WebP of at most {model.image_bytes // 1024**2} MB. "
            "It is fetched after acceptance; a picture that cannot be used fails the task.",
        },
    }


def submit_examples(model: Model) -> list[tuple[str, Schema]]:
    """Return bodies that `model` accepts, each with its name; the second way of learning the end is the callback."""
    examples: list[tuple[str, Schema]] = []
    if Mode.TEXT_TO_VIDEO in model.modes:
        text = {"mode": Mode.TEXT_TO_VIDEO.value, "prompt": _EXAMPLE_PROMPT, "duration": model.durations[0]}
        text["size"] = str(model.sizes[0])
        examples.append(("text", {"input": text}))
        callback = {"request_type": "callback", "callback_url": "https://example.com/hooks/video", "input": text}
        examples.append(("callback", callback))
    if Mode.IMAGE_TO_VIDEO in model.modes:
        image = {"mode": Mode.IMAGE_TO_VIDEO.value, "prompt": _EXAMPLE_PROMPT, "duration": model.durations[-1]}
        image |= {"resolution": next(iter(model.resolutions)), "image_urls": ["https://example.com/harbor.jpg"]}
        examples.append(("image", {"input": image}))
    return examples


def envelope_schema(code: Schema, message: Schema, data: Schema) -> Schema:
    """Return the schema of the envelope (`contract.md` §1)."""
    return {
        "type": "object",
        "required": ["code", "message", "data"],
        "properties": {
            "code": {"type": "integer", **code, "description": "The HTTP status."},
            "message": {"type": "string", **message},
            "data": data,
        },
    }


def success_schema(data: Schema) -> Schema:
    """Return the schema of a 200."""
    return envelope_schema({"const": 200}, {"const": "success"}, data)


def created_schema() -> Schema:
    """Return the schema of an accepted submit's `data`."""
    return {
        "type": "object",
        "required": ["taskId"],
        "properties": {
            "taskId": _TASK_ID,
            "warnings": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "Names of fields that were ignored; absent when there are none.",
            },
        },
    }


_TASK_ID: Final[Schema] = {
    "type": "string",
    "pattern": "^task_",
    "description": "Opaque; keep the whole string.",
    "examples": [EXAMPLE_TASK_ID],
}
_CREATED: Final[Schema] = {"type": "integer", "description": "When the task was accepted: Unix time in ms."}
_COMPLETED: Final[Schema] = {"type": "integer", "description": "When the task ended: Unix time in ms."}


def _state_schema(title: str, state: str, fields: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    properties = {"taskId": _TASK_ID, "state": {"type": "string", "const": state}, "createTime": _CREATED, **fields}
    required = [name for name in properties if name not in optional]
    return {"type": "object", "title": title, "required": required, "properties": properties}


def state_schemas() -> dict[str, Schema]:
    """Return the schema of a status answer's `data` for each state (`contract.md` §3)."""
    progress = {"progress": {"type": "integer", "minimum": 0, "maximum": 100, "description": "Percent, if known."}}
    result = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {
            "type": "object",
            "required": ["resultUrls"],
            "properties": {"resultUrls": {"type": "array", "items": {"type": "string", "format": "uri"}}},
        },
        "description": "JSON in a string: the addresses of the films. Each needs no header and lives 15 days.",
    }
    elapsed = {"type": "integer", "minimum": 0, "description": "completeTime - createTime in ms; not money."}
    fail_code = {
        "type": "string",
        "description": "Why it failed: an open set, today one of " + ", ".join(FailCode) + ".",
        "examples": [FailCode.CONTENT_VIOLATION.value],
    }
    failure = {
        "completeTime": _COMPLETED,
        "failCode": fail_code,
        "failMsg": {"type": "string", "description": "A sentence for a person."},
    }
    return {
        "pending": _state_schema("Accepted, waiting", "pending", progress, optional=("progress",)),
        "processing": _state_schema("A backend has it", "processing", progress, optional=("progress",)),
        "success": _state_schema(
            "Ended well", "success", {"completeTime": _COMPLETED, "costTime": elapsed, "resultJson": result}
        ),
        "failed": _state_schema("Ended badly", "failed", failure),
    }


def health_schema() -> Schema:
    """Return the schema of `/health`."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["status", "version", "database", "backends", "moderation", "openTasks"],
        "properties": {
            "status": {"type": "string", "enum": ["ok", "unavailable"]},
            "version": text,
            "database": {**text, "description": "`ok`, or what is wrong."},
            "backends": {"type": "object", "additionalProperties": text, "description": "State by name."},
            "moderation": text,
            "openTasks": {"type": "integer", "minimum": 0},
        },
    }
