"""`understudy generate`: a client of the HTTP API, and what it says when something is wrong."""

from pathlib import Path

import pytest

from tests.e2e.conftest import House
from tests.support.films import read_film
from tests.support.rows import query
from tests.support.server import understudy

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def generate(house: House, *arguments: str, **settings: str) -> tuple[int, str, str]:
    return await understudy(
        "generate", *arguments, data=house.data, **{"URL": house.server.url, "KEY": house.key} | settings
    )


async def test_a_film_is_generated_and_downloaded_with_progress_on_stderr(house: House, tmp_path: Path) -> None:
    output = tmp_path / "film.mp4"

    status, stdout, stderr = await generate(house, "xyzzy plugh", "--size", "720*1280", "-o", str(output))

    film = read_film(output.read_bytes())
    assert (status, stdout) == (0, "")
    assert (film.width, film.height, film.seconds) == (720, 1280, 4.0)
    assert "success 100%" in stderr
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["x", "--size", "9*9"], {}, "input.size must be 720*1280"),
        (["x", "--duration", "5"], {}, "input.duration must be 4, 8 or 12"),
        (["x", "--image", "cat.png"], {}, "--image must be an http or https URL"),
        (["x"], {"URL": "nonsense"}, "--url must begin with http:// or https://"),
        (["x"], {"KEY": "und_wrong"}, "Invalid or missing API key (HTTP 401)"),
        (["x"], {"KEY": ""}, "An API key is needed"),
        (["child pornography"], {}, "CONTENT_VIOLATION"),
        (["x", "-o", "/nowhere/film.mp4"], {}, "Cannot write /nowhere/film.mp4"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(
    house: House, arguments: list[str], settings: dict[str, str], words: str
) -> None:
    status, stdout, stderr = await generate(house, *arguments, **settings)

    assert (status, stdout) == (1, "")
    assert words in stderr.splitlines()[-1]
    assert "Traceback" not in stderr


async def test_a_film_that_could_not_be_kept_is_never_made(house: House) -> None:
    before = query(house.data, "SELECT count(*) FROM tasks")
    await generate(house, "x", "-o", "/nowhere/film.mp4")

    assert query(house.data, "SELECT count(*) FROM tasks") == before
