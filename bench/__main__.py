"""`python -m bench [PART] [--quick]`: measure, draw, write down, and show the bars."""

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench import memory, polling, rendering, responsiveness, results_memory, soak, throughput
from bench.load import LoadFailed
from bench.processes import ServerFailed
from bench.report import RESULTS, read_results, write_results
from bench.stage import Stage
from bench.summary import show

PARTS: Final[dict[str, Callable[[Stage], dict[str, Any]]]] = {
    "http": throughput.measure,
    "memory": memory.measure,
    "render": rendering.measure,
    "latency": responsiveness.measure,
    "results_memory": results_memory.measure,
    "polling": polling.measure,
    "soak": soak.measure,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Understudy against its bars.")
    parser.add_argument("part", nargs="?", choices=PARTS, help="only this part (the others keep their last results)")
    parser.add_argument("--quick", action="store_true", help="about a minute; the committed results stay as they are")
    parser.add_argument("--scratch", type=Path, default=RESULTS / "tmp", help="folder for databases and films")
    parser.add_argument("--results", type=Path, help="folder for the results")
    arguments = parser.parse_args()
    if arguments.results is None:
        arguments.results = arguments.scratch / "quick" if arguments.quick else RESULTS
    return arguments


def main() -> int:
    """Run the benchmarks. A missed bar is shown, and is no failure: the machine may have been busy."""
    arguments = _arguments()
    console = Console(highlight=False)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s[/dim]  {text}")

    # On the disk of the checkout and not among the system's temporary files: those may live in memory, where a
    # durable write costs nothing.
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="run-", dir=arguments.scratch)).absolute()
    stage = Stage(scratch, quick=arguments.quick, say=say)
    results = read_results(arguments.results)
    measured = (arguments.part,) if arguments.part else tuple(PARTS)
    try:
        for part in measured:
            results[part] = PARTS[part](stage)
    except (LoadFailed, ServerFailed) as error:
        console.print(f"[red]The benchmark stopped:[/red] {error}", markup=True, soft_wrap=True)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):  # it holds something else
            arguments.scratch.rmdir()
    write_results(arguments.results, results)
    show(console, {part: results[part] for part in measured}, arguments.results, seconds=time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
