"""A film of a near size becomes one of the size that was asked for: the child's work, called in this process."""

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.unit.media.upstream_films import (
    CORNERS,
    DISC,
    HDR,
    HEIGHT,
    WIDTH,
    Make,
    clock,
    corners,
    disc,
    first_frame,
    near,
    write,
)
from understudy.media.video_decoder import DecodedFacts, inspect
from understudy.media.video_fitter import fit
from understudy.sandbox.errors import Rejected

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = CORNERS


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "made.mp4"


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    return tmp_path / "fitted.mp4"


def fit_to(source: Path, fitted: Path, width: int = WIDTH, height: int = 180, *, seconds: float = 1.0) -> DecodedFacts:
    """Fit, and inspect the result as strictly as a film of our own."""
    fit(str(source), str(fitted), width, height)
    return inspect(str(fitted), width, height, seconds, exact=True, poster=None, thumbnail=None)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(320, 180, DISC), (480, 270, DISC * 1.5), (160, 92, DISC / 2), (304, 184, DISC)],
    ids=["cropped", "enlarged", "shrunk", "cropped at its sides"],
)
def test_what_was_round_stays_round_and_every_color_stays(
    source: Path, fitted: Path, width: int, height: int, size: float
) -> None:
    write(source, Make())

    facts = fit_to(source, fitted, width, height)

    assert (facts["video_codec"], facts["pixel_format"], facts["frames"]) == ("h264", "yuv420p", 24)
    picture = first_frame(fitted)
    assert near([disc(picture)], [(round(size), round(size))], by=2)
    assert near(corners(picture), CORNERS)


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [
        ("libx264", "yuv420p10le"),
        ("libx264", "yuv444p"),
        ("libx264", "yuvj420p"),
        ("libx265", "yuv420p10le"),
        ("libx265", "gbrp"),
        ("libsvtav1", "yuv420p10le"),
        ("libvpx-vp9", "yuv420p"),
    ],
)
def test_a_film_of_any_codec_becomes_one_that_plays_everywhere(
    source: Path, fitted: Path, codec: str, pixels: str
) -> None:
    write(source, Make(codec=codec, pixels=pixels))

    facts = fit_to(source, fitted)

    assert (facts["video_codec"], facts["pixel_format"]) == ("h264", "yuv420p")
    assert near(corners(first_frame(fitted)), CORNERS)
    with av.open(str(fitted)) as container:
        codec_context = container.streams.video[0].codec_context
        tagged = (codec_context.colorspace, codec_context.color_primaries, codec_context.color_trc)
        assert (*tagged, codec_context.color_range) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("told", "matrix", "height"),
    [(6, "SMPTE170M", HEIGHT), (2, "SMPTE170M", HEIGHT), (2, "ITU709", 736), (14, "ITU709", 736)],
    ids=["old and told", "untold and small", "untold and large", "of no known matrix, and large"],
)
def test_colors_are_read_as_players_read_them(source: Path, fitted: Path, told: int, matrix: str, height: int) -> None:
    write(source, Make(height=height, frames=2, rate=2, colors={"colorspace": told}, matrix=matrix))

    fit_to(source, fitted, WIDTH, height - 4)

    assert near(corners(first_frame(fitted)), CORNERS)


def test_pictures_of_high_dynamic_range_become_common_ones(source: Path, fitted: Path) -> None:
    """Shown as if they were common ones they are grey."""
    write(source, Make(codec="libx265", pixels="yuv420p10le", frames=2, rate=2, colors=HDR, matrix="BT2020"))
    assert not near(corners(first_frame(source)), CORNERS, by=40)

    fit_to(source, fitted)

    assert near(corners(first_frame(fitted)), CORNERS, by=12)


@pytest.mark.parametrize(
    ("turned", "size", "wanted"),
    [
        (90, (180, 320), [TOP_RIGHT, BOTTOM_RIGHT, TOP_LEFT, BOTTOM_LEFT]),
        (-90, (180, 320), [BOTTOM_LEFT, TOP_LEFT, BOTTOM_RIGHT, TOP_RIGHT]),
        (180, (320, 180), [BOTTOM_RIGHT, BOTTOM_LEFT, TOP_RIGHT, TOP_LEFT]),
    ],
)
def test_a_turned_film_is_written_upright(
    source: Path, fitted: Path, turned: int, size: tuple[int, int], wanted: list[tuple[int, ...]]
) -> None:
    write(source, Make(turned=turned))

    fit_to(source, fitted, *size)

    assert near(corners(first_frame(fitted)), wanted)
    with av.open(str(fitted)) as container:
        assert next(container.decode(video=0)).rotation == 0


