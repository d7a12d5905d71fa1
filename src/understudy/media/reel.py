"""A film's frames, one by one, and what they tell that no header does."""

import errno
from collections.abc import Iterator
from typing import Final

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from understudy.sandbox.errors import Rejected

MOST_PIXELS: Final = 4096 * 2304
"""Of one frame: two dozen of them, as many as a decoder may hold, fit into the child's memory."""
LEAST_SIDE: Final = 16

_DECODER_THREADS: Final = 2
_MOST_FRAMES_PER_SECOND: Final = 120
_POSTER_CANDIDATES: Final = 24
_CONTRAST_SAMPLES: Final = 4096
# Of memory, threads and files: the same film may pass on another day.
_SHORTAGES: Final = {errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE}


def invalid(reason: str) -> Rejected:
    """Return the verdict on a film; `reason` is for the operator."""
    return Rejected("invalid", reason)


def verdict(error: av.FFmpegError) -> Rejected:
    """Return what an error of FFmpeg says of the film; raises the error itself if it speaks of this machine."""
    if error.errno in _SHORTAGES:
        raise error
    return invalid(f"FFmpeg cannot read it: {error.strerror}")


def open_film(path: str) -> InputContainer:
    """Open the MP4 at `path`; raises `av.FFmpegError`.

    The demuxer is named, and it may open files only: a playlist in disguise would make FFmpeg go to the network.
    """
    return av.open(path, format="mp4", container_options={"protocol_whitelist": "file"})


def pictures_of(container: InputContainer) -> VideoStream:
    """Return the stream with the pictures, ready to be decoded; raises `Rejected` if there is none."""
    # An MP4 whose index was cut off still opens; its streams have no codec.
    streams = [stream for stream in container.streams.video if getattr(stream, "codec_context", None) is not None]
    if not streams:
        raise invalid("it has no video stream, or its index is missing")
    stream = streams[0]
    codec = stream.codec_context
    # Before a decoder makes room for them.
    if codec.width * codec.height > MOST_PIXELS or min(codec.width, codec.height) < LEAST_SIDE:
        raise invalid(f"it is {codec.width}x{codec.height} pixels, which is no film of any upstream")
    stream.thread_type = "AUTO"
    codec.thread_count = _DECODER_THREADS
    return stream


class Reel:
    """Counts, times and judges the frames of one stream.

    `seconds` bounds its length. `announced` is how many frames it claims to have, `packets` how many it really
    brought, `frames` how many of them could be decoded.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, seconds: float) -> None:
        self.announced = max(stream.frames, round(seconds * float(stream.average_rate or 0)))
        self.packets = 0
        self.frames = 0
        self._still: VideoFrame | None = None
        self._container = container
        self._stream = stream
        self._most = int(seconds * _MOST_FRAMES_PER_SECOND)
        self._every = max(1, min(self.announced, self._most) // _POSTER_CANDIDATES)
        self._contrast = -1.0
        self._begins: int | None = None
        self._ends = 0

    @property
    def seconds(self) -> float:
        """From the first frame seen to the end of the last one."""
        base = self._stream.time_base
        return 0.0 if base is None or self._begins is None else float((self._ends - self._begins) * base)

    @property
    def still(self) -> VideoFrame:
        """The frame of the most contrast among two dozen, which is hardly ever a black or empty one."""
        if self._still is None:
            raise invalid("it holds no frame")
        return self._still

    def decode(self) -> None:
        """Decode all frames.

        Raises `Rejected` for a corrupt frame, one of another size, one without a time, and more than 120 a second.
        """
        for frame in self._frames():
            self._judge(frame)
            self._time(frame)
            if self.frames % self._every == 0 and (found := _contrast(frame)) > self._contrast:
                self._contrast, self._still = found, frame
            self.frames += 1

    def _frames(self) -> Iterator[VideoFrame]:
        for packet in self._container.demux(self._stream):
            if packet.size and not packet.is_discard:
                self.packets += 1
            yield from packet.decode()

    def _judge(self, frame: VideoFrame) -> None:
        if frame.is_corrupt:
            raise invalid(f"frame {self.frames} is corrupt")
        if self.frames >= self._most:
            raise invalid(f"it goes on after {self.frames} frames, which are {_MOST_FRAMES_PER_SECOND} a second")
        first = self._still or frame
        if (frame.width, frame.height) != (first.width, first.height):
            raise invalid(f"frame {self.frames} has another size: {frame.width}x{frame.height}")

    def _time(self, frame: VideoFrame) -> None:
        if frame.pts is None:
            raise invalid(f"frame {self.frames} has no time")
        length = frame.duration
        if not length and self._stream.average_rate and self._stream.time_base:
            length = round(1 / self._stream.average_rate / self._stream.time_base)
        self._begins = frame.pts if self._begins is None else min(self._begins, frame.pts)
        self._ends = max(self._ends, frame.pts + length)


def _contrast(frame: VideoFrame) -> float:
    """Return the standard deviation of some thousand brightness samples, spread over the whole frame."""
    bits = frame.format.components[0].bits
    luma = memoryview(frame.planes[0])
    wide = luma.cast("H") if bits > 8 else luma
    chosen = wide[:: max(1, len(wide) // _CONTRAST_SAMPLES) | 1]
    samples = bytes(sample >> (bits - 8) & 0xFF for sample in chosen) if bits > 8 else bytes(chosen)
    return float(ImageStat.Stat(Image.frombytes("L", (len(samples), 1), samples)).stddev[0])
