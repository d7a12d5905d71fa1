"""The parent's side: give a child its work, hear its answer, and be sure that it is gone.

The child is a fresh interpreter: nothing is forked from a process with threads, and no secret of ours is in its
environment or its memory. One JSON line goes in on its stdin, which stays open as a lifeline: when this process dies,
the child reads the end of the file and kills itself. JSON lines come back: progress, then one answer.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from understudy.sandbox.errors import (
    ChildCrashed,
    ChildOutOfMemory,
    ChildRaised,
    ChildTimeout,
    Rejected,
    SandboxClosed,
)
from understudy.sandbox.limits import Limits
from understudy.sandbox.process import ChildProcess

R = TypeVar("R")


class Sandbox:
    """Runs targets in child processes, at most `max_children` at a time; further calls wait their turn.

    It belongs to one event loop, asyncio's own or uvloop's, and children live no longer than the thread of that loop.
    POSIX systems only; on Linux every limit holds, elsewhere the kernel may ignore the memory limit.
    """

    def __init__(self, max_children: int) -> None:
        if max_children < 1:
            raise ValueError("max_children must be at least 1")
        self._places = asyncio.Semaphore(max_children)
        self._children: set[ChildProcess] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    async def run(
        self,
        target: Callable[..., R],
        arguments: Mapping[str, object],
        *,
        limits: Limits,
        on_progress: Callable[[float], None] | None = None,
    ) -> R:
        """Call `target(**arguments)` in a child and return what it returned, after a trip through JSON.

        `target` is a function at the top level of an importable module; what it takes and returns is made of dicts
        with string keys, lists, strings, numbers, booleans and None (a tuple comes back as a list). If it has a
        parameter `on_progress` it is given a function that takes a fraction from 0 to 1; `on_progress` here hears at
        most 20 of them a second, in this event loop. Paths among the arguments must be absolute.

        Raises the errors of `sandbox.errors`, `ValueError` for a target that cannot be imported by name, `TypeError`
        or `ValueError` for arguments that JSON cannot carry, `OSError` if the system has no room for another process.
        Cancelling the call kills the child and all it started.
        """
        request = _request(target, arguments, limits, progress=on_progress is not None)
        async with self._places:
            self._refuse_if_closed()
            child = await ChildProcess.start()
            self._children.add(child)
            clock = asyncio.timeout(limits.wall_seconds)
            try:
                self._refuse_if_closed()  # it may have happened during the start
                async with clock:
                    answer = await child.ask(request, on_progress)
            except TimeoutError:
                if not clock.expired():
                    raise  # out of `on_progress`
                answer = -signal.SIGXCPU
            finally:
                await self._end(child)
        if self._closed.is_set() and not isinstance(answer, Mapping):
            raise SandboxClosed("the sandbox was closed before the work was done")
        result: R = _result(answer, limits, child.stderr)
        return result

    async def close(self) -> None:
        """Kill every child that is left and take no more work; calls under way raise `SandboxClosed`."""
        self._closed.set()
        for child in self._children:
            child.kill()
        await asyncio.gather(*(child.gone() for child in self._children))

    def _refuse_if_closed(self) -> None:
        if self._closed.is_set():
            raise SandboxClosed("the sandbox is closed")

    async def _end(self, child: ChildProcess) -> None:
        ending = asyncio.create_task(child.end())
        self._endings.add(ending)  # the loop itself keeps only weak references
        ending.add_done_callback(self._endings.discard)
        ending.add_done_callback(lambda _: self._children.discard(child))
        # A second cancellation must not interrupt the reaping.
        await asyncio.shield(ending)


def _request(
    target: Callable[..., object], arguments: Mapping[str, object], limits: Limits, *, progress: bool
) -> bytes:
    request = {
        "target": _name(target),
        "arguments": arguments,
        "limits": asdict(limits),
        "progress": progress,
        "parent": os.getpid(),
        # The child starts isolated and takes over our path, so that a target is found wherever we found it.
        "import_path": [str(Path(entry).absolute()) for entry in sys.path],
    }
    return json.dumps(request, allow_nan=False).encode() + b"\n"


def _name(target: Callable[..., object]) -> str:
    module, name = target.__module__, target.__qualname__
    if module == "__main__" or not name.isidentifier():
        raise ValueError(f"{module}.{name} is no function at the top level of an importable module")
    return f"{module}:{name}"


def _result(answer: Mapping[str, Any] | int, limits: Limits, stderr: str) -> Any:
    match answer:
        case {"result": result}:
            return result
        case {"rejected": [str(code), str(message)]}:
            raise Rejected(code, message)
        case {"raised": [str(type_name), str(message)]}:
            raise ChildRaised(type_name, message, stderr=stderr)
        case {"out_of_memory": True}:
            raise ChildOutOfMemory(f"it needs more than {limits.memory_bytes} bytes of memory", stderr=stderr)
    if answer == -signal.SIGXCPU:
        spent = f"not done within {limits.wall_seconds} s, or {limits.cpu_seconds} s of processor time"
        raise ChildTimeout(spent, stderr=stderr)
    if answer == -signal.SIGKILL:
        raise ChildOutOfMemory("it was killed from outside, most likely for want of memory", stderr=stderr)
    if isinstance(answer, int):
        raise ChildCrashed(answer, stderr=stderr)
    raise ChildRaised("ProtocolError", "the child sent something that is no answer", stderr=stderr)
