"""Which images are accepted, and what is written of them: the child's work, called in this process for speed."""

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.media import pictures
from understudy.domain.errors import FailCode
from understudy.media.image_decoder import LONG_SIDE, reencode
from understudy.sandbox.errors import Rejected


def written(data: bytes, folder: Path) -> Image.Image:
    source, destination = folder / "source.jpg", folder / "out"
    source.write_bytes(data)
    facts = reencode(str(source), str(destination))
    image = Image.open(io.BytesIO(destination.read_bytes()), formats=("JPEG",))
    image.load()
    assert (facts["width"], facts["height"]) == image.size
    return image


def near(pixel: object, wanted: tuple[int, int, int], tolerance: int = 8) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(found - value) <= tolerance for found, value in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("name", pictures.ACCEPTED)
def test_a_still_jpeg_png_or_webp_is_accepted(name: str, tmp_path: Path) -> None:
    image = written(pictures.ACCEPTED[name](), tmp_path)

    assert image.mode == "RGB"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source.jpg"]


@pytest.mark.parametrize("name", pictures.UNSUPPORTED)
def test_what_is_no_whole_still_jpeg_png_or_webp_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        written(pictures.UNSUPPORTED[name](), tmp_path)

    assert caught.value.code == FailCode.UNSUPPORTED_FORMAT
    assert caught.value.message.startswith("The ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", pictures.TOO_LARGE)
def test_too_many_pixels_are_refused_by_the_header(name: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="at most 40 megapixels and 12000 pixels a side") as caught:
        written(pictures.TOO_LARGE[name](), tmp_path)

    assert caught.value.code == FailCode.IMAGE_TOO_LARGE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation: int, tmp_path: Path) -> None:
    """The red quarter is where a viewer that honors EXIF shows it."""
    image = written(pictures.rotated(orientation), tmp_path)

    assert image.size == ((96, 64) if orientation < 5 else (64, 96))
    right, low = orientation in {2, 3, 6, 7}, orientation in {3, 4, 7, 8}
    corner = (image.width - 5 if right else 4, image.height - 5 if low else 4)
    opposite = (4 if right else image.width - 5, 4 if low else image.height - 5)
    assert near(image.getpixel(corner), pictures.RED)
    assert near(image.getpixel(opposite), pictures.BLUE)


def test_nothing_but_pixels_is_written(tmp_path: Path) -> None:
    """No position, no comment, no color profile, no archive hung behind the picture."""
    exif_and_comment = pictures.rotated(1)
    image = written(exif_and_comment + pictures.ZIP, tmp_path)

    data = (tmp_path / "out").read_bytes()
    assert b"secret comment" in exif_and_comment
    assert not image.getexif()
    assert b"secret comment" not in data
    assert b"PK\x03\x04" not in data
    assert {"exif", "icc_profile", "comment"}.isdisjoint(image.info)


def test_colors_are_those_of_the_profile(tmp_path: Path) -> None:
    """In this profile red means blue."""
    data = pictures.encoded(pictures.scene(), "PNG", icc_profile=pictures.swapped_profile())

    assert near(written(data, tmp_path).getpixel((4, 4)), pictures.BLUE, tolerance=20)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_lies_on_grey(kind: str, tmp_path: Path) -> None:
    image = pictures.scene().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.paste((*pictures.RED, 255), (0, 0, 48, 32))

    result = written(pictures.encoded(image, kind, lossless=True), tmp_path)

    assert near(result.getpixel((4, 4)), pictures.RED)
    assert near(result.getpixel((80, 50)), (128, 128, 128))


def test_sixteen_bits_keep_their_shades(tmp_path: Path) -> None:
    image = written(pictures.sixteen_bit_grey(), tmp_path)

    for column in (1, 16, 32, 48, 62):
        shade = column * 255 // 63
        assert near(image.getpixel((column, 30)), (shade, shade, shade))


def test_sixteen_bit_colors_keep_their_hue(tmp_path: Path) -> None:
    assert near(written(pictures.sixteen_bit_color(), tmp_path).getpixel((30, 30)), pictures.RED)


def test_the_first_view_of_a_phone_s_two_is_taken(tmp_path: Path) -> None:
    assert near(written(pictures.mpo(), tmp_path).getpixel((4, 4)), pictures.RED)


def test_a_cmyk_picture_keeps_its_colors(tmp_path: Path) -> None:
    data = pictures.encoded(pictures.scene().convert("CMYK"), "JPEG", quality=95)

    assert near(written(data, tmp_path).getpixel((4, 4)), pictures.RED, tolerance=20)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(3000, 1200), (1200, 3000), (6000, 800)])
def test_a_large_picture_is_shrunk_to_its_longer_side(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    image = written(pictures.encoded(pictures.scene(*size), kind), tmp_path)

    assert max(image.size) == LONG_SIDE
    assert abs(image.width / image.height - size[0] / size[1]) < 0.02 * size[0] / size[1]
    assert near(image.getpixel((image.width // 8, image.height // 8)), pictures.RED)


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    assert written(pictures.encoded(pictures.scene(16, 16), "PNG"), tmp_path).size == (16, 16)


def test_the_widest_allowed_shape_is_accepted(tmp_path: Path) -> None:
    assert written(pictures.encoded(pictures.scene(320, 16), "PNG"), tmp_path).size == (320, 16)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        ["jpeg", "jpeg-exif-rotated", "jpeg-of-a-phone-mpo", "png-palette", "png-16-bit-grey", "webp"]
    ),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    length=st.floats(0.2, 1),
)
def test_damage_anywhere_is_a_verdict_and_never_a_surprise(
    name: str, cuts: list[tuple[float, bytes]], length: float, tmp_path: Path
) -> None:
    data = bytearray(pictures.ACCEPTED[name]())
    for place, garbage in cuts:
        start = int(place * len(data))
        data[start : start + len(garbage)] = garbage
    verdict: Rejected | None = None
    try:
        written(bytes(data[: int(length * len(data)) + 1]), tmp_path)
    except Rejected as raised:
        verdict = raised

    assert verdict is None or verdict.code in {FailCode.UNSUPPORTED_FORMAT, FailCode.IMAGE_TOO_LARGE}
