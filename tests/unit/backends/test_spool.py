"""A JSON answer with a film in it, read from a file."""

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.backends.http import MAX_BODY_BYTES
from understudy.backends.spool import LONG_BYTES, SPOOL_BYTES, read_spool, write_film

MIB = 1024**2
LIMIT = 64 * MIB


def spooled(folder: Path, value: object, *, escaped: bool = False) -> Path:
    """Write an answer as a server does; some escape what a browser might run."""
    text = json.dumps(value)
    spool = folder / "answer.json"
    spool.write_text(text.replace("/", "\\/").replace("=", "\\u003d") if escaped else text)
    return spool


def unpacked(spool: Path, data: str, folder: Path, limit: int = LIMIT) -> bytes:
    film = folder / "film.mp4"
    write_film(data, spool, film, limit)
    return film.read_bytes()


@pytest.mark.parametrize("escaped", [False, True], ids=["plain", "escaped"])
@pytest.mark.parametrize(
    "film",
    [
        random.Random(7).randbytes(5 * MIB + 1),  # its base64 ends in "="
        b"\x03\xff\xff" * MIB,  # its base64 is "A///" over and over: every piece of the file ends amid an escape
        b"\xff" * 60_000,
    ],
    ids=["random", "slashes", "short"],
)
def test_a_film_is_had_back_byte_for_byte(film: bytes, escaped: bool, tmp_path: Path) -> None:
    spool = spooled(tmp_path, {"a": [{"data": base64.b64encode(film).decode()}], "b": "x"}, escaped=escaped)

    told = read_spool(spool)

    assert told["b"] == "x"
    assert told["a"][0]["data"].startswith("@")
    assert unpacked(spool, told["a"][0]["data"], tmp_path) == film


_TEXTS = st.text(max_size=20) | st.integers(0, 3).map(lambda more: "\\/é\n" * LONG_BYTES + "x" * more)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | _TEXTS,
    lambda deep: st.lists(deep, max_size=3) | st.dictionaries(st.text(max_size=5), deep, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50)
@given(answer=st.dictionaries(st.text(max_size=5), _VALUES, max_size=4), escaped=st.booleans())
def test_all_but_long_texts_is_told_and_those_by_their_place(
    answer: dict[str, Any], escaped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spool = spooled(tmp_path_factory.getbasetemp(), answer, escaped=escaped)
    content = spool.read_bytes()

    def placed(value: object) -> object:
        """Put the texts back into their places."""
        if isinstance(value, dict):
            return {name: placed(part) for name, part in value.items()}
        if isinstance(value, list):
            return [placed(part) for part in value]
        if isinstance(value, str) and value.startswith("@") and ":" in value:
            first, last = map(int, value[1:].split(":"))
            return json.loads(b'"' + content[first:last] + b'"')
        return value

    told = read_spool(spool)

    assert placed(told) == answer
    assert len(json.dumps(told)) < LONG_BYTES


def test_a_text_of_an_ordinary_answer_is_the_film_itself(tmp_path: Path) -> None:
    assert unpacked(tmp_path / "none.json", "AAECAw==", tmp_path) == b"\0\1\2\3"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" " * (MAX_BODY_BYTES + 1),
        b'["' + b"A" * 5 * MIB + b'"]',
        b'{"status": "completed", "steps": "' + b"A" * 5 * MIB,
        b'{"steps": [' + b'"AAAA",' * MIB + b'""]}',
        b'{"data": "' + b"A" * LONG_BYTES + b'"} more',
        b"\xff" * 100,
    ],
    ids=["empty", "blank", "no object", "breaks off", "many short texts", "goes on", "no text"],
)
def test_what_is_no_answer_with_a_film_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_bytes(content)

    with pytest.raises(ValueError, match=r"."):
        read_spool(tmp_path / "answer.json")


def test_an_answer_that_would_take_too_long_to_search_is_refused(tmp_path: Path) -> None:
    """The file has holes, so that it takes no room on the disk."""
    with (tmp_path / "answer.json").open("wb") as file:
        file.truncate(SPOOL_BYTES + 1)

    with pytest.raises(ValueError, match="longer than"):
        read_spool(tmp_path / "answer.json")


@pytest.mark.parametrize("data", ["AAA", "A=AA", "AAAA=", "no base64 !!", "@0:40", "@1", "@", "@a:b"])
def test_a_text_that_is_no_base64_leaves_nothing(data: str, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_bytes(b"A" * 39)

    with pytest.raises(ValueError, match=r"."):
        write_film(data, tmp_path / "answer.json", tmp_path / "film.mp4", LIMIT)

    assert not list(tmp_path.glob("film*"))


def test_a_film_that_is_too_long_leaves_nothing(tmp_path: Path) -> None:
    spool = spooled(tmp_path, {"data": base64.b64encode(bytes(3 * MIB)).decode()})
    place = read_spool(spool)["data"]

    with pytest.raises(ValueError, match=f"more than {2 * MIB} bytes"):
        write_film(place, spool, tmp_path / "film.mp4", 2 * MIB)

    assert not list(tmp_path.glob("film*"))
