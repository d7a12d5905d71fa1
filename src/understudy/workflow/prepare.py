"""Stage `prepare`: the prompt is checked against the policy, the picture fetched and checked."""

import structlog

from understudy.db import assets
from understudy.db.base import Tx
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.ids import new_asset_id
from understudy.domain.records import Asset, AssetKind
from understudy.domain.task import Stage, Task
from understudy.media.image import MEDIA_TYPE, check_image
from understudy.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.moves import move
from understudy.workflow.parts import Parts

FETCH_TRIES = 2
"""A picture's host may stumble once; a caller should not pay for that with a failed task."""

_log = structlog.get_logger(__name__)


async def prepare(parts: Parts, task: Task) -> None:
    """Move on to `submit`, or raise `TaskFailure` with the content or image fail code of `contract.md` §5."""
    verdict = await parts.moderator.check(task.request.prompt)
    if not verdict.allowed:
        message = verdict.message or "The prompt violates the content policy"
        raise TaskFailure(FailCode.CONTENT_VIOLATION, message, detail=f"rule {verdict.rule_id}")
    picture = None if task.request.image_url is None else await _store_picture(parts, task, task.request.image_url)
    parts.crash.reach(CrashPoint.PREPARE_BEFORE_COMMIT)

    async def commit(tx: Tx) -> None:
        if await move(tx, task, Stage.SUBMIT, next_at_ms=parts.clock_ms()) and picture is not None:
            await assets.insert_asset(tx, picture)

    await parts.database.transact(commit)


async def _store_picture(parts: Parts, task: Task, url: str) -> Asset:
    """Fetch, check, re-encode and store the picture under a name that a repeated run writes over."""
    model = parts.catalogue.get(task.model)
    data = await _fetch(parts, task, url, max_bytes=model.image_bytes)
    draft = parts.work_dir / f"{task.id}.picture"
    try:
        checked = await check_image(parts.sandbox, data, max_bytes=model.image_bytes, destination=draft)
        key = f"{task.id}/input-0.jpg"
        await parts.storage.put_file(key, draft, content_type=MEDIA_TYPE)
    finally:
        draft.unlink(missing_ok=True)
    parts.crash.reach(CrashPoint.PREPARE_AFTER_IMAGE_STORED)
    now_ms = parts.clock_ms()
    return Asset(
        id=new_asset_id(),
        task_id=task.id,
        kind=AssetKind.INPUT,
        position=0,
        storage_key=key,
        media_type=MEDIA_TYPE,
        width=checked.width,
        height=checked.height,
        size_bytes=checked.size_bytes,
        sha256=checked.sha256,
        created_at_ms=now_ms,
        expires_at_ms=task.deadline_at_ms + parts.result_ms,
    )


async def _fetch(parts: Parts, task: Task, url: str, *, max_bytes: int) -> bytes:
    for left in reversed(range(FETCH_TRIES)):
        try:
            return await parts.outbound.fetch(url, max_bytes=max_bytes)
        except FetchTooLarge:
            limit = max_bytes // (1024 * 1024)
            raise TaskFailure(FailCode.IMAGE_TOO_LARGE, f"The image is larger than {limit} MB") from None
        except (FetchRefused, FetchFailed) as error:
            # One text for every cause: anything finer would make us a port scanner (`reliability.md` §2.3).
            _log.info("image not fetched", task_id=task.id, error=str(error), tries_left=left)
            if left == 0 or isinstance(error, FetchRefused):
                raise TaskFailure(FailCode.INVALID_IMAGE_URL, "Cannot access provided image URL") from None
    raise AssertionError("unreachable: the last try returns or raises")
