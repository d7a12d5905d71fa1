"""The one transition table."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.domain.task import TRANSITIONS, Stage, State, state_after

RUNNING = [stage for stage in Stage if stage is not Stage.ENDED]
RANK = {State.PENDING: 0, State.PROCESSING: 1}


def test_every_stage_has_a_row_and_a_way_to_the_end() -> None:
    assert set(TRANSITIONS) == set(Stage)
    assert all(Stage.ENDED in TRANSITIONS[stage] for stage in RUNNING)


def test_what_has_ended_stays_ended() -> None:
    assert TRANSITIONS[Stage.ENDED] == frozenset()


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("target", Stage)
def test_a_transition_outside_the_table_is_refused(stage: Stage, target: Stage) -> None:
    if target in TRANSITIONS[stage] and target is not Stage.ENDED:
        assert not state_after(State.PENDING, stage, target).terminal
    else:
        with pytest.raises(ValueError, match="no transition"):
            state_after(State.PENDING, stage, target)


@given(st.lists(st.sampled_from(RUNNING), max_size=30))
def test_states_only_move_forward_on_every_walk_through_the_table(wishes: Sequence[Stage]) -> None:
    stage, state = Stage.PREPARE, State.PENDING
    for target in wishes:
        if target not in TRANSITIONS[stage]:
            continue
        after = state_after(state, stage, target)

        assert RANK[after] >= RANK[state]

        stage, state = target, after


def test_a_job_submitted_anew_does_not_put_the_task_back_to_pending() -> None:
    assert state_after(State.PROCESSING, Stage.AWAIT, Stage.SUBMIT) is State.PROCESSING


def test_a_task_is_processing_once_a_backend_has_it() -> None:
    assert state_after(State.PENDING, Stage.PREPARE, Stage.SUBMIT) is State.PENDING
    assert state_after(State.PENDING, Stage.SUBMIT, Stage.AWAIT) is State.PROCESSING
