"""fal's queue, as strict about fields as the schemas of its models are.

Facts: https://fal.ai/docs/api-reference/inference-api, https://fal.ai/docs/errors and the models' own llms.txt. The
real queue takes what a model will refuse and tells it with the result; here a wrong body is refused at once, so that a
test sees it.
"""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

NO_REQUEST = "00000000-0000-0000-0000-000000000000"
_WORDS = {Phase.QUEUED: "IN_QUEUE", Phase.RUNNING: "IN_PROGRESS"}
_RATIOS = ("auto", "16:9", "9:16")


class _Endpoint(NamedTuple):
    """What an endpoint takes: lengths as it writes them, words for sizes, and its fields beside prompt and duration."""

    durations: tuple[object, ...]
    resolutions: tuple[str, ...]
    more: tuple[str, ...]
    picture: str = ""


def _texts(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(seconds) for seconds in range(first, last + 1))


_SEEDANCE = ("resolution", "aspect_ratio", "generate_audio", "seed", "end_user_id")
_H3 = ("resolution", "seed", "enable_safety_checker")
_KLING = ("generate_audio", "negative_prompt", "cfg_scale", "shot_type")
_VEO = _Endpoint(("4s", "6s", "8s"), ("720p", "1080p", "4k"), ("resolution", "aspect_ratio", "generate_audio", "seed"))
_ENDPOINTS = {
    "bytedance/seedance-2.0/text-to-video": _Endpoint(_texts(4, 15), ("480p", "720p", "1080p", "4k"), _SEEDANCE),
    "bytedance/seedance-2.0/image-to-video": _Endpoint(
        _texts(4, 15), ("480p", "720p", "1080p", "4k"), _SEEDANCE, "image_url"
    ),
    "bytedance/seedance-2.5/text-to-video": _Endpoint(
        _texts(4, 30), ("480p", "720p", "1080p"), ("resolution", "aspect_ratio", "generate_audio", "end_user_id")
    ),
    "bytedance/seedance-2.5/image-to-video": _Endpoint(
        _texts(4, 30), ("480p", "720p", "1080p"), ("resolution", "generate_audio", "seed", "end_user_id"), "image_url"
    ),
    "minimax/h3/text-to-video": _Endpoint(tuple(range(5, 16)), ("480P", "768P", "2K", "4K"), (*_H3, "aspect_ratio")),
    "minimax/h3/image-to-video": _Endpoint(tuple(range(5, 16)), ("480P", "768P", "2K", "4K"), _H3, "image_url"),
    "fal-ai/veo3.1": _VEO,
    "fal-ai/veo3.1/image-to-video": _VEO._replace(picture="image_url"),
    "fal-ai/kling-video/v3/pro/text-to-video": _Endpoint(_texts(3, 15), (), (*_KLING, "aspect_ratio")),
    "fal-ai/kling-video/v3/pro/image-to-video": _Endpoint(_texts(3, 15), (), _KLING, "start_image_url"),
}


