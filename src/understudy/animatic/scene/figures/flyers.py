"""What flies by itself: birds, butterflies, dragons."""

import math

from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium


def bird(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a far bird that beats its wings, flying to the right."""
    color = rgb(40, 42, 52) if tint is None else tint
    beat = math.sin(phase * 2.0 * math.pi)
    tip, joint = 0.42 * beat + 0.05, 0.3 * beat + 0.08
    for side, shade in ((-1.0, 0.8), (1.0, 1.0)):
        lean = 0.1 * side
        sketch.blob(
            [
                (0.1, 0.02),
                (-0.06 + lean, joint),
                (-0.26 + lean * 2.4, tip),
                (-0.16 + lean, joint - 0.1),
                (-0.14, -0.03),
            ],
            color * shade,
        )
    sketch.blob(
        [(0.3, 0.03), (0.12, 0.07), (-0.2, 0.02), (-0.42, 0.03), (-0.4, -0.03), (-0.12, -0.06), (0.14, -0.03)], color
    )


def eagle(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw an eagle that soars with fingered wings."""
    color = rgb(92, 64, 42) if tint is None else tint
    beat = 0.16 * math.sin(phase * 2.0 * math.pi)
    for side, shade in ((1.0, 0.78), (-1.0, 1.0)):
        y = 0.12 + beat
        points = [
            (0.08, 0.06),
            (0.16 * side + 0.06, 0.2 + beat * 0.5),
            (0.62 * side, 0.26 + y),
            (1.02 * side - 0.02, 0.16 + y * 1.3),
        ]
        for finger in range(4):
            x = 1.0 - finger * 0.1
            points += [
                (x * side - 0.08, 0.02 + y * 1.2 - finger * 0.03),
                ((x - 0.05) * side - 0.03, 0.1 + y - finger * 0.02),
            ]
        points += [(0.4 * side - 0.08, -0.02 + beat * 0.5), (0.04 * side - 0.1, -0.06)]
        sketch.poly(points, color * shade)
    sketch.blob([(0.3, 0.08), (0.16, 0.13), (-0.1, 0.09), (-0.24, 0.02), (-0.1, -0.07), (0.16, -0.04)], color)
    sketch.poly([(-0.2, 0.05), (-0.46, 0.1), (-0.5, -0.0), (-0.42, -0.08), (-0.2, -0.03)], rgb(232, 226, 214))
    sketch.oval(0.28, 0.07, 0.1, 0.07, rgb(240, 236, 226))
    sketch.poly([(0.36, 0.1), (0.46, 0.04), (0.36, 0.03)], rgb(240, 180, 60))


def butterfly(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a butterfly that opens and folds its wings."""
    color = rgb(244, 146, 44) if tint is None else tint
    fold = 0.35 + 0.65 * abs(math.sin(phase * math.pi))
    for side, shade in ((1.0, 0.78), (-1.0, 1.0)):
        wide = fold * side
        sketch.blob(
            [(0, 0.08), (0.18 * wide, 0.46), (0.5 * wide, 0.5), (0.52 * wide, 0.24), (0.26 * wide, 0.02)], color * 0.3
        )
        sketch.blob(
            [(0.02 * side, 0.08), (0.2 * wide, 0.41), (0.45 * wide, 0.45), (0.46 * wide, 0.26), (0.24 * wide, 0.05)],
            color * shade,
        )
        sketch.blob(
            [(0, 0.02), (0.24 * wide, 0.0), (0.42 * wide, -0.14), (0.3 * wide, -0.36), (0.12 * wide, -0.3)], color * 0.3
        )
        sketch.blob(
            [(0.01 * side, 0.0), (0.22 * wide, -0.02), (0.36 * wide, -0.14), (0.27 * wide, -0.3), (0.13 * wide, -0.25)],
            color * shade,
        )
        sketch.disc(0.4 * wide, 0.38, 0.035, rgb(255, 250, 236))
    sketch.oval(0.0, 0.0, 0.035, 0.22, rgb(30, 24, 26))
    for side in (-1.0, 1.0):
        sketch.stroke([(0, 0.2), (0.1 * side, 0.42)], 0.012, rgb(30, 24, 26))


def dragon(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a dragon on the wing, its tail trailing."""
    hide = rgb(62, 92, 74) if tint is None else tint
    beat = math.sin(phase * 2.0 * math.pi)
    _dragon_wing(sketch, beat, 0.1, hide * 0.6)
    wave = [0.05 * math.sin(phase * 2.0 * math.pi - index * 0.8) for index in range(6)]
    tail = [
        (-0.3, 0.0),
        (-0.55, -0.05 + wave[1]),
        (-0.8, -0.1 + wave[2]),
        (-1.05, -0.06 + wave[3]),
        (-1.28, 0.02 + wave[4]),
    ]
    sketch.limb(tail, [0.1, 0.075, 0.05, 0.03, 0.012], hide * 0.95)
    end = tail[-1]
    sketch.poly(
        [
            (end[0] + 0.06, end[1] + 0.01),
            (end[0] - 0.04, end[1] + 0.09),
            (end[0] - 0.16, end[1]),
            (end[0] - 0.03, end[1] - 0.07),
        ],
        hide * 0.8,
    )
    sketch.blob([(0.38, 0.14), (0.1, 0.18), (-0.3, 0.09), (-0.36, -0.06), (0.0, -0.14), (0.34, -0.05)], hide)
    for x in (-0.15, 0.18):
        sketch.limb([(x, -0.06), (x - 0.1, -0.22), (x - 0.2, -0.24)], [0.07, 0.045, 0.02], hide * 0.8)
    sketch.limb([(0.3, 0.06), (0.52, 0.22 + 0.03 * beat), (0.74, 0.26 + 0.03 * beat)], [0.12, 0.08, 0.06], hide)
    y = 0.27 + 0.03 * beat
    sketch.blob(
        [(0.68, y + 0.07), (0.82, y + 0.07), (1.0, y - 0.01), (0.98, y - 0.06), (0.82, y - 0.06), (0.7, y - 0.05)],
        hide * 1.1,
    )
    sketch.limb([(0.72, y + 0.05), (0.58, y + 0.18)], [0.03, 0.008], rgb(210, 200, 170))
    sketch.disc(0.82, y + 0.035, 0.02, rgb(255, 190, 60), 1.0)
    for index in range(7):
        x = 0.5 - index * 0.14
        sketch.poly([(x - 0.04, 0.12), (x + 0.05, 0.13), (x - 0.02, 0.24)], hide * 0.7)
    _dragon_wing(sketch, beat, -0.05, hide * 0.88)


def _dragon_wing(sketch: Sketch, beat: float, at: float, color: Color) -> None:
    """Draw one wing: an arm, fingers, and the skin between."""
    lift = 0.5 + 0.42 * beat
    wrist, tip = (at + 0.02, 0.1 + 0.75 * lift), (at - 0.5, 0.12 + 1.15 * lift)
    hooks = [(at - 0.62, -0.02 + 0.62 * lift), (at - 0.52, 0.0 + 0.2 * lift), (at - 0.3, -0.02)]
    sketch.poly(
        [
            (at + 0.18, 0.1),
            wrist,
            tip,
            (at - 0.5, 0.1 + 0.72 * lift),
            hooks[0],
            (at - 0.44, 0.05 + 0.36 * lift),
            hooks[1],
            (at - 0.32, 0.06),
            hooks[2],
        ],
        color,
    )
    bone = color * 0.62
    sketch.limb([(at + 0.16, 0.08), wrist, tip], [0.045, 0.03, 0.01], bone)
    for hook in hooks[:2]:
        sketch.limb([wrist, hook], [0.016, 0.006], bone)


FLYERS: dict[str, Kind] = {
    "birds": Kind(
        draw=bird,
        medium=Medium.AIR,
        box=Box(-0.6, 0.42, -0.5, 0.6),
        size=0.16,
        motion=Motion.FLY,
        speed=2.6,
        period=0.75,
        phases=12,
        many=9,
    ),
    "eagle": Kind(
        draw=eagle,
        medium=Medium.AIR,
        box=Box(-1.15, 1.15, -0.4, 0.75),
        size=0.52,
        motion=Motion.FLY,
        speed=0.45,
        period=2.4,
        phases=14,
    ),
    "butterfly": Kind(
        draw=butterfly,
        medium=Medium.AIR,
        box=Box(-0.62, 0.62, -0.5, 0.6),
        size=0.2,
        motion=Motion.DRIFT,
        speed=0.5,
        period=0.6,
        phases=12,
        many=5,
    ),
    "dragon": Kind(
        draw=dragon,
        medium=Medium.AIR,
        box=Box(-1.6, 1.15, -0.45, 1.45),
        size=1.0,
        motion=Motion.FLY,
        speed=0.28,
        period=1.7,
        phases=14,
    ),
}
