"""What a child may see and use, and that it never outlives whoever wanted it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.unit.sandbox import targets
from tests.unit.sandbox.conftest import LIMITS
from tests.unit.sandbox.processes import exists, gone, open_descriptors, our_children, pid_in
from understudy.sandbox.errors import ChildRaised, SandboxClosed
from understudy.sandbox.limits import MIB
from understudy.sandbox.runner import Sandbox


async def test_no_secret_of_ours_is_in_its_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SECRET", "canary")
    monkeypatch.setenv("PYTHONSTARTUP", "canary")

    found = await sandbox.run(targets.surroundings, {}, limits=LIMITS)

    assert "canary" not in json.dumps(found)
    environment = found["environment"]
    assert isinstance(environment, dict)
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


async def test_it_inherits_no_open_file(sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        found = await sandbox.run(targets.surroundings, {}, limits=LIMITS)

    # stdin, stdout, stderr, the way back, and the listing itself
    assert found["descriptors"] == 5


async def test_it_dumps_no_core_and_is_as_nice_as_told(sandbox: Sandbox) -> None:
    found = await sandbox.run(targets.surroundings, {}, limits=replace(LIMITS, nice=7))

    assert found["core"] == [0, 0]
    assert found["nice"] == os.nice(0) + 7
    assert found["folder"] == "/"


async def test_the_size_of_its_files_is_limited(sandbox: Sandbox, tmp_path: Path) -> None:
    arguments = {"path": str(tmp_path / "big"), "size": 2 * MIB}
    with pytest.raises(ChildRaised, match="OSError"):
        await sandbox.run(targets.write_file, arguments, limits=replace(LIMITS, file_bytes=MIB))


async def test_its_files_are_private(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "private"
    await sandbox.run(targets.write_file, {"path": str(file), "size": 1}, limits=LIMITS)

    assert file.stat().st_mode & 0o777 == 0o600


async def test_no_more_children_at_once_than_allowed(sandbox: Sandbox) -> None:
    started = time.monotonic()
    before = our_children()
    most = 0

    async def count() -> None:
        nonlocal most
        while True:
            most = max(most, len(our_children() - before))
            await asyncio.sleep(0.02)

    counter = asyncio.create_task(count())
    await asyncio.gather(*(sandbox.run(targets.sleep, {"seconds": 0.3}, limits=LIMITS) for _ in range(4)))
    counter.cancel()

    assert most == 2
    assert time.monotonic() - started > 0.6


async def test_waiting_for_a_place_is_not_counted_as_time(sandbox: Sandbox) -> None:
    limits = replace(LIMITS, wall_seconds=2.4)

    await asyncio.gather(*(sandbox.run(targets.sleep, {"seconds": 0.9}, limits=limits) for _ in range(6)))


async def test_cancelling_kills_and_reaps_the_child(sandbox: Sandbox, tmp_path: Path) -> None:
    arguments = {"seconds": 60, "pid_file": str(tmp_path / "pid")}
    call = asyncio.create_task(sandbox.run(targets.sleep, arguments, limits=LIMITS))
    pid = await pid_in(tmp_path / "pid")

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert not exists(pid)


async def test_cancelling_twice_leaves_no_zombie_either(sandbox: Sandbox, tmp_path: Path) -> None:
    arguments = {"seconds": 60, "pid_file": str(tmp_path / "pid")}
    call = asyncio.create_task(sandbox.run(targets.sleep, arguments, limits=LIMITS))
    pid = await pid_in(tmp_path / "pid")

    call.cancel()
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0.5)

    assert not exists(pid)


@pytest.mark.parametrize("delay", [0, 0.001, 0.01, 0.03])
async def test_cancelling_while_it_starts_leaves_nothing(sandbox: Sandbox, delay: float) -> None:
    """The fixture looks for children afterwards."""
    call = asyncio.create_task(sandbox.run(targets.sleep, {"seconds": 60}, limits=LIMITS))
    await asyncio.sleep(delay)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0.1)

    assert await sandbox.run(targets.echo, {"value": 1}, limits=LIMITS) == 1


async def test_what_a_child_starts_dies_with_it(sandbox: Sandbox, tmp_path: Path) -> None:
    call = asyncio.create_task(sandbox.run(targets.start_offspring, {"pid_file": str(tmp_path / "pid")}, limits=LIMITS))
    pid = await pid_in(tmp_path / "pid")

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert gone(pid)


async def test_closing_kills_what_is_left_and_takes_no_more(tmp_path: Path) -> None:
    sandbox = Sandbox(1)
    arguments = {"seconds": 60, "pid_file": str(tmp_path / "pid")}
    call = asyncio.create_task(sandbox.run(targets.sleep, arguments, limits=LIMITS))
    waiting = asyncio.create_task(sandbox.run(targets.echo, {"value": 1}, limits=LIMITS))
    pid = await pid_in(tmp_path / "pid")

    await sandbox.close()

    assert not exists(pid)
    for refused in (call, waiting, sandbox.run(targets.echo, {"value": 1}, limits=LIMITS)):
        with pytest.raises(SandboxClosed):
            await refused


async def test_closing_while_a_child_starts_refuses_its_work(sandbox: Sandbox) -> None:
    call = asyncio.create_task(sandbox.run(targets.sleep, {"seconds": 60}, limits=LIMITS))
    await asyncio.sleep(0)

    await sandbox.close()

    with pytest.raises(SandboxClosed):
        await call


@pytest.mark.parametrize("target", ["sleep", "hold_the_interpreter"])
async def test_a_killed_server_leaves_no_child(target: str, tmp_path: Path) -> None:
    """Not even one that hangs in foreign code, where only the kernel can still reach it."""
    server = _doomed_server(target, tmp_path / "pid")
    try:
        pid = await pid_in(tmp_path / "pid")
    finally:
        server.kill()
        server.wait()

    assert gone(pid)


async def test_a_runaway_that_holds_the_pipes_does_not_hold_us(sandbox: Sandbox, tmp_path: Path) -> None:
    started = time.monotonic()

    result = await sandbox.run(targets.start_runaway, {"pid_file": str(tmp_path / "pid")}, limits=LIMITS)

    os.kill(await pid_in(tmp_path / "pid"), signal.SIGKILL)
    assert result == "done"
    assert time.monotonic() - started < 10


async def test_nothing_stays_open_after_many_children(sandbox: Sandbox, tmp_path: Path) -> None:
    await sandbox.run(targets.echo, {"value": 0}, limits=LIMITS)
    before = open_descriptors()

    await asyncio.gather(*(sandbox.run(targets.echo, {"value": number}, limits=LIMITS) for number in range(12)))

    assert open_descriptors() <= before


async def test_the_end_of_its_stdin_alone_is_enough_to_die(tmp_path: Path) -> None:
    """The portable way: its parent lives on, so the kernel has no reason to kill it."""
    child = _lonely_child()
    request = {
        "target": "tests.unit.sandbox.targets:sleep",
        "arguments": {"seconds": 60, "pid_file": str(tmp_path / "pid")},
        "limits": asdict(LIMITS),
        "progress": False,
        "parent": os.getpid(),
        "import_path": sys.path,
    }
    assert child.stdin is not None
    child.stdin.write(json.dumps(request).encode() + b"\n")
    child.stdin.flush()
    try:
        await pid_in(tmp_path / "pid")
        child.stdin.close()

        assert child.wait(timeout=5) == -signal.SIGKILL
    finally:
        child.kill()


def test_it_works_in_uvloop_too(tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def story() -> None:
        sandbox = Sandbox(2)
        heard: list[float] = []
        assert await sandbox.run(targets.report_quarters, {}, limits=LIMITS, on_progress=heard.append) == "done"
        assert heard[-1] == 1
        arguments = {"seconds": 60, "pid_file": str(tmp_path / "pid")}
        call = asyncio.create_task(sandbox.run(targets.sleep, arguments, limits=LIMITS))
        pid = await pid_in(tmp_path / "pid")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not exists(pid)
        await sandbox.close()

    uvloop.run(story())


def test_a_sandbox_for_no_child_at_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Sandbox(0)


def _doomed_server(target: str, pid_file: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "tests.unit.sandbox.doomed_server", target, str(pid_file)]
    return subprocess.Popen(command, env=environment)


def _lonely_child() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "understudy.sandbox.child"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
