"""The composition root: builds every part from the settings and hands it down."""

import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from understudy import __version__
from understudy.api.app import Doors, create_app
from understudy.auth.keys import KeyHasher
from understudy.auth.links import LinkSigner
from understudy.auth.principal import Authenticator
from understudy.auth.secrets import RootSecret, load_root_secret
from understudy.auth.upstream_links import UpstreamLinks
from understudy.backends.base import Context
from understudy.backends.registry import load_backends
from understudy.bootstrap.casting import build_catalogue, called_back
from understudy.config import Settings, read_env
from understudy.db.base import Database
from understudy.db.connect import open_database
from understudy.domain.clock import system_clock_ms
from understudy.domain.errors import OperatorError
from understudy.moderation.filter import NOTICE, LocalModerator, LocalPolicy
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy
from understudy.sandbox.runner import Sandbox
from understudy.service.backlog import FREE_FLOOR_BYTES, Backlog
from understudy.service.health import HealthService
from understudy.service.keys import KeyService
from understudy.service.results import ResultService
from understudy.service.tasks import Quotas, TaskService
from understudy.service.upstream_events import UpstreamEvents
from understudy.storage.base import Storage
from understudy.storage.open import open_storage
from understudy.workflow.circuits import Circuits
from understudy.workflow.crash_points import CrashPoint, CrashSwitch
from understudy.workflow.parts import Parts
from understudy.workflow.places import Places
from understudy.workflow.routing import check_playable
from understudy.workflow.work import Work

CHECK_CHILDREN = 2
OTHER_PROCESSES_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every command needs: rows, secrets and the place for bytes."""

    settings: Settings
    database: Database
    storage: Storage
    secret: RootSecret
    keys: KeyService


@asynccontextmanager
async def open_foundation(settings: Settings, *, migrate: bool) -> AsyncIterator[Foundation]:
    """Open the data folder, the secret, the database and the storage; raise `OperatorError` for what cannot work."""
    data_dir = prepare_data_dir(settings.data_dir)
    secret = load_root_secret(settings.secret, data_dir)
    storage = open_storage(settings.storage_url, data_dir)
    await storage.check(free_floor_bytes=FREE_FLOOR_BYTES)
    database = await open_database(database_url(settings), migrate=migrate)
    try:
        keys = KeyService(
            database,
            KeyHasher(secret.derive("api keys")),
            webhook_root=secret.derive("webhook secrets"),
            clock_ms=system_clock_ms,
        )
        yield Foundation(settings, database, storage, secret, keys)
    finally:
        await database.close()


def prepare_data_dir(data_dir: Path) -> Path:
    """Make the data folder, readable by this user alone; return its absolute path."""
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "work").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise OperatorError(
            f"The data folder {folder} cannot be made ({error.strerror}): choose another with --data or "
            "UNDERSTUDY_DATA_DIR, or mend its rights."
        ) from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise OperatorError(f"The data folder {folder} is not writable: mend its rights, or name another with --data.")
    return folder


def embedded(settings: Settings) -> bool:
    """Tell whether this is the embedded form: SQLite, one process."""
    return not settings.database_url.startswith("postgres")


def database_url(settings: Settings) -> str:
    """Return the configured database, or SQLite in the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir.expanduser().absolute() / 'understudy.db'}"


async def _own_work(database: Database) -> None:
    if not await database.own_work():
        raise OperatorError(
            "Another Understudy advances the tasks of this database: stop it, or run `understudy serve --workers-off` "
            "beside it."
        )


def _ignore(*_: object) -> None:
    """Do nothing: where another process advances the tasks, that one finds them by itself."""


@asynccontextmanager
async def open_server(foundation: Foundation, *, public_url: str) -> AsyncIterator[FastAPI]:
    """Build everything and set it to work; on leaving, end what runs: its rows still say what is to be done."""
    settings = foundation.settings
    async with AsyncExitStack() as stack:
        places = Places(foundation.database, clock_ms=system_clock_ms)
        parts = await build_parts(foundation, public_url, stack, job_ended=places.job_ended)
        backlog = Backlog(foundation.database, foundation.storage, limit=settings.max_open_tasks)
        await stack.enter_async_context(backlog.watched())
        wake: Callable[[], None] = _ignore
        if settings.workers:
            await _own_work(foundation.database)
            work = Work(parts, places, idle_seconds=5.0 if embedded(settings) else OTHER_PROCESSES_SECONDS)
            await stack.enter_async_context(work.running())
            wake = work.wake
        app = create_app(_doors(foundation, parts, backlog, wake))
        # What was built lives as long as the process: left among the young, it made each full collection stop the
        # server for 60 ms.
        gc.collect()
        gc.freeze()
        yield app


