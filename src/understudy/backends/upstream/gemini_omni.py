"""Gemini Omni through Google's Interactions API, with an API key.

Reference: https://ai.google.dev/gemini-api/docs/omni and https://ai.google.dev/api/interactions-api, and Google's own
client `google-genai` 3.4.0, whose default is the path `v1`; read on 2026-11-22.

An interaction runs in the background and is looked at until it ends. Looking at one that is finished gives the film
inside the JSON, as base64, although it was ordered as an address: Google documents that as how it is at present. Such
an answer is larger than a call may be, so it is spooled to a file and unpacked from there.
"""

import asyncio
import base64
import binascii
import mmap
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import orjson
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override
from yarl import URL

from understudy.backends import verdicts
from understudy.backends.base import (
    Ambiguous,
    Backend,
    CannotPlay,
    CollectFailed,
    Context,
    Finished,
    Fit,
    JobRequest,
    JobStatus,
    NotCreated,
    PollFailed,
    Running,
    Traits,
    Unusable,
    Vanished,
    Wanted,
)
from understudy.backends.facts import Facts
from understudy.backends.http import MAX_BODY_BYTES, Reply, UpstreamApi
from understudy.backends.options import BackendOptions, read_api_key
from understudy.domain.catalogue import Size

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

Resolution = Literal["720p", "1080p"]

LANDSCAPES: Final[dict[Resolution, Size]] = {"720p": Size(1280, 720), "1080p": Size(1920, 1080)}
RECONCILE_SECONDS: Final = 900.0
MAX_ID: Final = 4096
SPOOL_BYTES: Final = 256 * 1024**2
"""Most of an answer that holds a film: twelve seconds of 1080p are some 40 MB as base64."""
_LONG: Final = 64 * 1024
_PIECE: Final = 1024**2

_TOO_LONG: Final = f"more than {MAX_BODY_BYTES} bytes"
"""How `UpstreamApi` tells that it did not read an answer to its end."""
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_KEY_REFUSED: Final = re.compile(r"api[ _]key (?:not valid|not found|expired|invalid)", re.IGNORECASE)


