"""`kill -9` at every named point: nothing accepted is lost, nothing is done twice that must not be.

One run for each member of `CrashPoint`: a new point is run by itself, and fails unless a scenario reaches it.
"""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.support.receiver import Receiver, reply
from tests.support.rows import attempt_states, slots_in_use
from tests.support.server import MODEL_PATH, Server, make_key, running, wait_for_end
from understudy.workflow.crash_points import CrashPoint

SETTINGS = {"OUTBOUND_ALLOW": "127.0.0.1", "CALLBACK_RETRY_SECONDS": "1,1,1", "LOG_LEVEL": "warning"}
DEATH_SECONDS = 60
FORBIDDEN_PROMPT = "child pornography"
QUICK_PROMPT = "xyzzy plugh"
"""No word of it is known, so that the cheapest of all films is drawn."""

WITH_PICTURE = {CrashPoint.PREPARE_AFTER_IMAGE_STORED}
REFUSED = {CrashPoint.FAIL_BEFORE_COMMIT}
BEFORE_THE_ANSWER = {CrashPoint.ACCEPT_BEFORE_COMMIT, CrashPoint.ACCEPT_AFTER_COMMIT}


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run needs beside the server: a key, a receiver of callbacks and a host of pictures."""

    data: Path
    key: str
    receiver: Receiver
    pictures: Receiver

    def body(self, point: CrashPoint) -> dict[str, Any]:
        fields: dict[str, object] = {"prompt": FORBIDDEN_PROMPT if point in REFUSED else QUICK_PROMPT}
        if point in WITH_PICTURE:
            fields |= {"mode": "image-to-video", "image_urls": [self.pictures.url("/cat.png")]}
        return {"request_type": "callback", "callback_url": self.receiver.url("/hook"), "input": fields}


def picture() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((320, 200)).convert("RGB").save(file, "PNG")
    return file.getvalue()


async def submit(server: Server, stage: Stage, point: CrashPoint) -> str | None:
    """Submit with an idempotency key; return the task's id, or None if the answer never came."""
    async with server.client(stage.key) as client:
        try:
            answer = await client.post(
                MODEL_PATH, json=stage.body(point), headers={"Idempotency-Key": f"run-{point.value}"}
            )
        except httpx2.TransportError:
            return None
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["taskId"])


async def crash_and_restart(stage: Stage, point: CrashPoint) -> tuple[str, dict[str, Any]]:
    """Run until the process dies at `point`, start it again, and return the task's id and its end."""
    async with running(stage.data, CRASH_AT=point.value, **SETTINGS) as server:
        task_id = await submit(server, stage, point)
        assert (task_id is None) == (point in BEFORE_THE_ANSWER)
        assert await server.died(within_seconds=DEATH_SECONDS) == -9
    async with running(stage.data, **SETTINGS) as server:
        again = await submit(server, stage, point)
        assert again is not None
        assert task_id in {None, again}
        async with server.client(stage.key) as client:
            end = await wait_for_end(client, again)
            await stage.receiver.wait_for(1)
            if end["state"] == "success":
                await assert_film_is_whole(client, end)
            await asyncio.sleep(0.3)
    return again, end


def path_of_link(end: Mapping[str, Any]) -> str:
    """Return the link's path: a server started again listens on another port."""
    [link] = json.loads(end["resultJson"])["resultUrls"]
    return "/v/" + str(link).partition("/v/")[2]


async def assert_film_is_whole(client: httpx2.AsyncClient, end: Mapping[str, Any]) -> None:
    film = await client.get(path_of_link(end))

    assert film.status_code == 200
    assert film.content[4:8] == b"ftyp"


@pytest.fixture
async def stage(tmp_path: Path) -> Any:
    data = tmp_path / "data"
    image = reply(200, picture(), {"Content-Type": "image/png"})
    async with Receiver() as receiver, Receiver(image) as pictures:
        key = await make_key(data)
        yield Stage(data, key["key"], receiver, pictures)


@pytest.mark.parametrize("point", [point for point in CrashPoint if point is not CrashPoint.SWEEP_AFTER_FILE_DELETED])
async def test_a_kill_at_this_point_loses_nothing(stage: Stage, point: CrashPoint) -> None:
    task_id, end = await crash_and_restart(stage, point)

    expected = "failed" if point in REFUSED else "success"
    assert end["state"] == expected, end
    bodies = {request.body for request in stage.receiver.requests}
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["data"] == end
    assert len({request.headers["webhook-id"] for request in stage.receiver.requests}) == 1
    assert len(stage.receiver.requests) <= (2 if point is CrashPoint.DELIVER_AFTER_SEND else 1)
    assert slots_in_use(stage.data) == 0
    assert attempt_states(stage.data, task_id).count("succeeded") == (1 if expected == "success" else 0)
    assert set(attempt_states(stage.data, task_id)) <= {"succeeded", "lost"}


async def test_a_kill_between_deleting_a_file_and_saying_so_leaves_a_link_that_is_gone(stage: Stage) -> None:
    point = CrashPoint.SWEEP_AFTER_FILE_DELETED
    short_lived = SETTINGS | {"RESULT_DAYS": str(2 / 86_400)}
    async with running(stage.data, **short_lived) as server:
        task_id = await submit(server, stage, point)
        assert task_id is not None
        async with server.client(stage.key) as client:
            end = await wait_for_end(client, task_id)
    await asyncio.sleep(2)
    async with running(stage.data, CRASH_AT=point.value, **short_lived) as server:
        assert await server.died(within_seconds=DEATH_SECONDS) == -9
    async with running(stage.data, **short_lived) as server, server.client(stage.key) as client:
        assert (await client.get(path_of_link(end))).status_code == 410
        assert (await wait_for_end(client, task_id)) == end
    assert list((stage.data / "results").rglob("*.mp4")) == []
