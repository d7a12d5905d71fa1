"""Animals on four legs, from one skeleton with different measures."""

import math
from dataclasses import dataclass, replace

from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The measures of a four-legged animal, in heights of its back; `ears` and `tail` name their shapes."""

    fur: Color
    long: float = 1.15
    deep: float = 0.36
    leg: float = 0.64
    thick: float = 0.07
    neck: float = 0.42
    lift: float = 0.9
    head: float = 0.3
    jaw: float = 0.1
    ears: str = "point"
    tail: str = "hang"
    mane: bool = False
    horns: str = ""
    hump: float = 0.0
    swing: float = 0.42


def _limb(sketch: Sketch, build: Build, x: float, phase: float, shade: float, *, hind: bool) -> None:
    """Draw one leg with its knee or hock."""
    turn = phase * 2.0 * math.pi
    upper = build.swing * math.sin(turn)
    bend = max(0.0, math.cos(turn)) * 0.7 + (0.3 if hind else 0.06)
    half = build.leg * 0.52
    top = build.leg + build.deep * 0.12
    knee = (x + half * math.sin(upper), top - half * math.cos(upper))
    lower = upper - bend if not hind else upper - 0.5 * bend
    foot = (knee[0] + half * math.sin(lower), max(0.03, knee[1] - half * math.cos(lower)))
    color = build.fur * shade
    sketch.limb([(x, top), knee, foot], [build.thick * 1.7, build.thick * 0.9, build.thick * 0.6], color)
    sketch.limb(
        [foot, (foot[0] + build.thick * 0.9, foot[1] - 0.01)], [build.thick * 0.6, build.thick * 0.5], color * 0.6
    )


def beast(build: Build, sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw the animal in its stride."""
    if tint is not None:
        build = replace(build, fur=tint)
    fur, half = build.fur, build.long / 2
    back = build.leg + build.deep
    bob = 0.015 * math.sin(phase * 4.0 * math.pi)
    _tail(sketch, build, -half, back - 0.05 + bob, phase)
    for x, shift, hind in ((half * 0.72, 0.0, False), (-half * 0.76, 0.75, True)):
        _limb(sketch, build, x, phase + shift + 0.5, 0.68, hind=hind)
    for x, shift, hind in ((half * 0.62, 0.0, False), (-half * 0.86, 0.75, True)):
        _limb(sketch, build, x, phase + shift, 0.98, hind=hind)
    sketch.blob(
        [
            (-half - 0.02, back - 0.14 + bob),
            (-half * 0.75, back + 0.01 + bob),
            (-half * 0.1, back - 0.02 + min(build.hump, 0.08) + bob),
            (half * 0.65, back + 0.03 + min(build.hump, 0.08) * 0.5 + bob),
            (half + 0.03, back - 0.1 + bob),
            (half * 0.98, build.leg + 0.06),
            (half * 0.5, build.leg - 0.05),
            (0.0, build.leg + 0.02),
            (-half * 0.55, build.leg + 0.06),
            (-half * 0.95, build.leg + 0.02),
        ],
        fur,
    )
    if build.hump > 0.1:
        top = back + build.hump + bob
        sketch.blob(
            [
                (-half * 0.62, back - 0.08),
                (-half * 0.3, top),
                (0.0, top + 0.06),
                (half * 0.3, top - 0.02),
                (half * 0.56, back - 0.08),
            ],
            fur,
        )
    _head(sketch, build, half, back + bob, phase)


def _head(sketch: Sketch, build: Build, half: float, back: float, phase: float) -> None:
    """Draw neck, head, ears, mane and horns."""
    nod = 0.05 * math.sin(phase * 2.0 * math.pi)
    angle = build.lift + nod
    root = (half * 0.86, back - 0.12)
    poll = (root[0] + build.neck * math.cos(angle), root[1] + build.neck * math.sin(angle))
    thick = build.deep * 0.36
    sketch.limb([root, poll], [thick * 1.25, thick * 0.72], build.fur)
    drop = -0.5 if build.lift > 0.6 else -0.25
    nose = (poll[0] + build.head * math.cos(drop), poll[1] + build.head * math.sin(drop))
    ear, jaw = build.fur * 0.8, build.jaw
    if build.ears == "point":
        for shift in (-0.02, 0.045):
            x = poll[0] + shift
            sketch.poly(
                [
                    (x - 0.04, poll[1] + jaw * 0.5),
                    (x + 0.05, poll[1] + jaw * 0.6),
                    (x - 0.005, poll[1] + jaw * 0.9 + 0.12),
                ],
                ear,
            )
    sketch.limb([poll, nose], [jaw * 1.15, jaw * 0.62], build.fur)
    sketch.disc(nose[0] + jaw * 0.42, nose[1] + 0.005, jaw * 0.3, build.fur * 0.3)
    sketch.disc(poll[0] + build.head * 0.32, poll[1] + jaw * 0.22, 0.017, rgb(20, 16, 14))
    if build.ears == "flop":
        sketch.blob(
            [
                (poll[0] - 0.03, poll[1] + jaw),
                (poll[0] + 0.05, poll[1] + jaw * 0.7),
                (poll[0] + 0.02, poll[1] - 0.14),
                (poll[0] - 0.07, poll[1] - 0.08),
            ],
            ear,
        )
    if build.ears == "wide":
        sketch.blob(
            [
                (poll[0] - 0.02, poll[1] + 0.1),
                (poll[0] + 0.1, poll[1] + 0.02),
                (poll[0] + 0.02, poll[1] - 0.22),
                (poll[0] - 0.18, poll[1] - 0.14),
                (poll[0] - 0.16, poll[1] + 0.06),
            ],
            ear,
        )
    if build.ears == "round":
        sketch.disc(poll[0] - 0.02, poll[1] + jaw, 0.055, ear)
    if build.mane:
        _mane(sketch, build, root, poll, phase)
    if build.horns:
        _horns(sketch, build, poll, nose)


