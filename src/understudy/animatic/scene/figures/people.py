"""People, and those who walk like them: astronaut and robot."""

import math

from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium

_SKIN = rgb(214, 164, 134)
_COAT = rgb(86, 74, 92)
_DARK = rgb(52, 52, 66)


def _leg(sketch: Sketch, x: float, phase: float, color: Color, *, swing: float = 0.46, thick: float = 0.058) -> None:
    """Draw a leg: the thigh swings, the knee bends while the foot is carried forward."""
    turn = phase * 2.0 * math.pi
    thigh = swing * math.sin(turn)
    bend = max(0.0, math.cos(turn)) * 0.85 * swing / 0.46 + 0.06
    knee = (x + 0.25 * math.sin(thigh), 0.5 - 0.25 * math.cos(thigh))
    shin = thigh - bend
    ankle = (knee[0] + 0.235 * math.sin(shin), knee[1] - 0.235 * math.cos(shin))
    sketch.limb([(x, 0.52), knee, ankle], [thick * 1.15, thick * 0.8, thick * 0.55], color)
    toe = (ankle[0] + 0.085, ankle[1] - 0.012 + 0.03 * max(0.0, -math.sin(turn)))
    sketch.limb([ankle, toe], [thick * 0.55, thick * 0.4], color * 0.7)


def _arm(
    sketch: Sketch, x: float, y: float, phase: float, color: Color, *, swing: float = 0.42, hand: Color = _SKIN
) -> None:
    """Draw an arm that swings against the leg."""
    upper = swing * math.sin(phase * 2.0 * math.pi)
    elbow = (x + 0.165 * math.sin(upper), y - 0.165 * math.cos(upper))
    lower = upper + 0.32
    wrist = (elbow[0] + 0.15 * math.sin(lower), elbow[1] - 0.15 * math.cos(lower))
    sketch.disc(wrist[0], wrist[1] - 0.01, 0.027, hand)
    sketch.limb([(x, y), elbow, wrist], [0.043, 0.035, 0.026], color)


def walker(sketch: Sketch, phase: float, tint: Color | None, *, at: float = 0.0) -> None:
    """Draw a man in a coat who walks to the right."""
    coat = _COAT if tint is None else tint
    lift = 0.012 * abs(math.cos(phase * 2.0 * math.pi))
    _arm(sketch, at - 0.005, 0.79 + lift, phase, coat * 0.72)
    _leg(sketch, at - 0.01, phase + 0.5, _DARK * 0.78)
    _leg(sketch, at + 0.01, phase, _DARK)
    flap = 0.02 * math.sin(phase * 4.0 * math.pi)
    hem = 0.4 + lift
    sketch.blob(
        [
            (at - 0.02, 0.865 + lift),
            (at + 0.07, 0.83 + lift),
            (at + 0.098, 0.7),
            (at + 0.09, 0.55),
            (at + 0.115 + flap, hem),
            (at - 0.125 + flap, hem - 0.01),
            (at - 0.1, 0.55),
            (at - 0.115, 0.72),
            (at - 0.085, 0.83 + lift),
        ],
        coat,
    )
    sketch.limb([(at + 0.01, 0.84 + lift), (at + 0.02, 0.9 + lift)], [0.035, 0.033], _SKIN)
    sketch.oval(at + 0.025, 0.935 + lift, 0.054, 0.064, _SKIN)
    sketch.blob(
        [
            (at - 0.04, 0.9 + lift),
            (at - 0.045, 0.96 + lift),
            (at - 0.005, 1.003 + lift),
            (at + 0.05, 0.995 + lift),
            (at + 0.072, 0.965 + lift),
            (at + 0.03, 0.965 + lift),
            (at + 0.0, 0.93 + lift),
            (at - 0.015, 0.89 + lift),
        ],
        rgb(44, 32, 30),
    )
    sketch.limb([(at - 0.05, 0.865 + lift), (at + 0.055, 0.855 + lift)], [0.03, 0.026], coat * 1.25)
    _arm(sketch, at + 0.0, 0.79 + lift, phase + 0.5, coat * 0.9)


