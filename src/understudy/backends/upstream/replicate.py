"""Replicate: predictions by the models that it hosts.

Written against https://replicate.com/docs/reference/http and /docs/topics/predictions (lifecycle, data-retention,
input-files, rate-limits), and each model's own schema at https://replicate.com/OWNER/NAME/api/schema. What decides
here: inputs and films are deleted an hour after a prediction ends; a prediction may end as `aborted`, which Replicate's
own client does not know; and a refusal of content is told in words only.
"""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from typing_extensions import override

from understudy.backends.base import (
    Ambiguous,
    Backend,
    BadInput,
    CannotPlay,
    CollectFailed,
    Context,
    Finished,
    Fit,
    JobRequest,
    JobStatus,
    LostAttempt,
    NotCreated,
    PollFailed,
    Running,
    Traits,
    Unusable,
    Vanished,
    Wanted,
)
from understudy.backends.facts import Facts
from understudy.backends.http import Reply, UpstreamApi
from understudy.backends.options import BackendOptions, read_api_key
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content
from understudy.domain.catalogue import Size

FACTS = Facts(
    kind="replicate",
    title="Replicate",
    reference="https://replicate.com/docs/reference/http",
    read_on="2026-11-22",
    base_url="https://api.replicate.com/v1",
    key_env="REPLICATE_API_TOKEN",
    default_model="bytedance/seedance-2.0",
    cost=(
        "By the second of film, a guide read on 2026-11-22: Seedance 2.0 about 0.30 USD at 720p, Seedance 2.5 about "
        "0.23 USD at 720p, Wan 2.7 about 0.10 USD; the model's page has the price of the day."
    ),
    result_life="One hour after the prediction ends, then input and film are deleted.",
    lost_answer="By the webhook, or by the attempt's webhook address in the list of predictions; without webhooks not.",
    cancels="The prediction is stopped; only one that had not started is certainly unbilled.",
)

_FIRST_POLL_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 5.0
_WEBHOOK_SECONDS: Final = 900.0
_LISTED_BEFORE_SECONDS: Final = 120.0
_LISTED_AFTER_SECONDS: Final = 900.0
"""The part of the list in which a lost prediction is looked for: clocks differ, and a slow call is a late one."""
_MOST_PAGES: Final = 10
_INLINE_BYTES: Final = 256_000
"""Replicate asks for files up to 256 kB as data URIs, and for larger ones through its files."""
_SEED_BITS: Final = 0x7FFFFFFF
_MOST_BENT: Final = 0.1
"""How far the wanted shape may be from what a model makes: 7:4 is 2 hundredths from 16:9."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ORDER = re.compile(r"--(?=[a-z])", re.IGNORECASE)
_SENSITIVE = re.compile(r"\bE005\b")
"""Replicate's own code, in a text as in "The input or output was flagged as sensitive (E005)"."""
_RESETS = re.compile(r"resets in ~?(\d{1,5})s")
_NAME: Final = r"^([A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9a-f]{64})?)?$"


