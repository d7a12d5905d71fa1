"""The application over real parts: SQLite, files, and a uvicorn on a free port of 127.0.0.1."""

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from understudy.api.app import Doors, create_app
from understudy.api.protocol import HttpProtocol
from understudy.auth.keys import KeyHasher
from understudy.auth.links import LinkSigner
from understudy.auth.principal import Authenticator
from understudy.auth.upstream_links import UpstreamLinks
from understudy.backends.registry import Registry
from understudy.db import assets, tasks
from understudy.db.base import Database
from understudy.db.connect import open_database, sqlite_url
from understudy.domain.catalogue import DEFAULT_CATALOGUE
from understudy.domain.clock import system_clock_ms
from understudy.domain.errors import FailCode
from understudy.domain.ids import TaskId, new_asset_id, new_task_id
from understudy.domain.records import Asset, AssetKind
from understudy.domain.task import Stage, State
from understudy.domain.url import parse_url
from understudy.service.backlog import Backlog
from understudy.service.health import HealthService
from understudy.service.keys import KeyService
from understudy.service.results import ResultService
from understudy.service.tasks import Quotas, TaskService
from understudy.service.upstream_events import UpstreamEvents
from understudy.storage.local import LocalStorage
from understudy.workflow.crash_points import CrashSwitch

SUBMIT = "/api/v1/generateTask/sora-2-pro"
STATUS = "/api/v1/statusTask/sora-2-pro"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading the system's certificates takes longer than a test
BODY = {"input": {"prompt": "A lighthouse at dusk"}}


def check_callback(url: str) -> None:
    """Allow every HTTPS callback; the real rule has tests of its own."""
    if parse_url(url).scheme != "https":
        raise ValueError("must be an HTTPS URL with a public host")


@dataclass(frozen=True, slots=True)
class House:
    """A running server and what stands behind it."""

    url: str
    key: str
    other_key: str
    keys: KeyService
    database: Database
    storage: LocalStorage
    links: LinkSigner
    folder: Path

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rsplit(":", 1)[1])

    def client(self, key: str | None = None) -> httpx2.AsyncClient:
        """Return a client with the house's key, or another one; "" for none."""
        value = self.key if key is None else key
        headers = {"Authorization": f"Bearer {value}"} if value else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, trust_env=False, verify=NO_TLS)

    async def start_task(self, task_id: str, *, progress: int | None) -> None:
        """Let a backend have the task."""
        row = await self.database.read(lambda reader: tasks.get_task(reader, task_id=TaskId(task_id)))
        assert row is not None
        await self.database.transact(
            lambda tx: tasks.move_task(
                tx,
                task_id=TaskId(task_id),
                claim=row.claim,
                from_stage=row.stage,
                to_stage=Stage.AWAIT,
                state=State.PROCESSING,
                next_at_ms=0,
                progress=progress,
            )
        )

    async def end_task(self, task_id: str, *, urls: tuple[str, ...] = (), fail_code: FailCode | None = None) -> None:
        """End the task."""
        await self.database.transact(
            lambda tx: tasks.end_task(
                tx,
                task_id=TaskId(task_id),
                claim=0,
                state=State.SUCCESS if fail_code is None else State.FAILED,
                completed_at_ms=system_clock_ms(),
                result_urls=urls,
                fail_code=fail_code,
                fail_message=None if fail_code is None else "The prompt asks for something this server does not make",
            )
        )

    async def add_film(self, task_id: str, content: bytes) -> Asset:
        """Store `content` as the task's film."""
        source = self.folder / "film.mp4"
        source.write_bytes(content)
        key = f"{task_id}/{new_asset_id()}.mp4"
        await self.storage.put_file(key, source, content_type="video/mp4")
        asset = Asset(
            id=new_asset_id(),
            task_id=TaskId(task_id),
            kind=AssetKind.OUTPUT,
            position=0,
            storage_key=key,
            media_type="video/mp4",
            width=720,
            height=1280,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            created_at_ms=system_clock_ms(),
            expires_at_ms=system_clock_ms() + 86_400_000,
        )
        await self.database.transact(lambda tx: assets.insert_asset(tx, asset))
        return asset

    def link(self, task_id: str, *, seconds: int = 3600) -> str:
        """Return a signed link of the task's film, ending `seconds` from now."""
        return self.links.sign(TaskId(task_id), 0, ends_at_s=system_clock_ms() // 1000 + seconds)


@contextlib.asynccontextmanager
async def serve(app: ASGIApp, protocol: type[HttpProtocol] = HttpProtocol) -> AsyncIterator[str]:
    """Serve `app` with uvicorn's protocol but without its main loop, which takes a tick to end; gives the address."""
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def open_house(
    folder: Path,
    *,
    requests_per_minute: int = 10_000,
    concurrent_tasks: int = 1000,
    status_requests_per_minute: int = 100_000,
    open_tasks: int = 10_000,
    body_seconds: float = 30.0,
    docs: bool = True,
) -> AsyncIterator[House]:
    """Build the parts in `folder` and serve them."""
    database = await open_database(sqlite_url(folder / "test.db"), migrate=True)
    hasher = KeyHasher(b"p" * 32)
    storage = LocalStorage(folder / "results")
    backlog = Backlog(database, storage, limit=open_tasks)
    links = LinkSigner(b"l" * 32, "")
    keys = KeyService(database, hasher, webhook_root=b"w" * 32, clock_ms=system_clock_ms)
    quotas = Quotas(
        requests_per_minute=requests_per_minute,
        concurrent_tasks=concurrent_tasks,
        status_requests_per_minute=status_requests_per_minute,
    )
    task_service = TaskService(
        database,
        DEFAULT_CATALOGUE,
        quotas,
        check_callback=check_callback,
        check_playable=lambda _model, _request: None,
        backlog=backlog,
        deadline_ms=3_600_000,
        clock_ms=system_clock_ms,
        crash=CrashSwitch(),
        wake=lambda: None,
    )
    doors = Doors(
        tasks=task_service,
        results=ResultService(database, storage, links, clock_ms=system_clock_ms),
        health=HealthService(database, Registry(()), backlog, moderation="off", clock_ms=system_clock_ms),
        upstream_events=UpstreamEvents(
            database, Registry(()), UpstreamLinks(b"u" * 32, ""), clock_ms=system_clock_ms, wake=lambda: None
        ),
        authenticator=Authenticator(database, hasher, clock_ms=system_clock_ms),
        catalogue=DEFAULT_CATALOGUE,
        version="0.0.0",
        docs=docs,
        body_seconds=body_seconds,
    )
    try:
        key, other = (await keys.create("one")).key, (await keys.create("two")).key
        async with serve(create_app(doors)) as url:
            yield House(url, key, other, keys, database, storage, links, folder)
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer as it came over the wire; `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def read_answer(reader: asyncio.StreamReader) -> RawAnswer:
    """Read one answer that has a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return RawAnswer(int(head[0].split(" ")[1]), headers, body)


async def exchange(port: int, *parts: bytes) -> RawAnswer:
    """Send `parts` as they are over a connection of their own and return the first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(20):
            return await read_answer(reader)
    finally:
        writer.close()


def unknown_task_id() -> str:
    """Return an id of the right shape that names no task."""
    return new_task_id()
