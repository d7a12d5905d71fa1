"""Under water: light that falls from the surface, a bed of sand with reefs, weeds that sway, and bubbles."""

import numpy as np

from understudy.animatic.scene.ground import Soil, add_crest, fill, ridge_plate
from understudy.animatic.scene.layers import Backdrop, Pulse, pieces
from understudy.animatic.scene.noise import fractal, line_noise
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import (
    Field,
    Picture,
    blank,
    blur,
    opaque,
    premultiplied,
    resize,
    smoothstep,
    to_picture,
)
from understudy.animatic.scene.stage import Medium, Spot, Stage
from understudy.animatic.scene.sway import Sway
from understudy.animatic.storyboard import Light

_DEEP, _MIDDLE, _SHALLOW = rgb(4, 24, 52), rgb(14, 92, 132), rgb(120, 214, 220)


def build_deep(stage: Stage) -> None:
    """Build the sea from within."""
    dim = {Light.NIGHT: 0.42, Light.NEON: 0.5, Light.DUSK: 0.6}.get(stage.shot.light, 1.0)
    stage.add(Backdrop(opaque(to_picture(_water_column(stage, dim)))), 0.0)
    _add_rays(stage, dim)
    for step, (level, haze) in enumerate([(0.74, 0.8), (0.8, 0.55)]):
        color = toward(rgb(20, 50, 70) * np.float32(dim), _MIDDLE * np.float32(0.8 * dim), haze)
        stage.add(
            ridge_plate(stage, level=level, rise=0.07, cells=3.0 + step, color=color, depth=0.2 + 0.2 * step, fade=0.0),
            2.0 + step,
        )
    soil = Soil(own=toward(rgb(190, 184, 150), _SHALLOW, 0.4) * np.float32(0.62 * dim), rough=0.5, grain=0.6, shine=0.3)
    stage.spots[Medium.GROUND] = add_crest(stage, soil, level=0.8, rise=0.02, order=6.0)
    _add_reef(stage, dim)
    _add_weeds(stage, dim)
    stage.spots[Medium.DEEP] = Spot(
        x=stage.width * 0.5,
        spread=stage.width * 0.24,
        ground=float(stage.height * 0.5),
        size=stage.person,
        depth=0.8,
        order=5.0,
    )


def _water_column(stage: Stage, dim: float) -> Field:
    """Return the graded water: bright above near the light, dark below."""
    small_w, small_h = stage.width // 2 + 1, stage.height // 2 + 1
    y = np.linspace(0.0, 1.0, small_h, dtype=np.float32)[:, None]
    x = (
        (np.linspace(0.0, 1.0, small_w, dtype=np.float32)[None, :] - stage.sun[0] / stage.width)
        * stage.width
        / stage.height
    )
    glow = np.exp(-np.hypot(x * 0.9, y + 0.06) * 2.4)
    stops = [0.0, 0.2, 0.62, 1.0]
    tones = np.stack([toward(_MIDDLE, _SHALLOW, 0.5), _MIDDLE, toward(_MIDDLE, _DEEP, 0.6), _DEEP])
    color = np.stack([np.interp(y[:, 0], stops, tones[:, c]) for c in range(3)], axis=-1)[:, None, :]
    picture = color + glow[..., None] * (_SHALLOW - color * 0.4) * 0.85
    ripple = fractal(stage.rng, small_w, small_h, 9.0, octaves=3, stretch=3.5)
    surface = smoothstep(0.16, 0.0, y + ripple * 0.03) * (0.35 + 0.3 * ripple)
    picture = (picture + surface[..., None] * _SHALLOW) * dim
    grown = resize(picture.astype(np.float32), stage.width, stage.height)
    grain = stage.rng.random((stage.height, stage.width, 1), np.float32) - np.float32(0.5)
    return np.asarray(grown + grain * np.float32(2.0 / 255), np.float32)


def _add_rays(stage: Stage, dim: float) -> None:
    """Add two fans of rays that breathe against each other."""
    width, height = stage.width // 4, stage.height // 4
    x = np.arange(width, dtype=np.float32)[None, :] - stage.sun[0] / 4
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5 * height
    fall = smoothstep(0.95, 0.05, np.linspace(0.0, 1.0, height, dtype=np.float32))[:, None]
    for index in range(2):
        beams = line_noise(stage.rng, 1024, 44.0, octaves=3)
        profile = np.interp(np.arctan2(x, y), np.linspace(-1.6, 1.6, 1024), smoothstep(0.0, 0.7, beams))
        light = blur((profile * fall).astype(np.float32), 1.2)
        image = premultiplied(_SHALLOW, np.clip(light * 0.42 * dim, 0, 1).astype(np.float32))
        image[..., 3] = 0
        stage.add(
            Pulse(image, 0.0, 0.0, 0.1, scale=0.25, base=0.55, swing=0.4, rate=0.16 + 0.07 * index, phase=2.6 * index),
            1.0 + 3.5 * index,
        )


