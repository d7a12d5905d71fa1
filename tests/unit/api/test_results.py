"""Result links (contract.md §7; reliability.md §7.4, N9)."""

import asyncio
import gc
import random

import httpx2
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from tests.unit.api.house import BODY, SUBMIT, House, unknown_task_id

FILM = random.Random(7).randbytes(1_000_003)


@pytest.fixture
async def task_id(house: House) -> str:
    """A task with a film."""
    async with house.client() as client:
        made = str((await client.post(SUBMIT, json=BODY)).json()["data"]["taskId"])
    await house.add_film(made, FILM)
    return made


@pytest.fixture
def link(house: House, task_id: str) -> str:
    """Its address, without a host."""
    return house.link(task_id)


async def get(house: House, link: str, **headers: str) -> httpx2.Response:
    """Get a link as a player would: without a key."""
    async with house.client("") as client:
        return await client.get(link, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_the_film_comes_byte_for_byte(house: House, link: str, task_id: str) -> None:
    answer = await get(house, link)

    assert (answer.status_code, answer.content) == (200, FILM)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(FILM))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == f'inline; filename="{task_id}.mp4"'
    assert answer.headers["cache-control"] == "private, max-age=0, must-revalidate"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["etag"].startswith('"')


async def test_head_tells_the_same_without_the_film(house: House, link: str) -> None:
    async with house.client("") as client:
        answer = await client.head(link, headers={"Range": "bytes=0-9"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(FILM))


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=-7", len(FILM) - 7, len(FILM) - 1), ("bytes=300000-", 300_000, len(FILM) - 1)],
)
async def test_a_range_is_a_206(house: House, link: str, wanted: str, first: int, last: int) -> None:
    answer = await get(house, link, range=wanted)

    assert (answer.status_code, answer.content) == (206, FILM[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(FILM)}"
    assert answer.headers["content-length"] == str(last + 1 - first)


async def test_the_parts_of_a_film_make_the_film(house: House, link: str) -> None:
    step = 262_145
    parts = [await get(house, link, range=f"bytes={at}-{at + step - 1}") for at in range(0, len(FILM), step)]

    assert b"".join(part.content for part in parts) == FILM


async def test_several_ranges_get_the_whole_film_once(house: House, link: str) -> None:
    answer = await get(house, link, range="bytes=0-1,5-6")

    assert (answer.status_code, len(answer.content)) == (200, len(FILM))


async def test_a_range_outside_the_film_is_a_416(house: House, link: str) -> None:
    answer = await get(house, link, range=f"bytes={len(FILM)}-")

    assert (answer.status_code, answer.json()["code"]) == (416, 416)
    assert answer.headers["content-range"] == f"bytes */{len(FILM)}"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_an_if_range_of_this_version_allows_the_range(house: House, link: str) -> None:
    etag = (await get(house, link)).headers["etag"]

    assert (await get(house, link, range="bytes=0-0", if_range=etag)).status_code == 206


@pytest.mark.parametrize("condition", ['"other"', "Wed, 21 Oct 2026 07:28:00 GMT", "W/{etag}"])
async def test_any_other_if_range_gets_the_whole_film(house: House, link: str, condition: str) -> None:
    etag = (await get(house, link)).headers["etag"]

    assert (await get(house, link, range="bytes=0-0", if_range=condition.format(etag=etag))).status_code == 200


@pytest.mark.parametrize("condition", ["{etag}", "*", 'W/{etag}, "x"', '"x", {etag}'])
async def test_if_none_match_of_this_version_is_a_304(house: House, link: str, condition: str) -> None:
    etag = (await get(house, link)).headers["etag"]
    answer = await get(house, link, if_none_match=condition.format(etag=etag), range="bytes=0-0")

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


async def test_if_none_match_of_another_version_gets_the_film(house: House, link: str) -> None:
    assert (await get(house, link, if_none_match='"x"')).status_code == 200


async def test_if_match_of_another_version_is_a_412(house: House, link: str) -> None:
    assert (await get(house, link, if_match='"x"')).status_code == 412


async def test_if_match_of_this_version_gets_the_film(house: House, link: str) -> None:
    etag = (await get(house, link)).headers["etag"]

    assert (await get(house, link, if_match=etag)).status_code == 200


def tampered(link: str, task_id: str) -> dict[str, str]:
    """Return the link, changed in one place each."""
    path, _, query = link.partition("?")
    end, _, signature = query.partition("&s=")
    return {
        "extended": f"{path}?e={int(end[2:]) + 1}&s={signature}",
        "other task": link.replace(task_id, unknown_task_id()),
        "other position": link.replace("/0.mp4", "/1.mp4"),
        "wrong signature": link[:-1] + ("A" if link[-1] != "A" else "B"),
        "no signature": f"{path}?{end}",
        "no end": f"{path}?s={signature}",
        "nothing": path,
        "end twice": f"{link}&e=1",
        "signature twice": f"{link}&s=x",
        "odd end": f"{path}?e=\u0661&s={signature}",
        "surrogate": f"{path}?e=1&s=%ED%A0%80",
    }


@pytest.mark.parametrize("change", list(tampered("/v/t/0.mp4?e=1&s=x", "t")))
async def test_a_changed_link_is_a_403(house: House, link: str, task_id: str, change: str) -> None:
    answer = await get(house, tampered(link, task_id)[change])

    assert answer.status_code == 403
    assert answer.json() == {"code": 403, "message": "The link's signature is not valid", "data": None}


async def test_an_expired_link_is_a_410(house: House, task_id: str) -> None:
    answer = await get(house, house.link(task_id, seconds=-1))

    assert (answer.status_code, answer.json()["message"]) == (410, "The link has expired")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_deleted_film_is_a_410(house: House, task_id: str, link: str) -> None:
    async for stored in house.storage.keys():
        await house.storage.delete(stored.key)

    assert (await get(house, link)).status_code == 410


@pytest.mark.parametrize("path", ["/v/task_x/0.mp4", "/v/{}/0.mov", "/v/{}/x.mp4", "/v/{}/.mp4", "/v/..%2f{}/0.mp4"])
async def test_a_path_that_names_nothing_is_a_404(house: House, task_id: str, path: str) -> None:
    answer = await get(house, path.format(task_id))

    assert (answer.status_code, answer.json()["code"]) == (404, 404)


async def test_a_browser_may_ask_before_it_fetches(house: House, link: str) -> None:
    async with house.client("") as client:
        answer = await client.options(link, headers={"Origin": "https://example.com"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert "range" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_another_method_is_a_405(house: House, link: str) -> None:
    async with house.client("") as client:
        answer = await client.post(link)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def open_films(house: House) -> list[str]:
    """Return this process's open files in the storage."""
    results = str(house.folder / "results")
    return [file.path for file in psutil.Process().open_files() if file.path.startswith(results)]


async def test_a_client_that_leaves_closes_the_file(house: House) -> None:
    async with house.client() as client:
        large = str((await client.post(SUBMIT, json=BODY)).json()["data"]["taskId"])
    await house.add_film(large, bytes(50_000_000))
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=1024)
    writer.write(f"GET {house.link(large)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readexactly(1000)
    gc.disable()  # so that it is closed on purpose, not by luck
    try:
        held = open_films(house)
        writer.transport.abort()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if not open_films(house):
                break
        left = open_films(house)
    finally:
        gc.enable()

    assert (len(held), left) == (1, [])
