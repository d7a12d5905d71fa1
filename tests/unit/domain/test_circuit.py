"""The circuit of one backend: when it is asked, when it rests, how fast it is asked."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from understudy.domain.circuit import (
    FAULTS_IN_A_ROW,
    FIRST_REST_MS,
    LONGEST_REST_MS,
    PROBE_LEASE_MS,
    Circuit,
    Go,
    Wait,
    accepted,
    admit,
    describe,
    fault,
    finished,
    slowed,
    undecided,
    unusable,
)

NOW = 1_790_000_000_000
FRESH = Circuit(name="fal")
GONE = "the connection was refused"


def broken(circuit: Circuit, now_ms: int = NOW, *, times: int = FAULTS_IN_A_ROW) -> Circuit:
    for _ in range(times):
        circuit = fault(circuit, now_ms, GONE)
    return circuit


def probed(circuit: Circuit) -> Circuit:
    """Let the circuit's time pass and admit its probe."""
    assert circuit.open_until_ms is not None
    admission, after = admit(circuit, circuit.open_until_ms)
    assert admission == Go(probe=True)
    return after


def test_fresh_circuit_admits_everything_and_remembers_nothing_of_it() -> None:
    assert admit(FRESH, NOW) == (Go(probe=False), FRESH)


def test_it_opens_at_the_fifth_fault_in_a_row_and_not_before() -> None:
    assert admit(broken(FRESH, times=4), NOW)[0] == Go(probe=False)
    assert admit(broken(FRESH, times=5), NOW)[0] == Wait(NOW + FIRST_REST_MS, GONE)


@pytest.mark.parametrize("success", [accepted, finished])
def test_a_success_begins_the_count_anew(success: Callable[[Circuit, int], Circuit]) -> None:
    circuit = broken(success(broken(FRESH, times=4), NOW), times=4)

    assert admit(circuit, NOW)[0] == Go(probe=False)


def test_it_opens_when_half_of_the_last_twenty_failed() -> None:
    """A backend that takes every job and loses it never fails five times in a row."""
    circuit = FRESH
    for _ in range(9):
        circuit = fault(accepted(circuit, NOW), NOW, GONE)
    circuit = accepted(circuit, NOW)

    assert admit(circuit, NOW)[0] == Go(probe=False)
    assert admit(fault(circuit, NOW, GONE), NOW)[0] == Wait(NOW + FIRST_REST_MS, GONE)


def test_nine_of_the_last_twenty_are_borne() -> None:
    circuit = FRESH
    for number in range(200):
        outcome = fault(circuit, NOW, GONE) if number % 20 in range(0, 18, 2) else finished(circuit, NOW)
        circuit = outcome

        assert admit(circuit, NOW)[0] == Go(probe=False)


def test_half_of_fewer_than_twenty_is_too_little_to_tell() -> None:
    circuit = FRESH
    for _ in range(5):
        circuit = broken(accepted(circuit, NOW), times=2)

    assert admit(circuit, NOW)[0] == Go(probe=False)


def test_after_an_opening_old_outcomes_count_no_more() -> None:
    circuit = FRESH
    for _ in range(10):
        circuit = fault(accepted(circuit, NOW), NOW, GONE)
    circuit = accepted(probed(circuit), NOW + FIRST_REST_MS)
    circuit = broken(circuit, NOW + FIRST_REST_MS, times=4)

    assert admit(circuit, NOW + FIRST_REST_MS)[0] == Go(probe=False)


def test_after_an_opening_faults_are_counted_anew() -> None:
    now_ms = NOW + FIRST_REST_MS
    circuit = broken(undecided(probed(broken(FRESH)), now_ms), now_ms, times=4)

    assert admit(circuit, now_ms)[0] == Go(probe=False)


def test_past_its_time_one_probe_goes_and_the_others_wait_for_it() -> None:
    resting = broken(FRESH)
    now_ms = NOW + FIRST_REST_MS
    first, after = admit(resting, now_ms)
    second, unchanged = admit(after, now_ms + 1)

    assert first == Go(probe=True)
    assert second == Wait(now_ms + PROBE_LEASE_MS, "one submission is trying it again")
    assert unchanged == after