def _mane(sketch: Sketch, build: Build, root: tuple[float, float], poll: tuple[float, float], phase: float) -> None:
    """Draw a mane that blows back."""
    wave = 0.03 * math.sin(phase * 2.0 * math.pi)
    dark = build.fur * 0.42
    sketch.blob(
        [
            (poll[0] + 0.05, poll[1] + 0.1),
            (poll[0] - 0.07, poll[1] + 0.1),
            (root[0] - 0.14 - wave, (root[1] + poll[1]) / 2 + 0.05 + wave),
            (root[0] - 0.22, root[1] + 0.1),
            (root[0] - 0.06, root[1] + 0.1),
            (poll[0] - 0.05, poll[1] - 0.02),
        ],
        dark,
    )


def _horns(sketch: Sketch, build: Build, poll: tuple[float, float], nose: tuple[float, float]) -> None:
    """Draw antlers, a trunk with tusk, or short horns."""
    x, y = poll
    bone = rgb(206, 190, 160)
    if build.horns == "antlers":
        for lean in (-0.16, 0.08):
            sketch.limb(
                [(x, y + 0.08), (x + lean * 0.6, y + 0.26), (x + lean * 1.6, y + 0.44)],
                [0.024, 0.02, 0.012],
                bone * 0.75,
            )
            sketch.limb([(x + lean * 0.6, y + 0.26), (x + lean * 0.6 + 0.13, y + 0.36)], [0.018, 0.01], bone * 0.75)
            sketch.limb([(x + lean * 1.1, y + 0.35), (x + lean * 1.1 + 0.1, y + 0.46)], [0.016, 0.01], bone * 0.75)
    elif build.horns == "trunk":
        end = (nose[0] + 0.1, 0.12)
        sketch.limb(
            [nose, (nose[0] + 0.1, nose[1] - 0.2), (nose[0] + 0.08, 0.34), end],
            [0.085, 0.07, 0.05, 0.04],
            build.fur * 0.95,
        )
        sketch.limb(
            [(nose[0] - 0.02, nose[1] - 0.04), (nose[0] + 0.14, nose[1] - 0.16), (nose[0] + 0.26, nose[1] - 0.12)],
            [0.03, 0.024, 0.012],
            bone,
        )
    elif build.horns == "short":
        sketch.limb([(x + 0.02, y + 0.08), (x + 0.0, y + 0.18), (x + 0.07, y + 0.22)], [0.026, 0.02, 0.01], bone)


def _tail(sketch: Sketch, build: Build, x: float, y: float, phase: float) -> None:
    """Draw a tail: hanging, bushy, raised, or a tuft on a string."""
    sway = 0.08 * math.sin(phase * 2.0 * math.pi)
    if build.tail == "up":
        sketch.limb([(x, y), (x - 0.14, y + 0.12), (x - 0.12 + sway, y + 0.32)], [0.05, 0.04, 0.028], build.fur)
    elif build.tail == "bush":
        sketch.blob(
            [
                (x, y + 0.03),
                (x - 0.2, y + 0.02 + sway),
                (x - 0.42, y - 0.08 + sway),
                (x - 0.3, y - 0.16 + sway),
                (x - 0.08, y - 0.1),
            ],
            build.fur * 0.95,
        )
    elif build.tail == "flow":
        sketch.blob(
            [
                (x + 0.02, y + 0.04),
                (x - 0.14, y + 0.02),
                (x - 0.26 - sway, y - 0.22),
                (x - 0.24 - sway, y - 0.5),
                (x - 0.12, y - 0.4),
                (x - 0.06, y - 0.12),
            ],
            build.fur * 0.42,
        )
    elif build.tail == "stub":
        sketch.disc(x - 0.03, y - 0.02, 0.06, build.fur)
    else:
        sketch.limb([(x, y), (x - 0.09, y - 0.16), (x - 0.1 + sway, y - 0.36)], [0.04, 0.028, 0.02], build.fur * 0.9)


