"""Replicate's HTTP interface, as strict about inputs as the schemas of its models are.

Facts: https://replicate.com/docs/reference/http, the prediction of Replicate's own JavaScript client (which tells
`webhook`), https://replicate.com/docs/topics/predictions/lifecycle and the models' own schemas.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from typing_extensions import override

from tests.support.upstream.base.jobs import Job, Phase, Submission
from tests.support.upstream.base.vendor import Call, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, json_answer

_WORDS = {
    Phase.QUEUED: "starting",
    Phase.RUNNING: "processing",
    Phase.DONE: "succeeded",
    Phase.FAILED: "failed",
    Phase.REFUSED: "failed",
}
_ERRORS = {
    Phase.FAILED: "Prediction interrupted; please retry (code: PA)",
    Phase.REFUSED: "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
}
_RATIOS = ("16:9", "9:16", "1:1", "adaptive")


class _Model(NamedTuple):
    """What a model takes: lengths, a field and its words for sizes, and its other fields beside prompt and duration."""

    seconds: range | tuple[int, ...]
    sizes: tuple[str, ...]
    more: tuple[str, ...]
    picture: str = ""
    size_field: str = "resolution"


_SEEDANCE = _Model(range(4, 16), ("480p", "720p", "1080p"), ("aspect_ratio", "generate_audio", "seed"), "image")
_WAN = _Model(range(2, 16), ("720p", "1080p"), ("seed", "negative_prompt", "enable_prompt_expansion"))
_MODELS = {
    "bytedance/seedance-2.0": _SEEDANCE,
    "bytedance/seedance-2.5": _SEEDANCE._replace(seconds=range(4, 31), sizes=("480p", "720p")),
    "wan-video/wan-2.7-t2v": _WAN._replace(more=(*_WAN.more, "aspect_ratio")),
    "wan-video/wan-2.7-i2v": _WAN._replace(picture="first_frame"),
    "google/veo-3.1": _Model((4, 6, 8), ("720p", "1080p"), ("aspect_ratio", "generate_audio", "seed"), "image"),
    "kwaivgi/kling-v3-video": _Model(
        range(3, 16), ("standard", "pro"), ("aspect_ratio", "generate_audio"), "start_image", "mode"
    ),
    f"studio/own-model:{'0123456789abcdef' * 4}": _SEEDANCE,
}


class Replicate(Vendor):
    """Replicate. `files` holds what was uploaded, by its address."""

    kind: ClassVar[str] = "replicate"
    key_env: ClassVar[str] = "REPLICATE_API_TOKEN"
    url_path: ClassVar[str] = "/v1"
    model: ClassVar[str] = "bytedance/seedance-2.0"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @override
    def route(self, method: str, path: str) -> Call | None:
        match method, path.removeprefix("/v1/").split("/"):
            case "POST", ["models", _, _, "predictions"] | ["predictions"]:
                call = Call("submit")
            case "GET", ["predictions"]:
                call = Call("list")
            case "GET", ["predictions", job_id]:
                call = Call("poll", job_id)
            case "POST", ["predictions", job_id, "cancel"]:
                call = Call("cancel", job_id)
            case "POST", ["files"]:
                call = Call("upload")
            case "GET", ["account"]:
                call = Call("check")
            case _:
                return None
        return call

    @override
    def unauthorized(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return self.error(401, "You did not pass a valid authentication token")

    @override
    def new_job_id(self) -> str:
        return "".join(secrets.choice("abcdefghjkmnpqrstvwxyz0123456789") for _ in range(26))

    @override
    def uploaded(self, request: Request, address: str) -> Answer:
        part = request.form()[1].get("content")
        if part is None or part.media_type != "image/jpeg":
            return self.error(422, "Missing content")
        address = f"{address}/v1/files/{secrets.token_hex(12)}"
        self.files[address] = part.data
        return json_answer({"id": address.rpartition("/")[2], "urls": {"get": address}}, 201)

    @override
    def read_submission(self, request: Request) -> Submission:
        body = request.table()
        name = "/".join(request.path.split("/")[3:5]) if "/models/" in request.path else str(body.pop("version", ""))
        model = _MODELS.get(name)
        if model is None:
            raise Denied(self.error(404, "The requested resource could not be found."))
        if not set(body) <= {"input", "webhook", "webhook_events_filter"}:
            raise Denied(self.error(422, f"Additional property is not allowed: {set(body)}"))
        if ("webhook" in body) != (body.get("webhook_events_filter") == ["completed"]):
            raise Denied(self.error(422, "This test wants the completed webhook only."))
        given = body.get("input")
        if not isinstance(given, dict):
            raise Denied(self.error(422, "- input: input is required"))
        self._check(given, model)
        return Submission(
            prompt=given["prompt"],
            model=name,
            seconds=given["duration"],
            picture=self._picture(given[model.picture]) if model.picture in given else None,
            webhook=body.get("webhook"),
            fields=body,
        )

    def _check(self, given: Mapping[str, Any], model: _Model) -> None:
        known = {"prompt", "duration", model.size_field, *model.more, model.picture}
        wrong = [name for name in given if name not in known]
        if not isinstance(given.get("prompt"), str):
            wrong.append("prompt")
        if type(given.get("duration")) is not int or given["duration"] not in model.seconds:
            wrong.append("duration")
        if given.get(model.size_field) not in model.sizes:
            wrong.append(model.size_field)
        if given.get("aspect_ratio", "16:9") not in _RATIOS or type(given.get("generate_audio", True)) is not bool:
            wrong.append("aspect_ratio, generate_audio")
        seed = given.get("seed", 0)
        if type(seed) is not int or not 0 <= seed < 2**31:
            wrong.append("seed")
        if wrong:
            raise Denied(self.error(422, f"- input.{wrong[0]}: Invalid value"))

    def _picture(self, address: object) -> bytes:
        if isinstance(address, str) and address in self.files:
            return self.files[address]
        head, _, data = address.partition(",") if isinstance(address, str) else ("", "", "")
        wrong = Denied(self.error(422, "- input.image: Does not match format 'uri'"))
        if head != "data:image/jpeg;base64" or len(data) > 350_000:
            raise wrong
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            raise wrong from None

    @override
    def submitted(self, job: Job, address: str) -> Answer:
        return json_answer(_prediction(job), 201)

    @override
    def polled(self, job: Job) -> Answer:
        return json_answer(_prediction(job))

    @override
    def error(self, status: int, text: str = "Something is wrong.") -> Answer:
        title = {401: "Unauthenticated", 402: "Insufficient credit", 404: "Not found", 422: "Input validation failed"}
        return json_answer({"title": title.get(status, "Error"), "detail": text, "status": status}, status)

    @override
    def refusal(self) -> Answer:
        return self.error(422, "The input was flagged as sensitive. Please try again with different inputs. (E005)")

    @override
    def cancelled(self, job: Job) -> Answer:
        return json_answer(_prediction(job))

    @override
    def listed(self, jobs: Sequence[Job], query: Mapping[str, str]) -> Answer:
        after, before = (
            datetime.fromisoformat(query[name]).timestamp() if name in query else usual
            for name, usual in (("created_after", 0.0), ("created_before", float("inf")))
        )
        shown = [_prediction(job) for job in jobs if after <= job.created_at < before]
        return json_answer({"next": None, "previous": None, "results": shown})

    @override
    def checked(self, path: str) -> Answer:
        return json_answer({"type": "organization", "username": "acme", "name": "Acme Corp, Inc."})

    @override
    def webhook(self, job: Job) -> tuple[bytes, dict[str, str]] | None:
        headers = {
            "Content-Type": "application/json",
            "webhook-id": f"msg_{job.id}",
            "webhook-timestamp": str(int(job.created_at)),
            "webhook-signature": "v1,AAAA",
        }
        return json.dumps(_prediction(job)).encode(), headers


def _prediction(job: Job) -> dict[str, Any]:
    # One that is cancelled before it runs was never charged.
    word = job.word or _WORDS.get(job.phase) or ("aborted" if job.polls < 2 else "canceled")
    base = f"https://api.replicate.com/v1/predictions/{job.id}"
    asked = job.submission.fields
    return {
        "id": job.id,
        "model": job.submission.model.partition(":")[0],
        "version": "hidden",
        "input": asked["input"],
        "output": (job.links[0] if len(job.links) == 1 else list(job.links)) if job.links else None,
        "logs": "",
        "error": _ERRORS.get(job.phase),
        "data_removed": False,
        "source": "api",
        "status": word,
        "created_at": datetime.fromtimestamp(job.created_at, UTC).isoformat().replace("+00:00", "Z"),
        "metrics": {},
        "urls": {"get": base, "cancel": f"{base}/cancel", "web": f"https://replicate.com/p/{job.id}"},
        **{name: asked[name] for name in ("webhook", "webhook_events_filter") if name in asked},
    }
