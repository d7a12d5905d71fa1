"""The soak: hundreds of paid tasks, random kills of the server, random faults of the upstream, and an exact count."""

import asyncio
import random
from typing import Any, Final

from bench.stage import Stage
from tests.support.soak import Soak

TASKS: Final = 500
QUICK_TASKS: Final = 60
SECONDS_EACH: Final = 3.0
SAY_EVERY: Final = 50


def measure(stage: Stage) -> dict[str, Any]:
    """Run one soak with a new seed; return what was created upstream against what the server's rows say."""
    tasks, seed = QUICK_TASKS if stage.quick else TASKS, random.SystemRandom().randrange(10**6)
    stage.say(f"soak: {tasks} paid tasks, kill -9 every 1 to 4 s, one submission in five meets a fault, seed {seed}")
    told = 0

    def on_progress(done: int, kills: int) -> None:
        nonlocal told
        if done >= told + SAY_EVERY:
            told = done
            stage.say(f"soak: {done} of {tasks} tasks ended, {kills} kills")

    soak = Soak(stage.scratch / "soak" / "data", tasks=tasks, seed=seed, on_progress=on_progress)
    soak.data.parent.mkdir()
    report = asyncio.run(soak.run(within_seconds=tasks * SECONDS_EACH + 120))
    # Not `asdict`: it makes a counter of a counter's pairs.
    return {**vars(report), "states": dict(report.states), "attempts": dict(report.attempts), "seed": seed}