async def build_parts(
    foundation: Foundation, public_url: str, stack: AsyncExitStack, *, job_ended: Callable[[str], None] = _ignore
) -> Parts:
    """Build what the workflow stands on; `stack` closes it."""
    settings, secret = foundation.settings, foundation.secret
    processes = settings.render_processes or os.cpu_count() or 1
    work_dir = settings.data_dir.expanduser().absolute() / "work"
    checks, renders = Sandbox(max_children=CHECK_CHILDREN), Sandbox(max_children=processes)
    stack.push_async_callback(checks.close)
    stack.push_async_callback(renders.close)
    outbound = _open_outbound(settings)
    stack.push_async_callback(outbound.close)
    context = Context(
        sandbox=renders,
        work_dir=work_dir,
        processes=processes,
        wake=job_ended,
        outbound=outbound,
        read_env=read_env,
    )
    backends = load_backends(settings.backends, context)
    stack.push_async_callback(backends.close)
    return Parts(
        database=foundation.database,
        storage=foundation.storage,
        backends=backends,
        catalogue=build_catalogue(settings, backends),
        moderator=LocalModerator(LocalPolicy.load(settings.policy_file)),
        outbound=outbound,
        sandbox=checks,
        links=LinkSigner(secret.derive("result links"), public_url.rstrip("/")),
        work_dir=work_dir,
        webhook_root=secret.derive("webhook secrets"),
        result_ms=int(settings.result_days * 86_400_000),
        callback_retry_seconds=settings.callback_retry_seconds,
        clock_ms=system_clock_ms,
        crash=crash_switch(settings),
        circuits=Circuits(foundation.database, clock_ms=system_clock_ms),
        upstream_links=UpstreamLinks(secret.derive("upstream webhooks"), public_url.rstrip("/")),
        called_back=called_back(settings, backends, public_url),
    )


def _open_outbound(settings: Settings) -> OutboundClient:
    policy = OutboundPolicy.parse(settings.outbound_allow)
    try:
        return OutboundClient(policy, ca_file=settings.outbound_ca_file)
    except OSError:
        raise OperatorError(
            f"The certificates {settings.outbound_ca_file} cannot be read: UNDERSTUDY_OUTBOUND_CA_FILE must name a PEM "
            "file."
        ) from None


def crash_switch(settings: Settings) -> CrashSwitch:
    """Return the switch for tests; raise `OperatorError` for a point that does not exist."""
    if not settings.crash_at:
        return CrashSwitch()
    try:
        return CrashSwitch(CrashPoint(settings.crash_at))
    except ValueError:
        names = ", ".join(CrashPoint)
        raise OperatorError(f"UNDERSTUDY_CRASH_AT must be one of {names}; leave it out in production.") from None


def _doors(foundation: Foundation, parts: Parts, backlog: Backlog, wake: Callable[[], None]) -> Doors:
    settings = foundation.settings
    quotas = Quotas(
        requests_per_minute=settings.requests_per_minute,
        concurrent_tasks=settings.concurrent_tasks,
        status_requests_per_minute=settings.status_requests_per_minute,
    )
    tasks = TaskService(
        foundation.database,
        parts.catalogue,
        quotas,
        check_playable=partial(check_playable, backends=parts.backends),
        check_callback=OutboundPolicy.parse(settings.outbound_allow).check_callback,
        backlog=backlog,
        deadline_ms=settings.task_deadline_seconds * 1000,
        clock_ms=system_clock_ms,
        crash=parts.crash,
        wake=wake,
    )
    hasher = KeyHasher(foundation.secret.derive("api keys"))
    return Doors(
        tasks=tasks,
        results=ResultService(foundation.database, parts.storage, parts.links, clock_ms=system_clock_ms),
        health=HealthService(foundation.database, parts.backends, backlog, moderation=NOTICE, clock_ms=system_clock_ms),
        upstream_events=UpstreamEvents(
            foundation.database, parts.backends, parts.upstream_links, clock_ms=system_clock_ms, wake=wake
        ),
        authenticator=Authenticator(foundation.database, hasher, clock_ms=system_clock_ms),
        catalogue=parts.catalogue,
        docs=settings.docs,
        version=__version__,
    )
