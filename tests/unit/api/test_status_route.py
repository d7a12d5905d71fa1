"""`GET /api/v1/statusTask/{model}` (contract.md §3)."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.unit.api.house import BODY, STATUS, SUBMIT, House, open_house, unknown_task_id
from understudy.domain.errors import FailCode


async def submit(house: House) -> str:
    """Return the id of a new task."""
    async with house.client() as client:
        return str((await client.post(SUBMIT, json=BODY)).json()["data"]["taskId"])


async def test_a_pending_task_has_no_fields_that_do_not_apply(house: House) -> None:
    task_id = await submit(house)
    async with house.client() as client:
        answer = await client.get(STATUS, params={"taskId": task_id})

    assert answer.status_code == 200
    assert answer.json().keys() == {"code", "message", "data"}
    assert answer.json()["data"].keys() == {"taskId", "state", "createTime"}


async def test_a_processing_task_tells_its_progress(house: House) -> None:
    task_id = await submit(house)
    await house.start_task(task_id, progress=40)
    async with house.client() as client:
        data = (await client.get(STATUS, params={"taskId": task_id})).json()["data"]

    assert (data["state"], data["progress"]) == ("processing", 40)


async def test_a_success_carries_its_results_as_json_in_a_string(house: House) -> None:
    task_id = await submit(house)
    await house.end_task(task_id, urls=("https://video.example.com/v/x/0.mp4",))
    async with house.client() as client:
        data = (await client.get(STATUS, params={"taskId": task_id})).json()["data"]

    assert data["state"] == "success"
    assert json.loads(data["resultJson"]) == {"resultUrls": ["https://video.example.com/v/x/0.mp4"]}
    assert data["costTime"] == data["completeTime"] - data["createTime"]


async def test_a_failed_task_is_http_200_with_code_200(house: House) -> None:
    task_id = await submit(house)
    await house.end_task(task_id, fail_code=FailCode.CONTENT_VIOLATION)
    async with house.client() as client:
        answer = await client.get(STATUS, params={"taskId": task_id})

    assert answer.status_code == 200
    assert (answer.json()["code"], answer.json()["message"]) == (200, "success")
    assert answer.json()["data"]["failCode"] == "CONTENT_VIOLATION"
    assert "resultJson" not in answer.json()["data"]


async def test_a_strangers_task_the_wrong_model_and_no_task_look_the_same(house: House) -> None:
    task_id = await submit(house)
    async with house.client() as client, house.client(house.other_key) as other:
        answers = [
            await other.get(STATUS, params={"taskId": task_id}),
            await client.get("/api/v1/statusTask/sora-2", params={"taskId": task_id}),
            await client.get(STATUS, params={"taskId": unknown_task_id()}),
            await client.get(STATUS, params={"taskId": "'; drop table"}),
            await client.get(STATUS, params={"taskId": "task_\u0000"}),
        ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {b'{"code":404,"message":"Task not found","data":null}'}


@pytest.mark.parametrize("query", ["", "?", "?taskId=", "?taskid=task_x", "?task_id=task_x"])
async def test_a_missing_task_id_is_a_400_that_says_so(house: House, query: str) -> None:
    async with house.client() as client:
        answer = await client.get(STATUS + query)

    assert answer.status_code == 400
    assert answer.json()["data"]["error"] == "taskId is required: the id that generateTask returned"


async def test_a_repeated_task_id_is_a_400(house: House) -> None:
    task_id = await submit(house)
    async with house.client() as client:
        answer = await client.get(f"{STATUS}?taskId={task_id}&taskId={task_id}")

    assert answer.json()["data"]["error"] == "taskId must be given once"


async def test_a_query_with_thousands_of_fields_is_a_400(house: House) -> None:
    async with house.client() as client:
        answer = await client.get(STATUS + "?" + "a=b&" * 5000)

    assert answer.status_code == 400


@pytest.mark.parametrize("spelling", ["?taskId={}&x=y", "?x=y&taskId={}", "?taskId={}&"])
async def test_other_query_fields_are_ignored(house: House, spelling: str) -> None:
    task_id = await submit(house)
    async with house.client() as client:
        answer = await client.get(STATUS + spelling.format(task_id))

    assert answer.status_code == 200


async def test_a_percent_encoded_task_id_is_read(house: House) -> None:
    task_id = await submit(house)
    async with house.client() as client:
        answer = await client.get(f"{STATUS}?taskId={task_id.replace('_', '%5F')}")

    assert answer.status_code == 200


async def test_head_answers_like_get_without_a_body(house: House) -> None:
    task_id = await submit(house)
    async with house.client() as client:
        full = await client.get(STATUS, params={"taskId": task_id})
        head = await client.head(STATUS, params={"taskId": task_id})

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == full.headers["content-length"]


async def test_another_method_is_a_405_that_names_get(house: House) -> None:
    async with house.client() as client:
        answer = await client.post(STATUS)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_missing_key_is_a_401_before_anything_else(house: House) -> None:
    async with house.client("") as client:
        assert (await client.get(STATUS)).status_code == 401


async def test_a_revoked_key_stops_working_within_a_second(house: House) -> None:
    async with house.client() as client:
        assert (await client.get(STATUS)).status_code == 400
        for key in await house.keys.list():
            await house.keys.revoke(key.id)
        await asyncio.sleep(0.6)

        assert (await client.get(STATUS)).status_code == 401


async def test_status_reads_have_a_bucket_of_their_own(tmp_path: Path) -> None:
    async with open_house(tmp_path, status_requests_per_minute=2, requests_per_minute=1) as house:
        task_id = await submit(house)
        async with house.client() as client:
            answers = [await client.get(STATUS, params={"taskId": task_id}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit"].startswith('"status";r=1;')
    assert answers[2].headers["ratelimit-policy"] == '"status";q=2;w=60'
    assert int(answers[2].headers["retry-after"]) >= 1


async def test_reads_without_a_usable_id_count_too(tmp_path: Path) -> None:
    async with open_house(tmp_path, status_requests_per_minute=2) as house, house.client() as client:
        codes = [(await client.get(STATUS + query)).status_code for query in ("?taskId=a&taskId=b", "", "")]

    assert codes == [400, 400, 429]
