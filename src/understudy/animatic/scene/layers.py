"""What a shot is stacked from: plates, lights and moving sprites, each at its depth before the camera."""

import math
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.animatic.scene.camera import Camera, Pose
from understudy.animatic.scene.raster import (
    Affine,
    Picture,
    add_onto,
    cover_opaque,
    lay_over,
    place_into,
    scaled,
    scratch,
    warp,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of a shot: its number, its time in seconds, and the camera."""

    frame: int
    seconds: float
    pose: Pose
    camera: Camera

    def place(self, depth: float) -> Affine:
        """Return where a thing at `depth` comes to stand."""
        return self.camera.place(self.pose, depth)


class Element(Protocol):
    """One part of the picture; elements are drawn from the farthest to the nearest."""

    def draw(self, canvas: Picture, moment: Moment, until: int, /) -> None:
        """Draw onto the RGBA canvas; rows from `until` down are hidden by nearer elements and may be left out."""
        ...

    def floor(self, moment: Moment, /) -> int:
        """Return the row from which this element hides all that is behind it (a huge number if it never does)."""
        ...


NEVER = 1 << 20
"""A row below every picture."""

FULL = 255
"""The alpha value of what has no hole."""

Window: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the canvas; the last two exclusive."""

_STRIP = 256
"""Width of the strips in which a plate is drawn; narrower ones skip more emptiness, but each call costs 20 µs."""

_LEAST_COPY = 8
"""Fewer solid rows than this are blended with the rest."""


def blit(canvas: Picture, image: Picture, place: Affine, until: int, *, light: bool = False) -> None:
    """Lay `image` over the canvas, or add it as `light`, scaled and shifted by `place`; only what is seen costs.

    The canvas has no holes; its alpha channel means nothing.
    """
    scale, right, down = place
    left, end_x = _within(right, image.shape[1], scale)
    top, end_y = _within(down, image.shape[0], scale)
    window = (max(left, 0), max(top, 0), min(end_x, canvas.shape[1]), min(end_y, canvas.shape[0], until))
    _blend(canvas, image, place, window, light=light)


def _within(start: float, length: int, scale: float) -> tuple[int, int]:
    """Return the first and the last pixel (exclusive) that a picture touches along one axis.

    At its own size it leaves out the half pixels at its rims, so that no place outside of it is asked for.
    """
    if scale == 1.0:
        return math.ceil(start), math.floor(start + length)
    return math.floor(start), math.ceil(start + length * scale)


def _blend(canvas: Picture, image: Picture, place: Affine, window: Window, *, light: bool = False) -> None:
    """Blend, or add as `light`, what of a picture falls into a window of the canvas."""
    left, top, end_x, end_y = window
    if end_x <= left or end_y <= top:
        return
    scale, right, down = place
    part = scratch("blit", (end_y - top, end_x - left, 4))
    place_into(image, (scale, right - left, down - top), part)
    target = canvas[top:end_y, left:end_x]
    if light:
        add_onto(target, part)
    else:
        cover_opaque(target, part)


@dataclass(frozen=True, slots=True)
class _Extent:
    """For each column of a picture: the first used row, the row after the last, and where its last hole ends.

    `strip` is the width of the strips in which it is best drawn.
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    solid: NDArray[np.intp]
    strip: int


def _extent(image: Picture) -> _Extent:
    cover = image[..., 3]
    rows = len(cover)
    used, hole = cover > 0, cover < FULL
    first = np.where(used.any(axis=0), used.argmax(axis=0), rows)
    last = np.where(used.any(axis=0), rows - used[::-1].argmax(axis=0), 0)
    solid = np.where(hole.any(axis=0), rows - hole[::-1].argmax(axis=0), 0)
    starts = np.arange(0, cover.shape[1], _STRIP)
    tops, feet, holes = (
        np.minimum.reduceat(first, starts),
        np.maximum.reduceat(last, starts),
        np.maximum.reduceat(solid, starts),
    )
    blended = float((np.minimum(feet, holes) - tops).clip(0).mean())
    at_once = min(int(feet.max()), int(holes.max())) - int(tops.min())
    return _Extent(first, last, solid, _STRIP if blended < 0.75 * at_once else NEVER)


@dataclass(slots=True)
class Plate:
    """A still picture with an alpha channel that the camera passes by.

    `x`, `y` are where its corner lies in the resting frame, `scale` is its pixels for one of the frame,
    `drift` its own motion in pixels of the frame a second. With `light` it is added instead of laid over.
    """

    image: Picture
    x: float
    y: float
    depth: float
    scale: float = 1.0
    drift: float = 0.0
    light: bool = False
    _extent: _Extent | None = field(init=False, default=None)
    _solid: int = field(init=False, default=NEVER)

    def __post_init__(self) -> None:
        if not self.light:
            extent = _extent(self.image)
            self._solid = int(extent.solid.max())
            # A soft picture moves on a grid of its own; cut into strips it would show their seams.
            self._extent = extent if self.scale == 1.0 else None

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the part with holes as a blend and the rest as a copy."""
        place = self._place(moment)
        if self._extent is None:
            blit(canvas, self.image, place, until, light=self.light)
            return
        left, end = _within(place[1], self.image.shape[1], place[0])
        left, end = max(left, 0), min(end, canvas.shape[1])
        for x in range(left, end, self._extent.strip):
            self._draw_strip(canvas, place, self._extent, (x, min(x + self._extent.strip, end)), until)

    def _draw_strip(
        self, canvas: Picture, place: Affine, extent: _Extent, columns: tuple[int, int], until: int
    ) -> None:
        """Draw some columns: nothing above the first used row, a blend where there are holes, then a copy."""
        scale, right, down = place
        x, end_x = columns
        seen = slice(max(int((x - right) / scale) - 1, 0), int((end_x - right) / scale) + 2)
        first, last = int(extent.first[seen].min()), int(extent.last[seen].max())
        top, end_y = _within(down, self.image.shape[0], scale)
        top = max(top, math.floor(down + (first - 1) * scale), 0)
        end_y = min(end_y, math.ceil(down + (last + 1) * scale), canvas.shape[0], until)
        solid = min(max(math.ceil(down + int(extent.solid[seen].max()) * scale) + 1, top), end_y)
        if end_y - solid < _LEAST_COPY:
            solid = end_y
        # The last row of a picture is a blend with what lies below it.
        elif end_y > down + (self.image.shape[0] - 1) * scale:
            end_y -= 1
        _blend(canvas, self.image, place, (x, top, end_x, solid))
        if end_y > solid:
            place_into(self.image, (scale, right - x, down - solid), canvas[solid:end_y, x:end_x])

    def floor(self, moment: Moment) -> int:
        """Return the first frame row that the plate fills from side to side, down to the bottom."""
        if self._solid >= self.image.shape[0]:
            return NEVER
        scale, right, down = self._place(moment)
        width, height = moment.camera.width, moment.camera.height
        covers = right <= 0.0 and right + (self.image.shape[1] - 1) * scale >= width - 1
        if not covers or down + (self.image.shape[0] - 1) * scale < height - 1:
            return NEVER
        return int(np.ceil(down + self._solid * scale)) + 1

    def _place(self, moment: Moment) -> Affine:
        scale, right, down = moment.place(self.depth)
        x = self.x + self.drift * moment.seconds
        return scale / self.scale, scale * x + right, scale * self.y + down


@dataclass(slots=True)
class Backdrop:
    """The farthest picture: it fills the frame and does not move."""

    image: Picture

    def draw(self, canvas: Picture, _moment: Moment, until: int) -> None:
        """Copy the rows that will be seen."""
        end = min(until, canvas.shape[0])
        canvas[:end] = self.image[:end]

    def floor(self, _moment: Moment) -> int:
        """Nothing lies behind it."""
        return 0


@dataclass(slots=True)
class Pulse:
    """A light that beats: neon that hums, a lamp that turns, a window that flickers.

    Its strength is `base` plus two waves of `swing`; below 0 it is dark.
    """

    image: Picture
    x: float
    y: float
    depth: float
    scale: float = 1.0
    base: float = 0.8
    swing: float = 0.2
    rate: float = 1.0
    phase: float = 0.0

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Add the light at its strength of this moment."""
        wave = moment.seconds * self.rate * 2.0 * np.pi + self.phase
        strength = self.base + self.swing * (0.7 * np.sin(wave) + 0.3 * np.sin(wave * 2.7 + 1.3))
        if strength <= 0.01:
            return
        scale, right, down = moment.place(self.depth)
        place = (scale / self.scale, scale * self.x + right, scale * self.y + down)
        blit(canvas, scaled(self.image, float(strength)), place, until, light=True)

    def floor(self, _moment: Moment) -> int:
        """Light hides nothing."""
        return NEVER


def pieces(image: Picture, x: float, y: float, depth: float, *, gap: int = 24) -> list[Plate]:
    """Return a picture as plates without its empty rims and without empty stretches of `gap` columns or more."""
    used = np.flatnonzero(image.any(axis=(0, 2)))
    if len(used) == 0:
        return []
    breaks = np.flatnonzero(np.diff(used) > gap)
    plates: list[Plate] = []
    for first, last in zip([0, *(breaks + 1)], [*breaks, len(used) - 1], strict=True):
        left, right = max(int(used[first]) - 1, 0), int(used[last]) + 2
        part = image[:, left:right]
        rows = np.flatnonzero(part.any(axis=(1, 2)))
        top, bottom = max(int(rows[0]) - 1, 0), int(rows[-1]) + 2
        plates.append(Plate(np.ascontiguousarray(part[top:bottom]), x + left, y + top, depth))
    return plates


def bake(stage: "Sized", plates: list[Plate], depth: float) -> Plate:
    """Return still plates merged into one at `depth`: one blend a frame instead of many."""
    left = min(plate.x for plate in plates)
    top = min(plate.y for plate in plates)
    right = max(plate.x + plate.image.shape[1] / plate.scale for plate in plates)
    bottom = max(plate.y + plate.image.shape[0] / plate.scale for plate in plates)
    width, height = round(right - left), round(min(bottom, stage.height - top) - top)
    merged = np.zeros((height, width, 4), np.uint8)
    for plate in plates:
        place = (1.0 / plate.scale, plate.x - left, plate.y - top)
        lay_over(merged, warp(plate.image, place, (width, height)))
    return Plate(merged, left, top, depth)


class Sized(Protocol):
    """Anything that has the height of the frame."""

    height: int


def paint_stack(elements: list[Element], canvas: Picture, moment: Moment) -> None:
    """Draw the elements, farthest first, and leave out rows that nearer ones will hide."""
    until = canvas.shape[0]
    limits: list[int] = []
    for element in reversed(elements):
        limits.append(until)
        until = min(until, element.floor(moment))
    for element, limit in zip(elements, reversed(limits), strict=True):
        element.draw(canvas, moment, limit)
