"""A film of a near size, made into one of the size that was asked for."""

from enum import Enum, auto
from pathlib import Path
from typing import Final

from understudy.media.geometry import cover
from understudy.media.in_child import fit
from understudy.media.publish import part_of
from understudy.media.video import MediaInvalid, VideoFacts
from understudy.sandbox.errors import ChildCrashed, ChildOutOfMemory, ChildTimeout, Rejected
from understudy.sandbox.limits import MIB, Limits
from understudy.sandbox.runner import Sandbox

LIMITS: Final = Limits(memory_bytes=1024 * MIB, cpu_seconds=600, wall_seconds=900, file_bytes=512 * MIB, nice=10)
"""From 1920x1088, 12 s: measured 240 MB resident and 14 s of processor time; from 3840x2160 it needs 768 MiB."""

MOST_LOST: Final = 0.15
MOST_FACTOR: Final = 1.5

# What browsers play of each codec; the rest (4:4:4, 4:2:2, H.264 in 10 bits) few of them do.
_PLAYABLE: Final = {"yuv420p", "yuvj420p"}
_PLAYABLE_DEEP: Final = _PLAYABLE | {"yuv420p10le"}


class Fitting(Enum):
    """What has to be done to a film so that it is the one that was asked for."""

    UNTOUCHED = auto()
    FIT = auto()


def fitting(facts: VideoFacts, *, width: int, height: int) -> Fitting:
    """Tell whether a film can be delivered byte for byte as one of `width` x `height`, or must pass `fit_video`.

    It is untouched if it has that size and a form that browsers play. It may be fitted if, scaled to cover the size by
    at most 1.5, it loses at most 15 % of its area.

    Raises `MediaInvalid` for any other, as a square or a portrait film instead of a landscape one, or a thumbnail.
    """
    deep = facts.video_codec != "h264"
    playable = facts.pixel_format in (_PLAYABLE_DEEP if deep else _PLAYABLE)
    if (facts.width, facts.height) == (width, height):
        return Fitting.UNTOUCHED if playable else Fitting.FIT
    covering = cover(facts.width, facts.height, width=width, height=height)
    made = f"it is {facts.width}x{facts.height} pixels, not {width}x{height}"
    if covering.factor > MOST_FACTOR:
        raise MediaInvalid(f"{made}, and would have to be enlarged by {covering.factor:.2f}")
    if covering.lost > MOST_LOST:
        raise MediaInvalid(f"{made}, and would lose {covering.lost:.0%} of its area")
    return Fitting.FIT


async def fit_video(
    sandbox: Sandbox, source: Path, destination: Path, *, width: int, height: int, limits: Limits = LIMITS
) -> None:
    """Scale and crop the film at `source` to `width` x `height`, even numbers, in a child process; see `inspect_video`.

    Both paths are absolute; `destination` is written whole or not at all. The film has passed `inspect_video`. It is
    scaled to cover the size, cropped at its middle and written as H.264 in yuv420p, BT.709, at its own frame rate; the
    sound is copied as it is. Its tags are carried over, and the comment tells what was done; a C2PA manifest cannot
    survive, for it vouches for other bytes. The same film gives the same bytes.

    Raises `MediaInvalid` if the film cannot be decoded after all, crashes the decoder or exceeds the limits, and
    `ChildRaised` or `SandboxClosed` when the fault is ours (a full disk, the end of the server).
    """
    arguments = {"source": str(source), "destination": str(destination), "width": width, "height": height}
    try:
        await sandbox.run(fit, arguments, limits=limits)
    except Rejected as verdict:
        raise MediaInvalid(verdict.message) from verdict
    except (ChildCrashed, ChildOutOfMemory, ChildTimeout) as error:
        raise MediaInvalid(f"it could not be fitted ({type(error).__name__}: {error})") from error
    finally:
        part_of(destination).unlink(missing_ok=True)
