"""Stages `collect` and `finish`: from a finished job to a link that works."""

import asyncio
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from understudy.auth.links import LinkSigner
from understudy.backends.base import Backend, CollectFailed
from understudy.db import assets, attempts
from understudy.db.base import Tx
from understudy.domain import circuit
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.ids import new_asset_id
from understudy.domain.records import Asset, AssetKind, Attempt, AttemptState
from understudy.domain.task import Stage, Task
from understudy.media.fit import Fitting, fit_video, fitting
from understudy.media.video import Expected, MediaInvalid, VideoFacts, inspect_video
from understudy.storage.base import StorageFull
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.ending import Ending, end
from understudy.workflow.moves import move, settle, wait
from understudy.workflow.parts import Parts
from understudy.workflow.produce import attempt_of, backend_of, submit_again
from understudy.workflow.shape import NOT_GENERATED, shape_of

COLLECT_RETRY_MS = 5_000
USELESS_ANSWERS = 6
"""So often may an upstream give something that is no film before its task fails; a silent one is asked on."""
FIRST_USELESS_WAIT_MS = 2_000
"""Doubled each time: a minute in all, in which a store that is slow to show a new file shows it."""
USELESS = "no film"
THUMBNAIL_WIDTH = 640
MP4, JPEG, WEBP = "video/mp4", "image/jpeg", "image/webp"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Drafts:
    """Files under way, beside each other in the work folder."""

    fetched: Path
    fitted: Path
    poster: Path
    thumbnail: Path

    @classmethod
    def of(cls, parts: Parts, task: Task) -> "_Drafts":
        folder = parts.work_dir
        return cls(*(folder / f"{task.id}.{name}" for name in ("collected", "fitted", "poster", "thumbnail")))

    def remove(self) -> None:
        for path in (self.fetched, self.fitted, self.poster, self.thumbnail):
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Film:
    """The film as it is served, and the upstream's own where we had to fit it."""

    facts: VideoFacts
    original: VideoFacts | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """One file for the storage; `sha256` (hexadecimal) if it is known already."""

    kind: AssetKind
    file: Path
    suffix: str
    media_type: str
    size: Size
    sha256: str | None = None


async def collect(parts: Parts, task: Task) -> None:
    """Copy the video into our storage after decoding every frame of it; move on to `finish`.

    The names in the storage belong to the attempt: a run repeated after a crash writes the same bytes over them.
    """
    backend, attempt = backend_of(parts, task), await attempt_of(parts, task)
    drafts = _Drafts.of(parts, task)
    try:
        await backend.collect(attempt.job_id or attempt.id, drafts.fetched)
        parts.crash.reach(CrashPoint.COLLECT_AFTER_FETCH)
        shape = await shape_of(parts, task)
        film = await _examine(parts, task, backend, drafts, shape.size)
        stored = await _store(parts, task, attempt, film, drafts)
    except (CollectFailed, StorageFull, MediaInvalid) as error:
        await _try_again(parts, task, attempt, error)
        return
    finally:
        drafts.remove()
    parts.crash.reach(CrashPoint.COLLECT_AFTER_STORED)
    parts.patience.regain(USELESS, attempt.id)

    async def commit(tx: Tx) -> None:
        if await move(tx, task, Stage.FINISH, next_at_ms=parts.clock_ms()):
            for asset in stored:
                await assets.insert_asset(tx, asset)
            if film.remark is not None:
                await attempts.set_attempt(tx, attempt_id=attempt.id, state=attempt.state, remark=film.remark)

    await parts.database.transact(commit)
    await parts.circuits.went_well(backend, circuit.finished)


async def _try_again(parts: Parts, task: Task, attempt: Attempt, error: Exception) -> None:
    """Fetch again later, submit anew where that is free, or raise `TaskFailure`.

    The film exists and may have been paid for: one that cannot be fetched or kept now is fetched until the deadline.
    Only an upstream that gives something else instead is believed after a few times.
    """
    _log.warning("film not stored yet", task_id=task.id, error=str(error))
    if not isinstance(error, StorageFull) and await submit_again(parts, task, attempt, str(error)):
        return
    useless = isinstance(error, MediaInvalid) or (isinstance(error, CollectFailed) and error.hopeless)
    answers = parts.patience.lose(USELESS, attempt.id) if useless else 0
    if answers >= USELESS_ANSWERS:
        backend, reason = backend_of(parts, task), str(error)
        await parts.circuits.went_wrong(backend, partial(circuit.fault, reason=reason))
        await settle(parts, attempt.id, AttemptState.FAILED, reason)
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=reason) from error
    await wait(parts, task, FIRST_USELESS_WAIT_MS * 2 ** (answers - 1) if useless else COLLECT_RETRY_MS)


