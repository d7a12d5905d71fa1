"""Any server that speaks OpenAI's `/v1/videos`: vLLM-Omni, SGLang Diffusion, LiteLLM, new-api.

OpenAI's own service ended on 2026-09-24; its contract lives on in servers that each read it in their own way
(`upstreams.md` §1.2, §2). What differs is data, in `openai_videos_options.py`; everything else is read with tolerance:
the job is believed before the HTTP status, words for a state have synonyms, an error may be an object, a text or
FastAPI's list.
"""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
from typing_extensions import override
from yarl import URL

from understudy.backends.base import (
    Ambiguous,
    Backend,
    BackendError,
    CollectFailed,
    Context,
    Finished,
    Fit,
    JobRequest,
    JobStatus,
    LostAttempt,
    PollFailed,
    Running,
    Traits,
    Unusable,
    Vanished,
    Wanted,
)
from understudy.backends.facts import Facts
from understudy.backends.hosted import open_api
from understudy.backends.http import UpstreamApi
from understudy.backends.openai_videos_options import PROFILES, Options
from understudy.backends.pictures import data_uri, read_picture
from understudy.backends.playable import fit_to
from understudy.backends.verdicts import check_poll, check_submission, failure, meaning_of, speaks_of_content
from understudy.domain.catalogue import Size
from understudy.domain.errors import OperatorError

FACTS = Facts(
    kind="openai_videos",
    title="Servers with OpenAI's /v1/videos",
    reference="https://docs.vllm.ai/projects/vllm-omni/en/latest/serving/videos_api/",
    read_on="2026-11-22",
    base_url="",
    key_env=None,
    default_model="",
    cost="Your own GPU time, or what the gateway behind the address charges.",
    result_life="vLLM-Omni and SGLang: until they restart. Gateways: as the vendor behind them says.",
    lost_answer=(
        "Looked for in the server's list for 30 seconds, and taken if exactly one job has the same prompt, size, "
        "length and time, for films from text. SGLang, LiteLLM and new-api list no prompts: there it stays unknown."
    ),
    cancels="vLLM-Omni aborts the job. SGLang forgets it but works on; a gateway may not know the call at all.",
)

LISTED: Final = 100
SETTLE_PAUSE_SECONDS: Final = 0.5
REMEMBERED: Final = 1000

_WRAPPED = re.compile(r"\b(?:InternalServerError|ServiceUnavailableError|BadGatewayError|APIConnectionError|Timeout)\b")
"""LiteLLM's names for a call to the server behind it that went wrong; it was seen to answer 400 with one of them."""

_SPENT = re.compile(r"insufficient_quota|credit_balance|spend_limit|billing_hard_limit|no_db_connection")
"""Codes that OpenAI's dialect sends with 429 or 400 where no request will pass: no money, or a key nobody can check."""

_ONCE: Final = {"x-litellm-num-retries": "0"}
"""LiteLLM sends a submission that failed or got lost twice more, each a bill, unless it is told not to; measured with
1.109, for both of its providers. Others do not know the header."""


