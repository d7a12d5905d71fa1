"""What runs inside the child: `python -I -m understudy.sandbox.child`.

It limits itself before it imports anything of the target, calls it, and sends back one JSON line. Of this project it
imports the error class and nothing else; it needs no library but the standard one.
"""

import contextlib
import ctypes
import errno
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from understudy.sandbox.errors import Rejected
from understudy.sandbox.limits import MAX_ANSWER_BYTES, MIB

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_ADDRESS_SLACK_BYTES: Final = 2048 * MIB
_OPEN_FILES: Final = 128
_PROGRESS_SECONDS: Final = 0.05
_MESSAGE_CHARACTERS: Final = 500
_OPENCV_NO_MEMORY: Final = -4
# Made beforehand: when memory has run out there may be none left to build an answer with.
_OUT_OF_MEMORY: Final = b'{"out_of_memory": true}\n'


def main() -> NoReturn:
    """Serve the one request on stdin, then leave at once: a broken library can hang the interpreter's farewell."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not be read as an answer
    _die_with_parent()
    request = json.loads(_read_line())
    if os.getppid() != request["parent"]:
        os._exit(1)  # it died before the kernel was told to tell us
    _hold_lifeline()
    _limit(**request["limits"])
    sys.path[:] = request["import_path"]
    _write(answers, _answer(request, answers))
    os._exit(0)


def _answer(request: Mapping[str, Any], answers: int) -> bytes:
    try:
        module, _, name = request["target"].partition(":")
        target = getattr(importlib.import_module(module), name)
        arguments = dict(request["arguments"])
        if "on_progress" in inspect.signature(target).parameters:
            arguments["on_progress"] = _reporter(answers if request["progress"] else None)
        line = _line({"result": target(**arguments)})
    except Rejected as verdict:
        return _line({"rejected": [verdict.code, verdict.message]})
    except BaseException as error:  # noqa: BLE001 - also SystemExit: the parent is owed an answer
        if _is_out_of_memory(error):
            return _OUT_OF_MEMORY
        traceback.print_exc()
        return _line({"raised": [type(error).__name__, str(error)[:_MESSAGE_CHARACTERS]]})
    if len(line) > MAX_ANSWER_BYTES:
        complaint = f"the target returned {len(line)} bytes of JSON; at most {MAX_ANSWER_BYTES} are allowed"
        return _line({"raised": ["ValueError", complaint]})
    return line


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # OpenCV has one error class for everything; only the code tells.
    return type(error).__module__ == "cv2" and getattr(error, "code", None) == _OPENCV_NO_MEMORY


def _reporter(answers: int | None) -> Callable[[float], None]:
    told = -_PROGRESS_SECONDS

    def report(fraction: float) -> None:
        nonlocal told
        now = time.monotonic()
        if answers is not None and now - told >= _PROGRESS_SECONDS:
            told = now
            _write(answers, _line({"progress": min(1.0, max(0.0, float(fraction)))}))

    return report


def _read_line() -> bytes:
    # Not `sys.stdin`: a thread that waits in its buffer holds a lock that the interpreter wants when it ends.
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = os.read(0, 65536)
        if not chunk:
            os._exit(1)
        line += chunk
    return bytes(line)


def _write(descriptor: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[os.write(descriptor, view) :]


def _die_with_parent() -> None:
    """Ask Linux to kill us the moment the parent dies, and to let nobody here gain privileges by a set-uid program."""
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _hold_lifeline() -> None:
    """Watch stdin from a thread: its end means that the parent is gone, on every system and for all our offspring."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.stack_size(256 * 1024)
    threading.Thread(target=watch, daemon=True).start()
    threading.stack_size(0)


def _limit(*, memory_bytes: int, cpu_seconds: int, file_bytes: int | None, nice: int, **_: object) -> None:
    os.umask(0o077)
    os.nice(nice)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_CPU, cpu_seconds, grace=2)  # SIGXCPU first, SIGKILL for who ignores it
    if file_bytes is not None:
        _lower(resource.RLIMIT_FSIZE, file_bytes)
    # RLIMIT_DATA is what a picture costs. RLIMIT_AS alone would have to be generous enough for the libraries' code and
    # every thread's reserved heap; it is here to bound what RLIMIT_DATA does not see, as shared maps.
    with contextlib.suppress(ValueError, OSError) if sys.platform != "linux" else contextlib.nullcontext():
        _lower(resource.RLIMIT_DATA, memory_bytes)
        _lower(resource.RLIMIT_AS, memory_bytes + _ADDRESS_SLACK_BYTES)


def _lower(kind: int, value: int, *, grace: int = 0) -> None:
    """Set a limit, but never above what we were started with."""
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        value = min(value, ceiling)
    hard = value + grace if ceiling == resource.RLIM_INFINITY else min(value + grace, ceiling)
    resource.setrlimit(kind, (value, hard))


if __name__ == "__main__":
    main()
