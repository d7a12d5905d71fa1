"""Requests as they came and answers as they go, without any HTTP library in between."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

_NAME = re.compile(r'\bname="([^"]*)"')
_FILE_NAME = re.compile(r'\bfilename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a multipart form."""

    file_name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came. `target` is the whole of path and query; `headers` have lower-case names.

    `at` is Unix time in seconds. `call` is what the vendor took it for ("submit", "poll", …; "" if it knows no such
    call). `whole` is False where the connection was cut before the body was read.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    at: float = field(default_factory=time.time)
    call: str = ""
    whole: bool = True

    @property
    def path(self) -> str:
        """The path, without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query, the last of equal names."""
        found = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: texts[-1] for name, texts in found.items()}

    @property
    def media_type(self) -> str:
        """The media type of the body, without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def table(self) -> dict[str, Any]:
        """Return the JSON object of the body; empty if it is anything else."""
        if self.media_type != "application/json":
            return {}
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def form(self) -> tuple[dict[str, str], dict[str, Part]]:
        """Return the fields and the files of a multipart/form-data body; both empty if it is anything else."""
        boundary = re.search(r'boundary="?([^";]+)', self.headers.get("content-type", ""))
        fields: dict[str, str] = {}
        files: dict[str, Part] = {}
        if self.media_type != "multipart/form-data" or boundary is None:
            return fields, files
        for piece in self.body.split(b"--" + boundary[1].encode())[1:-1]:
            head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            lines = {
                name.strip().lower(): text.strip()
                for name, _, text in (line.partition(":") for line in head.decode("utf-8").split("\r\n"))
            }
            disposition = lines.get("content-disposition", "")
            name, file_name = _NAME.search(disposition), _FILE_NAME.search(disposition)
            data = data.removesuffix(b"\r\n")
            if name is None:
                continue
            if file_name is None:
                fields[name[1]] = data.decode("utf-8")
            else:
                files[name[1]] = Part(file_name[1], lines.get("content-type", ""), data)
        return fields, files


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `headers` replace those sent by default (Content-Length)."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self) -> bytes:
        """Return the status line and the headers, the empty line included."""
        return head(self.status, {"Content-Length": str(len(self.body)), **self.headers})


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with a JSON value."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return a status line and headers as bytes."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


async def read_head(reader: asyncio.StreamReader) -> Request | None:
    """Read a request up to its body; None if the other side has closed."""
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = text.rstrip("\r\n").split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method=method, target=target, headers=headers)


async def read_body(reader: asyncio.StreamReader, request: Request) -> bytes:
    """Read the body that `request` announces."""
    if "chunked" not in request.headers.get("transfer-encoding", "").lower():
        return await reader.readexactly(int(request.headers.get("content-length", "0")))
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return bytes(body)
