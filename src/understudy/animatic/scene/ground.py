"""Near land: the crest that figures stand on, ridges in silhouette, grass blades and rows of trees."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from understudy.animatic.scene.layers import Plate
from understudy.animatic.scene.noise import fractal, line_noise
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import Field, Picture, lay_over, premultiplied, smoothstep
from understudy.animatic.scene.stage import Medium, Spot, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Soil:
    """What the near ground is made of: its own color, how rough its edge and its surface are, and what grows."""

    own: Color
    rough: float = 0.3
    grain: float = 0.5
    blades: float = 0.0
    blade_color: Color | None = None
    flowers: Color | None = None
    shine: float = 0.25


def grass_soil(stage: Stage) -> Soil:
    """Return a meadow in the color of the season, or snow where it lies."""
    if stage.snowy:
        return snow_soil()
    season = stage.shot.season.value
    own = {"autumn": rgb(150, 112, 52), "spring": rgb(104, 146, 62)}.get(season, rgb(86, 124, 54))
    blossom = {"spring": rgb(250, 214, 226), "summer": rgb(240, 216, 110)}.get(season)
    return Soil(own=own, rough=0.5, grain=0.7, blades=1.0, blade_color=own * np.float32(1.15), flowers=blossom)


def snow_soil() -> Soil:
    """Return untouched snow."""
    return Soil(own=rgb(228, 236, 248), rough=0.18, grain=0.16, shine=0.4)


def add_crest(
    stage: Stage, soil: Soil, *, level: float, rise: float = 0.03, order: float = 8.0, depth: float = 1.0
) -> Spot:
    """Put a near crest on the stage and return the place for figures on it.

    `level` is the row of its middle as a part of the height, `rise` how far it swings around that.
    """
    margin = stage.camera.margin(depth) + 4
    width = stage.width + 2 * margin
    course = line_noise(stage.rng, width, 1.6, octaves=2, gain=0.35) * np.float32(rise * stage.height)
    course += line_noise(stage.rng, width, 26.0, octaves=4) * np.float32(soil.rough * 4.0 * stage.unit)
    course += np.float32(level * stage.height)
    lift = int((26 * soil.blades + 3) * stage.unit * stage.nearness) + 2
    top = int(course.min()) - lift
    image = _crest_picture(stage, soil, course - top, stage.height + margin - top)
    if soil.blades > 0.0:
        _grow_blades(stage, soil, image, course - top)
    stage.add(Plate(image, -float(margin), float(top), depth), order)
    sink = np.float32(3.0 * stage.unit)
    return Spot(
        x=stage.width * 0.5,
        spread=stage.width * 0.4,
        ground=(course + sink).astype(np.float32),
        size=stage.person,
        depth=depth,
        order=order + 0.1,
        left=-float(margin),
        back=order - 0.05,
    )


def _crest_picture(stage: Stage, soil: Soil, course: Field, height: int) -> Picture:
    """Return the body of a crest: light on its edge, darker toward the camera, with the grain of its ground."""
    palette, width = stage.palette, len(course)
    height = max(height, 4)
    rows = np.arange(height, dtype=np.float32)[:, None]
    below = rows - course[None, :]
    fine = fractal(stage.rng, width, height, width / (26 * stage.unit), octaves=4, stretch=2.6, gain=0.62)
    broad = fractal(stage.rng, width, height, 5.0, octaves=3, stretch=2.2)
    edge = np.exp(-np.maximum(below, 0.0) / (0.05 * stage.height))
    light = soil.shine + 0.42 * edge + (0.3 * broad + 0.22 * fine) * soil.grain
    dark = 1.0 - 0.6 * smoothstep(0.0, 0.34 * stage.height, below)
    key = palette.key * np.float32((0.42 if palette.moon else 0.85) * (1.0 - 0.5 * palette.overcast))
    shine = palette.ambient * np.float32(0.66) + np.clip(light, 0.0, 1.0)[..., None] * key
    color = soil.own * shine * dark[..., None]
    cover = np.clip(below + 0.5, 0.0, 1.0)
    return premultiplied(color.astype(np.float32), cover.astype(np.float32))


def _grow_blades(stage: Stage, soil: Soil, image: Picture, course: Field) -> None:
    """Draw grass along the edge and, larger, in front; a few blades catch the light, some carry flowers."""
    rng, palette = stage.rng, stage.palette
    own = soil.own if soil.blade_color is None else soil.blade_color
    width = len(course)
    scale = stage.unit * stage.nearness
    for row in range(4):
        count = int(width / (3.2 + row * 2.0) * soil.blades)
        near = row / 3.0
        key = palette.key * np.float32((0.35 if palette.moon else 0.8) * (0.95 - 0.75 * near))
        for tone in (0.72, 1.0, 1.3):
            color = (
                own
                * (palette.ambient * np.float32(0.55) + key * np.float32(0.5))
                * np.float32(tone * (1 - 0.45 * near))
            )
            _blades(rng, image, course, count // 3, scale * (1.0 + 1.1 * near), near * 0.16 * stage.height, color)
    if soil.flowers is not None:
        _scatter_flowers(stage, soil.flowers, image, course)


def _blades(rng: Generator, image: Picture, course: Field, count: int, scale: float, down: float, color: Color) -> None:
    """Draw `count` bent blades of one color, rooted up to `down` pixels below the edge."""
    x = rng.uniform(0.0, len(course) - 1.0, count)
    foot = course[x.astype(int)] + rng.uniform(0.0, 1.0, count) * down + 3.0
    tall = rng.gamma(4.0, 0.25, count) * 13.0 * scale
    lean = rng.normal(0.12, 0.3, count) * tall
    half = np.maximum(0.55, 0.8 * scale * rng.uniform(0.6, 1.2, count))
    points = np.empty((count, 4, 2))
    points[:, 0] = np.stack([x - half, foot], axis=1)
    points[:, 1] = np.stack([x + lean * 0.35 - half * 0.4, foot - tall * 0.6], axis=1)
    points[:, 2] = np.stack([x + lean, foot - tall], axis=1)
    points[:, 3] = np.stack([x + half, foot], axis=1)
    fill(image, points, color)


def fill(image: Picture, polygons: NDArray[np.floating] | list[NDArray[np.floating]], color: Color) -> None:
    """Fill polygons (a stack, or a list of point arrays) with one opaque color, with smooth rims."""
    fixed = [np.round(points * 16.0).astype(np.int32) for points in polygons]
    value = (*(float(part) for part in np.clip(color, 0.0, 1.0) * 255.0), 255.0)
    for points in fixed:
        cv2.fillPoly(image, [points], value, lineType=cv2.LINE_AA, shift=4)


def _scatter_flowers(stage: Stage, tone: Color, image: Picture, course: Field) -> None:
    """Dot the meadow with blossoms, larger toward the camera."""
    rng, palette = stage.rng, stage.palette
    lit = tone * (palette.ambient * np.float32(0.7) + palette.key * np.float32(0.45))
    for _ in range(int(len(course) / 9)):
        x = int(rng.integers(4, len(course) - 4))
        near = float(rng.random() ** 1.4)
        y = float(course[x]) + near * 0.2 * stage.height - 4.0 * stage.unit
        radius = (1.3 + 3.2 * near) * stage.unit * rng.uniform(0.7, 1.2)
        color = toward(lit, lit * np.float32(0.7), float(rng.random()))
        value = (*(float(part) for part in np.clip(color, 0, 1) * 255.0), 255.0)
        place = (int(x * 16), int(y * 16))
        cv2.circle(image, place, max(16, int(radius * 16)), value, -1, cv2.LINE_AA, 4)


def ridge_plate(
    stage: Stage, *, level: float, rise: float, cells: float, color: Color, depth: float, fade: float = 0.5
) -> Plate:
    """Return a ridge in silhouette: `color` at its edge, fading into haze downward."""
    margin = stage.camera.margin(depth) + 4
    width = stage.width + 2 * margin
    course = line_noise(stage.rng, width, cells, octaves=6, gain=0.46) * np.float32(rise * stage.height)
    course += np.float32(level * stage.height)
    top = int(course.min()) - 2
    height = max(stage.height + margin - top, 4)
    below = np.arange(height, dtype=np.float32)[:, None] - (course - top)[None, :]
    part = smoothstep(0.0, max(rise * 3.0, 0.05) * stage.height, below)[..., None] * fade
    picture = premultiplied(
        (color + (stage.palette.haze - color) * part).astype(np.float32),
        np.clip(below + 0.5, 0.0, 1.0).astype(np.float32),
    )
    return Plate(picture, -float(margin), float(top), depth)


def conifer(rng: Generator, x: float, foot: float, tall: float) -> NDArray[np.float64]:
    """Return the outline of a spruce: drooping branches, longer toward the foot, never quite even."""
    tiers = int(np.clip(tall / 9.0, 5, 13))
    at = np.linspace(0.04, 0.97, tiers)
    reach = 0.19 * tall * at**0.85 * rng.uniform(0.78, 1.18, tiers)
    left = np.stack([x - reach, foot - tall * (1 - at) + 0.035 * tall], axis=1)
    left_in = np.stack([x - reach * 0.42, foot - tall * (1 - at) - 0.012 * tall], axis=1)
    reach = reach * rng.uniform(0.85, 1.15, tiers)
    right = np.stack([x + reach, foot - tall * (1 - at) + 0.035 * tall], axis=1)
    right_in = np.stack([x + reach * 0.42, foot - tall * (1 - at) - 0.012 * tall], axis=1)
    down = np.stack([left, left_in], axis=1).reshape(-1, 2)
    up = np.stack([right, right_in], axis=1).reshape(-1, 2)[::-1]
    trunk = np.array([[x - 0.02 * tall, foot], [x + 0.02 * tall, foot]])
    return np.concatenate([[[x, foot - tall]], down[::1], trunk, up])


def tree_line(
    stage: Stage, *, level: float, rise: float, tall: float, color: Color, depth: float, gap: float = 0.16
) -> Plate:
    """Return a row of spruces along a swelling line of ground; `tall` in pixels, `gap` their spacing by height."""
    rng = stage.rng
    margin = stage.camera.margin(depth) + 4
    width = stage.width + 2 * margin
    course = line_noise(rng, width, 2.2, octaves=3) * np.float32(rise * stage.height) + np.float32(level * stage.height)
    top = int(course.min() - tall * 1.5) - 2
    below = np.arange(max(int(stage.height + margin - top), 4), dtype=np.float32)[:, None] - (course - top)[None, :]
    image = premultiplied(color * np.float32(0.92), np.clip(below + 0.5, 0.0, 1.0))
    frost = toward(color, stage.palette.ambient * np.float32(1.25), 0.45)
    for _ in range(int(width / max(tall * gap, 2.0))):
        x = float(rng.uniform(0.0, width - 1.0))
        size = tall * float(rng.gamma(9.0, 1.0 / 9.0))
        foot = float(course[int(x)]) - top + 0.06 * tall
        tone = color * np.float32(rng.uniform(0.86, 1.1))
        outline = conifer(rng, x, foot, min(size, tall * 1.45))
        fill(image, [outline], tone)
        if stage.snowy:
            fill(image, [outline[: len(outline) // 2]], toward(tone, frost, 0.8))
    reach = (1.6 * tall + 0.1 * stage.height) / (0.45 * (1.0 - depth))
    lay_over(image, premultiplied(stage.palette.haze, np.clip(below / reach, 0.0, 0.45 * (1.0 - depth))))
    return Plate(image, -float(margin), float(top), depth)


def wants_ground(stage: Stage) -> bool:
    """Return whether a figure of the shot needs something to stand on."""
    return Medium.GROUND in stage.wanted or Medium.ROAD in stage.wanted
