"""Seedance at BytePlus ModelArk, and at Volcengine Ark in mainland China: one interface, two addresses.

Written against https://docs.byteplus.com/en/docs/ModelArk/1520757 (create), 1521309 (retrieve), 1521720 (cancel) and
1299023 (errors). Three traps of theirs are dealt with here: Seedance 2.5 refuses an aspect ratio next to a first
frame, a field that a model does not know is an error (`seed` is one for Seedance 2), and `--name value` in a prompt is
an order that changes length or size, and so the price.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from understudy.backends.base import (
    Ambiguous,
    Backend,
    BadInput,
    CollectFailed,
    Context,
    Finished,
    Fit,
    JobRequest,
    JobStatus,
    PollFailed,
    Running,
    Unusable,
    Vanished,
    Wanted,
)
from understudy.backends.facts import Facts
from understudy.backends.hosted import hosted_traits, open_api
from understudy.backends.http import UpstreamApi, read_table
from understudy.backends.options import BackendOptions
from understudy.backends.pictures import data_uri, read_picture
from understudy.backends.playable import fit_to, unknown_lengths
from understudy.backends.prompts import without_orders
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content
from understudy.domain.catalogue import Size

FACTS = Facts(
    kind="seedance",
    title="Seedance (BytePlus ModelArk, Volcengine Ark)",
    reference="https://docs.byteplus.com/en/docs/ModelArk/1520757",
    read_on="2026-11-22",
    base_url="https://ark.ap-southeast.bytepluses.com/api/v3",
    key_env="ARK_API_KEY",
    default_model="dreamina-seedance-2-0-260128",
    cost=(
        "By tokens (width x height x 24 x seconds / 1024); a guide of August 2026, looked up on 2026-11-22: Seedance "
        "2.0 about 0.15 USD a second at 720p and 0.37 USD at 1080p, Seedance 2.5 about 0.23 USD at 720p."
    ),
    result_life="24 hours; the record of the job 7 days.",
    lost_answer="By the callback that Ark sends for every job, within seconds; where callbacks are off, not at all.",
    cancels="Only a job that is still queued; a running one goes on and is billed.",
)

TASKS: Final = "contents/generations/tasks"
FIRST_POLL_SECONDS: Final = 30.0
POLL_SECONDS: Final = 10.0
"""An account may ask 20 times a second for all of its jobs together."""
RECONCILE_SECONDS: Final = 900.0
"""Ark sends a job's record when it is queued, when it runs and when it ends; the last up to three times."""
PICTURE_BYTES: Final = 30_000_000 - 1

Resolution = Literal["480p", "720p", "1080p"]

_SHUT: Final = ("SetLimitExceeded", "InvalidEndpoint.ClosedEndpoint", "InvalidSubscription")
"""Neither "too fast" nor "wrong": nothing passes until the account's own limit is raised or the model is activated."""


