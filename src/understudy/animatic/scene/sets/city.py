"""The city from afar: a skyline in three depths over a river that mirrors it."""

import numpy as np

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.facade import tower
from understudy.animatic.scene.ground import Soil, add_crest, wants_ground
from understudy.animatic.scene.layers import Plate
from understudy.animatic.scene.palette import rgb, toward
from understudy.animatic.scene.raster import Picture, blank, premultiplied
from understudy.animatic.scene.sets.waters import water_spot
from understudy.animatic.scene.stage import Medium, Stage
from understudy.animatic.scene.water import Surface, Water
from understudy.animatic.storyboard import Weather


def build_city(stage: Stage) -> None:
    """Build the skyline, the glow of its streets, and water or wet pavement before it."""
    for step, (tall, haze, depth) in enumerate([(0.5, 0.66, 0.1), (0.62, 0.36, 0.18), (0.4, 0.08, 0.3)]):
        stage.add(_row_of_towers(stage, tall, haze, depth, step), 2.0 + step)
        low = stage.horizon
        fog = mist(stage, top=low - 0.2 * stage.height, bottom=low + 0.05 * stage.height, strength=0.42, depth=depth)
        if step < 2:
            stage.add(fog, 2.5 + step)
    if stage.palette.lamps > 0.5:
        stage.add(_street_glow(stage), 4.5)
    wet = stage.shot.weather in {Weather.RAIN, Weather.STORM}
    deep = toward(rgb(10, 22, 36), stage.palette.middle, 0.2)
    surface = Surface(deep=deep, chop=0.5, ripple=1.2, speed=0.6, mirror=0.55, glitter=0.4, smear=0.05 if wet else 0.03)
    stage.add(Water(stage, surface, stage.horizon), 6.0)
    stage.spots[Medium.WATER] = water_spot(stage)
    if wants_ground(stage):
        soil = Soil(own=rgb(140, 136, 142), rough=0.0, grain=0.35, shine=0.2)
        spot = add_crest(stage, soil, level=0.77 if not stage.portrait else 0.72, rise=0.0)
        stage.spots[Medium.GROUND] = stage.spots[Medium.ROAD] = spot


def _row_of_towers(stage: Stage, tall: float, haze: float, depth: float, step: int) -> Plate:
    """Return one depth of the skyline: `tall` is the greatest height as a part of the frame."""
    rng, palette = stage.rng, stage.palette
    margin = stage.camera.margin(depth) + 4
    width = stage.width + 2 * margin
    top = int(stage.horizon - stage.height * tall * 1.3)
    foot = int(stage.horizon) - top
    image = blank(foot + 6, width)
    wide = stage.unit * (44.0 + 34.0 * step) * stage.nearness
    peak = width * (0.62 if stage.sun[0] < stage.width / 2 else 0.38)
    x = -wide * 0.5
    while x < width:
        w = wide * rng.uniform(0.65, 1.5)
        hill = 0.42 + 0.58 * float(np.exp(-(((x - peak) / (0.27 * width)) ** 2)))
        high = stage.height * tall * hill * float(rng.beta(2.2, 2.6) * 0.95 + 0.14)
        base = rgb(78, 84, 104) * np.float32(rng.uniform(0.75, 1.2))
        if palette.lamps < 0.3:
            base = toward(base, rgb(168, 158, 150), float(rng.random()))
        wall = toward(base * (palette.ambient * np.float32(1.15)), palette.haze, haze)
        storey = stage.unit * (5.0 + 3.4 * step) * stage.nearness
        lit = 0.52 * palette.lamps * (0.75 if step == 0 else 1.0)
        tower(
            rng,
            image,
            int(x),
            foot,
            int(w),
            int(high),
            wall=wall,
            palette=palette,
            storey=storey,
            lit=lit,
            sun_right=stage.sun[0] > x,
        )
        x += w * rng.uniform(0.72, 1.12)
    _veil(stage, image, haze)
    image[foot:] = image[foot - 1 : foot]
    return Plate(image, -float(margin), float(top), depth)


def _veil(stage: Stage, image: Picture, haze: float) -> None:
    """Let the feet of the towers sink into the air, the more the farther they stand."""
    rows = np.linspace(0.0, 1.0, image.shape[0], dtype=np.float32)[:, None, None] ** 2
    part = rows * np.float32(0.2 + 0.5 * haze)
    tone = stage.palette.haze * np.float32(255.0)
    cover = image[..., 3:].astype(np.float32) / np.float32(255.0)
    image[..., :3] = (image[..., :3] * (1.0 - part) + tone * part * cover).astype(np.uint8)


def _street_glow(stage: Stage) -> Plate:
    """Return the light that hangs over the quay at night."""
    width, height = stage.width // 8 + 2, max(4, int(stage.height * 0.22) // 8)
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    wave = 0.75 + 0.25 * np.sin(np.linspace(0, 19, width, dtype=np.float32))[None, :]
    tone = toward(rgb(255, 186, 110), stage.palette.key, 0.5)
    image = premultiplied(tone, (np.exp(-(y**2) * 5.0) * wave * 0.34).astype(np.float32))
    image[..., 3] = 0
    return Plate(image, 0.0, stage.horizon - stage.height * 0.13, 0.1, scale=0.125, light=True)
