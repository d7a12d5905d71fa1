"""Clouds: a ceiling seen in perspective, heaped cumulus, and low mist; all at part resolution, for they are soft."""

import numpy as np

from understudy.animatic.scene.layers import Plate
from understudy.animatic.scene.noise import fractal, tileable
from understudy.animatic.scene.palette import Color
from understudy.animatic.scene.raster import Field, blur, mix, premultiplied, sample, smoothstep
from understudy.animatic.scene.stage import Stage
from understudy.animatic.storyboard import Light, Weather

_PART = 0.5


def add_clouds(stage: Stage) -> None:
    """Put the clouds that hour and weather ask for on the stage."""
    weather = stage.shot.weather
    if weather is Weather.FOG:
        return
    cover = {
        Weather.CLEAR: -0.62,
        Weather.CLOUDY: 0.1,
        Weather.SNOW: 0.5,
        Weather.RAIN: 0.6,
        Weather.STORM: 0.75,
    }[weather]
    if stage.palette.moon and weather is Weather.CLEAR:
        cover = -0.95
    stage.add(ceiling(stage, cover), 1.0)
    heaps = weather in {Weather.CLEAR, Weather.CLOUDY} and stage.shot.light in {Light.DAY, Light.DAWN}
    if heaps:
        stage.add(cumulus(stage), 1.1)


def ceiling(stage: Stage, cover: float) -> Plate:
    """Return a layer of cloud overhead, drawn out toward the horizon and lit from the side of the sun.

    `cover` is -1 for a few wisps and 1 for a closed ceiling.
    """
    seconds = stage.shot.frames / 24.0
    speed = stage.unit * (7.0 if stage.shot.weather is not Weather.STORM else 20.0) * stage.pace
    margin = stage.camera.margin(0.08) + int(speed * seconds) + 8
    width = int((stage.width + 2 * margin) * _PART)
    height = max(8, int(stage.horizon * _PART))
    grain = tileable(stage.rng, 512, 1.75, coarsest=3)
    columns, rows = _overhead(stage, width, height)
    density = sample(grain, columns, rows, wrap=True)
    toward_sun = np.float32(np.sign(stage.sun[0] - stage.width / 2) or 1.0)
    ahead = sample(grain, columns + toward_sun * 7.0, rows + np.float32(5.0), wrap=True)
    spread = 0.75 if cover < 0 else 1.25
    veil = smoothstep(0.35 - cover, 0.35 - cover + spread, density)
    down = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    veil = veil * smoothstep(1.0, 0.88, down) * (0.92 if cover > 0 else 0.8)
    color = _lit(stage, density - ahead, density, width, height, margin)
    image = premultiplied(color, veil.astype(np.float32))
    side = 1.0 if stage.rng.random() < 0.5 else -1.0
    return Plate(image, -float(margin), 0.0, 0.06, scale=_PART, drift=side * speed)


def _overhead(stage: Stage, width: int, height: int) -> tuple[Field, Field]:
    """Return where on the cloud layer each pixel of the sky looks, in texture pixels."""
    rows = np.linspace(1.0, 0.0, height, dtype=np.float32)[:, None]
    distance = 1.0 / (rows * 0.86 + np.float32(0.1))
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    aspect = width / max(height, 1)
    offset = stage.rng.uniform(0.0, 512.0, 2)
    columns = across * distance * np.float32(120.0 * aspect**0.6) + np.float32(offset[0])
    deep = np.broadcast_to(distance * np.float32(74.0) + np.float32(offset[1]), columns.shape)
    return columns.astype(np.float32), np.ascontiguousarray(deep, np.float32)


def _lit(stage: Stage, facing: Field, density: Field, width: int, height: int, margin: int) -> Field:
    """Return the color of each bit of cloud: lit on the side of the sun, darker in thick middles, glowing near it."""
    palette = stage.palette
    light = smoothstep(-0.9, 0.9, facing - density * 0.28)
    x = np.arange(width, dtype=np.float32)[None, :] / _PART - margin - stage.sun[0]
    y = np.arange(height, dtype=np.float32)[:, None] / _PART - stage.sun[1]
    near = np.exp(-np.hypot(x / 1.6, y) / (0.3 * max(stage.width, stage.height))).astype(np.float32)
    glow = near * np.float32(max(palette.disc, 0.3 if palette.sun_height < 0 else 0.0) * (1 - palette.overcast))
    light = np.clip(light * 0.85 + glow * 0.5, 0.0, 1.0)[..., None]
    color = mix(palette.cloud_shade, palette.cloud_lit, light)
    color = color + glow[..., None] * palette.key * np.float32(0.35)
    low = smoothstep(0.6, 1.0, np.linspace(0.0, 1.0, height, dtype=np.float32))[:, None, None]
    faded: Field = mix(color, palette.haze, low * 0.45).astype(np.float32)
    return faded


