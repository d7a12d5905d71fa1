"""Houses of a city: fronts with windows, roofs with their furniture, and neon signs."""

import cv2
import numpy as np
from numpy.random import Generator

from understudy.animatic.scene.palette import Color, Palette, rgb, toward
from understudy.animatic.scene.raster import Field, Picture, blank, blur

_WARM = (rgb(255, 206, 128), rgb(255, 184, 96), rgb(255, 226, 170), rgb(190, 220, 255))
NEON_TONES = (
    rgb(255, 52, 150),
    rgb(40, 220, 255),
    rgb(255, 90, 60),
    rgb(160, 84, 255),
    rgb(80, 255, 170),
    rgb(255, 200, 60),
)


def front(
    rng: Generator, width: int, height: int, *, bay: float, storey: float, wall: Color, palette: Palette, lit: float
) -> Field:
    """Return a house front, height x width x 3: walls with rows of windows of which the part `lit` is lighted.

    `bay` and `storey` are the spacing of the windows in pixels.
    """
    picture = np.empty((height, width, 3), np.float32)
    shade = np.linspace(1.08, 0.86, height, dtype=np.float32)[:, None, None]
    picture[:] = wall * shade
    columns, rows = max(1, int(width / bay)), max(1, int(height / storey))
    on = rng.random((rows, columns)) < lit * rng.uniform(0.55, 1.25)
    dark_floor = rng.random(rows) < 0.18
    on[dark_floor] &= rng.random((int(dark_floor.sum()), columns)) < 0.25
    glass = toward(wall * np.float32(0.62), palette.middle, 0.3 * (1.0 - palette.lamps * 0.7))
    tones = np.stack(_WARM)[rng.choice(4, (rows, columns), p=[0.42, 0.22, 0.22, 0.14])]
    strength = rng.uniform(0.55, 1.0, (rows, columns, 1)).astype(np.float32)
    panes = np.where(on[..., None], tones * strength, glass * (0.85 + 0.3 * strength)).astype(np.float32)
    x, y = np.arange(width) / width * columns, np.arange(height) / height * rows
    fill_x, fill_y = rng.uniform(0.45, 0.72), rng.uniform(0.45, 0.66)
    in_x, in_y = np.abs(x % 1.0 - 0.5) < fill_x / 2, np.abs(y % 1.0 - 0.5) < fill_y / 2
    window = (in_y[:, None] & in_x[None, :])[..., None]
    column = np.minimum(x.astype(int), columns - 1)
    row = np.minimum(y.astype(int), rows - 1)
    return np.where(window, panes[row[:, None], column[None, :]], picture)


