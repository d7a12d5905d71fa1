"""Servers that speak OpenAI's `/v1/videos`: the dead original, which LiteLLM and new-api follow, and two that differ.

Facts: `upstreams.md` §1.2 (OpenAI), §2.1 (SGLang Diffusion 0.5.23), §2.2 (vLLM-Omni 0.30.0).
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

Profile = Literal["generic", "vllm-omni", "sglang"]

_WORDS = {
    Phase.QUEUED: "queued",
    Phase.RUNNING: "in_progress",
    Phase.DONE: "completed",
    Phase.FAILED: "failed",
    Phase.REFUSED: "failed",
    Phase.CANCELLED: "deleted",
}
_SIDES = 32
"""What the served model's width and height must be multiples of, as LTX wants it."""


class OpenAIVideos(Vendor):
    """The interface in one of three dialects.

    "generic" takes JSON and multipart; "vllm-omni" takes multipart alone, refuses a model name, wants 8k+1 frames and
    sides that are multiples of 32, and answers the poll of a failed job with an HTTP error; "sglang" has FastAPI's
    errors and takes a picture as a file or as `reference_url`.
    """

    kind: ClassVar[str] = "openai_videos"
    key_env: ClassVar[str] = "STUDIO_API_KEY"
    url_path: ClassVar[str] = "/v1"
    files_at = "origin"
    model: ClassVar[str] = "ltx-2.5"

    def __init__(self, profile: Profile = "generic") -> None:
        self.profile = profile

    @override
    def settings(self, address: str) -> dict[str, object]:
        return {**super().settings(address), "profile": self.profile, "content_wait_seconds": 0.6}

    @override
    def new_job_id(self) -> str:
        return f"video_{secrets.token_hex(16)}"

    @override
    def route(self, method: str, path: str) -> Call | None:
        match method, path.removeprefix("/v1/").split("/"):
            case (("POST" | "GET"), ["videos"]):
                call = Call("submit" if method == "POST" else "list")
            case "GET", ["models"]:
                call = Call("check")
            case (("GET" | "DELETE"), ["videos", job_id]):
                call = Call("poll" if method == "GET" else "cancel", job_id)
            case "GET", ["videos", job_id, "content"]:
                call = Call("download", job_id)
            case "GET", ["videos", job_id, "outputs", number]:
                call = Call("download", job_id, int(number))
            case _:
                return None
        return call

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return self.error(401, "Incorrect API key provided.")

    @override
    def read_submission(self, request: Request) -> Submission:
        fields, picture = self._fields(request)
        if not isinstance(fields.get("prompt"), str) or not fields["prompt"]:
            raise Denied(self.error(400, "Missing required parameter: 'prompt'."))
        if not isinstance(fields.get("seconds", "4"), str) or not fields.get("seconds", "4").isdigit():
            raise Denied(self.error(400, "Invalid type for 'seconds': expected a string."))
        self._check_served(fields)
        return Submission(
            prompt=fields["prompt"],
            model=str(fields.get("model", "")),
            seconds=float(fields.get("seconds", "4")),
            picture=picture,
            fields=fields,
        )

    def _fields(self, request: Request) -> tuple[dict[str, Any], bytes | None]:
        if request.media_type == "multipart/form-data":
            form, files = request.form()
            part = files.get("input_reference")
            if part is not None and not part.media_type.startswith("image/"):
                raise Denied(self.error(400, "Invalid file format for 'input_reference'."))
            return dict(form), None if part is None else part.data
        table = {} if self.profile == "vllm-omni" else request.table()
        picture = table.get("reference_url" if self.profile == "sglang" else "input_reference")
        if self.profile == "generic" and picture is not None:
            if not isinstance(picture, dict) or set(picture) not in ({"image_url"}, {"file_id"}):
                raise Denied(self.error(400, "Invalid type for 'input_reference'."))
            picture = picture.get("image_url")
        return table, None if picture is None else self._data_url(picture)

    def _data_url(self, text: object) -> bytes:
        if not isinstance(text, str) or not text.startswith("data:image/"):
            raise Denied(self.error(400, "Invalid image."))
        return text.encode()

    def _check_served(self, fields: Mapping[str, Any]) -> None:
        """What the model that is served, and not the interface, does not take."""
        if self.profile == "vllm-omni":
            if "model" in fields:
                raise Denied(self.error(400, f"Model mismatch: the served model is not {fields['model']}."))
            width, _, height = str(fields.get("size", "0x0")).partition("x")
            if int(width) % _SIDES or int(height) % _SIDES:
                raise Denied(self.error(400, f"Width and height must be divisible by {_SIDES}."))
            if (int(fields.get("num_frames", 0)) - 1) % 8:
                raise Denied(self.error(400, "num_frames must be 8k+1."))

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        return json_answer(self._video(job))

    @override
    def polled(self, job: Job) -> Answer:
        if job.cancelled and self.profile != "sglang":
            return self.unknown_job()
        failed = job.phase in (Phase.FAILED, Phase.REFUSED)
        return json_answer(self._video(job), 500 if failed and self.profile == "vllm-omni" else 200)

    def _video(self, job: Job) -> dict[str, Any]:
        asked = job.submission.fields
        video: dict[str, Any] = {
            "id": job.id,
            "object": "video",
            "model": job.submission.model or self.model,
            "status": job.word or _WORDS[job.phase],
            "progress": job.progress,
            "created_at": int(job.created_at),
            "completed_at": int(job.created_at) + 1 if job.phase is Phase.DONE else None,
            "expires_at": None,
            "size": asked.get("size", "720x1280"),
            "seconds": asked.get("seconds", "4"),
            "remixed_from_video_id": None,
            "error": self._failure(job),
        }
        if self.profile != "sglang":
            video["prompt"] = job.submission.prompt
        else:
            video["file_path"] = f"/srv/outputs/{job.id}.mp4" if job.links else None
        named = [link for link in job.links if not link.endswith("/content")]
        if named:
            # A server that keeps its films in a bucket, or makes several, names their addresses.
            video |= {"url": job.links[0], "urls": list(job.links)}
        return video

    def _failure(self, job: Job) -> dict[str, Any] | None:
        if job.phase not in (Phase.FAILED, Phase.REFUSED):
            return None
        refused = job.phase is Phase.REFUSED
        message = "Your request was blocked by our moderation system." if refused else "CUDA out of memory."
        match self.profile:
            case "generic":
                return {"code": "moderation_blocked" if refused else "server_error", "message": message}
            case "vllm-omni":
                return {"code": 500, "message": message}
            case "sglang":
                return {"message": message}

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        if self.profile == "sglang":
            return json_answer({"detail": text}, status)
        if status == 402 and self.profile == "generic":
            # OpenAI's word for "no money" is a 429 that no waiting mends.
            detail = {"message": text, "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}
            return json_answer({"error": detail}, 429)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
        code: str | int | None = codes.get(status)
        if self.profile == "vllm-omni":
            code = status
        return json_answer({"error": {"message": text, "type": kind, "param": None, "code": code}}, status)

    @override
    def refusal(self) -> Answer:
        text = "Your request was rejected as a result of our safety system."
        if self.profile != "generic":
            return self.error(400, text)
        return json_answer(
            {
                "error": {
                    "message": text,
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "content_policy_violation",
                }
            },
            400,
        )

    @override
    def cancelled(self, job: Job) -> Answer:
        if self.profile == "sglang":
            return json_answer({**self._video(job), "status": "deleted"})
        return json_answer({"id": job.id, "deleted": True, "object": "video.deleted"})

    @override
    def listed(self, jobs: Sequence[Job], query: Mapping[str, str]) -> Answer:
        kept = [job for job in jobs if not job.cancelled or self.profile == "sglang"]
        if query.get("order") == "asc":
            kept.reverse()
        ids = [job.id for job in kept]
        start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
        end = start + int(query.get("limit", "20"))
        shown = [self._video(job) for job in kept[start:end]]
        ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {}
        return json_answer({"object": "list", "data": shown, "has_more": len(kept) > end, **ends})

    @override
    def checked(self, path: str) -> Answer:
        return json_answer(
            {
                "object": "list",
                "data": [{"id": self.model, "object": "model", "created": 1_786_000_000, "owned_by": "us"}],
            }
        )

    @override
    def file_path(self, job: Job, file: int) -> str:
        return f"/v1/videos/{job.id}/content" if file == 0 else f"/v1/videos/{job.id}/outputs/{file}"
