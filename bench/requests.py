"""The requests, as the bytes that go over the wire."""

import json
from typing import Final

STATUS_PATH: Final = "/api/v1/statusTask/sora-2-pro"
SUBMIT_PATH: Final = "/api/v1/generateTask/sora-2-pro"
PROMPT: Final = "A lighthouse above a calm sea at dawn, gulls over the water, the camera drifts slowly to the right."


def _request(line: str, *headers: str, body: str = "") -> str:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*", *headers, "", body))


def status_request(task_id: str, key: str) -> str:
    """Return a poll of one task."""
    return _request(f"GET {STATUS_PATH}?taskId={task_id}", f"Authorization: Bearer {key}")


def submit_body(prompt: str = PROMPT, *, duration: int = 4, size: str = "720*1280") -> dict[str, object]:
    """Return the body of a submit."""
    return {"request_type": "async", "input": {"prompt": prompt, "duration": duration, "size": size}}


def submit_request(key: str) -> str:
    """Return a submit."""
    body = json.dumps(submit_body())
    headers = (f"Authorization: Bearer {key}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return _request(f"POST {SUBMIT_PATH}", *headers, body=body)


def range_requests(path: str, size_bytes: int, part_bytes: int) -> tuple[str, ...]:
    """Return the requests that read a film part by part, from its first byte to its last."""
    firsts = range(0, size_bytes, part_bytes)
    lasts = (min(first + part_bytes, size_bytes) - 1 for first in firsts)
    return tuple(
        _request(f"GET {path}", f"Range: bytes={first}-{last}") for first, last in zip(firsts, lasts, strict=True)
    )


def get_request(path: str) -> str:
    """Return a plain request, for the servers that ours is held against; as long as a poll."""
    return _request(f"GET {path}", "Authorization: Bearer und_000000000000000000000000000000000000")
