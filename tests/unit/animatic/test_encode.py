import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.unit.animatic.shots import lasts
from understudy.animatic.encode import COMMENT, TITLE, encode, packed
from understudy.animatic.storyboard import Frame
from understudy.animatic.voices import SAMPLE_RATE, Samples


def pictures(count: int, width: int, height: int, grain: int = 20) -> Iterator[Frame]:
    """A slope that wanders, with noise of up to `grain` levels for the codec to chew on."""
    rng = np.random.default_rng(1)
    slope = np.linspace(10, 50, width).astype(np.uint8)[None, :, None]
    noise = [rng.integers(0, grain, (height, width, 3), np.uint8) for _ in range(3)]
    for number in range(count):
        yield np.ascontiguousarray(np.roll(slope, 3 * number, axis=1) + noise[number % 3])


def tone(seconds: float) -> Samples:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(np.stack([np.sin(2764 * time), np.sin(4100 * time)], axis=1) * 0.2, np.float32)


def film(path: Path, *, width: int = 320, height: int = 180, seconds: int = 1, grain: int = 20) -> Path:
    frames = packed(pictures(24 * seconds, width, height, grain))
    encode(frames, tone(seconds), path, width=width, height=height)
    return path


def decoded(path: Path) -> str:
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize(("width", "height", "seconds"), [(320, 180, 1), (256, 256, 2), (180, 320, 3)])
def test_both_streams_last_exactly_as_long_as_asked(tmp_path: Path, width: int, height: int, seconds: int) -> None:
    with av.open(str(film(tmp_path / "a.mp4", width=width, height=height, seconds=seconds))) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert lasts(video) == lasts(sound) == seconds
        assert (video.width, video.height) == (width, height)
        assert video.average_rate == 24
        assert sum(1 for _ in container.decode(video)) == 24 * seconds


def test_the_codecs_are_those_that_every_player_knows(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4"))) as container:
        video, sound = container.streams.video[0].codec_context, container.streams.audio[0].codec_context
        assert (video.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (sound.name, sound.sample_rate, sound.layout.name) == ("aac", 48_000, "stereo")


def test_colors_are_tagged_and_converted_as_bt709_limited_range(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    green = np.zeros((256, 256, 3), np.uint8)
    green[:] = (0, 255, 0)
    encode(packed([green] * 24), tone(1), path, width=256, height=256)

    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        frame = next(container.decode(video=0)).to_ndarray()
    # BT.709: Y = 16 + 219 * 0.7152 = 173, where BT.601 would give 145.
    assert abs(int(frame[128, 128]) - 173) <= 2


def test_the_index_comes_before_the_pictures(tmp_path: Path) -> None:
    """A browser starts to play before it has the whole file."""
    content = film(tmp_path / "a.mp4").read_bytes()

    assert 0 < content.find(b"moov") < content.find(b"mdat")


def test_the_file_says_what_it_is_and_nothing_of_the_prompt(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4"))) as container:
        assert container.metadata["comment"] == COMMENT
        assert "procedural" in COMMENT.lower()
        assert "Not the output of an AI model" in COMMENT
        assert container.metadata["title"] == TITLE
        assert set(container.metadata) - {"major_brand", "minor_version", "compatible_brands", "encoder"} == {
            "comment",
            "title",
        }


def test_a_player_can_seek_to_within_two_seconds(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4", seconds=5))) as container:
        base = container.streams.video[0].time_base
        assert base is not None
        keys = [
            float(packet.pts * base)
            for packet in container.demux(video=0)
            if packet.is_keyframe and packet.pts is not None
        ]

    assert keys[0] == 0
    assert max(after - before for before, after in pairwise([*keys, 5])) <= 2


@pytest.mark.parametrize(("width", "height"), [(360, 640), (320, 180)])
@pytest.mark.parametrize("grain", [20, 200])
def test_the_same_frames_encode_to_the_same_file(tmp_path: Path, width: int, height: int, grain: int) -> None:
    """Unpinned, x264 differs from run to run: at the cap, and where rows of chroma are not padded evenly."""
    first, second = (
        film(tmp_path / name, width=width, height=height, seconds=2, grain=grain) for name in ("a.mp4", "b.mp4")
    )

    assert decoded(first) == decoded(second)
    assert first.read_bytes() == second.read_bytes()


def test_pure_noise_stays_under_the_cap(tmp_path: Path) -> None:
    """Rain and snow are noise to a codec; 5.5 Mbit/s at 1280x720 is 0.34 Mbit/s at this size."""
    rng = np.random.default_rng(2)
    noise = (rng.integers(0, 256, (180, 320, 3), np.uint8) for _ in range(120))
    path = tmp_path / "a.mp4"
    encode(packed(noise), tone(5), path, width=320, height=180)

    assert path.stat().st_size * 8 / 5 < 2 * 340_000 + 140_000


def test_a_place_that_cannot_be_written_raises_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        encode(packed(pictures(24, 256, 256)), tone(1), tmp_path / "nowhere" / "a.mp4", width=256, height=256)
