"""Runway's API, as strict about fields as its validator is.

Facts: the types of runwayml 5.24.0 (2026-10-23), https://docs.dev.runwayml.com/errors/errors and
https://docs.dev.runwayml.com/errors/task-failures.
"""

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

VERSION = "2024-11-06"
_TEXT, _PICTURE = "/v1/text_to_video", "/v1/image_to_video"
_DATA_URI_CHARACTERS = 5 * 1024**2
_WORDS = {
    Phase.QUEUED: "THROTTLED",
    Phase.RUNNING: "RUNNING",
    Phase.DONE: "SUCCEEDED",
    Phase.FAILED: "FAILED",
    Phase.REFUSED: "FAILED",
    Phase.CANCELLED: "CANCELLED",
}
_WIDE = ("1280:720", "720:1280")
_FULL = ("1920:1080", "1080:1920")


class _Model(NamedTuple):
    """What a model takes: ratios from a text and from a picture, lengths, UTF-16 units, and fields beside those."""

    text: tuple[str, ...]
    picture: tuple[str, ...]
    seconds: tuple[int, ...]
    units: int
    more: tuple[str, ...]


_MODELS = {
    "gen4.5": _Model(_WIDE, (*_WIDE, "960:960", "1104:832"), tuple(range(2, 11)), 1000, ("seed",)),
    "gen4_turbo": _Model((), (*_WIDE, "960:960", "1104:832"), tuple(range(2, 11)), 1000, ("seed",)),
    "seedance2": _Model(
        (*_WIDE, *_FULL, "960:960"), (*_WIDE, *_FULL, "960:960"), tuple(range(4, 16)), 3500, ("seed", "audio")
    ),
    "veo3.1": _Model((*_WIDE, *_FULL), (*_WIDE, *_FULL), (4, 6, 8), 1000, ("seed", "audio")),
    "gemini_omni_flash_1.1": _Model((*_WIDE, *_FULL), (*_WIDE, *_FULL), tuple(range(3, 11)), 100_000, ()),
}


