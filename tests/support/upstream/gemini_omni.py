"""Gemini's Interactions API with Omni, as https://ai.google.dev/gemini-api/docs/omni and google-genai 3.4.0 tell it."""

import base64
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.media import tiny_film
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

_WORDS = {
    Phase.QUEUED: "queued",
    Phase.RUNNING: "in_progress",
    Phase.DONE: "completed",
    Phase.FAILED: "failed",
    Phase.REFUSED: "failed",
    Phase.CANCELLED: "cancelled",
}
_SECONDS = {"gemini-omni-1.2-flash": range(3, 16), "gemini-omni-1.1-flash": range(3, 11)}
_FIELDS = {
    "model",
    "background",
    "store",
    "stream",
    "input",
    "response_format",
    "generation_config",
    "webhook_config",
    "labels",
}
_STATES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
}


class GeminiOmni(Vendor):
    """The interface. `inline`: a finished interaction holds its film, and not an address of it."""

    kind: ClassVar[str] = "gemini_omni"
    key_env: ClassVar[str] = "GEMINI_API_KEY"
    model: ClassVar[str] = "gemini-omni-1.2-flash"
    url_path: ClassVar[str] = "/v1"
    files_at: ClassVar[Literal["cdn", "origin"]] = "origin"

    def __init__(self, *, inline: bool = False, film: bytes | None = None) -> None:
        self.inline = inline
        self.film = film

    @override
    def new_job_id(self) -> str:
        return f"v1_{secrets.token_urlsafe(48)}"

    @override
    def route(self, method: str, path: str) -> Call | None:
        match method, path.removeprefix("/v1/").split("/"):
            case "POST", ["interactions"]:
                return Call("submit")
            case "GET", ["models", _]:
                return Call("check")
            case "GET", ["interactions", job_id]:
                return Call("poll", job_id)
            case "POST", ["interactions", job_id, "cancel"]:
                return Call("cancel", job_id)
            case _:
                found = re.fullmatch(r"/v1beta/files/(.+)\.(\d+):download", path)
                return Call("download", found[1], int(found[2])) if found and method == "GET" else None

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("x-goog-api-key") == self.key:
            return None
        return self.error(401, "API key not valid. Please pass a valid API key.")

    @override
    def read_submission(self, request: Request) -> Submission:
        fields = request.table()
        if fields.get("model") not in _SECONDS:
            raise Denied(self.error(404, f"models/{fields.get('model')} is not found for API version v1."))
        if not set(fields) <= _FIELDS:
            raise Denied(self.error(400, f"Unknown name {set(fields) - _FIELDS}: Cannot find field."))
        if fields.get("background") is not True or fields.get("store") is False:
            raise Denied(self.error(400, "A client that does not wait wants background and store."))
        seconds = self._seconds(fields)
        prompt, picture = self._input(fields)
        return Submission(
            prompt=prompt,
            model=fields["model"],
            seconds=seconds,
            picture=picture,
            webhook=self._webhook_of(fields),
            fields=fields,
        )

    def _seconds(self, fields: Mapping[str, Any]) -> int:
        match fields.get("response_format"):
            case {
                "type": "video",
                "aspect_ratio": "16:9" | "9:16",
                "resolution": "360p" | "720p" | "1080p" | "4k",
                "delivery": "inline" | "uri",
                "duration": str(duration),
                **more,
            } if not more and re.fullmatch(r"\d+s", duration):
                if int(duration[:-1]) in _SECONDS[fields["model"]]:
                    return int(duration[:-1])
        raise Denied(self.error(400, "Invalid value at 'response_format'."))

    def _input(self, fields: Mapping[str, Any]) -> tuple[str, bytes | None]:
        task = fields.get("generation_config")
        match fields.get("input"):
            case [{"type": "user_input", "content": [{"type": "text", "text": str(text)}]}] if text:
                if task == {"video_config": {"task": "text_to_video"}}:
                    return text, None
            case [
                {
                    "type": "user_input",
                    "content": [
                        {"type": "image", "data": str(data), "mime_type": "image/jpeg"},
                        {"type": "text", "text": str(text)},
                    ],
                }
            ] if task == {"video_config": {"task": "image_to_video"}}:
                return text.removeprefix("<FIRST_FRAME> "), base64.b64decode(data, validate=True)
        raise Denied(self.error(400, "Invalid value at 'input'."))

    def _webhook_of(self, fields: Mapping[str, Any]) -> str | None:
        match fields.get("webhook_config"):
            case None:
                return None
            case {"uris": [str(uri)], **more} if not more and uri.startswith("http"):
                return uri
        raise Denied(self.error(400, "Invalid value at 'webhook_config'."))

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        return json_answer({"id": job.id, "object": "interaction", "model": self.model, "status": "in_progress"})

    @override
    def polled(self, job: Job) -> Answer:
        interaction: dict[str, Any] = {
            "id": job.id,
            "object": "interaction",
            "model": job.submission.model,
            "status": job.word or _WORDS[job.phase],
            "created": "2026-11-22T12:00:00Z",
            "steps": [{"type": "thought", "signature": "EpcwCpQwAQw51sdI", "content": []}],
        }
        if job.phase is Phase.DONE:
            interaction["steps"].append({"type": "model_output", "content": self._films(job)})
        elif job.phase is Phase.FAILED:
            interaction["errors"] = [{"code": "internal", "message": "An internal error has occurred."}]
        elif job.phase is Phase.REFUSED:
            text = "The generated video was filtered out because it might violate the Prohibited Use Policy."
            interaction["errors"] = [{"code": "safety", "message": text}]
        return json_answer(interaction)

    def _films(self, job: Job) -> list[dict[str, Any]]:
        if not job.links:
            return [{"type": "video", "mime_type": "video/mp4"}]
        if self.inline:
            data = base64.b64encode(self.film or tiny_film()).decode()
            return [{"type": "video", "mime_type": "video/mp4", "data": data}]
        # The client takes the last that was put out, so the film comes last here.
        return [{"type": "video", "mime_type": "video/mp4", "uri": link} for link in reversed(job.links)]

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        if status == 401:
            # Google answers a wrong key with 400.
            reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            return self._error(400, "INVALID_ARGUMENT", f"API key not valid. {text}", [reason])
        if status == 402:
            return self._error(400, "FAILED_PRECONDITION", f"Please enable billing on your project. {text}")
        status = 404 if status == 410 else status
        return self._error(status, _STATES.get(status, "UNKNOWN"), text)

    def _error(self, code: int, state: str, text: str, details: list[dict[str, Any]] | None = None) -> Answer:
        error = {"code": code, "message": text, "status": state, "details": details or []}
        return json_answer({"error": error}, code)

    @override
    def refusal(self) -> Answer:
        return self._error(400, "INVALID_ARGUMENT", "The prompt was blocked: it violates the Prohibited Use policy.")

    @override
    def cancelled(self, job: Job) -> Answer:
        return json_answer({"id": job.id, "object": "interaction", "status": "cancelled"})

    @override
    def checked(self, path: str) -> Answer:
        name = path.rpartition("/")[2]
        if name not in _SECONDS:
            return self.error(404, f"models/{name} is not found for API version v1.")
        return json_answer({"name": f"models/{name}", "displayName": "Gemini Omni Flash"})

    @override
    def file_path(self, job: Job, file: int) -> str:
        return f"/v1beta/files/{job.id}.{file}:download?alt=media&issue={job.issue}"

    @override
    def webhook(self, job: Job) -> tuple[bytes, dict[str, str]]:
        word = {Phase.DONE: "completed", Phase.CANCELLED: "cancelled"}.get(job.phase, "failed")
        event = {
            "type": f"interaction.{word}",
            "version": "v1",
            "timestamp": "2026-11-22T12:00:00Z",
            "data": {"id": job.id},
        }
        answer = json_answer(event, headers={"webhook-id": "evt_1", "webhook-timestamp": "1795348800"})
        return answer.body, dict(answer.headers)
