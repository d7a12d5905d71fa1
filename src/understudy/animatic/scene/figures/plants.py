"""Single trees and flowers that a prompt asks for."""

import math

import numpy as np

from understudy.animatic.scene.figures.kind import Draw, Kind
from understudy.animatic.scene.figures.sketch import Box, Points, Sketch
from understudy.animatic.scene.ground import conifer
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.stage import Medium


def tree(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw a broad old tree."""
    leaf = rgb(84, 124, 58) if tint is None else tint
    bark = rgb(84, 64, 50)
    rng = np.random.default_rng(11)
    sketch.blob(
        [(-0.17, 0.0), (-0.08, 0.12), (-0.06, 0.5), (-0.02, 0.7), (0.06, 0.7), (0.07, 0.4), (0.1, 0.12), (0.2, 0.0)],
        bark,
    )
    for lean in (-0.36, -0.16, 0.2, 0.4):
        sketch.limb([(0.0, 0.46), (lean * 0.6, 0.74), (lean, 0.96)], [0.05, 0.035, 0.018], bark)
    places = [(0.5 * away * math.cos(angle), away * math.sin(angle)) for angle, away in _spiral(22)]
    for x, high in sorted(places, key=lambda place: -abs(place[0]) + 0.3 * place[1]):
        size = rng.uniform(0.19, 0.26) * (1.0 - 0.25 * abs(x))
        y = 1.03 + 0.36 * high
        bright = 0.86 + 0.16 * high
        for shade, lift, part in ((0.66, -0.035, 1.0), (0.92, 0.01, 0.86), (1.14, 0.045, 0.6)):
            sketch.poly(_ragged(rng, x, y + lift, size * part), leaf * (shade * bright))
        for _ in range(16):
            angle, away = rng.uniform(0.2, 2.9), rng.uniform(0.3, 0.95) * size
            at = (x + away * math.cos(angle), y + 0.03 + 0.8 * away * math.sin(angle))
            sketch.oval(*at, 0.022, 0.013, leaf * (bright * rng.uniform(0.9, 1.3)), turn=float(rng.uniform(0, 3)))


def _spiral(count: int) -> list[tuple[float, float]]:
    """Return angles and distances (0 to 1) that fill a disc evenly."""
    return [(index * 2.39996, math.sqrt((index + 0.5) / count)) for index in range(count)]


def _ragged(rng: np.random.Generator, x: float, y: float, size: float) -> Points:
    """Return the outline of a clump of leaves: round on the whole, torn in detail."""
    angle = np.linspace(0.0, 2.0 * np.pi, 34, endpoint=False)
    away = size * (1.0 + np.where(np.arange(34) % 2 == 0, 0.1, -0.08) + rng.normal(0.0, 0.06, 34))
    return np.stack([x + away * np.cos(angle), y + 0.82 * away * np.sin(angle)], axis=1)


def blossom(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a cherry tree in bloom."""
    tree(sketch, phase, rgb(248, 176, 200) if tint is None else tint)


def maple(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a tree in autumn colors."""
    tree(sketch, phase, rgb(222, 104, 40) if tint is None else tint)


def palm(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a palm that leans and sways."""
    leaf = rgb(66, 118, 56) if tint is None else tint
    sway = 0.03 * math.sin(phase * 2.0 * math.pi)
    crown = (0.26 + sway, 1.42)
    sketch.limb([(0.0, 0.0), (0.04, 0.4), (0.13, 0.9), crown], [0.07, 0.055, 0.045, 0.04], rgb(122, 94, 68))
    for index in range(9):
        angle = -0.5 + index * (math.pi + 1.0) / 8.0
        long = 0.56 + 0.08 * math.sin(index * 2.1)
        spine = [
            (
                crown[0] + math.cos(angle) * long * t,
                crown[1] + math.sin(angle) * long * t - 0.5 * long * t * t + sway * t,
            )
            for t in (0.0, 0.3, 0.6, 1.0)
        ]
        shade = leaf * (0.7 + 0.4 * (index % 3) / 2.0)
        sketch.limb(spine, [0.03, 0.05, 0.038, 0.006], shade)
        for t in range(1, 9):
            part = t / 9.0
            x = crown[0] + math.cos(angle) * long * part
            y = crown[1] + math.sin(angle) * long * part - 0.5 * long * part * part + sway * part
            sketch.poly(
                [(x - 0.02, y), (x + 0.02, y), (x + 0.03 * math.cos(angle), y - 0.16 * (1.0 - 0.4 * part))], shade * 0.9
            )


def pine(sketch: Sketch, _phase: float, tint: Color | None) -> None:
    """Draw one tall spruce."""
    needle = rgb(46, 78, 58) if tint is None else tint
    rng = np.random.default_rng(5)
    sketch.rect(-0.04, 0.0, 0.04, 0.16, rgb(82, 62, 48))
    outline = conifer(rng, 0.0, -0.06, 1.6)
    outline[:, 1] = -outline[:, 1]
    sketch.poly(outline, needle)


def flowers(sketch: Sketch, phase: float, tint: Color | None) -> None:
    """Draw a bunch of tall flowers that nod."""
    petal = rgb(236, 90, 110) if tint is None else tint
    for index, (x, tall) in enumerate(((-0.42, 0.72), (-0.2, 0.95), (0.04, 0.8), (0.24, 1.02), (0.46, 0.7))):
        sway = 0.03 * math.sin(phase * 2.0 * math.pi + index * 1.3)
        sketch.limb([(x * 0.6, 0.0), (x * 0.85, tall * 0.5), (x + sway, tall)], [0.016, 0.014, 0.012], rgb(74, 120, 60))
        sketch.blob(
            [(x * 0.75, tall * 0.3), (x * 0.75 + 0.18, tall * 0.48), (x * 0.75 + 0.05, tall * 0.46)], rgb(74, 120, 60)
        )
        for leaf in range(8):
            angle = leaf * math.pi / 4.0 + index
            sketch.oval(
                x + sway + 0.085 * math.cos(angle),
                tall + 0.085 * math.sin(angle),
                0.075,
                0.042,
                petal * (0.85 + 0.15 * (leaf % 2)),
                turn=angle,
            )
        sketch.disc(x + sway, tall, 0.05, rgb(250, 206, 80))


def _plant(draw: Draw, size: float) -> Kind:
    return Kind(draw=draw, medium=Medium.GROUND, box=Box(-1.0, 1.0, -0.05, 1.75), size=size, landmark=True)


PLANTS: dict[str, Kind] = {
    "tree": _plant(tree, 2.3),
    "blossom": _plant(blossom, 2.3),
    "maple": _plant(maple, 2.3),
    "palm": _plant(palm, 2.0),
    "pine": _plant(pine, 2.2),
    "flowers": Kind(
        draw=flowers, medium=Medium.GROUND, box=Box(-0.75, 0.75, -0.05, 1.3), size=0.55, period=3.0, phases=14
    ),
}
