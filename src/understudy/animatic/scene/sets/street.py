"""A street that runs away from the camera: house fronts in perspective, signs, cables, and a pavement that shines."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.facade import GLOW_SCALE, NEON_TONES, front, put_rect, sign
from understudy.animatic.scene.layers import Plate, Pulse, pieces
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import Field, Picture, blank, lay_over, premultiplied, smoothstep, to_picture
from understudy.animatic.scene.stage import Medium, Spot, Stage
from understudy.animatic.scene.water import Surface, Water
from understudy.animatic.storyboard import Light, Move, Weather

_EYE = 0.42
"""How high the camera stands, in storeys."""


_TILTS = frozenset({Move.TILT_UP, Move.TILT_DOWN, Move.AERIAL, Move.HANDHELD})


@dataclass(frozen=True, slots=True)
class _Depth:
    """One plate of the street: houses between two distances, in half street widths."""

    near: float
    far: float
    depth: float
    haze: float


_DEPTHS = (
    _Depth(6.2, 26.0, 0.14, 0.62),
    _Depth(2.7, 7.4, 0.36, 0.26),
    _Depth(0.9, 3.2, 0.75, 0.0),
)


def build_street(stage: Stage) -> None:
    """Build the street from its far end to the camera, then the pavement that mirrors it."""
    for step, part in enumerate(_DEPTHS):
        image, margin = _canvas(stage, part.depth)
        glows: list[Pulse] = []
        for side in (-1.0, 1.0):
            _houses(stage, image, margin, part, side)
        for side in (-1.0, 1.0):
            glows += _signs(stage, image, margin, part, side)
        rows = int(stage.horizon) + margin + 4
        for plate in pieces(image[:rows], -float(margin), -float(margin), part.depth):
            stage.add(plate, 2.0 + step)
        # A camera that tilts moves houses and pavement apart, and must not open a gap between them.
        below = rows - 4 - (margin if stage.shot.move in _TILTS else round(8 * stage.unit))
        for plate in pieces(image[below:], -float(margin), float(below - margin), part.depth):
            stage.add(plate, 6.3 + 0.1 * step)
        for glow in glows:
            stage.add(glow, 2.1 + step)
        if step < 2:
            low = stage.horizon
            top, bottom = low - 0.2 * stage.height, low + 0.06 * stage.height
            stage.add(mist(stage, top=top, bottom=bottom, strength=0.4, depth=part.depth), 2.4 + step)
    _hang_cables(stage)
    _light_far_end(stage)
    wet = stage.shot.weather in {Weather.RAIN, Weather.STORM} or stage.shot.light in {Light.NEON, Light.NIGHT}
    deep = rgb(56, 56, 66) * stage.palette.ambient * np.float32(1.3) + stage.palette.haze * np.float32(
        0.16 * stage.palette.lamps
    )
    surface = Surface(
        deep=deep,
        chop=0.3,
        ripple=1.5,
        speed=0.7 if wet else 0.0,
        mirror=0.5 if wet else 0.22,
        glitter=0.2,
        smear=0.16,
        puddles=0.45 if wet else 1.0,
    )
    stage.add(Water(stage, surface, stage.horizon + 2), 6.0)
    _lay_pavement(stage, wet)
    foot = stage.height * (0.8 if not stage.portrait else 0.74)
    spot = Spot(
        x=stage.width * 0.5,
        spread=stage.width * 0.26,
        ground=float(foot),
        size=stage.person * 1.15,
        depth=0.9,
        order=8.0,
    )
    stage.spots[Medium.GROUND] = stage.spots[Medium.ROAD] = spot


def _canvas(stage: Stage, depth: float) -> tuple[Picture, int]:
    margin = stage.camera.margin(depth) + 4
    return blank(stage.height + 2 * margin, stage.width + 2 * margin), margin


def _scale(stage: Stage) -> tuple[float, float]:
    """Return half the street's width at distance 1 in pixels, and the height of a storey there."""
    half = 0.62 * stage.width if stage.portrait else 0.5 * stage.width
    return half, 0.34 * min(stage.width * 1.5, stage.height)


def _houses(stage: Stage, image: Picture, margin: int, part: _Depth, side: float) -> None:
    """Draw the houses of one side between two distances, the farthest first."""
    rng = stage.rng
    edges = [part.near]
    while edges[-1] < part.far:
        edges.append(edges[-1] * rng.uniform(1.25, 1.6))
    for near, far in reversed(list(pairwise(edges))):
        tall = rng.uniform(2.6, 6.5) if far > 4 else rng.uniform(3.4, 6.0)
        picture = _front_picture(stage, near, far, tall, part.haze)
        half, storey = _scale(stage)
        x_near, x_far = (stage.width * 0.5 + side * half / at + margin for at in (near, far))
        y = stage.horizon + margin
        corners = np.array(
            [
                [x_near, y - storey * tall / near],
                [x_far, y - storey * tall / far],
                [x_far, y + _EYE * storey / far],
                [x_near, y + _EYE * storey / near],
            ],
            np.float32,
        )
        _paste_perspective(image, picture, corners)


