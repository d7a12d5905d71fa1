"""Landmarks: houses, towers, mills, and small things that people build outdoors."""

import math

from understudy.animatic.scene.figures.kind import Draw, Kind, Moving
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium

_WINDOW = rgb(255, 204, 116)


def _smoke(sketch: Sketch, phase: float, _tint: Color | None) -> None:
    """Draw smoke that rises from the chimney and drifts to the left."""
    for puff in range(6):
        age = (puff + phase) / 6.0
        wide = 0.05 + 0.12 * age
        sketch.oval(0.52 - 0.5 * age * age, 1.4 + 0.85 * age, wide, wide * 0.8, rgb(150, 150, 156) * (1.0 - 0.25 * age))


def house(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a cabin with lit windows and a smoking chimney."""
    wall = rgb(134, 92, 62) if tint is None else tint
    sketch.rect(0.42, 0.9, 0.62, 1.42, rgb(110, 84, 76))
    sketch.poly([(-0.95, 0.0), (-0.95, 0.72), (0.95, 0.72), (0.95, 0.0)], wall)
    for row in range(6):
        sketch.stroke([(-0.95, 0.1 + row * 0.12), (0.95, 0.1 + row * 0.12)], 0.01, wall * 0.66)
    sketch.poly([(-1.12, 0.68), (-0.62, 1.28), (0.62, 1.28), (1.12, 0.68)], rgb(92, 56, 50))
    sketch.poly([(-1.12, 0.68), (-1.1, 0.74), (1.1, 0.74), (1.12, 0.68)], rgb(70, 42, 40))
    for x in (-0.62, 0.34):
        sketch.rect(x - 0.03, 0.27, x + 0.33, 0.57, wall * 0.5)
        sketch.rect(x, 0.3, x + 0.3, 0.54, _WINDOW, 0.85)
        sketch.stroke([(x + 0.15, 0.3), (x + 0.15, 0.54)], 0.02, wall * 0.5)
        sketch.stroke([(x, 0.42), (x + 0.3, 0.42)], 0.02, wall * 0.5)
    sketch.rect(-0.14, 0.0, 0.14, 0.5, rgb(84, 52, 38))
    sketch.disc(0.08, 0.24, 0.02, _WINDOW)


def castle(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a castle: a keep, round towers with pointed roofs, banners in the wind."""
    stone = rgb(150, 144, 146) if tint is None else tint
    roof = rgb(84, 66, 96)
    for x, wide, tall in ((-0.5, 0.17, 1.36), (0.36, 0.2, 1.66), (-0.08, 0.15, 1.9)):
        _turret(sketch, x, wide, tall, stone * 0.84, roof, phase)
    sketch.rect(-0.9, 0.0, 0.9, 0.72, stone * 0.94)
    _battlement(sketch, -0.9, 0.9, 0.72, stone * 0.94)
    sketch.rect(-0.42, 0.0, 0.42, 1.06, stone)
    _battlement(sketch, -0.42, 0.42, 1.06, stone)
    for x, wide, tall in ((-0.92, 0.2, 1.02), (0.92, 0.2, 1.12)):
        _turret(sketch, x, wide, tall, stone * 1.04, roof, phase)
    sketch.blob([(-0.14, 0.0), (-0.14, 0.24), (0.0, 0.38), (0.14, 0.24), (0.14, 0.0)], rgb(52, 38, 34))
    for x, y in ((-0.26, 0.78), (0.26, 0.78), (0.0, 0.78), (-0.64, 0.42), (0.64, 0.42)):
        sketch.rect(x - 0.03, y - 0.06, x + 0.03, y + 0.06, _WINDOW, 0.9)


def _battlement(sketch: Sketch, left: float, right: float, y: float, color: Color) -> None:
    count = max(3, int((right - left) / 0.13))
    for index in range(count):
        x = left + (right - left) * index / count
        sketch.rect(x, y, x + (right - left) / count * 0.58, y + 0.07, color)


def _turret(sketch: Sketch, x: float, wide: float, tall: float, stone: Color, roof: Color, phase: float) -> None:
    sketch.rect(x - wide, 0.0, x + wide, tall, stone)
    sketch.rect(x - wide * 1.16, tall - 0.1, x + wide * 1.16, tall, stone * 0.86)
    sketch.poly([(x - wide * 1.3, tall), (x, tall + wide * 3.0), (x + wide * 1.3, tall)], roof)
    sketch.rect(x - 0.025, tall - 0.34, x + 0.025, tall - 0.22, _WINDOW, 0.9)
    top = tall + wide * 3.0
    wave = 0.02 * math.sin(phase * 2.0 * math.pi + x * 4.0)
    sketch.stroke([(x, top), (x, top + 0.14)], 0.012, roof * 0.6)
    sketch.poly([(x, top + 0.14), (x - 0.16, top + 0.1 + wave), (x, top + 0.06)], rgb(200, 50, 50))


def temple(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a pagoda with upswept roofs and lanterns."""
    wood = rgb(172, 62, 48) if tint is None else tint
    roof = rgb(58, 66, 76)
    sketch.rect(-0.86, 0.0, 0.86, 0.1, rgb(140, 136, 130))
    low, wide = 0.1, 0.66
    for story in range(4):
        sketch.rect(-wide * 0.72, low, wide * 0.72, low + 0.28, wood * (1.0 - 0.04 * story))
        for column in range(5):
            x = (-0.66 + column * 0.33) * wide
            sketch.rect(x - 0.018, low, x + 0.018, low + 0.28, wood * 0.6)
        for x in (-0.33 * wide, 0.33 * wide):
            sketch.rect(x - 0.06, low + 0.06, x + 0.06, low + 0.2, _WINDOW, 0.7)
        y = low + 0.28
        sketch.blob(
            [
                (-wide * 1.36, y + 0.08),
                (-wide * 0.9, y),
                (0.0, y - 0.02),
                (wide * 0.9, y),
                (wide * 1.36, y + 0.08),
                (wide * 0.72, y + 0.13),
                (wide * 0.5, y + 0.2),
                (-wide * 0.5, y + 0.2),
                (-wide * 0.72, y + 0.13),
            ],
            roof,
        )
        low, wide = y + 0.17, wide * 0.84
    sketch.stroke([(0.0, low - 0.02), (0.0, low + 0.36)], 0.026, rgb(190, 150, 70))
    for ring in range(3):
        sketch.oval(0.0, low + 0.1 + ring * 0.08, 0.05 - ring * 0.01, 0.016, rgb(206, 166, 80))
    sway = 0.01 * math.sin(phase * 2.0 * math.pi)
    for x in (-0.82, 0.82):
        sketch.oval(x + sway, 0.36, 0.045, 0.06, rgb(255, 110, 70), glow=0.9)


def lighthouse(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a lighthouse with bands, its lamp turning."""
    band = rgb(196, 52, 46) if tint is None else tint
    white = rgb(240, 236, 228)
    sketch.blob(
        [(-0.62, -0.06), (-0.5, 0.08), (-0.2, 0.16), (0.24, 0.15), (0.52, 0.06), (0.66, -0.06)], rgb(84, 80, 84)
    )
    for index in range(6):
        low, high = 0.12 + index * 0.22, 0.12 + (index + 1) * 0.22
        a, b = 0.22 - 0.016 * index, 0.22 - 0.016 * (index + 1)
        sketch.poly([(-a, low), (a, low), (b, high), (-b, high)], band if index % 2 else white)
    sketch.rect(-0.19, 1.42, 0.19, 1.47, rgb(50, 52, 60))
    sketch.rect(-0.1, 1.47, 0.1, 1.66, rgb(150, 140, 110))
    sketch.blob([(-0.14, 1.65), (0.0, 1.82), (0.14, 1.65)], band * 0.8)
    sketch.rect(-0.045, 0.16, 0.045, 0.32, rgb(70, 50, 44))
    for y in (0.62, 1.04):
        sketch.rect(-0.025, y, 0.025, y + 0.09, _WINDOW, 0.8)


def _lamp(sketch: Sketch, phase: float, _tint: Color | None) -> None:
    """Draw the lamp of a lighthouse, brightest when it looks at us."""
    strength = 0.45 + 0.55 * max(0.0, math.cos(phase * 2.0 * math.pi)) ** 4
    sketch.rect(-0.1, 1.47, 0.1, 1.65, rgb(255, 240, 190), strength)
    for x in (-0.1, -0.03, 0.04, 0.1):
        sketch.stroke([(x, 1.47), (x, 1.65)], 0.012, rgb(50, 52, 60))


def windmill(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a windmill, its sails turning."""
    wall = rgb(216, 204, 184) if tint is None else tint
    sketch.poly([(-0.3, 0.0), (0.3, 0.0), (0.19, 0.98), (-0.19, 0.98)], wall)
    sketch.blob([(-0.22, 0.97), (-0.15, 1.16), (0.02, 1.22), (0.18, 1.12), (0.22, 0.97)], rgb(96, 62, 50))
    sketch.blob([(-0.07, 0.0), (-0.07, 0.18), (0.0, 0.24), (0.07, 0.18), (0.07, 0.0)], rgb(84, 56, 42))
    for y in (0.42, 0.7):
        sketch.rect(-0.04, y, 0.04, y + 0.1, _WINDOW, 0.7)


def _sails(sketch: Sketch, phase: float, _tint: Color | None) -> None:
    """Draw the four sails of a windmill."""
    for arm in range(4):
        _blade(sketch, (0.04, 1.02), phase * 0.25 + arm / 4.0)
    sketch.disc(0.04, 1.02, 0.05, rgb(70, 50, 42))


def _blade(sketch: Sketch, hub: tuple[float, float], turn: float) -> None:
    angle = turn * 2.0 * math.pi
    right, up = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))

    def at(along: float, side: float) -> tuple[float, float]:
        return hub[0] + right[0] * along + up[0] * side, hub[1] + right[1] * along + up[1] * side

    sketch.poly([at(0.18, 0.015), at(0.86, 0.015), at(0.86, 0.17), at(0.18, 0.12)], rgb(240, 232, 214))
    for step in range(1, 6):
        along = 0.18 + step * 0.12
        sketch.stroke([at(along, 0.01), at(along, 0.14)], 0.01, rgb(120, 96, 76))
    sketch.stroke([at(0.0, 0.0), at(0.88, 0.0)], 0.026, rgb(92, 68, 52))


def turbine(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a wind turbine."""
    white = rgb(238, 240, 244) if tint is None else tint
    sketch.poly([(-0.035, 0.0), (0.035, 0.0), (0.018, 1.4), (-0.018, 1.4)], white)


def _rotor(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw the three blades of a wind turbine."""
    white = rgb(238, 240, 244) if tint is None else tint
    for arm in range(3):
        angle = (phase / 3.0 + arm / 3.0) * 2.0 * math.pi
        x, y = math.cos(angle), math.sin(angle)
        sketch.poly(
            [
                (0.0 - y * 0.025, 1.4 + x * 0.025),
                (0.2 * x - y * 0.035, 1.4 + 0.2 * y + x * 0.035),
                (0.72 * x, 1.4 + 0.72 * y),
                (0.1 * x + y * 0.02, 1.4 + 0.1 * y - x * 0.02),
            ],
            white,
        )
    sketch.disc(0.0, 1.4, 0.04, white * 0.8)


def tower(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a lattice tower with a light on its tip."""
    iron = rgb(112, 88, 74) if tint is None else tint
    for side in (-1.0, 1.0):
        sketch.poly(
            [
                (0.52 * side, 0.0),
                (0.34 * side, 0.0),
                (0.13 * side, 0.62),
                (0.03 * side, 1.7),
                (0.06 * side, 1.7),
                (0.2 * side, 0.66),
            ],
            iron,
        )
    sketch.blob(
        [(-0.3, 0.0), (-0.22, 0.24), (0.0, 0.34), (0.22, 0.24), (0.3, 0.0), (0.26, 0.0), (0.0, 0.29), (-0.26, 0.0)],
        iron * 0.8,
    )
    for y, wide in ((0.38, 0.3), (0.72, 0.2), (1.66, 0.07)):
        sketch.rect(-wide, y, wide, y + 0.05, iron * 0.9)
    for step in range(10):
        y = 0.42 + step * 0.12
        wide = 0.2 * (1.0 - (y - 0.4) / 1.55)
        sketch.stroke([(-wide, y), (wide, y + 0.1)], 0.012, iron * 0.85)
        sketch.stroke([(wide, y), (-wide, y + 0.1)], 0.012, iron * 0.85)
    sketch.stroke([(0.0, 1.7), (0.0, 1.98)], 0.022, iron)
    for y in (0.4, 0.74, 1.0, 1.3, 1.68):
        sketch.disc(0.0, y, 0.022, _WINDOW, 0.9)
    sketch.disc(0.0, 1.98, 0.024, rgb(255, 90, 70), 1.0 if phase < 0.5 else 0.2)


def pyramid(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw pyramids, one before another."""
    stone = rgb(214, 172, 114) if tint is None else tint
    for x, wide, tall, shade in ((1.15, 0.62, 0.62, 0.8), (0.0, 1.05, 1.12, 1.0), (-1.25, 0.44, 0.44, 0.86)):
        sketch.poly([(x - wide, 0.0), (x + 0.1 * wide, tall), (x + 0.2 * wide, 0.0)], stone * shade)
        sketch.poly([(x + 0.2 * wide, 0.0), (x + 0.1 * wide, tall), (x + wide, 0.0)], stone * (shade * 0.6))
        for row in range(1, 12):
            part = row / 12.0
            left = x - wide + 1.1 * wide * part
            right = x + wide - 0.9 * wide * part
            sketch.stroke(
                [(left, tall * part), (x + 0.2 * wide - 0.1 * wide * part, tall * part), (right, tall * part)],
                0.006,
                stone * 0.5,
            )


def tent(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a tent lit from within."""
    cloth = rgb(222, 122, 58) if tint is None else tint
    sketch.poly([(-0.9, 0.0), (0.06, 0.82), (0.3, 0.0)], cloth, 0.4)
    sketch.poly([(0.3, 0.0), (0.06, 0.82), (0.86, 0.0)], cloth * 0.7, 0.2)
    sketch.poly([(-0.5, 0.0), (0.04, 0.62), (-0.1, 0.0)], rgb(255, 214, 130), 0.9)


def campfire(sketch: Sketch, phase: float, _tint: Color | None) -> None:
    """Draw a camp fire: logs, leaping flames, sparks."""
    turn = phase * 2.0 * math.pi
    for x, lean in ((-0.3, 0.5), (0.3, -0.5)):
        sketch.limb([(x, 0.05), (x + lean, 0.14)], [0.07, 0.06], rgb(74, 50, 38))
    for layer, (wide, tall, color) in enumerate(
        ((0.3, 0.86, rgb(255, 96, 24)), (0.21, 0.62, rgb(255, 168, 44)), (0.12, 0.38, rgb(255, 240, 180)))
    ):
        a, b = 0.09 * math.sin(turn + layer), 0.07 * math.sin(2 * turn + layer * 2)
        sketch.blob(
            [
                (-wide, 0.12),
                (-wide * 0.8 + b * 0.4, 0.12 + tall * 0.4),
                (-wide * 0.2 + b, 0.12 + tall * 0.55),
                (a, 0.12 + tall * (1.0 + b)),
                (wide * 0.35 + a * 0.4, 0.12 + tall * 0.5),
                (wide * 0.9, 0.12 + tall * 0.3),
                (wide, 0.12),
            ],
            color,
            1.0,
        )
    for spark in range(6):
        age = (phase + spark / 6.0) % 1.0
        sketch.disc(
            0.3 * math.sin(spark * 2.4 + age * 4.0),
            0.4 + 1.2 * age,
            0.022 * (1.0 - age) + 0.004,
            rgb(255, 190, 90),
            1.0,
        )


def snowman(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a snowman with hat and scarf."""
    snow = rgb(238, 242, 250)
    sketch.disc(0.0, 0.26, 0.3, snow)
    sketch.disc(0.0, 0.64, 0.22, snow)
    sketch.disc(0.0, 0.94, 0.16, snow)
    scarf = rgb(200, 50, 50) if tint is None else tint
    sketch.limb([(-0.15, 0.8), (0.15, 0.8)], [0.045, 0.045], scarf)
    sketch.limb([(0.1, 0.8), (0.15, 0.58 + 0.02 * math.sin(phase * 2.0 * math.pi))], [0.04, 0.04], scarf)
    sketch.rect(-0.2, 1.05, 0.2, 1.09, rgb(34, 32, 38))
    sketch.rect(-0.13, 1.08, 0.13, 1.3, rgb(34, 32, 38))
    sketch.poly([(0.03, 0.96), (0.24, 0.92), (0.03, 0.91)], rgb(240, 140, 50))
    for x in (-0.04, 0.09):
        sketch.disc(x, 1.0, 0.02, rgb(24, 24, 28))
    for side in (-1.0, 1.0):
        sketch.stroke([(0.18 * side, 0.68), (0.5 * side, 0.86)], 0.024, rgb(80, 58, 44))


def _landmark(draw: Draw, box: Box, size: float, moving: Moving | None = None) -> Kind:
    return Kind(draw=draw, medium=Medium.GROUND, box=box, size=size, landmark=True, moving=moving)


BUILDINGS: dict[str, Kind] = {
    "house": _landmark(
        house,
        Box(-1.2, 1.2, -0.06, 1.5),
        1.9,
        Moving(draw=_smoke, box=Box(-0.25, 0.75, 1.25, 2.5), period=4.0, phases=16),
    ),
    "castle": _landmark(castle, Box(-1.3, 1.35, -0.06, 2.55), 2.6),
    "temple": _landmark(temple, Box(-1.05, 1.05, -0.06, 2.4), 2.3),
    "lighthouse": _landmark(
        lighthouse,
        Box(-0.8, 0.8, -0.1, 1.95),
        2.6,
        Moving(draw=_lamp, box=Box(-0.45, 0.45, 1.2, 1.95), period=4.0, phases=16),
    ),
    "windmill": _landmark(
        windmill,
        Box(-0.5, 0.5, -0.06, 1.3),
        2.5,
        Moving(draw=_sails, box=Box(-0.95, 1.05, 0.02, 2.02), period=2.2, phases=16),
    ),
    "turbine": _landmark(
        turbine,
        Box(-0.1, 0.1, -0.06, 1.5),
        3.0,
        Moving(draw=_rotor, box=Box(-0.8, 0.8, 0.6, 2.2), period=1.8, phases=16),
    ),
    "tower": _landmark(tower, Box(-0.6, 0.6, -0.04, 2.1), 3.0),
    "pyramid": _landmark(pyramid, Box(-1.8, 1.9, -0.04, 1.2), 2.4),
    "tent": _landmark(tent, Box(-1.0, 1.0, -0.05, 0.95), 1.3),
    "campfire": Kind(
        draw=campfire, medium=Medium.GROUND, box=Box(-1.0, 1.0, -0.1, 1.8), size=0.6, period=0.9, phases=14
    ),
    "snowman": Kind(draw=snowman, medium=Medium.GROUND, box=Box(-0.6, 0.6, -0.08, 1.36), size=0.9),
}
