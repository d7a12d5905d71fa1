"""Places by the water: open sea, beach and lake."""

from dataclasses import replace

import numpy as np

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.ground import (
    Soil,
    add_crest,
    grass_soil,
    ridge_plate,
    snow_soil,
    tree_line,
    wants_ground,
)
from understudy.animatic.scene.palette import rgb, toward
from understudy.animatic.scene.sets.mountains import range_of_peaks
from understudy.animatic.scene.shore import add_wash
from understudy.animatic.scene.stage import Medium, Spot, Stage
from understudy.animatic.scene.terrain import Outlook, see_land
from understudy.animatic.scene.water import Surface, Water
from understudy.animatic.storyboard import Season, Weather


def build_sea(stage: Stage) -> None:
    """Build open water to the horizon, with a far coast, and a headland in front if someone must stand."""
    palette = stage.palette
    if stage.rng.random() < 0.7:
        coast = toward(palette.shade, palette.haze, 0.72)
        side = ridge_plate(
            stage, level=stage.horizon / stage.height + 0.004, rise=0.028, cells=4.0, color=coast, depth=0.06
        )
        stage.add(side, 2.0)
    rough = {Weather.STORM: 2.0, Weather.RAIN: 1.3}.get(stage.shot.weather, 1.0)
    deep = toward(rgb(10, 62, 88) * palette.ambient * np.float32(1.5), palette.middle, 0.16)
    stage.add(Water(stage, Surface(deep=deep, chop=rough, mirror=0.42), stage.horizon), 4.0)
    stage.spots[Medium.WATER] = water_spot(stage)
    if wants_ground(stage):
        soil = grass_soil(stage)
        stage.spots[Medium.GROUND] = add_crest(stage, soil, level=0.76 if not stage.portrait else 0.72, rise=0.04)


def water_spot(stage: Stage) -> Spot:
    """Return the place for boats: on the water, well below the horizon."""
    row = stage.horizon + (stage.height - stage.horizon) * (0.2 if stage.portrait else 0.3)
    return Spot(
        x=stage.width * 0.5,
        spread=stage.width * 0.3,
        ground=float(row),
        size=stage.person * 0.5,
        depth=0.5,
        order=5.0,
    )


def build_beach(stage: Stage) -> None:
    """Build sea, a line of surf that comes and goes, and sand in front."""
    palette = stage.palette
    coast = toward(palette.shade, palette.haze, 0.68)
    stage.add(
        ridge_plate(stage, level=stage.horizon / stage.height + 0.006, rise=0.04, cells=3.0, color=coast, depth=0.06),
        2.0,
    )
    deep = toward(rgb(20, 104, 120) * palette.ambient * np.float32(1.5), palette.middle, 0.12)
    stage.add(Water(stage, Surface(deep=deep, chop=0.9, mirror=0.4), stage.horizon), 4.0)
    stage.spots[Medium.WATER] = water_spot(stage)
    soil = snow_soil() if stage.snowy else Soil(own=rgb(222, 190, 140), rough=0.1, grain=0.35, shine=0.3)
    level = 0.68 if stage.portrait else 0.71
    spot = add_crest(stage, soil, level=level, rise=0.035)
    stage.spots[Medium.GROUND] = replace(spot, ground=spot.ground + 0.055 * stage.height, back=None)
    add_wash(stage, spot)


def build_lake(stage: Stage) -> None:
    """Build still water that mirrors mountains and a row of spruces."""
    palette = stage.palette
    focal = stage.height * (0.8 if stage.portrait else 1.1) * stage.nearness
    hero_side = 0.4 if stage.sun[0] > stage.width / 2 else 0.6
    hero = 384.0 + (hero_side - 0.5) * stage.width / focal * 470.0
    land = range_of_peaks(stage, hero=hero, apex=(0.52 if stage.portrait else 0.6) * stage.horizon * 470.0 / focal)
    fog = 1500.0 * (1.0 - 0.8 * palette.overcast)
    stage.add(
        see_land(
            stage, land, Outlook(x=384.0, start=0.0, rise=4.0, focal=focal, near=130.0, far=740.0, fog=fog), depth=0.12
        ),
        2.0,
    )
    line = stage.horizon / stage.height
    needles = rgb(118, 84, 40) if stage.shot.season is Season.AUTUMN else rgb(34, 52, 46)
    lit = needles * (palette.ambient * np.float32(0.8) + palette.key * np.float32(0.25))
    for step, (tall, haze) in enumerate([(0.045, 0.34), (0.075, 0.08)]):
        trees = tree_line(
            stage,
            level=line - 0.012 + 0.014 * step,
            rise=0.008,
            tall=tall * stage.height * (0.8 if stage.portrait else 1.2),
            color=toward(lit, palette.haze, haze),
            depth=0.16 + 0.06 * step,
        )
        stage.add(trees, 2.4 + step * 0.3)
    stage.add(
        mist(
            stage,
            top=stage.horizon - 0.09 * stage.height,
            bottom=stage.horizon + 0.012 * stage.height,
            strength=0.22,
            depth=0.2,
        ),
        3.0,
    )
    deep = rgb(14, 44, 52) * palette.ambient * np.float32(1.4)
    stage.add(
        Water(
            stage,
            Surface(deep=deep, chop=0.28, ripple=1.3, speed=0.5, mirror=0.62, glitter=0.35, smear=0.01),
            stage.horizon,
        ),
        4.0,
    )
    stage.spots[Medium.WATER] = water_spot(stage)
    if wants_ground(stage):
        stage.spots[Medium.GROUND] = add_crest(
            stage, grass_soil(stage), level=0.77 if not stage.portrait else 0.73, rise=0.03
        )