class Runway(Vendor):
    """Runway. Every call needs the version's header; a body's wrong fields are listed as `issues`."""

    kind: ClassVar[str] = "runway"
    key_env: ClassVar[str] = "RUNWAYML_API_SECRET"
    model: ClassVar[str] = "seedance2"

    @override
    def route(self, method: str, path: str) -> Call | None:
        if method == "POST" and path in (_TEXT, _PICTURE):
            return Call("submit")
        if method == "GET" and path == "/v1/organization":
            return Call("check")
        folder, _, job_id = path.rpartition("/")
        if folder != "/v1/tasks":
            return None
        return {"GET": Call("poll", job_id), "DELETE": Call("cancel", job_id)}.get(method)

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return self.error(401, "You did not provide a valid API key.")
        if request.headers.get("x-runway-version") != VERSION:
            return self.error(400, "The X-Runway-Version header is missing or not a version of this API.")
        return None

    @override
    def new_job_id(self) -> str:
        return str(uuid.uuid4())

    @override
    def read_submission(self, request: Request) -> Submission:
        fields = request.table()
        model = _MODELS.get(fields.get("model", ""))
        if model is None:
            raise Denied(_invalid("model", "Invalid input"))
        with_picture = request.path == _PICTURE
        known = {"model", "promptText", "ratio", "duration", *model.more, *(("promptImage",) if with_picture else ())}
        for name in fields:
            if name not in known:
                raise Denied(_invalid(name, f"Unrecognized key: {name}"))
        self._check(fields, model, model.picture if with_picture else model.text)
        return Submission(
            prompt=fields["promptText"],
            model=fields["model"],
            seconds=float(fields["duration"]),
            picture=_read_picture(fields.get("promptImage")) if with_picture else None,
            fields=fields,
        )

    def _check(self, fields: Mapping[str, Any], model: _Model, ratios: tuple[str, ...]) -> None:
        prompt, seed = fields.get("promptText"), fields.get("seed", 0)
        if not isinstance(prompt, str) or not 1 <= len(prompt.encode("utf-16-le")) // 2 <= model.units:
            raise Denied(_invalid("promptText", f"Too big: expected string to have <={model.units} characters"))
        if fields.get("ratio") not in ratios:
            raise Denied(_invalid("ratio", f"Invalid option: expected one of {'|'.join(ratios)}"))
        if type(fields.get("duration")) is not int or fields["duration"] not in model.seconds:
            raise Denied(_invalid("duration", "Invalid input"))
        if type(seed) is not int or not 0 <= seed <= 4_294_967_295:
            raise Denied(_invalid("seed", "Invalid input"))
        if type(fields.get("audio", True)) is not bool:
            raise Denied(_invalid("audio", "Invalid input"))

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        return json_answer({"id": job.id, "estimatedCost": {"credits": self._credits(job)}})

    def _credits(self, job: Job) -> float:
        return 36 * (job.submission.seconds or 0)

    @override
    def polled(self, job: Job) -> Answer:
        task: dict[str, Any] = {
            "id": job.id,
            "createdAt": "2026-11-22T12:00:00.000Z",
            "status": job.word or _WORDS[job.phase],
        }
        match job.phase:
            case Phase.QUEUED:
                task |= {"estimatedCost": {"credits": self._credits(job)}}
            case Phase.RUNNING:
                task |= {"estimatedCost": {"credits": self._credits(job)}, "progress": job.progress / 100}
            case Phase.DONE:
                task |= {"cost": {"credits": self._credits(job)}, "output": list(job.links)}
            case Phase.CANCELLED:
                # Refunded if it had not begun: it was seen once before the call, and now.
                task |= {"cost": {"credits": 0 if job.polls <= 2 else self._credits(job)}}
            case Phase.FAILED:
                task |= {"cost": {"credits": 0}, "failure": "An unexpected error occurred.", "failureCode": "INTERNAL"}
            case Phase.REFUSED:
                text = "The output was flagged by our content moderation system."
                task |= {"cost": {"credits": 0}, "failure": text, "failureCode": "SAFETY.OUTPUT.VIDEO"}
        return json_answer(task)

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        if status == 402:
            status, text = 400, f"You do not have enough credits to run this task. {text}"
        if status in (404, 410):
            # Runway knows a model by its schema: one that is gone is a wrong value.
            return _invalid("model", f"Invalid input. {text}")
        return json_answer({"error": text, "docUrl": "https://docs.dev.runwayml.com/api"}, status)

    @override
    def unknown_job(self) -> Answer:
        return json_answer({"error": "Task not found."}, 404)

    @override
    def refusal(self) -> Answer:
        return self.error(400, "Your request was blocked by this model provider's content moderation system.")

    @override
    def cancelled(self, job: Job) -> Answer:
        return Answer(204)

    @override
    def checked(self, path: str) -> Answer:
        tier = {"maxMonthlyCreditSpend": 100_000, "models": {}}
        return json_answer({"creditBalance": 4321, "tier": tier, "usage": {"models": {}}})


def _read_picture(value: object) -> bytes:
    match value:
        case [{"uri": str(uri), "position": "first", **rest}] if not rest:
            head, _, text = uri.partition(",")
        case _:
            raise Denied(_invalid("promptImage", "Invalid input"))
    if head != "data:image/jpeg;base64" or len(uri) > _DATA_URI_CHARACTERS:
        raise Denied(_invalid("promptImage", "Invalid data URI"))
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = b""
    if not data.startswith(b"\xff\xd8\xff"):
        raise Denied(_invalid("promptImage", "Invalid asset"))
    return data


def _invalid(field: str, text: str) -> Answer:
    issues = [{"code": "invalid_value", "path": [field], "message": text}]
    error = {"error": "Validation of body failed", "issues": issues, "docUrl": "https://docs.dev.runwayml.com/api"}
    return json_answer(error, 400)
