"""The judges' own virtual environment: the official `openai` package and LiteLLM's proxy, as their lock file says.

It is made when it is missing, of another Python, place or lock; the tests never skip (docs/adr/0013-judges.md).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-judges.lock"
FOLDER = ROOT / "build" / "judges-venv"
INSTALL_SECONDS = 900.0


class JudgesUnavailableError(Exception):
    """The environment cannot be made; the text is one sentence that says why and how to mend it."""


def prepare_judges(say: Callable[[str], None], *, lock: Path = LOCK, folder: Path = FOLDER) -> Path:
    """Return the folder of an environment that holds what `lock` says, made first if need be.

    Safe to call from several processes: one makes it while the others wait. Raises `JudgesUnavailableError`.
    """
    wanted = f"{folder}\n{sys.base_prefix} {sys.version}\n{hashlib.sha256(lock.read_bytes()).hexdigest()}\n"
    stamp = folder / "complete"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".guard")):
        if not stamp.is_file() or stamp.read_text() != wanted:
            begun = time.monotonic()
            uv = shutil.which("uv")
            say(f"Making {folder} from {lock.name} with {'uv' if uv else 'pip'} (about 85 MB to fetch) ...")
            shutil.rmtree(folder, ignore_errors=True)
            for command in _with_uv(uv, lock, folder) if uv else _with_pip(lock, folder):
                _run(command, folder)
            # Written last: a folder without it was left in the middle.
            stamp.write_text(wanted)
            say(f"Made it in {time.monotonic() - begun:.0f} s.")
    return folder


def program(judges: Path, name: str) -> str:
    """Return a program of the environment in the folder `judges`."""
    return str(judges / "bin" / name)


@contextmanager
def _alone(guard: Path) -> Iterator[None]:
    with guard.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _with_uv(uv: str, lock: Path, folder: Path) -> list[list[str]]:
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", program(folder, "python"), *_what(lock)]
    return [[uv, "venv", "--quiet", "--python", sys.executable, str(folder)], [uv, *install]]


def _with_pip(lock: Path, folder: Path) -> list[list[str]]:
    pip = [sys.executable, "-m", "pip", "--python", program(folder, "python"), "--disable-pip-version-check"]
    return [
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [*pip, "install", "--quiet", *_what(lock)],
    ]


def _what(lock: Path) -> list[str]:
    # Without dependencies: the lock is whole, and two of LiteLLM's wishes are overridden in it.
    return ["--require-hashes", "--no-deps", "--requirement", str(lock)]


def _run(command: list[str], folder: Path) -> None:
    # Without its byte code LiteLLM takes half a minute to start, every time.
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        trouble = "" if done.returncode == 0 else _last_line(done.stderr or done.stdout)
    except subprocess.TimeoutExpired:
        trouble = f"it took longer than {INSTALL_SECONDS:.0f} s"
    if trouble:
        raise JudgesUnavailableError(
            f"{folder} cannot be made, which tests/judges needs: {trouble.rstrip('.')}; make the package index "
            "reachable and run the tests again."
        )


def _last_line(text: str) -> str:
    """Return the error among what pip or uv wrote: warnings come before it, hints after."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "cause"))]
    line = (errors or lines or ["it told no reason"])[-1]
    return line.removeprefix("ERROR: ").removeprefix("cause: ")
