"""The pictures: one for each part, readable at the width of a page, with the numbers written where they belong."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.bars import POLL_CPU_SHARE, POLL_LAG_SECONDS, POLLED_JOBS, share

INK: Final = "#1f2933"
QUIET: Final = "#8a949e"
RULE: Final = "#d9dee3"
OURS: Final = "#1f6f8b"
OTHER: Final = "#b8c4cc"
WARM: Final = "#d1703c"

_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "xtick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.1,
    "savefig.dpi": 160,
}


def draw(folder: Path, results: dict[str, Any]) -> dict[str, str]:
    """Draw a picture for each part that is there; return their file names by part."""
    painters = {"http": _http, "latency": _latency, "memory": _memory, "render": _render, "polling": _polling}
    drawn = {}
    with mpl.rc_context(_STYLE):
        for part, paint in painters.items():
            if part in results:
                figure = paint(results[part])
                drawn[part] = f"{part}.png"
                # Without the version of the library in it, the same numbers give the same file.
                figure.savefig(folder / drawn[part], metadata={"Software": None})
    return drawn


def _bars(axes: Axes, labels: list[str], values: list[float], texts: list[str], colors: list[str]) -> None:
    """Draw horizontal bars from the top down, each with its text at its end, and no scale."""
    places = range(len(values))
    axes.barh(places, values, color=colors, height=0.62)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(0, max(values) * 1.28)
    for place, value, text in zip(places, values, texts, strict=True):
        axes.annotate(
            text, (value, place), xytext=(6, 0), textcoords="offset points", va="center",
            # Over the line of a limit.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _limit(axes: Axes, value: float, text: str) -> None:
    """Mark a bar's limit with a thin line and its text below."""
    axes.axvline(value, color=WARM, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        text, (value, 0), xycoords=("data", "axes fraction"), xytext=(0, -3), textcoords="offset points",
        color=WARM, fontsize=9, ha="center", va="top",
    )  # fmt: skip


def _http(http: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    reads, submits = figure.subplots(1, 2)
    cells = http["cells"]
    rows = [(name, count) for count in ("1", "16", "64") for name in ("bare", "status")]
    values = [cells[name][count]["per_second"] for name, count in rows]
    texts = [f"{value:,.0f}" for value in values]
    for place, (name, count) in enumerate(rows):
        if name == "status":
            texts[place] += f"   ({share(http, name, int(count)):.2f})"
    words = {"bare": "bare ASGI", "status": "status"}
    labels = [f"{words[name]}, {_connections(count)}" for name, count in rows]
    _bars(reads, labels, values, texts, [OURS if name == "status" else OTHER for name, _ in rows])
    reads.set_title("Status reads a second (share of bare)")
    rows = [("submit", count) for count in ("1", "16", "64")]
    labels = [_connections(count) for _, count in rows]
    if "submit_while_drawing" in cells:
        rows.append(("submit_while_drawing", "16"))
        labels.append("16, films being drawn")
    values = [cells[name][count]["per_second"] for name, count in rows]
    texts = [
        f"{cells[name][count]['per_second']:,.0f}   p99 {cells[name][count]['p99_ms']:.0f} ms" for name, count in rows
    ]
    _bars(submits, labels, values, texts, [OURS] * len(rows))
    submits.set_xlim(0, max(*values, 1500) * 1.65)
    submits.set_title("Durable submits a second")
    _limit(submits, 1500, "bar at 16: 1,500")
    return figure


def _connections(count: str) -> str:
    return f"{count} connection{'s' if count != '1' else ''}"


def _latency(latency: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.6, 3.4))
    axes = figure.add_axes((0.07, 0.1, 0.75, 0.76))
    kinds = (("idle", "no film", OTHER), ("drawing", "two films being drawn", OURS))
    for name, label, color in kinds:
        curve = [(fraction, value) for fraction, value in latency[name]["curve_ms"] if fraction < 1]
        nines = [1 / (1 - fraction) for fraction, _ in curve]
        axes.plot(nines, [value for _, value in curve], color=color, linewidth=2.2)
        axes.annotate(
            label, (nines[-1], curve[-1][1]), xytext=(8, 0), textcoords="offset points", va="center", color=INK
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, 1000)
    axes.set_xticks([2, 10, 100, 1000], ["p50", "p90", "p99", "p99.9"])
    axes.minorticks_off()
    axes.axhline(50, color=WARM, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate("bar at p99: 50 ms", (1, 50), xytext=(4, 4), textcoords="offset points", color=WARM, fontsize=9)
    axes.set_yticks([0.1, 1, 10, 100], ["0.1 ms", "1 ms", "10 ms", "100 ms"])
    axes.set_ylim(0.08, 150)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0)
    axes.set_title("Status answers, by percentile")
    return figure


