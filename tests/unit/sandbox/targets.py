"""What the tests have done in a child."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from understudy.sandbox.errors import Rejected
from understudy.sandbox.limits import MIB


def echo(value: object) -> object:
    return value


def chatter() -> str:
    sys.stdout.write('{"result": "forged"}\n')
    sys.stdout.flush()
    os.write(1, b'{"result": "forged"}\n')
    return "genuine"


def complain_and_raise(characters: int) -> None:
    sys.stderr.write("x" * characters + "the end")
    raise KeyError("lost")


def report_quarters(on_progress: Callable[[float], None]) -> str:
    for quarter in range(5):
        on_progress(quarter / 4)
        time.sleep(0.06)
    return "done"


def report_often(on_progress: Callable[[float], None]) -> None:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        on_progress(2.0)


def refuse() -> None:
    raise Rejected("too_odd", "It is too odd")


def leave() -> None:
    sys.exit(3)


def crash() -> None:
    ctypes.string_at(0)


def killed_from_outside() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def take_memory(mebibytes: int) -> int:
    return len(bytearray(mebibytes * MIB)) // MIB


def spin() -> None:
    while True:
        pass


def sleep(seconds: float, pid_file: str | None = None) -> None:
    if pid_file is not None:
        Path(pid_file).write_text(str(os.getpid()))
    time.sleep(seconds)


def hold_the_interpreter(seconds: int, pid_file: str) -> None:
    """Hang as a decoder does that never gives the interpreter back: no other thread of the child can run."""
    Path(pid_file).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(seconds)


def start_runaway(pid_file: str) -> str:
    """Leave a process behind that has left our group and holds our pipes open."""
    command = [sys.executable, "-c", "import time; time.sleep(20)"]
    runaway = subprocess.Popen(command, start_new_session=True)
    Path(pid_file).write_text(str(runaway.pid))
    return "done"


def start_offspring(pid_file: str) -> None:
    offspring = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(pid_file).write_text(str(offspring.pid))
    time.sleep(60)


def write_file(path: str, size: int) -> None:
    Path(path).write_bytes(b"\0" * size)


def surroundings() -> dict[str, object]:
    core = resource.getrlimit(resource.RLIMIT_CORE)
    return {
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "core": list(core),
        "nice": os.nice(0),
        "threads": threading.active_count(),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
    }


def too_much() -> str:
    return "x" * (2 * MIB)


def unspeakable() -> object:
    return object()