def _add_reef(stage: Stage, dim: float) -> None:
    """Put corals and rocks on the bed, at both sides of the frame."""
    margin = stage.camera.margin(1.2) + 4
    image = blank(int(stage.height * 0.42) + margin, stage.width + 2 * margin)
    rng = stage.rng
    foot = image.shape[0] - 2.0
    tones = [rgb(190, 80, 92), rgb(222, 142, 76), rgb(146, 86, 160), rgb(210, 116, 146), rgb(74, 140, 130)]
    for side in (-1.0, 1.0):
        for _ in range(7):
            x = image.shape[1] * (0.5 + side * rng.uniform(0.3, 0.5))
            tone = toward(tones[int(rng.integers(0, 5))], _MIDDLE, 0.35) * np.float32(0.62 * dim)
            _coral(
                stage,
                image,
                x,
                foot + rng.uniform(-0.02, 0.06) * stage.height,
                rng.uniform(0.1, 0.24) * stage.height,
                tone,
            )
    top = stage.height - image.shape[0] + margin
    for plate in pieces(image, -float(margin), float(top), 1.2):
        stage.add(plate, 9.0)


def _coral(
    stage: Stage,
    image: Picture,
    x: float,
    foot: float,
    size: float,
    tone: Color,
) -> None:
    """Draw one branching coral: each arm splits in two until the arms are thin."""
    rng = stage.rng
    arms = [(x + rng.normal(0, 0.1) * size, foot, rng.normal(0, 0.25), size * 0.34, size * 0.055) for _ in range(4)]
    while arms:
        left, low, lean, long, thick = arms.pop()
        end_x, end_y = left + np.sin(lean) * long, low - np.cos(lean) * long
        fill(
            image,
            [
                np.array(
                    [
                        [left - thick, low],
                        [left + thick, low],
                        [end_x + thick * 0.75, end_y],
                        [end_x - thick * 0.75, end_y],
                    ]
                )
            ],
            tone,
        )
        if thick > size * 0.018:
            arms += [(end_x, end_y + thick, lean + rng.uniform(0.2, 0.6), long * 0.72, thick * 0.74)]
            arms += [(end_x, end_y + thick, lean - rng.uniform(0.2, 0.6), long * 0.72, thick * 0.74)]
        lit = np.clip(tone + _SHALLOW * np.float32(0.14), 0, 1)
        fill(
            image,
            [
                np.array(
                    [
                        [left - thick, low],
                        [left - thick * 0.5, low],
                        [end_x - thick * 0.4, end_y],
                        [end_x - thick * 0.75, end_y],
                    ]
                )
            ],
            lit,
        )


def _add_weeds(stage: Stage, dim: float) -> None:
    """Plant kelp that sways in the swell."""
    rng = stage.rng
    for side in (-1.0, 1.0):
        high, wide = int(stage.height * 0.5), int(stage.unit * 240)
        image = blank(high, wide)
        for _ in range(9):
            x = rng.uniform(0.25, 0.75) * wide
            tone = toward(rgb(46, 96, 60), _MIDDLE, float(rng.uniform(0.2, 0.55))) * np.float32(0.7 * dim)
            _kelp(stage, image, x, float(high), float(rng.uniform(0.5, 0.96) * high), tone)
        x = stage.width * (0.5 + side * rng.uniform(0.3, 0.42)) - wide / 2
        stage.add(
            Sway(image, x, stage.height * 0.93 - high, 0.95, reach=0.16 * wide, rate=0.22 * stage.pace, phase=side), 7.0
        )


def _kelp(
    stage: Stage,
    image: Picture,
    x: float,
    foot: float,
    tall: float,
    tone: Color,
) -> None:
    """Draw one ribbon of kelp with leaves."""
    part = np.linspace(0.0, 1.0, 18)
    bend = np.sin(part * stage.rng.uniform(3.0, 6.0) + stage.rng.uniform(0, 6)) * 9.0 * stage.unit * part
    spine = np.stack([x + bend, foot - tall * part], axis=1)
    half = 3.0 * stage.unit * (1.0 - part * 0.8)
    fill(
        image,
        [np.concatenate([spine - np.stack([half, half * 0], 1), (spine + np.stack([half, half * 0], 1))[::-1]])],
        tone,
    )
    for index in range(2, 17):
        side = 1.0 if index % 2 else -1.0
        reach = 24.0 * stage.unit * (1.0 - 0.5 * part[index])
        tip = spine[index] + np.array([side * reach, -reach * 0.7])
        middle = spine[index] + np.array([side * reach * 0.6, -reach * 0.1])
        fill(
            image,
            [np.stack([spine[index], middle, tip, spine[index] + np.array([side * reach * 0.3, -reach * 0.5])])],
            tone,
        )
