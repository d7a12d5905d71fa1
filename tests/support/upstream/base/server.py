"""The scripted upstream: HTTP/1.1 with keep-alive on raw sockets, so that it can also send what no library would."""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.support.upstream.base.faults import PAGE, Fault, Scene
from tests.support.upstream.base.jobs import Job, Mishap, Phase, Plan
from tests.support.upstream.base.media import picture_bytes, tiny_film
from tests.support.upstream.base.vendor import Call, CallName, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Request, read_body, read_head

LISTED = 100
"""Most jobs that are handed to a vendor's list."""

_NO_CALL = Answer(404, b'{"error":"no such call"}', {"Content-Type": "application/json"})


class ScriptedUpstream:
    """One vendor's service, scripted.

        async with ScriptedUpstream(OpenAIVideos()) as upstream:
            upstream.script("submit", status(429))          # the first submission, later ones go well
            upstream.plan(Plan(mishap=Mishap.NO_FILE))      # the first job, later ones go as `usual_plan`
            registry = load_backends({"x": upstream.settings()}, context)

    `creations` counts the jobs that exist: created as soon as a valid request has been read whole, whatever becomes of
    the answer. `requests` holds what came to the interface, `file_requests` what came to the CDN (both the newest
    `remember`); `internal_connections` counts connections to an address that no backend may be led to. `film` is what
    every job makes; `usual_plan` is how a job goes that has no plan of its own.
    """

    def __init__(
        self, vendor: Vendor, *, film: bytes | None = None, usual_plan: Plan | None = None, remember: int = 2000
    ) -> None:
        self.vendor = vendor
        self.film = tiny_film() if film is None else film
        self.usual_plan = usual_plan or Plan()
        self.jobs: dict[str, Job] = {}
        self.requests: deque[Request] = deque(maxlen=remember)
        self.file_requests: deque[Request] = deque(maxlen=remember)
        self.internal_connections = 0
        self._scripts: dict[str, deque[Fault]] = {}
        self._always: dict[str, Fault] = {}
        self._plans: deque[Plan] = deque()
        self._connections: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self._bugs: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._servers = [
            await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024 * 1024)
            for serve in (self._serve_api, self._serve_files, self._serve_internal)
        ]
        self.port, self.file_port, self.internal_port = (server.sockets[0].getsockname()[1] for server in self._servers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        if self._bugs and error is None:
            # The other side only saw a connection that was closed; what happened here is what a person needs.
            raise self._bugs[0]

    @property
    def address(self) -> str:
        """Where the interface is, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def file_address(self) -> str:
        """Where the CDN is, without a path."""
        return f"http://127.0.0.1:{self.file_port}"

    @property
    def creations(self) -> int:
        """How many jobs were created."""
        return len(self.jobs)

    @property
    def outbound_allow(self) -> tuple[str, ...]:
        """What an `OutboundPolicy` must allow for the CDN to be reached; the internal address is not in it."""
        return (f"127.0.0.1:{self.file_port}",)

    def settings(self, **more: object) -> dict[str, object]:
        """Return the backend's table `[backends.NAME]`, with `more` settings."""
        return {**self.vendor.settings(self.address), **more}

    def script(self, call: CallName, *faults: Fault) -> None:
        """Let the next calls of this kind meet these faults, one each; what comes after them goes well."""
        self._scripts.setdefault(call, deque()).extend(faults)

    def always(self, call: CallName, fault: Fault) -> None:
        """Let every call of this kind meet the fault, once its script has run out."""
        self._always[call] = fault

    def plan(self, *plans: Plan) -> None:
        """Let the next jobs go by these plans, one each."""
        self._plans.extend(plans)

    def calls(self, call: CallName) -> list[Request]:
        """Return the requests that were taken for this call, in their order."""
        return [request for request in (*self.requests, *self.file_requests) if request.call == call]

    async def wait_until(self, condition: Callable[[], bool], *, seconds: float = 10) -> None:
        """Wait until `condition` holds, looking whenever a call has taken effect; raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(condition)

    async def post_webhook(self, job: Job) -> int:
        """POST the vendor's webhook about `job` to the address that its submission named; return the status.

        The address must be plain HTTP. The job's phase is told as it is at the last poll.
        """
        address, made = job.submission.webhook, self.vendor.webhook(job)
        assert address is not None, "the submission named no webhook"
        assert made is not None, f"{self.vendor.kind} has no webhooks"
        body, headers = made
        url = urlsplit(address)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        try:
            fields = {"Host": url.netloc, "Content-Length": str(len(body)), "Connection": "close", **headers}
            lines = [f"POST {url.path}{'?' * bool(url.query)}{url.query} HTTP/1.1"]
            lines += [f"{name}: {text}" for name, text in fields.items()]
            writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            return int((await reader.read()).split(b" ", 2)[1])
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    # Connections ------------------------------------------------------------------------------------------------

    async def _serve_api(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._converse(reader, writer, at_origin=True)

    async def _serve_files(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._converse(reader, writer, at_origin=False)

    async def _serve_internal(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        self.internal_connections += 1
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, at_origin: bool) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while (request := await read_head(reader)) is not None:
                    if not await self._exchange(request, reader, writer, at_origin=at_origin):
                        break
        except Exception as bug:  # noqa: BLE001 - a vendor's fake is wrong, or was asked what it cannot
            self._bugs.append(bug)
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, at_origin: bool
    ) -> bool:
        log = self.requests if at_origin else self.file_requests
        call = self.vendor.route(request.method, request.path) if at_origin else _file_route(request)
        name = call.name if call is not None else ""
        fault = self._next_fault(name)
        if fault is None or not fault.unread:
            request = replace(request, body=await read_body(reader, request), call=name)
            log.append(request)
        else:
            log.append(replace(request, call=name, whole=False))
        denied = self.vendor.unauthorized(request) if at_origin and call is not None else None
        usual = denied or (self._answer(request, call) if fault is None or fault.acts else None)

        async with self._news:
            self._news.notify_all()

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        if fault is None:
            assert usual is not None
            await send(usual.head() + (b"" if request.method == "HEAD" else usual.body))
            return "Connection" not in usual.headers
        scene = Scene(
            vendor=self.vendor,
            request=request,
            usual=usual,
            send=send,
            reset=lambda: _reset(writer),
            hold=lambda seconds: _hold(reader, seconds),
        )
        return await fault.play(scene)

    def _next_fault(self, call: str) -> Fault | None:
        script = self._scripts.get(call)
        return script.popleft() if script else self._always.get(call)

    # Answers ----------------------------------------------------------------------------------------------------

    def _answer(self, request: Request, call: Call | None) -> Answer:
        """Let the call take effect and return the vendor's usual answer."""
        if call is None:
            return _LOGIN if request.path == "/login" else _NO_CALL
        match call.name:
            case "submit":
                return self._submit(request)
            case "list":
                newest = list(islice(reversed(self.jobs.values()), LISTED))
                return self.vendor.listed(newest, request.query)
            case "check":
                return self.vendor.checked(request.path)
            case "upload":
                return self.vendor.uploaded(request, self.address)
            case _:
                return self._about_job(request, call)

    def _submit(self, request: Request) -> Answer:
        try:
            submission = self.vendor.read_submission(request)
        except Denied as denied:
            return denied.answer
        plan = self._plans.popleft() if self._plans else self.usual_plan
        job = Job(id=self.vendor.new_job_id(), submission=submission, plan=plan)
        self.jobs[job.id] = job
        return self.vendor.submitted(job, self.address)

    def _about_job(self, request: Request, call: Call) -> Answer:
        job = self.jobs.get(call.job_id)
        if job is None or (job.plan.mishap is Mishap.VANISHES and call.name != "cancel"):
            return self.vendor.unknown_job()
        match call.name:
            case "poll":
                job.advance()
                self._link(job)
                return self.vendor.polled(job)
            case "result":
                self._link(job)
                return self.vendor.result(job)
            case "cancel":
                job.cancelled = True
                job.phase = Phase.CANCELLED
                return self.vendor.cancelled(job)
            case _:
                return self._file(request, job, call.file)

    def _link(self, job: Job) -> None:
        """Give the job its links: none before it is done."""
        mishap = job.plan.mishap
        job.issue += 1
        if job.phase is not Phase.DONE or mishap is Mishap.NO_FILE:
            job.links = ()
        elif mishap is Mishap.PRIVATE_LINK:
            job.links = (f"http://127.0.0.1:{self.internal_port}/film.mp4",)
        else:
            job.links = tuple(self._link_to(job, file) for file in range(2 if mishap is Mishap.TWO_FILES else 1))

    def _link_to(self, job: Job, file: int) -> str:
        if self.vendor.files_at == "origin":
            return f"{self.address}{self.vendor.file_path(job, file)}"
        return f"{self.file_address}/files/{job.id}/{file}.mp4?issue={job.issue}&sig={secrets.token_hex(8)}"

    def _file(self, request: Request, job: Job, file: int) -> Answer:
        mishap = job.plan.mishap
        if job.phase is not Phase.DONE or mishap is Mishap.NO_FILE or file > (mishap is Mishap.TWO_FILES):
            return self.vendor.error(404, "There is no such file.")
        if mishap is Mishap.EXPIRED_LINK and self._expired(request, job):
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        if mishap is Mishap.LOGIN_PAGE:
            return Answer(302, b"", {"Location": "/login"})
        data, length = self.film, len(self.film)
        if mishap is Mishap.WRONG_MEDIA or file > 0:
            data = picture_bytes(width=64, height=64, form="PNG")
            length = len(data)
        elif mishap in (Mishap.TRUNCATED, Mishap.WRONG_LENGTH):
            data = data[: len(data) // 2]
            length = len(data) if mishap is Mishap.TRUNCATED else length
        headers = {"Content-Type": "video/mp4", "Content-Length": str(length)}
        if length != len(data):
            headers["Connection"] = "close"
        return Answer(200, data, headers)

    def _expired(self, request: Request, job: Job) -> bool:
        if job.stale_before == 0:
            job.stale_before = job.issue + 1
        return int(request.query.get("issue", str(job.issue))) < job.stale_before


_LOGIN = Answer(200, PAGE, {"Content-Type": "text/html"})


def _file_route(request: Request) -> Call | None:
    parts = request.path.split("/")
    if len(parts) != 4 or parts[1] != "files":
        return None
    return Call("download", parts[2], int(parts[3].removesuffix(".mp4")))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side reads "connection reset", not an orderly end."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _hold(reader: asyncio.StreamReader, seconds: float) -> None:
    """Wait `seconds`, or until the other side leaves; it sends nothing while it waits for an answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            if not await reader.read(1):
                raise ConnectionResetError