def woman(sketch: Sketch, phase: float, tint: Color | None, *, at: float = 0.0) -> None:
    """Draw a woman in a dress, her hair in the wind."""
    dress = rgb(176, 62, 74) if tint is None else tint
    lift = 0.012 * abs(math.cos(phase * 2.0 * math.pi))
    hair = rgb(66, 40, 30)
    wave = math.sin(phase * 2.0 * math.pi)
    sketch.blob(
        [
            (at + 0.02, 0.985 + lift),
            (at - 0.055, 0.95 + lift),
            (at - 0.08, 0.86),
            (at - 0.14, 0.74 + 0.02 * wave),
            (at - 0.19, 0.68 + 0.03 * wave),
            (at - 0.1, 0.7),
            (at - 0.04, 0.76),
            (at + 0.01, 0.86),
        ],
        hair,
    )
    _arm(sketch, at, 0.765 + lift, phase, _SKIN * 0.8, swing=0.34)
    _leg(sketch, at - 0.005, phase + 0.5, _SKIN * 0.75, swing=0.36, thick=0.045)
    _leg(sketch, at + 0.005, phase, _SKIN, swing=0.36, thick=0.045)
    sketch.blob(
        [
            (at - 0.045, 0.82 + lift),
            (at + 0.06, 0.82 + lift),
            (at + 0.082, 0.73),
            (at + 0.048, 0.62),
            (at + 0.1, 0.48),
            (at + 0.15, 0.29 + 0.015 * wave),
            (at, 0.265),
            (at - 0.19, 0.28 - 0.02 * wave),
            (at - 0.09, 0.5),
            (at - 0.05, 0.62),
            (at - 0.075, 0.74),
        ],
        dress,
    )
    sketch.limb([(at + 0.008, 0.82 + lift), (at + 0.018, 0.88 + lift)], [0.028, 0.026], _SKIN)
    sketch.oval(at + 0.022, 0.918 + lift, 0.049, 0.06, _SKIN)
    sketch.blob(
        [
            (at - 0.045, 0.88 + lift),
            (at - 0.045, 0.95 + lift),
            (at + 0.0, 0.987 + lift),
            (at + 0.055, 0.97 + lift),
            (at + 0.06, 0.945 + lift),
            (at + 0.02, 0.945 + lift),
            (at - 0.01, 0.9 + lift),
            (at - 0.02, 0.85 + lift),
        ],
        hair,
    )
    _arm(sketch, at + 0.0, 0.765 + lift, phase + 0.5, _SKIN * 0.95, swing=0.34)


def child(sketch: Sketch, phase: float, tint: Color | None, *, at: float = 0.0) -> None:
    """Draw a child: a large head, a bright jacket, quick steps."""
    coat = rgb(226, 156, 58) if tint is None else tint
    lift = 0.022 * abs(math.cos(phase * 2.0 * math.pi))
    _arm(sketch, at, 0.7 + lift, phase, coat * 0.75, swing=0.6)
    _leg(sketch, at - 0.01, phase + 0.5, rgb(60, 74, 110) * 0.75, swing=0.55, thick=0.068)
    _leg(sketch, at + 0.01, phase, rgb(60, 74, 110), swing=0.55, thick=0.068)
    sketch.blob(
        [
            (at - 0.06, 0.77 + lift),
            (at + 0.07, 0.77 + lift),
            (at + 0.12, 0.6),
            (at + 0.12, 0.44),
            (at - 0.13, 0.44),
            (at - 0.115, 0.62),
        ],
        coat,
    )
    sketch.oval(at + 0.02, 0.875 + lift, 0.096, 0.1, _SKIN)
    sketch.blob(
        [
            (at - 0.09, 0.84 + lift),
            (at - 0.075, 0.94 + lift),
            (at + 0.0, 0.995 + lift),
            (at + 0.09, 0.975 + lift),
            (at + 0.118, 0.92 + lift),
            (at + 0.05, 0.925 + lift),
            (at + 0.0, 0.89 + lift),
            (at - 0.04, 0.81 + lift),
        ],
        rgb(70, 44, 30),
    )
    _arm(sketch, at, 0.7 + lift, phase + 0.5, coat * 0.92, swing=0.6)


