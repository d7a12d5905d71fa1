"""Runway's API, which plays its own models and those of others.

Written against https://docs.dev.runwayml.com/api and the types of runwayml 5.24.0 (2026-10-23). It has no callbacks, no
list of jobs and no name of ours for one: a submission whose answer is lost is not found again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

from pydantic import Field, StringConstraints
from typing_extensions import override

from understudy.backends.base import (
    Ambiguous,
    Backend,
    BadInput,
    CannotPlay,
    CollectFailed,
    Context,
    Failed,
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
from understudy.backends.http import Reply, UpstreamApi
from understudy.backends.options import BackendOptions
from understudy.backends.pictures import data_uri, read_picture
from understudy.backends.playable import fit_to, unknown_lengths
from understudy.backends.prompts import prompt_for
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content
from understudy.domain.catalogue import Size

FACTS = Facts(
    kind="runway",
    title="Runway",
    reference="https://docs.dev.runwayml.com/api",
    read_on="2026-11-22",
    base_url="https://api.dev.runwayml.com",
    key_env="RUNWAYML_API_SECRET",
    default_model="seedance2",
    cost=(
        "Credits of 0.01 USD; a guide (Runway's list of April 2026, looked up on 2026-11-22): gen4.5 12 credits a "
        "second, seedance2 36, veo3.1 40 with sound."
    ),
    result_life="24 to 48 hours for a link; asking for the job again renews it.",
    lost_answer="Not at all: Runway has neither callbacks nor a list of jobs.",
    cancels="Stops a job; the credits come back only if it was still waiting.",
)

VERSION: Final = "2024-11-06"
"""`X-Runway-Version`: without it, or with one that is retired, every call is refused."""
FIRST_POLL_SECONDS: Final = 15.0
POLL_SECONDS: Final = 6.0
"""Runway asks not to be asked more often than every five seconds about one job."""
PICTURE_BYTES: Final = (5 * 1024**2 - 64) // 4 * 3
"""A data URI may have 5 MiB: its head, then four characters for three bytes."""

Ratio = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{1,2}[02468]:[1-9][0-9]{1,2}[02468]$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model can do.

    `picture_sizes` are those that it makes only from a first frame, `prompt_units` the longest prompt in UTF-16 code
    units; `audio` and `seed` tell whether the field may be sent.
    """

    seconds: tuple[int, ...]
    sizes: tuple[str, ...] = ()
    picture_sizes: tuple[str, ...] = ()
    prompt_units: int = 1000
    audio: bool = False
    seed: bool = True


_720P: Final = ("1280:720", "720:1280")
_1080P: Final = ("1920:1080", "1080:1920")
_GEN4_SQUARER: Final = ("1104:832", "832:1104", "960:960", "1584:672")
_SEEDANCE_SMALL: Final = (
    *("864:496", "496:864", "752:560", "560:752", "640:640", "992:432"),
    *(*_720P, "1112:834", "834:1112", "960:960", "1470:630"),
)
_SEEDANCE_2 = Model(seconds=tuple(range(4, 16)), sizes=_SEEDANCE_SMALL, prompt_units=3500, audio=True)
_VEO = Model(seconds=(4, 6, 8), sizes=(*_720P, *_1080P), audio=True)

MODELS: Final[Mapping[str, Model]] = {
    "gen4.5": Model(seconds=tuple(range(2, 11)), sizes=_720P, picture_sizes=_GEN4_SQUARER),
    "gen4_turbo": Model(seconds=tuple(range(2, 11)), picture_sizes=(*_720P, *_GEN4_SQUARER)),
    # Its 4K comes as H.265, which many players do not show: not asked for. The same of Seedance 2.5 from 1080p on.
    "seedance2": replace(
        _SEEDANCE_2, sizes=(*_SEEDANCE_SMALL, *_1080P, "1664:1248", "1248:1664", "1440:1440", "2206:946")
    ),
    "seedance2_fast": _SEEDANCE_2,
    "seedance2_mini": _SEEDANCE_2,
    "seedance2_5": replace(
        _SEEDANCE_2,
        seconds=tuple(range(4, 31)),
        sizes=("854:480", "480:854", *_SEEDANCE_SMALL[2:]),
        prompt_units=15_000,
    ),
    "veo3.1": _VEO,
    "veo3.1_fast": _VEO,
    "gemini_omni_flash_1.1": Model(
        seconds=tuple(range(3, 11)), sizes=("640:360", "360:640", *_720P, *_1080P), prompt_units=15_000, seed=False
    ),
}
"""Another model needs `durations` in the backend's table."""