def put(image: Picture, picture: Field, left: int, top: int) -> None:
    """Copy an opaque picture into an RGBA image, clipped at its rims."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + picture.shape[1], image.shape[1]), min(top + picture.shape[0], image.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = picture[y0 - top : y1 - top, x0 - left : x1 - left]
    image[y0:y1, x0:x1, :3] = np.clip(part * 255.0, 0.0, 255.0).astype(np.uint8)
    image[y0:y1, x0:x1, 3] = 255


def put_rect(image: Picture, color: Color, left: float, top: float, right: float, bottom: float) -> None:
    """Fill an upright rectangle with one color."""
    value = (*(float(part) for part in np.clip(color, 0.0, 1.0) * 255.0), 255.0)
    first, last = (round(left), round(top)), (max(round(left), round(right) - 1), max(round(top), round(bottom) - 1))
    cv2.rectangle(image, first, last, value, -1)


def tower(
    rng: Generator,
    image: Picture,
    left: int,
    foot: int,
    width: int,
    height: int,
    *,
    wall: Color,
    palette: Palette,
    storey: float,
    lit: float,
    sun_right: bool,
) -> None:
    """Draw one high-rise with setbacks, a lit edge and something on its roof."""
    shape = rng.integers(0, 4)
    steps = (
        [(1.0, 1.0)]
        if shape == 0
        else [(1.0, 0.78), (0.74, 1.0)]
        if shape < 3
        else [(1.0, 0.6), (0.8, 0.85), (0.5, 1.0)]
    )
    bay = storey * rng.uniform(0.7, 1.5)
    below = 0.0
    for part, level in steps:
        high, wide = int(height * (level - below)), max(3, int(width * part))
        if high < 3:
            continue
        top, x = foot - int(height * level), left + (width - wide) // 2
        picture = front(rng, wide, high, bay=bay, storey=storey, wall=wall, palette=palette, lit=lit)
        edge = max(1, int(wide * 0.05))
        side = slice(wide - edge, wide) if sun_right else slice(0, edge)
        picture[:, side] += palette.key * np.float32(0.28 * (1.0 - palette.overcast))
        other = slice(0, wide // 3) if sun_right else slice(wide - wide // 3, wide)
        picture[:, other] *= np.float32(0.84)
        put(image, picture, x, top)
        put_rect(image, wall * np.float32(1.25) + palette.key * np.float32(0.1), x, top - 1, x + wide, top + 1)
        below = level
    _roof(rng, image, left + width // 2, foot - height, width, wall, palette)


def _roof(rng: Generator, image: Picture, x: int, top: int, width: int, wall: Color, palette: Palette) -> None:
    """Put a mast, a box of machines or nothing on a roof; masts carry a red lamp at night."""
    kind = rng.random()
    dark = wall * np.float32(0.8)
    if kind < 0.4:
        tall = width * rng.uniform(0.3, 0.95)
        put_rect(image, dark, x - max(1, width * 0.018), top - tall, x + max(1, width * 0.018), top)
        if palette.lamps > 0.6:
            cv2.circle(image, (x, int(top - tall)), max(1, width // 26), (255, 60, 50, 255), -1, cv2.LINE_AA)
    elif kind < 0.75:
        put_rect(image, dark, x - width * 0.22, top - width * 0.13, x + width * 0.12, top)
        put_rect(image, dark * np.float32(0.9), x + width * 0.2, top - width * 0.08, x + width * 0.34, top)


GLOW_SCALE = 0.25
"""How many pixels the glow of a sign has for one of the sign; it is soft."""


def sign(rng: Generator, width: int, height: int, tone: Color) -> tuple[Picture, Picture]:
    """Return a neon sign (made-up strokes in a frame), and its glow: to be added, three times as large, softly."""
    board = blank(height, width)
    board[...] = (12, 10, 18, 235)
    value = (*(float(part) for part in tone * 255.0), 255.0)
    line = max(1, min(width, height) // 16)
    cv2.rectangle(board, (line, line), (width - 1 - line, height - 1 - line), value, line, cv2.LINE_AA)
    cells = max(1, round(max(width, height) / max(min(width, height), 1)))
    for cell in range(cells):
        _glyph(rng, board, cell, cells, toward(tone, rgb(255, 255, 255), 0.55), line)
    small = (round(3 * width * GLOW_SCALE), round(3 * height * GLOW_SCALE))
    room = cv2.copyMakeBorder(board, height, height, width, width, cv2.BORDER_CONSTANT)
    source = cv2.resize(room, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    glow = blur(source, min(width, height) * 0.55 * GLOW_SCALE) * np.float32(1.25)
    glow[..., 3] = 0
    return board, np.clip(glow, 0, 255).astype(np.uint8)


def _glyph(rng: Generator, board: Picture, cell: int, cells: int, tone: Color, line: int) -> None:
    """Draw one made-up letter of two to four strokes into its cell; no real script, so it says nothing wrong."""
    height, width = board.shape[:2]
    upright = height >= width
    side = min(width, height)
    left, top = (0, cell * height // cells) if upright else (cell * width // cells, 0)
    pad = max(3, side // 4)
    size = max(4, side - 2 * pad)
    value = (*(float(part) for part in tone * 255.0), 255.0)
    for _ in range(int(rng.integers(3, 6))):
        x, y = rng.integers(0, 3, 2) * size // 2
        if rng.random() < 0.5:
            end = (left + pad + size, top + pad + y)
            cv2.line(board, (left + pad, top + pad + y), end, value, line, cv2.LINE_AA)
        else:
            end = (left + pad + x, top + pad + size)
            cv2.line(board, (left + pad + x, top + pad), end, value, line, cv2.LINE_AA)
