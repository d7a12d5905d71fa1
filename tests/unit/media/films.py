"""Films good and bad, made here."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

WIDTH, HEIGHT, SECONDS, RATE = 320, 240, 2, 24
_SAMPLES = 48_000
_AUDIO_FRAME = 1024


def film(
    path: Path,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    seconds: float = SECONDS,
    black_frames: int = 0,
    audio: bool = True,
    faststart: bool = True,
    container: str = "mp4",
) -> bytes:
    """Encode noise that drifts to the right and return the file's bytes."""
    options = {"movflags": "+faststart"} if faststart and container == "mp4" else {}
    noise = np.random.default_rng(7).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    picture = noise.repeat(8, axis=0).repeat(8, axis=1)
    with av.open(str(path), "w", format=container, options=options) as output:
        video = output.add_stream(codec, rate=RATE, options={"preset": "veryfast", "x265-params": "log-level=none"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pixels
        sound: AudioStream | None = output.add_stream("aac", rate=_SAMPLES) if audio else None
        for number in range(round(seconds * RATE)):
            shown = np.roll(picture, 4 * number, axis=1) * (number >= black_frames)
            output.mux(video.encode(av.VideoFrame.from_ndarray(shown.astype(np.uint8), format="rgb24")))
        output.mux(video.encode())
        if sound is not None:
            for start in range(0, round(seconds * _SAMPLES), _AUDIO_FRAME):
                frame = av.AudioFrame(format="fltp", layout="stereo", samples=_AUDIO_FRAME)
                for plane in frame.planes:
                    plane.update(bytes(plane.buffer_size))
                frame.sample_rate, frame.pts, frame.time_base = _SAMPLES, start, Fraction(1, _SAMPLES)
                output.mux(sound.encode(frame))
            output.mux(sound.encode())
    return path.read_bytes()


def overwritten(data: bytes, *, at: float = 0.6, count: int = 400) -> bytes:
    """Return the film with some bytes of its pictures replaced.

    That shows where arithmetic coding is used, as in all but the poorest presets; in the older coding many of these
    bytes would mean another, valid picture.
    """
    start = int(at * len(data))
    return data[:start] + bytes([0x55] * count) + data[start + count :]
