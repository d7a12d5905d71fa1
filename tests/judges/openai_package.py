"""The official `openai` package in a process of its own, seen from a test."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.judges.environment import program

CALL_SECONDS = 30.0
DRIVER = Path(__file__).with_name("drive_openai.py")


class PackageError(Exception):
    """An exception of the package: `kind` is its class, `status` the HTTP status, `code` what the server called it."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["text"])
        self.kind = str(told["type"])
        self.status = told["status_code"]
        self.code = told["code"]
        self.message = str(told["message"])


@dataclass(frozen=True, slots=True)
class OpenAIPackage:
    """The running package, as a client of the server at `url` (with `/v1`)."""

    process: asyncio.subprocess.Process
    url: str
    key: str

    async def call(self, method: str, *, retries: int = 0, **given: object) -> Any:
        """Call a method of the client (`drive_openai.py` says how); return what it gave or raise `PackageError`."""
        order = {"url": self.url, "key": self.key, "call": method, "given": given, "retries": retries}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), CALL_SECONDS)
        except TimeoutError:
            # A late answer would be taken for the next call's.
            self.process.kill()
            raise
        assert line, "the package's process died; what it wrote stands above"
        answer = json.loads(line)
        if "error" in answer:
            raise PackageError(answer["error"])
        return answer["value"]

    async def download(self, video_id: str) -> bytes:
        """Return the bytes of a video."""
        return base64.b64decode((await self.call("videos.download_content", video_id=video_id))["base64"])


@asynccontextmanager
async def package_process(judges: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the driver with the judges' interpreter; end it when done. What it writes to stderr is the test's."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program(judges, "python"), "-I", str(DRIVER), stdin=pipe, stdout=pipe, limit=16 * 1024 * 1024
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
