"""What a shot is stacked from: plates, lights and moving sprites, each at its depth before the camera."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from understudy.animatic.scene.camera import Camera, Pose
from understudy.animatic.scene.raster import Affine, Picture, add_onto, lay_over, scaled, warp


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


def blit(canvas: Picture, image: Picture, place: Affine, until: int, *, light: bool = False) -> None:
    """Lay `image` over the canvas, or add it as `light`, scaled and shifted by `place`; only what is seen costs."""
    scale, right, down = place
    left, top = max(int(np.floor(right)), 0), max(int(np.floor(down)), 0)
    end_x = min(int(np.ceil(right + image.shape[1] * scale)), canvas.shape[1])
    end_y = min(int(np.ceil(down + image.shape[0] * scale)), canvas.shape[0], until)
    if end_x <= left or end_y <= top:
        return
    part = warp(image, (scale, right - left, down - top), (end_x - left, end_y - top))
    target = canvas[top:end_y, left:end_x]
    if light:
        add_onto(target, part)
    else:
        lay_over(target, part)


def _solid_from(image: Picture) -> int:
    """Return the first row from which the picture has no hole left."""
    full = (image[..., 3] == 255).all(axis=1)
    holes = np.flatnonzero(~full)
    return int(holes[-1]) + 1 if len(holes) else 0


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
    _solid: int = field(init=False, default=NEVER)

    def __post_init__(self) -> None:
        if not self.light:
            self._solid = _solid_from(self.image)

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the part with holes as a blend and the rest as a copy."""
        scale, right, down = self._place(moment)
        solid = min(max(self.floor(moment), 0), canvas.shape[0])
        blit(canvas, self.image, (scale, right, down), min(until, solid), light=self.light)
        end = min(until, canvas.shape[0])
        if solid < end:
            size = (canvas.shape[1], end - solid)
            warp(self.image, (scale, right, down - solid), size, out=canvas[solid:end])

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
        grow = 1.0 / plate.scale
        blit(merged, plate.image, (grow, plate.x - left, plate.y - top), height)
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
