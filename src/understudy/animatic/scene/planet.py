"""A planet: a textured ball that turns under a fixed light, with air at its rim, and rings."""

import numpy as np

from understudy.animatic.scene.layers import NEVER, Moment, Plate, blit
from understudy.animatic.scene.noise import fractal, tileable
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.raster import (
    Field,
    Picture,
    add_onto,
    mix,
    multiply_onto,
    premultiplied,
    sample,
    smoothstep,
    to_picture,
)
from understudy.animatic.scene.stage import Stage

_WORLDS = ("ocean", "gas", "rock", "ice")


class Planet:
    """A ball of `radius` pixels around (x, y); its face is worked out at half size and turns."""

    def __init__(self, stage: Stage, x: float, y: float, radius: float, *, depth: float, world: str = "") -> None:
        self._depth = depth
        self._pad = 1.22
        self._x, self._y = x - radius * self._pad, y - radius * self._pad
        kind = world or str(stage.rng.choice(_WORLDS))
        self._size = max(16, int(radius * self._pad))
        self._texture, air = _texture(stage, kind)
        self._columns, self._rows, self._light, self._rim = _ball(stage, self._size, self._pad, air, (x, y))
        self._speed = np.float32(2.2 * stage.pace)

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the face as it has turned by now."""
        turned = self._columns + np.float32(moment.seconds) * self._speed
        face: Picture = sample(self._texture, turned, self._rows, wrap=True)
        multiply_onto(face, self._light)
        add_onto(face, self._rim)
        scale, right, down = moment.place(self._depth)
        blit(canvas, face, (2.0 * scale, scale * self._x + right, scale * self._y + down), until)

    def floor(self, _moment: Moment) -> int:
        """A ball never fills the frame."""
        return NEVER


def _ball(
    stage: Stage, size: int, pad: float, air: Color, middle: tuple[float, float]
) -> tuple[Field, Field, Picture, Picture]:
    """Return where each pixel looks on the texture, the light that falls there, and the glow of the air."""
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 * pad - pad
    x, y = np.broadcast_to(grid[None, :], (size, size)), np.broadcast_to(grid[:, None], (size, size))
    away = np.hypot(x, y)
    z = np.sqrt(np.clip(1.0 - away * away, 0.0, 1.0))
    tilt = 0.36
    north, west = y * np.cos(tilt) - x * np.sin(tilt), x * np.cos(tilt) + y * np.sin(tilt)
    columns = np.arctan2(west, z + 1e-4) / np.pi * 256.0
    rows = np.arcsin(np.clip(north, -1, 1)) / np.pi * 512.0 + 256.0
    side = 0.82 if stage.sun[0] > middle[0] else -0.82
    facing = x * side - y * 0.34 + z * 0.34
    day = smoothstep(-0.06, 0.62, facing)
    inside = smoothstep(1.0 + 1.2 / size, 1.0 - 2.4 / size, away)
    light = np.zeros((size, size, 4), np.float32)
    light[..., :3] = (0.02 + 1.0 * day * (0.5 + 0.5 * z**0.35))[..., None] * inside[..., None]
    light[..., 3] = inside
    halo = np.exp(-np.abs(away - 1.0) / np.where(away > 1.0, 0.045, 0.09)) * smoothstep(-0.35, 0.5, facing)
    glow = np.zeros((size, size, 4), np.float32)
    glow[..., :3] = (np.clip(halo, 0, 1) * 0.85)[..., None] * air
    return columns.astype(np.float32), rows.astype(np.float32), to_picture(light), to_picture(glow)


def _texture(stage: Stage, kind: str) -> tuple[Picture, Color]:
    """Return a map of the planet, 512 x 512, that repeats sideways, and the color of its air."""
    rng = stage.rng
    land, fine = tileable(rng, 512, 1.9), tileable(rng, 512, 1.3, coarsest=8)
    rows = np.arange(512, dtype=np.float32)[:, None]
    if kind == "gas":
        bands = np.sin(rows / 512.0 * 44.0 + land * 0.9) + 0.4 * np.sin(rows / 512.0 * 97.0 + fine * 0.5)
        part = smoothstep(-1.2, 1.2, bands)[..., None]
        tones = [
            (rgb(140, 92, 66), rgb(240, 214, 170)),
            (rgb(92, 80, 140), rgb(226, 190, 216)),
            (rgb(60, 96, 140), rgb(190, 222, 230)),
        ]
        dark, bright = tones[int(rng.integers(0, 3))]
        color, air = mix(dark, bright, part), bright
    elif kind == "ocean":
        ground = mix(rgb(70, 106, 58), rgb(176, 150, 104), smoothstep(-0.5, 1.0, fine)[..., None])
        color = mix(rgb(16, 58, 120), ground, smoothstep(0.25, 0.4, land + 0.15 * fine)[..., None])
        ice = smoothstep(190.0, 214.0, np.abs(rows - 256.0) + 14 * fine)
        clouds = np.clip(smoothstep(0.35, 1.5, tileable(rng, 512, 1.6) + 0.3 * fine) + ice, 0, 1)
        color, air = mix(color, rgb(246, 250, 255), clouds[..., None]), rgb(110, 180, 255)
    elif kind == "rock":
        part = smoothstep(-1.6, 1.6, land + 0.7 * fine)[..., None]
        color, air = mix(rgb(88, 50, 40), rgb(222, 146, 96), part), rgb(255, 170, 120)
    else:
        part = smoothstep(-1.4, 1.4, land + 0.5 * fine)[..., None]
        cracks = smoothstep(0.12, 0.0, np.abs(tileable(rng, 512, 1.7)))[..., None]
        color, air = (
            mix(mix(rgb(120, 160, 190), rgb(236, 244, 250), part), rgb(70, 100, 140), cracks * 0.6),
            rgb(170, 220, 255),
        )
    out = np.full((512, 512, 4), 255, np.uint8)
    out[..., :3] = np.clip(color * 255.0, 0.0, 255.0).astype(np.uint8)
    return out, air


def ring_plates(stage: Stage, x: float, y: float, radius: float, *, depth: float) -> tuple[Plate, Plate]:
    """Return the rings behind and before a planet."""
    width, height = int(radius * 4.6), int(radius * 2.4)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = (columns - width / 2) / radius, (rows - height / 2) / radius
    turn = -0.3
    along = across * np.cos(turn) - down * np.sin(turn)
    side = across * np.sin(turn) + down * np.cos(turn)
    away = np.hypot(along, side / 0.26)
    lines = np.interp(away, np.linspace(1.3, 2.15, 160), 0.55 + 0.45 * fractal(stage.rng, 160, 2, 34.0, octaves=3)[0])
    cover = lines * smoothstep(1.3, 1.36, away) * smoothstep(2.15, 2.02, away) * 0.82
    cover = cover * (1.0 - 0.8 * np.exp(-(((away - 1.78) / 0.03) ** 2)))
    color = mix(rgb(150, 120, 100), rgb(250, 232, 206), np.clip(lines, 0, 1)[..., None])
    left, top = x - width / 2, y - height / 2
    behind = premultiplied((color * 0.55).astype(np.float32), (cover * (side < 0)).astype(np.float32))
    before = premultiplied(color.astype(np.float32), (cover * (side >= 0)).astype(np.float32))
    return Plate(behind, left, top, depth), Plate(before, left, top, depth)
