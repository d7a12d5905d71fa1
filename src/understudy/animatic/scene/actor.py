"""Figures in motion: sprites that walk, pass, bob, fly, swim or rise, alone or as a flock."""

import math
from dataclasses import dataclass, replace

import numpy as np

from understudy.animatic.scene.figures.kind import Kind, Motion, Moving
from understudy.animatic.scene.figures.sketch import Box, Lighting, Sketch
from understudy.animatic.scene.layers import NEVER, Moment, blit
from understudy.animatic.scene.palette import Color
from understudy.animatic.scene.raster import Affine, Picture, premultiplied
from understudy.animatic.scene.stage import Spot

_HALO_ROWS = 32
_HALO_REACH = 2.2
"""How much higher than its figure a halo is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one figure plays: where it stands in the resting frame, its scale, and its course.

    `x`, `y` is its foot (or middle) half-way through the shot; `unit` the pixels of its own measure; `facing` 1 to
    the right, -1 to the left; `pace` slows everything; `until` is the row at which water cuts it
    off; over `ground` it follows the rise and fall of the land.
    """

    kind: Kind
    x: float
    y: float
    unit: float
    facing: float
    depth: float
    middle: float
    pace: float = 1.0
    phase: float = 0.0
    until: float | None = None
    ground: Spot | None = None


class Actor:
    """One figure; its drawings are made once, each frame shows the one that is due."""

    def __init__(
        self, part: Part, sprites: list[Picture], moving: list[Picture] | None = None, halo: Picture | None = None
    ) -> None:
        self._part = part
        self._sprites = sprites
        self._moving = moving
        self._halo = halo

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the figure where it is now."""
        part = self._part
        time = moment.seconds * part.pace
        x, y = _course(part, time - part.middle)
        scale, right, down = moment.place(part.depth)
        if part.until is not None:
            until = min(until, int(scale * part.until + down))
        place = (scale, scale * x + right, scale * y + down)
        if self._halo is not None:
            self._shine(canvas, self._halo, place, until)
        sprite = self._sprites[_due(part, part.kind.period, time, len(self._sprites))]
        self._put(canvas, sprite, part.kind.box, place, until)
        if self._moving and part.kind.moving:
            sprite = self._moving[_due(part, part.kind.moving.period, time, len(self._moving))]
            self._put(canvas, sprite, part.kind.moving.box, place, until)

    def _shine(self, canvas: Picture, halo: Picture, place: Affine, until: int) -> None:
        """Add the light that stands behind the figure, around its middle."""
        scale, x, y = place
        box, unit = self._part.kind.box, self._part.unit * scale
        grow = _HALO_REACH * box.height * unit / halo.shape[0]
        middle = (box.left + box.right) / 2 * self._part.facing
        corner = x + middle * unit - grow * halo.shape[1] / 2, y - 0.5 * box.top * unit - grow * halo.shape[0] / 2
        blit(canvas, halo, (grow, *corner), until, light=True)

    def _put(self, canvas: Picture, sprite: Picture, box: Box, place: Affine, until: int) -> None:
        """Lay one drawing down with its own measure's origin at `place`."""
        scale, x, y = place
        left = box.left if self._part.facing > 0 else -box.right
        unit = self._part.unit * scale
        blit(canvas, sprite, (scale, x + left * unit, y - box.top * unit), until)

    def floor(self, _moment: Moment) -> int:
        """A figure never hides a whole row."""
        return NEVER


def halo_of(kind: Kind, tone: Color) -> Picture:
    """Return a soft light of one tone, wide enough to stand behind a figure: dark figures vanish in dark places."""
    wide = max(8, round(_HALO_ROWS * max(0.6, kind.box.width / kind.box.height)))
    x, y = np.linspace(-1.0, 1.0, wide, dtype=np.float32), np.linspace(-1.0, 1.0, _HALO_ROWS, dtype=np.float32)
    away = np.hypot(x[None, :], y[:, None])
    fall = np.clip(1.0 - away, 0.0, 1.0)
    light = premultiplied(tone, (fall * fall * (3.0 - 2.0 * fall)).astype(np.float32))
    light[..., 3] = 0
    return light


def drawings(
    what: Kind | Moving,
    unit: float,
    facing: float,
    lighting: Lighting,
    tint: Color | None,
    *,
    grounded: bool = False,
) -> list[Picture]:
    """Return the drawings of one cycle of a figure or of its moving part, mirrored if it faces left.

    What is `grounded` throws a soft shadow at its feet.
    """
    sprites: list[Picture] = []
    if facing < 0:
        lighting = _mirrored(lighting)
    for index in range(what.phases):
        sketch = Sketch(what.box, unit)
        what.draw(sketch, index / what.phases, tint)
        sprite = sketch.finished(lighting, grounded=grounded)
        sprites.append(np.ascontiguousarray(sprite[:, ::-1]) if facing < 0 else sprite)
    return sprites


def _mirrored(lighting: Lighting) -> Lighting:
    """Return light that comes from the other side, for a drawing that will be turned."""
    return replace(lighting, right=-lighting.right)


def _rise(ground: Spot | None, x: float) -> float:
    """Return the row of the ground under a walker, evened out over a stride."""
    if ground is None:
        return 0.0
    return sum(ground.row(x + step) for step in (-24.0, -12.0, 0.0, 12.0, 24.0)) / 5.0


def _due(part: Part, period: float, time: float, count: int) -> int:
    """Return which drawing of a cycle is due."""
    if period <= 0.0 or count < 2:
        return 0
    return int((time / period + part.phase) * count) % count


def _course(part: Part, time: float) -> tuple[float, float]:
    """Return where the figure is `time` seconds after the middle of the shot."""
    kind, unit = part.kind, part.unit
    x = part.x + part.facing * kind.speed * unit * time
    y = part.y
    wave = math.sin(time * 1.7 + part.phase * 6.0)
    match kind.motion:
        case Motion.STAND:
            x = part.x
        case Motion.WALK | Motion.RIDE:
            y += _rise(part.ground, x) - _rise(part.ground, part.x)
        case Motion.BOB:
            y += 0.022 * unit * math.sin(time * 1.5 + part.phase * 6.0)
        case Motion.DRIFT:
            y += 0.07 * unit * wave
        case Motion.FLY:
            y -= 0.05 * unit * wave + 0.12 * kind.speed * unit * time
        case Motion.SWIM:
            y += 0.05 * unit * wave
        case Motion.RISE:
            x = part.x + 0.06 * unit * wave
            y -= kind.speed * unit * time
        case Motion.LEAP:
            turn = (time * 0.27 + 0.5) % 1.0
            y += unit * (0.62 - 1.05 * math.sin(math.pi * turn))
    return x, y
