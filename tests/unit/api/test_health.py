"""The probes."""

from tests.unit.api.house import BODY, SUBMIT, House


async def test_a_server_that_can_work_is_a_200(house: House) -> None:
    async with house.client("") as client:
        answer = await client.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "version": "0.0.0",
        "database": "ok",
        "backends": {},
        "moderation": "off",
        "openTasks": 0,
    }


async def test_open_tasks_are_counted(house: House) -> None:
    async with house.client() as client:
        await client.post(SUBMIT, json=BODY)
        answer = await client.get("/health")

    assert answer.json()["openTasks"] == 1


async def test_a_server_without_its_database_is_a_503_and_lives(house: House) -> None:
    await house.database.close()
    async with house.client("") as client:
        ready, live = await client.get("/health"), await client.get("/health/live")

    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})


async def test_one_check_serves_all_who_ask_within_a_second(house: House) -> None:
    async with house.client("") as client:
        first = await client.get("/health")
        await house.database.close()
        second = await client.get("/health")

    assert (first.status_code, second.status_code) == (200, 200)


async def test_head_is_answered_too(house: House) -> None:
    async with house.client("") as client:
        answers = [await client.head(path) for path in ("/health", "/health/live")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b""), (200, b"")]
