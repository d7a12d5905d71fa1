"""Replicate: predictions by the models that it hosts.

Written against https://replicate.com/docs/reference/http and /docs/topics/predictions (lifecycle, data-retention,
input-files, rate-limits), and each model's own schema at https://replicate.com/OWNER/NAME/api/schema. What decides
here: inputs and films are deleted an hour after a prediction ends; a prediction may end as `aborted`, which Replicate's
own client does not know; and a refusal of content is told in words only.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from pydantic import Field
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
from understudy.backends.replicate_models import MODELS, ReplicateModel
from understudy.backends.shapes import aspect_ratio, both_ways
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content

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

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_SENSITIVE = re.compile(r"\bE005\b")
"""Replicate's own code, in a text as in "The input or output was flagged as sensitive (E005)"."""
_RESETS = re.compile(r"resets in ~?(\d{1,5})s")


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

    def _model(self, wanted: Wanted) -> tuple[str, ReplicateModel]:
        name = wanted.model or self._default_model
        # Whether there is a picture chooses between a model's two forms; a route that names one means both.
        model = self._models.get(name) or self._models.get(name.removesuffix("-t2v").removesuffix("-i2v"))
        if model is None:
            raise unknown_model(self.name, name, "seconds and sizes")
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
        word = word_for(name, request.generate, model.sizes)
        prompt = prompt_for(model.text or model.picture, request.prompt)
        ratio: str = aspect_ratio(request.generate)
        given: dict[str, Any] = {"prompt": prompt, "duration": request.wanted.seconds, model.size_field: word}
        if request.picture is not None:
            given[model.picture_field] = await self._picture(request.picture)
            ratio = ratio if model.ratio_with_picture == "same" else model.ratio_with_picture
        if ratio:
            given["aspect_ratio"] = ratio
        if model.audio:
            given["generate_audio"] = True
        if model.seed:
            given["seed"] = request.short_seed
        return given

    async def _picture(self, picture: Path) -> str:
        """Return an address of the picture: it holds the bytes if they are few, else they are uploaded first."""
        data = await read_picture(picture)
        if len(data) <= _INLINE_BYTES:
            return data_uri(data)
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
        job_id = read_table(body).get("id")
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
    return ReplicateBackend(name, options, open_api(name, options, context, FACTS))


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
