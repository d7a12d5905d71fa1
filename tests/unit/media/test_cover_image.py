"""An image is scaled and cropped to the very size of a frame: the child's work, called in this process."""

from pathlib import Path

import pytest
from PIL import Image

from tests.unit.media.upstream_films import CORNERS, DISC, corners, disc, near, scenery
from understudy.media.image_decoder import cover_with


def color_at(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    color = picture.getpixel((x, y))
    assert isinstance(color, tuple)
    return color


def covered(folder: Path, picture: Image.Image, width: int, height: int) -> Image.Image:
    """Store a picture as `check_image` does, and return what covers a frame of that size."""
    stored, frame = folder / "input.jpg", folder / "frame.jpg"
    picture.save(stored, "JPEG", quality=95, subsampling="4:4:4")
    cover_with(str(stored), str(frame), width, height)
    with Image.open(frame) as image:
        image.load()
        return image


@pytest.mark.parametrize(
    ("source", "size", "factor"),
    [
        ((640, 360), (1280, 720), 2),
        ((640, 360), (320, 180), 0.5),
        ((2560, 1440), (1792, 1024), 1024 / 1440),
        ((600, 800), (1280, 720), 1280 / 600),
        ((800, 600), (720, 1280), 1280 / 600),
        ((2560, 400), (1280, 720), 1.8),
        ((1280, 720), (1280, 720), 1),
        ((161, 131), (1280, 704), 1280 / 161),
    ],
)
def test_the_picture_has_exactly_that_size_and_what_was_round_stays_round(
    tmp_path: Path, source: tuple[int, int], size: tuple[int, int], factor: float
) -> None:
    frame = covered(tmp_path, Image.fromarray(scenery(*source)), *size)

    assert (frame.format, frame.size) == ("JPEG", size)
    round_size = min(DISC * factor, size[0]), min(DISC * factor, size[1])
    assert near([disc(frame)], [(round(round_size[0]), round(round_size[1]))], by=max(4, round(factor * 1.5)))
    if DISC * factor < min(size):
        assert near(corners(frame), CORNERS)


def test_a_grey_picture_becomes_one_of_color(tmp_path: Path) -> None:
    frame = covered(tmp_path, Image.new("L", (640, 480), 77), 1280, 720)

    assert frame.mode == "RGB"
    assert near([color_at(frame, 640, 360)], [(77, 77, 77)], by=2)


def test_what_lies_in_the_middle_is_kept(tmp_path: Path) -> None:
    panorama = Image.new("RGB", (3000, 500), (0, 0, 200))
    panorama.paste((200, 0, 0), (1250, 0, 1750, 500))

    frame = covered(tmp_path, panorama, 500, 500)

    assert near([color_at(frame, place, 250) for place in (4, 250, 495)], [(200, 0, 0)] * 3)


def test_nothing_but_pixels_is_written(tmp_path: Path) -> None:
    frame = covered(tmp_path, Image.new("RGB", (64, 64)), 64, 36)

    assert frame.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
