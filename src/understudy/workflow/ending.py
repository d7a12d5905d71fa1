"""The one transaction that ends a task: its state, its slot, its attempt and its callback, together or not at all."""

from dataclasses import dataclass

import structlog

from understudy.db import assets, attempts, deliveries, limits, tasks
from understudy.db.base import Tx
from understudy.domain.errors import FailCode
from understudy.domain.ids import new_delivery_id
from understudy.domain.records import AssetKind, AttemptState, Delivery, DeliveryState
from understudy.domain.status import TaskStatus, status_envelope
from understudy.domain.task import State, Task
from understudy.workflow.parts import Parts

_RESULTS = (AssetKind.OUTPUT, AssetKind.ORIGINAL, AssetKind.POSTER, AssetKind.THUMBNAIL)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a task ends: with results, or with a fail code and a sentence for a person."""

    completed_at_ms: int
    result_urls: tuple[str, ...] = ()
    results_end_at_ms: int | None = None
    fail_code: FailCode | None = None
    fail_message: str | None = None
    attempt_state: AttemptState | None = None

    @property
    def state(self) -> State:
        """`success` exactly when there is no fail code."""
        return State.SUCCESS if self.fail_code is None else State.FAILED


async def end(parts: Parts, task: Task, ending: Ending) -> bool:
    """End `task`; False if it had ended already, or another process took it over. Safe to repeat.

    The callback's bytes are frozen here, in the same transaction: a crash can neither lose the callback nor let a
    later attempt say something else (`contract.md` §4).
    """
    ended = await parts.database.transact(lambda tx: _end(tx, parts, task, ending))
    if ended:
        _log.info("task ended", task_id=task.id, state=ending.state.value, fail_code=ending.fail_code)
    return ended


async def _end(tx: Tx, parts: Parts, task: Task, ending: Ending) -> bool:
    key_id = await tasks.end_task(
        tx,
        task_id=task.id,
        claim=task.claim,
        state=ending.state,
        completed_at_ms=ending.completed_at_ms,
        result_urls=ending.result_urls,
        fail_code=ending.fail_code,
        fail_message=ending.fail_message,
    )
    if key_id is None:
        return False
    await limits.give_slot(tx, key_id=key_id)
    if task.attempt_id is not None and ending.attempt_state is not None:
        await attempts.set_attempt(
            tx,
            attempt_id=task.attempt_id,
            state=ending.attempt_state,
            ended_at_ms=ending.completed_at_ms,
        )
    if ending.fail_code is not None:
        await _close_attempts(tx, parts, task, ending)
    await assets.expire_at(tx, task_id=task.id, kind=AssetKind.INPUT, expires_at_ms=ending.completed_at_ms)
    if ending.results_end_at_ms is not None:
        await assets.expire_kinds_at(tx, task_id=task.id, kinds=_RESULTS, expires_at_ms=ending.results_end_at_ms)
    if task.request.callback_url is not None:
        await deliveries.insert_delivery(tx, _delivery(task, ending, task.request.callback_url))
    return True


async def _close_attempts(tx: Tx, parts: Parts, task: Task, ending: Ending) -> None:
    """Close what is still open of a task that fails.

    Left open it would be nobody's: now a paid job goes on being watched, and a lost answer is listed.
    """
    for attempt in await attempts.attempts_of(tx, task_id=task.id):
        if attempt.state not in (AttemptState.SUBMITTING, AttemptState.SUBMITTED):
            continue
        backend = parts.backends.get(attempt.backend)
        if backend is not None and backend.traits.free_to_repeat:
            state = AttemptState.LOST
        else:
            state = AttemptState.UNKNOWN if attempt.job_id is None else AttemptState.ABANDONED
        await attempts.set_attempt(tx, attempt_id=attempt.id, state=state, ended_at_ms=ending.completed_at_ms)


def _delivery(task: Task, ending: Ending, url: str) -> Delivery:
    status = TaskStatus(
        id=task.id,
        key_id=task.key_id,
        model=task.model,
        state=ending.state,
        created_at_ms=task.created_at_ms,
        completed_at_ms=ending.completed_at_ms,
        progress=None,
        result_urls=ending.result_urls,
        fail_code=ending.fail_code,
        fail_message=ending.fail_message,
    )
    return Delivery(
        id=new_delivery_id(),
        task_id=task.id,
        key_id=task.key_id,
        url=url,
        body=status_envelope(status),
        state=DeliveryState.PENDING,
        created_at_ms=ending.completed_at_ms,
        next_at_ms=ending.completed_at_ms,
    )
