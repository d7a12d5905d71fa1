"""Small animals that sit or waddle: cat, rabbit, penguin."""

import math

from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium


def cat(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a cat that sits and lets its tail play."""
    fur = rgb(74, 66, 72) if tint is None else tint
    turn = phase * 2.0 * math.pi
    tip = (-0.52 + 0.08 * math.sin(turn), 0.2 + 0.12 * math.sin(turn + 0.8))
    sketch.limb([(-0.2, 0.07), (-0.42, 0.06), tip], [0.07, 0.058, 0.04], fur * 0.86)
    sketch.blob(
        [(0.05, 0.7), (-0.12, 0.6), (-0.27, 0.34), (-0.3, 0.08), (-0.16, 0.0), (0.16, 0.0), (0.2, 0.2), (0.2, 0.5)], fur
    )
    sketch.limb([(0.1, 0.42), (0.13, 0.2), (0.15, 0.04)], [0.08, 0.06, 0.05], fur * 1.06)
    sketch.oval(-0.1, 0.1, 0.17, 0.1, fur * 0.92)
    sketch.oval(0.1, 0.8, 0.17, 0.15, fur * 1.04)
    ear = 0.012 * math.sin(turn * 2.0)
    sketch.poly([(-0.06, 0.85), (0.04, 0.93), (-0.05 + ear, 1.05)], fur)
    sketch.poly([(0.13, 0.93), (0.25, 0.85), (0.24 + ear, 1.05)], fur)
    for x in (0.08, 0.19):
        sketch.oval(x, 0.815, 0.024, 0.028, rgb(180, 220, 96), glow=0.5)
        sketch.oval(x, 0.815, 0.009, 0.026, rgb(12, 12, 10))
    sketch.oval(0.145, 0.755, 0.02, 0.013, rgb(200, 120, 116))


def rabbit(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a rabbit that nibbles."""
    fur = rgb(176, 146, 116) if tint is None else tint
    nod = 0.02 * math.sin(phase * 2.0 * math.pi)
    sketch.disc(-0.42, 0.2, 0.09, rgb(240, 236, 226))
    sketch.blob([(-0.4, 0.3), (-0.2, 0.5), (0.1, 0.46), (0.26, 0.26), (0.2, 0.02), (-0.32, 0.02)], fur)
    sketch.oval(-0.2, 0.14, 0.18, 0.14, fur * 0.9)
    for x, shade in ((0.2, 0.8), (0.28, 1.0)):
        sketch.blob([(x - 0.05, 0.6), (x - 0.13, 0.98 + nod), (x - 0.06, 1.04 + nod), (x + 0.02, 0.66)], fur * shade)
    sketch.oval(0.28, 0.52 + nod, 0.17, 0.14, fur * 1.05)
    sketch.disc(0.34, 0.56 + nod, 0.026, rgb(20, 14, 12))
    sketch.limb([(0.14, 0.2), (0.2, 0.04)], [0.07, 0.05], fur)


def penguin(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a penguin that waddles."""
    coat = rgb(38, 42, 54) if tint is None else tint
    lean = 0.05 * math.sin(phase * 2.0 * math.pi)
    for side in (-1.0, 1.0):
        sketch.oval(0.09 * side, 0.03, 0.1, 0.035, rgb(230, 150, 50))
    sketch.blob(
        [(lean, 1.0), (-0.15 + lean, 0.86), (-0.26, 0.5), (-0.2, 0.1), (0.2, 0.08), (0.26, 0.5), (0.16 + lean, 0.86)],
        coat,
    )
    sketch.blob([(0.08 + lean, 0.76), (-0.06, 0.5), (-0.02, 0.14), (0.16, 0.12), (0.22, 0.46)], rgb(240, 240, 236))
    sketch.limb([(-0.14, 0.68), (-0.28 - lean, 0.36)], [0.06, 0.03], coat * 0.8)
    sketch.poly([(0.13 + lean, 0.92), (0.27 + lean, 0.87), (0.13 + lean, 0.84)], rgb(236, 160, 60))
    sketch.disc(0.08 + lean, 0.9, 0.022, rgb(240, 240, 240))


SMALL: dict[str, Kind] = {
    "cat": Kind(draw=cat, medium=Medium.GROUND, box=Box(-0.68, 0.4, -0.04, 1.12), size=0.42, period=3.4, phases=16),
    "rabbit": Kind(
        draw=rabbit, medium=Medium.GROUND, box=Box(-0.6, 0.55, -0.04, 1.12), size=0.3, period=0.8, phases=12
    ),
    "penguin": Kind(
        draw=penguin,
        medium=Medium.GROUND,
        box=Box(-0.42, 0.42, -0.04, 1.08),
        size=0.5,
        motion=Motion.WALK,
        speed=0.2,
        period=0.9,
        phases=12,
    ),
}