def _front_picture(stage: Stage, near: float, far: float, tall: float, haze: float) -> Field:
    """Return a house front as seen from straight ahead, shop windows at its foot; columns run near to far."""
    rng, palette = stage.rng, stage.palette
    high = int(np.clip(tall * 86.0, 120, 560))
    wide = int(np.clip((far - near) / near * 300.0, 60, 320))
    base = [rgb(96, 84, 88), rgb(112, 78, 64), rgb(84, 92, 104), rgb(120, 112, 100)][int(rng.integers(0, 4))]
    wall = toward(base * palette.ambient * np.float32(1.25), palette.haze, haze)
    bays = max(2.0, (far - near) * 2.4)
    lit = 0.5 * palette.lamps
    picture = front(
        rng, wide, high, bay=wide / (bays * 1.5), storey=high / (tall * 2.6), wall=wall, palette=palette, lit=lit
    )
    _shop_windows(stage, picture, wall, int(high / tall * 0.5), max(2, int(bays * 1.1)), haze)
    fade = np.linspace(0.0, 0.35, high, dtype=np.float32)[:, None, None] * haze
    hazed: Field = picture + (palette.haze - picture) * fade
    return hazed


def _shop_windows(stage: Stage, picture: Field, wall: Color, tall: int, shops: int, haze: float) -> None:
    """Put shops at the foot of a front: each with its own light, an awning or a fascia, and dark doors between."""
    rng, lamps = stage.rng, stage.palette.lamps
    high, wide = picture.shape[:2]
    picture[high - tall - tall // 6 :] = wall * np.float32(0.6)
    for shop in range(shops):
        left, right = int((shop + 0.08) * wide / shops), int((shop + 0.92) * wide / shops)
        tone = toward(NEON_TONES[int(rng.integers(0, 6))], rgb(255, 216, 158), float(rng.uniform(0.55, 1.0)))
        bright = (0.22 + 0.62 * lamps) * (1.0 - 0.6 * haze) * float(rng.choice([0.25, 0.8, 1.0]))
        top, sill = high - tall, high - tall // 5
        fall = np.linspace(1.1, 0.62, sill - top, dtype=np.float32)[:, None, None]
        picture[top:sill, left:right] = toward(wall * np.float32(0.5), tone, bright) * fall
        middle = (left + right) // 2
        picture[top:, max(middle - 2, 0) : middle + 2] = wall * np.float32(0.45)
        shade = toward(wall, tone, 0.25) * np.float32(0.8 if rng.random() < 0.6 else 0.5)
        picture[top - tall // 6 : top + tall // 10, left:right] = shade


def _paste_perspective(image: Picture, picture: Field, corners: NDArray[np.float32]) -> None:
    """Warp an opaque front into its four corners and lay it over the image."""
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    left, top = max(int(left), 0), max(int(top), 0)
    right, bottom = min(int(right), image.shape[1]), min(int(bottom), image.shape[0])
    if right - left < 2 or bottom - top < 2:
        return
    height, width = picture.shape[:2]
    source = np.empty((height, width, 4), np.uint8)
    source[..., :3] = to_picture(picture)
    source[..., 3] = 255
    origin = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(origin, corners - np.array([left, top], np.float32))
    flags = cv2.INTER_AREA if (right - left) < width // 2 else cv2.INTER_LINEAR
    warped = cv2.warpPerspective(source, matrix, (right - left, bottom - top), flags=flags)
    lay_over(image[top:bottom, left:right], np.asarray(warped, np.uint8))


def _signs(stage: Stage, image: Picture, margin: int, part: _Depth, side: float) -> list[Pulse]:
    """Hang signs that face the camera on the houses, and return the light they throw."""
    rng, lamps = stage.rng, stage.palette.lamps
    many = {Light.NEON: 4, Light.NIGHT: 2, Light.DUSK: 2}.get(stage.shot.light, 1)
    half, storey = _scale(stage)
    glows: list[Pulse] = []
    for at in sorted(rng.uniform(max(part.near, 1.15) * 1.02, min(part.far, 13.0), many), reverse=True):
        tone = NEON_TONES[int(rng.integers(0, 6))]
        size = storey / at
        upright = rng.random() < 0.65
        wide, high = (0.3, rng.uniform(0.8, 1.5)) if upright else (rng.uniform(0.6, 0.9), 0.3)
        w, h = max(6, int(size * wide)), max(8, int(size * high))
        board, glow = sign(rng, w, h, toward(tone, stage.palette.haze, part.haze * 0.5))
        x = int(stage.width * 0.5 + margin + side * half / at - (w if side > 0 else 0))
        y = int(stage.horizon + margin - size * rng.uniform(1.0, 2.2) - h)
        _stamp(image, board, x, y)
        if lamps > 0.6:
            glows.append(
                Pulse(
                    glow,
                    float(x - w - margin),
                    float(y - h - margin),
                    part.depth,
                    scale=GLOW_SCALE,
                    base=0.62 * lamps,
                    swing=0.14,
                    rate=float(rng.uniform(0.4, 2.4)),
                    phase=float(rng.uniform(0, 6)),
                )
            )
    return glows


def _stamp(image: Picture, board: Picture, x: int, y: int) -> None:
    """Lay a small picture over a larger one, clipped at its rims."""
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + board.shape[1], image.shape[1]), min(y + board.shape[0], image.shape[0])
    if x1 > x0 and y1 > y0:
        lay_over(image[y0:y1, x0:x1], np.ascontiguousarray(board[y0 - y : y1 - y, x0 - x : x1 - x]))


def _lay_pavement(stage: Stage, wet: bool) -> None:
    """Lay curbs, sidewalks and lane marks over the mirror of the road."""
    margin = stage.camera.margin(0.5) + 4
    top = int(stage.horizon)
    width, height = stage.width + 2 * margin, stage.height + margin - top
    down = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    half, storey = _scale(stage)
    road = down / np.float32(storey * _EYE) * np.float32(half)
    across = (np.arange(width, dtype=np.float32)[None, :] - margin - stage.width * 0.5) / road
    away = np.abs(across)
    palette = stage.palette
    stone = rgb(128, 124, 124) * (palette.ambient * np.float32(0.75) + palette.key * np.float32(0.1))
    walk = smoothstep(0.64, 0.645, away) * (0.42 if wet else 0.85)
    curb = np.exp(-(((away - 0.645) / 0.008) ** 2))
    distance = 1.0 / (down / np.float32(height) + np.float32(0.02))
    joint = smoothstep(0.9, 0.97, (distance * 5.0) % 1.0) * smoothstep(0.1, 0.3, down / height) * (away > 0.65)
    dash = (np.abs(across) < 0.018) * smoothstep(0.45, 0.5, (distance * 0.9) % 1.0) * 0.6
    cover = np.clip(walk + curb * 0.8 + dash, 0.0, 1.0)
    bright = (1.0 + 0.9 * curb + 1.2 * dash - 0.35 * joint)[..., None]
    image = premultiplied(np.clip(stone * bright, 0, 1).astype(np.float32), cover.astype(np.float32))
    stage.add(Plate(image, -float(margin), float(top), 0.4), 6.2)


def _light_far_end(stage: Stage) -> None:
    """Let the far end of the street glow: the sky by day, a thousand lamps by night."""
    width, height = int(0.5 * stage.width) // 8, int(0.5 * stage.height) // 8
    x = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    away = np.hypot(x, y)
    glow = np.exp(-away * 2.6) * smoothstep(1.0, 0.5, away)
    tone = toward(stage.palette.key, stage.palette.haze, 0.4)
    light = premultiplied(tone, np.clip(glow * 0.5, 0, 1).astype(np.float32))
    light[..., 3] = 0
    stage.add(
        Pulse(
            light,
            0.25 * stage.width,
            stage.horizon - 0.25 * stage.height,
            0.1,
            scale=0.125,
            base=0.9,
            swing=0.06,
            rate=0.4,
        ),
        2.95,
    )


def _hang_cables(stage: Stage) -> None:
    """Hang a few cables across the street, with lamps on some."""
    rng = stage.rng
    margin = stage.camera.margin(0.6) + 4
    image = blank(int(stage.horizon) + margin, stage.width + 2 * margin)
    tone: Color = stage.palette.shade
    value = (*(float(part) for part in tone * 255.0), 255.0)
    for _ in range(4):
        y = rng.uniform(0.05, 0.55) * stage.horizon
        x = np.linspace(0, image.shape[1], 40)
        sag = rng.uniform(0.03, 0.09) * stage.height
        rows = y + sag * (1 - (2 * x / image.shape[1] - 1) ** 2) + (x / image.shape[1] - 0.5) * rng.uniform(-60, 60)
        points = np.round(np.stack([x, rows], axis=1) * 16).astype(np.int32)
        cv2.polylines(image, [points], False, value, max(1, round(1.2 * stage.unit)), cv2.LINE_AA, 4)
    lamp = toward(rgb(255, 200, 130), stage.palette.key, 0.3)
    if stage.palette.lamps > 0.4:
        for place in (0.3, 0.7):
            put_rect(image, lamp, image.shape[1] * place, 0, image.shape[1] * place + 1, 1)
    for plate in pieces(image, -float(margin), 0.0, 0.6):
        stage.add(plate, 4.6)
