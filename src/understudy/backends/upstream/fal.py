"""fal: its queue in front of many vendors' models, each with its own words for length, size and first frame.

Written against https://fal.ai/docs/api-reference/inference-api (queue, webhooks, platform headers, errors) and
each model's https://fal.ai/models/MODEL/llms.txt. What decides here: a request that a model refuses is accepted by
the queue and reads `COMPLETED` all the same, so that only its result tells success; the addresses of a request hold
the owner and the app of a model without the rest of its path; and fal repeats failed requests unless told not to.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlencode

import orjson
from pydantic import Field
from typing_extensions import override
from yarl import URL

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
    PollFailed,
    Running,
    Unusable,
    Vanished,
    Wanted,
)
from understudy.backends.facts import Facts
from understudy.backends.fal_models import MODELS, FalModel, Mode
from understudy.backends.hosted import hosted_traits, open_api
from understudy.backends.http import Reply, UpstreamApi, read_table
from understudy.backends.options import BackendOptions
from understudy.backends.pictures import data_uri, read_picture
from understudy.backends.playable import fit_to, unknown_model, word_for
from understudy.backends.prompts import prompt_for
from understudy.backends.shapes import aspect_ratio, both_ways
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content

FACTS = Facts(
    kind="fal",
    title="fal",
    reference="https://fal.ai/docs/api-reference/inference-api",
    read_on="2026-11-22",
    base_url="https://queue.fal.run",
    key_env="FAL_KEY",
    default_model="bytedance/seedance-2.0",
    cost=(
        "By the second of film, a guide read on 2026-11-22: Seedance 2.0 0.30 USD at 720p and 0.68 USD at 1080p; "
        "MiniMax H3 0.08 USD at 768p and 0.13 USD at 2K; Veo 3.1 0.40 USD with sound."
    ),
    result_life="One day, as this backend asks; fal's own habit is for ever, and public.",
    lost_answer="By fal's webhook when the film is finished; without `public_url` not at all.",
    cancels="A waiting request is taken out of the queue, unbilled; a running one is asked to stop and may be billed.",
)

_FIRST_POLL_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 5.0
_WEBHOOK_SECONDS: Final = 900.0
_NO_REQUEST: Final = "00000000-0000-0000-0000-000000000000"
_MOST_JOB_ID: Final = 4096

_CONTENT: Final = "content_policy_violation"
_PICTURE: Final = frozenset(
    {"image_load_error", "file_download_error", "unsupported_image_format", "image_too_small", "image_too_large"}
)
_VAGUE: Final = frozenset({"", "no_media_generated", "downstream_service_error"})
"""Types that a refusal of content may hide behind: only there the words are searched."""
_ABOUT_US: Final = frozenset({401, 402, 403, 408, 425, 429})
"""What the GET of a result may be answered with that says nothing of the job."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


class Options(BackendOptions):
    """Settings of a `fal` backend."""

    models: dict[str, FalModel] = Field(default_factory=dict, description="Models that are not listed, or differ.")
    keep_seconds: int = Field(
        default=86_400, ge=3600, le=31_536_000, description="How long fal keeps films on its public CDN."
    )


class _Job(NamedTuple):
    """A request in fal's queue. Addresses that fal gave go before those made of `app`, its owner and name."""

    id: str
    app: str = ""
    status: str = ""
    response: str = ""
    cancel: str = ""

    def address(self, what: Literal["status", "response", "cancel"]) -> str:
        """Return where to ask for `what`."""
        given: str = getattr(self, what)
        tail = "" if what == "response" else f"/{what}"
        return given or f"{self.app}/requests/{self.id}{tail}"

    def text(self) -> str:
        """Return the job as this server keeps it."""
        text = orjson.dumps({name: value for name, value in self._asdict().items() if value}).decode()
        return text if len(text) <= _MOST_JOB_ID else _Job(self.id, self.app).text()


class _Fault(NamedTuple):
    """What an answer says is wrong. `typed`: it comes from the model or its runner, not from a server on the way."""

    text: str
    content: bool
    picture: bool
    typed: bool


