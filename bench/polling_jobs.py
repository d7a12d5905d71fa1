"""The jobs of the polling benchmark: when each begins and ends, and how late its end was seen."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

INTERVAL_SECONDS: Final = 5
WARMUP_SECONDS: Final = 6.0
TAIL_SECONDS: Final = INTERVAL_SECONDS + 2.0
LIFE_SECONDS: Final = (10.0, 60.0)
WANTED_ENDS: Final = 200


@dataclass(frozen=True, slots=True)
class Job:
    """One job: when its task begins to wait for it, and when it is done. Unix milliseconds."""

    born_at_ms: int
    done_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When what happens in one measurement, in Unix milliseconds."""

    begin_ms: int
    from_ms: int
    to_ms: int
    until_ms: int

    @classmethod
    def of(cls, begin_ms: int, seconds: float) -> "Times":
        """Return the times of a measurement of `seconds`, with what goes before and after it."""
        from_ms = begin_ms + int(WARMUP_SECONDS * 1000)
        to_ms = from_ms + int(seconds * 1000)
        return cls(begin_ms=begin_ms, from_ms=from_ms, to_ms=to_ms, until_ms=to_ms + int(TAIL_SECONDS * 1000))


def mean_life_ms(open_jobs: int, seconds: float) -> int:
    """Return how long a job takes: a minute where that gives ends enough to count, else less, 10 s at least."""
    shortest, longest = LIFE_SECONDS
    return int(1000 * max(shortest, min(longest, open_jobs * seconds / WANTED_ENDS)))


def jobs_of(open_jobs: int, mean_life: int, times: Times, dice: random.Random) -> Iterator[Job]:
    """Yield the jobs of a run: `open_jobs` at any time, ending at random moments, each replaced by a new one.

    No two take equally long: a life that is a multiple of the interval would be seen to end at once, or always late.
    """
    for _ in range(open_jobs):
        life = dice.randint(mean_life // 2, mean_life * 3 // 2)
        born = times.begin_ms - dice.randrange(life)
        while born < times.until_ms:
            yield Job(born, born + life)
            born += life
            life = dice.randint(mean_life // 2, mean_life * 3 // 2)


def first_poll_ms(job: Job, times: Times, dice: random.Random) -> int:
    """Return when the job is asked about first: those that are open at the beginning are in the middle of their polls.

    Jobs are not submitted in step, so neither are their polls.
    """
    if job.born_at_ms < times.begin_ms:
        return times.begin_ms + dice.randrange(INTERVAL_SECONDS * 1000)
    return job.born_at_ms + INTERVAL_SECONDS * 1000


def lags_ms(done_at_ms: Mapping[str, int], moved_at_ms: Mapping[str, int], times: Times) -> tuple[list[int], int]:
    """Return how late each end within the measurement was seen, rising, and how many of them were not seen at all.

    One that was not seen counts as late as the run is long after it.
    """
    lags, missed = [], 0
    for task_id, done_ms in done_at_ms.items():
        if times.from_ms <= done_ms < times.to_ms:
            missed += task_id not in moved_at_ms
            lags.append(moved_at_ms.get(task_id, times.until_ms) - done_ms)
    return sorted(lags), missed
