"""The circuit on every walk: any order of calls, outcomes, lost processes and times."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from understudy.domain.circuit import (
    CLOCK_SLACK_MS,
    FIRST_GAP_MS,
    FIRST_REST_MS,
    LARGEST_GAP_MS,
    LONGEST_REST_MS,
    LONGEST_RETRY_AFTER_MS,
    PROBE_LEASE_MS,
    WINDOW,
    Circuit,
    Go,
    accepted,
    admit,
    describe,
    fault,
    finished,
    slowed,
    undecided,
    unusable,
)

_WAITS = st.sampled_from([1, 1000, FIRST_REST_MS, PROBE_LEASE_MS, LONGEST_REST_MS]) | st.integers(0, 700_000)


class CircuitMachine(RuleBasedStateMachine):
    """A backend with calls and jobs under way, whose clock runs on."""

    calls = Bundle("calls")
    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 1_790_000_000_000
        self.circuit = Circuit(name="fal")
        self.rest_ends_at_ms = 0
        self.probe_until_ms = 0
        self.slow_until_ms = 0
        self.harmed = False

    def _became(self, circuit: Circuit) -> None:
        """Note the rest that begins with this change, and check its bounds."""
        until_ms = circuit.open_until_ms
        if until_ms is not None and until_ms != self.circuit.open_until_ms:
            assert self.harmed
            assert FIRST_REST_MS <= until_ms - self.now_ms <= LONGEST_REST_MS
            assert until_ms > self.rest_ends_at_ms
            self.rest_ends_at_ms = until_ms
        if until_ms is None or until_ms > self.now_ms or circuit.probe_until_ms is None:
            self.probe_until_ms = 0
        self.circuit = circuit

    @rule(passed_ms=_WAITS)
    def time_passes(self, passed_ms: int) -> None:
        self.now_ms += passed_ms

    @rule(target=calls, callers=st.integers(1, 3))
    def ask(self, callers: int) -> MultipleResults[bool]:
        """Let as many calls begin as may, each a probe or not."""
        admitted = [self._ask_once() for _ in range(callers)]
        return multiple(*(admission.probe for admission in admitted if admission is not None))

    def _ask_once(self) -> Go | None:
        admission, self.circuit = admit(self.circuit, self.now_ms)
        if isinstance(admission, Go):
            assert self.now_ms >= self.rest_ends_at_ms
            assert self.now_ms >= self.slow_until_ms
            if admission.probe:
                assert self.now_ms >= self.probe_until_ms
                self.probe_until_ms = self.now_ms + PROBE_LEASE_MS
            return admission
        assert self.now_ms < admission.until_ms <= self.now_ms + LONGEST_RETRY_AFTER_MS
        assert admission.until_ms in (self.rest_ends_at_ms, self.probe_until_ms, self.circuit.next_submit_at_ms)
        return None

    @rule(target=jobs, _call=consumes(calls))
    def take(self, _call: bool) -> None:
        gap_ms = self.circuit.gap_ms
        self._became(accepted(self.circuit, self.now_ms))
        assert self.circuit.gap_ms <= gap_ms // 2

    @rule(_call=consumes(calls), reason=st.text(max_size=5))
    def fail(self, _call: bool, reason: str) -> None:
        self.harmed = True
        was_closed = self.circuit.open_until_ms is None
        self._became(fault(self.circuit, self.now_ms, reason))
        assert was_closed or self.rest_ends_at_ms > self.now_ms

    @rule(faults=st.integers(1, 7))
    def fail_often(self, faults: int) -> None:
        """Calls that began together and met the same outage."""
        for _ in range(faults):
            self.fail(False, "the connection was refused")

    @rule(_call=consumes(calls))
    def refuse_the_key(self, _call: bool) -> None:
        self.harmed = True
        self._became(unusable(self.circuit, self.now_ms, "status 401"))
        assert self.circuit.open_until_ms == self.now_ms + LONGEST_REST_MS

    @rule(call=consumes(calls), retry_after_ms=st.none() | st.integers(-10, 10**9))
    def refuse_the_pace(self, call: bool, retry_after_ms: int | None) -> None:
        # Not for a straggler: a call from before the opening that hears this while a probe is out gives that back.
        if not call and self.circuit.open_until_ms is not None:
            return
        openings, outcomes = self.circuit.openings, self.circuit.outcomes
        self._became(slowed(self.circuit, self.now_ms, retry_after_ms))
        assert (self.circuit.openings, self.circuit.outcomes) == (openings, outcomes)
        asked_ms = min(retry_after_ms or 0, LONGEST_RETRY_AFTER_MS)
        self.slow_until_ms = max(self.slow_until_ms, self.now_ms + max(asked_ms, FIRST_GAP_MS))

    @rule(_call=consumes(calls))
    def refuse_the_prompt(self, _call: bool) -> None:
        before = self.circuit
        self._became(undecided(before, self.now_ms))
        assert self.circuit == before or (self.circuit.openings == 0 and self.now_ms >= self.rest_ends_at_ms)

    @rule(_call=consumes(calls))
    def lose_the_process(self, _call: bool) -> None:
        """Nobody ever tells how the call went."""

    @rule(_job=consumes(jobs))
    def finish_the_job(self, _job: None) -> None:
        self._became(finished(self.circuit, self.now_ms))

    @rule(_job=consumes(jobs))
    def lose_the_job(self, _job: None) -> None:
        self.fail(False, "the job failed")

    @rule(back_ms=st.integers(0, 40 * 86_400_000))
    def suppose_the_clock_went_back(self, back_ms: int) -> None:
        """Whatever the row holds, whoever waits as told and asks again gets through, in minutes and not in days."""
        started_ms = now_ms = self.now_ms - back_ms
        for _ in range(4):
            admission, _ = admit(self.circuit, now_ms)
            if isinstance(admission, Go):
                break
            now_ms = admission.until_ms
        else:
            raise AssertionError("nobody gets through")
        assert now_ms - started_ms <= 2 * LONGEST_RETRY_AFTER_MS + CLOCK_SLACK_MS

    @precondition(lambda self: self.circuit.open_until_ms is None)
    @rule()
    def closed_and_unhurried_admits(self) -> None:
        admission, _ = admit(self.circuit, self.now_ms)

        assert admission == Go(probe=False) or self.circuit.next_submit_at_ms > self.now_ms

    @invariant()
    def everything_is_within_its_bounds(self) -> None:
        assert len(self.circuit.outcomes) <= WINDOW
        assert 0 <= self.circuit.gap_ms <= LARGEST_GAP_MS
        assert (self.circuit.openings > 0) == (self.circuit.open_until_ms is not None)
        assert self.circuit.probe_until_ms is None or self.circuit.open_until_ms is not None

    @invariant()
    def it_can_be_told_in_words(self) -> None:
        told = describe(self.circuit, self.now_ms)

        assert told in {"ok", "slowed down", "being tried again"} or told.startswith("resting for ")


TestCircuitMachine = CircuitMachine.TestCase
TestCircuitMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
