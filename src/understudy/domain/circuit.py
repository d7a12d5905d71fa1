"""The circuit of one backend: when it is asked, when it rests, and how fast it is asked (`reliability.md` §4).

Pure: every function returns another `Circuit`. Times are Unix milliseconds and are handed in; a caller reads, decides
and writes in one transaction, so that all processes share one circuit.

    closed ──5 faults in a row, or half of the last 20 outcomes──► open ──its time──► half-open
       ▲                                                            ▲                  │    │
       └────────────────── the probe was taken ─────────────────────┼──────────────────┘    │
                                                                    └──── any fault ────────┘

What a caller did wrong (a refused prompt, a bad picture) is no fault. Neither is a 429: it only slows a backend down,
by doubling the gap between two submissions and halving it with each one that is taken.
"""

from dataclasses import dataclass, field, replace
from typing import Final

FAULTS_IN_A_ROW: Final = 5
WINDOW: Final = 20
"""So many outcomes must be known before their failures are compared with half of them."""

FIRST_REST_MS: Final = 30_000
LONGEST_REST_MS: Final = 300_000
PROBE_LEASE_MS: Final = 120_000
"""After this long a probe counts as lost with its process, and another one may go."""

FIRST_GAP_MS: Final = 1_000
SMALLEST_GAP_MS: Final = 250
LARGEST_GAP_MS: Final = 60_000
LONGEST_RETRY_AFTER_MS: Final = 600_000

CLOCK_SLACK_MS: Final = 10_000
"""How much later than ours the clock may have been read that set a time."""

