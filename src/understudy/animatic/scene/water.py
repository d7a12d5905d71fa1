"""Water and wet ground: a mirror of what is above it, broken by moving ripples, with the glitter of the light."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.animatic.scene.layers import NEVER, Moment
from understudy.animatic.scene.noise import fractal, tileable
from understudy.animatic.scene.palette import Color
from understudy.animatic.scene.raster import (
    Field,
    Picture,
    add_onto,
    box,
    enlarge_onto,
    gray_to_rgba,
    multiply_onto,
    resize,
    sample,
    smoothstep,
    to_picture,
)
from understudy.animatic.scene.stage import Stage

_TILE = 256
"""Side of the tile of waves, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """How a water surface looks.

    `chop` is the height of its ripples, `ripple` their size (1 for open sea), `speed` how fast they run, `deep`
    the color of the water itself, `mirror` how much of it is mirror near the camera (0 to 1), `glitter` the light
    on it, `smear` how far reflections are drawn out downward, `puddles` how much of it is dry (0 is all water).
    """

    deep: Color
    chop: float = 1.0
    ripple: float = 1.0
    speed: float = 1.0
    mirror: float = 0.45
    glitter: float = 1.0
    smear: float = 0.0
    puddles: float = 0.0
    depth: float = 0.05


class Water:
    """A surface from its far edge down to the bottom of the frame; worked out at half size."""

    def __init__(self, stage: Stage, surface: Surface, top: float) -> None:
        self._surface = surface
        self._top = top
        self._pace = surface.speed * stage.pace
        self._width = (stage.width + 1) // 2
        extra = stage.camera.margin(surface.depth) // 2 + 2
        self._height = max(8, int(np.ceil((stage.height - top) / 2)) + extra)
        self._waves = tileable(stage.rng, _TILE, 1.25, coarsest=4)
        columns, rows, self._calm = self._perspective(stage)
        self._trains = [_train(columns, rows), _train(columns * _SECOND, rows * _SECOND)]
        self._shade, self._body = self._colors(stage)
        self._shine = self._glitter_mask(stage)

    def draw(self, canvas: Picture, moment: Moment, _until: int) -> None:
        """Mirror the canvas above the edge into the rows below it."""
        top = self._row(moment)
        if top >= canvas.shape[0] or top < 4:
            return
        waves = self._ripples(moment)
        picture = self._mirrored(canvas, top, waves)
        multiply_onto(picture, self._shade)
        add_onto(picture, self._body)
        self._add_glitter(picture, waves)
        rows = min((canvas.shape[0] - top + 1) // 2, self._height)
        enlarge_onto(picture[:rows], canvas[top:])

    def floor(self, moment: Moment) -> int:
        """Water hides what is behind it, but mirrors what is above: only rows below its edge are free."""
        row = self._row(moment)
        return row if row >= 4 else NEVER

    def _row(self, moment: Moment) -> int:
        scale, _, down = moment.place(self._surface.depth)
        return round(scale * self._top + down)

    def _perspective(self, stage: Stage) -> tuple[Field, Field, Field]:
        """Return where each pixel looks on the tile of waves, and how far ripples may push there."""
        surface = self._surface
        down = (np.arange(self._height, dtype=np.float32)[:, None] + 0.6) / np.float32(stage.height / 2)
        distance = 1.0 / (down + np.float32(0.014))
        across = (np.arange(self._width, dtype=np.float32)[None, :] - self._width / 2) / np.float32(stage.height / 2)
        size = np.float32(30.0 / surface.ripple)
        columns = across * distance * size
        rows = np.repeat(distance * size * 2.4, self._width, axis=1)
        calm = np.repeat((down**0.75) * np.float32(stage.height * 0.035 * surface.chop), self._width, axis=1)
        return columns.astype(np.float32), rows.astype(np.float32), calm.astype(np.float32)

    def _colors(self, stage: Stage) -> tuple[Picture, Picture]:
        """Return how much of the mirror shows, and the water's own color to add; both fixed."""
        surface = self._surface
        near = smoothstep(0.0, 0.85, np.arange(self._height, dtype=np.float32) * 2.0 / (stage.height - self._top + 1))
        mirror = (0.93 + (surface.mirror - 0.93) * near)[:, None]
        wet = np.ones((self._height, self._width), np.float32)
        if surface.puddles > 0.0:
            noise = fractal(stage.rng, self._width, self._height, 5.0, octaves=4, stretch=3.0)
            wet = smoothstep(surface.puddles - 0.75, surface.puddles - 0.25, noise) * 0.72 + 0.28
        mirror = mirror * wet
        shade = np.repeat(mirror[..., None], 4, axis=2)
        body = np.zeros((self._height, self._width, 4), np.float32)
        body[..., :3] = (1.0 - mirror)[..., None] * surface.deep
        return to_picture(shade), to_picture(body)

    def _glitter_mask(self, stage: Stage) -> Picture | None:
        """Return the color of the glitter: a path of light under the sun that widens toward the camera."""
        palette = stage.palette
        strength = self._surface.glitter * max(palette.disc, 0.25) * (1.0 - palette.overcast)
        if strength < 0.05:
            return None
        down = np.linspace(0.0, 1.0, self._height, dtype=np.float32)[:, None]
        x = np.arange(self._width, dtype=np.float32)[None, :] * 2.0 - stage.sun[0]
        wide = (0.05 + 0.2 * down) * max(stage.width, 0.7 * stage.height)
        path = np.exp(-((x / wide) ** 2)) * (1.0 - 0.55 * down) * smoothstep(0.0, 0.02, down)
        color = np.zeros((self._height, self._width, 4), np.float32)
        color[..., :3] = (path * strength)[..., None] * palette.key
        return to_picture(color)

    def _ripples(self, moment: Moment) -> Field:
        """Return the ripples of this moment: two trains of waves that cross."""
        time = moment.seconds * self._pace * 6.0
        ahead = (moment.pose.zoom - 1.0) * 40.0
        first, second = (
            cv2.remap(self._shifted(time * across, time + ahead), *train, cv2.INTER_LINEAR)
            for train, across in zip(self._trains, (0.7, -0.9), strict=True)
        )
        return np.asarray(cv2.add(first, second), np.float32)

    def _shifted(self, across: float, down: float) -> Field:
        """Return the tile of waves moved on, with its first row and column once more at its end."""
        size = self._waves.shape[0]
        matrix = np.array([[1.0, 0.0, across % size], [0.0, 1.0, down % size]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(self._waves, matrix, (size + 1, size + 1), flags=flags, borderMode=cv2.BORDER_WRAP)
        return np.asarray(moved, np.float32)

    def _mirrored(self, canvas: Picture, top: int, waves: Field) -> Picture:
        """Return the picture above the edge upside down, pushed about by the ripples."""
        rows = min(top, self._height * 2)
        above: Picture = resize(canvas[top - rows : top], self._width, self._height)
        upside = cv2.flip(above, 0)
        if self._surface.smear > 0.0:
            upside = box(upside, 1, max(1, int(self._surface.smear * self._height)))
        push = cv2.multiply(waves, self._calm)
        down = cv2.add(push, _grid_rows(self._height, self._width))
        across = cv2.addWeighted(push, 0.22, _grid_columns(self._height, self._width), 1.0, 0.0)
        mirrored: Picture = sample(upside, across, down)
        return mirrored

    def _add_glitter(self, picture: Picture, waves: Field) -> None:
        """Add sparks where a ripple turns its face to the light."""
        if self._shine is None:
            return
        spark = cv2.convertScaleAbs(np.maximum(waves, np.float32(0.55)), alpha=150.0, beta=-82.0)
        light = gray_to_rgba(spark)
        multiply_onto(light, self._shine)
        add_onto(picture, light)


_SECOND = np.float32(0.61)
"""How much larger the waves of the second train are than those of the first, inverted."""


def _train(columns: Field, rows: Field) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Return where each pixel looks on the tile of waves, in the fixed numbers that OpenCV reads fastest.

    They stay within one tile, for reading across its rim costs three times as much: the tile moves instead.
    """
    size = np.float32(_TILE)
    places, parts = cv2.convertMaps(columns % size, rows % size, cv2.CV_16SC2)
    return np.asarray(places, np.int16), np.asarray(parts, np.uint16)


_GRIDS: dict[tuple[int, int], tuple[Field, Field]] = {}


def _grid(height: int, width: int) -> tuple[Field, Field]:
    """Return the rows and columns of a field, made once for each size."""
    key = (height, width)
    if key not in _GRIDS:
        _GRIDS.clear()
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        _GRIDS[key] = (np.ascontiguousarray(rows), np.ascontiguousarray(columns))
    return _GRIDS[key]


def _grid_rows(height: int, width: int) -> Field:
    return _grid(height, width)[0]


def _grid_columns(height: int, width: int) -> Field:
    return _grid(height, width)[1]
