"""Frames and sound into an MP4 that plays everywhere: H.264 and AAC, colours tagged, ready to stream.

The codec settings are the measured ones: `veryfast` makes a third of the bytes of `ultrafast`, slower presets save
nothing more on drawn pictures.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from understudy.animatic.storyboard import FRAMES_PER_SECOND, Frame
from understudy.animatic.voices import SAMPLE_RATE, Samples

TITLE = "Animatic draft"
COMMENT = "Procedural animatic by Understudy: drawn by rules from the words of a prompt. Not the output of an AI model."

ENCODER_THREADS = 1
"""One: with more, a capped bit rate makes x264 write other bytes on every run. The painter has the other core."""

_AUDIO_BIT_RATE = 128_000
_AAC_FRAME = 1024

# mbtree=0: with it, x264 reads beyond rows whose chroma is not padded evenly (720x1280 is such a size) and the same
# frames encode differently from run to run. Looking ahead needs a dozen pictures in memory (40 MB at 1792x1024) and
# saved nothing on drawn ones. Small partitions cost 40 % of the time in rain and gain 0.2 dB; finer motion
# than subme=1 costs another 25 % everywhere and gains 0.4 dB at equal bytes. aq-mode=3 spends more on dark slopes,
# where blocks show first.
_X264 = "mbtree=0:rc-lookahead=0:bframes=2:b-adapt=0:partitions=none:me=dia:subme=1:aq-mode=3:aq-strength=0.8"

# Rain and snow are noise to a codec: uncapped they cost ten times a calm sea. The cap is for 1280x720 and grows with
# the picture.
_PEAK_BITS_PER_PIXEL = 5_500_000 / (1280 * 720)
_CRF = "24"

# RGB of full range to Y'CbCr of limited range (ITU-R BT.709-6, 3.5): worked out here in a third of the time that the
# codec library's scaler takes.
_BT709 = np.array(
    [
        [0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255, 16.0],
        [-0.2126 * 224 / 255 / 1.8556, -0.7152 * 224 / 255 / 1.8556, 0.5 * 224 / 255, 128.0],
        [0.5 * 224 / 255, -0.7152 * 224 / 255 / 1.5748, -0.0722 * 224 / 255 / 1.5748, 128.0],
    ]
)


def packed(frames: Iterable[Frame]) -> Iterator[av.VideoFrame]:
    """Yield `frames` (RGB) as the encoder wants them: 4:2:0, BT.709, limited range, numbered from 0."""
    # Kept from frame to frame: memory that is given back and asked for 24 times a second stays with the process twice.
    full = half = None
    for number, picture in enumerate(frames):
        height, width = picture.shape[:2]
        frame = av.VideoFrame(width, height, "yuv420p")
        full = cv2.transform(picture, _BT709, dst=full)
        cv2.extractChannel(full, 0, dst=_plane(frame, 0))
        half = cv2.resize(full, (width // 2, height // 2), dst=half, interpolation=cv2.INTER_AREA)
        for index in (1, 2):
            cv2.extractChannel(half, index, dst=_plane(frame, index))
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
        yield frame


def _plane(frame: av.VideoFrame, index: int) -> NDArray[np.uint8]:
    """Return one plane of a frame as an array to write into, without the padding at the end of its lines."""
    plane = frame.planes[index]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: plane.height, : plane.width]


def encode(frames: Iterable[av.VideoFrame], sound: Samples, destination: Path, *, width: int, height: int) -> None:
    """Write an MP4 of `frames`, which `packed` made, and `sound` (48 kHz stereo) to `destination`.

    Sound is interleaved as the frames come, so that neither has to be held. Raises `OSError` when the file cannot be
    written and `av.FFmpegError` when the codec refuses; the file is then of no use and the caller removes it.
    """
    options = {"movflags": "+faststart"}
    with av.open(str(destination), "w", format="mp4", options=options) as container:
        container.metadata["title"] = TITLE
        container.metadata["comment"] = COMMENT
        video = _video_stream(container, width, height)
        voice = _SoundFeed(container, sound)
        for number, frame in enumerate(frames, start=1):
            container.mux(video.encode(frame))
            voice.advance(Fraction(number, FRAMES_PER_SECOND))
        container.mux(video.encode(None))
        voice.finish()


def _video_stream(container: OutputContainer, width: int, height: int) -> VideoStream:
    peak = round(_PEAK_BITS_PER_PIXEL * width * height)
    stream = container.add_stream(
        "libx264",
        rate=FRAMES_PER_SECOND,
        options={
            "preset": "veryfast",
            "crf": _CRF,
            "maxrate": str(peak),
            "bufsize": str(2 * peak),
            "x264-params": _X264,
        },
    )
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.time_base = Fraction(1, FRAMES_PER_SECOND)
    context = stream.codec_context
    context.thread_count = ENCODER_THREADS
    context.gop_size = 2 * FRAMES_PER_SECOND  # a player seeks to within two seconds
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.color_range = ColorRange.MPEG
    return stream


class _SoundFeed:
    """Encodes the sound up to the moment that the pictures have reached, a codec frame of 1,024 samples at a time."""

    def __init__(self, container: OutputContainer, sound: Samples) -> None:
        self._container = container
        self._sound = sound
        self._stream: AudioStream = container.add_stream("aac", rate=SAMPLE_RATE)
        self._stream.layout = "stereo"
        self._stream.bit_rate = _AUDIO_BIT_RATE
        self._next = 0

    def advance(self, seconds: Fraction) -> None:
        while self._next + _AAC_FRAME <= min(int(seconds * SAMPLE_RATE), len(self._sound)):
            self._feed(_AAC_FRAME)

    def finish(self) -> None:
        while self._next < len(self._sound):
            self._feed(min(_AAC_FRAME, len(self._sound) - self._next))
        self._container.mux(self._stream.encode(None))

    def _feed(self, samples: int) -> None:
        chunk = self._sound[self._next : self._next + samples]
        frame = av.AudioFrame.from_ndarray(chunk.T.copy(), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._next, Fraction(1, SAMPLE_RATE)
        self._container.mux(self._stream.encode(frame))
        self._next += samples