class FalBackend(Backend):
    """Films by the models that fal serves."""

    def __init__(self, name: str, options: Options, api: UpstreamApi) -> None:
        self.name = name
        self._api = api
        self._options = options
        self._default_model = options.model or FACTS.default_model
        self._models = {**MODELS, **options.models}
        self._asked: dict[str, None] = {}
        self._places: dict[str, str] = {}
        self.traits = hosted_traits(
            options,
            first_poll_seconds=_FIRST_POLL_SECONDS,
            poll_seconds=_POLL_SECONDS,
            webhook_seconds=_WEBHOOK_SECONDS,
        )

    @override
    def fit(self, wanted: Wanted) -> Fit:
        name, model = self._model(wanted)
        if not (model.picture if wanted.picture else model.text):
            raise CannotPlay(f"{name} {'takes no first frame' if wanted.picture else 'needs a first frame'}.")
        return fit_to(name, wanted, seconds=model.seconds, sizes=both_ways(model.sizes.values()))

    def _model(self, wanted: Wanted) -> tuple[str, FalModel]:
        name = wanted.model or self._default_model
        # Whether there is a picture chooses the endpoint; a route that names one means its model.
        family = name.removesuffix("/text-to-video").removesuffix("/image-to-video")
        model = self._models.get(name) or self._models.get(family)
        if model is None:
            raise unknown_model(self.name, name, "endpoints, seconds and sizes")
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
        endpoint = model.text if request.picture is None else model.picture
        body = await _body(name, model, request)
        path = endpoint
        if request.webhook_url is not None and self.traits.webhooks:
            path += "?" + urlencode({"fal_webhook": request.webhook_url})
        expiry = orjson.dumps({"expiration_duration_seconds": self._options.keep_seconds}).decode()
        reply = await self._api.submit(
            path,
            json=body,
            # fal would run a failed request up to ten times.
            headers={"X-Fal-No-Retry": "1", "X-Fal-Object-Lifecycle-Preference": expiry},
        )
        fault = self._fault(reply)
        check_submission(reply, detail=fault.text, content=fault.content, picture=fault.picture)
        return self._job_of(reply, endpoint).text()

    def _job_of(self, reply: Reply, endpoint: str) -> _Job:
        answer = reply.table()
        request_id = answer.get("request_id")
        if not isinstance(request_id, str) or _REQUEST_ID.fullmatch(request_id) is None:
            raise Ambiguous(f"status {reply.status} without a request's id")
        app = _app_of(endpoint)
        self._asked[app] = None
        given = {what: self._own(answer.get(f"{what}_url")) for what in ("status", "response", "cancel")}
        return _Job(request_id, app, **given)

    def _own(self, address: object) -> str:
        """Return an address that fal gave if it lies at this backend's own origin, so that it may see the key."""
        try:
            own = isinstance(address, str) and URL(address).origin() == URL(self._api.base_url).origin()
        except ValueError:
            own = False
        return str(address) if own else ""

    @override
    async def poll(self, job_id: str) -> JobStatus:
        job, reply = await self._ask_status(_read(job_id))
        if reply is None:
            return Vanished()
        check_poll(reply, detail=self._fault(reply).text)
        answer = reply.table()
        word = answer.get("status")
        if not isinstance(word, str):
            raise PollFailed("the answer tells no status")
        if meaning_of(word) == "running":
            return Running()
        told = next((text for name in ("error", "error_type") if isinstance(text := answer.get(name), str)), "")
        return await self._outcome(job, told or ("" if meaning_of(word) == "done" else word))

    async def _ask_status(self, job: _Job) -> tuple[_Job, Reply | None]:
        """Ask how a job stands, None if fal knows none such.

        One that only a webhook told of is looked for among the apps that this backend uses.
        """
        found = job.app or self._places.get(job.id)
        known = (_app_of(model.text or model.picture) for model in self._models.values())
        for app in (found,) if found else dict.fromkeys((*reversed(self._asked), *known)):
            placed = job._replace(app=app)
            reply = await self._api.ask("GET", placed.address("status"))
            if reply.status != 404:
                if not found and reply.ok:
                    self._places[job.id] = app
                return placed, reply
        return job, None

    async def _located(self, job_id: str) -> _Job:
        """Return a job with its app."""
        job = _read(job_id)
        if not job.app:
            job, _ = await self._ask_status(job)
        if not job.app:
            raise PollFailed("fal knows no such request")
        return job

    async def _outcome(self, job: _Job, told: str) -> JobStatus:
        """Tell how a job ended that is over; `told` is what its status says of an error."""
        reply = await self._api.ask("GET", job.address("response"))
        if reply.ok and not isinstance(reply.json(), dict):
            raise PollFailed("the result is no JSON object")
        if reply.ok and (not told or _film(reply.table())):
            return Finished()
        fault = self._fault(reply)
        if not fault.typed and (reply.status in _ABOUT_US or (reply.status >= 500 and not told)):
            check_poll(reply, detail=fault.text)
        content = fault.content or (not fault.typed and speaks_of_content(told))
        return failure(fault.text or self._api.hide(told), content=content, picture=fault.picture)

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        try:
            job = await self._located(job_id)
            reply = await self._api.ask("GET", job.address("response"))
            check_poll(reply, detail=self._fault(reply).text)
        except (PollFailed, Unusable) as error:
            raise CollectFailed(str(error)) from None
        if not isinstance(reply.json(), dict):
            raise CollectFailed("the result is no JSON object")
        address = _film(reply.table())
        if not address:
            raise CollectFailed("the result holds no film", hopeless=True)
        await self._api.download(address, destination)

    @override
    async def cancel(self, job_id: str) -> bool:
        job = await self._located(job_id)
        reply = await self._api.ask("PUT", job.address("cancel"))
        if reply.status in (400, 404):  # over already, or not there
            return False
        check_poll(reply, detail=self._fault(reply).text)
        # "OK": taken out of the queue. "CANCELLATION_REQUESTED": it runs, and may come to its end.
        return reply.table().get("status") == "OK"

    @override
    def job_of_webhook(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        del headers
        request_id = read_table(body).get("request_id")
        known = isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id) is not None
        return str(request_id) if known else None

    @override
    async def forget(self, job_id: str) -> None:
        self._places.pop(_read(job_id).id, None)

    @override
    async def check(self) -> str:
        # A request that does not exist: 404 to a key that is good, 401 to another, and nothing is created.
        model = self._models.get(self._default_model) or MODELS[FACTS.default_model]
        reply = await self._api.ask("GET", f"{_app_of(model.text or model.picture)}/requests/{_NO_REQUEST}/status")
        if reply.status != 404:
            check_poll(reply, detail=self._fault(reply).text)
        if not isinstance(reply.json(), dict):
            raise PollFailed(f"status {reply.status}, but not in JSON: is `url` fal's queue?")
        return "answers; the key is accepted"

    @override
    async def close(self) -> None:
        await self._api.close()

    def _fault(self, reply: Reply) -> _Fault:
        """Read an error: `{"detail": [{"type", "msg", …}]}` from a model, `{"detail": "…"}` from the platform.

        The entries also repeat the input, prompt and picture; of that nothing goes into a log.
        """
        answer = reply.table()
        detail = answer.get("detail")
        entries = [entry for entry in detail if isinstance(entry, dict)] if isinstance(detail, list) else []
        pairs = [(_text(entry.get("type")), _text(entry.get("msg"))) for entry in entries]
        if not pairs:
            pairs = [("", _text(detail) or _text(answer.get("error")))]
        types = {kind for kind, _ in pairs}
        platform = _text(answer.get("error_type")) or reply.headers.get("x-fal-error-type", "")
        searched = reply.status not in (*_ABOUT_US, 404)
        return _Fault(
            text=self._api.hide("; ".join(": ".join(filter(None, pair)) for pair in pairs) or platform),
            content=_CONTENT in types
            or (searched and speaks_of_content(*(text for kind, text in pairs if kind in _VAGUE))),
            picture=bool(types & _PICTURE),
            typed=types != {""} or bool(platform),
        )


