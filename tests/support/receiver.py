"""An HTTP receiver on a raw socket that answers by a script, good and bad alike.

    async with Receiver(reply(500), reply(200)) as receiver:
        ...  # make something POST to receiver.url("/hook")
        [first, second] = await receiver.wait_for(2)

It is no HTTP library, so that it can also send what no HTTP library would. Every connection carries one exchange.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

TLS_FOLDER = Path(__file__).parent / "tls"
CA_FILE = TLS_FOLDER / "ca.pem"

Send = Callable[[bytes], Awaitable[None]]
Reply = Callable[[Send], Awaitable[None]]
"""Sends an answer, piece by piece or not at all; the connection is closed when it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as it came. `headers` has lower-case names; `at` is Unix time in seconds."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


def reply(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None, *, delay_seconds: float = 0
) -> Reply:
    """Answer properly, after `delay_seconds`. `headers` replace the ones that are sent by default."""
    fields = {"Content-Length": str(len(body)), "Connection": "close"} | dict(headers or {})
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in fields.items())]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body, delay_seconds=delay_seconds)


def redirect(location: str, status: int = 302) -> Reply:
    """Answer with a redirect."""
    return reply(status, headers={"Location": location})


def raw(data: bytes, *, delay_seconds: float = 0) -> Reply:
    """Send `data` as it is and close; with no data that is hanging up."""

    async def answer(send: Send) -> None:
        await asyncio.sleep(delay_seconds)
        await send(data)

    return answer


def drip(head: bytes, *, piece: bytes = b"x", every_seconds: float = 0.05) -> Reply:
    """Send `head`, then `piece` again and again, slowly, for ever."""

    async def answer(send: Send) -> None:
        await send(head)
        while True:
            await asyncio.sleep(every_seconds)
            await send(piece)

    return answer


def endless(head: bytes, block: bytes) -> Reply:
    """Send `head`, then `block` as fast as the other side takes it, for ever."""

    async def answer(send: Send) -> None:
        await send(head)
        while True:
            await send(block)

    return answer


def hold(data: bytes = b"") -> Reply:
    """Send `data`, then neither say more nor close."""

    async def answer(send: Send) -> None:
        await send(data)
        await asyncio.Event().wait()

    return answer


class Receiver:
    """The receiver. The n-th request gets the n-th answer of the script, later ones the last; without a script, 200.

    `certificate` names a pair of files in `tls/` and makes it speak TLS. `bytes_sent` counts what it could send.
    """

    def __init__(self, *script: Reply, certificate: str | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.bytes_sent = 0
        self.host = host
        self.port = port
        self._script = script or (reply(),)
        self._certificate = certificate
        self._arrived = asyncio.Condition()
        self._exchanges: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=self._tls())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for exchange in self._exchanges:
            exchange.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """Return the address of `path` here, under another name for this host if one is given."""
        scheme = "http" if self._certificate is None else "https"
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    async def wait_for(self, count: int, *, seconds: float = 10) -> list[ReceivedRequest]:
        """Return the requests once there are at least `count`; raises `TimeoutError` after `seconds`."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    def _tls(self) -> ssl.SSLContext | None:
        if self._certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS_FOLDER / f"{self._certificate}.pem", TLS_FOLDER / f"{self._certificate}.key")
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._exchanges.add(task)
            task.add_done_callback(self._exchanges.discard)
        self.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._exchange(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read_request(reader)
        async with self._arrived:
            self.requests.append(request)
            answer = self._script[min(len(self.requests), len(self._script)) - 1]
            self._arrived.notify_all()

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()
            self.bytes_sent += len(data)

        talking = asyncio.ensure_future(answer(send))
        leaving = asyncio.ensure_future(reader.read())  # ends when the other side has gone
        try:
            await asyncio.wait({talking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            talking.cancel()
            leaving.cancel()
            await asyncio.gather(talking, leaving, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = request_line.split(" ")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return ReceivedRequest(method=method, path=path, headers=headers, body=body, at=time.time())
