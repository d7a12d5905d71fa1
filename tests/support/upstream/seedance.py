"""Ark's video tasks, as strict about fields as BytePlus says it is.

Facts: https://docs.byteplus.com/en/docs/ModelArk/1520757 and the error codes in 1299023 (`error` holds `code`,
`message`, `param` and `type`).
"""

import base64
import binascii
import io
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from PIL import Image
from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

_TASKS = "/api/v3/contents/generations/tasks"
_WORDS = {
    Phase.QUEUED: "queued",
    Phase.RUNNING: "running",
    Phase.DONE: "succeeded",
    Phase.FAILED: "failed",
    Phase.REFUSED: "failed",
    Phase.CANCELLED: "cancelled",
}
_MODELS = {
    "dreamina-seedance-2-0-260128": (15, ("480p", "720p", "1080p", "4k")),
    "dreamina-seedance-2-0-fast-260128": (15, ("480p", "720p")),
    "dreamina-seedance-2-5-260628": (30, ("480p", "720p")),
    "ep-20261122-abcde": (12, ("720p",)),
}
_TYPES: Mapping[str, type] = {
    "model": str,
    "content": list,
    "resolution": str,
    "ratio": str,
    "duration": int,
    "generate_audio": bool,
    "watermark": bool,
    "callback_url": str,
}
_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive")
_ORDER = re.compile(r"--(?:dur|duration)\s+(\d+)")


class Seedance(Vendor):
    """BytePlus ModelArk. A field that it does not know, or that the model does not take, is an error.

    An order in the prompt (`--dur 15`) is obeyed before the field of the same meaning.
    """

    kind: ClassVar[str] = "seedance"
    key_env: ClassVar[str] = "ARK_API_KEY"
    model: ClassVar[str] = "dreamina-seedance-2-0-260128"
    url_path: ClassVar[str] = "/api/v3"

    @override
    def route(self, method: str, path: str) -> Call | None:
        if path == _TASKS:
            return {"POST": Call("submit"), "GET": Call("check")}.get(method)
        folder, _, job_id = path.rpartition("/")
        if folder != _TASKS:
            return None
        return {"GET": Call("poll", job_id), "DELETE": Call("cancel", job_id)}.get(method)

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return self.error(401, "The API key in the request is missing or invalid.")

    @override
    def new_job_id(self) -> str:
        return f"cgt-20261122120000-{secrets.token_hex(3)}"

    @override
    def read_submission(self, request: Request) -> Submission:
        fields = request.table()
        for name in ("model", "content"):
            if name not in fields:
                raise Denied(_error(400, "MissingParameter", f"missing required parameter: {name}"))
        for name, value in fields.items():
            if name not in _TYPES:
                raise Denied(_error(400, "InvalidParameter.UnsupportedParameter", f"{name} is not supported"))
            if type(value) is not _TYPES[name]:
                raise Denied(_invalid(name))
        if fields["model"] not in _MODELS:
            text = f"The model or endpoint {fields['model']} does not exist or you do not have access to it."
            raise Denied(_error(404, "InvalidEndpointOrModel.NotFound", text))
        prompt, picture = _read_content(fields["content"])
        self._check_output(fields, picture)
        order = _ORDER.search(prompt)
        return Submission(
            prompt=prompt,
            model=fields["model"],
            seconds=float(order[1]) if order else float(fields.get("duration", 5)),
            picture=picture,
            webhook=fields.get("callback_url"),
            fields=fields,
        )

    def _check_output(self, fields: Mapping[str, Any], picture: bytes | None) -> None:
        longest, resolutions = _MODELS[fields["model"]]
        ratio = fields.get("ratio", "adaptive")
        if fields.get("resolution", "720p") not in resolutions:
            raise Denied(_invalid("resolution"))
        if ratio not in _RATIOS:
            raise Denied(_invalid("ratio"))
        if not 4 <= fields.get("duration", 5) <= longest:
            raise Denied(_invalid("duration"))
        if "-2-5-" in fields["model"] and picture is not None and ratio != "adaptive":
            text = "for first-frame image-to-video ratio must be adaptive. Issues: [0] `ratio`"
            raise Denied(_error(400, "InvalidParameter.TaskTypeConstraint", text))

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        return json_answer({"id": job.id})

    @override
    def polled(self, job: Job) -> Answer:
        return json_answer(self._task(job))

    def _task(self, job: Job) -> dict[str, Any]:
        asked = job.submission.fields
        content = None
        if job.phase is Phase.DONE:
            names = ("video_url", "last_frame_url")
            content = dict(zip(names, job.links, strict=False))
        return {
            "id": job.id,
            "model": job.submission.model,
            "status": job.word or _WORDS[job.phase],
            "error": _failure(job),
            "created_at": int(job.created_at),
            "updated_at": int(job.created_at) + job.polls,
            "content": content,
            "usage": {"completion_tokens": 108_900, "total_tokens": 108_900} if content else None,
            "seed": 71_113,
            "resolution": asked.get("resolution", "720p"),
            "ratio": asked.get("ratio", "adaptive"),
            "duration": asked.get("duration", 5),
            "framespersecond": 24,
            "generate_audio": asked.get("generate_audio", True),
            "service_tier": "default",
            "execution_expires_after": 172_800,
        }

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        if status in (402, 410):
            # Ark has neither: an account in debt is forbidden, a model that is gone is not found.
            return _error(403, "AccountOverdueError", text) if status == 402 else _error(404, "ModelNotOpen", text)
        codes = {
            400: "InvalidParameter",
            401: "AuthenticationError",
            403: "AccessDenied",
            404: "InvalidEndpointOrModel.NotFound",
            429: "ModelAccountRpmRateLimitExceeded",
        }
        return _error(status, codes.get(status, "InternalServiceError"), text)

    @override
    def unknown_job(self) -> Answer:
        return _error(404, "NotFound.task_id", "The specified resource is not found.")

    @override
    def refusal(self) -> Answer:
        text = "The request failed because the input text may contain sensitive information."
        return _error(400, "InputTextSensitiveContentDetected", text)

    @override
    def cancelled(self, job: Job) -> Answer:
        return json_answer({})

    @override
    def checked(self, path: str) -> Answer:
        return json_answer({"total": 2, "items": []})

    @override
    def webhook(self, job: Job) -> tuple[bytes, dict[str, str]] | None:
        answer = self.polled(job)
        return answer.body, dict(answer.headers)


