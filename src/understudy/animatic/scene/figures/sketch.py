"""A drawing board for figures: simple shapes in the figure's own measure, lit and rimmed at the end."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.animatic.scene.palette import Color, Palette, rgb, toward
from understudy.animatic.scene.raster import Picture, blank, blur, resize, rgba_to_rgb, warp
from understudy.animatic.scene.raster import box as box_blur

Points: TypeAlias = list[tuple[float, float]] | NDArray[np.floating]
"""Corners, x to the right and y up."""

_FINE = 2


@dataclass(frozen=True, slots=True)
class Box:
    """The board's rims in the figure's own measure; (0, 0) is where it touches ground or water."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def width(self) -> float:
        """Its width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its height."""
        return self.top - self.bottom


class Sketch:
    """A board on which a figure is drawn; `scale` is the final pixels for one unit."""

    def __init__(self, box: Box, scale: float) -> None:
        self.box = box
        self.scale = scale
        self._fine = scale * _FINE
        self._width = max(2, math.ceil(box.width * scale))
        self._height = max(2, math.ceil(box.height * scale))
        self._body = blank(self._height * _FINE, self._width * _FINE)
        self._light = blank(self._height * _FINE, self._width * _FINE, 3)
        self._lamps = False

    def _pixels(self, points: Points) -> NDArray[np.int32]:
        places = np.asarray(points, np.float64).reshape(-1, 2)
        x = (places[:, 0] - self.box.left) * self._fine
        y = (self.box.top - places[:, 1]) * self._fine
        return np.round(np.stack([x, y], axis=1) * 16.0).astype(np.int32)

    def poly(self, points: Points, color: Color, glow: float = 0.0) -> None:
        """Fill a polygon; `glow` 0 to 1 is how much of its color shines by itself."""
        fixed = self._pixels(points)
        value = tuple(float(part) for part in np.clip(color, 0.0, 1.0) * 255.0)
        cv2.fillPoly(self._body, [fixed], (*value, 255.0), lineType=cv2.LINE_AA, shift=4)
        self._lamps = self._lamps or glow > 0.0
        shine = tuple(part * glow for part in value)
        cv2.fillPoly(self._light, [fixed], shine, lineType=cv2.LINE_AA, shift=4)

    def blob(self, points: Points, color: Color, glow: float = 0.0) -> None:
        """Fill a closed smooth curve through the points."""
        self.poly(smooth(points), color, glow)

    def oval(
        self, x: float, y: float, wide: float, high: float, color: Color, *, turn: float = 0.0, glow: float = 0.0
    ) -> None:
        """Fill an ellipse given by its two radii, turned by `turn` radians to the left."""
        angle = np.linspace(0.0, 2.0 * np.pi, 28, endpoint=False)
        across, along = np.cos(angle) * wide, np.sin(angle) * high
        points = np.stack(
            [
                x + across * math.cos(turn) - along * math.sin(turn),
                y + across * math.sin(turn) + along * math.cos(turn),
            ],
            1,
        )
        self.poly(points, color, glow)

    def disc(self, x: float, y: float, radius: float, color: Color, glow: float = 0.0) -> None:
        """Fill a circle."""
        self.oval(x, y, radius, radius, color, glow=glow)

    def rect(self, left: float, bottom: float, right: float, top: float, color: Color, glow: float = 0.0) -> None:
        """Fill an upright rectangle."""
        self.poly([(left, bottom), (right, bottom), (right, top), (left, top)], color, glow)

    def limb(self, joints: Points, radii: list[float], color: Color, glow: float = 0.0) -> None:
        """Fill a chain of tapering, round-jointed parts: arms, legs, tails, necks."""
        places = np.asarray(joints, np.float64).reshape(-1, 2)
        for (x, y), radius in zip(places.tolist(), radii, strict=True):
            self.disc(x, y, radius, color, glow)
        for index in range(len(places) - 1):
            start, end = places[index], places[index + 1]
            step = end - start
            length = float(np.hypot(*step)) or 1e-6
            normal = np.array([-step[1], step[0]]) / length
            first, second = normal * radii[index], normal * radii[index + 1]
            self.poly(np.array([start + first, end + second, end - second, start - first]), color, glow)

    def stroke(self, points: Points, thick: float, color: Color, glow: float = 0.0) -> None:
        """Draw a line of even thickness."""
        fixed = self._pixels(points)
        width = max(1, round(thick * self._fine))
        value = tuple(float(part) for part in np.clip(color, 0.0, 1.0) * 255.0)
        cv2.polylines(self._body, [fixed], False, (*value, 255.0), width, cv2.LINE_AA, 4)
        self._lamps = self._lamps or glow > 0.0
        cv2.polylines(self._light, [fixed], False, tuple(part * glow for part in value), width, cv2.LINE_AA, 4)

    def finished(self, lighting: "Lighting", *, grounded: bool = False) -> Picture:
        """Return the figure as a lit sprite: shaded as a body, with a rim toward the light, and the glow of lamps."""
        body: Picture = resize(self._body, self._width, self._height)
        cover = cv2.extractChannel(body, 3)
        lit = cv2.multiply(rgba_to_rgb(body), _shine(cover, lighting, self.scale), scale=1.0 / _FULL)
        lit = cv2.add(lit, _tinted(_rim(cover, lighting, self.scale), lighting.key * np.float32(lighting.rim)))
        lit = cv2.add(lit, _tinted(_rim(cover, lighting, self.scale, back=True), lighting.back))
        if lighting.far > 0.0:
            lit = cv2.convertScaleAbs(lit, alpha=1.0 - lighting.far)
            lit = cv2.add(lit, _tinted(cover, lighting.haze * np.float32(lighting.far)))
        if self._lamps:
            lit = _lamps_on(lit, resize(self._light, self._width, self._height), lighting.lamps, self.scale)
        if grounded:
            cover = np.maximum(cover, self._shadow(cover))
        return cast("Picture", cv2.merge([*cv2.split(lit), cover]))

    def _shadow(self, cover: NDArray[Any]) -> Picture:
        """Return the cover of a soft shadow under the feet; black, so it needs no color."""
        shadow = blank(cover.shape[0], cover.shape[1], 1)[..., 0]
        foot = int(self.box.top * self.scale)
        low = max(1, int(0.1 * self.scale))
        columns = np.flatnonzero(cover[max(foot - low, 0) :].any(axis=0))
        if len(columns) == 0:
            return shadow
        middle, half = int(columns.mean()), int(np.ptp(columns) * 0.5 + 0.06 * self.scale)
        high = max(1, int(0.028 * self.scale))
        cv2.ellipse(shadow, (middle, foot), (half, high), 0.0, 0.0, 360.0, (120.0,), -1, cv2.LINE_AA)
        return box_blur(shadow, 2 * high + 1, high + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lighting:
    """The light on a figure: colors of shade and key, where the key comes from (right, down), rim and haze.

    `back` is the light on the edge away from the key: the sky's, or the other half of the neon.
    """

    ambient: Color
    key: Color
    right: float
    down: float
    rim: float
    haze: Color
    back: Color
    far: float = 0.0
    lamps: float = 1.0


def lighting_for(
    palette: Palette, figure: tuple[float, float], sun: tuple[float, float], *, far: float = 0.0
) -> Lighting:
    """Return the light on a figure at a place of the frame; low suns make it a silhouette with a bright rim."""
    away = np.array([sun[0] - figure[0], min(sun[1] - figure[1], -1.0)], np.float64)
    away /= np.linalg.norm(away)
    low = palette.sun_height < 0.3
    dark = palette.lamps > 0.8
    ambient = palette.ambient * np.float32(1.3 if dark else 0.72 if low else 0.86) + np.float32(0.02)
    key = palette.key * np.float32((0.5 if palette.moon else 0.85) * (1.0 - 0.45 * palette.overcast))
    rim = (1.6 if dark else 1.0 if low else 0.4) * (1.0 - 0.4 * palette.overcast)
    return Lighting(
        ambient=ambient,
        key=key,
        right=float(away[0]),
        down=float(away[1]),
        rim=rim,
        haze=toward(palette.haze, palette.middle, 0.15),
        back=_back_light(palette),
        far=far,
        lamps=0.25 + 0.75 * palette.lamps,
    )


def _back_light(palette: Palette) -> Color:
    """Return the light on the edge away from the key; neon streets have a second, cold side."""
    if palette.moon and palette.key[0] > palette.key[2]:
        return rgb(40, 170, 220) * np.float32(0.75)
    return palette.middle * np.float32(0.28 if palette.lamps > 0.8 else 0.16)


_FULL = 110.0
"""The value of the shine map that leaves a color as it is; the light may be up to 2.3 times that."""


def _shine(cover: NDArray[Any], lighting: Lighting, scale: float) -> Picture:
    """Return the light on the body, rounded toward the lit side; soft, so worked out at a quarter of the size."""
    height, width = cover.shape
    small_w, small_h = max(2, width // 4), max(2, height // 4)
    radius = max(1.0, 0.015 * scale)
    soft = blur(resize(cover, small_w, small_h).astype(np.float32) / np.float32(255.0), radius)
    down, right = np.gradient(soft)
    facing = -(right * lighting.right + down * lighting.down) * np.float32(radius * 4.2)
    side = np.clip(facing, -0.7, 1.0)[..., None]
    light = lighting.ambient + lighting.key * (0.3 + 0.4 * side)
    grown: Picture = resize(np.clip(light * _FULL, 0.0, 255.0).astype(np.uint8), width, height)
    return grown


def _rim(cover: NDArray[Any], lighting: Lighting, scale: float, *, back: bool = False) -> Picture:
    """Return the thin edge that faces the light, or `back` from it: where a step that way leaves the body."""
    step = max(1.0, 0.014 * scale)
    right = lighting.right * step * (-1.0 if back else 1.0)
    moved = warp(np.asarray(cover, np.uint8), (1.0, -right, -lighting.down * step), (cover.shape[1], cover.shape[0]))
    edge = cv2.subtract(cover, moved)
    return box_blur(np.asarray(edge, np.uint8), 1 + 2 * int(scale / 260.0), 1 + 2 * int(scale / 260.0))


def _tinted(gray: NDArray[Any], color: Color) -> Picture:
    """Return a gray picture in a color."""
    return cast("Picture", cv2.merge([cv2.convertScaleAbs(gray, alpha=float(part)) for part in color]))


def _lamps_on(lit: Any, shine: Picture, strength: float, scale: float) -> Any:
    """Let lamps shine through the shade and throw a halo, also beyond the body."""
    height, width = shine.shape[:2]
    small: Picture = resize(shine, max(2, width // 4), max(2, height // 4))
    near, far = max(1, int(scale * 0.02)) | 1, max(3, int(scale * 0.05)) | 1
    halo = cv2.add(box_blur(small, near, near), box_blur(box_blur(small, far, far), far, far))
    halo = cv2.convertScaleAbs(halo, alpha=strength * 0.75)
    return cv2.add(cv2.max(lit, shine), resize(halo, width, height))


def smooth(points: Points, steps: int = 6) -> NDArray[np.float64]:
    """Return a closed Catmull-Rom curve through the points."""
    knots = np.asarray(points, np.float64).reshape(-1, 2)
    before, after, beyond = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[None, :, None]
    a, b, c, d = before[:, None], knots[:, None], after[:, None], beyond[:, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve.reshape(-1, 2)
