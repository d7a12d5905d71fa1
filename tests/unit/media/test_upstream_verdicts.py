"""Which films of an upstream are accepted, and what is told of them (`reliability.md` §6.2)."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.unit.media.films import overwritten
from tests.unit.media.upstream_films import CORNERS, DISC, HEIGHT, SECONDS, WIDTH, Make, corners, disc, near, write
from understudy.media.video_decoder import DecodedFacts, inspect
from understudy.sandbox.errors import Rejected

CODECS = [
    ("libx264", "yuv420p", "h264"),
    ("libx264", "yuv420p10le", "h264"),
    ("libx264", "yuv444p", "h264"),
    ("libx265", "yuv420p", "hevc"),
    ("libx265", "yuv420p10le", "hevc"),
    ("libx265", "gbrp", "hevc"),
    ("libsvtav1", "yuv420p", "av1"),
    ("libsvtav1", "yuv420p10le", "av1"),
    ("libvpx-vp9", "yuv420p", "vp9"),
]
TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = CORNERS


def inspected(path: Path, *, seconds: float = SECONDS) -> DecodedFacts:
    """Inspect as the collecting of a paid film does; the size that is wanted plays no part."""
    poster, thumbnail = path.with_name("poster.jpg"), path.with_name("thumbnail.webp")
    return inspect(str(path), 1280, 720, seconds, exact=False, poster=str(poster), thumbnail=str(thumbnail))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "film.mp4"


def poster_of(path: Path) -> Image.Image:
    with Image.open(path.with_name("poster.jpg")) as poster:
        return poster.convert("RGB")


@pytest.mark.parametrize(("codec", "pixels", "name"), CODECS)
def test_every_codec_of_the_web_is_decoded_and_shown(codec: str, pixels: str, name: str, path: Path) -> None:
    write(path, Make(codec=codec, pixels=pixels))

    facts = inspected(path)

    assert (facts["width"], facts["height"], facts["seconds"], facts["frames"]) == (WIDTH, HEIGHT, 1.0, 24)
    assert (facts["video_codec"], facts["pixel_format"], facts["audio_codec"]) == (name, pixels, None)
    assert poster_of(path).size == (WIDTH, HEIGHT)
    assert near(corners(poster_of(path)), CORNERS)
    with Image.open(path.with_name("thumbnail.webp")) as thumbnail:
        assert thumbnail.size == (640, 368)


def test_another_codec_is_refused(path: Path) -> None:
    write(path, Make(codec="mpeg4"))

    with pytest.raises(Rejected, match=r"its video is mpeg4; it must be H\.264, HEVC, AV1, VP9"):
        inspected(path)


def test_a_film_in_fragments_without_an_index_is_good(path: Path) -> None:
    write(path, Make(movflags="frag_keyframe+empty_moov", sound_at=0))

    facts = inspected(path)

    assert (facts["seconds"], facts["frames"], facts["audio_codec"]) == (1.0, 24, "aac")


@pytest.mark.parametrize("seconds", [0.05, 1.95])
def test_a_second_more_or_less_is_let_pass(path: Path, seconds: float) -> None:
    write(path, Make())

    assert inspected(path, seconds=seconds)["seconds"] == 1.0


@pytest.mark.parametrize("movflags", ["+faststart", "frag_keyframe+empty_moov"])
@pytest.mark.parametrize("seconds", [2.05, 4])
def test_another_length_is_refused(path: Path, seconds: float, movflags: str) -> None:
    write(path, Make(movflags=movflags))

    with pytest.raises(Rejected, match=rf"it is 1\.00 s long, not {seconds:g} s"):
        inspected(path, seconds=seconds)


def test_a_film_that_does_not_end_is_not_decoded_to_its_end(path: Path) -> None:
    write(path, Make(width=32, height=32, frames=400, rate=Fraction(400), movflags="frag_keyframe+empty_moov"))

    with pytest.raises(Rejected, match=r"it goes on after 240 frames"):
        inspected(path)


@pytest.mark.parametrize(
    ("turned", "size", "wanted"),
    [
        (90, (HEIGHT, WIDTH), [TOP_RIGHT, BOTTOM_RIGHT, TOP_LEFT, BOTTOM_LEFT]),
        (-90, (HEIGHT, WIDTH), [BOTTOM_LEFT, TOP_LEFT, BOTTOM_RIGHT, TOP_RIGHT]),
        (180, (WIDTH, HEIGHT), [BOTTOM_RIGHT, BOTTOM_LEFT, TOP_RIGHT, TOP_LEFT]),
    ],
)
def test_a_turned_film_is_described_and_shown_upright(
    path: Path, turned: int, size: tuple[int, int], wanted: list[tuple[int, ...]]
) -> None:
    """A telephone writes a portrait film as a landscape one that has to be turned by -90 degrees."""
    write(path, Make(turned=turned))

    facts = inspected(path)

    assert (facts["width"], facts["height"]) == size == poster_of(path).size
    assert near(corners(poster_of(path)), wanted)


@pytest.mark.parametrize(
    ("aspect", "size", "shape"),
    [
        (Fraction(4, 3), (427, HEIGHT), (DISC * 4 // 3, DISC)),
        (Fraction(3, 4), (WIDTH, 245), (DISC, DISC * 4 // 3)),
        (Fraction(181, 180), (WIDTH, HEIGHT), (DISC, DISC)),
    ],
    ids=["wide", "tall", "a slip of an encoder"],
)
def test_a_film_with_pixels_that_are_not_square_is_described_and_shown_as_players_do(
    path: Path, aspect: Fraction, size: tuple[int, int], shape: tuple[int, int]
) -> None:
    write(path, Make(pixel_aspect=aspect))

    facts = inspected(path)

    assert (facts["width"], facts["height"]) == size == poster_of(path).size
    assert near([disc(poster_of(path))], [shape], by=1)


@pytest.mark.parametrize(
    "colors", [{"colorspace": 14}, {"colorspace": 2}, {"colorspace": 1, "color_trc": 4, "color_primaries": 22}]
)
def test_colors_that_are_not_told_or_not_known_are_no_reason_to_refuse(path: Path, colors: dict[str, int]) -> None:
    write(path, Make(colors=colors))

    inspected(path)

    assert near(corners(poster_of(path)), CORNERS, by=30)


def test_a_changing_frame_rate_is_good(path: Path) -> None:
    write(path, Make(frames=12, times=[0, 30, 70, 150, 200, 333, 400, 500, 600, 701, 850, 900]))

    assert inspected(path)["frames"] == 12


@pytest.mark.parametrize(("codec", "pixels", "_name"), CODECS)
@pytest.mark.parametrize("part", [0.5, 0.97])
def test_a_film_cut_short_is_refused(codec: str, pixels: str, _name: str, part: float, path: Path) -> None:
    data = write(path, Make(codec=codec, pixels=pixels, moving=True))
    path.write_bytes(data[: int(len(data) * part)])

    with pytest.raises(Rejected):
        inspected(path)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
@pytest.mark.parametrize("movflags", ["+faststart", "frag_every_frame+empty_moov"])
def test_half_a_film_cut_between_two_frames_is_refused(codec: str, movflags: str, path: Path) -> None:
    data = write(path, Make(codec=codec, moving=True, movflags=movflags))
    with av.open(str(path)) as container:
        ends = sorted(packet.pos + packet.size for packet in container.demux(video=0) if packet.pos is not None)
    path.write_bytes(data[: ends[11]])

    with pytest.raises(Rejected, match=r"it holds 0\.\d\d s of the 1\.00 s it announces|cannot read|is 0\.\d\d s long"):
        inspected(path, seconds=1.6)


@pytest.mark.parametrize("at", [0.4, 0.6, 0.8])
def test_bytes_overwritten_in_the_pictures_of_h264_are_noticed(path: Path, at: float) -> None:
    data = write(path, Make(moving=True, frames=48))
    path.write_bytes(overwritten(data, at=at))

    with pytest.raises(Rejected):
        inspected(path, seconds=2)


def test_frames_that_hold_nothing_are_noticed(path: Path) -> None:
    """As where a download was resumed at the wrong place: the index is whole, and the end is zeros."""
    data = write(path, Make(codec="libsvtav1", moving=True))
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))

    with pytest.raises(Rejected):
        inspected(path)


@pytest.mark.parametrize(("width", "height"), [(4160, 2304), (32, 8)])
def test_a_size_of_no_upstream_is_refused_before_a_frame_is_decoded(path: Path, width: int, height: int) -> None:
    write(path, Make(width=width, height=height, frames=1))

    with pytest.raises(Rejected, match=f"it is {width}x{height} pixels, which is no film of any upstream"):
        inspected(path)