def _read_content(content: list[Any]) -> tuple[str, bytes | None]:
    """Return the prompt and the first frame."""
    prompt, picture = "", None
    for number, item in enumerate(content):
        match item:
            case {"type": "text", "text": str(text), **rest} if text and not rest and not prompt:
                prompt = text
            case {"type": "image_url", "image_url": {"url": str(url), **no}, "role": "first_frame", **rest} if (
                not rest and not no and picture is None
            ):
                picture = _read_picture(url)
            case _:
                raise Denied(_invalid(f"content[{number}]"))
    if not prompt:
        raise Denied(_error(400, "MissingParameter", "missing required parameter: content.text"))
    return prompt, picture


def _read_picture(url: str) -> bytes:
    head, _, text = url.partition(",")
    try:
        data = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            sides = image.size
    except (binascii.Error, OSError):
        sides, data = (0, 0), b""
    if head != "data:image/jpeg;base64" or not data:
        raise Denied(_error(400, "InvalidImageURL.InvalidFormat", "The image cannot be parsed."))
    if min(sides) < 300 or max(sides) > 6000 or not 0.4 <= sides[0] / sides[1] <= 2.5:
        raise Denied(_invalid("content.image_url"))
    return data


def _failure(job: Job) -> dict[str, str] | None:
    if job.phase is Phase.FAILED:
        return {"code": "InternalServiceError", "message": "The service encountered an unexpected internal error."}
    if job.phase is Phase.REFUSED:
        text = "The request failed because the output video may contain sensitive information."
        return {"code": "OutputVideoSensitiveContentDetected", "message": text}
    return None


def _invalid(name: str) -> Answer:
    return _error(400, "InvalidParameter", f"The parameter `{name}` specified in the request is not valid.", name)


def _error(status: int, code: str, text: str, param: str = "") -> Answer:
    kinds = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}
    error = {
        "code": code,
        "message": f"{text} Request id: 021800000000000000",
        "param": param,
        "type": kinds.get(status, "InternalServerError"),
    }
    return json_answer({"error": error}, status)
