"""A room: a large window, the light it throws on boards and walls, and the shapes of furniture."""

import cv2
import numpy as np

from understudy.animatic.scene.clouds import add_clouds
from understudy.animatic.scene.ground import fill, ridge_plate
from understudy.animatic.scene.layers import Plate, Pulse, pieces
from understudy.animatic.scene.noise import fractal
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import Field, Picture, blank, blur, premultiplied, resize, smoothstep
from understudy.animatic.scene.sky import add_sky
from understudy.animatic.scene.stage import Medium, Spot, Stage


def build_interior(stage: Stage) -> None:
    """Build the view outside, the back wall with its window, the floor, and what stands in the room."""
    add_sky(stage)
    add_clouds(stage)
    far = toward(stage.palette.shade, stage.palette.haze, 0.6)
    stage.add(ridge_plate(stage, level=0.5, rise=0.07, cells=5.0, color=far, depth=0.2), 1.5)
    window = _window_box(stage)
    stage.add(_walls(stage, window), 2.0)
    _add_beam(stage, window)
    _add_lamp(stage)
    _furnish(stage)
    foot = stage.height * (0.82 if not stage.portrait else 0.76)
    stage.spots[Medium.GROUND] = Spot(
        x=stage.width * 0.5,
        spread=stage.width * 0.2,
        ground=float(foot),
        size=stage.person * 1.75,
        depth=0.85,
        order=8.0,
    )


def _window_box(stage: Stage) -> tuple[int, int, int, int]:
    """Return the opening of the window: left, top, right, bottom."""
    middle = stage.width * (0.42 if stage.sun[0] < stage.width / 2 else 0.58)
    wide, high = (
        (0.62 * stage.width, 0.4 * stage.height) if stage.portrait else (0.42 * stage.width, 0.5 * stage.height)
    )
    top = stage.height * (0.18 if stage.portrait else 0.1)
    return int(middle - wide / 2), int(top), int(middle + wide / 2), int(top + high)


def _tones(stage: Stage) -> tuple[Color, Color]:
    """Return the colors of wall and floor boards under this light; lamps warm them at night."""
    palette = stage.palette
    light = palette.ambient * np.float32(0.62) + palette.key * np.float32(0.1)
    warm = rgb(255, 176, 96) * np.float32(0.5 * palette.lamps)
    walls = [rgb(196, 176, 152), rgb(150, 164, 160), rgb(178, 150, 140)]
    wall = walls[int(stage.rng.integers(0, 3))]
    return wall * (light + warm) * np.float32(0.72), rgb(134, 92, 58) * (light + warm) * np.float32(0.9)


def _walls(stage: Stage, window: tuple[int, int, int, int]) -> Plate:
    """Return back wall and floor as one plate with the window cut out."""
    depth = 0.4
    margin = stage.camera.margin(depth) + 4
    width, height = stage.width + 2 * margin, stage.height + 2 * margin
    wall, board = _tones(stage)
    seam = int(stage.height * 0.72) + margin
    image = np.empty((height, width, 3), np.float32)
    image[:] = wall
    left, top, right, bottom = (value + margin for value in window)
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    away = np.hypot(
        np.maximum(0, np.maximum(left - columns, columns - right)), np.maximum(0, np.maximum(top - rows, rows - bottom))
    )
    glow = np.exp(-away / (0.16 * stage.height))[..., None]
    image += glow * stage.palette.key * wall * np.float32(0.55)
    image[seam - int(0.03 * stage.height) : seam] *= np.float32(0.72)
    _boards(stage, image, board, seam, window, margin)
    corner = np.abs(columns / width - 0.5) * 2.0
    image *= (1.0 - 0.42 * smoothstep(0.55, 1.05, corner))[..., None]
    cover = np.ones((height, width), np.float32)
    cover[top:bottom, left:right] = 0.0
    plate = premultiplied(np.clip(image, 0, 1), cover)
    _window_frame(stage, plate, (left, top, right, bottom), wall)
    return Plate(plate, -float(margin), -float(margin), depth)


