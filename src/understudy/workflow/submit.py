"""Stage `submit`: an attempt row is committed, one backend is called once, the job's id is committed after it.

A crash or a lost answer between the two leaves the row behind: what cannot be proved to have created nothing is
`unknown` and never sent again, here or elsewhere (`reliability.md` §3.2). No engine gives that; the row does. Only
where non-creation is proved the next route is asked, under the same task.
"""

import hashlib
import random
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

import structlog

from understudy.backends.base import (
    BadInput,
    Busy,
    JobRequest,
    NotCreated,
    Refused,
    Unusable,
)
from understudy.db import attempts, health, tasks
from understudy.db.base import Tx
from understudy.domain import circuit
from understudy.domain.circuit import Go, Wait
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.ids import AttemptId, new_attempt_id
from understudy.domain.records import Attempt, AttemptState
from understudy.domain.task import Task
from understudy.media.image import cover_image
from understudy.workflow.crash_points import CrashPoint
from understudy.workflow.moves import settle, wait
from understudy.workflow.parts import Parts
from understudy.workflow.reconcile import UNANSWERED, commit_job, settle_earlier
from understudy.workflow.routing import Casting, castings, in_order
from understudy.workflow.shape import NOT_GENERATED, Shape, shape_of

MAX_LOST_ATTEMPTS = 3
"""How often a job that is free to repeat may get lost before its task fails."""
BUSY_WAIT_MS = 10_000
"""The longest a task sleeps for want of a place; it is woken when one becomes free."""
RETRY_MS = 2_000
"""When a route that did not take a task may be asked again, unless its circuit says later."""
SPREAD = 10
"""A held task asks again within its age divided by this: the longer a queue, the rarer each of it asks."""
MOST_SPREAD_MS = 30_000
REFUSED_INPUT = "refused as bad input"
"""Remark of an attempt after which its route is not asked again for this task."""

_log = structlog.get_logger(__name__)


class _Outcome(Enum):
    DONE = "done"  # the row says what comes next: nothing more is asked
    NEXT = "next"  # proved: nothing was created here; another route may be asked
    HELD = "held"  # no place here now


@dataclass(frozen=True, slots=True)
class _Hold:
    """Why no route was asked or took the task, and when to ask again (Unix milliseconds)."""

    until_ms: int
    backend: str


async def submit(parts: Parts, task: Task) -> None:
    """Move on to `await`, stay and wait for a place, or raise `TaskFailure`."""
    earlier = await settle_earlier(parts, task)
    if earlier is None:
        return
    lost = sum(attempt.state is AttemptState.LOST for attempt in earlier)
    if lost >= MAX_LOST_ATTEMPTS:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail=f"{lost} attempts were lost")
    shape = await shape_of(parts, task)
    routes = _routes(parts, task, shape, earlier)
    holds: list[_Hold] = []
    for casting in routes:
        outcome, until_ms = await _ask(parts, task, casting, shape)
        if outcome is _Outcome.DONE:
            return
        if outcome is _Outcome.HELD:
            holds.append(_Hold(until_ms, casting.backend.name))
    if not holds:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="every route refused the request")
    first = min(holds, key=lambda hold: hold.until_ms)
    await _hold(parts, task, first)


def _routes(parts: Parts, task: Task, shape: Shape, earlier: list[Attempt]) -> list[Casting]:
    """Return the routes that can play the task, in the order in which it asks them; raise `TaskFailure` for none."""
    refused = {(attempt.backend, attempt.model) for attempt in earlier if attempt.remark == REFUSED_INPUT}
    able, reasons = castings(
        in_order(parts.catalogue.get(task.model).routes, task.id),
        parts.backends,
        size=shape.size,
        seconds=task.request.seconds,
        picture=shape.picture is not None,
    )
    if not able:
        raise TaskFailure(FailCode.MODEL_UNAVAILABLE, "The model is not available", detail="; ".join(reasons))
    left = [casting for casting in able if (casting.backend.name, casting.wanted.model) not in refused]
    if not left:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="every route refused the request")
    return left


async def _hold(parts: Parts, task: Task, hold: _Hold) -> None:
    """Let the task wait `pending`, under the name of the backend that it waits for: a free place there wakes it."""
    now_ms = parts.clock_ms()
    # Thousands that wait for one pace must not all ask at the moment when one of them may go.
    spread_ms = random.uniform(0, min(MOST_SPREAD_MS, (now_ms - task.created_at_ms) / SPREAD))
    next_at_ms = min(max(hold.until_ms, now_ms + 1) + int(spread_ms), task.deadline_at_ms)
    await parts.database.transact(
        lambda tx: tasks.move_task(
            tx,
            task_id=task.id,
            claim=task.claim,
            from_stage=task.stage,
            to_stage=task.stage,
            state=task.state,
            next_at_ms=next_at_ms,
            backend=hold.backend,
        )
    )


async def _ask(parts: Parts, task: Task, casting: Casting, shape: Shape) -> tuple[_Outcome, int]:
    """Ask one route; with `HELD` comes the time at which to ask again."""
    backend = casting.backend
    admission = await parts.circuits.admit(backend)
    if isinstance(admission, Wait):
        return _Outcome.HELD, admission.until_ms
    full = _Outcome.HELD, parts.clock_ms() + BUSY_WAIT_MS
    if not backend.reserve():
        return full
    taken = False
    try:
        request = await _request_for(parts, task, casting, shape)
        if not await _record(parts, task, casting, request):
            return full
        parts.crash.reach(CrashPoint.SUBMIT_AFTER_ATTEMPT_RECORDED)
        outcome, taken = await _call_once(parts, task, casting, request, admission)
        return outcome, parts.clock_ms() + RETRY_MS
    finally:
        if shape.picture is not None:
            _draft(parts, task).unlink(missing_ok=True)
        if not taken:
            backend.release()


