"""Whatever is asked, the answer is the envelope, with an id and without a word of what happened inside."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from tests.unit.api.house import STATUS, SUBMIT, House, exchange, open_house, serve
from understudy.api.errors import STATUS_OF
from understudy.api.guard import Guard
from understudy.domain.errors import Forbidden, Refusal


def leaves(root: type[Refusal]) -> Iterator[type[Refusal]]:
    """Iterate over every kind of refusal."""
    for kind in root.__subclasses__():
        yield kind
        yield from leaves(kind)


def test_every_refusal_has_a_status() -> None:
    assert set(leaves(Refusal)) == set(STATUS_OF)


UNKNOWN = [
    "/api",
    "/api/",
    "/api/v1/",
    "/api/v1/generateTask",
    "/api/v1/generateTask/",
    "/api/v1/generateTask/sora-2-pro/",
    "/api/v1/generatetask/sora-2-pro",
    "/api/v1//generateTask/sora-2-pro",
    "/api/v1/statusTask/",
    "/api/v1/statusTask/a/b",
    "/api/v1/statusTask/..%2fgenerateTask",
    "/api/v1/statusTask/a%2Fb",
    "/API/v1/statusTask/sora-2-pro",
    "//api/v1/statusTask/sora-2-pro",
    "/health/",
    "/docs/",
    "/v",
    "/v/x",
    "/nothing",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_path_is_a_404_without_a_redirect(house: House, method: str) -> None:
    head = "HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    answers = {path: await exchange(house.port, f"{method} {path} {head}".encode()) for path in UNKNOWN}

    assert {path: answer.status for path, answer in answers.items() if answer.status != 404} == {}
    assert {answer.body for answer in answers.values()} == {b'{"code":404,"message":"Not found","data":null}'}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/json"}
    assert all(answer.headers["x-request-id"] for answer in answers.values())


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/", "/favicon.ico"])
async def test_a_wrong_method_is_a_405_that_names_the_right_ones(house: House, path: str) -> None:
    async with house.client("") as client:
        answer = await client.delete(path)

    assert (answer.status_code, answer.json()["code"]) == (405, 405)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/api/v1/statusTask/a%00b?taskId=x", "/api/v1/statusTask/%ff?taskId=%ff", "/%00"])
async def test_odd_characters_in_a_path_are_a_404(house: House, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.key}\r\n\r\n"

    assert (await exchange(house.port, request.encode())).status == 404


async def test_http_1_0_is_answered_and_closed(house: House) -> None:
    answer = await exchange(house.port, b"GET /nothing HTTP/1.0\r\n\r\n")

    assert (answer.status, answer.headers["connection"]) == (404, "close")


async def test_every_request_has_an_id_of_its_own(house: House) -> None:
    async with house.client() as client:
        answers = [await client.get(path) for path in (STATUS, "/nothing", "/health", "/docs", STATUS)]

    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 5
    assert all(answer.headers["x-content-type-options"] == "nosniff" for answer in answers)


async def crash(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail with a secret in the message."""
    raise RuntimeError("secret: hunter2")


async def crash_half_way(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail after the head has left."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    raise RuntimeError("secret: hunter2")


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse."""
    raise Forbidden("The key may not use this model")


async def test_a_crash_is_a_500_that_names_the_request_and_nothing_else() -> None:
    async with serve(Guard(crash)) as url:
        with capture_logs() as logs:
            answer = await exchange(int(url.rsplit(":", 1)[1]), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    request_id = answer.headers["x-request-id"]
    expected = {"code": 500, "message": "Internal server error", "data": {"requestId": request_id}}
    assert (answer.status, json.loads(answer.body)) == (500, expected)
    assert [entry["request_id"] for entry in logs if entry["event"] == "request_crashed"] == [request_id]


async def test_a_crash_in_the_middle_breaks_the_connection_off() -> None:
    async with serve(Guard(crash_half_way)) as url:
        with pytest.raises(asyncio.IncompleteReadError) as caught, capture_logs():
            await exchange(int(url.rsplit(":", 1)[1]), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert caught.value.partial == b"12345"


async def test_a_refusal_that_nobody_caught_is_mapped() -> None:
    async with serve(Guard(refuse)) as url:
        answer = await exchange(int(url.rsplit(":", 1)[1]), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert json.loads(answer.body) == {"code": 403, "message": "The key may not use this model", "data": None}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
wire_fields = st.fixed_dictionaries(
    {},
    optional={
        "request_type": st.sampled_from(["async", "callback"]) | json_values,
        "callback_url": st.sampled_from(["https://example.com/", "http://[::1", "https://\x00"]) | json_values,
        "provider": st.just("official") | json_values,
        "input": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["text-to-video", "image-to-video"]) | json_values,
                "prompt": st.text(min_size=1) | json_values,
                "duration": st.sampled_from([4, "8", 12.0, True]) | json_values,
                "size": st.sampled_from(["720*1280", "720x1280"]) | json_values,
                "resolution": st.just("720p") | json_values,
                "image_urls": st.lists(st.text(max_size=20), max_size=2) | json_values,
                "x": json_values,
            },
        )
        | json_values,
    },
)


def test_no_body_makes_us_answer_5xx(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opened = open_house(tmp_path, requests_per_minute=100_000, concurrent_tasks=100_000)
        house = runner.run(opened.__aenter__())

        @settings(max_examples=150, deadline=None)
        @given(wire_fields | json_values)
        def submit(body: Any) -> None:
            content = json.dumps(body).encode()
            head = (
                f"POST {SUBMIT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            answer = runner.run(exchange(house.port, head.encode() + content))

            assert answer.status in {200, 400}
            assert json.loads(answer.body)["code"] == answer.status

        try:
            submit()
        finally:
            runner.run(opened.__aexit__(None, None, None))