class Shape(NamedTuple):
    """What is asked for, and the pixels that come of it."""

    resolution: Resolution
    ratio: str
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model can do. `audio` tells whether the field may be sent; `wide_480p` is what it calls 480p in 16:9."""

    seconds: tuple[int, ...]
    resolutions: tuple[Resolution, ...]
    audio: bool = True
    wide_480p: tuple[int, int] = (864, 496)


_SEEDANCE_2 = Model(seconds=tuple(range(4, 16)), resolutions=("480p", "720p", "1080p"))
_SEEDANCE_2_SMALL = Model(seconds=tuple(range(4, 16)), resolutions=("480p", "720p"))
# Seedance 2.5 at 1080p and 2.0 at 4k come as H.265 with 10 bits, which many players do not show: not asked for.
_SEEDANCE_2_5 = Model(seconds=tuple(range(4, 31)), resolutions=("480p", "720p"), wide_480p=(854, 480))

MODELS: Final[Mapping[str, Model]] = {
    f"{house}-seedance-{version}": model
    for house in ("dreamina", "doubao")
    for version, model in (
        ("2-0-260128", _SEEDANCE_2),
        ("2-0-fast-260128", _SEEDANCE_2_SMALL),
        ("2-0-mini-260615", _SEEDANCE_2_SMALL),
        ("2-5-260628", _SEEDANCE_2_5),
    )
}
"""BytePlus calls its models `dreamina-…`, Volcengine `doubao-…`. An endpoint `ep-…` needs `durations` in the table."""

UNKNOWN: Final = Model(seconds=(), resolutions=("720p",), audio=False)
"""A model without a row: nothing is sent that it might refuse. Sound is on by itself where the model has it."""

_WIDE: Final[Mapping[Resolution, tuple[tuple[str, int, int], ...]]] = {
    "480p": (("4:3", 752, 560), ("1:1", 640, 640), ("21:9", 992, 432)),
    "720p": (("16:9", 1280, 720), ("4:3", 1112, 834), ("1:1", 960, 960), ("21:9", 1470, 630)),
    "1080p": (("16:9", 1920, 1080), ("4:3", 1664, 1248), ("1:1", 1440, 1440), ("21:9", 2206, 946)),
}


class Options(BackendOptions):
    """What is set for Seedance alone."""

    durations: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(
        default=(), description="Seconds that the model makes, in place of what is known of it."
    )
    resolutions: tuple[Resolution, ...] = Field(
        default=(), description="Resolutions that the model makes, in place of what is known of it."
    )


class SeedanceBackend(Backend):
    """Films by Seedance."""

    def __init__(self, name: str, options: Options, api: UpstreamApi) -> None:
        self.name = name
        self._api = api
        self._options = options
        self.traits = hosted_traits(
            options,
            first_poll_seconds=FIRST_POLL_SECONDS,
            poll_seconds=POLL_SECONDS,
            webhook_seconds=RECONCILE_SECONDS,
        )

    def _model(self, wanted: Wanted) -> tuple[str, Model]:
        name = wanted.model or self._options.model or FACTS.default_model
        model, own = MODELS.get(name, UNKNOWN), self._options
        seconds, resolutions = own.durations or model.seconds, own.resolutions or model.resolutions
        return name, replace(model, seconds=seconds, resolutions=resolutions)

    @override
    def fit(self, wanted: Wanted) -> Fit:
        name, model = self._model(wanted)
        if not model.seconds:
            raise unknown_lengths(self.name, name)
        return fit_to(name, wanted, seconds=model.seconds, sizes=[shape.size for shape in _shapes(model)])

    @override
    async def submit(self, request: JobRequest) -> str:
        reply = await self._api.submit(TASKS, json=await self._body(request))
        code, detail = self._error(reply.table())
        if reply.status in (400, 429) and (code.endswith(_SHUT) or "free trial" in detail):
            raise Unusable(f"status {reply.status}: {detail}")
        unreadable = code.startswith("InvalidImageURL")
        check_submission(reply, detail=detail, content=_refuses_content(code), picture=unreadable)
        job_id = _text(reply.table().get("id"))
        if not job_id:
            raise Ambiguous(f"status {reply.status} without a job's id")
        return job_id

    async def _body(self, request: JobRequest) -> dict[str, Any]:
        name, model = self._model(request.wanted)
        shape = next((shape for shape in _shapes(model) if shape.size == request.generate), None)
        if shape is None:
            raise BadInput(f"{name} makes no films of {request.generate}")
        content: list[dict[str, Any]] = [{"type": "text", "text": without_orders(request.prompt)}]
        if request.picture is not None:
            frame = {"url": data_uri(await read_picture(request.picture, most_bytes=PICTURE_BYTES))}
            content.append({"type": "image_url", "image_url": frame, "role": "first_frame"})
        body: dict[str, Any] = {
            "model": name,
            "content": content,
            "resolution": shape.resolution,
            # The picture has the shape already, and 2.5 takes no other word beside one.
            "ratio": shape.ratio if request.picture is None else "adaptive",
            "duration": request.wanted.seconds,
            "watermark": False,
        }
        if model.audio:
            body["generate_audio"] = True
        if request.webhook_url is not None and self.traits.webhooks:
            body["callback_url"] = request.webhook_url
        return body

    @override
    async def poll(self, job_id: str) -> JobStatus:
        task = await self._task(job_id)
        if task is None:
            return Vanished()
        match meaning_of(task["status"]):
            case "done":
                return Finished()
            case "failed":
                code, detail = self._error(task)
                content = _refuses_content(code) if code else speaks_of_content(detail)
                return failure(detail or f"the job ended as {task['status']}", content=content)
            case _:
                return Running()

    async def _task(self, job_id: str) -> dict[str, Any] | None:
        """Return the record of a job, None if there is none; it has a text `status`."""
        reply = await self._api.ask("GET", f"{TASKS}/{quote(job_id, safe='')}")
        if reply.status == 404:
            return None
        task = reply.table()
        check_poll(reply, detail=self._error(task)[1])
        if not _text(task.get("status")):
            raise PollFailed("the answer tells no status")
        return task

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        try:
            task = await self._task(job_id)
        except (PollFailed, Unusable) as error:
            raise CollectFailed(str(error)) from None
        content = (task or {}).get("content")
        address = _text(content.get("video_url"), 8192) if isinstance(content, dict) else ""
        if not address:
            running = task is not None and meaning_of(task["status"]) == "running"
            raise CollectFailed("the job has no video", hopeless=not running)
        await self._api.download(address, destination)

    @override
    async def cancel(self, job_id: str) -> bool:
        # The call that cancels a queued job deletes the record and the film of a finished one.
        task = await self._task(job_id)
        if task is not None and task["status"] == "queued":
            reply = await self._api.ask("DELETE", f"{TASKS}/{quote(job_id, safe='')}")
            task = await self._task(job_id) if reply.ok else None
        return task is not None and task["status"] == "cancelled"

    @override
    def job_of_webhook(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        del headers
        return _text(read_table(body).get("id")) or None

    @override
    async def check(self) -> str:
        reply = await self._api.ask("GET", f"{TASKS}?page_num=1&page_size=1")
        check_poll(reply, detail=self._error(reply.table())[1])
        total = reply.table().get("total")
        if not isinstance(total, int):
            raise PollFailed("the answer tells no number of jobs")
        return f"answers; {total} jobs on record"

    @override
    async def close(self) -> None:
        await self._api.close()

    def _error(self, table: Mapping[str, Any]) -> tuple[str, str]:
        """Return the code and a line for the log of an answer or a record that tells an error."""
        error = table.get("error")
        if not isinstance(error, dict):
            return "", ""
        code, message = _text(error.get("code")), error.get("message")
        return code, self._api.hide(f"{code}: {message}" if code else f"{message}")


def create(name: str, options: Options, context: Context) -> SeedanceBackend:
    """Return the backend; raise `OperatorError` if it has no key."""
    return SeedanceBackend(name, options, open_api(name, options, context, FACTS))


def _shapes(model: Model) -> Iterator[Shape]:
    """Yield every shape that a model makes, upright ones included."""
    for resolution in model.resolutions:
        rows = _WIDE[resolution]
        if resolution == "480p":
            rows = (("16:9", *model.wide_480p), *rows)
        for ratio, width, height in rows:
            yield Shape(resolution, ratio, Size(width, height))
            # No model makes 9:21, and a square is its own upright form.
            if ratio in ("16:9", "4:3"):
                yield Shape(resolution, ":".join(reversed(ratio.split(":"))), Size(height, width))


def _refuses_content(code: str) -> bool:
    # `InputTextSensitiveContentDetected`, `OutputVideoSensitiveContentDetected.PolicyViolation`, and what the
    # operator's own risk detection says; `ContentSecurityDetectionError` is a detector out of order.
    return "SensitiveContent" in code or code.endswith("RiskDetection")


def _text(value: object, most: int = 256) -> str:
    """Return `value` if it is a text of a sensible length, else nothing."""
    return value if isinstance(value, str) and len(value) <= most else ""
