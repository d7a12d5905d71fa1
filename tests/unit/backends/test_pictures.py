"""A first frame on its way to a vendor."""

import base64
from pathlib import Path

import pytest

from understudy.backends.base import BadInput, NotCreated
from understudy.backends.pictures import data_uri, read_picture

JPEG = b"\xff\xd8\xff" + bytes(range(256))


async def test_a_picture_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "frame.jpg").write_bytes(JPEG)

    assert await read_picture(tmp_path / "frame.jpg", most_bytes=len(JPEG)) == JPEG


async def test_a_picture_that_cannot_be_read_proves_that_nothing_was_created(tmp_path: Path) -> None:
    with pytest.raises(NotCreated, match="No such file"):
        await read_picture(tmp_path / "frame.jpg")


async def test_a_picture_that_is_too_long_is_told_with_the_bound(tmp_path: Path) -> None:
    (tmp_path / "frame.jpg").write_bytes(JPEG)

    with pytest.raises(BadInput, match="the first frame has 259 bytes: at most 258 are taken"):
        await read_picture(tmp_path / "frame.jpg", most_bytes=258)


def test_a_data_uri_holds_the_picture() -> None:
    head, _, text = data_uri(JPEG).partition(",")

    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(text, validate=True) == JPEG
