"""`POST /api/v1/generateTask/{model}` (contract.md §2, §5, §6)."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.unit.api.house import BODY, STATUS, SUBMIT, House, open_house


def error_of(answer: httpx2.Response) -> str:
    """Return the sentence of a 400."""
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert answer.json()["message"] == "Invalid request"
    return str(answer.json()["data"]["error"])


async def test_an_accepted_submit_answers_with_a_task_id_and_nothing_else(house: House) -> None:
    async with house.client() as client:
        answer = await client.post(SUBMIT, json=BODY)

    task_id = answer.json()["data"]["taskId"]
    assert answer.status_code == 200
    assert answer.content == b'{"code":200,"message":"success","data":{"taskId":"%s"}}' % task_id.encode()
    assert task_id.startswith("task_")


async def test_an_accepted_task_can_be_read_at_once(house: House) -> None:
    async with house.client() as client:
        task_id = (await client.post(SUBMIT, json=BODY)).json()["data"]["taskId"]
        status = await client.get(STATUS, params={"taskId": task_id})

    assert status.json()["data"]["state"] == "pending"


async def test_answers_carry_the_bucket_an_id_and_forbid_caching(house: House) -> None:
    async with house.client() as client:
        answer = await client.post(SUBMIT, json=BODY)

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["ratelimit-policy"] == '"submit";q=10000;w=60'
    assert answer.headers["ratelimit"].startswith('"submit";r=9999;t=')


async def test_ignored_fields_are_named_in_warnings(house: House) -> None:
    body = {"input": {"prompt": "A lighthouse", "resolution": "720p"}, "model": "x"}
    async with house.client() as client:
        answer = await client.post(SUBMIT, json=body)

    assert answer.json()["data"]["warnings"] == ["model", "input.resolution"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"input": {"prompt": "x", "duration": 5}}, "input.duration must be 4, 8 or 12"),
        ({"input": {}}, "input.prompt is required: a string of 1 to 5000 characters"),
        ({}, "input is required: an object with at least a prompt"),
        ([], "the body must be a JSON object"),
        ({"provider": "fal", "input": {"prompt": "x"}}, "provider must be official"),
    ],
)
async def test_a_bad_parameter_is_a_400_that_names_the_field(house: House, body: Any, sentence: str) -> None:
    async with house.client() as client:
        assert error_of(await client.post(SUBMIT, json=body)) == sentence


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b'{"input": NaN}', id="NaN"),
        pytest.param(b'{"input": 1e400}', id="1e400"),
        pytest.param(b'{"input": "\xff"}', id="Latin-1"),
        pytest.param(b'"\\ud800"', id="lone surrogate"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"input":{"prompt":"x"}}', id="byte order mark"),
        pytest.param(b"[" * 100_000, id="deep arrays"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"),
        pytest.param(b'{"input":{"prompt":"\x00"}}', id="raw NUL"),
    ],
)
async def test_what_is_not_strict_json_in_utf8_is_a_400(house: House, body: bytes) -> None:
    async with house.client() as client:
        answer = await client.post(SUBMIT, content=body, headers={"Content-Type": "application/json"})

    assert "JSON" in error_of(answer)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer und_wrong", "Basic eDp5", "Bearer \u00fc", "x" * 5000])
async def test_every_missing_or_wrong_key_gets_one_and_the_same_401(house: House, authorization: str) -> None:
    async with house.client("") as client:
        headers = [(b"Authorization", authorization.encode("latin-1"))] if authorization else []
        answer = await client.post(SUBMIT, json=BODY, headers=headers)

    assert answer.status_code == 401
    assert answer.content == b'{"code":401,"message":"Invalid or missing API key","data":null}'
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_two_keys_in_one_request_are_a_401(house: House) -> None:
    value = f"Bearer {house.key}".encode()
    async with house.client("") as client:
        answer = await client.post(SUBMIT, json=BODY, headers=[(b"Authorization", value), (b"Authorization", value)])

    assert answer.status_code == 401


async def test_an_unknown_model_is_a_404(house: House) -> None:
    async with house.client() as client:
        answer = await client.post("/api/v1/generateTask/sora-9", json=BODY)

    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "message": "Model not found", "data": None}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_a_405_that_names_post(house: House, method: str) -> None:
    async with house.client("") as client:
        answer = await client.request(method, SUBMIT)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert method == "HEAD" or answer.json()["code"] == 405


async def test_the_same_idempotency_key_and_body_replay_the_task(house: House) -> None:
    headers = {"Idempotency-Key": "order-1"}
    async with house.client() as client:
        first = await client.post(SUBMIT, json=BODY, headers=headers)
        second = await client.post(SUBMIT, json=BODY, headers=headers)

    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


async def test_the_same_idempotency_key_with_another_body_is_a_422(house: House) -> None:
    headers = {"Idempotency-Key": "order-1"}
    async with house.client() as client:
        await client.post(SUBMIT, json=BODY, headers=headers)
        answer = await client.post(SUBMIT, json={"input": {"prompt": "Something else"}}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, 422)


@pytest.mark.parametrize("key", [b"", b"\xfc", b"x" * 256])
async def test_an_unusable_idempotency_key_is_a_400(house: House, key: bytes) -> None:
    async with house.client() as client:
        answer = await client.post(SUBMIT, json=BODY, headers=[(b"Idempotency-Key", key)])

    assert error_of(answer) == "Idempotency-Key must be 1 to 255 printable ASCII characters"


async def test_a_repeated_idempotency_key_is_a_400(house: House) -> None:
    async with house.client() as client:
        headers = [(b"Idempotency-Key", b"a"), (b"Idempotency-Key", b"a")]
        answer = await client.post(SUBMIT, json=BODY, headers=headers)

    assert error_of(answer) == "Idempotency-Key must be given once"


async def test_over_the_rate_is_a_429_with_the_wait_and_the_bucket(tmp_path: Path) -> None:
    async with open_house(tmp_path, requests_per_minute=2) as house, house.client() as client:
        answers = [await client.post(SUBMIT, json=BODY) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["message"] == "Rate limit exceeded: at most 2 submits per minute for this key"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert answers[2].headers["ratelimit"].startswith('"submit";r=0;')


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"{", {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b" " * (1024 * 1024 + 1), {"Content-Type": "application/json"}),
    ],
    ids=["malformed", "wrong type", "too large"],
)
async def test_a_refused_submit_counts_against_the_rate(
    tmp_path: Path, content: bytes, headers: dict[str, str]
) -> None:
    async with open_house(tmp_path, requests_per_minute=1) as house, house.client() as client:
        first = await client.post(SUBMIT, content=content, headers=headers)
        second = await client.post(SUBMIT, json=BODY)

    assert first.status_code in {400, 413, 415}
    assert second.status_code == 429


async def test_over_the_concurrency_is_a_429_that_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path, concurrent_tasks=3) as house, house.client() as client:
        answers = await asyncio.gather(*(client.post(SUBMIT, json=BODY) for _ in range(8)))

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 5
    assert refused[0].json()["message"].startswith("Concurrency limit exceeded: at most 3 tasks at once")
    assert int(refused[0].headers["retry-after"]) >= 1


async def test_a_full_server_is_a_503_with_the_wait(tmp_path: Path) -> None:
    async with open_house(tmp_path, open_tasks=1) as house, house.client() as client:
        await client.post(SUBMIT, json=BODY)
        answer = await client.post(SUBMIT, json=BODY)

    assert answer.status_code == 503
    assert answer.json() == {"code": 503, "message": "The server is busy", "data": None}
    assert answer.headers["retry-after"] == "10"


async def test_a_database_that_is_away_is_a_503(house: House) -> None:
    await house.database.close()
    async with house.client() as client:
        answer = await client.post(SUBMIT, json=BODY)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert orjson.loads(answer.content)["code"] == 503
