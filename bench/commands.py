"""How the processes of a benchmark are started."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def python(*module: str) -> list[str]:
    """Return the command that runs a module; `-P` keeps what lies in the working folder out of its imports."""
    return [sys.executable, "-P", "-m", *module]


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with none of Understudy's settings but these, and with `bench` importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    return kept | {"PYTHONPATH": str(ROOT)} | {f"UNDERSTUDY_{name}": value for name, value in settings.items()}


def working_folder() -> str:
    """Return where children run: not in the checkout, whose `understudy.toml` is the operator's and not ours."""
    return tempfile.gettempdir()
