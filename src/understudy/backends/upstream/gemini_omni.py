"""Gemini Omni through Google's Interactions API, with an API key.

Reference: https://ai.google.dev/gemini-api/docs/omni and https://ai.google.dev/api/interactions-api, and Google's own
client `google-genai` 3.4.0, whose default is the path `v1`; read on 2026-11-22.

An interaction runs in the background and is looked at until it ends. Looking at one that is finished gives the film
inside the JSON, as base64, although it was ordered as an address: Google documents that as how it is at present. Such
an answer is larger than a call may be, so it is spooled to a file and unpacked from there.
"""

import asyncio
import base64
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override
from yarl import URL

from understudy.backends import verdicts
from understudy.backends.base import (
    Ambiguous,
    AnswerTooLong,
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
from understudy.backends.pictures import read_picture
from understudy.backends.playable import fit_to, unknown_model, word_for
from understudy.backends.shapes import LANDSCAPES, Tier, aspect_ratio, both_ways
from understudy.backends.spool import read_spool, write_film

FACTS: Final = Facts(
    kind="gemini_omni",
    title="Gemini Omni",
    reference="https://ai.google.dev/gemini-api/docs/omni",
    read_on="2026-11-22",
    base_url="https://generativelanguage.googleapis.com/v1",
    key_env="GEMINI_API_KEY",
    default_model="gemini-omni-1.2-flash",
    cost="About $0.07 (720p) or $0.10 (1080p) for each second of film, and a little for the prompt (2026-11-11).",
    result_life="48 hours as a file; 55 days inside the interaction, or 1 day for a key without billing.",
    lost_answer="Found by the webhook, if webhooks are on; interactions cannot be listed.",
    cancels="Stops the interaction; whether what was made until then is billed is not documented.",
)

RECONCILE_SECONDS: Final = 900.0
MAX_ID: Final = 4096

_KEY_REFUSED: Final = re.compile(r"api[ _]key (?:not valid|not found|expired|invalid)", re.IGNORECASE)


class ModelPowers(BaseModel):
    """What one model can do: a table `[backends.NAME.models."MODEL"]`. It takes 16:9, 9:16 and a first frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(min_length=1, description="Lengths it can make.")
    resolutions: tuple[Tier, ...] = Field(default=("720p",), min_length=1, description="Of 720p and 1080p.")


_BOTH: Final[tuple[Tier, ...]] = ("720p", "1080p")

MODELS: Final[Mapping[str, ModelPowers]] = {
    "gemini-omni-1.2-flash": ModelPowers(seconds=tuple(range(3, 16)), resolutions=_BOTH),
    "gemini-omni-1.1-flash": ModelPowers(seconds=tuple(range(3, 11)), resolutions=_BOTH),
}


class Options(BackendOptions):
    """Settings of a `gemini_omni` backend."""

    models: dict[str, ModelPowers] = Field(
        default_factory=dict, description="What models can do that are not listed here."
    )


class GeminiOmniBackend(Backend):
    """Films by Gemini Omni."""

    def __init__(self, name: str, options: Options, api: UpstreamApi, work_dir: Path) -> None:
        self.name = name
        self._api = api
        self._work_dir = work_dir
        self._result_bytes = options.result_bytes
        self._default_model = options.model or FACTS.default_model
        self._models = {**MODELS, **options.models}
        self._long: set[str] = set()
        self.traits = hosted_traits(options, first_poll_seconds=30, poll_seconds=10, webhook_seconds=RECONCILE_SECONDS)

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
        reply = await self._api.submit("interactions", json=body)
        self._raise_unusable(reply)
        error = _error(reply)
        verdicts.check_submission(
            replace(reply, retry_after_seconds=_retry_after(reply)),
            detail=self._detail(reply),
            content=verdicts.speaks_of_content(error.get("message"), error.get("code")),
        )
        job_id = reply.table().get("id")
        if not isinstance(job_id, str) or not 0 < len(job_id) <= MAX_ID:
            raise Ambiguous(f"status {reply.status} without an interaction's id: {self._detail(reply)}")
        return job_id

    async def _body(self, request: JobRequest) -> dict[str, object]:
        model = request.wanted.model or self._default_model
        content: list[dict[str, object]] = [{"type": "text", "text": request.prompt}]
        if request.picture is not None:
            data = base64.b64encode(await read_picture(request.picture)).decode("ascii")
            # Without the tag the model is free to take the picture for a likeness instead of the first frame.
            content = [
                {"type": "image", "data": data, "mime_type": "image/jpeg"},
                {"type": "text", "text": f"<FIRST_FRAME> {request.prompt}"},
            ]
        task = "text_to_video" if request.picture is None else "image_to_video"
        body: dict[str, object] = {
            "model": model,
            "background": True,
            "store": True,
            "input": [{"type": "user_input", "content": content}],
            "response_format": {
                "type": "video",
                "aspect_ratio": aspect_ratio(request.generate),
                "duration": f"{request.wanted.seconds}s",
                "resolution": word_for(model, request.generate, LANDSCAPES),
                "delivery": "uri",
            },
            "generation_config": {"video_config": {"task": task}},
        }
        if request.webhook_url is not None:
            body["webhook_config"] = {"uris": [request.webhook_url]}
        return body

    @override
    async def poll(self, job_id: str) -> JobStatus:
        # One answer that is too long may be a fault of the moment; the second in a row is taken for a film.
        async with self._look(job_id, spools=job_id in self._long) as (interaction, _):
            self._long.discard(job_id)
            if interaction is None:
                return Vanished()
            status, texts = interaction["status"].lower(), list(_texts_of_failure(interaction))
            told = self._api.hide(f"{status}: {'; '.join(texts) or 'no reason was given'}")
            match status:
                case "completed" | "incomplete" if _video_of(interaction) is not None:
                    # Incomplete: a limit was met. A film that came nevertheless is paid for, and probed like any other.
                    return Finished()
                case "completed":
                    # An interaction that moderation has stopped may end as if all were well, without a film.
                    return verdicts.failure(f"{told} (and no film)", content=True)
                case "failed" | "cancelled" | "incomplete" | "budget_exceeded" | "requires_action":
                    return verdicts.failure(told, content=verdicts.speaks_of_content(*texts))
                case _:
                    return Running()

    @asynccontextmanager
    async def _look(self, job_id: str, *, spools: bool) -> AsyncIterator[tuple[dict[str, Any] | None, Path]]:
        """Yield an interaction, `status` in it for certain, and the file with its long texts; None if there is none.

        A text of more than 64 KiB in an answer that was spooled is given as `@FIRST:LAST`, its place in the file.
        Raises `PollFailed` and `Unusable`; unless `spools`, an answer of more than 4 MiB counts as none.
        """
        path = f"interactions/{quote(job_id, safe='')}"
        spool = self._work_dir / f"{self.name}-{secrets.token_hex(8)}.json"
        try:
            try:
                interaction = await self._interaction(path)
            except AnswerTooLong:
                self._long.add(job_id)
                if not spools:
                    raise
                interaction = await self._spooled(path, spool)
            if interaction is not None and not isinstance(interaction.get("status"), str):
                raise PollFailed("the answer does not tell how the interaction stands")
            yield interaction, spool
        finally:
            spool.unlink(missing_ok=True)

    async def _interaction(self, path: str) -> dict[str, Any] | None:
        reply = await self._api.ask("GET", path)
        if reply.status == 404:
            return None
        self._raise_unusable(reply)
        verdicts.check_poll(reply, detail=self._detail(reply))
        return reply.table()

    async def _spooled(self, path: str, spool: Path) -> dict[str, Any]:
        try:
            await self._api.download(path, spool)
            return await asyncio.to_thread(read_spool, spool)
        except (CollectFailed, OSError, ValueError) as error:
            raise PollFailed(self._api.hide(f"a long answer cannot be read: {error}")) from None

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        try:
            async with self._look(job_id, spools=True) as (interaction, spool):
                if interaction is None or interaction["status"].lower() not in ("completed", "incomplete"):
                    raise CollectFailed("the interaction is not completed")
                match _video_of(interaction):
                    case {"data": str(data)} if data:
                        await asyncio.to_thread(write_film, data, spool, destination, self._result_bytes)
                    case {"uri": str(uri)} if uri:
                        await self._api.download(self._media(uri), destination)
                    case _:
                        raise CollectFailed("the interaction holds no film", hopeless=True)
        except (PollFailed, Unusable, OSError, ValueError) as error:
            raise CollectFailed(self._api.hide(f"the film was not fetched: {error}")) from None

    def _media(self, uri: str) -> str:
        """Return the address of a file's bytes; `uri` may name the file instead, whole or as `files/ID`."""
        url = URL(uri if "://" in uri else f"{self._api.base_url}/{uri.lstrip('/')}")
        if url.origin() != URL(self._api.base_url).origin():
            return str(url)
        if re.search(r"/files/[^/:]+$", url.path):
            url = url.with_path(f"{url.path}:download").with_query(url.query)
        return str(url.update_query(alt="media"))

    @override
    async def cancel(self, job_id: str) -> bool:
        reply = await self._api.ask("POST", f"interactions/{quote(job_id, safe='')}/cancel")
        if reply.status not in (400, 404):  # ended already, or gone
            verdicts.check_poll(reply, detail=self._detail(reply))
        return False

    @override
    async def forget(self, job_id: str) -> None:
        self._long.discard(job_id)

    @override
    def job_of_webhook(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        del headers
        match read_table(body):
            case {"type": str(kind), "data": {"id": str(job_id)}} if kind.startswith("interaction."):
                return job_id if 0 < len(job_id) <= MAX_ID else None
            case _:
                return None

    @override
    async def check(self) -> str:
        reply = await self._api.ask("GET", f"models/{quote(self._default_model, safe='')}")
        self._raise_unusable(reply)
        if reply.status == 404:
            raise Unusable(f"{self._default_model} is not a model of this key: {self._detail(reply)}")
        verdicts.check_poll(reply, detail=self._detail(reply))
        if not isinstance(reply.table().get("name"), str):
            raise PollFailed(f"the answer tells nothing of the model: {self._detail(reply)}")
        return f"key accepted; {self._default_model} is there"

    @override
    async def close(self) -> None:
        await self._api.close()

    def _raise_unusable(self, reply: Reply) -> None:
        """Raise `Unusable` for what Google answers with 400 although it is about the key or the account."""
        error = _error(reply)
        reasons = {detail.get("reason") for detail in _tables(error.get("details"))}
        message = error.get("message")
        if reply.status == 400 and (
            "API_KEY_INVALID" in reasons
            or error.get("status") == "FAILED_PRECONDITION"
            or (isinstance(message, str) and _KEY_REFUSED.search(message) is not None)
        ):
            raise Unusable(f"status 400: {self._detail(reply)}")

    def _detail(self, reply: Reply) -> str:
        error = _error(reply)
        if not error:
            return self._api.hide(reply.body[:1000].decode("utf-8", "replace"))
        return self._api.hide(f"{error.get('status') or error.get('code')}: {error.get('message')}")


def _tables(values: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON list; none if it is anything else."""
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, dict))


def _error(reply: Reply) -> dict[str, Any]:
    error = reply.table().get("error")
    return error if isinstance(error, dict) else {}


def _retry_after(reply: Reply) -> float | None:
    """Return how long to wait, in seconds: Google says it in the body, often without the header."""
    if reply.retry_after_seconds is not None:
        return reply.retry_after_seconds
    for detail in _tables(_error(reply).get("details")):
        delay = re.fullmatch(r"(\d{1,6}(?:\.\d{1,9})?)s", str(detail.get("retryDelay", "")))
        if delay is not None:
            return float(delay[1])
    return None


def _outputs(interaction: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the model put out, the last first."""
    for step in reversed([step for step in _tables(interaction.get("steps")) if step.get("type") == "model_output"]):
        yield from reversed(list(_tables(step.get("content"))))


def _video_of(interaction: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((content for content in _outputs(interaction) if content.get("type") == "video"), None)


def _texts_of_failure(interaction: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes and messages of an interaction's errors, then what the model said instead of a film."""
    steps = [step.get("error") for step in _tables(interaction.get("steps"))]
    for error in _tables([interaction.get("error"), *_tables(interaction.get("errors")), *steps]):
        yield from (text for text in (error.get("code"), error.get("message")) if isinstance(text, str))
    said = [content.get("text") for content in _outputs(interaction) if content.get("type") == "text"]
    yield from (text for text in said if isinstance(text, str))


def create(name: str, options: Options, context: Context) -> GeminiOmniBackend:
    """Return the backend called `name`; raise `OperatorError` if it has no key."""
    api = open_api(name, options, context, FACTS, authorize=lambda key: {"x-goog-api-key": key})
    return GeminiOmniBackend(name, options, api, context.work_dir)