def couple(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw two who walk hand in hand."""
    woman(sketch, phase, tint, at=0.2)
    walker(sketch, phase + 0.5, None, at=-0.16)
    sketch.limb([(-0.1, 0.62), (0.02, 0.5), (0.14, 0.6)], [0.03, 0.028, 0.026], rgb(86, 74, 92))


def under_umbrella(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a walker under an umbrella of the color asked for."""
    walker(sketch, phase, None)
    lift = 0.012 * abs(math.cos(phase * 2.0 * math.pi))
    cloth = rgb(196, 44, 58) if tint is None else tint
    sketch.stroke([(0.1, 0.62), (0.075, 1.2 + lift)], 0.014, rgb(40, 40, 46))
    top = 1.23 + lift
    sketch.blob(
        [
            (0.07, top),
            (0.24, top - 0.055),
            (0.37, top - 0.2),
            (0.25, top - 0.16),
            (0.16, top - 0.185),
            (0.07, top - 0.16),
            (-0.03, top - 0.185),
            (-0.12, top - 0.16),
            (-0.24, top - 0.2),
            (-0.11, top - 0.055),
        ],
        cloth,
    )
    sketch.poly([(0.07, top), (0.16, top - 0.185), (-0.03, top - 0.185)], cloth * 0.82)
    sketch.limb([(0.02, 0.79), (0.1, 0.68), (0.095, 0.72)], [0.04, 0.034, 0.026], rgb(86, 74, 92))


def astronaut(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw an astronaut: white suit, backpack, a visor that mirrors gold."""
    suit = rgb(232, 234, 240) if tint is None else tint
    turn = phase * 2.0 * math.pi
    sway = 0.16 * math.sin(turn)
    sketch.blob([(-0.23, 0.84), (-0.1, 0.88), (-0.08, 0.5), (-0.22, 0.48)], suit * 0.62)
    sketch.limb(
        [(-0.02, 0.78), (-0.14, 0.62 + 0.02 * sway), (-0.08 + sway * 0.3, 0.46)], [0.068, 0.062, 0.056], suit * 0.74
    )
    for side, shade in ((-1.0, 0.76), (1.0, 1.0)):
        bend = sway * side
        sketch.limb(
            [(0.045 * side, 0.46), (0.05 * side + bend * 0.5, 0.26), (0.05 * side + bend * 0.4 - 0.03, 0.06)],
            [0.094, 0.078, 0.07],
            suit * shade,
        )
        sketch.blob(
            [
                (0.05 * side + bend * 0.4 - 0.1, 0.07),
                (0.05 * side + bend * 0.4 - 0.1, 0.0),
                (0.05 * side + bend * 0.4 + 0.1, 0.0),
                (0.05 * side + bend * 0.4 + 0.05, 0.08),
            ],
            rgb(120, 124, 136) * shade,
        )
    sketch.blob([(-0.13, 0.86), (0.11, 0.86), (0.16, 0.66), (0.13, 0.42), (-0.13, 0.42), (-0.16, 0.66)], suit)
    sketch.rect(-0.02, 0.6, 0.12, 0.71, rgb(120, 128, 146))
    sketch.disc(0.02, 0.655, 0.018, rgb(230, 70, 60), 0.7)
    sketch.disc(0.08, 0.655, 0.018, rgb(80, 200, 255), 0.7)
    sketch.disc(0.01, 0.955, 0.145, suit)
    sketch.blob([(0.0, 1.03), (0.1, 1.025), (0.15, 0.955), (0.1, 0.885), (0.0, 0.885), (-0.03, 0.955)], rgb(88, 62, 34))
    sketch.blob([(0.01, 1.015), (0.09, 1.01), (0.12, 0.97), (0.05, 0.975), (0.0, 0.955)], rgb(255, 206, 120), 0.35)
    sketch.limb([(0.02, 0.78), (0.13, 0.64), (0.2 + sway * 0.2, 0.52 + sway * 0.2)], [0.072, 0.066, 0.056], suit * 0.95)
    sketch.rect(0.05, 0.735, 0.11, 0.765, rgb(206, 60, 54))


def robot(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a robot: plates, joints, and eyes that shine."""
    shell = rgb(150, 160, 172) if tint is None else tint
    turn = phase * 2.0 * math.pi
    for side, shade in ((-1.0, 0.62), (1.0, 0.95)):
        step = 0.11 * math.sin(turn) * side
        lift = 0.05 * max(0.0, math.cos(turn) * side)
        sketch.limb(
            [(0.07 * side, 0.42), (0.07 * side + step * 0.6 + 0.02, 0.24 + lift), (0.07 * side + step, 0.07 + lift)],
            [0.045, 0.04, 0.04],
            shell * shade * 0.8,
        )
        sketch.rect(0.07 * side + step - 0.07, lift, 0.07 * side + step + 0.1, 0.07 + lift, shell * shade * 0.65)
    sketch.limb([(-0.17, 0.7), (-0.23, 0.55), (-0.19 - 0.05 * math.sin(turn), 0.4)], [0.045, 0.038, 0.05], shell * 0.66)
    sketch.blob([(-0.17, 0.78), (0.17, 0.78), (0.15, 0.44), (-0.15, 0.44)], shell)
    sketch.rect(-0.08, 0.54, 0.08, 0.68, shell * 0.5)
    sketch.disc(0.0, 0.61, 0.034, rgb(90, 220, 255), 1.0)
    sketch.rect(-0.03, 0.77, 0.03, 0.83, shell * 0.5)
    sketch.blob([(-0.14, 1.0), (0.14, 1.0), (0.155, 0.9), (0.13, 0.82), (-0.13, 0.82), (-0.155, 0.9)], shell * 1.05)
    sketch.rect(-0.11, 0.865, 0.13, 0.945, rgb(22, 26, 34))
    for x in (-0.04, 0.07):
        sketch.disc(x, 0.905, 0.026, rgb(110, 230, 255), 1.0)
    sketch.stroke([(0.0, 1.0), (0.02, 1.09)], 0.012, shell * 0.6)
    sketch.disc(0.02, 1.1, 0.02, rgb(255, 90, 70), 1.0)
    sketch.limb([(0.17, 0.7), (0.23, 0.55), (0.2 + 0.05 * math.sin(turn), 0.4)], [0.045, 0.038, 0.05], shell * 0.9)


_WALK = Box(-0.42, 0.42, -0.04, 1.06)

PEOPLE: dict[str, Kind] = {
    "person": Kind(
        draw=walker, medium=Medium.GROUND, box=_WALK, motion=Motion.WALK, speed=0.34, period=1.15, phases=16
    ),
    "woman": Kind(
        draw=woman, medium=Medium.GROUND, box=_WALK, size=0.96, motion=Motion.WALK, speed=0.3, period=1.2, phases=16
    ),
    "child": Kind(
        draw=child, medium=Medium.GROUND, box=_WALK, size=0.66, motion=Motion.WALK, speed=0.55, period=0.85, phases=16
    ),
    "couple": Kind(
        draw=couple,
        medium=Medium.GROUND,
        box=Box(-0.55, 0.6, -0.04, 1.06),
        motion=Motion.WALK,
        speed=0.28,
        period=1.25,
        phases=16,
    ),
    "umbrella": Kind(
        draw=under_umbrella,
        medium=Medium.GROUND,
        box=Box(-0.42, 0.46, -0.04, 1.3),
        motion=Motion.WALK,
        speed=0.3,
        period=1.2,
        phases=16,
    ),
    "astronaut": Kind(
        draw=astronaut,
        medium=Medium.GROUND,
        box=Box(-0.45, 0.5, -0.05, 1.16),
        motion=Motion.WALK,
        speed=0.12,
        period=2.6,
        phases=16,
    ),
    "robot": Kind(
        draw=robot,
        medium=Medium.GROUND,
        box=Box(-0.42, 0.42, -0.04, 1.2),
        motion=Motion.WALK,
        speed=0.18,
        period=1.6,
        phases=16,
    ),
}
