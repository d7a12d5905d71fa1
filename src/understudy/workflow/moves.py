"""Writing what comes next: fenced, so that a process that was taken over writes nothing."""

from understudy.db import attempts, tasks
from understudy.db.base import Tx
from understudy.domain.ids import AttemptId
from understudy.domain.records import AttemptState
from understudy.domain.task import Stage, Task, state_after
from understudy.workflow.parts import Parts


async def move(
    tx: Tx, task: Task, target: Stage, *, next_at_ms: int, attempt_id: AttemptId | tasks.Keep = tasks.KEEP
) -> bool:
    """Move `task` from the stage it was read in to `target`; False if it is no longer there or no longer ours."""
    return await tasks.move_task(
        tx,
        task_id=task.id,
        claim=task.claim,
        from_stage=task.stage,
        to_stage=target,
        state=state_after(task.state, task.stage, target),
        next_at_ms=next_at_ms,
        attempt_id=attempt_id,
    )


async def wait(parts: Parts, task: Task, wait_ms: int, *, progress: int | None = None) -> None:
    """Let `task` run its stage again after `wait_ms`, at the latest at its deadline."""
    next_at_ms = min(parts.clock_ms() + wait_ms, task.deadline_at_ms)
    await parts.database.transact(
        lambda tx: tasks.reschedule_task(
            tx, task_id=task.id, claim=task.claim, stage=task.stage, next_at_ms=next_at_ms, progress=progress
        )
    )


async def settle(
    parts: Parts, attempt_id: AttemptId, state: AttemptState, detail: str, *, remark: str | None = None
) -> None:
    """Record how an attempt ended. `detail` and `remark` are for the operator."""
    await parts.database.transact(
        lambda tx: attempts.set_attempt(
            tx, attempt_id=attempt_id, state=state, detail=detail, remark=remark, ended_at_ms=parts.clock_ms()
        )
    )
