"""The two limits, exact under parallel load (`contract.md` §6)."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import httpx2

from tests.e2e.conftest import QUICK
from tests.support.rows import query, slots_in_use
from tests.support.server import MODEL_PATH, make_key, running, understudy

ONE_RENDER = QUICK | {"RENDER_PROCESSES": "1"}


async def submits(client: httpx2.AsyncClient, count: int) -> list[httpx2.Response]:
    body = {"input": {"prompt": "a long road through the desert", "duration": 12}}
    return list(await asyncio.gather(*(client.post(MODEL_PATH, json=body) for _ in range(count))))


async def test_of_50_parallel_submits_exactly_10_are_accepted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = await make_key(data)
    async with running(data, **ONE_RENDER) as server:
        async with server.client(key["key"]) as client:
            answers = await submits(client, 50)
        server.kill()
        await server.died(within_seconds=10)

    assert Counter(answer.status_code for answer in answers) == {200: 10, 429: 40}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"] == "Concurrency limit exceeded: at most 10 tasks at once for this key"
    assert int(refused.headers["Retry-After"]) >= 1
    assert slots_in_use(data) == 10
    assert query(data, "SELECT count(*) FROM tasks")[0][0] == 10


async def test_of_100_parallel_submits_60_a_minute_are_looked_at_accepted_or_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = await make_key(data)
    async with running(data, **ONE_RENDER) as server:
        async with server.client(key["key"]) as client:
            begun = time.monotonic()
            answers = list(await asyncio.gather(*(client.post(MODEL_PATH, json={"input": {}}) for _ in range(100))))
            refilled = int(time.monotonic() - begun)
        server.kill()
        await server.died(within_seconds=10)

    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) == {400, 429}
    assert 60 <= counts[400] <= 60 + refilled + 1
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"].startswith("Rate limit exceeded: at most 60 submits per minute")
    assert refused.headers["RateLimit-Policy"] == '"submit";q=60;w=60'


async def test_a_key_may_have_limits_of_its_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await make_key(data)
    status, stdout, _ = await understudy(
        "keys", "create", "--name", "small", "--concurrent-tasks", "2", "--json", data=data
    )
    assert status == 0
    async with running(data, **ONE_RENDER) as server:
        async with server.client(httpx2.Response(200, text=stdout).json()["key"]) as client:
            answers = await submits(client, 6)
        server.kill()
        await server.died(within_seconds=10)

    assert Counter(answer.status_code for answer in answers) == {200: 2, 429: 4}
