"""What stays: `results.json`, the pictures, and a page that says what they show and how it was measured."""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.bars import bars, share
from bench.plots import draw
from bench.processors import count
from bench.throughput import CONNECTIONS

RESULTS: Final = Path(__file__).parent / "results"

_FILE: Final = "results.json"
_INTRODUCTION: Final = (
    "Written by `make bench`. {cores} processor cores, Python {python}; server and load share the machine, so compare "
    "ratios within this page rather than single figures with those of another machine."
)
_TARGETS: Final = {
    "bare": "bare ASGI “hello”",
    "status": "status read",
    "submit": "durable submit",
    "submit_while_drawing": "durable submit, films being drawn",
    "canned": "the generator's ceiling (no HTTP parsed)",
}


def read_results(folder: Path) -> dict[str, Any]:
    """Return the results of earlier runs, so that measuring one part keeps the others."""
    try:
        return dict(json.loads((folder / _FILE).read_bytes()))
    except FileNotFoundError:
        return {}


def write_results(folder: Path, results: dict[str, Any]) -> None:
    """Write the numbers, the pictures and the page. Nothing in them tells which machine it was."""
    folder.mkdir(parents=True, exist_ok=True)
    results["machine"] = {"cores": count(), "python": platform.python_version()}
    (folder / _FILE).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    pictures = draw(folder, results)
    (folder / "README.md").write_text(page(results, pictures), encoding="utf-8")


def page(results: dict[str, Any], pictures: dict[str, str]) -> str:
    """Return the page in Markdown; `pictures` are the file names by part."""
    machine = results["machine"]
    parts = [
        "# Benchmark results",
        _INTRODUCTION.format(**machine),
        _table(
            ("", "measured", "bar", ""),
            [(bar.name, bar.measured, bar.limit, "✓" if bar.met else "✗") for bar in bars(results)],
        ),
    ]
    writers = {"http": _http, "latency": _latency, "memory": _memory, "render": _render, "polling": _polling}
    writers |= {"results_memory": _results_memory, "soak": _soak}
    for part, write in writers.items():
        if part in results:
            title, table, how = write(results[part])
            picture = [f"![{title}]({pictures[part]})"] if part in pictures else []
            parts += [f"## {title}", *picture, table, how]
    return "\n\n".join(parts) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def _rounds(part: dict[str, Any]) -> str:
    return f"{part['rounds']} round{'s' if part['rounds'] > 1 else ''}"


def _http(http: dict[str, Any]) -> tuple[str, str, str]:
    rows = []
    for name, label in _TARGETS.items():
        for connections in CONNECTIONS:
            cell = http["cells"].get(name, {}).get(str(connections))
            if cell is None:
                continue
            rows.append(
                (
                    label,
                    str(connections),
                    f"{cell['per_second']:,.0f}",
                    f"{share(http, name, connections):.2f}",
                    f"{cell['p50_ms']:.2f}",
                    f"{cell['p99_ms']:.2f}",
                    f"{cell['server_cpu_us']:.0f}",
                    f"{cell['generator_busy']:.0%}",
                )
            )
    head = ("", "connections", "a second", "of bare", "p50 ms", "p99 ms", "server CPU µs each", "generator busy")
    how = (
        f"Medians of {_rounds(http)} of {http['seconds']:g} s, the servers in turn within each round, shares taken "
        "round by round. The load generator (closed loop, keep-alive, every status code checked) has a processor of "
        "its own; what it could do at most is the last rows, and how busy it was the last column. Reads go to "
        "`understudy serve` on SQLite. Submits go to the same application with its workers off, so that a submit is "
        "priced and not the drawing, except in the row that says so: there the whole server draws what it accepts and "
        "everything shares all processors. Each submit is on disk before it is answered: the disk itself takes "
        f"{http['sync_ms']:.2f} ms to keep 4 KiB."
    )
    return "HTTP throughput", _table(head, rows), how


def _latency(latency: dict[str, Any]) -> tuple[str, str, str]:
    labels = {"idle": "no film", "drawing": "two films being drawn"}
    rows = [
        (label, f"{found['p50_ms']:.2f}", f"{found['p99_ms']:.2f}", f"{found['max_ms']:.1f}")
        for label, found in ((text, latency[name]) for name, text in labels.items())
    ]
    how = (
        f"{latency['polls_per_second']} status reads a second over {latency['connections']} connections on a fixed "
        f"timetable, timed from the moment each was due; medians of {_rounds(latency)} of "
        f"{latency['seconds']:g} s, quiet and drawing in turn, nothing bound to a processor."
    )
    return "Status reads while films are drawn", _table(("", "p50 ms", "p99 ms", "slowest ms"), rows), how