def test_a_probe_whose_process_died_is_replaced() -> None:
    after = probed(broken(FRESH))
    assert after.probe_until_ms is not None

    assert admit(after, after.probe_until_ms)[0] == Go(probe=True)


@pytest.mark.parametrize("sign_of_life", [accepted, finished, undecided])
def test_a_probe_that_was_answered_closes_it(sign_of_life: Callable[[Circuit, int], Circuit]) -> None:
    """Also one whose prompt was refused: whoever reads a prompt and refuses it is alive."""
    now_ms = NOW + FIRST_REST_MS
    closed = sign_of_life(probed(broken(FRESH)), now_ms)

    assert (closed.openings, closed.open_until_ms, closed.probe_until_ms, closed.reason) == (0, None, None, None)
    assert [admit(closed, now_ms)[0] for _ in range(2)] == [Go(probe=False)] * 2


def test_each_opening_in_a_row_lasts_twice_as_long_up_to_five_minutes() -> None:
    circuit, rests, now_ms = broken(FRESH), [], NOW
    for _ in range(40):
        assert circuit.open_until_ms is not None
        rests.append(circuit.open_until_ms - now_ms)
        now_ms = circuit.open_until_ms
        circuit = fault(probed(circuit), now_ms, GONE)

    assert rests == [30_000, 60_000, 120_000, 240_000, *[300_000] * 36]


def test_once_closed_the_next_opening_is_short_again() -> None:
    circuit = fault(probed(broken(FRESH)), NOW + FIRST_REST_MS, GONE)
    assert circuit.open_until_ms is not None
    later_ms = circuit.open_until_ms
    reopened = broken(accepted(probed(circuit), later_ms), later_ms)

    assert reopened.open_until_ms == later_ms + FIRST_REST_MS


def test_faults_of_what_was_under_way_do_not_prolong_the_rest() -> None:
    resting = broken(FRESH)

    assert broken(resting, NOW + 1000, times=50) == resting


def test_a_success_of_what_was_under_way_does_not_end_the_rest() -> None:
    for success in (accepted, finished, undecided):
        assert admit(success(broken(FRESH), NOW + 1000), NOW + 1000)[0] == Wait(NOW + FIRST_REST_MS, GONE)


def test_an_unusable_backend_rests_five_minutes_at_once() -> None:
    circuit = unusable(FRESH, NOW, "status 401: the key was revoked")

    assert admit(circuit, NOW)[0] == Wait(NOW + LONGEST_REST_MS, "status 401: the key was revoked")


def test_several_calls_refused_together_are_one_opening() -> None:
    circuit = unusable(unusable(FRESH, NOW, "status 401"), NOW + 50, "status 401")

    assert (circuit.openings, circuit.open_until_ms) == (1, NOW + 50 + LONGEST_REST_MS)


def test_a_resting_backend_that_proves_unusable_rests_longer() -> None:
    assert unusable(broken(FRESH), NOW + 1, "status 402").open_until_ms == NOW + 1 + LONGEST_REST_MS


def test_too_fast_is_no_fault_and_doubles_the_gap_up_to_a_minute() -> None:
    circuit, gaps = FRESH, []
    for _ in range(9):
        circuit = slowed(circuit, NOW, None)
        gaps.append(circuit.gap_ms)

    assert gaps == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
    assert (circuit.openings, circuit.consecutive_faults, circuit.outcomes) == (0, 0, "")


@pytest.mark.parametrize(
    ("retry_after_ms", "waited_ms"),
    [(None, 1000), (0, 1000), (-5, 1000), (999, 1000), (7000, 7000), (10**12, 600_000)],
)
def test_what_the_upstream_asks_for_is_believed_within_bounds(retry_after_ms: int | None, waited_ms: int) -> None:
    admission, _ = admit(slowed(FRESH, NOW, retry_after_ms), NOW)

    assert admission == Wait(NOW + waited_ms, "it asked for fewer submissions")


def test_of_two_requests_to_wait_the_longer_counts() -> None:
    circuit = slowed(slowed(FRESH, NOW, 90_000), NOW + 5, 1000)

    assert admit(circuit, NOW + 5)[0] == Wait(NOW + 90_000, "it asked for fewer submissions")