def _boards(
    stage: Stage, image: Field, board: Color, seam: int, window: tuple[int, int, int, int], margin: int
) -> None:
    """Lay floor boards in perspective, with the window's light on them as a slanted patch."""
    height, width = image.shape[:2]
    down = (np.arange(height - seam, dtype=np.float32)[:, None] + 4.0) / (height - seam)
    across = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / width
    lane = across / (0.35 + down) * 26.0
    grain = resize(
        fractal(stage.rng, width // 2, (height - seam) // 2 + 2, 60.0, octaves=3, stretch=0.3), width, height - seam
    )
    tone = 0.86 + 0.2 * np.sin(np.floor(lane) * 12.9898 + 4.0) ** 2 + 0.12 * grain
    tone = tone * (1.0 - 0.5 * smoothstep(0.06, 0.0, np.abs(lane - np.round(lane))))
    slant = 0.5 if stage.sun[0] < stage.width / 2 else -0.5
    middle = ((window[0] + window[2]) / 2 + margin - width / 2) / width
    half = (window[2] - window[0]) / width / 2
    at = (across - middle - slant * down * 0.45) / (half * (0.9 + 0.7 * down))
    bars = smoothstep(0.025, 0.06, np.abs((at * 1.5 + 0.5) % 1.0 - 0.5)) * smoothstep(1.0, 0.94, np.abs(at))
    patch = bars * smoothstep(0.08, 0.16, down) * smoothstep(0.86, 0.72, down)
    strength = (0.95 if stage.palette.sun_height > 0 and not stage.palette.moon else 0.3) * (1 - stage.palette.overcast)
    light = tone[..., None] * board * (1.1 - 0.35 * down)[..., None]
    image[seam:] = light + patch[..., None] * board * stage.palette.key * np.float32(1.9 * strength)


def _window_frame(stage: Stage, image: Picture, window: tuple[int, int, int, int], wall: Color) -> None:
    """Draw frame, bars and sill."""
    left, top, right, bottom = window
    thick = max(3, int(7 * stage.unit))
    tone = np.clip(toward(wall, rgb(240, 232, 220) * stage.palette.ambient, 0.45), 0, 1)
    value = (*(float(part) for part in tone * 255.0), 255.0)
    cv2.rectangle(image, (left, top), (right, bottom), value, thick)
    for part in (1 / 3, 2 / 3):
        x = int(left + (right - left) * part)
        cv2.line(image, (x, top), (x, bottom), value, max(2, thick // 2))
    y = int(top + (bottom - top) * 0.36)
    cv2.line(image, (left, y), (right, y), value, max(2, thick // 2))
    sill = np.clip(tone * np.float32(1.3), 0, 1)
    fill(
        image,
        [
            np.array(
                [
                    [left - 3 * thick, bottom],
                    [right + 3 * thick, bottom],
                    [right + 3 * thick, bottom + 2 * thick],
                    [left - 3 * thick, bottom + 2 * thick],
                ],
                float,
            )
        ],
        sill,
    )


def _add_beam(stage: Stage, window: tuple[int, int, int, int]) -> None:
    """Let the window's light hang in the air."""
    strength = 0.34 * (1.0 - stage.palette.overcast) * (0.4 if stage.palette.moon else 1.0)
    width, height = stage.width // 4, stage.height // 4
    mask = blank(height, width, 1)[..., 0]
    left, top, right, _ = (value / 4 for value in window)
    slant = (0.32 if stage.sun[0] < stage.width / 2 else -0.32) * width
    for index in range(3):
        a, b = left + (right - left) * (index / 3 + 0.03), left + (right - left) * ((index + 1) / 3 - 0.03)
        points = np.array([[a, top], [b, top], [b + slant * 1.2, height * 0.95], [a + slant, height * 0.95]])
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], (255.0,), lineType=cv2.LINE_AA, shift=4)
    fall = np.linspace(1.0, 0.1, height, dtype=np.float32)[:, None]
    light = blur(mask.astype(np.float32) / 255.0, 2.5) * fall * strength
    image = premultiplied(stage.palette.key, np.clip(light, 0, 1).astype(np.float32))
    image[..., 3] = 0
    stage.add(Pulse(image, 0.0, 0.0, 0.5, scale=0.25, base=0.8, swing=0.12, rate=0.15), 8.6)


def _add_lamp(stage: Stage) -> None:
    """Hang a pendant lamp; it glows when it is dark outside."""
    left_side = stage.sun[0] > stage.width / 2
    x = stage.width * (0.2 if left_side else 0.8)
    drop, size = stage.height * 0.24, 46.0 * stage.unit
    image = blank(int(drop + size * 1.2), int(size * 2.4))
    middle = image.shape[1] / 2
    dark = stage.palette.shade + np.float32(0.03)
    fill(
        image, [np.array([[middle - 1.5, 0.0], [middle + 1.5, 0.0], [middle + 1.5, drop], [middle - 1.5, drop]])], dark
    )
    shade = np.array(
        [
            [middle - size * 0.28, drop],
            [middle + size * 0.28, drop],
            [middle + size, drop + size * 0.7],
            [middle - size, drop + size * 0.7],
        ]
    )
    fill(image, [shade], dark * np.float32(1.5) + stage.palette.key * np.float32(0.06))
    stage.add(Plate(image, x - middle, 0.0, 0.7), 7.0)
    if stage.palette.lamps < 0.3:
        return
    reach = int(size * 9)
    grid = np.linspace(-1.0, 1.0, reach // 4, dtype=np.float32)
    glow = np.exp(-np.hypot(grid[None, :], grid[:, None] * 1.05) * 4.2)
    light = premultiplied(rgb(255, 190, 110), np.clip(glow * 0.8 * stage.palette.lamps, 0, 1).astype(np.float32))
    light[..., 3] = 0
    stage.add(
        Pulse(light, x - reach / 2, drop + size * 0.7 - reach / 2, 0.7, scale=0.25, base=0.9, swing=0.04, rate=0.7), 8.5
    )


def _furnish(stage: Stage) -> None:
    """Put a plant, a table with a cup, and a shelf at the sides, dark against the light."""
    margin = stage.camera.margin(0.8) + 4
    image = blank(stage.height + 2 * margin, stage.width + 2 * margin)
    dark = stage.palette.shade * np.float32(1.1) + stage.palette.ambient * np.float32(0.07)
    light = np.clip(dark + stage.palette.key * np.float32(0.2), 0, 1)
    foot = stage.height * 0.84 + margin
    side = -1.0 if stage.sun[0] > stage.width / 2 else 1.0
    _shelf(stage, image, stage.width * (0.5 + side * 0.42) + margin, foot, dark, light)
    _plant(stage, image, stage.width * (0.5 - side * 0.36) + margin, foot, dark)
    for plate in pieces(image, -float(margin), -float(margin), 0.6):
        stage.add(plate, 6.0)


def _shelf(stage: Stage, image: Picture, x: float, foot: float, dark: Color, light: Color) -> None:
    """Draw a book shelf with books of unlike heights."""
    rng = stage.rng
    wide, high = 0.2 * max(stage.width, 0.8 * stage.height), 0.52 * min(stage.height, stage.width * 1.3)
    fill(
        image,
        [
            np.array(
                [[x - wide / 2, foot - high], [x + wide / 2, foot - high], [x + wide / 2, foot], [x - wide / 2, foot]]
            )
        ],
        dark * np.float32(0.8),
    )
    tones = [rgb(150, 60, 50), rgb(60, 90, 110), rgb(180, 150, 90), rgb(80, 100, 70), rgb(120, 90, 120)]
    for row in range(4):
        base = foot - high * (0.03 + row * 0.24)
        at = x - wide * 0.46
        while at < x + wide * 0.42:
            w, h = wide * rng.uniform(0.03, 0.07), high * rng.uniform(0.12, 0.19)
            tone = tones[int(rng.integers(0, 5))] * (dark * np.float32(2.2) + light * np.float32(0.35))
            if rng.random() > 0.12:
                fill(image, [np.array([[at, base - h], [at + w, base - h], [at + w, base], [at, base]])], tone)
            at += w * 1.08
        fill(
            image,
            [
                np.array(
                    [[x - wide / 2, base], [x + wide / 2, base], [x + wide / 2, base + 4], [x - wide / 2, base + 4]]
                )
            ],
            light * np.float32(0.5),
        )


def _plant(stage: Stage, image: Picture, x: float, foot: float, dark: Color) -> None:
    """Draw a potted plant with long leaves."""
    rng, size = stage.rng, 0.34 * min(stage.height, stage.width * 1.2)
    pot = np.array(
        [
            [x - 0.15 * size, foot - 0.28 * size],
            [x + 0.15 * size, foot - 0.28 * size],
            [x + 0.11 * size, foot],
            [x - 0.11 * size, foot],
        ]
    )
    leaf = rgb(70, 110, 60) * (dark * np.float32(2.0) + stage.palette.key * np.float32(0.16))
    for _ in range(22):
        lean = rng.normal(0.0, 0.65)
        long = size * rng.uniform(0.5, 0.95)
        part = np.linspace(0, 1, 8)
        spine = np.stack([x + lean * long * part, foot - 0.26 * size - long * (part - 0.5 * abs(lean) * part**2)], 1)
        half = 0.035 * size * np.sin(np.pi * np.clip(part * 0.94 + 0.06, 0, 1))
        offset = np.stack([half, half * 0.4], 1)
        fill(
            image, [np.concatenate([spine - offset, (spine + offset)[::-1]])], leaf * np.float32(rng.uniform(0.6, 1.3))
        )
    fill(image, [pot], dark * np.float32(1.3))
