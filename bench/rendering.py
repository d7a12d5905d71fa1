"""What a film costs: seconds, processor time and memory, for each size and for scenes from calm to hard."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from bench.commands import environment, python, working_folder
from bench.stage import CALM_SEA, RAIN_CITY, Stage

UNKNOWN_WORDS: Final = "Wondering whether anything ever quite begins."
PICTURE: Final = "picture"
MB: Final = 1_000_000
SEED: Final = 7

# As the server's own child processes have it; without it, thread pools cost memory that no film needs.
CHILD_ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
SCENES: Final = {
    "calm sea": CALM_SEA,
    "rain city": RAIN_CITY,
    "abstract": UNKNOWN_WORDS,
    PICTURE: "The camera moves slowly closer.",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A film to be drawn: the name of its scene, its size in pixels and its length in seconds."""

    scene: str
    width: int
    height: int
    seconds: int


CASES: Final = (
    Case("calm sea", 1280, 720, 8),
    Case("rain city", 1280, 720, 8),
    Case("abstract", 1280, 720, 8),
    Case(PICTURE, 1280, 720, 8),
    Case("calm sea", 720, 1280, 8),
    Case("calm sea", 1792, 1024, 12),
    Case("rain city", 1792, 1024, 12),
    Case("abstract", 1792, 1024, 12),
    Case("calm sea", 1024, 1792, 12),
    Case(PICTURE, 1920, 1080, 12),
)
QUICK_CASES: Final = (Case("calm sea", 1280, 720, 8), Case(PICTURE, 1280, 720, 4))


def measure(stage: Stage) -> dict[str, Any]:
    """Draw each case in turn, round after round; return plain values for the results file."""
    rounds, cases = (1, QUICK_CASES) if stage.quick else (2, CASES)
    picture = _picture(stage.scratch)
    runs: dict[Case, list[dict[str, float]]] = {case: [] for case in cases}
    for number in range(1, rounds + 1):
        for case in cases:
            stage.say(f"render: round {number} of {rounds}, {case.scene} {case.width}x{case.height} {case.seconds} s")
            runs[case].append(_draw(case, stage.scratch, picture))
    return {"rounds": rounds, "films": [_row(case, found) for case, found in runs.items()]}


def _row(case: Case, runs: list[dict[str, float]]) -> dict[str, Any]:
    def median(name: str) -> float:
        return round(statistics.median(run[name] for run in runs), 2)

    return {
        "scene": case.scene,
        "width": case.width,
        "height": case.height,
        "seconds": case.seconds,
        "wall_seconds": median("wall_seconds"),
        "cpu_seconds": median("cpu_seconds"),
        "peak_mb": max(round(run["peak_bytes"] / MB, 1) for run in runs),
        "size_mb": round(runs[0]["size_bytes"] / MB, 2),
        "wall_per_film_second": round(median("wall_seconds") / case.seconds, 3),
    }


def _draw(case: Case, folder: Path, picture: Path) -> dict[str, float]:
    """Draw one film in a fresh process, from its start to its end."""
    film = folder / "film.mp4"
    order = {
        "prompt": SCENES[case.scene],
        "width": case.width,
        "height": case.height,
        "seconds": case.seconds,
        "seed": SEED,
        "picture": str(picture) if case.scene == PICTURE else None,
        "destination": str(film),
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        python("bench.film"),
        env=environment() | CHILD_ENVIRONMENT,
        cwd=working_folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(json.dumps(order))
        process.stdin.close()
        answer = process.stdout.read()
    _, wait_status, usage = os.wait4(process.pid, 0)
    wall_seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(wait_status)
    film.unlink(missing_ok=True)
    if process.returncode != 0:
        raise RuntimeError(f"a film could not be drawn ({case.scene}, {case.width}x{case.height})")
    return {"wall_seconds": wall_seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, **json.loads(answer)}


def _picture(folder: Path) -> Path:
    """Make a picture with the detail of a photograph: soft hills under a graded sky, with a fine grain."""
    height, width = 1200, 1800
    chance = np.random.default_rng(SEED)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    rows = y / height
    image = np.stack([0.9 - 0.5 * rows, 0.6 - 0.1 * rows, 0.3 + 0.4 * rows], axis=-1)
    for depth in range(4):
        ridge = (
            height * (0.45 + 0.13 * depth) + 40 * np.sin(x / (90 + 70 * depth) + depth) + 15 * np.sin(x / 23 + depth)
        )
        image[y > ridge] *= 0.72
    image += chance.normal(0, 0.015, image.shape)
    file = folder / "picture.jpg"
    assert cv2.imwrite(str(file), np.asarray(np.clip(image, 0, 1) * 255, np.uint8))
    return file
