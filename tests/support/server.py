"""A real server in a process of its own, started as an operator starts it, and killed as a machine kills it."""

import asyncio
import atexit
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

START_SECONDS = 30.0
MODEL_PATH = "/api/v1/generateTask/sora-2-pro"
STATUS_PATH = "/api/v1/statusTask/sora-2-pro"


_prepared: list[tuple[Path, dict[str, str]]] = []
"""A data folder that nobody has used, with a key, and what making it printed; one for each process of tests."""


def environment(data: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with no settings of ours but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    return kept | {"UNDERSTUDY_DATA_DIR": str(data)} | {f"UNDERSTUDY_{name}": text for name, text in settings.items()}


async def understudy(*arguments: str, data: Path, **settings: str) -> tuple[int, str, str]:
    """Run the command to its end; return its exit status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "understudy",
        *arguments,
        env=environment(data, settings),
        cwd=data.parent if data.parent.is_dir() else "/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    return process.returncode or 0, stdout.decode(), stderr.decode()


async def make_key(data: Path, **settings: str) -> dict[str, str]:
    """Make an API key with the command line; return what `--json` prints.

    A new folder with the usual settings is a copy of the first one: what the command does is tested once and for all,
    and its second of start-up is not paid by every test.
    """
    if settings or data.exists():
        return await _make_key(data, **settings)
    if not _prepared:
        folder = Path(tempfile.mkdtemp(prefix="understudy-prepared-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _prepared.append((folder / "data", await _make_key(folder / "data")))
    prepared, made = _prepared[0]
    shutil.copytree(prepared, data)
    return dict(made)


async def _make_key(data: Path, **settings: str) -> dict[str, str]:
    status, stdout, stderr = await understudy("keys", "create", "--name", "test", "--json", data=data, **settings)
    assert status == 0, stderr
    return dict(json.loads(stdout))


@dataclass
class Server:
    """A running server. `log` is what it wrote, on stdout and stderr."""

    url: str
    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)

    def client(self, key: str) -> httpx2.AsyncClient:
        """Return an HTTP client that sends this key."""
        return httpx2.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def kill(self) -> None:
        """Kill it as `kill -9` does."""
        self.process.send_signal(signal.SIGKILL)

    async def died(self, *, within_seconds: float) -> int:
        """Wait until the process is gone; return its exit status, negative for a signal."""
        return await asyncio.wait_for(self.process.wait(), within_seconds)


@asynccontextmanager
async def running(data: Path, **settings: str) -> AsyncIterator[Server]:
    """Start `understudy serve` on `data` and wait until it is ready, unless it dies before; stop it at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "understudy",
        "serve",
        "--port",
        "0",
        env=environment(data, settings),
        cwd=data.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    server = Server("", process)
    reader = asyncio.create_task(_read_log(server))
    try:
        await _until_ready(server)
        yield server
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 40)
            except TimeoutError:
                process.kill()
                await process.wait()
                raise AssertionError("the server did not stop on SIGTERM") from None
        await reader


async def _read_log(server: Server) -> None:
    assert server.process.stdout is not None
    async for line in server.process.stdout:
        text = line.decode(errors="replace").rstrip()
        server.log.append(text)
        if not server.url and " on http://" in text:
            server.url = text.partition(" on ")[2].split()[0]


async def _until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.returncode is not None:
            return
        if server.url:
            with suppress(httpx2.TransportError):
                async with httpx2.AsyncClient() as client:
                    if (await client.get(server.url + "/health")).status_code == 200:
                        return
        await asyncio.sleep(0.05)
    raise AssertionError("the server did not get ready:\n" + "\n".join(server.log))


async def wait_for_end(client: httpx2.AsyncClient, task_id: str, *, within_seconds: float = 90) -> dict[str, Any]:
    """Poll until the task is terminal; return the `data` of its last status answer."""
    deadline = time.monotonic() + within_seconds
    data: dict[str, Any] = {}
    while time.monotonic() < deadline:
        answer = await client.get(STATUS_PATH, params={"taskId": task_id})
        assert answer.status_code == 200, answer.text
        data = dict(answer.json()["data"])
        if data["state"] in {"success", "failed"}:
            return data
        await asyncio.sleep(0.1)
    raise AssertionError(f"{task_id} did not end: {data}")
