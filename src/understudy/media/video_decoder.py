"""The work on a finished film, as it is done in a child process (`media.md` §4, `reliability.md` §6.2).

One full decode tells everything: half a file with its index in front claims its full length, and bytes overwritten in
the middle raise nothing. Only counting the frames, and asking each one, shows it.
"""

import hashlib
import io
from pathlib import Path
from typing import Final, TypedDict

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from understudy.media.publish import publish
from understudy.sandbox.errors import Rejected

SECONDS_TOLERANCE: Final = 0.25
LEAST_FRAMES: Final = 0.98

# The same samples, in full or in limited range: both play everywhere.
_PIXEL_FORMATS: Final = ("yuv420p", "yuvj420p")
_DECODER_THREADS: Final = 2
_MOST_FRAMES_PER_SECOND: Final = 120
_POSTER_CANDIDATES: Final = 24
_CONTRAST_SAMPLES: Final = 4096
_POSTER_QUALITY: Final = 88
_THUMBNAIL_QUALITY: Final = 80
_THUMBNAIL_WIDTH: Final = 640


class DecodedFacts(TypedDict):
    """What the film is: pixels, seconds of its video stream, frames decoded, codec names, bytes and their SHA-256."""

    width: int
    height: int
    seconds: float
    frames: int
    video_codec: str
    audio_codec: str | None
    size_bytes: int
    sha256: str


def inspect(
    path: str, width: int, height: int, seconds: float, poster: str | None, thumbnail: str | None
) -> DecodedFacts:
    """Decode the MP4 at `path` from end to end; write a poster and a thumbnail if asked.

    Raises `Rejected` with the code "invalid" and the reason, for the operator, if the film is not H.264 in yuv420p of
    that size, is more than 0.25 s longer or shorter, lacks more than 2 % of its frames, or has a corrupt one.
    """
    source = Path(path)
    with source.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            raise _invalid("it does not begin as an MP4 file does")
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        # The demuxer is named, and it may open files only: a playlist in disguise would make FFmpeg go to the network.
        with av.open(path, format="mp4", container_options={"protocol_whitelist": "file"}) as container:
            stream = _video_stream(container, width, height)
            length = _seconds(container, stream, seconds)
            frames, still = _decode(container, stream, length)
            audio = next((track.codec_context for track in container.streams.audio), None)
            facts = DecodedFacts(
                width=width,
                height=height,
                seconds=length,
                frames=frames,
                video_codec=stream.codec_context.name,
                audio_codec=audio.name if audio is not None else None,
                size_bytes=source.stat().st_size,
                sha256=digest,
            )
    except av.FFmpegError as error:
        raise _invalid(f"FFmpeg cannot read it: {error.strerror}") from error
    _write_stills(still, poster, thumbnail)
    return facts


def _invalid(reason: str) -> Rejected:
    return Rejected("invalid", reason)


def _video_stream(container: InputContainer, width: int, height: int) -> VideoStream:
    # An MP4 whose index was cut off still opens; its streams have no codec.
    streams = [stream for stream in container.streams.video if getattr(stream, "codec_context", None) is not None]
    if not streams:
        raise _invalid("it has no video stream, or its index is missing")
    stream = streams[0]
    codec = stream.codec_context
    if codec.name != "h264" or codec.pix_fmt not in _PIXEL_FORMATS:
        raise _invalid(f"its video is {codec.name} in {codec.pix_fmt}, not H.264 in yuv420p")
    if (codec.width, codec.height) != (width, height):
        raise _invalid(f"it is {codec.width}x{codec.height} pixels, not {width}x{height}")
    return stream


def _seconds(container: InputContainer, stream: VideoStream, expected: float) -> float:
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / av.time_base
    else:
        raise _invalid("it does not tell its length")
    if abs(seconds - expected) > SECONDS_TOLERANCE:
        raise _invalid(f"it is {seconds:.2f} s long, not {expected:g} s")
    return seconds


def _decode(container: InputContainer, stream: VideoStream, seconds: float) -> tuple[int, VideoFrame]:
    """Return how many frames there are and the one of the most contrast, which is hardly ever a black or empty one."""
    announced = max(stream.frames, round(seconds * float(stream.average_rate or 0)))
    if not 1 <= announced <= seconds * _MOST_FRAMES_PER_SECOND:
        raise _invalid(f"it announces {announced} frames for {seconds:.2f} s")
    size = (stream.codec_context.width, stream.codec_context.height)
    every = max(1, announced // _POSTER_CANDIDATES)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = _DECODER_THREADS
    count, contrast, still = 0, -1.0, None
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise _invalid(f"frame {count} is corrupt")
        if (frame.width, frame.height) != size:
            raise _invalid(f"frame {count} has another size: {frame.width}x{frame.height}")
        if count % every == 0 and (found := _contrast(frame)) > contrast:
            contrast, still = found, frame
        count += 1
    if still is None or count < LEAST_FRAMES * announced:
        raise _invalid(f"it holds {count} frames of {announced}")
    return count, still


def _contrast(frame: VideoFrame) -> float:
    """Return the standard deviation of some thousand brightness samples, spread over the whole frame."""
    luma = memoryview(frame.planes[0])
    samples = bytes(luma[:: max(1, len(luma) // _CONTRAST_SAMPLES) | 1])
    return float(ImageStat.Stat(Image.frombytes("L", (len(samples), 1), samples)).stddev[0])


def _write_stills(still: VideoFrame, poster: str | None, thumbnail: str | None) -> None:
    if poster is None and thumbnail is None:
        return
    picture: Image.Image = still.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves its options untyped
    if poster is not None:
        publish(Path(poster), _encoded(picture, "JPEG", quality=_POSTER_QUALITY, progressive=True))
    if thumbnail is not None:
        height = max(1, round(picture.height * _THUMBNAIL_WIDTH / picture.width))
        small = picture.resize((_THUMBNAIL_WIDTH, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        publish(Path(thumbnail), _encoded(small, "WEBP", quality=_THUMBNAIL_QUALITY))


def _encoded(picture: Image.Image, kind: str, **options: object) -> memoryview:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getbuffer()
