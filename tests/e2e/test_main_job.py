"""The main job: a prompt goes in over HTTP, a real film comes out (`contract.md`)."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from standardwebhooks import Webhook

from tests.e2e.conftest import House, picture_host, png
from tests.support.films import read_film
from tests.support.receiver import Receiver, reply
from tests.support.server import MODEL_PATH, STATUS_PATH, make_key, understudy, wait_for_end

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def submit(client: httpx2.AsyncClient, body: dict[str, Any], **headers: str) -> str:
    answer = await client.post(MODEL_PATH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["taskId"])


def link_of(end: dict[str, Any]) -> str:
    [link] = json.loads(end["resultJson"])["resultUrls"]
    return str(link)


async def failure_of(house: House, image: bytes, *, content_type: str = "image/png") -> str:
    async with picture_host(image, content_type=content_type) as host, house.client() as client:
        fields = {"mode": "image-to-video", "prompt": "pan", "image_urls": [host.url("/a.png")]}
        end = await wait_for_end(client, await submit(client, {"input": fields}))
    assert end["state"] == "failed"
    return str(end["failCode"])


async def test_a_prompt_becomes_a_film_of_the_size_and_length_asked_for(house: House) -> None:
    async with house.client() as client:
        fields = {"prompt": "A boat on the sea at sunset", "size": "1280*720", "duration": 4}
        end = await wait_for_end(client, await submit(client, {"input": fields}))
        film = read_film((await client.get(link_of(end))).content)

    assert (film.width, film.height, film.frames, film.seconds) == (1280, 720, 96, 4.0)
    assert (film.video_codec, film.audio_codec) == ("h264", "aac")
    assert "Not the output of an AI model" in film.comment
    assert end["costTime"] == end["completeTime"] - end["createTime"]


async def test_a_picture_becomes_a_film_with_its_orientation(house: House) -> None:
    async with picture_host(png(300, 500)) as host, house.client() as client:
        fields = {"mode": "image-to-video", "prompt": "slow push in", "image_urls": [host.url("/cat.png")]}
        end = await wait_for_end(client, await submit(client, {"input": fields}))
        film = read_film((await client.get(link_of(end))).content)

    assert (film.width, film.height, film.frames) == (720, 1280, 96)


async def test_a_link_answers_ranges_heads_and_validators_like_a_file(house: House) -> None:
    async with house.client() as client:
        link = link_of(await wait_for_end(client, await submit(client, {"input": {"prompt": "snow in the mountains"}})))
    async with httpx2.AsyncClient() as stranger:
        whole = await stranger.get(link)
        head = await stranger.head(link)
        part = await stranger.get(link, headers={"Range": "bytes=4-7"})
        tail = await stranger.get(link, headers={"Range": "bytes=-5"})
        beyond = await stranger.get(link, headers={"Range": f"bytes={len(whole.content)}-"})
        known = await stranger.get(link, headers={"If-None-Match": whole.headers["ETag"]})
        forged = await stranger.get(link[:-1] + ("A" if link[-1] != "A" else "B"))

    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert not whole.headers["ETag"].startswith("W/")
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(whole.content)), b"")
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(whole.content)}"
    assert (tail.status_code, tail.content) == (206, whole.content[-5:])
    assert (beyond.status_code, known.status_code, forged.status_code) == (416, 304, 403)


async def test_a_callback_carries_the_status_bytes_signed_for_the_keys_secret(house: House) -> None:
    async with Receiver() as receiver, house.client() as client:
        body = {
            "request_type": "callback",
            "callback_url": receiver.url("/hook"),
            "input": {"prompt": "a lighthouse in the fog"},
        }
        task_id = await submit(client, body)
        await wait_for_end(client, task_id)
        [request] = await receiver.wait_for(1)
        status = await client.get(STATUS_PATH, params={"taskId": task_id})

    assert request.body == status.content
    assert Webhook(house.webhook_secret).verify(request.body, dict(request.headers)) == status.json()


async def test_a_callback_is_tried_again_with_the_same_id_and_bytes_until_it_is_taken(house: House) -> None:
    async with Receiver(reply(500), reply(302), reply(204)) as receiver, house.client() as client:
        body = {
            "request_type": "callback",
            "callback_url": receiver.url("/hook"),
            "input": {"prompt": "child pornography"},
        }
        await submit(client, body)
        await receiver.wait_for(3)
        await asyncio.sleep(1.5)

    assert len(receiver.requests) == 3
    assert len({request.body for request in receiver.requests}) == 1
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert b'"failCode":"CONTENT_VIOLATION"' in receiver.requests[0].body


async def test_images_that_cannot_be_used_fail_with_their_own_codes(house: House) -> None:
    too_large = png(64, 64) + b"\0" * (10 * 1024 * 1024)

    assert await failure_of(house, b"<html>404</html>", content_type="text/html") == "UNSUPPORTED_FORMAT"
    assert await failure_of(house, too_large) == "IMAGE_TOO_LARGE"
    async with Receiver(reply(404)) as host, house.client() as client:
        fields = {"mode": "image-to-video", "prompt": "pan", "image_urls": [host.url("/gone.png")]}
        end = await wait_for_end(client, await submit(client, {"input": fields}))
    assert (end["failCode"], end["failMsg"]) == ("INVALID_IMAGE_URL", "Cannot access provided image URL")


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::1]", "127.1", "2130706433", "127.0.0.2"])
async def test_an_image_on_an_address_no_stranger_may_name_fails_with_the_same_words(house: House, host: str) -> None:
    async with house.client() as client:
        fields = {"mode": "image-to-video", "prompt": "pan", "image_urls": [f"http://{host}/a.png"]}
        end = await wait_for_end(client, await submit(client, {"input": fields}))

    assert (end["failCode"], end["failMsg"]) == ("INVALID_IMAGE_URL", "Cannot access provided image URL")


async def test_a_strangers_task_an_unknown_task_and_a_wrong_model_look_the_same(house: House) -> None:
    async with house.client() as client:
        task_id = await submit(client, {"input": {"prompt": "rain"}})
        own = await client.get(STATUS_PATH, params={"taskId": task_id})
        wrong_model = await client.get("/api/v1/statusTask/sora-2", params={"taskId": task_id})
        unknown = await client.get(STATUS_PATH, params={"taskId": "task_" + "a" * 22})
    other_key = (await make_key(house.data))["key"]
    async with house.server.client(other_key) as client:
        stranger = await client.get(STATUS_PATH, params={"taskId": task_id})

    assert own.status_code == 200
    assert {answer.status_code for answer in (wrong_model, unknown, stranger)} == {404}
    assert len({answer.content for answer in (wrong_model, unknown, stranger)}) == 1


async def test_the_same_idempotency_key_gives_the_same_task_and_another_body_is_a_conflict(house: House) -> None:
    async with house.client() as client:
        headers = {"Idempotency-Key": "order-17"}
        body = {"input": {"prompt": "a dog", "duration": 4}}
        answers = await asyncio.gather(*(client.post(MODEL_PATH, json=body, headers=headers) for _ in range(8)))
        respelt = await client.post(
            MODEL_PATH,
            content=b'{ "input": {"duration":4,"prompt":"a dog"} }',
            headers=headers | {"Content-Type": "application/json"},
        )
        other = await client.post(MODEL_PATH, json={"input": {"prompt": "a cat"}}, headers=headers)

    assert len({answer.json()["data"]["taskId"] for answer in [*answers, respelt]}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 7
    assert other.status_code == 422


async def test_a_revoked_key_stops_within_a_second_while_the_server_runs(house: House) -> None:
    made = await make_key(house.data)
    async with house.server.client(made["key"]) as client:
        before = await client.get(STATUS_PATH, params={"taskId": "task_" + "a" * 22})
        status, _, stderr = await understudy("keys", "revoke", made["id"], data=house.data)
        await asyncio.sleep(1)
        after = await client.get(STATUS_PATH, params={"taskId": "task_" + "a" * 22})

    assert (status, stderr) == (0, "")
    assert (before.status_code, after.status_code) == (404, 401)
    assert after.json()["message"] == "Invalid or missing API key"
