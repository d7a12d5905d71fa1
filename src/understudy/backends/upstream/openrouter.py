"""OpenRouter's video interface: one key for Seedance, Wan, Kling, Veo and others.

Reference: https://openrouter.ai/docs/api_reference/videos, and its own client `openrouter` 1.3.84, read on 2026-11-22.
What each model can do is told by `GET /videos/models`; `MODELS` holds what it told on 2026-08-21.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from understudy.backends import verdicts
from understudy.backends.base import (
    Ambiguous,
    Backend,
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
from understudy.backends.http import Reply, UpstreamApi, read_table
from understudy.backends.options import BackendOptions
from understudy.backends.pictures import data_uri, read_picture
from understudy.backends.playable import fit_to, unknown_model, word_for
from understudy.backends.prompts import prompt_for
from understudy.backends.shapes import LANDSCAPES, Tier, aspect_ratio, both_ways

FACTS: Final = Facts(
    kind="openrouter",
    title="OpenRouter",
    reference="https://openrouter.ai/docs/api_reference/videos",
    read_on="2026-11-22",
    base_url="https://openrouter.ai/api/v1",
    key_env="OPENROUTER_API_KEY",
    default_model="bytedance/seedance-2.0",
    cost="The maker's price, for each second of film: Seedance 2.0 about $0.15 (720p) or $0.37 (1080p), Kling 3.0 Pro "
    "$0.17, Wan 2.7 $0.10, Veo 3.1 Fast $0.10 to $0.12, Veo 3.1 $0.40 (2026-08-21).",
    result_life="As long as the model's maker keeps it; where OpenRouter keeps a copy, until the job's `expires_at`.",
    lost_answer="Found by the webhook, if webhooks are on; there is no other handle.",
    cancels="Nothing: there is no such call; the job runs to its end and is billed.",
)

RECONCILE_SECONDS: Final = 900.0
MAX_ID: Final = 4096


class ModelPowers(BaseModel):
    """What one model can do: a table `[backends.NAME.models."MODEL"]`.

    It takes 16:9, 9:16 and a first frame. A field that is not known to be taken is not sent; a model that has sound
    makes it unasked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(min_length=1, description="Lengths it can make.")
    resolutions: tuple[Tier, ...] = Field(default=("720p",), min_length=1, description="Of 720p and 1080p.")
    audio: bool = Field(default=False, description="Whether it takes `generate_audio`.")
    seed: bool = Field(default=False, description="Whether it takes `seed`.")


