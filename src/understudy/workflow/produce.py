"""Stages `await`, `collect` and `finish`: from a running job to a link that works."""

import structlog

from understudy.auth.links import LinkSigner
from understudy.backends.base import Backend, BackendError, CollectFailed, Failed, Finished, Running, Vanished
from understudy.db import assets, attempts
from understudy.db.base import Tx
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.ids import AttemptId, new_asset_id
from understudy.domain.records import Asset, AssetKind, Attempt, AttemptState
from understudy.domain.task import Stage, Task
from understudy.media.video import Expected, MediaInvalid, VideoFacts, inspect_video
from understudy.storage.base import StorageFull
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.ending import Ending, end
from understudy.workflow.moves import move, settle, wait
from understudy.workflow.parts import Parts
from understudy.workflow.shape import NOT_GENERATED, shape_of
from understudy.workflow.submit import backend_of

POLL_RETRY_MS = 5_000
COLLECT_RETRY_MS = 5_000

_log = structlog.get_logger(__name__)


async def await_job(parts: Parts, task: Task) -> None:
    """Ask how the job stands: wait on, move on to `collect`, go back to `submit`, or raise `TaskFailure`."""
    backend = backend_of(parts, task)
    attempt = await _attempt_of(parts, task)
    try:
        status = await backend.poll(attempt.job_id or attempt.id)
    except BackendError as error:
        _log.warning("poll failed", task_id=task.id, backend=backend.name, error=str(error))
        await wait(parts, task, POLL_RETRY_MS)
        return
    match status:
        case Running(progress):
            parts.crash.reach(CrashPoint.AWAIT_WHILE_RUNNING)
            await wait(parts, task, int(backend.traits.poll_seconds * 1000), progress=progress)
        case Finished():
            parts.crash.reach(CrashPoint.AWAIT_AFTER_FINISHED)
            await parts.database.transact(
                lambda tx: move(tx, task, Stage.COLLECT, next_at_ms=parts.clock_ms()),
            )
        case Failed(code, message, detail):
            if not await _submit_again(parts, task, backend, attempt, detail):
                await settle(parts, attempt.id, AttemptState.FAILED, detail)
                raise TaskFailure(code, message, detail=detail)
        case Vanished():
            if not await _submit_again(parts, task, backend, attempt, "the job vanished"):
                await settle(parts, attempt.id, AttemptState.FAILED, "the job vanished")
                raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="the job vanished upstream")


async def _attempt_of(parts: Parts, task: Task) -> Attempt:
    attempt_id = task.attempt_id
    attempt = None
    if attempt_id is not None:
        attempt = await parts.database.read(lambda reader: attempts.get_attempt(reader, attempt_id=attempt_id))
    if attempt is None:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="the task's attempt is gone")
    return attempt


async def stop_job(parts: Parts, task: Task, attempt_id: AttemptId) -> None:
    """Stop the job of a task whose deadline has passed; a backend that does not answer keeps nobody waiting."""
    attempt = await _attempt_of(parts, task)
    try:
        await backend_of(parts, task).cancel(attempt.job_id or attempt.id)
    except BackendError as error:
        _log.warning("job not stopped", task_id=task.id, attempt_id=attempt_id, error=str(error))
    await settle(parts, attempt_id, AttemptState.FAILED, "the task's deadline passed")


async def _submit_again(parts: Parts, task: Task, backend: Backend, attempt: Attempt, detail: str) -> bool:
    """Go back to `submit` if another job costs nothing; `submit` counts how often that has happened."""
    if not backend.traits.free_to_repeat:
        return False
    _log.warning("job lost", task_id=task.id, attempt_id=attempt.id, detail=detail)
    await backend.forget(attempt.job_id or attempt.id)

    async def commit(tx: Tx) -> None:
        await attempts.set_attempt(
            tx, attempt_id=attempt.id, state=AttemptState.LOST, detail=detail, ended_at_ms=parts.clock_ms()
        )
        await move(tx, task, Stage.SUBMIT, next_at_ms=parts.clock_ms())

    await parts.database.transact(commit)
    return True


async def collect(parts: Parts, task: Task) -> None:
    """Copy the video into our storage after decoding every frame of it; move on to `finish`.

    The name in the storage belongs to the attempt: a run repeated after a crash writes the same bytes over it.
    """
    backend = backend_of(parts, task)
    attempt = await _attempt_of(parts, task)
    draft = parts.work_dir / f"{task.id}.collected"
    try:
        await backend.collect(attempt.job_id or attempt.id, draft)
        parts.crash.reach(CrashPoint.COLLECT_AFTER_FETCH)
        shape = await shape_of(parts, task)
        expected = Expected(width=shape.size.width, height=shape.size.height, seconds=task.request.seconds)
        facts = await inspect_video(parts.sandbox, draft, expected=expected)
        key = f"{task.id}/{attempt.id}.mp4"
        await parts.storage.put_file(key, draft, content_type="video/mp4")
    except (CollectFailed, StorageFull) as error:
        # The film exists and may have been paid for: it is fetched until the deadline, not given up after a few faults.
        _log.warning("film not stored yet", task_id=task.id, error=str(error))
        lost = isinstance(error, CollectFailed)
        if not (lost and await _submit_again(parts, task, backend, attempt, str(error))):
            await wait(parts, task, COLLECT_RETRY_MS)
        return
    except MediaInvalid as error:
        if await _submit_again(parts, task, backend, attempt, str(error)):
            return
        await settle(parts, attempt.id, AttemptState.FAILED, str(error))
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=str(error)) from error
    finally:
        draft.unlink(missing_ok=True)
    parts.crash.reach(CrashPoint.COLLECT_AFTER_STORED)
    asset = _output(parts, task, key, facts)

    async def commit(tx: Tx) -> None:
        if await move(tx, task, Stage.FINISH, next_at_ms=parts.clock_ms()):
            await assets.insert_asset(tx, asset)

    await parts.database.transact(commit)


def _output(parts: Parts, task: Task, key: str, facts: VideoFacts) -> Asset:
    now_ms = parts.clock_ms()
    return Asset(
        id=new_asset_id(),
        task_id=task.id,
        kind=AssetKind.OUTPUT,
        position=0,
        storage_key=key,
        media_type="video/mp4",
        width=facts.width,
        height=facts.height,
        size_bytes=facts.size_bytes,
        sha256=facts.sha256,
        created_at_ms=now_ms,
        expires_at_ms=now_ms + parts.result_ms,
    )


async def finish(parts: Parts, task: Task) -> None:
    """End the task as `success`, with a link whose life begins now."""
    attempt = await _attempt_of(parts, task)
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