UNKNOWN: Final = Model(seconds=(), sizes=_720P, prompt_units=15_000, seed=False)
"""A model without a row: nothing is sent that it might refuse."""


class Options(BackendOptions):
    """What is set for Runway alone."""

    durations: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(
        default=(), description="Seconds that the model makes, in place of what is known of it."
    )
    sizes: tuple[Ratio, ...] = Field(
        default=(), description='Sizes that the model makes, in place of what is known of it, as in "1280:720".'
    )


class RunwayBackend(Backend):
    """Films by Runway, and by whom it resells."""

    def __init__(self, name: str, options: Options, api: UpstreamApi) -> None:
        self.name = name
        self._api = api
        self._options = options
        self.traits = hosted_traits(options, first_poll_seconds=FIRST_POLL_SECONDS, poll_seconds=POLL_SECONDS)

    def _model(self, wanted: Wanted) -> tuple[str, Model]:
        name = wanted.model or self._options.model or FACTS.default_model
        model, options = MODELS.get(name, UNKNOWN), self._options
        return name, replace(model, seconds=options.durations or model.seconds, sizes=options.sizes or model.sizes)

    @override
    def fit(self, wanted: Wanted) -> Fit:
        name, model = self._model(wanted)
        if not model.seconds:
            raise unknown_lengths(self.name, name)
        ratios = (*model.sizes, *(model.picture_sizes if wanted.picture else ()))
        if not ratios:
            raise CannotPlay(f"{name} makes films from a first frame only.")
        return fit_to(name, wanted, seconds=model.seconds, sizes=[_size(ratio) for ratio in ratios])

    @override
    async def submit(self, request: JobRequest) -> str:
        body = await self._body(request)
        reply = await self._api.submit("v1/image_to_video" if "promptImage" in body else "v1/text_to_video", json=body)
        error, fields = self._error(reply)
        if reply.status == 400 and ("enough credits" in error or "model" in fields):
            # No money, and a model that is gone, are wrong fields to Runway; to us nothing will pass.
            raise Unusable(f"status 400: {error}")
        content, picture = not fields and speaks_of_content(error), fields == {"promptImage"}
        check_submission(reply, detail=error, content=content, picture=picture)
        job_id = reply.table().get("id")
        if not isinstance(job_id, str) or not 1 <= len(job_id) <= 256:
            raise Ambiguous(f"status {reply.status} without a job's id")
        return job_id

    async def _body(self, request: JobRequest) -> dict[str, Any]:
        name, model = self._model(request.wanted)
        if len(request.prompt.encode("utf-16-le")) > 2 * model.prompt_units:
            raise BadInput(f"{name} takes prompts of at most {model.prompt_units} characters")
        body: dict[str, Any] = {
            "model": name,
            "promptText": prompt_for(name, request.prompt),
            "ratio": f"{request.generate.width}:{request.generate.height}",
            "duration": request.wanted.seconds,
        }
        if request.picture is not None:
            # A picture without a position is a mere reference to some models.
            picture = await read_picture(request.picture, most_bytes=PICTURE_BYTES)
            body["promptImage"] = [{"uri": data_uri(picture), "position": "first"}]
        if model.audio:
            body["audio"] = True
        if model.seed:
            body["seed"] = request.short_seed
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
                return self._failure(task)
            case _:
                return Running(_progress(task.get("progress")))

    def _failure(self, task: Mapping[str, Any]) -> Failed:
        """Tell why a job failed: `SAFETY.INPUT.TEXT`, `ASSET.INVALID`, `INTERNAL.BAD_OUTPUT.CODE01` …, or no code."""
        code, text = task.get("failureCode"), task.get("failure")
        detail = self._api.hide(f"{task['status']} {code or 'without a code'}: {text or 'no reason'}")
        if not isinstance(code, str) or not code:
            return failure(detail, content=speaks_of_content(text))
        parts = code.upper().split(".")
        return failure(
            detail,
            # Also `INPUT_PREPROCESSING.SAFETY.THIRD_PARTY`, where the model's own vendor refuses.
            content="SAFETY" in parts,
            picture=parts[0] == "ASSET" or (parts[0] == "INPUT_PREPROCESSING" and "INTERNAL" not in parts),
        )

    async def _task(self, job_id: str) -> dict[str, Any] | None:
        """Return the record of a job, None if there is none; it has a text `status`."""
        reply = await self._api.ask("GET", f"v1/tasks/{quote(job_id, safe='')}")
        if reply.status == 404:
            return None
        check_poll(reply, detail=self._error(reply)[0])
        task = reply.table()
        if not isinstance(task.get("status"), str):
            raise PollFailed("the answer tells no status")
        return task

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        # Asked anew each time: the link that came with the last answer may have expired.
        try:
            task = await self._task(job_id)
        except (PollFailed, Unusable) as error:
            raise CollectFailed(str(error)) from None
        links = (task or {}).get("output")
        link = links[0] if isinstance(links, list) and links else None
        if not isinstance(link, str):
            running = task is not None and meaning_of(task["status"]) == "running"
            raise CollectFailed("the job has no video", hopeless=not running)
        await self._api.download(link, destination)

    @override
    async def cancel(self, job_id: str) -> bool:
        # The call that cancels a job deletes the film of a finished one. Whether it was in time shows in what is
        # charged; often the job cannot be asked for any more.
        task = await self._task(job_id)
        if task is None:
            return False
        if meaning_of(task["status"]) == "running":
            reply = await self._api.ask("DELETE", f"v1/tasks/{quote(job_id, safe='')}")
            if reply.status != 404:
                check_poll(reply, detail=self._error(reply)[0])
            task = await self._task(job_id) or {}
        cost = task.get("cost")
        return task.get("status") == "CANCELLED" and isinstance(cost, dict) and cost.get("credits") == 0

    @override
    async def check(self) -> str:
        reply = await self._api.ask("GET", "v1/organization")
        check_poll(reply, detail=self._error(reply)[0])
        credit = reply.table().get("creditBalance")
        if not isinstance(credit, int):
            raise PollFailed("the answer tells no credits")
        return f"answers; {credit} credits left"

    @override
    async def close(self) -> None:
        await self._api.close()

    def _error(self, reply: Reply) -> tuple[str, set[str]]:
        """Return a line for the log of an answer that is an error, and the fields of the body that it names."""
        if reply.ok:
            return "", set()
        table = reply.table()
        error, issues = table.get("error"), table.get("issues")
        told = [issue for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []
        fields = {str(issue["path"][0]) for issue in told if isinstance(issue.get("path"), list) and issue["path"]}
        reasons = "; ".join(f"{issue.get('path')} {issue.get('message')}" for issue in told)
        return self._api.hide(f"{error or 'no reason'} {reasons}"), fields


def create(name: str, options: Options, context: Context) -> RunwayBackend:
    """Return the backend; raise `OperatorError` if it has no key."""

    def authorize(key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}", "X-Runway-Version": VERSION}

    return RunwayBackend(name, options, open_api(name, options, context, FACTS, authorize=authorize))


def _size(ratio: str) -> Size:
    width, height = ratio.split(":")
    return Size(int(width), int(height))


def _progress(value: object) -> int | None:
    """Return the percentage of a fraction."""
    return int(value * 100) if isinstance(value, int | float) and 0 <= value <= 1 else None