def create(name: str, options: Options, context: Context) -> FalBackend:
    """Return the backend; raise `OperatorError` if it has no key."""
    api = open_api(name, options, context, FACTS, authorize=lambda key: {"Authorization": f"Key {key}"})
    return FalBackend(name, options, api)


async def _body(name: str, model: FalModel, request: JobRequest) -> dict[str, Any]:
    seconds = request.wanted.seconds
    mode: Mode = "text" if request.picture is None else "picture"
    resolution = word_for(name, request.generate, model.sizes)
    prompt = prompt_for(model.text or model.picture, request.prompt)
    durations: dict[str, object] = {"4": str(seconds), "4s": f"{seconds}s", "number": seconds}
    body: dict[str, Any] = {"prompt": prompt, "duration": durations[model.duration]}
    if resolution:
        body["resolution"] = resolution
    if mode in model.ratio:
        body["aspect_ratio"] = aspect_ratio(request.generate)
    if model.audio:
        body["generate_audio"] = True
    if mode in model.seed:
        body["seed"] = request.short_seed
    if request.picture is not None:
        body[model.picture_field] = data_uri(await read_picture(request.picture))
    return body


def _app_of(endpoint: str) -> str:
    """Return owner and name of the app: all of an endpoint that the addresses of its requests hold."""
    parts = endpoint.split("/")
    return "/".join(parts[: 3 if parts[0] in ("workflows", "comfy") else 2])


def _read(job_id: str) -> _Job:
    """Return the job of `_Job.text`, or the one that a webhook named by its request's id alone."""
    if _REQUEST_ID.fullmatch(job_id) is not None:
        return _Job(job_id)
    try:
        return _Job(**orjson.loads(job_id))
    except (orjson.JSONDecodeError, TypeError):
        raise PollFailed("this is no job id of a fal backend") from None


def _film(result: Mapping[str, Any]) -> str:
    """Return the address of a result's film, empty if it has none; of several the first."""
    several = result.get("videos")
    for film in (result.get("video"), *(several if isinstance(several, list) else ())):
        address = film.get("url") if isinstance(film, dict) else film
        if isinstance(address, str) and address:
            return address
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