class ReplicateModel(BaseModel):
    """What one model can do, and how it wants to be told: a table `[backends.NAME.models."MODEL"]`.

    `sizes` gives the landscape pixels for each word of the field `size_field`. A model is `owner/name`, or
    `owner/name:version` where Replicate does not run the newest version by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(default="", pattern=_NAME, description="Model without a first frame; empty: there is none.")
    picture: str = Field(default="", pattern=_NAME, description="Model with a first frame; empty: there is none.")
    seconds: tuple[PositiveInt, ...] = Field(min_length=1, description="Lengths that it can make.")
    sizes: dict[str, tuple[PositiveInt, PositiveInt]] = Field(min_length=1, description="Sizes by `size_field`.")
    size_field: str = Field(default="resolution", description="Field of the size.")
    picture_field: str = Field(default="image", description="Field of the first frame.")
    ratio_with_picture: str = Field(
        default="", description="`aspect_ratio` beside a picture: empty for no field, or a word such as adaptive."
    )
    seed: bool = Field(default=True, description="Whether `seed` is sent.")
    audio: bool = Field(default=True, description="Whether `generate_audio` is sent.")
    prompt_characters: int = Field(default=0, ge=0, description="Longest prompt; 0: no bound is known.")


_Sizes = dict[str, tuple[int, int]]
_P720: Final[_Sizes] = {"720p": (1280, 720)}
_P1080: Final[_Sizes] = {**_P720, "1080p": (1920, 1080)}


def _model(name: str, seconds: range | tuple[int, ...], sizes: _Sizes, **more: Any) -> tuple[str, ReplicateModel]:
    row = {"text": name, "picture": name, "seconds": tuple(seconds), "sizes": sizes, **more}
    return name, ReplicateModel.model_validate(row)


MODELS: Final[Mapping[str, ReplicateModel]] = dict(
    (
        _model("bytedance/seedance-2.0", range(4, 16), _P1080, ratio_with_picture="adaptive"),
        _model("bytedance/seedance-2.0-fast", range(4, 16), _P720, ratio_with_picture="adaptive"),
        _model("bytedance/seedance-2.5", range(4, 31), _P720, ratio_with_picture="adaptive"),
        _model(
            "wan-video/wan-2.7",
            range(2, 16),
            _P1080,
            text="wan-video/wan-2.7-t2v",
            picture="wan-video/wan-2.7-i2v",
            picture_field="first_frame",
            audio=False,
        ),
        _model("google/veo-3.1", (4, 6, 8), _P1080, ratio_with_picture="same"),
        _model(
            "kwaivgi/kling-v3-video",
            range(3, 16),
            {"standard": (1280, 720), "pro": (1920, 1080)},
            size_field="mode",
            picture_field="start_image",
            seed=False,
            prompt_characters=2500,
        ),
    )
)


class Options(BackendOptions):
    """Settings of a `replicate` backend."""

    models: dict[str, ReplicateModel] = Field(
        default_factory=dict, description="Models that are not listed, or differ."
    )


class ReplicateBackend(Backend):
    """Films by the models that Replicate hosts."""

    def __init__(self, name: str, options: Options, api: UpstreamApi) -> None:
        self.name = name
        self._api = api
        self._default_model = options.model or FACTS.default_model
        self._models = {**MODELS, **options.models}
        called_back = options.webhooks is not False
        self.traits = Traits(
            first_poll_seconds=options.first_poll_seconds or _FIRST_POLL_SECONDS,
            poll_seconds=options.poll_seconds or _POLL_SECONDS,
            polls_at_once=options.polls_at_once,
            max_jobs=options.max_jobs,
            webhooks=called_back,
            reconcile_seconds=_WEBHOOK_SECONDS if called_back else 0,
            vanish_after=3,
        )

    @override
    def fit(self, wanted: Wanted) -> Fit:
        name, model = self._model(wanted)
        if not (model.picture if wanted.picture else model.text):
            raise CannotPlay(f"{name} {'takes no first frame' if wanted.picture else 'needs a first frame'}.")
        if wanted.seconds not in model.seconds:
            raise CannotPlay(f"{name} makes films of {_told(model.seconds)} seconds, not of {wanted.seconds}.")
        _, size = _sized(name, model, wanted.size)
        return Fit(size=size)

    def _model(self, wanted: Wanted) -> tuple[str, ReplicateModel]:
        name = wanted.model or self._default_model
        # Whether there is a picture chooses between a model's two forms; a route that names one means both.
        model = self._models.get(name) or self._models.get(name.removesuffix("-t2v").removesuffix("-i2v"))
        if model is None:
            raise CannotPlay(
                f"What {name} can do is not known: tell its seconds and sizes in "
                f'[backends.{self.name}.models."{name}"].'
            )
        return name, model

    @override
    async def submit(self, request: JobRequest) -> str:
        try:
            self.fit(request.wanted)
        except CannotPlay as error:
            raise BadInput(str(error)) from None
        name, model = self._model(request.wanted)
        if 0 < model.prompt_characters < len(request.prompt):
            raise BadInput(f"{name} takes prompts of at most {model.prompt_characters} characters")
        body: dict[str, Any] = {"input": await self._input(name, model, request)}
        if request.webhook_url is not None and self.traits.webhooks:
            body |= {"webhook": request.webhook_url, "webhook_events_filter": ["completed"]}
        chosen = model.text if request.picture is None else model.picture
        path = f"models/{chosen}/predictions"
        if ":" in chosen:
            path, body = "predictions", {"version": chosen, **body}
        reply = await self._api.submit(path, json=body)
        self._check(reply)
        job_id = reply.table().get("id")
        if not isinstance(job_id, str) or _ID.fullmatch(job_id) is None:
            raise Ambiguous(f"status {reply.status} without a prediction's id")
        return job_id

    async def _input(self, name: str, model: ReplicateModel, request: JobRequest) -> dict[str, Any]:
        word, size = _sized(name, model, request.generate)
        # Seedance obeys `--duration 15` in a prompt, and bills it: a dash instead of two hyphens makes it words.
        prompt = _ORDER.sub("—", request.prompt) if "seedance" in name else request.prompt
        ratio = "16:9" if size.width >= size.height else "9:16"
        given: dict[str, Any] = {"prompt": prompt, "duration": request.wanted.seconds, model.size_field: word}
        if request.picture is not None:
            given[model.picture_field] = await self._picture(request.picture)
            ratio = ratio if model.ratio_with_picture == "same" else model.ratio_with_picture
        if ratio:
            given["aspect_ratio"] = ratio
        if model.audio:
            given["generate_audio"] = True
        if model.seed:
            given["seed"] = request.seed & _SEED_BITS
        return given

    async def _picture(self, picture: Path) -> str:
        """Return an address of the picture: it holds the bytes if they are few, else they are uploaded first."""
        data = await asyncio.to_thread(picture.read_bytes)
        if len(data) <= _INLINE_BYTES:
            return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        try:
            reply = await self._api.submit("files", form={}, files={"content": ("frame.jpg", data, "image/jpeg")})
            self._check(reply)
        except Ambiguous as error:
            # Whether the file is there does not matter: no prediction was asked for yet.
            raise NotCreated(f"the first frame was not uploaded: {error}") from None
        urls = reply.table().get("urls")
        address = urls.get("get") if isinstance(urls, dict) else None
        if not isinstance(address, str) or not address:
            raise NotCreated("the first frame was uploaded, but where to is not told")
        return address

    def _check(self, reply: Reply) -> None:
        """Raise what the answer to a POST means that is no success."""
        problem = reply.table()
        told = problem.get("detail")
        if reply.retry_after_seconds is None and isinstance(told, str) and (found := _RESETS.search(told)):
            reply = replace(reply, retry_after_seconds=float(found[1]))
        check_submission(
            reply, detail=self._problem(reply), content=_refuses_content(problem.get("title"), problem.get("detail"))
        )

    def _problem(self, reply: Reply) -> str:
        told = (reply.table().get(part) for part in ("title", "detail"))
        return self._api.hide(": ".join(text for text in told if isinstance(text, str)))

    @override
    async def poll(self, job_id: str) -> JobStatus:
        prediction = await self._prediction(job_id)
        if prediction is None:
            return Vanished()
        match meaning_of(prediction["status"]):
            case "done":
                return Finished()
            case "failed":
                error = prediction.get("error")
                detail = self._api.hide(f"{prediction['status']}: {error}" if error else prediction["status"])
                return failure(detail, content=_refuses_content(error))
            case _:
                return Running()

    async def _prediction(self, job_id: str) -> dict[str, Any] | None:
        """Return a prediction, which has a text `status`; None if there is none."""
        reply = await self._api.ask("GET", _path(job_id))
        if reply.status == 404:
            return None
        check_poll(reply, detail=self._problem(reply))
        prediction = reply.table()
        if not isinstance(prediction.get("status"), str):
            raise PollFailed("the answer tells no status")
        return prediction

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        try:
            prediction = await self._prediction(job_id)
        except (PollFailed, Unusable) as error:
            raise CollectFailed(str(error)) from None
        if prediction is None:
            raise CollectFailed("Replicate knows no such prediction", hopeless=True)
        if meaning_of(prediction["status"]) == "running":
            raise CollectFailed(f"the prediction is {self._api.hide(prediction['status'])}")
        address = _film(prediction.get("output"))
        if not address:
            gone = prediction.get("data_removed") is True
            raise CollectFailed(
                "the film is deleted, an hour after it was made" if gone else "the output is no film", hopeless=True
            )
        await self._api.download(address, destination)

    @override
    async def cancel(self, job_id: str) -> bool:
        reply = await self._api.ask("POST", f"{_path(job_id)}/cancel")
        if reply.status in (400, 404, 409, 410, 422):  # over already, or not there
            return False
        check_poll(reply, detail=self._problem(reply))
        # "aborted" never ran and is not charged; "canceled" may be.
        return reply.table().get("status") == "aborted"

    @override
    async def find(self, lost: LostAttempt) -> str | None:
        # A prediction repeats the webhook that it was given, and that address belongs to one attempt.
        started = lost.started_at_ms / 1000
        span = {
            "created_after": _moment(started - _LISTED_BEFORE_SECONDS),
            "created_before": _moment(started + _LISTED_AFTER_SECONDS),
        }
        path: object = f"predictions?{urlencode(span)}"
        for _ in range(_MOST_PAGES):
            if not isinstance(path, str) or not self.traits.webhooks:
                break
            reply = await self._api.ask("GET", path)
            check_poll(reply, detail=self._problem(reply))
            page = reply.table()
            listed = page.get("results")
            for prediction in listed if isinstance(listed, list) else ():
                job_id = _own_id(prediction, lost)
                if job_id is not None:
                    return job_id
            path = page.get("next")
        return None

    @override
    def job_of_webhook(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        # The body is the prediction, as when it is asked for.
        del headers
        try:
            prediction = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        job_id = prediction.get("id") if isinstance(prediction, dict) else None
        return job_id if isinstance(job_id, str) and _ID.fullmatch(job_id) is not None else None

    @override
    async def check(self) -> str:
        reply = await self._api.ask("GET", "account")
        check_poll(reply, detail=self._problem(reply))
        account = reply.table().get("username")
        if not isinstance(account, str):
            raise PollFailed("the answer names no account: is `url` Replicate's interface?")
        return self._api.hide(f"answers; the key belongs to {account}")

    @override
    async def close(self) -> None:
        await self._api.close()


def create(name: str, options: Options, context: Context) -> ReplicateBackend:
    """Return the backend; raise `OperatorError` if it has no key."""
    key = read_api_key(name, options, context, default_env=FACTS.key_env)
    secrets = () if key is None else (key,)
    headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
    api = UpstreamApi(
        options.url or FACTS.base_url, headers=headers, secrets=secrets, options=options, outbound=context.outbound
    )
    return ReplicateBackend(name, options, api)


def _sized(name: str, model: ReplicateModel, wanted: Size) -> tuple[str, Size]:
    """Return the word for the smallest size that holds a film of `wanted`, and that size; raise `CannotPlay`."""
    upright = wanted.height > wanted.width
    long, short = max(wanted.width, wanted.height), min(wanted.width, wanted.height)
    for word, (width, height) in sorted(model.sizes.items(), key=lambda item: item[1]):
        if abs(long * height / (short * width) - 1) <= _MOST_BENT and width >= long and height >= short:
            return word, Size(height, width) if upright else Size(width, height)
    made = ", ".join(f"{width}x{height}" for width, height in sorted(model.sizes.values()))
    raise CannotPlay(f"{name} makes films of {made} and upright: {wanted} is larger or of another shape.")


def _told(seconds: tuple[int, ...]) -> str:
    """Return lengths for a sentence: "4 to 15", "4, 6 or 8"."""
    *rest, last = sorted(seconds)
    if len(rest) > 1 and last - rest[0] == len(rest):
        return f"{rest[0]} to {last}"
    return " or ".join(filter(None, (", ".join(map(str, rest)), str(last))))


def _path(job_id: str) -> str:
    return f"predictions/{quote(job_id, safe='')}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _own_id(prediction: object, lost: LostAttempt) -> str | None:
    """Return the id of a listed prediction if the lost attempt created it."""
    if not isinstance(prediction, dict):
        return None
    job_id, webhook = prediction.get("id"), prediction.get("webhook")
    own = isinstance(webhook, str) and lost.attempt_id in webhook.split("/")
    if not own or not isinstance(job_id, str) or _ID.fullmatch(job_id) is None or job_id in lost.taken:
        return None
    return job_id


def _refuses_content(*texts: object) -> bool:
    return speaks_of_content(*texts) or any(isinstance(text, str) and _SENSITIVE.search(text) for text in texts)


def _film(output: object) -> str:
    """Return the address of the film in a prediction's output, empty if there is none; of several the first."""
    while isinstance(output, (list, dict)):
        output = (output[0] if output else None) if isinstance(output, list) else output.get("video")
    return output if isinstance(output, str) else ""