def test_a_slowed_backend_is_asked_once_in_each_gap() -> None:
    circuit = slowed(slowed(FRESH, NOW, None), NOW, None)
    now_ms, went = NOW, []
    while now_ms < NOW + 10_000:
        admission, circuit = admit(circuit, now_ms)
        if isinstance(admission, Go):
            went.append(now_ms - NOW)
        now_ms += 100

    assert went == [2000, 4000, 6000, 8000]


def test_each_submission_that_is_taken_halves_the_gap_until_it_is_gone() -> None:
    circuit, gaps = slowed(slowed(FRESH, NOW, None), NOW, None), []
    for _ in range(4):
        circuit = accepted(circuit, NOW)
        gaps.append(circuit.gap_ms)

    assert gaps == [1000, 500, 250, 0]


def test_a_finished_job_says_nothing_about_speed() -> None:
    circuit = slowed(FRESH, NOW, None)

    assert finished(circuit, NOW).gap_ms == circuit.gap_ms


def test_a_probe_that_was_too_fast_is_given_back_and_the_next_one_waits() -> None:
    now_ms = NOW + FIRST_REST_MS
    circuit = slowed(probed(broken(FRESH)), now_ms, 5000)

    assert admit(circuit, now_ms)[0] == Wait(now_ms + 5000, "it asked for fewer submissions")
    assert admit(circuit, now_ms + 5000)[0] == Go(probe=True)


def test_refused_prompts_change_nothing_of_a_closed_circuit() -> None:
    circuit = broken(FRESH, times=4)

    assert undecided(circuit, NOW) == circuit


@pytest.mark.parametrize("back_ms", [LONGEST_REST_MS, 3_600_000, 20 * 86_400_000])
def test_a_clock_that_went_back_locks_nobody_out(back_ms: int) -> None:
    """Each time in the row lies further ahead than any that is ever set."""
    for circuit in (
        unusable(FRESH, NOW, GONE),
        slowed(FRESH, NOW, 10**9),
        replace(probed(broken(FRESH)), gap_ms=1000, next_submit_at_ms=NOW + FIRST_REST_MS),
    ):
        admission, _ = admit(circuit, NOW - 600_000 - back_ms)

        assert isinstance(admission, Go)


def test_a_call_that_read_the_clock_before_the_circuit_opened_still_waits() -> None:
    """Two calls at once: the one that looked at the clock first need not be the first in the transaction."""
    circuit = unusable(FRESH, NOW, GONE)

    assert admit(circuit, NOW - 5)[0] == Wait(NOW + LONGEST_REST_MS, GONE)


def test_the_operator_is_told_in_words() -> None:
    resting = broken(FRESH)
    told = [
        describe(FRESH, NOW),
        describe(slowed(FRESH, NOW, None), NOW),
        describe(resting, NOW + 500),
        describe(resting, NOW + FIRST_REST_MS),
        describe(probed(resting), NOW + FIRST_REST_MS),
    ]

    assert told == [
        "ok",
        "slowed down",
        f"resting for 30 s: {GONE}",
        "being tried again",
        "being tried again",
    ]


def test_many_refused_together_slow_a_backend_down_once() -> None:
    admitted = [admit(FRESH, NOW)[0] for _ in range(10)]
    circuit = FRESH
    for admission in admitted:
        assert isinstance(admission, Go)
        circuit = slowed(circuit, NOW, None, admitted=admission)

    assert circuit.gap_ms == slowed(FRESH, NOW, None).gap_ms


def test_one_that_is_refused_at_the_slower_pace_slows_it_down_further() -> None:
    circuit = slowed(FRESH, NOW, None)
    admission, circuit = admit(circuit, NOW + circuit.gap_ms)

    assert isinstance(admission, Go)
    assert slowed(circuit, NOW, None, admitted=admission).gap_ms == 2 * circuit.gap_ms


def test_a_late_429_does_not_give_back_anothers_probe() -> None:
    early, _ = admit(FRESH, NOW)
    _, probed_circuit = admit(broken(FRESH), NOW + FIRST_REST_MS)

    assert isinstance(early, Go)
    assert slowed(probed_circuit, NOW + FIRST_REST_MS, None, admitted=early).probe_until_ms is not None
