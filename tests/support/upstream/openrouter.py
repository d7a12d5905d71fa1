"""OpenRouter's video interface, as https://openrouter.ai/docs/api_reference/videos tells it."""

import base64
import secrets
import string
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

_WORDS = {
    Phase.QUEUED: "pending",
    Phase.RUNNING: "in_progress",
    Phase.DONE: "completed",
    Phase.FAILED: "failed",
    Phase.REFUSED: "failed",
    Phase.CANCELLED: "cancelled",
}
_ROW: dict[str, Any] = {
    "supported_resolutions": ["480p", "720p", "1080p", "4K"],
    "supported_aspect_ratios": ["1:1", "3:4", "9:16", "4:3", "16:9", "21:9", "9:21"],
    "supported_frame_images": ["first_frame", "last_frame"],
    "generate_audio": True,
    "seed": True,
}
_MODELS: dict[str, dict[str, Any]] = {
    "bytedance/seedance-2.0": {**_ROW, "supported_durations": list(range(4, 16))},
    "kwaivgi/kling-v3.0-pro": {
        **_ROW,
        "supported_resolutions": ["720p"],
        "supported_durations": list(range(3, 16)),
        "seed": False,
    },
    "acme/new-model": {**_ROW, "supported_durations": [4, 8], "generate_audio": None, "seed": None},
}
_FIELDS = {
    "model",
    "prompt",
    "duration",
    "resolution",
    "aspect_ratio",
    "size",
    "generate_audio",
    "seed",
    "frame_images",
    "input_references",
    "callback_url",
    "provider",
    "session_id",
    "trace",
    "user",
}


class OpenRouter(Vendor):
    """The interface, stricter than the real one in that it refuses fields which it would ignore."""

    kind: ClassVar[str] = "openrouter"
    key_env: ClassVar[str] = "OPENROUTER_API_KEY"
    model: ClassVar[str] = "bytedance/seedance-2.0"
    url_path: ClassVar[str] = "/api/v1"
    files_at: ClassVar[Literal["cdn", "origin"]] = "origin"

    @override
    def new_job_id(self) -> str:
        letters = string.ascii_letters + string.digits
        return f"gen-vid-{int(time.time())}-{''.join(secrets.choice(letters) for _ in range(20))}"

    @override
    def route(self, method: str, path: str) -> Call | None:
        match method, path.removeprefix("/api/v1/").split("/"):
            case "POST", ["videos"]:
                return Call("submit")
            case "GET", ["key"] | ["videos", "models"]:
                return Call("check")
            case "GET", ["videos", job_id]:
                return Call("poll", job_id)
            case "GET", ["videos", job_id, "content"]:
                return Call("download", job_id)
            case _:
                return None

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return self.error(401, "No cookie auth credentials found")

    @override
    def read_submission(self, request: Request) -> Submission:
        fields = request.table()
        model = _MODELS.get(str(fields.get("model")))
        if model is None:
            raise Denied(self.error(404, f"Model {fields.get('model')} does not exist"))
        self._check(fields, model)
        return Submission(
            prompt=fields["prompt"],
            model=fields["model"],
            seconds=fields["duration"],
            picture=self._picture(fields),
            webhook=fields.get("callback_url"),
            fields=fields,
        )

    def _check(self, fields: Mapping[str, Any], model: Mapping[str, Any]) -> None:
        seed, audio = fields.get("seed", 0), fields.get("generate_audio", False)
        wrong = {
            f"unknown fields {set(fields) - _FIELDS}": not set(fields) <= _FIELDS,
            "prompt": not isinstance(fields.get("prompt"), str) or not fields["prompt"],
            "duration": fields.get("duration") not in model["supported_durations"],
            "resolution": fields.get("resolution") not in model["supported_resolutions"],
            "aspect_ratio": fields.get("aspect_ratio") not in model["supported_aspect_ratios"],
            "generate_audio": not isinstance(audio, bool) or (audio and not model["generate_audio"]),
            "seed": not isinstance(seed, int) or not 0 <= seed < 2**31 or ("seed" in fields and not model["seed"]),
            "callback_url": not str(fields.get("callback_url", "http")).startswith("http"),
        }
        for field, is_wrong in wrong.items():
            if is_wrong:
                raise Denied(self.error(400, f"Invalid request: {field}"))

    def _picture(self, fields: Mapping[str, Any]) -> bytes | None:
        match fields.get("frame_images"):
            case None:
                return None
            case [{"type": "image_url", "image_url": {"url": str(url)}, "frame_type": "first_frame"}]:
                head, comma, text = url.partition(",")
                if head == "data:image/jpeg;base64" and comma:
                    return base64.b64decode(text, validate=True)
        raise Denied(self.error(400, "Invalid request: frame_images"))

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        polling = f"{address}/api/v1/videos/{job.id}"
        return json_answer({"id": job.id, "polling_url": polling, "status": "pending"}, 202)

    @override
    def polled(self, job: Job) -> Answer:
        video: dict[str, Any] = {
            "id": job.id,
            "polling_url": f"/api/v1/videos/{job.id}",
            "status": job.word or _WORDS[job.phase],
        }
        if job.phase is Phase.DONE:
            video |= {"generation_id": f"gen-{job.id}", "usage": {"cost": 0.5, "is_byok": False}}
            # A copy of OpenRouter's own lies elsewhere and is signed; the interface's address needs the key.
            video["unsigned_urls" if self.files_at == "origin" else "urls"] = list(job.links)
        elif job.phase is Phase.FAILED:
            video["error"] = "The provider failed to generate the video."
        elif job.phase is Phase.REFUSED:
            video["error"] = "The request failed because the output video may contain sensitive information."
        return json_answer(video)

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        return json_answer({"error": {"code": status, "message": text}, "user_id": "user_2x"}, status)

    @override
    def refusal(self) -> Answer:
        metadata = {
            "reasons": ["violence/graphic"],
            "flagged_input": "a knight ...",
            "provider_name": "Seed",
            "model_slug": self.model,
        }
        text = "Your chosen model requires an input check, and the input did not pass"
        return json_answer({"error": {"code": 403, "message": text, "metadata": metadata}}, 403)

    @override
    def cancelled(self, job: Job) -> Answer:
        return self.error(404, "There is no such call.")

    @override
    def checked(self, path: str) -> Answer:
        if path.endswith("/key"):
            return json_answer({"data": {"label": "sk-or-v1-1a2...3b4", "limit": 20, "limit_remaining": 12.5}})
        return json_answer({"data": [{"id": name, **row} for name, row in _MODELS.items()]})

    @override
    def file_path(self, job: Job, file: int) -> str:
        return f"/api/v1/videos/{job.id}/content?index={file}&issue={job.issue}"

    @override
    def webhook(self, job: Job) -> tuple[bytes, dict[str, str]]:
        status = _WORDS[job.phase]
        event = {
            "type": f"video.generation.{status}",
            "created_at": "2026-11-22T12:00:00Z",
            "data": {"id": job.id, "status": status, "generation_id": None, "model": job.submission.model},
        }
        headers = {"X-OpenRouter-Idempotency-Key": f"{job.id}-{status}"}
        answer = json_answer(event, headers=headers)
        return answer.body, dict(answer.headers)
