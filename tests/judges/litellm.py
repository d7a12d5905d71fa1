"""A real LiteLLM proxy in a process of its own, in front of a scripted upstream."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.judges.environment import program
from tests.support.upstream import ScriptedUpstream

START_SECONDS = 120.0
STOP_SECONDS = 10.0
KEY = "sk-judge-5d1f0c7e9a3b48266f"
MODELS = {"ltx-2.5": "openai/ltx-2.5", "ltx-2.5-omni": "hosted_vllm/ltx-2.5"}
"""The proxy's model names, and as whose interface it speaks to the upstream: OpenAI's own, and vLLM-Omni's."""
LOCKED_OUT = "locked-out"
"""A model for which the proxy has a key that the upstream does not know."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: its base address (with `/v1`) and the file of what it wrote."""

    url: str
    log: Path


def configuration(upstream: ScriptedUpstream) -> dict[str, object]:
    """Return a configuration as `docs/backends/openai_videos.md` asks for it: with no retries of its own.

    Left to itself the proxy sends a submission anew whose answer was lost, and pays for both. Nor does it rest after
    errors here, which would let one test stand in the next one's way.
    """

    def served(name: str, model: str, key: str) -> dict[str, object]:
        reached = {"model": model, "api_base": f"{upstream.address}/v1", "api_key": key}
        return {"model_name": name, "litellm_params": reached}

    models = [served(name, model, upstream.vendor.key) for name, model in MODELS.items()]
    return {
        "model_list": [*models, served(LOCKED_OUT, "openai/ltx-2.5", "sk-revoked")],
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "litellm_settings": {"telemetry": False},
    }


@asynccontextmanager
async def litellm_proxy(judges: Path, folder: Path, upstream: ScriptedUpstream) -> AsyncIterator[Proxy]:
    """Start the proxy with `folder` for its files and wait until it is ready; end it and its children when done."""
    settings = folder / "litellm.yaml"
    settings.write_text(json.dumps(configuration(upstream)))  # JSON is YAML
    port = _free_port()
    proxy = Proxy(f"http://127.0.0.1:{port}/v1", folder / "litellm.log")
    with proxy.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program(judges, "litellm"),
            *("--config", str(settings), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"),
            env=_quiet(folder),
            cwd=folder,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        await _until_ready(proxy, process, f"http://127.0.0.1:{port}/health/readiness")
        yield proxy
    finally:
        await _end(process)


def _quiet(folder: Path) -> dict[str, str]:
    """Return an environment in which LiteLLM asks nobody for prices, news or releases, and no proxy of ours is used."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "LITELLM_OFFLINE_MODE": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "true",
        "NO_DOCS": "true",
        "DISABLE_ADMIN_UI": "true",
    }


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _until_ready(proxy: Proxy, process: asyncio.subprocess.Process, address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    async with httpx2.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline and process.returncode is None:
            with suppress(httpx2.TransportError):
                if (await client.get(address)).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise AssertionError(f"LiteLLM did not get ready in {START_SECONDS:.0f} s:\n{proxy.log.read_text()}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole process group, which is the proxy's own: politely first."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
