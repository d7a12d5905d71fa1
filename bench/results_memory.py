"""Eight large results downloaded at once: how much memory the receiving process needs for that.

Two ways, each in a process of its own: `UpstreamApi.download`, from the backend's own origin, and
`OutboundClient.download`, from an address that an upstream names. The sender is a third process, on raw sockets, and
sends as fast as it is read. The kernel itself keeps the peak of resident memory, so that no moment is missed; it is
reset after a first small download, which loads what is loaded once. Linux only, for no other system resets the peak.

`python -m bench.results_memory server` and `… download WAY PORT FOLDER COUNT BYTES` are the processes.
"""

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import socket
from typing import Any, Final

from bench.commands import environment, python, working_folder
from bench.processes import ServerFailed, running
from bench.stage import Stage
from understudy.backends.http import UpstreamApi
from understudy.backends.options import BackendOptions
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy

AT_ONCE: Final = 8
SIZE_BYTES: Final = 50_000_000
BAR_MB: Final = 20
WAYS: Final = ("UpstreamApi", "OutboundClient")
MB: Final = 1_000_000
SECONDS: Final = 300

Download = Callable[[str, Path], Awaitable[object]]

_WARM_UP_BYTES = 100_000
_BLOCK = bytes(256 * 1024)
_RESET_PEAK = "5"  # proc_pid_clear_refs(5)


def measure(stage: Stage) -> dict[str, Any]:
    """Download both ways; return how much memory each took more than before."""
    size_bytes = SIZE_BYTES // 5 if stage.quick else SIZE_BYTES
    stage.say(f"results: {AT_ONCE} downloads of {size_bytes / MB:.0f} MB at once")
    stage.say(f"{'':>16}{'before':>10}{'peak':>10}{'more':>10}{'bar':>8}{'speed':>12}")
    ways = {}
    with running("bench.results_memory", "server") as server:
        for way in WAYS:
            found = ways[way] = _in_process(stage, way, server.port, size_bytes)
            row = f"{found['before_mb']:>7} MB{found['peak_mb']:>7} MB{found['more_mb']:>7} MB{'<':>4} {BAR_MB}"
            stage.say(f"{way:>16}{row}{found['mb_per_second']:>7} MB/s")
    return {"at_once": AT_ONCE, "size_mb": size_bytes / MB, "bar_mb": BAR_MB, "ways": ways}


def _in_process(stage: Stage, way: str, port: int, size_bytes: int) -> dict[str, float]:
    folder = stage.scratch / way
    folder.mkdir()
    arguments = ("download", way, str(port), str(folder), str(AT_ONCE), str(size_bytes))
    done = subprocess.run(
        [*python("bench.results_memory"), *arguments],
        env=environment(),
        cwd=working_folder(),
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        raise ServerFailed(f"the downloading process failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


async def _download_all(way: str, port: int, folder: Path, count: int, size_bytes: int) -> dict[str, float]:
    base = f"http://127.0.0.1:{port}"
    async with OutboundClient(OutboundPolicy.parse(["127.0.0.0/8"])) as outbound:
        api = UpstreamApi(base, headers={}, secrets=(), options=BackendOptions(), outbound=outbound)
        download = _way(way, api, outbound)
        await download(f"{base}/{_WARM_UP_BYTES}", folder / "first")
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, "ascii")  # noqa: ASYNC240 - no disk is asked
        before, began = _status_bytes("VmRSS"), time.monotonic()
        films = [folder / f"film-{number}" for number in range(count)]
        await asyncio.gather(*(download(f"{base}/{size_bytes}", film) for film in films))
        seconds, peak = time.monotonic() - began, _status_bytes("VmHWM")
        await api.close()
    sizes = {film.stat().st_size for film in films}
    assert sizes == {size_bytes}, f"the films have {sizes} bytes"
    return {
        "before_mb": round(before / MB, 1),
        "peak_mb": round(peak / MB, 1),
        "more_mb": round((peak - before) / MB, 1),
        "mb_per_second": round(count * size_bytes / MB / seconds),
    }


def _way(way: str, api: UpstreamApi, outbound: OutboundClient) -> Download:
    if way == "UpstreamApi":
        return api.download

    async def download(url: str, destination: Path) -> None:
        await outbound.download(url, destination, max_bytes=SIZE_BYTES, total_seconds=SECONDS, stall_seconds=30)

    return download


def _status_bytes(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert found is not None, f"the kernel does not tell {name}"
    return int(found[1]) * 1024


def _serve() -> None:
    from bench.serving import announce, listen  # noqa: PLC0415 - it loads the whole server, which is not measured here

    with listen() as listener:
        announce(listener)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket) -> None:
    """Send as many bytes as the path of the request says, and hang up."""
    with connection, connection.makefile("rb") as lines:
        left = int(lines.readline().split()[1].rpartition(b"/")[2])
        while lines.readline().strip():
            pass
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % left)
        while left:
            piece = _BLOCK[:left]
            connection.sendall(piece)
            left -= len(piece)


def main() -> None:
    """Be one of the two processes."""
    if sys.argv[1] == "server":
        _serve()
    else:
        way, port, folder, count, size_bytes = sys.argv[2:]
        found = asyncio.run(_download_all(way, int(port), Path(folder), int(count), int(size_bytes)))
        print(json.dumps(found))


if __name__ == "__main__":
    main()
