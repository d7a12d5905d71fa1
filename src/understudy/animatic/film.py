"""From a film as it was asked for to an MP4 in its place.

Three things go on at once: this thread paints, a second one converts the colors, a third encodes. All spend their time
outside the interpreter's lock, so two cores are kept busy whichever has more to do.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np

from understudy.animatic.encode import encode, packed
from understudy.animatic.overlap import overlapped
from understudy.animatic.picture import Plate, load_plate, picture_painter
from understudy.animatic.ribbons import RibbonPainter
from understudy.animatic.scene import scene_painter
from understudy.animatic.script import plan
from understudy.animatic.sound import compose
from understudy.animatic.storyboard import (
    FRAMES_PER_SECOND,
    FilmSpec,
    Frame,
    Painter,
    Setting,
    Shot,
    Storyboard,
)
from understudy.animatic.titles import Overlay, caption, tag

# OpenCV's own threads would take cores from the encoder, and from the other films of a worker.
cv2.setNumThreads(1)

DISSOLVE_FRAMES = 8
"""A third of a second: longer than a cut that startles, shorter than a dissolve that tells of time passing."""

_FADE_IN_FRAMES = 14
_FADE_OUT_FRAMES = 10
_PROGRESS_STEPS = 12
"""Progress is told at least this often, and no less than four times a second of film."""

_AHEAD = 1
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmReport:
    """What was made: `width` and `height` in pixels, `seconds`, `frames`, the file's size and SHA-256 in hex.

    `settings` is where the script placed each shot, in order: `Setting.ABSTRACT` where it knew no word of the prompt. A
    film over a picture shows the picture instead.
    """

    width: int
    height: int
    seconds: int
    frames: int
    size_bytes: int
    sha256: str
    settings: tuple[Setting, ...]


def render(spec: FilmSpec, destination: Path, on_progress: Callable[[float], None]) -> FilmReport:
    """Draw the film and write it to `destination` as MP4; call `on_progress` with 0.0 to 1.0, never falling.

    A second of film at 1280x720 costs 0.7 to 1.4 seconds of CPU, spread over two cores. The file is written beside its
    place and renamed at the end: under its own name there is a whole film or none. Raises `OSError` when
    `spec.picture` cannot be read or the file cannot be written; what `on_progress` raises ends the work and passes
    through.
    """
    board = plan(spec)
    partial = destination.with_name(destination.name + ".part")
    on_progress(0.0)
    # Before the first stage is built and not beside it: both need their most memory while they begin.
    sound = compose(board)

    def write(frames: Iterator[av.VideoFrame]) -> None:
        encode(frames, sound, partial, width=spec.width, height=spec.height)

    def convert(frames: Iterator[Frame]) -> None:
        overlapped(packed(frames), write, ahead=_AHEAD)

    try:
        overlapped(film_frames(board, on_progress), convert, ahead=_AHEAD)
        report = _report(board, partial)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
    on_progress(1.0)
    return report


def film_frames(board: Storyboard, on_progress: Callable[[float], None] = lambda _: None) -> Iterator[Frame]:
    """Yield every frame of the film with its type, `board.spec.frames` of them.

    Where a shot follows another, the first `DISSOLVE_FRAMES` of it are mixed with what the other would have gone on to
    show: each shot but the last is painted as if it were that much longer, so no picture stands still.
    """
    spec = board.spec
    plate = load_plate(spec.picture, spec.width, spec.height) if spec.picture else None
    label = tag(spec.width, spec.height)
    told_every = max(1, min(FRAMES_PER_SECOND // 4, spec.frames // _PROGRESS_STEPS))
    done, leaving = 0, _Leaving(())
    for shot in board.shots:
        overhang = 0 if shot is board.shots[-1] else DISSOLVE_FRAMES
        painter = _painter(replace(shot, frames=shot.frames + overhang), spec, plate)
        words = _Caption(shot, spec, plate)
        for number in range(shot.frames):
            frame = leaving.mixed_into(painter.paint(number))
            words.lay(frame, number)
            label.lay(frame)
            yield frame
            done += 1
            if done % told_every == 0:
                # The last hundredth is for closing the file, which comes after the last frame.
                on_progress(0.99 * done / spec.frames)
        leaving = _Leaving(painter.paint(shot.frames + number) for number in range(overhang))
        del painter  # before the next is built: two scenes at once would be the peak of memory


def still(board: Storyboard, number: int) -> Frame:
    """Return frame `number` of the film with its type, without painting what comes before it; no dissolve is mixed."""
    spec = board.spec
    plate = load_plate(spec.picture, spec.width, spec.height) if spec.picture else None
    shot = next(shot for shot in reversed(board.shots) if shot.first_frame <= number)
    frame = _painter(shot, spec, plate).paint(number - shot.first_frame)
    _Caption(shot, spec, plate).lay(frame, number - shot.first_frame)
    tag(spec.width, spec.height).lay(frame)
    return frame


def _painter(shot: Shot, spec: FilmSpec, plate: Plate | None) -> Painter:
    if plate is not None:
        return picture_painter(plate, shot, spec.width, spec.height)
    if shot.setting is Setting.ABSTRACT:
        return RibbonPainter(shot, spec.width, spec.height, film_seed=spec.seed)
    return scene_painter(shot, spec.width, spec.height)


class _Leaving:
    """What the shot before goes on to show while it dissolves into the one that has begun.

    Kept as JPEG: eight frames of 1792x1024 take 44 MB as they are, and nobody sees the difference under a dissolve.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        quality = (cv2.IMWRITE_JPEG_QUALITY, 95)
        self._kept = deque(cv2.imencode(".jpg", frame, quality)[1] for frame in frames)

    def mixed_into(self, arriving: Frame) -> Frame:
        if not self._kept:
            return arriving
        share = 1 - len(self._kept) / (DISSOLVE_FRAMES + 1)
        left = np.asarray(cv2.imdecode(self._kept.popleft(), cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(cv2.addWeighted(arriving, share, left, 1 - share, 0), np.uint8)


class _Caption:
    """The words of one shot, faded in once the dissolve is over and out before the next begins."""

    def __init__(self, shot: Shot, spec: FilmSpec, plate: Plate | None) -> None:
        self._frames = shot.frames
        self._starts = DISSOLVE_FRAMES if shot.first_frame else 4
        # An abstract shot sets its words large itself.
        titled = shot.setting is Setting.ABSTRACT and plate is None
        self._overlay: Overlay | None = None if titled else caption(shot.caption, spec.width, spec.height)

    def lay(self, frame: Frame, number: int) -> None:
        if self._overlay is not None:
            entered = (number - self._starts) / _FADE_IN_FRAMES
            remaining = (self._frames - 1 - number) / _FADE_OUT_FRAMES
            self._overlay.lay(frame, opacity=max(0.0, min(1.0, entered, remaining)))


def _report(board: Storyboard, file: Path) -> FilmReport:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    spec = board.spec
    return FilmReport(
        width=spec.width,
        height=spec.height,
        seconds=spec.seconds,
        frames=spec.frames,
        size_bytes=file.stat().st_size,
        sha256=digest.hexdigest(),
        settings=tuple(shot.setting for shot in board.shots),
    )