class OpenAIVideosBackend(Backend):
    """One such server."""

    def __init__(self, name: str, options: Options, api: UpstreamApi) -> None:
        self.name = name
        self._options = options
        self._profile = PROFILES[options.profile]
        self._api = api
        # What this process submits or has submitted is never the job of an attempt whose answer was lost.
        self._under_way: Counter[tuple[str, str, str]] = Counter()
        self._given: deque[str] = deque(maxlen=REMEMBERED)
        self.traits = Traits(
            first_poll_seconds=options.first_poll_seconds or 5,
            poll_seconds=options.poll_seconds or 5,
            polls_at_once=options.polls_at_once,
            max_jobs=options.max_jobs,
            free_to_repeat=options.repeat_lost,
            reconcile_seconds=self._profile.reconcile_seconds,
            vanish_after=3,
        )

    @override
    def fit(self, wanted: Wanted) -> Fit:
        lengths = self._options.durations or (wanted.seconds,)
        return fit_to(self.name, wanted, seconds=lengths, sizes=self._options.sizes_for(wanted.size))

    @override
    async def submit(self, request: JobRequest) -> str:
        key = _recognized_by(request)
        self._under_way[key] += 1
        try:
            job_id = await self._submit(request)
            self._given.append(job_id)
            return job_id
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]

    async def _submit(self, request: JobRequest) -> str:
        fields = self._fields(request)
        picture = None if request.picture is None else await read_picture(request.picture)
        if self._options.encoding == "json":
            reply = await self._api.submit("videos", json=fields | self._picture_field(picture), headers=_ONCE)
        else:
            form = {name: _form_text(value) for name, value in fields.items()}
            files = {} if picture is None else {"input_reference": ("input.jpg", picture, "image/jpeg")}
            reply = await self._api.submit("videos", form=form, files=files, headers=_ONCE)
        code, text = _trouble(reply.table())
        if not reply.ok and _WRAPPED.search(text) is not None:
            raise Ambiguous(self._api.hide(f"status {reply.status}, but the gateway lost the answer: {text}"))
        if reply.status in (400, 429) and _SPENT.search(code) is not None:
            raise Unusable(self._api.hide(f"status {reply.status}: {code} {text}"))
        check_submission(reply, detail=self._api.hide(f"{code} {text}"), content=speaks_of_content(code, text))
        job_id = _id_of(reply.table())
        if job_id is None:
            raise Ambiguous(self._api.hide(f"status {reply.status} without the id of a job: {text}"))
        return job_id

    def _fields(self, request: JobRequest) -> dict[str, Any]:
        seconds = request.wanted.seconds
        fields: dict[str, Any] = {"prompt": request.prompt, "seconds": str(seconds), "size": _pixels(request.generate)}
        model = request.wanted.model or self._options.model
        if model:
            fields["model"] = model
        frames, rate = self._options.frames_of(seconds), self._options.frame_rate
        if frames is not None:
            fields["num_frames"] = frames
        if rate is not None:
            fields["fps"] = rate
        if self._profile.seeds:
            fields["seed"] = request.short_seed
        return fields | self._options.extra

    def _picture_field(self, picture: bytes | None) -> dict[str, Any]:
        if picture is None:
            return {}
        address = data_uri(picture)
        if self._options.profile == "sglang":
            return {"reference_url": address}
        return {"input_reference": {"image_url": address}}

    @override
    async def poll(self, job_id: str) -> JobStatus:
        job = await self._job(job_id)
        if job is None:
            return Vanished()
        match meaning_of(job["status"]):
            case "done":
                return Finished()
            case "failed":
                code, text = _trouble(job)
                detail = self._api.hide(f"{job['status']}: {code} {text}")
                return failure(detail, content=speaks_of_content(code, text))
            case _:
                return Running(_progress(job.get("progress")))

    async def _job(self, job_id: str) -> dict[str, Any] | None:
        """Return the job with at least a `status`, None if the server knows it no more."""
        reply = await self._api.ask("GET", _path(job_id))
        job = reply.table()
        # vLLM-Omni answers the poll of a failed job with an HTTP error whose body is the job.
        told = _id_of(job)
        if isinstance(job.get("status"), str) and told is not None and (reply.ok or told == job_id):
            return job
        # A front server's 404 is a page, not JSON: it says nothing about the job.
        if reply.status in (404, 410) and job:
            return None
        code, text = _trouble(job)
        check_poll(reply, detail=self._api.hide(f"{code} {text}"))
        raise PollFailed(self._api.hide(f"status {reply.status} without a job in it"))

    @override
    async def collect(self, job_id: str, destination: Path) -> None:
        address = await self._address_of(job_id)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._options.content_wait_seconds
        while True:
            try:
                await self._api.download(address or f"{_path(job_id)}/content", destination)
            except CollectFailed as error:
                # The file of a job that has just ended may be missing for a moment.
                if "status 404" not in str(error) or loop.time() + SETTLE_PAUSE_SECONDS > until:
                    raise
            else:
                return
            await asyncio.sleep(SETTLE_PAUSE_SECONDS)

    async def _address_of(self, job_id: str) -> str | None:
        """Return the address that the finished job names, None if it names none."""
        job = await self._asked_to_collect(job_id)
        if job is None:
            raise CollectFailed("the job is gone, and its video with it", hopeless=True)
        state = meaning_of(job["status"])
        if state != "done":
            raise CollectFailed(f"the job is not done: {self._api.hide(job['status'])}", hopeless=state == "failed")
        places = [job, *(job[name] for name in ("metadata", "video", "output") if isinstance(job.get(name), dict))]
        for place in places:
            urls = place.get("urls")
            for text in (place.get("url"), *(urls[:1] if isinstance(urls, list) else ()), place.get("video_url")):
                if isinstance(text, str) and text.startswith(("http://", "https://", "/")):
                    return self._whole(text)
        return None

    async def _asked_to_collect(self, job_id: str) -> dict[str, Any] | None:
        try:
            return await self._job(job_id)
        except BackendError as error:
            raise CollectFailed(str(error)) from None

    def _whole(self, address: str) -> str:
        try:
            return str(URL(self._api.base_url).join(URL(address)))
        except ValueError:
            raise CollectFailed("the job names an address that is none", hopeless=True) from None

    @override
    async def cancel(self, job_id: str) -> bool:
        reply = await self._api.ask("DELETE", _path(job_id))
        if reply.ok:
            return self._profile.aborts and reply.table().get("deleted") is True
        if reply.status not in (400, 404, 405, 409, 410, 422, 501):
            check_poll(reply, detail="the call to cancel")
        return False

    @override
    async def find(self, lost: LostAttempt) -> str | None:
        if lost.wanted.picture:
            # The list does not tell pictures apart, and one caller's must never appear in another's film.
            return None
        key = _recognized_by(lost)
        reply = await self._api.ask("GET", f"videos?limit={LISTED}&order=desc")
        if reply.status in (404, 405):
            return None
        check_poll(reply, detail="the list of jobs")
        listed = reply.table().get("data")
        jobs = [job for job in listed if isinstance(job, dict)] if isinstance(listed, list) else []
        begun, ended = lost.started_at_ms / 1000 - 10, lost.started_at_ms / 1000 + self._options.call_seconds + 60
        during = [job for job in jobs if begun <= _time(job.get("created_at")) <= ended]
        if key in self._under_way or (len(jobs) >= LISTED and len(during) == len(jobs)):
            # The one that is found may be another's, or a second one may stand further down in the list.
            return None
        taken = lost.taken | set(self._given)
        same = [job for job in during if (job.get("prompt"), job.get("size"), str(job.get("seconds"))) == key]
        ours = [job_id for job_id in map(_id_of, same) if job_id is not None and job_id not in taken]
        return ours[0] if len(ours) == 1 else None

    @override
    async def check(self) -> str:
        reply = await self._api.ask("GET", "models")
        if reply.status in (404, 405):
            reply = await self._api.ask("GET", "videos?limit=1")
        code, text = _trouble(reply.table())
        check_poll(reply, detail=self._api.hide(f"{code} {text}"))
        listed = reply.table().get("data")
        if not isinstance(listed, list):
            raise PollFailed("it answers, but not as a server with /v1/videos does")
        served = [job["id"] for job in listed if isinstance(job, dict) and job.get("object") == "model" and "id" in job]
        return self._api.hide(f"answers; serves {', '.join(map(str, served))}" if served else "answers")

    @override
    async def close(self) -> None:
        await self._api.close()


