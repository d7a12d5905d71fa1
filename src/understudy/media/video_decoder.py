"""The work on a finished film, as it is done in a child process (`media.md` §4, `reliability.md` §6.2).

One full decode tells everything: half a file with its index in front claims its full length, and bytes overwritten in
the middle raise nothing. Only counting the frames, and asking each one, shows it. What is asked of a film of our own
making is strict; an upstream's may have any size and any codec of the web.
"""

import hashlib
import io
from fractions import Fraction
from pathlib import Path
from typing import Final, TypedDict

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from understudy.media.conversion import Converter, shown_size
from understudy.media.publish import publish
from understudy.media.reel import Reel, invalid, open_film, pictures_of, verdict

EXACT_TOLERANCE_SECONDS: Final = 0.25
TOLERANCE_SECONDS: Final = 1.0
LEAST_PART: Final = 0.98
CODECS: Final = {"h264": "H.264", "hevc": "HEVC", "av1": "AV1", "vp9": "VP9"}

# The same samples, in full or in limited range: both play everywhere.
_EXACT_PIXEL_FORMATS: Final = ("yuv420p", "yuvj420p")
_POSTER_QUALITY: Final = 88
_THUMBNAIL_QUALITY: Final = 80
_THUMBNAIL_WIDTH: Final = 640


class DecodedFacts(TypedDict):
    """What the film is: pixels as shown, seconds of its pictures, frames decoded, codecs, bytes and their SHA-256."""

    width: int
    height: int
    seconds: float
    frames: int
    video_codec: str
    pixel_format: str
    audio_codec: str | None
    size_bytes: int
    sha256: str


def inspect(
    path: str, width: int, height: int, seconds: float, *, exact: bool, poster: str | None, thumbnail: str | None
) -> DecodedFacts:
    """Decode the MP4 at `path` from end to end; write a poster and a thumbnail if asked.

    Raises `Rejected` with the code "invalid" and the reason, for the operator, if the film lacks more than 2 % of what
    it announces or has a corrupt frame. `exact`: also if it is not H.264 in yuv420p of that size, or more than 0.25 s
    longer or shorter. Otherwise: if its codec is none of `CODECS`, or it is more than 1 s longer or shorter.
    """
    digest = _digest(Path(path))
    try:
        with open_film(path) as container:
            stream = pictures_of(container)
            if exact:
                _check_make(stream, width, height)
                length, reel = _decode_ours(container, stream, seconds)
            else:
                length, reel = _decode_any(container, stream, seconds)
            codec, aspect = stream.codec_context.codec.canonical_name, stream.sample_aspect_ratio
            audio = next((track.codec_context for track in container.streams.audio), None)
            audio_codec = audio.name if audio is not None else None
    except av.FFmpegError as error:
        raise verdict(error) from error
    still = reel.still
    _write_stills(still, aspect, poster, thumbnail)
    shown = shown_size(still, aspect)
    return DecodedFacts(
        width=shown[0],
        height=shown[1],
        seconds=length,
        frames=reel.frames,
        video_codec=codec,
        pixel_format=still.format.name,
        audio_codec=audio_codec,
        size_bytes=Path(path).stat().st_size,
        sha256=digest,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            raise invalid("it does not begin as an MP4 file does")
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_make(stream: VideoStream, width: int, height: int) -> None:
    codec = stream.codec_context
    if codec.name != "h264" or codec.pix_fmt not in _EXACT_PIXEL_FORMATS:
        raise invalid(f"its video is {codec.name} in {codec.pix_fmt}, not H.264 in yuv420p")
    if (codec.width, codec.height) != (width, height):
        raise invalid(f"it is {codec.width}x{codec.height} pixels, not {width}x{height}")


def _decode_ours(container: InputContainer, stream: VideoStream, expected: float) -> tuple[float, Reel]:
    """Decode a film whose index tells everything; return the length that the index tells, and the frames."""
    seconds = _told_seconds(container, stream)
    if seconds is None:
        raise invalid("it does not tell its length")
    _check_seconds(seconds, expected, EXACT_TOLERANCE_SECONDS)
    reel = Reel(container, stream, seconds)
    reel.decode()
    if reel.frames < LEAST_PART * reel.announced:
        raise invalid(f"it holds {reel.frames} frames of {reel.announced}")
    return seconds, reel


def _decode_any(container: InputContainer, stream: VideoStream, expected: float) -> tuple[float, Reel]:
    """Decode a film made elsewhere; return the length that its frames have, and the frames.

    Its index is no witness: it counts frames that an edit list hides, and a fragmented film has none.
    """
    name = stream.codec_context.codec.canonical_name
    if name not in CODECS:
        raise invalid(f"its video is {name}; it must be {', '.join(CODECS.values())}")
    told = _told_seconds(container, stream)
    if told is not None:
        _check_seconds(told, expected, TOLERANCE_SECONDS)
    reel = Reel(container, stream, expected + TOLERANCE_SECONDS)
    reel.decode()
    if reel.frames < LEAST_PART * reel.packets:
        raise invalid(f"of its {reel.packets} frames {reel.frames} can be decoded")
    if told is not None and reel.seconds < LEAST_PART * told:
        raise invalid(f"it holds {reel.seconds:.2f} s of the {told:.2f} s it announces")
    _check_seconds(reel.seconds, expected, TOLERANCE_SECONDS)
    return reel.seconds, reel


def _told_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _check_seconds(seconds: float, expected: float, tolerance: float) -> None:
    if abs(seconds - expected) > tolerance:
        raise invalid(f"it is {seconds:.2f} s long, not {expected:g} s")


def _write_stills(still: VideoFrame, pixel_aspect: Fraction | None, poster: str | None, thumbnail: str | None) -> None:
    if poster is None and thumbnail is None:
        return
    picture = Converter().picture(still, pixel_aspect)
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