def _memory(memory: dict[str, Any]) -> tuple[str, str, str]:
    rows = [
        ("at rest", f"{memory['rest_mb']:.0f}"),
        ("64 connections of status reads", f"{memory['load_mb']:.0f}"),
        ("16 readers of one film", f"{memory['streaming_mb']:.0f}"),
        ("at rest again", f"{memory['afterwards_mb']:.0f}"),
    ]
    how = (
        "Resident memory of the process of `understudy serve` (films are drawn in child processes, and none runs "
        f"here), sampled 20 times a second; the readers fetch a {memory['film_mb']:.1f} MB film in ranges of 1 MB "
        f"at {memory['streaming_mb_per_second']:.0f} MB/s together."
    )
    return "Memory of the server", _table(("", "most MB"), rows), how


def _results_memory(found: dict[str, Any]) -> tuple[str, str, str]:
    labels = {"UpstreamApi": "from a backend's own address", "OutboundClient": "from an address that an upstream names"}
    rows = [
        (labels[way], f"{cell['before_mb']:.0f}", f"{cell['more_mb']:.1f}", f"{cell['mb_per_second']:,.0f}")
        for way, cell in found["ways"].items()
    ]
    how = (
        f"{found['at_once']} results of {found['size_mb']:.0f} MB downloaded at once, each way in a fresh process; the "
        "kernel itself keeps the peak, and it is reset after a first small download, which loads what is loaded once."
    )
    return "Memory while results stream", _table(("", "before, MB", "more at the peak, MB", "MB/s"), rows), how


def _soak(soak: dict[str, Any]) -> tuple[str, str, str]:
    attempts = soak["attempts"]
    rows = [
        ("tasks, each with a prompt of its own", str(soak["tasks"])),
        ("`kill -9` of the server", str(soak["kills"])),
        ("jobs that the upstream counted", str(soak["creations"])),
        ("attempts that say a job was made", str(attempts.get("succeeded", 0) + attempts.get("failed", 0))),
        ("attempts proved to have made none", str(attempts.get("not_created", 0))),
        ("attempts that nobody can know, never sent again", str(attempts.get("unknown", 0))),
        ("most jobs for one task", str(soak["most_for_one_task"])),
        ("tasks on which our rows and the upstream's count differ", str(len(soak["wrong"]))),
    ]
    how = (
        "One paid backend over real HTTP; one submission in five meets a fault (429, 5xx, HTML, garbage, resets before "
        "and after the request was read, silence, a refusal), one poll in ten, and one job in three a mishap. The "
        f"server is killed every 1 to 4 s until nine tasks in ten have ended; {soak['seconds']:.0f} s in all."
    )
    return "Paid once, whatever dies", _table(("", "count"), rows), how


def _render(render: dict[str, Any]) -> tuple[str, str, str]:
    rows = [
        (
            f"{film['scene']}, {film['width']}x{film['height']}, {film['seconds']} s",
            f"{film['wall_seconds']:.1f}",
            f"{film['wall_per_film_second']:.2f}",
            f"{film['cpu_seconds']:.1f}",
            f"{film['peak_mb']:.0f}",
            f"{film['size_mb']:.1f}",
        )
        for film in render["films"]
    ]
    how = (
        f"Medians of {_rounds(render)}; each film in a fresh process, timed from its start to its end "
        "(interpreter and imports included), one film at a time on the whole machine; memory is the process's own peak."
    )
    head = ("", "wall s", "wall / length", "CPU s", "peak MB", "file MB")
    return "Drawing films", _table(head, rows), how


def _polling(polling: dict[str, Any]) -> tuple[str, str, str]:
    rows = [
        (
            f"{int(count):,}",
            f"{cell['polls_per_second']:,.0f}",
            f"{cell['ended']:,}",
            f"{cell['p50_s']:.2f}",
            f"{cell['p99_s']:.2f}",
            f"{cell['max_s']:.2f}",
            f"{cell['cpu_share']:.3f}",
            f"{cell['cpu_us_per_poll']:,.0f}",
            f"{cell['memory_mb']:.0f}",
        )
        for count, cell in polling["cells"].items()
    ]
    head = ("open jobs", "polls a second", "ended", "p50 s", "p99 s", "slowest s", "cores", "CPU µs a poll", "MB")
    how = (
        f"One backend of kind `openai_videos` at an interval of {polling['interval_seconds']} s; its upstream is a "
        f"process of its own that answers over HTTP after {polling['answer_ms']} ms. Jobs end at random moments of "
        f"{polling['seconds']:g} s and are replaced by new ones. Timed from the moment a job was done upstream to the "
        "commit that moves its task on: on average half an interval, and a whole one at worst, are the polling's own. "
        "Processor time is that of the polling process, all threads, everything but fetching films, over the time on "
        "the clock."
    )
    return "Open jobs that are polled", _table(head, rows), how