def _recognized_by(what: JobRequest | LostAttempt) -> tuple[str, str, str]:
    return what.prompt, _pixels(what.generate), str(what.wanted.seconds)


def _pixels(size: Size) -> str:
    return f"{size.width}x{size.height}"


def _form_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _path(job_id: str) -> str:
    return f"videos/{quote(job_id, safe='')}"


def _id_of(job: Mapping[str, Any]) -> str | None:
    """Return the id; new-api has a second name for it."""
    for name in ("id", "task_id"):
        text = job.get(name)
        if isinstance(text, str) and 0 < len(text) <= 4096:
            return text
    return None


def _trouble(table: Mapping[str, Any]) -> tuple[str, str]:
    """Return code and text of an error in any of the known forms; both empty if there is none."""
    error = table.get("error") or table.get("detail") or table.get("message") or ""
    if isinstance(error, dict):
        codes = [str(error[name]) for name in ("code", "type") if isinstance(error.get(name), str | int)]
        return " ".join(codes), _text(error.get("message"))
    if isinstance(error, list):
        # FastAPI's list repeats what was sent, the prompt too; only its sentences are the server's own.
        return "", "; ".join(_text(entry.get("msg")) for entry in error if isinstance(entry, dict))
    return _text(table.get("code")), _text(error)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _progress(value: object) -> int | None:
    if isinstance(value, str):
        value = int(value.removesuffix("%")) if re.fullmatch(r"[0-9]{1,3}%?", value) else None
    return int(value) if isinstance(value, int | float) and 0 <= value <= 100 else None


def _time(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def create(name: str, options: Options, context: Context) -> OpenAIVideosBackend:
    """Return the backend. Raises `OperatorError` if there is no address, or a key is named that is not there."""
    if not options.url:
        raise OperatorError(f"[backends.{name}] has no url: set the server's address, as in http://127.0.0.1:8091/v1.")
    return OpenAIVideosBackend(name, options, open_api(name, options, context, FACTS))