def test_pixels_that_are_not_square_become_square(source: Path, fitted: Path) -> None:
    write(source, Make(pixel_aspect=Fraction(4, 3)))

    fit_to(source, fitted, 426, 184)

    assert near([disc(first_frame(fitted))], [(DISC * 4 // 3, DISC)], by=2)


@pytest.mark.parametrize(
    "make",
    [
        Make(sound_at=0),
        Make(sound_at=0.25),
        Make(sound_at=0, rate=Fraction(30000, 1001), frames=30),
        Make(sound_at=0, frames=12, rate=12, times=[0, 80, 160, 250, 333, 420, 500, 580, 670, 750, 833, 917]),
        Make(sound_at=0, movflags="frag_keyframe+empty_moov"),
        Make(sound_at=0, codec="libsvtav1"),
    ],
    ids=["24", "sound later", "29.97", "changing", "fragmented", "av1"],
)
def test_every_frame_and_every_sound_stays_at_its_time(source: Path, fitted: Path, make: Make) -> None:
    write(source, make)

    fit(str(source), str(fitted), WIDTH, 180)

    before, after = clock(source), clock(fitted)
    assert len(after.frames) == make.frames
    # A film that begins later than at 0 says so in milliseconds.
    assert max(abs(a - b) for a, b in zip(after.frames, before.frames, strict=True)) < 0.001
    assert len(after.sounds) > 40
    assert after.sounds == before.sounds


def test_a_silent_film_stays_silent(source: Path, fitted: Path) -> None:
    write(source, Make())

    assert fit_to(source, fitted)["audio_codec"] is None


@pytest.mark.parametrize(
    ("tags", "movflags", "comment"),
    [
        ({}, "+faststart", ""),
        ({"title": "A title", "comment": "Made elsewhere."}, "+faststart", "Made elsewhere. | "),
        ({"AIGC": '{"Label":"1"}', "comment": "Made elsewhere."}, "+use_metadata_tags", "Made elsewhere. | "),
    ],
    ids=["none", "common", "a label that a law asks for"],
)
def test_all_tags_are_carried_over_and_the_comment_tells_what_was_done(
    source: Path, fitted: Path, tags: dict[str, str], movflags: str, comment: str
) -> None:
    write(source, Make(tags=tags, movflags=movflags))

    fit_to(source, fitted)

    with av.open(str(fitted)) as container:
        found = container.metadata
    note = "Scaled and cropped from 320x184 to 320x180 by Understudy."
    assert found["comment"] == comment + note
    assert tags.items() <= (found | {"comment": tags.get("comment", "")}).items()


def test_a_film_of_the_right_size_is_said_to_be_encoded_anew(source: Path, fitted: Path) -> None:
    write(source, Make(pixels="yuv444p"))

    fit_to(source, fitted, WIDTH, HEIGHT)

    with av.open(str(fitted)) as container:
        assert container.metadata["comment"] == "Encoded anew by Understudy, as H.264 in yuv420p."


def test_the_index_stands_in_front_so_that_a_player_can_begin_at_once(source: Path, fitted: Path) -> None:
    write(source, Make(movflags=""))

    fit_to(source, fitted)

    data = fitted.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("size", [(320, 180), (178, 316)])
def test_the_same_film_gives_the_same_bytes(source: Path, fitted: Path, size: tuple[int, int]) -> None:
    write(source, Make(sound_at=0, moving=True, turned=None if size[0] > size[1] else 90))

    found = set()
    for _ in range(3):
        fit(str(source), str(fitted), *size)
        found.add(hashlib.sha256(fitted.read_bytes()).hexdigest())
    assert len(found) == 1


def test_a_film_that_cannot_be_decoded_after_all_is_refused(source: Path, fitted: Path) -> None:
    data = write(source, Make(moving=True))
    source.write_bytes(data[: int(len(data) * 0.6)])

    with pytest.raises(Rejected, match="cannot read it"):
        fit(str(source), str(fitted), WIDTH, 180)
    assert not fitted.exists()


def test_a_fitted_film_has_a_poster_and_a_thumbnail(source: Path, fitted: Path, tmp_path: Path) -> None:
    write(source, Make(codec="libx265", pixels="yuv420p10le"))
    fit(str(source), str(fitted), WIDTH, 180)

    poster, thumbnail = tmp_path / "poster.jpg", tmp_path / "thumbnail.webp"
    inspect(str(fitted), WIDTH, 180, 1, exact=True, poster=str(poster), thumbnail=str(thumbnail))

    with Image.open(poster) as large, Image.open(thumbnail) as small:
        assert (large.size, small.size) == ((WIDTH, 180), (640, 360))
        assert near(corners(large), CORNERS)
