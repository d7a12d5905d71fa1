"""The sky: graded air, sun or moon with their halo, stars, the Milky Way, aurora and rainbow."""

import numpy as np

from understudy.animatic.scene.layers import Backdrop, Moment, Plate
from understudy.animatic.scene.noise import fractal
from understudy.animatic.scene.palette import rgb
from understudy.animatic.scene.raster import (
    Field,
    Picture,
    add_onto,
    blur,
    mix,
    opaque,
    premultiplied,
    resize,
    scaled,
    smoothstep,
    to_picture,
)
from understudy.animatic.scene.stage import Stage


def add_sky(stage: Stage) -> None:
    """Put the backdrop of air, stars and disc on the stage, and stars that twinkle."""
    air = graded_air(stage)
    if stage.palette.stars > 0.02:
        _strew_stars(stage, air)
    if stage.palette.disc > 0.0:
        _hang_disc(stage, air)
    dither = stage.rng.random((stage.height, stage.width, 1), np.float32) - 0.5
    air += dither * np.float32(1.6 / 255.0)
    stage.add(Backdrop(opaque(to_picture(air))), 0.0)
    if stage.palette.stars > 0.3:
        stage.add(Twinkle.strewn(stage), 0.1)


def graded_air(stage: Stage) -> Field:
    """Return the colors of the empty sky: three stops down to the horizon, warmer and brighter around the sun."""
    palette, horizon = stage.palette, max(stage.horizon, 1.0)
    down = (np.arange(stage.height, dtype=np.float32) / horizon).clip(0.0, 1.25)
    stops = np.array([0.0, 0.58, 1.0, 1.25], np.float32)
    colors = np.stack([palette.zenith, palette.middle, palette.horizon, palette.haze])
    air = np.empty((stage.height, 1, 3), np.float32)
    soft = down**1.15
    for channel in range(3):
        air[:, 0, channel] = np.interp(soft, stops, colors[:, channel])
    air = np.repeat(blur(air, stage.height * 0.02).reshape(stage.height, 1, 3), stage.width, axis=1)
    strength = (0.75 - 0.55 * palette.overcast) * (0.35 if palette.moon else 1.0)
    if palette.sun_height < 0.0 or palette.disc > 0.0:
        glow = _halo(stage, 0.62 * max(stage.width, stage.height), flat=1.9)
        air += glow[..., None] * palette.key * np.float32(0.3 * strength)
    return air


def _halo(stage: Stage, reach: float, *, flat: float = 1.0) -> Field:
    """Return a soft glow around the sun, 1 in its middle; `flat` above 1 spreads it along the horizon."""
    small_w, small_h = stage.width // 4 + 1, stage.height // 4 + 1
    x = (np.arange(small_w, dtype=np.float32) * 4 - stage.sun[0]) / flat
    y = np.arange(small_h, dtype=np.float32) * 4 - stage.sun[1]
    distance = np.hypot(x[None, :], y[:, None]) / np.float32(reach)
    glow = np.exp(-3.2 * distance).astype(np.float32)
    grown: Field = resize(glow, stage.width, stage.height, smooth=True)
    return grown


def _hang_disc(stage: Stage, air: Field) -> None:
    """Draw sun or moon with the halo that makes it shine."""
    palette = stage.palette
    moon = palette.moon
    radius = stage.unit * (34.0 if moon else 25.0) * (1.25 if stage.portrait else 1.0)
    if not moon and palette.sun_height < 0.3:
        radius *= 1.85
    strength = np.float32(palette.disc)
    halo = np.float32(0.34) * _halo(stage, 4.8 * radius) + np.float32(0.16) * _halo(stage, 19.2 * radius)
    air += halo[..., None] * (palette.key * np.float32(strength * (0.6 if moon else 1.0)))
    size = int(radius * 2.2) + 4
    left, top = int(stage.sun[0] - size / 2), int(stage.sun[1] - size / 2)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + size, stage.width), min(top + size, stage.height)
    if x1 <= x0 or y1 <= y0:
        return
    away = np.hypot(np.arange(x0, x1)[None, :] - stage.sun[0], np.arange(y0, y1)[:, None] - stage.sun[1])
    cover = smoothstep(radius + 1.2, radius - 1.2, away)[..., None].astype(np.float32) * strength
    face = np.clip(palette.key * np.float32(1.25) + np.float32(0.12), 0.0, 1.0)
    if moon:
        seas = fractal(stage.rng, size, size, 3.0, octaves=4)
        shade = 1.0 - np.float32(0.22) * smoothstep(0.05, 0.5, seas)
        face = face * shade[y0 - top : y1 - top, x0 - left : x1 - left, None]
    part = air[y0:y1, x0:x1]
    part += cover * (face - part)


