"""What is built to fly: balloons, airplanes, rockets, spaceships."""

import math

from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium


def balloon(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a hot-air balloon with gores, its burner flaring now and then."""
    cloth = rgb(206, 62, 54) if tint is None else tint
    cream = rgb(250, 228, 188)
    for index in range(7):
        left, right = index / 3.5 - 1.0, (index + 1) / 3.5 - 1.0
        points = [(_gore(left, step / 10.0), 0.46 + step * 0.09) for step in range(11)]
        points += [(_gore(right, step / 10.0), 0.46 + step * 0.09) for step in range(10, -1, -1)]
        sketch.poly(points, cloth if index % 2 == 0 else cream)
    band = [(_gore(x / 10.0 - 1.0, 0.62), 1.0 + 0.02 * (x / 10.0 - 1.0) ** 2) for x in range(21)]
    sketch.stroke(band, 0.035, cloth * 0.7)
    flare = max(0.0, math.sin(phase * 2.0 * math.pi)) ** 3
    if flare > 0.05:
        sketch.blob([(-0.03, 0.36), (0.0, 0.36 + 0.16 * flare), (0.03, 0.36)], rgb(255, 190, 80), 1.0)
    for x in (-0.085, 0.085):
        sketch.stroke([(x * 1.25, 0.47), (x, 0.2)], 0.008, rgb(70, 56, 44))
    sketch.blob([(-0.1, 0.2), (0.1, 0.2), (0.085, 0.02), (-0.085, 0.02)], rgb(132, 88, 50))
    for x in (-0.035, 0.04):
        sketch.disc(x, 0.255, 0.026, rgb(60, 46, 44))


def _gore(part: float, height: float) -> float:
    """Return how far a seam stands out: `part` -1 to 1 around the bag, `height` 0 at its mouth, 1 at its crown."""
    swell = (
        math.sqrt(max(0.0, 1.0 - ((height - 0.58) / 0.45) ** 2))
        if height > 0.58
        else 0.2 + 0.8 * math.sin(height / 0.58 * math.pi / 2.0)
    )
    return 0.47 * math.sin(part * math.pi / 2.0) * max(swell, 0.06)


def airplane(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw an airliner in flight, its lights blinking."""
    body = rgb(232, 236, 242) if tint is None else tint
    sketch.poly([(0.1, 0.06), (-0.34, 0.36), (-0.48, 0.36), (-0.2, 0.05)], body * 0.62)
    sketch.poly(
        [(-0.92, 0.08), (-1.14, 0.46), (-0.98, 0.46), (-0.66, 0.1)], rgb(46, 92, 160) if tint is None else body * 0.7
    )
    sketch.blob(
        [
            (1.15, -0.02),
            (1.02, 0.08),
            (0.7, 0.125),
            (-0.7, 0.125),
            (-1.12, 0.1),
            (-0.9, 0.0),
            (-0.5, -0.07),
            (0.8, -0.08),
            (1.05, -0.07),
        ],
        body,
    )
    for window in range(16):
        x = -0.62 + window * 0.09
        sketch.rect(x, 0.025, x + 0.035, 0.062, rgb(255, 226, 170), 0.55)
    sketch.poly([(1.02, 0.02), (0.92, 0.07), (0.84, 0.07), (0.88, 0.02)], rgb(40, 52, 70))
    sketch.poly([(-0.86, 0.03), (-1.2, 0.0), (-1.26, 0.02), (-0.92, 0.08)], body * 0.8)
    sketch.limb([(0.02, -0.13), (-0.16, -0.13)], [0.055, 0.05], body * 0.75)
    sketch.poly([(0.22, -0.03), (-0.5, -0.3), (-0.66, -0.3), (-0.2, -0.02)], body * 0.85)
    blink = 1.0 if phase < 0.15 else 0.15
    sketch.disc(-0.62, -0.3, 0.022, rgb(255, 60, 50) * (0.4 + 0.6 * blink), blink)
    sketch.disc(-1.06, 0.46, 0.02, rgb(255, 255, 255), 1.0 if 0.5 < phase < 0.62 else 0.1)


def helicopter(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a helicopter, its rotor a blur."""
    body = rgb(62, 88, 104) if tint is None else tint
    sketch.limb([(-0.3, 0.06), (-1.1, 0.16)], [0.11, 0.035], body * 0.9)
    sketch.poly([(-1.06, 0.12), (-1.24, 0.42), (-1.14, 0.42), (-0.98, 0.2)], body * 0.8)
    sketch.blob(
        [(0.56, -0.06), (0.4, 0.18), (0.02, 0.27), (-0.34, 0.18), (-0.4, -0.08), (-0.1, -0.22), (0.34, -0.2)], body
    )
    sketch.blob([(0.53, -0.05), (0.38, 0.16), (0.14, 0.2), (0.12, -0.06)], rgb(150, 186, 206))
    sketch.stroke([(0.0, 0.25), (0.0, 0.38)], 0.05, body * 0.6)
    wide = 0.98 * abs(math.cos(phase * 2.0 * math.pi)) + 0.1
    sketch.limb([(-wide, 0.39), (0.0, 0.4), (wide, 0.39)], [0.012, 0.024, 0.012], rgb(50, 52, 58))
    for x in (-0.2, 0.24):
        sketch.stroke([(x, -0.18), (x * 1.1, -0.33)], 0.024, body * 0.6)
    sketch.stroke([(-0.42, -0.33), (0.5, -0.33), (0.56, -0.29)], 0.03, body * 0.6)
    sketch.disc(-0.02, -0.24, 0.03, rgb(255, 70, 60), 1.0 if phase < 0.5 else 0.1)


def rocket(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a rocket under way, its flame flickering."""
    hull = rgb(236, 238, 242) if tint is None else tint
    flick = 0.08 * math.sin(phase * 2.0 * math.pi) + 0.05 * math.sin(phase * 6.0 * math.pi + 1.0)
    sketch.blob(
        [
            (-0.14, 0.24),
            (-0.2, -0.06),
            (-0.1, -0.5 - flick),
            (0.0, -0.78 - flick * 2),
            (0.1, -0.5 - flick),
            (0.2, -0.06),
            (0.14, 0.24),
        ],
        rgb(255, 140, 40),
        0.9,
    )
    sketch.blob(
        [(-0.085, 0.24), (-0.1, 0.02), (0.0, -0.44 - flick), (0.1, 0.02), (0.085, 0.24)], rgb(255, 244, 206), 1.0
    )
    red = rgb(206, 56, 50)
    for side in (-1.0, 1.0):
        sketch.blob(
            [(0.14 * side, 0.56), (0.36 * side, 0.3), (0.37 * side, 0.12), (0.14 * side, 0.26)],
            red * (0.75 if side < 0 else 1.0),
        )
    sketch.blob(
        [
            (0.0, 1.5),
            (-0.12, 1.28),
            (-0.19, 0.9),
            (-0.18, 0.4),
            (-0.13, 0.22),
            (0.13, 0.22),
            (0.18, 0.4),
            (0.19, 0.9),
            (0.12, 1.28),
        ],
        hull,
    )
    sketch.blob([(0.0, 1.5), (-0.12, 1.28), (-0.14, 1.2), (0.14, 1.2), (0.12, 1.28)], red)
    sketch.disc(0.0, 0.96, 0.085, rgb(90, 96, 108))
    sketch.disc(0.0, 0.96, 0.06, rgb(120, 200, 240), 0.35)
    sketch.rect(-0.175, 0.46, 0.175, 0.52, red)


def spaceship(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a long spaceship with burning engines and lit ports."""
    hull = rgb(164, 172, 186) if tint is None else tint
    flick = 0.06 * math.sin(phase * 2.0 * math.pi)
    for y in (-0.07, 0.1):
        sketch.blob(
            [
                (-0.92, y + 0.06),
                (-1.3 - flick, y + 0.02),
                (-1.72 - flick * 2, y),
                (-1.3 - flick, y - 0.03),
                (-0.92, y - 0.06),
            ],
            rgb(80, 170, 255),
            0.95,
        )
        sketch.blob([(-0.92, y + 0.035), (-1.28 - flick, y), (-0.92, y - 0.035)], rgb(226, 244, 255), 1.0)
    sketch.poly([(-0.7, 0.14), (-0.98, 0.46), (-0.62, 0.44), (0.02, 0.17)], hull * 0.66)
    sketch.poly(
        [
            (-0.95, 0.19),
            (-0.9, 0.22),
            (0.2, 0.17),
            (0.9, 0.06),
            (1.36, -0.02),
            (0.9, -0.08),
            (0.0, -0.17),
            (-0.9, -0.17),
            (-0.95, -0.14),
        ],
        hull,
    )
    sketch.poly([(-0.9, 0.02), (0.9, 0.0), (1.36, -0.02), (0.9, -0.08), (0.0, -0.17), (-0.9, -0.17)], hull * 0.72)
    sketch.poly([(-0.6, -0.1), (-0.96, -0.42), (-0.56, -0.4), (0.16, -0.12)], hull * 0.86)
    sketch.blob([(0.34, 0.13), (0.5, 0.2), (0.72, 0.13), (0.8, 0.07), (0.36, 0.1)], rgb(70, 120, 160), 0.3)
    for port in range(9):
        x = -0.72 + port * 0.125
        sketch.rect(x, 0.055, x + 0.06, 0.085, rgb(255, 224, 160), 0.9)
    for x in (-0.5, -0.1, 0.4):
        sketch.stroke([(x, 0.16), (x + 0.02, -0.15)], 0.008, hull * 0.5)
    sketch.disc(-0.96, 0.46, 0.022, rgb(255, 70, 60), 1.0 if phase < 0.3 else 0.1)


def saucer(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a flying saucer with running lights and a beam."""
    hull = rgb(150, 160, 172) if tint is None else tint
    sketch.blob([(-0.34, 0.2), (-0.26, 0.42), (0.0, 0.52), (0.26, 0.42), (0.34, 0.2)], rgb(120, 214, 220), 0.45)
    sketch.blob(
        [
            (-0.98, 0.06),
            (-0.5, 0.22),
            (0.0, 0.26),
            (0.5, 0.22),
            (0.98, 0.06),
            (0.5, -0.08),
            (0.0, -0.13),
            (-0.5, -0.08),
        ],
        hull,
    )
    sketch.blob([(-0.94, 0.04), (0.0, 0.08), (0.94, 0.04), (0.5, -0.08), (0.0, -0.13), (-0.5, -0.08)], hull * 0.62)
    for lamp in range(9):
        x = -0.8 + lamp * 0.2
        on = (lamp / 9.0 - phase) % 1.0 < 0.34
        sketch.disc(
            x, 0.03 - 0.05 * (1 - abs(x)), 0.036, rgb(255, 214, 90) if on else rgb(120, 90, 50), 1.0 if on else 0.1
        )
    sketch.oval(0.0, -0.11, 0.22, 0.03, rgb(200, 255, 240), glow=1.0)


def satellite(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a space station with solar wings."""
    hull = rgb(206, 210, 218) if tint is None else tint
    for side in (-1.0, 1.0):
        for row in (-0.3, 0.04):
            sketch.rect(min(0.3 * side, 1.1 * side), row, max(0.3 * side, 1.1 * side), row + 0.26, rgb(36, 60, 130))
            for line in range(6):
                x = side * (0.3 + line * 0.16)
                sketch.stroke([(x, row), (x, row + 0.26)], 0.01, rgb(150, 170, 220))
            sketch.stroke([(0.3 * side, row + 0.13), (1.1 * side, row + 0.13)], 0.01, rgb(150, 170, 220))
    sketch.stroke([(-1.12, 0.0), (1.12, 0.0)], 0.035, hull * 0.7)
    sketch.limb([(-0.26, 0.0), (0.26, 0.0)], [0.14, 0.14], hull)
    sketch.limb([(0.0, -0.4), (0.0, 0.4)], [0.09, 0.09], hull * 0.85)
    sketch.disc(0.0, 0.52, 0.026, rgb(255, 80, 70), 1.0 if phase < 0.3 else 0.15)


def kite(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a kite and its tail."""
    cloth = rgb(230, 80, 60) if tint is None else tint
    turn = phase * 2.0 * math.pi
    tail = [(-0.1 - 0.1 * step + 0.06 * math.sin(turn + step * 1.1), -0.5 - 0.14 * step) for step in range(7)]
    sketch.stroke(tail, 0.014, cloth * 0.8)
    for step in (1, 3, 5):
        x, y = tail[step]
        sketch.poly(
            [(x - 0.09, y + 0.05), (x + 0.09, y - 0.05), (x + 0.09, y + 0.05), (x - 0.09, y - 0.05)], rgb(250, 206, 80)
        )
    sketch.poly([(0.06, 0.62), (-0.42, 0.14), (-0.1, -0.5), (0.36, 0.06)], cloth)
    sketch.poly([(0.06, 0.62), (-0.1, -0.5), (0.36, 0.06)], rgb(250, 206, 80))


def lantern(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a paper sky lantern with its flame."""
    paper = rgb(255, 150, 60) if tint is None else tint
    flick = 0.9 + 0.1 * math.sin(phase * 2.0 * math.pi)
    sketch.blob(
        [(-0.2, 0.0), (-0.3, 0.4), (-0.22, 0.66), (0.0, 0.72), (0.22, 0.66), (0.3, 0.4), (0.2, 0.0)],
        paper,
        0.72 * flick,
    )
    sketch.blob([(-0.14, 0.02), (-0.18, 0.26), (0.0, 0.4), (0.18, 0.26), (0.14, 0.02)], rgb(255, 224, 150), 1.0 * flick)


CRAFT: dict[str, Kind] = {
    "balloon": Kind(
        draw=balloon,
        medium=Medium.AIR,
        box=Box(-0.52, 0.52, -0.02, 1.42),
        size=1.3,
        motion=Motion.DRIFT,
        speed=0.06,
        period=3.6,
        phases=14,
    ),
    "airplane": Kind(
        draw=airplane,
        medium=Medium.AIR,
        box=Box(-1.35, 1.25, -0.42, 0.58),
        size=0.62,
        motion=Motion.FLY,
        speed=0.4,
        period=1.4,
        phases=12,
    ),
    "helicopter": Kind(
        draw=helicopter,
        medium=Medium.AIR,
        box=Box(-1.35, 1.1, -0.45, 0.55),
        size=0.55,
        motion=Motion.FLY,
        speed=0.3,
        period=0.22,
        phases=5,
    ),
    "rocket": Kind(
        draw=rocket,
        medium=Medium.SPACE,
        box=Box(-0.6, 0.6, -1.15, 1.6),
        size=1.05,
        motion=Motion.RISE,
        speed=0.3,
        period=0.5,
        phases=10,
    ),
    "spaceship": Kind(
        draw=spaceship,
        medium=Medium.SPACE,
        box=Box(-2.05, 1.5, -0.6, 0.65),
        size=0.8,
        motion=Motion.FLY,
        speed=0.16,
        period=0.6,
        phases=12,
    ),
    "ufo": Kind(
        draw=saucer,
        medium=Medium.SPACE,
        box=Box(-1.15, 1.15, -0.3, 0.7),
        size=0.62,
        motion=Motion.DRIFT,
        speed=0.08,
        period=1.5,
        phases=12,
    ),
    "satellite": Kind(
        draw=satellite,
        medium=Medium.SPACE,
        box=Box(-1.2, 1.2, -0.65, 0.65),
        size=0.85,
        motion=Motion.DRIFT,
        speed=0.05,
        period=1.8,
        phases=8,
    ),
    "kite": Kind(
        draw=kite,
        medium=Medium.AIR,
        box=Box(-1.0, 0.5, -1.55, 0.7),
        size=0.5,
        motion=Motion.DRIFT,
        speed=0.14,
        period=1.6,
        phases=14,
    ),
    "lanterns": Kind(
        draw=lantern,
        medium=Medium.AIR,
        box=Box(-0.7, 0.7, -0.4, 1.1),
        size=0.26,
        motion=Motion.RISE,
        speed=0.3,
        period=1.3,
        phases=8,
        many=16,
    ),
}
