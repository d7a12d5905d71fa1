"""Building the stage of a shot: measures, light and camera first, then its set, its figures and its weather."""

import numpy as np

from understudy.animatic.scene.camera import Camera
from understudy.animatic.scene.casting import add_figures, media_wanted
from understudy.animatic.scene.effects import add_effects
from understudy.animatic.scene.painter import ScenePainter
from understudy.animatic.scene.palette import Palette, alien_air, palette_for
from understudy.animatic.scene.sets import build_set, horizon_of
from understudy.animatic.scene.stage import Stage
from understudy.animatic.scene.weather import add_weather
from understudy.animatic.storyboard import Painter, Setting, Shot


def scene_painter(shot: Shot, width: int, height: int) -> Painter:
    """Return the painter of a shot at a frame size in pixels.

    The same shot and size give the same frames; a frame depends on its number alone, not on frames drawn before.
    """
    return ScenePainter(build_stage(shot, width, height))


def build_stage(shot: Shot, width: int, height: int) -> Stage:
    """Return the stage of a shot with all that is on it."""
    rng = np.random.default_rng(shot.seed & (2**63 - 1))
    palette = palette_for(shot.light, shot.weather)
    if shot.setting is Setting.PLANET:
        palette = alien_air(palette)
    horizon = horizon_of(shot.setting, height)
    sun = _sun_place(palette, rng, width, horizon)
    camera = Camera(shot.move, shot.frames, width, height, width * 0.5, horizon, 1.0)
    stage = Stage(shot, width, height, rng, palette, camera, horizon, sun)
    stage.wanted = media_wanted(shot)
    build_set(stage)
    add_figures(stage)
    add_effects(stage)
    add_weather(stage)
    return stage


def _sun_place(palette: Palette, rng: np.random.Generator, width: int, horizon: float) -> tuple[float, float]:
    """Return where sun or moon hangs: on one of the two thirds, at the height of the hour."""
    side = rng.choice([0.34, 0.66]) + rng.uniform(-0.05, 0.05)
    height = palette.sun_height if palette.sun_height < 0.3 else palette.sun_height + rng.uniform(-0.08, 0.05)
    return width * float(side), horizon * (1.0 - height)
