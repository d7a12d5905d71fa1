"""`demo`: the main job end to end, through a real server and the real HTTP API."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from rich.console import Console

from understudy.cli.client import ClientError, generate

PROMPT = (
    "A sailing boat glides towards a lighthouse at sunset, gulls over the water. "
    "Night falls over the sea and the stars come out above the boat."
)
START_SECONDS = 30
STOP_SECONDS = 30


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(demo)


def demo(
    prompt: Annotated[str, typer.Argument(help="What the film shows.")] = PROMPT,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the film goes.")] = Path("demo.mp4"),
    duration: Annotated[int, typer.Option(help="Seconds: 4, 8 or 12.")] = 8,
    size: Annotated[str, typer.Option(help="As in 1280*720.")] = "1280*720",
) -> None:
    """Start a server on an empty data folder, make a key, generate a film through the API, stop the server."""
    console = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        key = _make_key(folder)
        with _running_server(folder, console) as url:
            console.print(f'POST {url}/api/v1/generateTask/sora-2-pro\n  "{prompt}"', markup=False, soft_wrap=True)
            generate(prompt, duration=duration, size=size, output=output, url=url, key=key)
    console.print(
        f"\n[bold]{output.absolute()}[/bold]\n{duration} seconds, {size.replace('*', ' x ')}, H.264 and AAC: "
        "an animatic drawn by the built-in renderer, no AI model.\nTo keep a server running: [bold]make serve[/bold]",
        soft_wrap=True,
    )


def _environment(folder: str) -> dict[str, str]:
    """Return our environment without settings of ours: the demo must work whatever the operator has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    return kept | {"UNDERSTUDY_DATA_DIR": folder, "UNDERSTUDY_LOG_LEVEL": "warning"}


def _make_key(folder: str) -> str:
    command = [sys.executable, "-m", "understudy", "keys", "create", "--name", "demo", "--json"]
    done = subprocess.run(  # noqa: S603 - our own program
        command, env=_environment(folder), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ClientError(f"No key could be made: {done.stderr.strip()}")
    return str(json.loads(done.stdout)["key"])


@contextmanager
def _running_server(folder: str, console: Console) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "understudy", "serve", "--port", str(port)]
    # In the empty folder, so that an understudy.toml beside the caller is not read.
    server = subprocess.Popen(command, env=_environment(folder), cwd=folder)  # noqa: S603 - our own program
    try:
        _wait_until_ready(server, url)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            console.print("The server did not stop in time and was killed.", style="red")
            server.kill()
            server.wait()


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ClientError("The server did not start: see its message above.")
        try:
            if httpx2.get(f"{url}/health", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise ClientError(f"The server did not answer within {START_SECONDS} s.")