class Fal(Vendor):
    """fal. A request's addresses hold owner and app alone; what its model says comes with the result."""

    kind: ClassVar[str] = "fal"
    key_env: ClassVar[str] = "FAL_KEY"
    model: ClassVar[str] = "bytedance/seedance-2.0"

    @override
    def route(self, method: str, path: str) -> Call | None:
        endpoint, asked, rest = path.strip("/").partition("/requests/")
        if not asked:
            return Call("submit") if method == "POST" else None
        request_id, _, what = rest.partition("/")
        match method, what, endpoint.count("/"):
            case "GET", "status", 1:
                return Call("check") if request_id == NO_REQUEST else Call("poll", request_id)
            case "GET", "", 1:
                return Call("result", request_id)
            case "PUT", "cancel", 1:
                return Call("cancel", request_id)
        return None

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") == f"Key {self.key}":
            return None
        return self.error(401, "Cannot access application. Authentication is required to access this application.")

    @override
    def new_job_id(self) -> str:
        return str(uuid.uuid4())

    @override
    def read_submission(self, request: Request) -> Submission:
        name = request.path.strip("/")
        endpoint = _ENDPOINTS.get(name)
        if endpoint is None:
            raise Denied(self.error(404, f"Application '{name}' not found"))
        if request.headers.get("x-fal-no-retry") != "1":
            raise Denied(self.error(400, "This test wants X-Fal-No-Retry."))
        if set(json.loads(request.headers["x-fal-object-lifecycle-preference"])) != {"expiration_duration_seconds"}:
            raise Denied(self.error(400, "Invalid X-Fal-Object-Lifecycle-Preference."))
        fields = request.table()
        _check(fields, endpoint)
        return Submission(
            prompt=fields["prompt"],
            model=name,
            seconds=float(str(fields["duration"]).removesuffix("s")),
            picture=_read_picture(fields[endpoint.picture], endpoint.picture) if endpoint.picture else None,
            webhook=request.query.get("fal_webhook"),
            fields=fields,
        )

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        owner, app, *_ = job.submission.model.split("/")
        base = f"{address}/{owner}/{app}/requests/{job.id}"
        return json_answer(
            {
                "status": "IN_QUEUE",
                "request_id": job.id,
                "gateway_request_id": job.id,
                "response_url": base,
                "status_url": f"{base}/status",
                "cancel_url": f"{base}/cancel",
                "queue_position": 0,
            }
        )

    @override
    def polled(self, job: Job) -> Answer:
        word = job.word or _WORDS.get(job.phase, "COMPLETED")
        told: dict[str, Any] = {"status": word, "request_id": job.id, "metrics": {"inference_time": 3.42}}
        if job.phase is Phase.FAILED:
            told |= {"error": "Runner error", "error_type": "runner_server_error"}
        if job.phase is Phase.CANCELLED:
            told |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
        return json_answer(told, 200 if word == "COMPLETED" else 202)

    @override
    def result(self, job: Job) -> Answer:
        headers = {"X-Fal-Request-Id": job.id}
        match job.phase:
            case Phase.DONE:
                return json_answer(self._film(job), 200, headers)
            case Phase.FAILED:
                return _wrong(500, "internal_server_error", "The model ran out of memory.", "body")
            case Phase.REFUSED:
                return _wrong(422, "content_policy_violation", "Output video has sensitive content.", "generated_video")
            case Phase.CANCELLED:
                return json_answer({"detail": "Request was cancelled", "error_type": "client_cancelled"}, 400)
        return self.error(400, "Request is still in progress")

    def _film(self, job: Job) -> dict[str, Any]:
        files = [{"url": link, "content_type": "video/mp4", "file_name": "output.mp4"} for link in job.links]
        return {"seed": 42, **dict(zip(("video", "thumbnail"), files, strict=False))}

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        # An account without money is locked, which is told as 403.
        return json_answer({"detail": text}, 403 if status == 402 else status)

    @override
    def refusal(self) -> Answer:
        text = "The content could not be processed because it contained material flagged by a content checker."
        return _wrong(422, "content_policy_violation", text, "prompt")

    @override
    def unknown_job(self) -> Answer:
        return json_answer({"status": "NOT_FOUND"}, 404)

    @override
    def cancelled(self, job: Job) -> Answer:
        if job.links:
            return json_answer({"status": "ALREADY_COMPLETED"}, 400)
        if job.polls > 1:
            return json_answer({"status": "CANCELLATION_REQUESTED"}, 202)
        return json_answer({"status": "OK"})

    @override
    def checked(self, path: str) -> Answer:
        return self.unknown_job()

    @override
    def webhook(self, job: Job) -> tuple[bytes, dict[str, str]] | None:
        result = self.result(job)
        told = {
            "request_id": job.id,
            "gateway_request_id": job.id,
            "status": "OK" if result.status == 200 else "ERROR",
            "payload": json.loads(result.body),
        }
        if result.status != 200:
            told["error"] = f"Invalid status code: {result.status}"
        headers = {
            "Content-Type": "application/json",
            "X-Fal-Webhook-Request-Id": job.id,
            "X-Fal-Webhook-Timestamp": str(int(job.created_at)),
            "X-Fal-Webhook-Signature": "00" * 64,
        }
        return json.dumps(told).encode(), headers


def _check(fields: Mapping[str, Any], endpoint: _Endpoint) -> None:
    known = {"prompt", "duration", *endpoint.more, *((endpoint.picture,) if endpoint.picture else ())}
    for name in fields:
        if name not in known:
            raise Denied(_wrong(422, "extra_forbidden", "Extra inputs are not permitted", name))
    if not isinstance(fields.get("prompt"), str) or not fields["prompt"]:
        raise Denied(_wrong(422, "missing", "Field required", "prompt"))
    # 4 and "4" are equal to no endpoint: JSON's own types are compared.
    if json.dumps(fields.get("duration")) not in map(json.dumps, endpoint.durations):
        raise Denied(_wrong(422, "literal_error", f"Input should be one of {endpoint.durations}", "duration"))
    for name, allowed in (("resolution", endpoint.resolutions), ("aspect_ratio", _RATIOS)):
        if name in fields and fields[name] not in allowed:
            raise Denied(_wrong(422, "literal_error", f"Input should be one of {allowed}", name))
    if type(fields.get("generate_audio", True)) is not bool:
        raise Denied(_wrong(422, "bool_parsing", "Input should be a valid boolean", "generate_audio"))
    seed = fields.get("seed", 0)
    if type(seed) is not int or not 0 <= seed < 2**31:
        raise Denied(_wrong(422, "less_than_equal", "Input should be less than or equal to 2147483647", "seed"))


def _read_picture(text: object, field: str) -> bytes:
    head, _, data = text.partition(",") if isinstance(text, str) else ("", "", "")
    if head != "data:image/jpeg;base64":
        raise Denied(_wrong(422, "file_download_error", "Failed to download the file.", field))
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Denied(_wrong(422, "image_load_error", "Failed to load the image.", field)) from None


def _wrong(status: int, kind: str, text: str, *where: str) -> Answer:
    """Answer as a model does: with typed entries that repeat the input."""
    entry = {"loc": ["body", *where], "msg": text, "type": kind, "url": f"https://docs.fal.ai/errors/#{kind}"}
    return json_answer(
        {"detail": [{**entry, "input": {"prompt": "(the prompt)"}}]}, status, {"X-Fal-Retryable": "false"}
    )