class ModelPowers(BaseModel):
    """What one model can do: a table `[backends.NAME.models."MODEL"]`. It takes 16:9, 9:16 and a first frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(min_length=1, description="Lengths it can make.")
    resolutions: tuple[Resolution, ...] = Field(default=("720p",), min_length=1, description="Of 720p and 1080p.")


_BOTH: Final[tuple[Resolution, ...]] = ("720p", "1080p")

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
        webhooks = options.webhooks is not False
        self.traits = Traits(
            first_poll_seconds=options.first_poll_seconds or 30,
            poll_seconds=options.poll_seconds or 10,
            polls_at_once=options.polls_at_once,
            max_jobs=options.max_jobs,
            webhooks=webhooks,
            reconcile_seconds=RECONCILE_SECONDS if webhooks else 0,
            vanish_after=3,
        )

    @override
    def fit(self, wanted: Wanted) -> Fit:
        name = wanted.model or self._default_model
        model = self._models.get(name)
        if model is None:
            raise CannotPlay(
                f"What {name} can do is not known here: say it in "
                f'[backends.{self.name}.models."{name}"] with seconds and resolutions.'
            )
        if wanted.seconds not in model.seconds:
            lengths = ", ".join(str(length) for length in sorted(model.seconds))
            raise CannotPlay(f"{name} makes films of {lengths} seconds, not of {wanted.seconds}.")
        sizes = [size for tier, size in LANDSCAPES.items() if tier in model.resolutions]
        if wanted.size.width < wanted.size.height:
            sizes = [Size(size.height, size.width) for size in sizes]
        for size in sizes:
            if size.width >= wanted.size.width and size.height >= wanted.size.height:
                return Fit(size=size)
        raise CannotPlay(f"{name} makes films of at most {sizes[-1]}, not of {wanted.size}.")

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
        size = request.generate
        content: list[dict[str, object]] = [{"type": "text", "text": request.prompt}]
        if request.picture is not None:
            # Without the tag the model is free to take the picture for a likeness instead of the first frame.
            content = [
                {"type": "image", "data": await _read_base64(request.picture), "mime_type": "image/jpeg"},
                {"type": "text", "text": f"<FIRST_FRAME> {request.prompt}"},
            ]
        task = "text_to_video" if request.picture is None else "image_to_video"
        body: dict[str, object] = {
            "model": request.wanted.model or self._default_model,
            "background": True,
            "store": True,
            "input": [{"type": "user_input", "content": content}],
            "response_format": {
                "type": "video",
                "aspect_ratio": "16:9" if size.width > size.height else "9:16",
                "duration": f"{request.wanted.seconds}s",
                "resolution": f"{min(size.width, size.height)}p",
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
            except PollFailed as error:
                if _TOO_LONG not in str(error):
                    raise
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
            return await asyncio.to_thread(_read_spool, spool)
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
                        await asyncio.to_thread(_write_film, data, spool, destination, self._result_bytes)
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
        try:
            event = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        match event:
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


async def _read_base64(picture: Path) -> str:
    try:
        return base64.b64encode(await asyncio.to_thread(picture.read_bytes)).decode("ascii")
    except OSError as error:
        raise NotCreated(f"the picture cannot be read: {error.strerror}") from None


def _read_spool(spool: Path) -> dict[str, Any]:
    """Return the JSON object in a file, each text of more than 64 KiB replaced by its place, `@FIRST:LAST`.

    Raises `ValueError` for what is no object, or more than 4 MiB without its long texts.
    """
    if not 0 < spool.stat().st_size <= SPOOL_BYTES:
        raise ValueError(f"it is empty or longer than {SPOOL_BYTES} bytes")
    with spool.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        places = [found.span() for found in _STRING.finditer(view) if found.end() - found.start() > _LONG]
        if len(view) - sum(last - first for first, last in places) > MAX_BODY_BYTES:
            raise ValueError("it is not one long text but many")
        pieces, at = [], 0
        for first, last in places:
            pieces += [view[at:first], b'"@%d:%d"' % (first + 1, last - 1)]
            at = last
        value = orjson.loads(b"".join([*pieces, view[at:]]))
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - a wrong value from outside, not a wrong call
    return value


def _write_film(data: str, spool: Path, destination: Path, limit: int) -> None:
    """Write the film that `data` is, or whose place in `spool` it names; whole or not at all.

    Raises `ValueError` for what is no base64 or more than `limit` bytes.
    """
    part = destination.with_name(destination.name + ".part")
    try:
        with part.open("wb") as file:
            for piece in _decoded(_spool_pieces(spool, data) if data.startswith("@") else [data.encode()]):
                file.write(piece)
                if file.tell() > limit:
                    raise ValueError(f"it has more than {limit} bytes")
        part.replace(destination)
    finally:
        part.unlink(missing_ok=True)


def _spool_pieces(spool: Path, place: str) -> Iterator[bytes]:
    """Yield a JSON string's text piece by piece, its escapes undone (a slash and "=" may be escaped)."""
    first, last = (int(number) for number in place.removeprefix("@").split(":"))
    rest = b""
    with spool.open("rb") as file:
        file.seek(first)
        while (left := last - file.tell()) > 0:
            piece = rest + file.read(min(_PIECE, left))
            # An escape of six characters at most may go on in the next piece.
            cut = piece.rfind(b"\\", -5) if file.tell() < last else -1
            piece, rest = (piece, b"") if cut < 0 else (piece[:cut], piece[cut:])
            yield orjson.loads(b'"' + piece + b'"').encode()


def _decoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        text = rest + piece
        whole = len(text) - len(text) % 4
        rest = text[whole:]
        yield binascii.a2b_base64(text[:whole], strict_mode=True)
    if rest:
        raise ValueError("its base64 breaks off")


def create(name: str, options: Options, context: Context) -> GeminiOmniBackend:
    """Return the backend called `name`; raise `OperatorError` if it has no key."""
    key = read_api_key(name, options, context, default_env=FACTS.key_env)
    assert key is not None  # noqa: S101 - it raises where a kind needs a key and has none
    api = UpstreamApi(
        options.url or FACTS.base_url,
        headers={"x-goog-api-key": key.get_secret_value()},
        secrets=(key,),
        options=options,
        outbound=context.outbound,
    )
    return GeminiOmniBackend(name, options, api, context.work_dir)