def cumulus(stage: Stage, *, base: float | None = None, amount: int = 4) -> Plate:
    """Return heaps of fair-weather cloud with flat feet, standing over the horizon."""
    margin = stage.camera.margin(0.14) + int(6 * stage.unit * stage.shot.frames / 24.0) + 8
    width, height = int((stage.width + 2 * margin) * _PART), max(16, int(stage.horizon * 1.02 * _PART))
    relief = np.zeros((height, width), np.float32)
    foot = (stage.horizon if base is None else base) * _PART
    scale = stage.unit * _PART
    for index in range(amount):
        middle = (index + stage.rng.uniform(0.1, 0.9)) / amount * width
        size = stage.rng.uniform(70.0, 190.0) * scale * (1.25 if stage.portrait else 1.0)
        rise = stage.rng.uniform(0.06, 0.42 if index % 2 else 0.2)
        _heap(stage, relief, middle, foot * (1.0 - rise) - size * 0.05, size)
    relief = _ruffled(stage, relief, scale)
    return _shaded_relief(stage, relief, margin)


def _heap(stage: Stage, relief: Field, middle: float, foot: float, size: float) -> None:
    """Pile puffs into one cloud: large in the middle, small at the rim, none below its foot."""
    rng = stage.rng
    for _ in range(46):
        place = rng.normal(0.0, 0.62)
        radius = size * rng.uniform(0.12, 0.4) * max(0.25, 1.0 - abs(place) * 0.55)
        rise = rng.uniform(0.0, 1.0) * size * 0.78 * max(0.0, 1.0 - (place / 1.35) ** 2)
        x, y = middle + place * size, foot - rise
        left, right = max(int(x - radius), 0), min(int(x + radius) + 1, relief.shape[1])
        top, bottom = max(int(y - radius), 0), min(int(y + radius) + 1, int(foot), relief.shape[0])
        if right <= left or bottom <= top:
            continue
        across = (np.arange(left, right, dtype=np.float32) - x)[None, :]
        down = (np.arange(top, bottom, dtype=np.float32) - y)[:, None]
        dome = np.sqrt(np.maximum(radius * radius - across * across - down * down, 0.0))
        part = relief[top:bottom, left:right]
        np.maximum(part, dome, out=part)


def _ruffled(stage: Stage, relief: Field, scale: float) -> Field:
    """Break the round rims of the puffs with turbulence."""
    height, width = relief.shape
    grain_x = fractal(stage.rng, width, height, width / (34 * scale), octaves=4, gain=0.6)
    grain_y = fractal(stage.rng, width, height, width / (34 * scale), octaves=4, gain=0.6)
    columns = np.arange(width, dtype=np.float32)[None, :] + grain_x * np.float32(20 * scale)
    rows = np.arange(height, dtype=np.float32)[:, None] + grain_y * np.float32(15 * scale)
    ruffled: Field = sample(relief, columns.astype(np.float32), rows.astype(np.float32))
    return ruffled + np.where(ruffled > 0.5, grain_x * np.float32(7 * scale), 0.0).astype(np.float32)


def _shaded_relief(stage: Stage, relief: Field, margin: int) -> Plate:
    """Light the heaps as bodies: bright toward the sun, shaded at their feet, thin at the rim."""
    palette = stage.palette
    height = relief.shape[0]
    smooth = blur(relief, 2.2 * stage.unit * _PART + 0.6)
    slope_y, slope_x = np.gradient(smooth)
    side = np.clip((stage.sun[0] - stage.width / 2) / stage.width * 2.0, -1.0, 1.0)
    light = 0.58 + 0.26 * np.clip(slope_y * 1.1, -1, 1) + 0.24 * np.clip(-slope_x * side * 1.1, -1, 1)
    body = blur((relief > 0.5).astype(np.float32), 1.2)
    thick = blur(body, 26 * stage.unit * _PART)
    light = np.clip(light * 1.25 - 0.34 * thick + 0.06, 0.0, 1.0)[..., None]
    color = mix(palette.cloud_shade, palette.cloud_lit, light)
    low = smoothstep(0.55, 1.05, np.linspace(0.0, 1.0, height, dtype=np.float32))[:, None, None]
    color = mix(color, palette.haze, low * 0.5)
    cover = smoothstep(0.15, 0.75, body) * smoothstep(1.0, 0.93, np.linspace(0, 1, height))[:, None] * 0.96
    image = premultiplied(color.astype(np.float32), cover.astype(np.float32))
    return Plate(image, -float(margin), 0.0, 0.12, scale=_PART, drift=3.5 * stage.unit * stage.pace)


def mist(
    stage: Stage, *, top: float, bottom: float, strength: float, depth: float, color: Color | None = None
) -> Plate:
    """Return a bank of mist between two rows that drifts; `strength` 0 to 1 is its cover where it is thickest."""
    part = 0.125
    speed = stage.unit * 9.0 * stage.pace
    margin = stage.camera.margin(depth) + int(speed * stage.shot.frames / 24.0) + 16
    width = int((stage.width + 2 * margin) * part)
    height = max(6, int((bottom - top) * part))
    grain = fractal(stage.rng, width, height, 5.0, octaves=4, stretch=2.2)
    down = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    cover = smoothstep(0.0, 0.55, down) * smoothstep(1.0, 0.62, down)
    cover = np.clip(cover * (0.72 + 0.55 * grain), 0.0, 1.0) * strength
    tone = stage.palette.haze if color is None else color
    image = premultiplied(tone, cover.astype(np.float32))
    side = 1.0 if stage.rng.random() < 0.5 else -1.0
    return Plate(image, -float(margin), top, depth, scale=part, drift=side * speed)
