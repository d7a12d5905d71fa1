"""One film in a fresh process: `python -m bench.film` reads a `FilmSpec` from stdin and draws it.

Prints `{"peak_bytes": …, "size_bytes": …}` at the end. The time is taken by the process that started it, so that the
interpreter and the imports are in it, as they are in the server's child processes.
"""

import json
import re
import resource
import sys
from pathlib import Path

from understudy.animatic.film import render
from understudy.animatic.storyboard import FilmSpec


def _peak_bytes() -> int:
    """Return the most memory this process has ever had resident."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) * 1024
    # Elsewhere than on Linux; there it is in bytes on macOS and in KiB on the BSDs.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Draw the film that stdin describes."""
    order = json.load(sys.stdin)
    destination, picture = Path(order.pop("destination")), order.pop("picture")
    spec = FilmSpec(**order, picture=None if picture is None else Path(picture))
    report = render(spec, destination, lambda _: None)
    print(json.dumps({"peak_bytes": _peak_bytes(), "size_bytes": report.size_bytes, "frames": report.frames}))


if __name__ == "__main__":
    main()
