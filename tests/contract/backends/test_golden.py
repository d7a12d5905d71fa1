"""The exact request that each backend sends for a few films, kept in `golden/<kind>/<case>.json`.

A change on the wire shows up here as a difference to read, not as a surprise at a vendor who charges for it. After a
wanted change, `UPDATE_GOLDEN=1 pytest tests/contract/backends/test_golden.py` writes the files anew; read the diff.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.backends.stage import KINDS, MODEL, Stage
from tests.support.upstream import Request
from understudy.backends.base import CannotPlay
from understudy.domain.catalogue import Size

FOLDER: Final = Path(__file__).parent / "golden"
CASES: Final = {
    "text-4s-1280x720": (4, Size(1280, 720), False),
    "text-8s-720x1280": (8, Size(720, 1280), False),
    "text-12s-1792x1024": (12, Size(1792, 1024), False),
    "picture-4s-720x1280": (4, Size(720, 1280), True),
    "picture-8s-1920x1080": (8, MODEL.resolutions["1080p"], True),
}
_NOT_OURS: Final = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection", "content-length"})


@pytest.mark.parametrize("case", CASES)
async def test_the_request_is_the_one_on_record(stage: Stage, case: str) -> None:
    seconds, size, picture = CASES[case]
    file = FOLDER / stage.vendor.kind / f"{case}.json"
    try:
        request = stage.request(stage.wanted(seconds=seconds, size=size, picture=picture))
    except CannotPlay as error:
        sent: Any = {"cannot_play": str(error)}
    else:
        await stage.backend.submit(request)
        shown = _Shown(stage, None if request.picture is None else request.picture.read_bytes())
        sent = [shown.request(one) for one in stage.upstream.requests]

    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(sent, indent=2, ensure_ascii=False) + "\n", "utf-8")

    assert sent == json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_on_record_is_orphaned(kind: str) -> None:
    assert {file.stem for file in (FOLDER / kind).iterdir()} == set(CASES)


class _Shown:
    """Shows requests without what differs from run to run: the address, the key, the picture's bytes."""

    def __init__(self, stage: Stage, picture: bytes | None) -> None:
        self._masks = [(stage.upstream.address, "<upstream>"), (stage.vendor.key, "<key>")]
        self._picture = picture
        if picture is not None:
            self._masks.append((base64.b64encode(picture).decode(), "<picture>"))

    def request(self, request: Request) -> dict[str, Any]:
        headers = {name: text for name, text in sorted(request.headers.items()) if name not in _NOT_OURS}
        headers["content-type"] = request.media_type
        return {
            "method": request.method,
            "target": self._masked(request.target),
            "headers": self._masked(headers),
            "body": self._body(request),
        }

    def _body(self, request: Request) -> Any:
        if request.media_type == "multipart/form-data":
            fields, files = request.form()
            return {
                "fields": self._masked(fields),
                "files": {
                    name: [part.file_name, part.media_type, self._bytes(part.data)] for name, part in files.items()
                },
            }
        if request.media_type == "application/json":
            return self._masked(json.loads(request.body))
        return self._bytes(request.body)

    def _bytes(self, data: bytes) -> str:
        return "<picture>" if data == self._picture else self._masked(data.decode("latin-1"))

    def _masked(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._masked(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._masked(part) for part in value]
        if isinstance(value, str):
            for secret, mask in self._masks:
                value = value.replace(secret, mask)
        return value