def _from(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


_BOTH: Final[tuple[Tier, ...]] = ("720p", "1080p")
_SEEDANCE: Final = ModelPowers(seconds=_from(4, 15), audio=True, seed=True)
_VEO: Final = ModelPowers(seconds=(4, 6, 8), resolutions=_BOTH, audio=True, seed=True)
_KLING: Final = ModelPowers(seconds=_from(3, 15), audio=True)

MODELS: Final[Mapping[str, ModelPowers]] = {
    "alibaba/happyhorse-1.1": ModelPowers(seconds=_from(3, 15), resolutions=_BOTH, seed=True),
    "alibaba/wan-2.6": ModelPowers(seconds=(5, 10), resolutions=_BOTH, audio=True, seed=True),
    "alibaba/wan-2.7": ModelPowers(seconds=_from(2, 10), resolutions=_BOTH, audio=True, seed=True),
    "bytedance/seedance-1-5-pro": ModelPowers(seconds=_from(4, 12), resolutions=_BOTH, audio=True, seed=True),
    "bytedance/seedance-2.0": ModelPowers(seconds=_from(4, 15), resolutions=_BOTH, audio=True, seed=True),
    "bytedance/seedance-2.0-fast": _SEEDANCE,
    "bytedance/seedance-2.0-mini": _SEEDANCE,
    "bytedance/seedance-2.5": ModelPowers(seconds=_from(4, 30), audio=True, seed=True),
    "google/veo-3.1": _VEO,
    "google/veo-3.1-fast": _VEO,
    "google/veo-3.1-lite": _VEO,
    "kwaivgi/kling-v3.0-pro": _KLING,
    "kwaivgi/kling-v3.0-std": _KLING,
    "runway/gen-4.5": ModelPowers(seconds=_from(2, 10), seed=True),
    "x-ai/grok-imagine-video-1.5": ModelPowers(seconds=_from(1, 15), resolutions=_BOTH),
}


class Options(BackendOptions):
    """Settings of an `openrouter` backend."""

    models: dict[str, ModelPowers] = Field(
        default_factory=dict, description="What models can do that are not listed here."
    )


class OpenRouterBackend(Backend):
    """Films by any video model that OpenRouter offers."""

    def __init__(self, name: str, options: Options, api: UpstreamApi) -> None:
        self.name = name
        self._api = api
        self._default_model = options.model or FACTS.default_model
        self._models = {**MODELS, **options.models}
        self.traits = hosted_traits(options, first_poll_seconds=20, poll_seconds=10, webhook_seconds=RECONCILE_SECONDS)

    @override
    def fit(self, wanted: Wanted) -> Fit:
        name = wanted.model or self._default_model
        model = self._models.get(name)
        if model is None:
            raise unknown_model(self.name, name, "seconds and resolutions")
        sizes = both_ways(LANDSCAPES[tier] for tier in model.resolutions)
        return fit_to(name, wanted, seconds=model.seconds, sizes=sizes)

    @override
    async def submit(self, request: JobRequest) -> str:
        body = await self._body(request)
        reply = await self._api.submit("videos", json=body)
        verdicts.check_submission(reply, detail=self._detail(reply), content=_of_content(reply))
        job_id = reply.table().get("id")
        if not isinstance(job_id, str) or not 0 < len(job_id) <= MAX_ID:
            raise Ambiguous(f"status {reply.status} without a job id: {self._detail(reply)}")
        return job_id

    async def _body(self, request: JobRequest) -> dict[str, object]:
        name = request.wanted.model or self._default_model
        model = self._models[name]
        body: dict[str, object] = {
            "model": name,
            "prompt": prompt_for(name, request.prompt),
            "duration": request.wanted.seconds,
            "resolution": word_for(name, request.generate, LANDSCAPES),
            "aspect_ratio": aspect_ratio(request.generate),
        }
        if model.audio:
            body["generate_audio"] = True
        if model.seed:
            body["seed"] = request.short_seed
        if request.picture is not None:
            frame = {"url": data_uri(await read_picture(request.picture))}
            body["frame_images"] = [{"type": "image_url", "image_url": frame, "frame_type": "first_frame"}]
        if request.webhook_url is not None:
            body["callback_url"] = request.webhook_url
        return body

    @override
    async def poll(self, job_id: str) -> JobStatus:
        job = await self._job(job_id)
        if job is None:
            return Vanished()
        meaning = verdicts.meaning_of(job["status"])
        if meaning == "done":
            return Finished()
        if meaning == "failed":
            # The only account of a failure is free text; there is no code.
            told = self._api.hide(f"{job['status']}: {job.get('error') or 'no reason was given'}")
            return verdicts.failure(told, content=verdicts.speaks_of_content(job.get("error")))
        return Running()

    async def _job(self, job_id: str) -> dict[str, Any] | None:
        """Return what the upstream tells of a job, `status` in it for certain; None if it knows no such job."""
        reply = await self._api.ask("GET", f"videos/{quote(job_id, safe='')}")
        if reply.status == 404:
            return None
        verdicts.check_poll(reply, detail=self._detail(reply))
        job = reply.table()
        if not isinstance(job.get("status"), str):
            raise PollFailed(f"status {reply.status} without the job's state: {self._detail(reply)}")
        return job

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        try:
            job = await self._job(job_id)
        except (PollFailed, Unusable) as error:
            raise CollectFailed(str(error)) from None
        if job is None or verdicts.meaning_of(job["status"]) != "done":
            raise CollectFailed("the job is not done")
        # Asked anew each time, since a signed address is good for a while only. The first needs our key and lasts.
        addresses = [*_first(job.get("unsigned_urls")), *_first(job.get("urls"))]
        if not addresses:
            raise CollectFailed("the job names no file", hopeless=True)
        for address in addresses[:-1]:
            try:
                return await self._api.download(address, destination)
            except CollectFailed:
                continue
        return await self._api.download(addresses[-1], destination)

    @override
    async def cancel(self, job_id: str) -> bool:
        del job_id
        return False

    @override
    def job_of_webhook(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        del headers
        match read_table(body):
            case {"type": str(kind), "data": {"id": str(job_id)}} if kind.startswith("video.generation."):
                return job_id if 0 < len(job_id) <= MAX_ID else None
            case _:
                return None

    @override
    async def check(self) -> str:
        key, rows, name = await self._data("key"), await self._data("videos/models"), self._default_model
        if not isinstance(key, dict) or not isinstance(rows, list):
            raise PollFailed("the answer tells nothing of the key or of the models")
        left = key.get("limit_remaining")
        credit = f"key accepted, ${left:.2f} left of its limit" if isinstance(left, int | float) else "key accepted"
        offered = {row.get("id"): row for row in rows if isinstance(row, dict)}
        if name not in offered:
            raise Unusable(f"{name} is not among the {len(offered)} video models that are offered")
        return self._api.hide(f"{credit}; {name} makes {offered[name].get('supported_durations')} seconds")

    async def _data(self, path: str) -> object:
        reply = await self._api.ask("GET", path)
        verdicts.check_poll(reply, detail=self._detail(reply))
        return reply.table().get("data")

    @override
    async def close(self) -> None:
        await self._api.close()

    def _detail(self, reply: Reply) -> str:
        error = reply.table().get("error")
        if isinstance(error, dict):
            metadata = error.get("metadata")
            more = metadata.get("raw") or metadata.get("reasons") or "" if isinstance(metadata, dict) else ""
            return self._api.hide(f"{error.get('message')} {more}")
        return self._api.hide(error if isinstance(error, str) else reply.body.decode("utf-8", "replace"))


def _of_content(reply: Reply) -> bool:
    """Tell whether a refusal is moderation's.

    Moderation has the status of a refused key, 403, and is known by its metadata; a maker's refusal is passed on as
    text.
    """
    error = reply.table().get("error")
    if not isinstance(error, dict):
        return verdicts.speaks_of_content(error)
    metadata = error.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if reply.status == 403 and ("flagged_input" in metadata or "reasons" in metadata):
        return True
    return verdicts.speaks_of_content(error.get("message"), metadata.get("raw"))


def _first(addresses: object) -> Iterator[str]:
    """Yield the first of a list of addresses, if there is one; a second file is not the film."""
    if isinstance(addresses, list) and addresses and isinstance(addresses[0], str):
        yield addresses[0]


def create(name: str, options: Options, context: Context) -> OpenRouterBackend:
    """Return the backend called `name`; raise `OperatorError` if it has no key."""
    return OpenRouterBackend(name, options, open_api(name, options, context, FACTS))
