"""The same program on a real PostgreSQL: one process with workers, or the API apart from the worker."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import QUICK
from tests.support.postgres import shared_server
from tests.support.receiver import Receiver
from tests.support.server import MODEL_PATH, environment, make_key, running, understudy, wait_for_end


@pytest.fixture
async def settings() -> AsyncIterator[dict[str, str]]:
    with shared_server() as server:
        yield QUICK | {"DATABASE_URL": server.url(await server.new_database())}


@asynccontextmanager
async def worker(data: Path, settings: dict[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "understudy", "worker", env=environment(data, settings), cwd=data.parent
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0


async def test_an_empty_database_is_not_migrated_in_silence(tmp_path: Path, settings: dict[str, str]) -> None:
    status, _, stderr = await understudy("serve", "--port", "0", data=tmp_path / "data", **settings)

    assert status == 1
    assert "understudy migrate" in stderr


async def test_after_migrate_the_main_job_runs(tmp_path: Path, settings: dict[str, str]) -> None:
    data = tmp_path / "data"
    assert (await understudy("migrate", data=data, **settings))[0] == 0
    key = await make_key(data, **settings)
    async with Receiver() as receiver, running(data, **settings) as server, server.client(key["key"]) as client:
        body = {
            "request_type": "callback",
            "callback_url": receiver.url("/hook"),
            "input": {"prompt": "xyzzy plugh"},
        }
        answer = await client.post(MODEL_PATH, json=body)
        end = await wait_for_end(client, answer.json()["data"]["taskId"])
        await receiver.wait_for(1)

    assert end["state"] == "success"


async def test_a_second_process_with_workers_is_refused_wherever_its_data_folder_is(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    await understudy("migrate", data=tmp_path / "one", **settings)
    async with running(tmp_path / "one", **settings):
        status, _, stderr = await understudy("worker", data=tmp_path / "two", **settings)
    async with running(tmp_path / "two", **settings) as freed:
        url = freed.url

    assert status == 1
    assert "--workers-off" in stderr
    assert url


async def test_the_api_and_the_worker_run_apart(tmp_path: Path, settings: dict[str, str]) -> None:
    data = tmp_path / "data"
    await understudy("migrate", data=data, **settings)
    key = await make_key(data, **settings)
    async with running(data, **settings | {"WORKERS": "false"}) as server, server.client(key["key"]) as client:
        answer = await client.post(MODEL_PATH, json={"input": {"prompt": "xyzzy plugh"}})
        task_id = answer.json()["data"]["taskId"]
        await asyncio.sleep(1)
        waiting = await client.get("/api/v1/statusTask/sora-2-pro", params={"taskId": task_id})
        async with worker(data, settings):
            end = await wait_for_end(client, task_id)

    assert waiting.json()["data"]["state"] == "pending"
    assert end["state"] == "success"
