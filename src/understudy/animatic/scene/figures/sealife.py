"""What lives in the sea."""

import math

from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium


def whale(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a humpback: dark back, grooved belly, long fins, its flukes beating."""
    back = rgb(66, 88, 112) if tint is None else tint
    beat = 0.1 * math.sin(phase * 2.0 * math.pi)
    sketch.blob(
        [
            (-1.0, 0.02 + beat),
            (-1.22, 0.16 + beat * 2),
            (-1.42, 0.2 + beat * 2),
            (-1.24, 0.02 + beat * 1.6),
            (-1.4, -0.14 + beat * 2),
            (-1.18, -0.1 + beat * 2),
        ],
        back * 0.9,
    )
    sketch.blob(
        [
            (1.05, 0.02),
            (0.9, 0.2),
            (0.45, 0.31),
            (-0.1, 0.28),
            (-0.6, 0.14),
            (-1.06, 0.05 + beat),
            (-1.06, -0.03 + beat),
            (-0.6, -0.12),
            (0.0, -0.27),
            (0.55, -0.29),
            (0.92, -0.16),
        ],
        back,
    )
    sketch.blob(
        [(1.02, -0.03), (0.7, -0.06), (0.2, -0.08), (-0.2, -0.16), (0.1, -0.265), (0.55, -0.285), (0.9, -0.17)],
        rgb(206, 216, 222),
    )
    for index in range(5):
        y = -0.1 - index * 0.035
        sketch.stroke([(0.92 - index * 0.03, y), (0.5, y - 0.02), (0.12, y - 0.03)], 0.007, back * 0.8)
    sketch.blob(
        [(0.42, -0.14), (0.3, -0.14), (0.06, -0.42 - beat), (-0.1, -0.56 - beat), (0.14, -0.5 - beat), (0.36, -0.3)],
        back * 0.85,
    )
    sketch.blob([(-0.28, 0.22), (-0.42, 0.33), (-0.5, 0.17)], back * 0.92)
    sketch.disc(0.72, 0.02, 0.02, rgb(16, 18, 24))


def dolphin(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a dolphin with a bent back."""
    back = rgb(96, 118, 140) if tint is None else tint
    beat = 0.12 * math.sin(phase * 2.0 * math.pi)
    sketch.blob(
        [(-0.9, -0.12 + beat), (-1.1, 0.02 + beat), (-1.02, -0.14 + beat), (-1.14, -0.3 + beat), (-0.9, -0.2 + beat)],
        back * 0.85,
    )
    sketch.blob(
        [
            (0.95, -0.1),
            (0.75, -0.02),
            (0.5, 0.14),
            (0.0, 0.2),
            (-0.5, 0.08),
            (-0.95, -0.12 + beat),
            (-0.94, -0.18 + beat),
            (-0.4, -0.1),
            (0.2, -0.12),
            (0.6, -0.13),
        ],
        back,
    )
    sketch.blob(
        [(0.9, -0.11), (0.55, -0.05), (0.0, -0.04), (-0.4, -0.09), (0.2, -0.13), (0.6, -0.14)], rgb(220, 226, 230)
    )
    sketch.poly([(0.1, 0.17), (-0.12, 0.4), (-0.2, 0.15)], back * 0.9)
    sketch.blob([(0.32, -0.06), (0.12, -0.3), (0.02, -0.34), (0.14, -0.08)], back * 0.8)
    sketch.disc(0.6, 0.02, 0.02, rgb(16, 18, 24))


def fish(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a small fish of a shoal."""
    body = rgb(240, 150, 52) if tint is None else tint
    beat = 0.1 * math.sin(phase * 2.0 * math.pi)
    sketch.poly([(-0.3, 0.02), (-0.56, 0.2 + beat), (-0.48, beat), (-0.56, -0.2 + beat), (-0.3, -0.02)], body * 0.85)
    sketch.blob([(0.46, 0.0), (0.22, 0.17), (-0.1, 0.18), (-0.38, 0.02), (-0.1, -0.17), (0.22, -0.16)], body)
    sketch.poly([(0.12, 0.16), (-0.08, 0.32), (-0.2, 0.14)], body * 0.8)
    sketch.blob([(0.13, 0.175), (0.05, 0.18), (0.04, -0.17), (0.12, -0.17)], rgb(250, 246, 238))
    sketch.disc(0.3, 0.04, 0.035, rgb(18, 18, 22))


def shark(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a shark."""
    back = rgb(104, 120, 134) if tint is None else tint
    beat = 0.09 * math.sin(phase * 2.0 * math.pi)
    sketch.poly(
        [(-0.85, 0.02), (-1.16, 0.34 + beat), (-1.02, 0.02 + beat), (-1.1, -0.2 + beat), (-0.85, -0.04)], back * 0.85
    )
    sketch.blob(
        [(1.0, 0.03), (0.6, 0.16), (0.1, 0.2), (-0.5, 0.1), (-0.92, 0.02), (-0.5, -0.08), (0.1, -0.16), (0.7, -0.12)],
        back,
    )
    sketch.blob(
        [(0.95, 0.0), (0.5, -0.03), (-0.4, -0.04), (-0.3, -0.1), (0.1, -0.15), (0.7, -0.115)], rgb(216, 224, 228)
    )
    sketch.poly([(0.16, 0.18), (-0.1, 0.46), (-0.18, 0.15)], back * 0.92)
    sketch.poly([(0.34, -0.08), (0.04, -0.36), (0.08, -0.1)], back * 0.8)
    sketch.disc(0.7, 0.05, 0.018, rgb(12, 12, 16))
    for index in range(4):
        sketch.stroke([(0.46 - index * 0.04, 0.05), (0.44 - index * 0.04, -0.05)], 0.008, back * 0.6)


def jellyfish(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a jellyfish that pulses and glows."""
    body = rgb(236, 140, 214) if tint is None else tint
    pulse = math.sin(phase * 2.0 * math.pi)
    wide, high = 0.34 + 0.05 * pulse, 0.36 - 0.04 * pulse
    for index in range(7):
        x = (index / 6.0 - 0.5) * wide * 1.5
        points = [
            (x + 0.04 * math.sin(step * 1.1 + index + phase * 2.0 * math.pi), 0.5 - step * 0.14) for step in range(9)
        ]
        sketch.stroke(points, 0.014 if index % 2 else 0.026, body * 0.8, 0.35)
    dome = [
        (-wide, 0.52),
        (-wide * 0.9, 0.52 + high * 0.6),
        (0.0, 0.52 + high),
        (wide * 0.9, 0.52 + high * 0.6),
        (wide, 0.52),
        (wide * 0.5, 0.48),
        (0.0, 0.51),
        (-wide * 0.5, 0.48),
    ]
    sketch.blob(dome, body, 0.55)
    sketch.blob([(x * 0.62, 0.56 + (y - 0.52) * 0.7) for x, y in dome], body * 1.2, 0.75)


def turtle(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a sea turtle that rows."""
    shell = rgb(96, 112, 64) if tint is None else tint
    skin = rgb(126, 142, 94)
    row = math.sin(phase * 2.0 * math.pi)
    sketch.blob([(-0.4, -0.04), (-0.66, -0.16 - 0.1 * row), (-0.58, -0.02), (-0.44, 0.04)], skin * 0.8)
    sketch.blob(
        [(0.34, 0.0), (0.3, -0.3 - 0.28 * row), (0.04, -0.5 - 0.32 * row), (0.12, -0.22), (0.16, 0.0)], skin * 0.7
    )
    sketch.limb([(0.46, 0.06), (0.66, 0.12)], [0.09, 0.1], skin)
    sketch.disc(0.7, 0.15, 0.018, rgb(14, 16, 12))
    sketch.blob(
        [(0.54, 0.04), (0.36, 0.22), (0.0, 0.3), (-0.36, 0.18), (-0.54, 0.0), (-0.2, -0.1), (0.3, -0.09)], shell
    )
    for x in (-0.28, -0.02, 0.24):
        sketch.blob([(x - 0.1, 0.05), (x - 0.04, 0.2), (x + 0.1, 0.18), (x + 0.12, 0.04)], shell * 1.25)
    sketch.blob([(0.42, 0.0), (0.5, -0.22 - 0.3 * row), (0.3, -0.5 - 0.36 * row), (0.28, -0.2), (0.24, 0.0)], skin)


_CALM = Box(-1.6, 1.2, -0.7, 0.6)

SEALIFE: dict[str, Kind] = {
    "whale": Kind(
        draw=whale, medium=Medium.DEEP, box=_CALM, size=1.25, motion=Motion.SWIM, speed=0.16, period=3.6, phases=14
    ),
    "dolphin": Kind(
        draw=dolphin,
        medium=Medium.DEEP,
        box=Box(-1.25, 1.1, -0.5, 0.5),
        size=0.6,
        motion=Motion.SWIM,
        speed=0.5,
        period=1.3,
        phases=14,
    ),
    "shark": Kind(
        draw=shark,
        medium=Medium.DEEP,
        box=Box(-1.3, 1.1, -0.5, 0.6),
        size=0.8,
        motion=Motion.SWIM,
        speed=0.3,
        period=1.8,
        phases=16,
    ),
    "fish": Kind(
        draw=fish,
        medium=Medium.DEEP,
        box=Box(-0.62, 0.5, -0.4, 0.4),
        size=0.2,
        motion=Motion.SWIM,
        speed=1.0,
        period=0.6,
        phases=10,
        many=14,
    ),
    "jellyfish": Kind(
        draw=jellyfish,
        medium=Medium.DEEP,
        box=Box(-0.6, 0.6, -0.85, 1.1),
        size=0.75,
        motion=Motion.DRIFT,
        speed=0.05,
        period=2.6,
        phases=14,
        many=3,
    ),
    "turtle": Kind(
        draw=turtle,
        medium=Medium.DEEP,
        box=Box(-0.75, 0.85, -1.0, 0.45),
        size=0.6,
        motion=Motion.SWIM,
        speed=0.22,
        period=2.4,
        phases=16,
    ),
}
