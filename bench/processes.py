"""Servers as processes of their own: started, watched, and certainly ended."""

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx2
import psutil  # type: ignore[import-untyped]  # it ships no types

from bench.commands import environment, python, working_folder
from bench.processors import pin

START_SECONDS = 60.0
STOP_SECONDS = 30.0
_SAMPLE_SECONDS = 0.05


class ServerFailed(Exception):  # noqa: N818 - what happened
    """A server did not start or did not end; the text holds what it printed last."""


class RunningServer:
    """A server that answers on `port` of 127.0.0.1."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.port = port
        self._process = psutil.Process(process.pid)

    @property
    def resident_bytes(self) -> int:
        """The resident memory of the server process itself, without its children."""
        return int(self._process.memory_info().rss)

    @property
    def children(self) -> int:
        """How many child processes it has now."""
        return len(self._process.children())

    @property
    def cpu_seconds(self) -> float:
        """The processor time it has used so far, without its children."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def get(self, path: str, *, key: str = "") -> httpx2.Response:
        """Ask once, for what is not measured."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30)


class PeakMemory:
    """Samples the resident memory of a server while inside; `bytes` is the most that was seen."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self.bytes = max(self.bytes, self._server.resident_bytes)

    def __enter__(self) -> Self:
        self.bytes = self._server.resident_bytes
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def running(
    *module: str, settings: Mapping[str, str] | None = None, cpus: Collection[int] = (), health: bool = False
) -> Iterator[RunningServer]:
    """Run `python -m …` until the block is left; it must print "on http://127.0.0.1:PORT" on stderr.

    With `health` it is ready when `GET /health` answers 200. Raises `ServerFailed`.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            python(*module),
            env=environment(**(settings or {})),
            cwd=working_folder(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: pin(0, cpus),  # noqa: PLW1509 - one system call, before any thread of the child exists
        )
        try:
            server = RunningServer(process, _port(process, log))
            if health:
                _until_healthy(server, process, log)
            yield server
        finally:
            _end(process)


def _text(log: IO[bytes]) -> str:
    # Not a seek: the position belongs to the child too, which writes where it stands.
    return os.pread(log.fileno(), 1 << 16, 0).decode(errors="replace")


def _port(process: "subprocess.Popen[bytes]", log: IO[bytes]) -> int:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        _, found, after = _text(log).partition(" on http://127.0.0.1:")
        if found and "\n" in after:
            return int(after.split()[0])
        time.sleep(0.02)
    raise ServerFailed(f"a server did not start:\n{_text(log)[-2000:]}")


def _until_healthy(server: RunningServer, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if server.get("/health").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise ServerFailed(f"the server did not get ready:\n{_text(log)[-2000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise ServerFailed("a server did not stop on SIGTERM") from None


def sync_ms(folder: Path, times: int = 50) -> float:
    """Return the median time, in milliseconds, that the disk under `folder` takes to keep 4 KiB for good.

    The bytes are written over others, as a database's log is: a file that grows would be the file system's work too.
    """
    sync = getattr(os, "fdatasync", os.fsync)
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096 * times))
        file.flush()
        os.fsync(file.fileno())
        for number in range(times):
            began = time.perf_counter()
            os.pwrite(file.fileno(), bytes(4096), 4096 * number)
            sync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