_BUILDS: dict[str, tuple[Build, float, float]] = {
    "horse": (
        Build(
            fur=rgb(122, 76, 48),
            long=1.05,
            leg=0.62,
            deep=0.34,
            neck=0.5,
            lift=0.92,
            head=0.34,
            jaw=0.1,
            tail="flow",
            mane=True,
        ),
        0.8,
        0.7,
    ),
    "dog": (
        Build(
            fur=rgb(182, 130, 78),
            long=1.05,
            leg=0.6,
            deep=0.36,
            neck=0.26,
            lift=0.85,
            head=0.3,
            jaw=0.12,
            ears="flop",
            tail="up",
        ),
        0.44,
        0.75,
    ),
    "wolf": (
        Build(
            fur=rgb(120, 122, 130), long=1.2, leg=0.64, deep=0.36, neck=0.3, lift=0.55, head=0.34, jaw=0.11, tail="bush"
        ),
        0.5,
        0.7,
    ),
    "fox": (
        Build(
            fur=rgb(214, 104, 42), long=1.3, leg=0.52, deep=0.36, neck=0.24, lift=0.7, head=0.34, jaw=0.11, tail="bush"
        ),
        0.34,
        0.8,
    ),
    "deer": (
        Build(
            fur=rgb(166, 112, 68),
            long=1.0,
            leg=0.68,
            deep=0.3,
            thick=0.05,
            neck=0.44,
            lift=1.05,
            head=0.26,
            jaw=0.085,
            tail="stub",
            horns="antlers",
        ),
        0.76,
        0.5,
    ),
    "cow": (
        Build(
            fur=rgb(170, 120, 84),
            long=1.35,
            leg=0.5,
            deep=0.5,
            neck=0.22,
            lift=0.4,
            head=0.34,
            jaw=0.13,
            ears="flop",
            horns="short",
        ),
        0.8,
        0.25,
    ),
    "sheep": (
        Build(
            fur=rgb(236, 230, 216),
            long=1.2,
            leg=0.4,
            deep=0.56,
            thick=0.06,
            neck=0.2,
            lift=0.6,
            head=0.26,
            jaw=0.11,
            ears="flop",
            tail="stub",
        ),
        0.46,
        0.22,
    ),
    "elephant": (
        Build(
            fur=rgb(126, 124, 128),
            long=1.3,
            leg=0.46,
            deep=0.62,
            thick=0.14,
            neck=0.2,
            lift=0.35,
            head=0.24,
            jaw=0.2,
            ears="wide",
            horns="trunk",
            hump=0.04,
            swing=0.26,
        ),
        1.2,
        0.3,
    ),
    "bear": (
        Build(
            fur=rgb(92, 64, 46),
            long=1.2,
            leg=0.42,
            deep=0.56,
            thick=0.12,
            neck=0.24,
            lift=0.25,
            head=0.3,
            jaw=0.15,
            ears="round",
            tail="stub",
            hump=0.07,
            swing=0.34,
        ),
        0.72,
        0.35,
    ),
    "lion": (
        Build(
            fur=rgb(206, 156, 88),
            long=1.3,
            leg=0.52,
            deep=0.42,
            thick=0.085,
            neck=0.26,
            lift=0.6,
            head=0.26,
            jaw=0.15,
            ears="round",
            mane=True,
        ),
        0.62,
        0.45,
    ),
    "tiger": (
        Build(
            fur=rgb(224, 138, 52),
            long=1.4,
            leg=0.5,
            deep=0.4,
            thick=0.085,
            neck=0.24,
            lift=0.4,
            head=0.26,
            jaw=0.14,
            ears="round",
        ),
        0.58,
        0.45,
    ),
    "camel": (
        Build(
            fur=rgb(196, 152, 98),
            long=1.05,
            leg=0.66,
            deep=0.36,
            neck=0.52,
            lift=0.75,
            head=0.28,
            jaw=0.09,
            hump=0.2,
            swing=0.34,
        ),
        0.88,
        0.4,
    ),
}


def _of(name: str) -> Kind:
    build, size, speed = _BUILDS[name]

    def draw(sketch: Sketch, phase: float, tint: Color | None) -> None:
        beast(build, sketch, phase, tint)

    box = Box(-1.15, 1.4, -0.05, 1.85)
    return Kind(
        draw=draw, medium=Medium.GROUND, box=box, size=size, motion=Motion.WALK, speed=speed, period=0.9, phases=12
    )


BEASTS: dict[str, Kind] = {name: _of(name) for name in _BUILDS}
