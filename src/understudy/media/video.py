"""Inspecting a finished film, whoever made it, before its task is called a success."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.domain.errors import UnderstudyError
from understudy.media.in_child import inspect
from understudy.media.publish import part_of
from understudy.sandbox.errors import ChildCrashed, ChildOutOfMemory, ChildTimeout, Rejected
from understudy.sandbox.limits import MIB, Limits
from understudy.sandbox.runner import Sandbox

LIMITS: Final = Limits(memory_bytes=1024 * MIB, cpu_seconds=300, wall_seconds=300, file_bytes=64 * MIB)
"""A film of 1920x1080 was measured to need less than 256 MiB; one of 3840x2160 in 10 bits 768 MiB."""


class MediaInvalid(UnderstudyError):  # noqa: N818 - a verdict on a file
    """The film is not what was asked for. `reason` is for the operator; a caller hears `GENERATION_FAILED`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the film must be.

    `exact`, for films of our own making: H.264 in yuv420p, of that width and height in pixels, and as long as told,
    give or take 0.25 s. Otherwise, for what an upstream delivers: H.264, HEVC, AV1 or VP9, as long as told, give or
    take 1 s (`reliability.md` §6.2); its size is told by `VideoFacts` and judged by `fitting`.
    """

    width: int
    height: int
    seconds: float
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What the film is.

    Width and height in pixels, as a player shows it: upright and with square pixels. `seconds` of its video stream,
    `frames` decoded, FFmpeg's names of the codecs and of the pixel format (`audio_codec` is None for a silent film),
    the file's size and its SHA-256 in hexadecimal.
    """

    width: int
    height: int
    seconds: float
    frames: int
    video_codec: str
    pixel_format: str
    audio_codec: str | None
    size_bytes: int
    sha256: str


async def inspect_video(
    sandbox: Sandbox,
    path: Path,
    *,
    expected: Expected,
    poster: Path | None = None,
    thumbnail: Path | None = None,
    limits: Limits = LIMITS,
) -> VideoFacts:
    """Decode the MP4 at the absolute path `path` from end to end in a child process; never change a byte of it.

    Writes, where a path is given, a still of the film's own size as JPEG (`poster`) and one of 640 pixels across as
    WebP (`thumbnail`), whole or not at all; the folders must exist.

    Raises `MediaInvalid` if it is not as expected, lacks more than 2 % of its frames or has a corrupt one (`media.md`
    §4), and if it crashes the decoder or exceeds the limits. Raises `ChildRaised` or `SandboxClosed` when the fault is
    ours (a full disk, the end of the server).
    """
    arguments = {
        "path": str(path),
        "width": expected.width,
        "height": expected.height,
        "seconds": expected.seconds,
        "exact": expected.exact,
        "poster": None if poster is None else str(poster),
        "thumbnail": None if thumbnail is None else str(thumbnail),
    }
    try:
        facts = await sandbox.run(inspect, arguments, limits=limits)
    except Rejected as verdict:
        raise MediaInvalid(verdict.message) from verdict
    except (ChildCrashed, ChildOutOfMemory, ChildTimeout) as error:
        raise MediaInvalid(f"the decoder did not survive it ({type(error).__name__}: {error})") from error
    finally:
        for still in (poster, thumbnail):
            if still is not None:
                part_of(still).unlink(missing_ok=True)
    return VideoFacts(**facts)
