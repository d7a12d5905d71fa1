"""The colors of a shot: what hour and weather do to sky, air, land and light."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.animatic.storyboard import Light, Weather

Color: TypeAlias = NDArray[np.floating[Any]]
"""Red, green and blue, 0 to 1."""


def rgb(red: float, green: float, blue: float) -> Color:
    """Return a color given as 0 to 255."""
    return np.array([red, green, blue], np.float32) / np.float32(255.0)


def gray_of(color: Color) -> float:
    """Return the luma of a color."""
    return float(color @ np.array([0.2126, 0.7152, 0.0722], np.float32))


def toward(color: Color, other: Color, part: float) -> Color:
    """Return `color` moved `part` of the way to `other`."""
    return (color + (other - color) * np.float32(part)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """All colors that a scene takes from the hour and the weather.

    `ambient` multiplies the own color of things in shade, `key` is the light of sun, moon or neon, `haze` what
    distance fades to, `shade` the darkest tone of near silhouettes. `sun_height` is 0 at the horizon and 1 at the
    zenith; below 0 there is no disc. `stars` and `disc` are strengths 0 to 1.
    """

    zenith: Color
    middle: Color
    horizon: Color
    key: Color
    ambient: Color
    haze: Color
    shade: Color
    cloud_lit: Color
    cloud_shade: Color
    sun_height: float
    disc: float = 1.0
    moon: bool = False
    stars: float = 0.0
    lamps: float = 0.0
    overcast: float = 0.0


_DAWN = Palette(
    zenith=rgb(64, 92, 150),
    middle=rgb(164, 156, 186),
    horizon=rgb(246, 196, 160),
    key=rgb(255, 206, 150),
    ambient=rgb(122, 116, 140),
    haze=rgb(226, 192, 184),
    shade=rgb(34, 32, 52),
    cloud_lit=rgb(255, 206, 180),
    cloud_shade=rgb(138, 124, 160),
    sun_height=0.16,
    lamps=0.35,
)
_DAY = Palette(
    zenith=rgb(28, 92, 178),
    middle=rgb(92, 160, 222),
    horizon=rgb(186, 216, 236),
    key=rgb(255, 246, 222),
    ambient=rgb(150, 166, 186),
    haze=rgb(172, 202, 226),
    shade=rgb(26, 40, 48),
    cloud_lit=rgb(255, 254, 250),
    cloud_shade=rgb(150, 172, 202),
    sun_height=0.72,
    disc=1.0,
)
_SUNSET = Palette(
    zenith=rgb(40, 42, 92),
    middle=rgb(190, 88, 92),
    horizon=rgb(250, 158, 76),
    key=rgb(255, 176, 92),
    ambient=rgb(112, 74, 86),
    haze=rgb(232, 128, 84),
    shade=rgb(28, 18, 32),
    cloud_lit=rgb(255, 158, 96),
    cloud_shade=rgb(108, 56, 92),
    sun_height=0.13,
    lamps=0.5,
)
_DUSK = Palette(
    zenith=rgb(18, 24, 62),
    middle=rgb(70, 70, 124),
    horizon=rgb(222, 136, 128),
    key=rgb(240, 160, 150),
    ambient=rgb(74, 72, 104),
    haze=rgb(126, 98, 134),
    shade=rgb(16, 16, 34),
    cloud_lit=rgb(220, 126, 132),
    cloud_shade=rgb(60, 54, 98),
    sun_height=-0.05,
    disc=0.0,
    stars=0.35,
    lamps=0.9,
)
_NIGHT = Palette(
    zenith=rgb(5, 9, 28),
    middle=rgb(14, 28, 66),
    horizon=rgb(52, 80, 122),
    key=rgb(176, 204, 250),
    ambient=rgb(44, 58, 92),
    haze=rgb(38, 58, 98),
    shade=rgb(6, 9, 20),
    cloud_lit=rgb(92, 116, 160),
    cloud_shade=rgb(18, 26, 54),
    sun_height=0.52,
    moon=True,
    stars=1.0,
    lamps=1.0,
)
_NEON = Palette(
    zenith=rgb(8, 8, 28),
    middle=rgb(40, 20, 74),
    horizon=rgb(150, 48, 126),
    key=rgb(255, 92, 190),
    ambient=rgb(66, 52, 104),
    haze=rgb(84, 38, 106),
    shade=rgb(8, 7, 20),
    cloud_lit=rgb(150, 70, 150),
    cloud_shade=rgb(26, 18, 56),
    sun_height=0.6,
    disc=0.0,
    moon=True,
    stars=0.15,
    lamps=1.0,
)

_OF_LIGHT = {
    Light.DAWN: _DAWN,
    Light.DAY: _DAY,
    Light.SUNSET: _SUNSET,
    Light.DUSK: _DUSK,
    Light.NIGHT: _NIGHT,
    Light.NEON: _NEON,
}

_OVERCAST = {
    Weather.CLEAR: 0.0,
    Weather.CLOUDY: 0.35,
    Weather.RAIN: 0.68,
    Weather.STORM: 0.82,
    Weather.SNOW: 0.6,
    Weather.FOG: 0.5,
}


def palette_for(light: Light, weather: Weather) -> Palette:
    """Return the colors of an hour under a weather: cloud takes saturation, contrast and the disc away."""
    clear = _OF_LIGHT[light]
    cover = _OVERCAST[weather]
    if cover == 0.0:
        return clear
    floor = 0.92 if clear.lamps > 0.8 else 0.0
    dim = {Weather.STORM: 0.6, Weather.RAIN: 0.8, Weather.SNOW: 1.04, Weather.FOG: 1.05}.get(weather, 0.95)
    dim = max(dim, floor)
    return replace(
        clear,
        zenith=_veiled(clear.zenith, clear, cover, dim),
        middle=_veiled(clear.middle, clear, cover, dim),
        horizon=_veiled(clear.horizon, clear, cover * 0.8, dim),
        haze=_veiled(clear.haze, clear, cover * 0.8, dim),
        ambient=_veiled(clear.ambient, clear, cover * 0.5, 0.5 + 0.5 * dim),
        key=toward(clear.key, rgb(214, 222, 232) * np.float32(gray_of(clear.key)), cover * 0.6),
        cloud_lit=_veiled(clear.cloud_lit, clear, cover * 0.8, min(1.0, dim * 1.3)),
        cloud_shade=_veiled(clear.cloud_shade, clear, cover * 0.8, dim * 0.72),
        disc=clear.disc * (0.4 if weather is Weather.FOG else max(0.0, 1.0 - 1.6 * cover)),
        stars=clear.stars * max(0.0, 1.0 - 1.5 * cover),
        overcast=cover,
    )


def alien_air(palette: Palette) -> Palette:
    """Return the colors of another world: a black, starry sky at night, thin air full of red dust by day."""
    if palette.lamps > 0.8:
        return replace(
            palette,
            zenith=rgb(2, 3, 8),
            middle=rgb(6, 8, 18),
            horizon=rgb(22, 28, 46),
            haze=rgb(30, 36, 54),
            ambient=rgb(58, 62, 78),
            key=rgb(214, 222, 240),
            stars=1.0,
            disc=0.0,
            moon=True,
            sun_height=0.4,
        )
    return replace(
        palette,
        zenith=rgb(58, 38, 44),
        middle=rgb(160, 98, 72),
        horizon=rgb(238, 184, 136),
        haze=rgb(222, 150, 108),
        cloud_lit=rgb(240, 190, 150),
        stars=0.25,
        disc=palette.disc * 0.8,
    )


def _veiled(color: Color, palette: Palette, cover: float, dim: float) -> Color:
    """Draw a color toward the gray of the middle sky, keeping some of its hue."""
    gray = gray_of(palette.middle) * 0.6 + gray_of(palette.horizon) * 0.4
    veil = np.full(3, gray, np.float32) * np.array([0.94, 0.99, 1.06], np.float32)
    veiled: Color = np.clip(toward(color, veil, cover * 0.72) * np.float32(dim), 0.0, 1.0)
    return veiled


NAMED_COLORS: dict[str, Color] = {
    "red": rgb(200, 40, 36),
    "orange": rgb(236, 128, 40),
    "yellow": rgb(240, 204, 60),
    "green": rgb(64, 146, 72),
    "blue": rgb(46, 98, 190),
    "purple": rgb(122, 70, 168),
    "pink": rgb(240, 138, 172),
    "brown": rgb(112, 74, 46),
    "black": rgb(30, 30, 36),
    "white": rgb(240, 238, 232),
    "gray": rgb(140, 144, 150),
    "golden": rgb(224, 172, 72),
    "silver": rgb(196, 202, 210),
}
"""Colors that a prompt may give to a figure."""
