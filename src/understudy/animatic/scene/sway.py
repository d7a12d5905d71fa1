"""Things rooted in the ground that sway: kelp, reeds, curtains."""

import math

import numpy as np

from understudy.animatic.scene.layers import NEVER, Moment
from understudy.animatic.scene.raster import Field, Picture, lay_over, sample


class Sway:
    """A picture whose top swings to and fro by `reach` pixels while its foot stays."""

    def __init__(
        self, image: Picture, x: float, y: float, depth: float, *, reach: float, rate: float, phase: float = 0.0
    ) -> None:
        pad = int(reach) + 2
        self._image = np.pad(image, ((0, 0), (pad, pad), (0, 0)))
        self._x = x - pad
        self._y = y
        self._depth = depth
        self._reach = reach
        self._rate = rate
        self._phase = phase
        height, width = self._image.shape[:2]
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self._rows: Field = np.ascontiguousarray(rows)
        self._columns: Field = np.ascontiguousarray(columns)
        self._part = np.linspace(1.0, 0.0, height, dtype=np.float32)[:, None] ** 1.5

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the picture bent as it is now; the camera's zoom moves it, but does not scale it."""
        scale, right, down = moment.place(self._depth)
        left, top = round(scale * self._x + right), round(scale * self._y + down)
        height, width = self._image.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, canvas.shape[1]), min(top + height, canvas.shape[0], until)
        if x1 <= x0 or y1 <= y0:
            return
        turn = moment.seconds * self._rate * 2.0 * math.pi + self._phase
        wave = np.sin(np.float32(turn) - self._part * np.float32(2.2)) * self._part * np.float32(self._reach)
        part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        bent: Picture = sample(self._image, self._columns[part] - wave[part[0]], self._rows[part])
        lay_over(canvas[y0:y1, x0:x1], bent)

    def floor(self, _moment: Moment) -> int:
        """It has holes everywhere."""
        return NEVER