_SUCCESS: Final = "+"
_FAULT: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """How one backend fares.

    `outcomes` are the last 20 at most, `+` or `-`, oldest first. `openings` counts those in a row, since it was last
    closed. `open_until_ms` is None while it is closed. `gap_ms` (0 to 60,000) lies between two submissions of a backend
    that is slowed down. `reason` says why it opened.
    """

    name: str
    consecutive_faults: int = 0
    outcomes: str = ""
    openings: int = 0
    open_until_ms: int | None = None
    probe_until_ms: int | None = None
    gap_ms: int = 0
    next_submit_at_ms: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """Submit now. The outcome of a `probe` decides whether the circuit closes: a function below must hear it.

    `gap_ms` is the pace under which it was admitted.
    """

    probe: bool
    gap_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again at `until_ms`, or go elsewhere. `reason` is for the operator."""

    until_ms: int
    reason: str


Admission = Go | Wait


def admit(circuit: Circuit, now_ms: int) -> tuple[Admission, Circuit]:
    """Decide about one submission. The circuit that comes with a `Go` must be kept before the call is made.

    A clock that went back locks nobody out for longer than the longest rest: a time further ahead than any that is
    set here counts as past.
    """
    open_until_ms = _ahead(circuit.open_until_ms, now_ms, LONGEST_REST_MS)
    if open_until_ms is not None:
        return Wait(open_until_ms, circuit.reason or "resting"), circuit
    probe = circuit.open_until_ms is not None
    if probe:
        probe_until_ms = _ahead(circuit.probe_until_ms, now_ms, PROBE_LEASE_MS)
        if probe_until_ms is not None:
            return Wait(probe_until_ms, "one submission is trying it again"), circuit
    next_submit_at_ms = _ahead(circuit.next_submit_at_ms, now_ms, LONGEST_RETRY_AFTER_MS)
    if next_submit_at_ms is not None:
        return Wait(next_submit_at_ms, "it asked for fewer submissions"), circuit
    return Go(probe, circuit.gap_ms), replace(
        circuit,
        probe_until_ms=now_ms + PROBE_LEASE_MS if probe else None,
        next_submit_at_ms=now_ms + circuit.gap_ms if circuit.gap_ms else 0,
    )


def accepted(circuit: Circuit, now_ms: int) -> Circuit:
    """The upstream took a submission: a half-open circuit closes, and a backend that was slowed down gets faster."""
    gap_ms = circuit.gap_ms // 2
    faster = replace(circuit, gap_ms=gap_ms if gap_ms >= SMALLEST_GAP_MS else 0)
    return _succeeded(faster, now_ms)


def finished(circuit: Circuit, now_ms: int) -> Circuit:
    """A job gave its film: a success too, and a half-open circuit closes."""
    return _succeeded(circuit, now_ms)


def fault(circuit: Circuit, now_ms: int, reason: str) -> Circuit:
    """A submission or a job failed, and not for what the caller asked: ambiguous, 5xx, unreachable.

    What was under way when the circuit opened says nothing new, and changes nothing while it rests.
    """
    if _resting(circuit, now_ms):
        return circuit
    outcomes = (circuit.outcomes + _FAULT)[-WINDOW:]
    faults = circuit.consecutive_faults + 1
    half_failed = len(outcomes) == WINDOW and outcomes.count(_FAULT) * 2 >= WINDOW
    if circuit.open_until_ms is not None or faults >= FAULTS_IN_A_ROW or half_failed:
        # Shifted by no more than what reaches the longest rest: a backend may be away for a year.
        rest_ms = min(FIRST_REST_MS << min(circuit.openings, 8), LONGEST_REST_MS)
        return _open(circuit, now_ms + rest_ms, reason)
    return replace(circuit, outcomes=outcomes, consecutive_faults=faults)


def unusable(circuit: Circuit, now_ms: int, reason: str) -> Circuit:
    """Nothing will pass until the operator acts (key, money, model): it opens at once, for the longest rest."""
    if _resting(circuit, now_ms):
        # One that rests already rests longer, but several calls refused together are one opening.
        return replace(circuit, open_until_ms=now_ms + LONGEST_REST_MS, reason=reason)
    return _open(circuit, now_ms + LONGEST_REST_MS, reason)


def slowed(circuit: Circuit, now_ms: int, retry_after_ms: int | None, *, admitted: Go | None = None) -> Circuit:
    """The upstream said "too fast" (429): no fault. A probe that heard it is given back; half-open stays half-open.

    `retry_after_ms` is believed up to ten minutes. `admitted` is what `admit` said to that submission: of several that
    were under way at one pace and are refused together, the first alone doubles the gap.
    """
    doubled = min(circuit.gap_ms * 2, LARGEST_GAP_MS) if circuit.gap_ms else FIRST_GAP_MS
    raised_already = admitted is not None and circuit.gap_ms > admitted.gap_ms
    gap_ms = circuit.gap_ms if raised_already else doubled
    own_probe = admitted is None or admitted.probe
    asked_ms = min(retry_after_ms or 0, LONGEST_RETRY_AFTER_MS)
    # Of several that are refused together the longest time counts.
    earlier_ms = _ahead(circuit.next_submit_at_ms, now_ms, LONGEST_RETRY_AFTER_MS) or 0
    next_submit_at_ms = max(now_ms + max(asked_ms, gap_ms), earlier_ms)
    return replace(
        circuit,
        gap_ms=gap_ms,
        next_submit_at_ms=next_submit_at_ms,
        probe_until_ms=None if own_probe else circuit.probe_until_ms,
    )


def undecided(circuit: Circuit, now_ms: int) -> Circuit:
    """A submission was refused for what the caller asked (content, bad input): no fault, and no success either.

    To read a prompt and refuse it is a sign of life, so a half-open circuit closes.
    """
    return _closed(circuit) if _half_open(circuit, now_ms) else circuit


def spotless(circuit: Circuit) -> bool:
    """Tell whether there is no fault to remember and no pace to keep: then a good sign changes nothing of weight."""
    return (
        circuit.open_until_ms is None
        and circuit.consecutive_faults == 0
        and circuit.gap_ms == 0
        and circuit.next_submit_at_ms == 0
        and _FAULT not in circuit.outcomes
    )


def describe(circuit: Circuit, now_ms: int) -> str:
    """Return how the backend fares, in a few words for the operator."""
    open_until_ms = _ahead(circuit.open_until_ms, now_ms, LONGEST_REST_MS)
    if open_until_ms is not None:
        return f"resting for {-(-(open_until_ms - now_ms) // 1000)} s: {circuit.reason}"
    if circuit.open_until_ms is not None:
        return "being tried again"
    if circuit.gap_ms or _ahead(circuit.next_submit_at_ms, now_ms, LONGEST_RETRY_AFTER_MS) is not None:
        return "slowed down"
    return "ok"


def _ahead(time_ms: int | None, now_ms: int, longest_ms: int) -> int | None:
    """Return `time_ms` if it lies ahead, but no further than one that was set as `longest_ms` from now."""
    if time_ms is None or not now_ms < time_ms <= now_ms + longest_ms + CLOCK_SLACK_MS:
        return None
    return time_ms


def _resting(circuit: Circuit, now_ms: int) -> bool:
    return _ahead(circuit.open_until_ms, now_ms, LONGEST_REST_MS) is not None


def _half_open(circuit: Circuit, now_ms: int) -> bool:
    return circuit.open_until_ms is not None and not _resting(circuit, now_ms)


def _succeeded(circuit: Circuit, now_ms: int) -> Circuit:
    current = _closed(circuit) if _half_open(circuit, now_ms) else circuit
    return replace(current, outcomes=(current.outcomes + _SUCCESS)[-WINDOW:], consecutive_faults=0)


def _closed(circuit: Circuit) -> Circuit:
    return replace(circuit, openings=0, open_until_ms=None, probe_until_ms=None, reason=None)


def _open(circuit: Circuit, until_ms: int, reason: str) -> Circuit:
    return replace(
        circuit,
        consecutive_faults=0,
        outcomes="",
        openings=circuit.openings + 1,
        open_until_ms=until_ms,
        probe_until_ms=None,
        reason=reason,
    )