def _memory(memory: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.6, 2.5), layout="constrained")
    axes = figure.subplots()
    labels = ["at rest", "64 connections", "16 readers of one film", "at rest again"]
    values = [memory[f"{name}_mb"] for name in ("rest", "load", "streaming", "afterwards")]
    _bars(axes, labels, values, [f"{value:.0f} MB" for value in values], [OURS] * 4)
    axes.set_xlim(0, max(*values, 120) * 1.15)
    _limit(axes, 120, "bar at rest: 120 MB")
    axes.set_title("Resident memory of the server process")
    return figure


def _render(render: dict[str, Any]) -> Figure:
    films = render["films"]
    figure = Figure(figsize=(9.6, 1.5 + 0.34 * len(films)), layout="constrained")
    speed, memory = figure.subplots(1, 2, width_ratios=(3, 2))
    labels = [f"{film['scene']}, {film['width']}x{film['height']}, {film['seconds']} s" for film in films]
    ratios = [film["wall_per_film_second"] for film in films]
    _bars(
        speed, labels, ratios,
        [f"{film['wall_per_film_second']:.2f}   ({film['wall_seconds']:.1f} s)" for film in films],
        [OURS] * len(films),
    )  # fmt: skip
    speed.set_xlim(0, max(*ratios, 1.0) * 1.4)
    _limit(speed, 1.0, "as long as it plays")
    speed.set_title("Time to draw, in lengths of the film")
    peaks = [film["peak_mb"] for film in films]
    _bars(memory, [""] * len(films), peaks, [f"{peak:.0f} MB" for peak in peaks], [OTHER] * len(films))
    memory.set_title("Peak memory of its process")
    return figure


def _polling(polling: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    lag, cpu = figure.subplots(1, 2)
    cells = {int(count): cell for count, cell in polling["cells"].items()}
    for name, color, width in (("p50", OTHER, 1.8), ("p99", OURS, 2.2)):
        values = [cell[f"{name}_s"] for cell in cells.values()]
        lag.plot(list(cells), values, color=color, linewidth=width, marker="o", markersize=4)
        _at_end(lag, max(cells), values[-1], f"{name} {values[-1]:.1f} s")
    limit = polling["interval_seconds"] + POLL_LAG_SECONDS
    _counted(lag, list(cells), limit, f"bar at {POLLED_JOBS:,} jobs: {limit:.0f} s")
    lag.set_yticks([0, 2, 4, 6], ["0", "2 s", "4 s", "6 s"])
    lag.set_ylim(0, 1.12 * max(limit, *(cell["p99_s"] for cell in cells.values())))
    lag.set_title("From the end of a job to its task moved on")
    shares = [cell["cpu_share"] for cell in cells.values()]
    cpu.plot(list(cells), shares, color=OURS, linewidth=2.2, marker="o", markersize=4)
    _at_end(cpu, max(cells), shares[-1], f"{shares[-1]:.2f}")
    _counted(cpu, list(cells), POLL_CPU_SHARE, f"bar at {POLLED_JOBS:,} jobs: {POLL_CPU_SHARE}")
    cpu.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    cpu.set_ylim(0, max(1.0, 1.05 * max(shares)))
    cpu.set_title("Processor of the polling process, in cores")
    return figure


def _at_end(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(8, 0), textcoords="offset points", va="center", color=INK)


def _counted(axes: Axes, counts: list[int], limit: float, text: str) -> None:
    """Make the axis below one of open jobs, and draw the limit across."""
    axes.set_xscale("log")
    axes.set_xlim(min(counts) / 1.4, max(counts) * 4)  # room for the words at the end of a curve
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("open jobs")
    axes.axhline(limit, color=WARM, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(text, (min(counts) / 1.4, limit), xytext=(4, 4), textcoords="offset points", color=WARM, fontsize=9)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
