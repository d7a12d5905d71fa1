"""What rolls and what floats."""

import math

from understudy.animatic.scene.figures.kind import Kind, Motion, Moving
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium

_GLASS = rgb(120, 150, 176)
_TIRE = rgb(26, 26, 30)
_LAMP = rgb(255, 236, 186)
_TAIL = rgb(255, 48, 40)


def _wheel(sketch: Sketch, x: float, y: float, radius: float, phase: float) -> None:
    sketch.disc(x, y, radius, _TIRE)
    sketch.disc(x, y, radius * 0.62, rgb(150, 154, 162))
    sketch.disc(x, y, radius * 0.5, rgb(60, 62, 70))
    for spoke in range(5):
        turn = -phase * 2.0 * math.pi + spoke * 2.0 * math.pi / 5.0
        sketch.stroke(
            [(x, y), (x + radius * 0.56 * math.cos(turn), y + radius * 0.56 * math.sin(turn))],
            radius * 0.13,
            rgb(170, 174, 182),
        )


def car(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a car from the side, lamps on."""
    paint = rgb(176, 42, 44) if tint is None else tint
    shake = 0.006 * math.sin(phase * 6.0 * math.pi)
    sketch.oval(0.0, 0.03, 1.5, 0.05, rgb(10, 10, 14))
    sketch.blob(
        [
            (-1.42, 0.3 + shake),
            (-1.4, 0.58 + shake),
            (-1.2, 0.66 + shake),
            (-0.86, 0.7 + shake),
            (-0.5, 0.99 + shake),
            (0.08, 1.03 + shake),
            (0.52, 0.74 + shake),
            (1.1, 0.64 + shake),
            (1.4, 0.52 + shake),
            (1.44, 0.3 + shake),
            (0.6, 0.2),
            (-0.6, 0.2),
        ],
        paint,
    )
    sketch.poly(
        [(-0.76, 0.7 + shake), (-0.47, 0.93 + shake), (-0.18, 0.96 + shake), (-0.18, 0.7 + shake)], _GLASS * 0.7
    )
    sketch.poly([(-0.11, 0.7 + shake), (-0.11, 0.965 + shake), (0.06, 0.965 + shake), (0.4, 0.72 + shake)], _GLASS)
    sketch.stroke([(-0.145, 0.66 + shake), (-0.145, 0.3)], 0.012, paint * 0.6)
    sketch.stroke([(-1.3, 0.5 + shake), (1.3, 0.47 + shake)], 0.016, paint * 1.4)
    for x in (-0.84, 0.86):
        sketch.disc(x, 0.27, 0.29, paint * 0.25)
        _wheel(sketch, x, 0.235, 0.235, phase)
    sketch.oval(1.36, 0.5 + shake, 0.075, 0.05, _LAMP, glow=1.0)
    sketch.oval(-1.385, 0.53 + shake, 0.04, 0.06, _TAIL, glow=0.9)


def bus(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a bus with lit windows."""
    paint = rgb(196, 60, 50) if tint is None else tint
    sketch.oval(0.0, 0.03, 2.0, 0.05, rgb(10, 10, 14))
    sketch.blob(
        [(-1.9, 0.25), (-1.93, 1.3), (-1.82, 1.42), (1.8, 1.42), (1.92, 1.28), (1.96, 0.25), (0.8, 0.2), (-0.8, 0.2)],
        paint,
    )
    for index in range(7):
        x = -1.76 + index * 0.5
        sketch.rect(x, 0.78, x + 0.42, 1.22, rgb(255, 222, 160), 0.45)
    sketch.rect(-1.9, 0.6, 1.93, 0.66, rgb(240, 236, 226))
    for x in (-1.2, 1.2):
        _wheel(sketch, x, 0.25, 0.25, phase)
    sketch.oval(1.9, 0.46, 0.06, 0.07, _LAMP, glow=1.0)
    sketch.oval(-1.9, 0.46, 0.04, 0.07, _TAIL, glow=0.9)


def train(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a train: an engine with a long nose and three cars, windows lit."""
    paint = rgb(186, 58, 50) if tint is None else tint
    sketch.rect(-9.2, -0.02, 3.6, 0.06, rgb(40, 38, 40))
    for unit in range(4):
        left = -9.0 + unit * 3.05
        if unit < 3:
            sketch.poly(
                [
                    (left, 0.16),
                    (left + 2.95, 0.16),
                    (left + 2.95, 1.12),
                    (left + 2.85, 1.2),
                    (left + 0.1, 1.2),
                    (left, 1.12),
                ],
                paint,
            )
        else:
            sketch.blob(
                [
                    (left, 0.16),
                    (left, 1.16),
                    (left + 0.4, 1.22),
                    (left + 1.6, 1.16),
                    (left + 2.5, 0.72),
                    (left + 2.8, 0.34),
                    (left + 2.6, 0.14),
                ],
                paint,
            )
            sketch.poly(
                [(left + 1.62, 0.74), (left + 1.62, 1.06), (left + 1.86, 1.02), (left + 2.28, 0.76)], _GLASS * 0.8
            )
            sketch.oval(left + 2.62, 0.42, 0.1, 0.06, _LAMP, glow=1.0)
        for window in range(6 if unit < 3 else 3):
            x = left + 0.22 + window * 0.45
            sketch.rect(x, 0.68, x + 0.34, 0.98, rgb(255, 220, 150), 0.6)
        sketch.rect(left + 0.02, 0.44, left + (2.93 if unit < 3 else 2.4), 0.5, rgb(240, 232, 216))
        for axle in (0.5, 0.9, 2.05, 2.45):
            _wheel(sketch, left + axle, 0.13, 0.13, phase)


def rider(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a cyclist."""
    frame = rgb(46, 108, 150) if tint is None else tint
    for x in (-0.46, 0.46):
        for spoke in range(6):
            turn = -phase * 2.0 * math.pi + spoke * math.pi / 3.0
            sketch.stroke(
                [(x, 0.3), (x + 0.28 * math.cos(turn), 0.3 + 0.28 * math.sin(turn))], 0.006, rgb(150, 150, 156)
            )
        ring = [(x + 0.29 * math.cos(a * math.pi / 14), 0.3 + 0.29 * math.sin(a * math.pi / 14)) for a in range(29)]
        sketch.stroke(ring, 0.03, _TIRE)
    crank = (-0.04, 0.3)
    turn = -phase * 2.0 * math.pi
    feet = [
        (crank[0] + 0.13 * math.cos(turn + shift), crank[1] + 0.13 * math.sin(turn + shift)) for shift in (0.0, math.pi)
    ]
    hip = (-0.2, 0.86)
    _ride_leg(sketch, hip, feet[1], rgb(52, 52, 66) * 0.7)
    for line in (
        [(-0.46, 0.3), (-0.2, 0.74), crank, (-0.46, 0.3)],
        [(-0.2, 0.7), (0.34, 0.76), crank],
        [(0.46, 0.3), (0.32, 0.9), (0.42, 0.93)],
    ):
        sketch.stroke(line, 0.035, frame)
    sketch.limb([(-0.27, 0.78), (-0.12, 0.79)], [0.035, 0.025], rgb(30, 26, 28))
    _ride_leg(sketch, hip, feet[0], rgb(52, 52, 66))
    sketch.limb([hip, (0.06, 1.26)], [0.12, 0.11], rgb(198, 92, 64))
    sketch.limb([(0.06, 1.26), (0.2, 1.02), (0.38, 0.95)], [0.05, 0.04, 0.03], rgb(214, 164, 134))
    sketch.limb([(0.08, 1.32), (0.14, 1.42)], [0.045, 0.045], rgb(214, 164, 134))
    sketch.disc(0.16, 1.48, 0.085, rgb(214, 164, 134))
    sketch.blob([(0.06, 1.46), (0.06, 1.58), (0.18, 1.6), (0.26, 1.53), (0.14, 1.52)], rgb(44, 34, 32))


def _ride_leg(sketch: Sketch, hip: tuple[float, float], foot: tuple[float, float], color: Color) -> None:
    """Draw a leg bent so that it reaches from the saddle to its pedal."""
    long = 0.36
    dx, dy = foot[0] - hip[0], foot[1] - hip[1]
    away = min(math.hypot(dx, dy), 2 * long - 0.01)
    lean = math.atan2(dy, dx) + math.acos(away / (2 * long))
    knee = (hip[0] + long * math.cos(lean), hip[1] + long * math.sin(lean))
    sketch.limb([hip, knee, foot], [0.085, 0.06, 0.04], color)


def sailboat(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a sailing boat that rolls a little."""
    sail = rgb(246, 240, 226) if tint is None else tint
    lean = 0.045 * math.sin(phase * 2.0 * math.pi)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - y * lean, y + x * lean)

    sketch.stroke([at(0.0, 0.1), at(0.0, 1.72)], 0.03, rgb(92, 66, 48))
    sketch.poly([at(-0.05, 0.34), at(-0.05, 1.66), at(-0.3, 1.0), at(-0.66, 0.36)], sail)
    sketch.poly([at(0.05, 0.36), at(0.05, 1.56), at(0.4, 0.8), at(0.66, 0.32)], sail * 0.86)
    sketch.blob(
        [
            at(-0.78, 0.22),
            at(-0.2, 0.17),
            at(0.5, 0.2),
            at(0.92, 0.3),
            at(0.66, 0.04),
            at(0.4, -0.06),
            at(-0.5, -0.06),
            at(-0.7, 0.04),
        ],
        rgb(120, 72, 46),
    )
    sketch.stroke([at(-0.76, 0.2), at(0.2, 0.17), at(0.86, 0.27)], 0.03, rgb(236, 226, 206))
    sketch.disc(*at(-0.3, 0.28), 0.045, _LAMP, 0.8)


def rowboat(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a rowing boat with one who rows."""
    hull = rgb(126, 80, 50) if tint is None else tint
    turn = phase * 2.0 * math.pi
    lean = 0.1 * math.sin(turn)
    sketch.limb([(0.0, 0.24), (-0.08 + lean, 0.62)], [0.13, 0.11], rgb(96, 84, 100))
    sketch.disc(-0.06 + lean * 1.2, 0.8, 0.095, rgb(214, 164, 134))
    sketch.blob(
        [(-0.17 + lean * 1.2, 0.83), (-0.05 + lean * 1.2, 0.92), (0.08 + lean * 1.2, 0.84), (0.2 + lean * 1.2, 0.82)],
        rgb(176, 146, 92),
    )
    sketch.limb(
        [(-0.06 + lean, 0.58), (0.12 + lean, 0.42), (0.22, 0.4 + 0.05 * math.cos(turn))],
        [0.05, 0.04, 0.03],
        rgb(96, 84, 100) * 1.1,
    )
    sketch.stroke([(0.14, 0.44), (0.5 + 0.2 * math.sin(turn), -0.06 + 0.1 * math.cos(turn))], 0.03, rgb(150, 110, 70))
    sketch.blob(
        [
            (-0.94, 0.34),
            (-0.4, 0.22),
            (0.4, 0.22),
            (0.96, 0.36),
            (0.6, -0.02),
            (0.3, -0.06),
            (-0.4, -0.06),
            (-0.66, 0.0),
        ],
        hull,
    )


def ship(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a steamer with lit decks and a funnel."""
    hull = rgb(40, 52, 74) if tint is None else tint
    sketch.blob(
        [(-2.5, 0.5), (-2.3, 0.46), (1.8, 0.48), (2.7, 0.66), (2.3, 0.1), (2.1, -0.08), (-2.2, -0.08), (-2.4, 0.1)],
        hull,
    )
    sketch.stroke([(-2.46, 0.44), (1.8, 0.44), (2.6, 0.6)], 0.035, rgb(230, 224, 210))
    for deck, (left, right) in enumerate([(-2.0, 1.6), (-1.75, 1.25), (-1.4, 0.95)]):
        low = 0.48 + deck * 0.24
        sketch.rect(left, low, right, low + 0.24, rgb(232, 232, 228) * (1.0 - 0.05 * deck))
        for window in range(int((right - left) / 0.19)):
            x = left + 0.08 + window * 0.19
            sketch.rect(x, low + 0.07, x + 0.1, low + 0.16, rgb(255, 214, 140), 0.75)
    for x in (-0.9, -0.1):
        sketch.poly([(x, 1.2), (x - 0.06, 1.72), (x + 0.26, 1.72), (x + 0.32, 1.2)], rgb(190, 60, 50))
        sketch.rect(x - 0.06, 1.6, x + 0.27, 1.74, rgb(28, 28, 32))
    sketch.stroke([(1.3, 0.7), (1.3, 1.9)], 0.03, rgb(60, 56, 56))
    sketch.disc(1.3, 1.9, 0.05, _LAMP, 1.0)


def _funnel_smoke(sketch: Sketch, phase: float, _tint: Color | None) -> None:
    """Draw the smoke of two funnels."""
    for x in (-0.9, -0.1):
        for puff in range(5):
            age = (puff + phase) / 5.0
            tone = rgb(110, 108, 112) * (1.0 - 0.2 * age)
            sketch.oval(x - 0.1 - age * 1.1, 1.86 + age * 0.5, 0.1 + 0.2 * age, 0.08 + 0.14 * age, tone)


_ROLL = Box(-1.7, 1.7, -0.05, 1.2)

VEHICLES: dict[str, Kind] = {
    "car": Kind(
        draw=car, medium=Medium.ROAD, box=_ROLL, size=0.86, motion=Motion.RIDE, speed=1.2, period=0.8, phases=10
    ),
    "bus": Kind(
        draw=bus,
        medium=Medium.ROAD,
        box=Box(-2.15, 2.2, -0.05, 1.5),
        size=1.25,
        motion=Motion.RIDE,
        speed=0.7,
        period=0.8,
        phases=8,
    ),
    "train": Kind(
        draw=train,
        medium=Medium.ROAD,
        box=Box(-9.3, 3.7, -0.05, 1.3),
        size=0.62,
        motion=Motion.RIDE,
        speed=1.7,
        period=0.6,
        phases=4,
    ),
    "bicycle": Kind(
        draw=rider,
        medium=Medium.ROAD,
        box=Box(-0.85, 0.85, -0.04, 1.66),
        size=0.95,
        motion=Motion.WALK,
        speed=0.5,
        period=1.3,
        phases=16,
    ),
    "boat": Kind(
        draw=sailboat,
        medium=Medium.WATER,
        box=Box(-1.05, 1.1, -0.12, 1.85),
        size=1.5,
        motion=Motion.BOB,
        speed=0.05,
        period=4.2,
        phases=14,
    ),
    "rowboat": Kind(
        draw=rowboat,
        medium=Medium.WATER,
        box=Box(-1.1, 1.1, -0.2, 1.0),
        size=1.1,
        motion=Motion.BOB,
        speed=0.07,
        period=2.8,
        phases=14,
    ),
    "ship": Kind(
        draw=ship,
        medium=Medium.WATER,
        box=Box(-2.8, 3.0, -0.12, 2.0),
        size=1.15,
        motion=Motion.BOB,
        speed=0.05,
        moving=Moving(draw=_funnel_smoke, box=Box(-2.6, 0.3, 1.6, 2.8), period=3.0, phases=14),
    ),
}
