"""Latencies of one run: every single one is kept, so that a percentile is a measured value and not an estimate."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

CURVE_FRACTIONS: Final = (*(number / 50 for number in range(50)), 0.99, 0.995, 0.999, 1.0)
"""Where the curve that is drawn later is sampled."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a run's latencies, in milliseconds. `curve` holds (fraction, milliseconds), rising."""

    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    curve: tuple[tuple[float, float], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        curve = tuple((float(fraction), float(value)) for fraction, value in data["curve"])
        return cls(**{**data, "curve": curve})


class Latencies:
    """Collects latencies in nanoseconds; eight bytes each."""

    def __init__(self, nanoseconds: Iterable[int] = ()) -> None:
        self._values = array("q", nanoseconds)
        self.add = self._values.append
        """Take one latency, in nanoseconds. The array's own method: a call less for every request."""

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """Forget everything, as at the end of the warm-up."""
        del self._values[:]

    def summary(self) -> Summary:
        """Return the percentiles; raises `ValueError` when nothing was collected."""
        ordered = sorted(self._values)

        def at(fraction: float) -> float:
            return round(percentile(ordered, fraction) / 1e6, 4)

        curve = tuple((fraction, at(fraction)) for fraction in CURVE_FRACTIONS)
        return Summary(len(ordered), at(0.5), at(0.9), at(0.99), at(1.0), curve)


def percentile(ordered: list[int], fraction: float) -> int:
    """Return the nearest-rank percentile: the smallest value that at least `fraction` of all do not exceed.

    `ordered` rises; `fraction` is 0 to 1. Raises `ValueError` for an empty list or another fraction.
    """
    if not ordered:
        raise ValueError("there is no percentile of nothing")
    if not 0 <= fraction <= 1:
        raise ValueError("fraction must be 0 to 1")
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]
