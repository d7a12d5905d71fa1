"""Films as an upstream may deliver them: of any codec, size, turn and clock. A disc amid four corners of color."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT, SECONDS, RATE = 320, 184, 1, 24
DISC = 120
CORNERS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]
"""Top left, top right, bottom left, bottom right."""

HDR = {"colorspace": 9, "color_primaries": 9, "color_trc": 16}
"""The codes of ITU-T H.273 for BT.2020 and PQ."""

_SAMPLES, _AUDIO_FRAME = 48_000, 1024
_OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "mpeg4": {},
}


@dataclass(frozen=True, kw_only=True)
class Make:
    """How a film is made.

    `times` are milliseconds of its frames; `sound_at` is the second at which sound begins. `matrix` is what its colors
    are coded with, `colors` what it says of them, in the codes of ITU-T H.273.
    """

    codec: str = "libx264"
    pixels: str = "yuv420p"
    width: int = WIDTH
    height: int = HEIGHT
    frames: int = SECONDS * RATE
    rate: Fraction | int = RATE
    turned: int | None = None
    pixel_aspect: Fraction | None = None
    times: Sequence[int] | None = None
    colors: dict[str, int] = field(default_factory=lambda: {"colorspace": 1})
    sound_at: float | None = None
    tags: dict[str, str] = field(default_factory=dict)
    movflags: str = "+faststart"
    matrix: str = "ITU709"
    moving: bool = False


def scenery(width: int, height: int) -> NDArray[np.uint8]:
    """Return the picture that all these films show, in RGB."""
    picture = np.zeros((height, width, 3), np.uint8)
    middle = (height // 2, width // 2)
    picture[: middle[0], : middle[1]], picture[: middle[0], middle[1] :] = CORNERS[0], CORNERS[1]
    picture[middle[0] :, : middle[1]], picture[middle[0] :, middle[1] :] = CORNERS[2], CORNERS[3]
    rows, columns = np.mgrid[:height, :width]
    picture[np.hypot(rows - height / 2 + 0.5, columns - width / 2 + 0.5) < DISC / 2] = (240, 240, 240)
    return picture


def _in_high_dynamic_range(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what a screen of common range shows as BT.2020 and PQ, white at 203 nits (ITU-R BT.2408, BT.2100)."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = np.clip((picture / 255) ** 2.4 @ to_2020.T * 203 / 10_000, 0, 1) ** 0.1593017578125
    coded = ((0.8359375 + 18.8515625 * light) / (1 + 18.6875 * light)) ** 78.84375
    return np.asarray(np.round(coded * 255), np.uint8)


def write(path: Path, make: Make) -> bytes:
    """Encode the film and return the file's bytes."""
    options = {"movflags": make.movflags} if make.movflags else {}
    with av.open(str(path), "w", format="mp4", options=options) as output:
        output.metadata.update(make.tags)
        video = _video_stream(output, make)
        sound = _sound_stream(output) if make.sound_at is not None else None
        picture = scenery(make.width, make.height)
        if make.colors == HDR:
            picture = _in_high_dynamic_range(picture)
        for number in range(make.frames):
            shown = np.roll(picture, 4 * number, axis=1) if make.moving else picture
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24").reformat(
                format=make.pixels, dst_colorspace=make.matrix
            )
            frame.colorspace = make.colors.get("colorspace", frame.colorspace)
            if make.times is not None:
                frame.pts, frame.time_base = make.times[number], Fraction(1, 1000)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            _tone(output, sound, make)
    return path.read_bytes()


def _video_stream(output: OutputContainer, make: Make) -> VideoStream:
    video: Any = output.add_stream(make.codec, rate=make.rate, options=_OPTIONS[make.codec])
    assert isinstance(video, VideoStream)
    video.width, video.height, video.pix_fmt = make.width, make.height, make.pixels
    for name, code in make.colors.items():
        setattr(video.codec_context, name, code)
    if make.turned is not None:
        video.set_display_rotation(make.turned)
    if make.pixel_aspect is not None:
        video.sample_aspect_ratio = make.pixel_aspect
    if make.times is not None:
        video.codec_context.time_base = Fraction(1, 1000)
    return video


def _sound_stream(output: OutputContainer) -> AudioStream:
    sound = output.add_stream("aac", rate=_SAMPLES)
    sound.layout = "stereo"
    return sound


def _tone(output: OutputContainer, sound: AudioStream, make: Make) -> None:
    first = round((make.sound_at or 0) * _SAMPLES)
    for start in range(0, round(make.frames / make.rate * _SAMPLES), _AUDIO_FRAME):
        tone = 0.3 * np.sin(np.arange(start, start + _AUDIO_FRAME) / 20)
        frame = av.AudioFrame.from_ndarray(np.tile(tone.astype(np.float32), (2, 1)), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = _SAMPLES, first + start, Fraction(1, _SAMPLES)
        output.mux(sound.encode(frame))
    output.mux(sound.encode(None))


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """Return the colors of the four corners, in the order of `CORNERS`."""
    shown = picture.convert("RGB")
    places = [(x, y) for y in (0.1, 0.9) for x in (0.1, 0.9)]
    found = [shown.getpixel((int(shown.width * x), int(shown.height * y))) for x, y in places]
    return [color for color in found if isinstance(color, tuple)]


def near(found: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]], *, by: int = 6) -> bool:
    """Tell whether two lists of colors are the same to the eye."""
    return all(
        abs(a - b) <= by for one, other in zip(found, wanted, strict=True) for a, b in zip(one, other, strict=True)
    )


def disc(picture: Image.Image) -> tuple[int, int]:
    """Return how wide and how high the disc is, measured through its middle."""
    bright = np.asarray(picture.convert("RGB")).min(axis=2) > 140
    return int(bright[bright.shape[0] // 2].sum()), int(bright[:, bright.shape[1] // 2].sum())


def first_frame(path: Path) -> Image.Image:
    """Return the first frame as it was coded, not turned."""
    with av.open(str(path)) as container:
        image: Image.Image = next(container.decode(video=0)).to_image()  # type: ignore[no-untyped-call]  # PyAV's own
        return image


@dataclass(frozen=True)
class Clock:
    """When everything in a film happens: each frame, in seconds, and each packet of sound, with its bytes."""

    frames: list[float]
    sounds: list[tuple[int | None, int | None, Fraction, bytes]]


def clock(path: Path) -> Clock:
    """Read the times of a film."""
    with av.open(str(path)) as container:
        frames = [frame.time for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        sounds = []
        if container.streams.audio:
            packets = [packet for packet in container.demux(container.streams.audio[0]) if packet.size]
            sounds = [(packet.pts, packet.duration, packet.time_base, bytes(packet)) for packet in packets]
    return Clock(frames, sounds)
