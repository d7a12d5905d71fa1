"""Mountains: a snow peak over ridges, forests at their feet, mist between."""

import numpy as np

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.ground import add_crest, grass_soil, tree_line, wants_ground
from understudy.animatic.scene.noise import fractal
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import Field, Picture, mix, smoothstep
from understudy.animatic.scene.stage import Medium, Stage
from understudy.animatic.scene.terrain import Land, Outlook, ground_color, lit_by, see_land
from understudy.animatic.storyboard import Season

_MAP = 768


def range_of_peaks(stage: Stage, *, hero: float, apex: float) -> Land:
    """Return mountains with one that towers: `hero` is its map column, `apex` its height in map pixels."""
    rng = stage.rng
    ridges = fractal(rng, _MAP, _MAP, 4.0, octaves=7, gain=0.52, ridged=True)
    ridges = (ridges - ridges.min()) / np.ptp(ridges)
    broad = fractal(rng, _MAP, _MAP, 2.0, octaves=2) * 0.5 + 0.5
    z = np.arange(_MAP, dtype=np.float32)[:, None]
    x = np.arange(_MAP, dtype=np.float32)[None, :]
    tower = np.exp(-(np.hypot((x - hero) / 135.0, (z - 470.0) / 130.0) ** 1.2))
    depth = smoothstep(110.0, 430.0, z)
    height = ridges * (0.3 + 0.45 * broad) * depth * 0.62 + tower * (0.62 + 0.5 * ridges)
    height = (height * (apex / height.max())).astype(np.float32)
    return Land(height, _rock_and_snow(stage, height, apex))


def _rock_and_snow(stage: Stage, height: Field, peak: float) -> Picture:
    """Return the lit colors: woods below, rock above, snow where it is high and not too steep."""
    grain = fractal(stage.rng, _MAP, _MAP, 40.0, octaves=4, gain=0.6)
    slope = np.hypot(*np.gradient(height))
    rock = rgb(112, 104, 104) + grain[..., None] * np.float32(0.07)
    woods = mix(_woods(stage), _woods(stage) * np.float32(1.35), smoothstep(-0.3, 0.4, grain)[..., None])
    tree_line = smoothstep(0.34, 0.2, height / peak + grain * 0.07)[..., None]
    own = mix(rock, woods, tree_line)
    line = 0.04 if stage.snowy else 0.42
    snow = smoothstep(line - 0.08, line + 0.1, height / peak + grain * 0.09) * smoothstep(3.4, 1.5, slope)
    own = mix(own, rgb(238, 243, 250), snow[..., None])
    return ground_color(stage, own.astype(np.float32), lit_by(stage, height))


def _woods(stage: Stage) -> Color:
    """Return the color of distant woods."""
    return rgb(150, 96, 44) if stage.shot.season is Season.AUTUMN else rgb(50, 70, 56)


def build_mountains(stage: Stage) -> None:
    """Put the range on the stage as two plates with mist between them."""
    hero_side = 0.36 if stage.sun[0] > stage.width / 2 else 0.64
    far = 470.0
    focal = stage.height * (0.85 if stage.portrait else 1.25) * stage.nearness
    hero = _MAP / 2 + (hero_side - 0.5) * stage.width / focal * far
    rise = 56.0
    reach = (0.5 if stage.portrait else 0.72) * stage.horizon
    land = range_of_peaks(stage, hero=hero, apex=rise + reach * far / focal)
    fog = 1500.0 * (1.0 - 0.78 * stage.palette.overcast)
    back = Outlook(x=_MAP / 2, start=0.0, rise=rise, focal=focal, near=130.0, far=740.0, fog=fog)
    stage.add(see_land(stage, land, back, depth=0.16), 2.0)
    foot = stage.horizon + rise * focal / 420.0
    stage.add(
        mist(stage, top=foot - 0.2 * stage.height, bottom=foot + 0.06 * stage.height, strength=0.7, depth=0.2), 2.5
    )
    _add_woods(stage, foot / stage.height)
    if wants_ground(stage):
        level = 0.77 if not stage.portrait else 0.73
        stage.spots[Medium.GROUND] = add_crest(stage, grass_soil(stage), level=level, rise=0.03)


def _add_woods(stage: Stage, foot: float) -> None:
    """Put three rows of spruces before the range, each nearer, darker and taller, with mist between."""
    palette = stage.palette
    lit = _woods(stage) * (palette.ambient * np.float32(0.75) + palette.key * np.float32(0.22))
    low = min(foot, 0.74)
    for step, (drop, tall, haze) in enumerate([(0.0, 0.04, 0.55), (0.07, 0.075, 0.28), (0.17, 0.15, 0.06)]):
        trees = tree_line(
            stage,
            level=low + drop,
            rise=0.02 + 0.02 * step,
            tall=tall * stage.height * (0.75 if stage.portrait else 1.2),
            color=toward(lit * np.float32(1.0 - 0.3 * step), palette.haze, haze),
            depth=0.3 + 0.22 * step,
        )
        stage.add(trees, 3.0 + step)
        if step < 2:
            top = (low + drop + 0.01) * stage.height
            stage.add(mist(stage, top=top, bottom=top + 0.12 * stage.height, strength=0.5, depth=0.4), 3.5 + step)