def _draft(parts: Parts, task: Task) -> Path:
    return parts.work_dir / f"{task.id}.first-frame"


async def _request_for(parts: Parts, task: Task, casting: Casting, shape: Shape) -> JobRequest:
    attempt_id, generate, picture = new_attempt_id(), casting.fit.size, shape.picture
    if picture is not None and not casting.backend.traits.procedural:
        # An upstream that gets another shape than it generates stretches the picture, or refuses it.
        draft = _draft(parts, task)
        await cover_image(parts.sandbox, picture, draft, width=generate.width, height=generate.height)
        picture = draft
    return JobRequest(
        attempt_id=attempt_id,
        prompt=task.request.prompt,
        wanted=casting.wanted,
        generate=generate,
        # Every attempt at a task draws the same film; two tasks with one prompt are two takes.
        seed=int.from_bytes(hashlib.sha256(task.id.encode()).digest()[:8], "big") >> 1,
        picture=picture,
        webhook_url=parts.upstream_links.make(attempt_id) if casting.backend.name in parts.called_back else None,
    )


async def _call_once(
    parts: Parts, task: Task, casting: Casting, request: JobRequest, admitted: Go
) -> tuple[_Outcome, bool]:
    """Call the backend; return what came of it, and whether the reserved place is taken by a job."""
    backend, attempt_id = casting.backend, request.attempt_id
    try:
        job_id = await backend.submit(request)
    except Refused as error:
        await settle(parts, attempt_id, AttemptState.NOT_CREATED, str(error))
        await parts.circuits.went_well(backend, circuit.undecided)
        raise TaskFailure(error.code, error.message, detail=str(error)) from error
    except NotCreated as error:
        await _not_created(parts, casting, attempt_id, error, admitted)
        return (_Outcome.NEXT if isinstance(error, BadInput) else _Outcome.HELD), False
    except Exception as error:  # noqa: BLE001 - whatever is not proved to have created nothing may have created a job
        _log.error("submission is unknown", attempt_id=attempt_id, backend=backend.name, error=str(error))
        await settle(parts, attempt_id, AttemptState.UNKNOWN, f"{UNANSWERED}: {error}")
        reason = f"{type(error).__name__}: {error}"
        await parts.circuits.went_wrong(backend, partial(circuit.fault, reason=reason))
        # The stage runs again and settles it: by the vendor's handle, or as failed where there is none.
        await wait(parts, task, 0)
        return _Outcome.DONE, False
    parts.crash.reach(CrashPoint.SUBMIT_AFTER_CALL)
    await commit_job(parts, task, attempt_id, job_id, first_poll_seconds=backend.traits.first_poll_seconds)
    parts.crash.reach(CrashPoint.SUBMIT_AFTER_COMMIT)
    await parts.circuits.went_well(backend, circuit.accepted)
    return _Outcome.DONE, True


async def _not_created(parts: Parts, casting: Casting, attempt_id: AttemptId, error: NotCreated, admitted: Go) -> None:
    """Record the proof, and what it says about the backend."""
    backend, reason = casting.backend, str(error)
    remark = REFUSED_INPUT if isinstance(error, BadInput) else None
    await settle(parts, attempt_id, AttemptState.NOT_CREATED, reason, remark=remark)
    _log.warning("submission not taken", attempt_id=attempt_id, backend=backend.name, error=reason)
    match error:
        case BadInput():
            await parts.circuits.went_well(backend, circuit.undecided)
        case Busy(retry_after_seconds=seconds):
            after_ms = None if seconds is None else int(seconds * 1000)
            slow = partial(circuit.slowed, retry_after_ms=after_ms, admitted=admitted)
            await parts.circuits.went_wrong(backend, slow)
        case Unusable():
            await parts.circuits.went_wrong(backend, partial(circuit.unusable, reason=reason))
        case _:
            await parts.circuits.went_wrong(backend, partial(circuit.fault, reason=reason))


async def _record(parts: Parts, task: Task, casting: Casting, request: JobRequest) -> bool:
    """Commit the attempt before the call; False if the backend is full or the task is no longer ours."""
    started_at_ms, most = parts.clock_ms(), casting.backend.traits.max_jobs
    attempt = Attempt(
        id=request.attempt_id,
        task_id=task.id,
        backend=casting.backend.name,
        model=casting.wanted.model,
        state=AttemptState.SUBMITTING,
        request_sha256=hashlib.sha256(repr(task.request).encode()).hexdigest(),
        started_at_ms=started_at_ms,
        generate_width=request.generate.width,
        generate_height=request.generate.height,
        claim=task.claim,
    )

    async def commit(tx: Tx) -> bool:
        if most is not None:
            # The lock puts the backend's submissions in a row: counting and then inserting would let too many through.
            await health.lock_circuit(tx, name=attempt.backend)
            if await attempts.count_open(tx, backend=attempt.backend) >= most:
                return False
        ours = await tasks.move_task(
            tx,
            task_id=task.id,
            claim=task.claim,
            from_stage=task.stage,
            to_stage=task.stage,
            state=task.state,
            next_at_ms=started_at_ms,
            attempt_id=attempt.id,
            backend=attempt.backend,
        )
        if ours:
            await attempts.insert_attempt(tx, attempt)
        return ours

    return await parts.database.transact(commit)
