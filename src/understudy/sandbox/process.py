"""One child process as its parent sees it, from the start to the moment it is certain to be gone."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar

from understudy.sandbox.limits import MAX_ANSWER_BYTES

P = TypeVar("P")

STDERR_BYTES: Final = 8 * 1024

_NONSENSE: Final[Mapping[str, Any]] = {}
_FAREWELL_SECONDS: Final = 1.0
_INHERITED: Final = ("PATH", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_OWN: Final = {
    "LANG": "C.UTF-8",
    # One thread each: a pool of BLAS threads costs more memory at import than any of our work needs.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Without this glibc gives each thread a heap of its own: 64 MiB of address space each, and pictures freed by one
    # thread are no room for the next. One heap saves a film of 1792x1024 15 MB and costs no time.
    "MALLOC_ARENA_MAX": "1",
}


class _Protocol(SubprocessStreamProtocol):
    """Tells the end of the process itself: `Process.wait` waits for its pipes too, which a runaway may hold open."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=MAX_ANSWER_BYTES + 1024, loop=loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class ChildProcess:
    """A running child. `ask` once, then `end`, whatever happened in between."""

    def __init__(self, process: Process, transport: asyncio.SubprocessTransport, exited: asyncio.Event) -> None:
        self._process = process
        self._transport = transport
        self._exited = exited
        self._stderr = b""
        self._gone = asyncio.Event()
        self._listener = asyncio.create_task(self._keep_stderr())

    @classmethod
    async def start(cls) -> Self:
        """Start a fresh interpreter that waits for one request; raises `OSError` if the system has no room for it.

        It leads its own session and process group, so that all of its offspring can be killed with it, and it sees
        none of this process's environment but the few variables that say where libraries and temporary files are.
        """
        # What `asyncio.create_subprocess_exec` does, but that hides the transport, and only that can be closed.
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _Protocol(loop),
            *(sys.executable, "-I", "-X", "faulthandler", "-m", "understudy.sandbox.child"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd="/",
            env=_OWN | {name: os.environ[name] for name in _INHERITED if name in os.environ},
            start_new_session=True,
        )
        return cls(Process(transport, protocol, loop), transport, protocol.exited)

    @property
    def stderr(self) -> str:
        """The last 8 KiB of what it printed to stdout and stderr; complete after `end`."""
        return self._stderr.decode(errors="replace")

    async def ask(self, request: bytes, on_progress: Callable[[float], None] | None) -> Mapping[str, Any] | int:
        """Send the request, a line of JSON, and return the answer: an object, or the exit status if there was none.

        The status is minus the number of the signal, as in `subprocess`. `on_progress` is called in between; what it
        raises is not caught.
        """
        stdin, stdout = _pipe(self._process.stdin), _pipe(self._process.stdout)
        # A child that died early has closed its end; its exit status tells more than a broken pipe.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(request)
            await stdin.drain()
        while (message := await _message(stdout)) is not None:
            fraction = message.get("progress")
            if not isinstance(fraction, float):
                return message
            if on_progress is not None:
                on_progress(fraction)
        return await self._wait()

    def kill(self) -> None:
        """Kill the child and all of its process group; nothing happens if they are gone."""
        # The number cannot mean anyone else as long as a member of the group lives. When none does, it would have to
        # be given out anew within the moment since the leader was reaped.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until `end` has done its work, whoever called it."""
        await self._gone.wait()

    async def end(self) -> None:
        """Kill whatever is left, reap it and close the pipes. To be called once."""
        self.kill()
        await self._wait()
        # A grandchild that left the group may hold the pipes open; it gets a second and no more.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                stdout = _pipe(self._process.stdout)
                while await stdout.read(STDERR_BYTES):
                    pass
                await asyncio.shield(self._listener)
        self._listener.cancel()
        self._transport.close()
        self._gone.set()

    async def _wait(self) -> int:
        await self._exited.wait()
        return self._transport.get_returncode() or 0

    async def _keep_stderr(self) -> None:
        stderr: StreamReader = _pipe(self._process.stderr)
        while chunk := await stderr.read(STDERR_BYTES):
            self._stderr = (self._stderr + chunk)[-STDERR_BYTES:]


def _pipe(pipe: P | None) -> P:
    if pipe is None:
        raise RuntimeError("the child was started without its pipes")
    return pipe


async def _message(stdout: StreamReader) -> Mapping[str, Any] | None:
    """Return the next line's object, None at the end. What a broken child says is not taken at its word."""
    try:
        line = await stdout.readline()
        message = json.loads(line) if line else None
    except (ValueError, RecursionError):
        return _NONSENSE
    return message if message is None or isinstance(message, dict) else _NONSENSE
