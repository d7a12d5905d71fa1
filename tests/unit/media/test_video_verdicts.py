"""Which films are accepted: the child's work, called in this process for speed (`media.md` §4)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.unit.media.films import HEIGHT, RATE, SECONDS, WIDTH, film, overwritten
from understudy.media.video_decoder import DecodedFacts, inspect
from understudy.sandbox.errors import Rejected


def inspected(
    data: bytes, folder: Path, *, width: int = WIDTH, height: int = HEIGHT, seconds: float = SECONDS
) -> DecodedFacts:
    path = folder / "film.mp4"
    path.write_bytes(data)
    return inspect(str(path), width, height, seconds, exact=True, poster=None, thumbnail=None)


def test_a_good_film_is_described(good_film: bytes, tmp_path: Path) -> None:
    facts = inspected(good_film, tmp_path)

    assert facts == {
        "width": WIDTH,
        "height": HEIGHT,
        "seconds": SECONDS,
        "frames": SECONDS * RATE,
        "video_codec": "h264",
        "pixel_format": "yuv420p",
        "audio_codec": "aac",
        "size_bytes": len(good_film),
        "sha256": hashlib.sha256(good_film).hexdigest(),
    }


def test_a_silent_film_and_one_with_its_index_behind_are_good(tmp_path: Path) -> None:
    facts = inspected(film(tmp_path / "silent", audio=False, faststart=False), tmp_path)

    assert facts["audio_codec"] is None
    assert facts["frames"] == SECONDS * RATE


def test_full_range_video_is_good(tmp_path: Path) -> None:
    assert inspected(film(tmp_path / "full", pixels="yuvj420p"), tmp_path)["frames"] == SECONDS * RATE


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _film: b"", "does not begin as an MP4"),
        (lambda _film: b"<html><h1>502 Bad Gateway</h1></html>", "does not begin as an MP4"),
        (lambda _film: b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n", "does not begin as an MP4"),
        (lambda film: film[:40] + bytes(2000), "cannot read it|no video stream"),
        (lambda film: film[: film.index(b"moov") + 200], "cannot read it|no video stream"),
        (lambda film: film[: len(film) // 2], "holds .* frames of 48|is corrupt|cannot read it"),
        (lambda film: film[: int(len(film) * 0.9)], "holds .* frames of 48|is corrupt|cannot read it"),
        (overwritten, "is corrupt|cannot read it"),
    ],
    ids=["empty", "html", "playlist", "header-only", "index-cut", "half", "nine-tenths", "overwritten"],
)
def test_a_broken_film_is_refused(
    good_film: bytes, tmp_path: Path, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(Rejected, match=reason):
        inspected(spoil(good_film), tmp_path)


def test_half_a_film_with_its_index_in_front_is_found_out_by_counting(tmp_path: Path) -> None:
    """Cut between two frames it opens, claims its full length and decodes without one complaint."""
    path = tmp_path / "film.mp4"
    data = film(path, audio=False)
    with av.open(str(path)) as container:
        ends = [packet.pos + packet.size for packet in container.demux(video=0) if packet.pos is not None]

    with pytest.raises(Rejected, match="it holds 24 frames of 48"):
        inspected(data[: sorted(ends)[23]], tmp_path)


def test_an_index_at_the_end_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    data = film(tmp_path / "behind", faststart=False)

    with pytest.raises(Rejected):
        inspected(data[: data.rindex(b"moov") - 4], tmp_path)


@pytest.mark.parametrize("at", [0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95])
def test_bytes_overwritten_anywhere_in_the_pictures_are_noticed(at: float, tmp_path: Path) -> None:
    data = film(tmp_path / "silent", audio=False)

    with pytest.raises(Rejected):
        inspected(overwritten(data, at=at), tmp_path)


@pytest.mark.parametrize(
    ("width", "height", "seconds", "reason"),
    [
        (HEIGHT, WIDTH, SECONDS, "it is 320x240 pixels, not 240x320"),
        (640, 480, SECONDS, "it is 320x240 pixels, not 640x480"),
        (WIDTH, HEIGHT, 4, r"it is 2\.00 s long, not 4 s"),
        (WIDTH, HEIGHT, 1.7, r"it is 2\.00 s long, not 1\.7 s"),
    ],
)
def test_another_size_or_length_is_refused(
    good_film: bytes, tmp_path: Path, width: int, height: int, seconds: float, reason: str
) -> None:
    with pytest.raises(Rejected, match=reason):
        inspected(good_film, tmp_path, width=width, height=height, seconds=seconds)


@pytest.mark.parametrize("seconds", [1.76, 2.24])
def test_a_quarter_of_a_second_more_or_less_is_let_pass(good_film: bytes, tmp_path: Path, seconds: float) -> None:
    assert inspected(good_film, tmp_path, seconds=seconds)["seconds"] == SECONDS


@pytest.mark.parametrize(
    ("codec", "pixels", "found"),
    [
        ("libx265", "yuv420p", "hevc in yuv420p"),
        ("libx264", "yuv444p", "h264 in yuv444p"),
        ("libx264", "yuv420p10le", "h264 in yuv420p10le"),
        ("mpeg4", "yuv420p", "mpeg4 in yuv420p"),
    ],
)
def test_video_that_browsers_do_not_all_play_is_refused(codec: str, pixels: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=f"its video is {found}, not H.264 in yuv420p"):
        inspected(film(tmp_path / "other", codec=codec, pixels=pixels), tmp_path)


def test_another_container_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="does not begin as an MP4"):
        inspected(film(tmp_path / "other", container="matroska"), tmp_path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    data = film(tmp_path / "silent").replace(b"vide", b"soun")

    with pytest.raises(Rejected):
        inspected(data, tmp_path)


def test_stills_show_the_film_and_not_its_black_beginning(good_film: bytes, tmp_path: Path) -> None:
    path, poster, thumbnail = tmp_path / "film.mp4", tmp_path / "poster.jpg", tmp_path / "thumbnail.webp"
    path.write_bytes(good_film)

    inspect(str(path), WIDTH, HEIGHT, SECONDS, exact=True, poster=str(poster), thumbnail=str(thumbnail))

    with Image.open(poster) as large, Image.open(thumbnail) as small:
        assert (large.format, large.size) == ("JPEG", (WIDTH, HEIGHT))
        assert (small.format, small.size) == ("WEBP", (640, 480))
        shades = [shade for shade, count in enumerate(large.convert("L").histogram()) if count]
    assert shades[-1] - shades[0] > 100
    assert path.read_bytes() == good_film
