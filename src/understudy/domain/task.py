"""A task and the one table of its transitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from understudy.domain.errors import FailCode
from understudy.domain.ids import AttemptId, KeyId, TaskId
from understudy.domain.request import GenerationRequest


class State(StrEnum):
    """What the caller sees (`contract.md` §3)."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        """Whether the task has ended; a terminal task never changes again."""
        return self in (State.SUCCESS, State.FAILED)


class Stage(StrEnum):
    """What is to be done next; each is one idempotent function in `workflow/`."""

    PREPARE = "prepare"
    SUBMIT = "submit"
    AWAIT = "await"
    COLLECT = "collect"
    FINISH = "finish"
    ENDED = "ended"


TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    Stage.PREPARE: frozenset({Stage.SUBMIT, Stage.ENDED}),
    Stage.SUBMIT: frozenset({Stage.AWAIT, Stage.ENDED}),
    # Back to submit only for a job that is proved not to exist any more, or that is free and whose film is of no use;
    # the state stays `processing`.
    Stage.AWAIT: frozenset({Stage.SUBMIT, Stage.COLLECT, Stage.ENDED}),
    Stage.COLLECT: frozenset({Stage.SUBMIT, Stage.FINISH, Stage.ENDED}),
    Stage.FINISH: frozenset({Stage.ENDED}),
    Stage.ENDED: frozenset(),
}
"""The one transition table. Waiting in a stage is no transition."""

_STATE_OF_STAGE: Mapping[Stage, State] = {
    Stage.PREPARE: State.PENDING,
    Stage.SUBMIT: State.PENDING,
    Stage.AWAIT: State.PROCESSING,
    Stage.COLLECT: State.PROCESSING,
    Stage.FINISH: State.PROCESSING,
}

_RANK: Mapping[State, int] = {State.PENDING: 0, State.PROCESSING: 1, State.SUCCESS: 2, State.FAILED: 2}


def state_after(state: State, stage: Stage, target: Stage) -> State:
    """Return the state of a task that was in `state` and goes from `stage` to the running stage `target`.

    States only move forward (`contract.md` §3): a task that a backend once had stays `processing` when its job has
    to be submitted anew. Raises `ValueError` for a transition that is not in the table.
    """
    if target is Stage.ENDED or target not in TRANSITIONS[stage]:
        raise ValueError(f"no transition from {stage} to {target}")
    return max(state, _STATE_OF_STAGE[target], key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One accepted request, as the row holds it. Times are Unix milliseconds, UTC.

    `next_at_ms` is when its stage is to run again, None once ended. `claim` is the fencing number: raised at each
    take-over and checked in every write. `progress` is 0 to 100, None until a backend has told one.
    """

    id: TaskId
    key_id: KeyId
    model: str
    state: State
    stage: Stage
    request: GenerationRequest
    created_at_ms: int
    deadline_at_ms: int
    next_at_ms: int | None
    claim: int = 0
    backend: str
    attempt_id: AttemptId | None = None
    progress: int | None = None
    completed_at_ms: int | None = None
    result_urls: tuple[str, ...] = ()
    fail_code: FailCode | None = None
    fail_message: str | None = None
