"""What survives a restart beside the crash points: callbacks that wait for a retry, tasks that wait for a place."""

import asyncio
from pathlib import Path

from tests.e2e.conftest import QUICK
from tests.support.receiver import Receiver, reply
from tests.support.rows import query, slots_in_use
from tests.support.server import MODEL_PATH, make_key, running, wait_for_end


async def test_a_retry_that_waits_is_made_after_a_restart_at_its_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = await make_key(data)
    settings = QUICK | {"CALLBACK_RETRY_SECONDS": "4,60,60"}
    async with Receiver(reply(503), reply(200)) as receiver:
        body = {
            "request_type": "callback",
            "callback_url": receiver.url("/hook"),
            "input": {"prompt": "child pornography"},
        }
        async with running(data, **settings) as server:
            async with server.client(key["key"]) as client:
                await client.post(MODEL_PATH, json=body)
            [first] = await receiver.wait_for(1)
            await asyncio.sleep(0.3)
            server.kill()
            await server.died(within_seconds=10)
        async with running(data, **settings):
            _, second = await receiver.wait_for(2)
            await asyncio.sleep(0.5)

    assert second.body == first.body
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.at - first.at >= 4 * 0.8
    assert query(data, "SELECT state, attempts FROM deliveries") == [("delivered", 2)]


async def test_a_stop_in_the_middle_of_work_loses_and_fails_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = await make_key(data)
    async with running(data, **QUICK) as server, server.client(key["key"]) as client:
        answers = [await client.post(MODEL_PATH, json={"input": {"prompt": f"xyzzy {n}"}}) for n in range(4)]
        await asyncio.sleep(1.5)
    ids = [answer.json()["data"]["taskId"] for answer in answers]
    left = query(data, "SELECT count(*) FROM tasks WHERE state = 'failed'")[0][0]
    async with running(data, **QUICK) as server, server.client(key["key"]) as client:
        ends = [await wait_for_end(client, task_id) for task_id in ids]

    assert left == 0
    assert {end["state"] for end in ends} == {"success"}
    assert slots_in_use(data) == 0