async def _examine(parts: Parts, task: Task, backend: Backend, drafts: _Drafts, size: Size) -> _Film:
    """Decode the film; where its size is near but not the one asked for, fit it and keep both."""
    exact = backend.traits.procedural
    expected = Expected(width=size.width, height=size.height, seconds=task.request.seconds, exact=exact)
    facts = await inspect_video(
        parts.sandbox, drafts.fetched, expected=expected, poster=drafts.poster, thumbnail=drafts.thumbnail
    )
    if fitting(facts, width=size.width, height=size.height) is Fitting.UNTOUCHED:
        return _Film(facts)
    await fit_video(parts.sandbox, drafts.fetched, drafts.fitted, width=size.width, height=size.height)
    fitted = await inspect_video(
        parts.sandbox, drafts.fitted, expected=expected, poster=drafts.poster, thumbnail=drafts.thumbnail
    )
    made = f"generated at {facts.width}x{facts.height}"
    # The size may be right and the form one that few players know: then it is only encoded anew.
    same = (facts.width, facts.height) == (size.width, size.height)
    if same:
        remark = f"{made} as {facts.video_codec} in {facts.pixel_format}, encoded anew"
    else:
        remark = f"{made}, scaled and cropped to {size.width}x{size.height}"
    _log.info("film fitted", task_id=task.id, backend=backend.name, remark=remark)
    return _Film(fitted, facts, remark)


async def _store(parts: Parts, task: Task, attempt: Attempt, film: _Film, drafts: _Drafts) -> list[Asset]:
    """Put everything into the storage; return the rows, to be committed together."""
    facts, original = film.facts, film.original
    served = drafts.fetched if original is None else drafts.fitted
    size = Size(facts.width, facts.height)
    small = Size(THUMBNAIL_WIDTH, max(1, round(facts.height * THUMBNAIL_WIDTH / facts.width)))
    rows = [
        _Kept(AssetKind.OUTPUT, served, "mp4", MP4, size, facts.sha256),
        _Kept(AssetKind.POSTER, drafts.poster, "poster.jpg", JPEG, size),
        _Kept(AssetKind.THUMBNAIL, drafts.thumbnail, "thumbnail.webp", WEBP, small),
    ]
    if original is not None:
        own = Size(original.width, original.height)
        rows.append(_Kept(AssetKind.ORIGINAL, drafts.fetched, "original.mp4", MP4, own, original.sha256))
    return [await _keep(parts, task, attempt, row) for row in rows]


async def _keep(parts: Parts, task: Task, attempt: Attempt, kept: _Kept) -> Asset:
    key, now_ms = f"{task.id}/{attempt.id}.{kept.suffix}", parts.clock_ms()
    size_bytes, sha256 = await asyncio.to_thread(_measure, kept)
    await parts.storage.put_file(key, kept.file, content_type=kept.media_type)
    return Asset(
        id=new_asset_id(),
        task_id=task.id,
        kind=kept.kind,
        position=0,
        storage_key=key,
        media_type=kept.media_type,
        width=kept.size.width,
        height=kept.size.height,
        size_bytes=size_bytes,
        sha256=sha256,
        created_at_ms=now_ms,
        expires_at_ms=now_ms + parts.result_ms,
    )


def _measure(kept: _Kept) -> tuple[int, str]:
    with kept.file.open("rb") as file:
        sha256 = kept.sha256 or hashlib.file_digest(file, "sha256").hexdigest()
    return kept.file.stat().st_size, sha256


async def finish(parts: Parts, task: Task) -> None:
    """End the task as `success`, with a link whose life begins now."""
    attempt = await attempt_of(parts, task)
    completed_at_ms = max(parts.clock_ms(), task.created_at_ms)
    ends_at_ms = completed_at_ms + parts.result_ms
    ending = Ending(
        completed_at_ms=completed_at_ms,
        results_end_at_ms=ends_at_ms,
        result_urls=(_link(parts.links, task, ends_at_ms),),
        attempt_state=AttemptState.SUCCEEDED,
    )
    parts.crash.reach(CrashPoint.FINISH_BEFORE_COMMIT)
    await end(parts, task, ending)
    parts.crash.reach(CrashPoint.FINISH_AFTER_COMMIT)
    await backend_of(parts, task).forget(attempt.job_id or attempt.id)


def _link(links: LinkSigner, task: Task, ends_at_ms: int) -> str:
    return links.sign(task.id, 0, ends_at_s=-(-ends_at_ms // 1000))
