"""The last screen: each bar, what was measured, and whether it is met."""

import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.bars import bars


def show(console: Console, results: dict[str, Any], folder: Path, *, seconds: float) -> None:
    """Print the bars of what was measured in this run."""
    found = bars(results)
    table = Table(box=None, title="Bars", title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("")
    table.add_column("Measured", justify="right")
    table.add_column("Bar", justify="right")
    table.add_column("", justify="center")
    for bar in found:
        table.add_row(bar.name, bar.measured, bar.limit, "[green]✓[/green]" if bar.met else "[red]✗[/red]")
    console.print()
    console.print(table)
    missed = sum(not bar.met for bar in found)
    console.print()
    if missed:
        console.print(
            f"[yellow]{missed} of {len(found)} bars missed.[/yellow] On a machine that does something else meanwhile "
            "that says little: run it alone, and look at the ratios."
        )
    else:
        console.print(f"All {len(found)} bars met.")
    console.print(f"[dim]{seconds:.0f} s. Results in {os.path.relpath(folder)}.[/dim]")
