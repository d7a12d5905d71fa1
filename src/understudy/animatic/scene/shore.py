"""The wash of the surf: thin water with a rim of foam that runs up the sand and draws back."""

import math

import numpy as np

from understudy.animatic.scene.layers import NEVER, Moment, blit
from understudy.animatic.scene.noise import fractal, line_noise
from understudy.animatic.scene.raster import Picture, mix, premultiplied, smoothstep
from understudy.animatic.scene.stage import Spot, Stage


class Wash:
    """One tongue of water; it rises and falls in its own time."""

    def __init__(
        self, image: Picture, x: float, y: float, reach: float, rate: float, phase: float, depth: float
    ) -> None:
        self._image = image
        self._x = x
        self._y = y
        self._reach = reach
        self._rate = rate
        self._phase = phase
        self._depth = depth

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the tongue where the swell has carried it: quick up, slow back."""
        turn = moment.seconds * self._rate * 2.0 * math.pi + self._phase
        lift = (math.sin(turn) + 0.28 * math.sin(2.0 * turn + 0.6)) * 0.5
        scale, right, down = moment.place(self._depth)
        y = self._y + lift * self._reach
        x = self._x + 0.2 * self._reach * math.sin(turn * 0.5)
        blit(canvas, self._image, (scale * 2.0, scale * x + right, scale * y + down), until)

    def floor(self, _moment: Moment) -> int:
        """Thin water hides nothing."""
        return NEVER


def add_wash(stage: Stage, spot: Spot) -> None:
    """Put two tongues of surf on the edge between water and sand."""
    reach = 0.03 * stage.height
    for index, (shift, rate) in enumerate([(-0.012, 0.13), (0.006, 0.17)]):
        image = _tongue(stage, spot, reach)
        y = _edge_top(stage, spot) - 0.085 * stage.height + shift * stage.height
        wash = Wash(image, spot.left, y, reach, rate * stage.pace, 1.9 * index, spot.depth)
        stage.add(wash, spot.order - 0.05)


def _edge_top(stage: Stage, spot: Spot) -> float:
    """Return the highest row of the sand."""
    return min(spot.row(x) for x in range(0, stage.width, 16))


def _tongue(stage: Stage, spot: Spot, reach: float) -> Picture:
    """Return thin water above a lacy rim of foam, at half size, along the course of the sand."""
    width = (stage.width + int(-2 * spot.left)) // 2
    course = np.array([spot.row(x * 2 + spot.left) for x in range(width)], np.float32) - _edge_top(stage, spot)
    course = course / 2 + 0.1 * stage.height / 2
    course = course + line_noise(stage.rng, width, 7.0, octaves=3) * np.float32(reach * 0.5)
    height = int(course.max() + reach) + 4
    below = np.arange(height, dtype=np.float32)[:, None] - course[None, :]
    lace = fractal(stage.rng, width, height, width / (15 * stage.unit), octaves=4, stretch=1.8)
    soft = 7.0 * stage.unit
    rim = np.exp(-((below + soft * 0.5) ** 2) / (soft * soft * 0.45)) * smoothstep(-0.75, 0.15, lace)
    trail = smoothstep(-12 * soft, 0.0, below) * smoothstep(0.12, 0.5, lace) * 0.55
    foam = np.clip(rim * 1.1 + trail * (below < 0), 0.0, 1.0)
    body = smoothstep(-0.1 * stage.height / 2, -0.02 * stage.height, below) * smoothstep(1.5, -1.5, below)
    palette = stage.palette
    film = mix(palette.middle, palette.horizon, 0.4) * np.float32(0.92)
    white = np.clip(palette.ambient * np.float32(0.7) + palette.key * np.float32(0.6), 0, 1)
    cover = np.clip(body * 0.62 + foam, 0.0, 1.0) * smoothstep(0.0, 0.16, np.linspace(0, 1, height))[:, None]
    return premultiplied(mix(film, white, foam[..., None]).astype(np.float32), cover.astype(np.float32))