def _strew_stars(stage: Stage, air: Field) -> None:
    """Add faint stars, thinner toward the horizon, and a band of the Milky Way on clear nights."""
    rng, strength = stage.rng, stage.palette.stars
    sky_rows = int(min(stage.horizon, stage.height))
    if sky_rows < 8:
        return
    if strength > 0.8:
        air[:sky_rows] += milky_way(stage, sky_rows) * np.float32(0.5)
    count = int(stage.width * sky_rows / 900 * strength)
    rows = (rng.random(count) ** 1.25 * sky_rows).astype(int)
    columns = rng.integers(0, stage.width, count)
    fade = 1.0 - (rows / sky_rows) ** 2
    light = rng.random(count) ** 5 * 0.75 + 0.08
    tint = rng.uniform(0.82, 1.0, (count, 3))
    air[rows, columns] += (light * fade)[:, None].astype(np.float32) * tint.astype(np.float32)
    for index in np.flatnonzero(light > 0.5):
        row, column = rows[index], columns[index]
        air[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] += np.float32(0.22 * fade[index])


def milky_way(stage: Stage, rows: int) -> Field:
    """Return the light of a band of stars that crosses the sky aslant."""
    width, height = stage.width // 3 + 1, rows // 3 + 1
    cloud = fractal(stage.rng, width, height, 5.0, octaves=5)
    y = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    x = np.linspace(0.0, 1.0, width, dtype=np.float32)[None, :]
    lean = stage.rng.choice([-1.0, 1.0])
    across = (x - 0.5) * 0.9 + lean * (y - 0.45) * 0.8 + cloud * 0.08
    band = np.exp(-((across / 0.16) ** 2)) * np.clip(0.55 + cloud, 0.0, 1.3)
    lane = np.exp(-(((across + cloud * 0.06) / 0.035) ** 2))
    band = np.clip(band * (1.0 - 0.55 * lane), 0.0, 1.0) * (1.0 - 0.7 * y)
    color = mix(rgb(70, 84, 150), rgb(214, 190, 196), np.clip(band, 0.0, 1.0)[..., None] ** 1.5)
    light: Field = resize((band[..., None] * color).astype(np.float32), stage.width, rows)
    return light


class Twinkle:
    """Some bright stars that flicker, each in its own rhythm."""

    def __init__(self, places: Field, star: Picture) -> None:
        self._places = places
        self._star = star

    @classmethod
    def strewn(cls, stage: Stage, count: int = 22) -> "Twinkle":
        """Strew `count` stars over the upper sky."""
        rng = stage.rng
        places = np.empty((count, 4), np.float32)
        places[:, 0] = rng.uniform(0.02, 0.98, count) * stage.width
        places[:, 1] = rng.uniform(0.03, 0.72, count) * min(stage.horizon, stage.height)
        places[:, 2] = rng.uniform(0.0, 6.28, count)
        places[:, 3] = rng.uniform(0.4, 1.4, count)
        half = max(3, int(5 * stage.unit))
        grid = np.abs(np.arange(-half, half + 1, dtype=np.float32)) / half
        distance = np.hypot(grid[:, None], grid[None, :])
        cross = np.minimum(grid[:, None], grid[None, :]) * 5.0 + np.maximum(grid[:, None], grid[None, :])
        glow = np.clip(np.exp(-7.0 * distance) + 0.4 * np.exp(-5.0 * cross), 0.0, 1.0)
        star = premultiplied(rgb(226, 234, 255), glow.astype(np.float32))
        star[..., 3] = 0
        return cls(places, star)

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Add each star at its brightness of this moment."""
        size = self._star.shape[0]
        for x, y, phase, rate in self._places.tolist():
            top, left = int(y) - size // 2, int(x) - size // 2
            inside = top >= 0 and left >= 0 and left + size <= canvas.shape[1]
            if not inside or top + size > min(until, canvas.shape[0]):
                continue
            strength = 0.55 + 0.45 * np.sin(moment.seconds * rate * 4.0 + phase)
            add_onto(canvas[top : top + size, left : left + size], scaled(self._star, float(strength)))

    def floor(self, _moment: Moment) -> int:
        """Stars hide nothing."""
        return 1 << 20


def rainbow_plate(stage: Stage) -> Plate:
    """Return a bow across the sky opposite to the sun."""
    width, height = stage.width // 2, int(stage.horizon) // 2 + 1
    middle = 0.66 if stage.sun[0] < stage.width / 2 else 0.34
    radius = 0.62 * max(stage.width / 1.6, stage.horizon) / 2
    x = np.arange(width, dtype=np.float32)[None, :] - middle * width
    y = np.arange(height, dtype=np.float32)[:, None] - height * 1.08
    across = (np.hypot(x, y) - radius) / (0.075 * radius)
    hues = np.array(
        [[0.5, 0.2, 0.9], [0.2, 0.45, 1.0], [0.2, 0.9, 0.4], [1.0, 0.95, 0.2], [1.0, 0.55, 0.1], [1.0, 0.15, 0.1]],
        np.float32,
    )
    color = np.stack([np.interp(across, np.linspace(-1, 1, 6), hues[:, c]) for c in range(3)], axis=-1)
    strength = smoothstep(1.25, 0.7, np.abs(across)) * 0.34
    strength = strength * np.linspace(0.75, 1.0, height, dtype=np.float32)[:, None]
    image = premultiplied(color.astype(np.float32), strength.astype(np.float32))
    image[..., 3] = 0
    return Plate(image, 0.0, 0.0, 0.02, scale=0.5, light=True)
