"""Where the figures of a shot stand: above the caption, large enough to be found, apart from what is behind them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.animatic.shots import a_shot
from understudy.animatic.scene.actor import Actor
from understudy.animatic.scene.build import build_stage
from understudy.animatic.scene.painter import ScenePainter
from understudy.animatic.storyboard import Light, Setting, Shot, Weather

LANDSCAPE, PORTRAIT = (640, 360), (360, 640)
LANDS = [
    Setting.BEACH,
    Setting.LAKE,
    Setting.CITY,
    Setting.STREET,
    Setting.FOREST,
    Setting.MOUNTAINS,
    Setting.DESERT,
    Setting.FIELD,
]
SEEN = 20
"""A change of so many levels of 255 is one that an eye finds."""


def trace(shot: Shot, size: tuple[int, int]) -> NDArray[np.int16]:
    """How much each pixel of the middle frame changes because of the cast, 0 to 255."""
    stage = build_stage(shot, *size)
    cast = ScenePainter(stage).paint(shot.frames // 2).astype(np.int16)
    stage.stack = [(order, element) for order, element in stage.stack if not isinstance(element, Actor)]
    empty = ScenePainter(stage).paint(shot.frames // 2).astype(np.int16)
    return np.asarray(np.abs(cast - empty).max(axis=2), np.int16)


def rows_of(changed: NDArray[np.int16]) -> tuple[float, float]:
    """The first and the last row of a figure as parts of the height; single specks do not count."""
    rows = np.flatnonzero((changed > SEEN).sum(axis=1) >= 2)
    return rows[0] / len(changed), rows[-1] / len(changed)


@pytest.mark.parametrize(("size", "lowest"), [(LANDSCAPE, 0.84), (PORTRAIT, 0.79)])
@pytest.mark.parametrize("setting", LANDS)
def test_people_stand_above_the_caption_and_are_large_enough(
    setting: Setting, size: tuple[int, int], lowest: float
) -> None:
    shot = a_shot(setting=setting, frames=96, figures=("person",), seed=3)

    top, foot = rows_of(trace(shot, size))

    assert foot < lowest
    assert foot - top > 0.09


@pytest.mark.parametrize("figure", ["person", "cat", "car"])
@pytest.mark.parametrize("light", list(Light))
@pytest.mark.parametrize("setting", [Setting.STREET, Setting.CITY, Setting.FOREST, Setting.FIELD])
def test_a_figure_is_seen_in_every_light(setting: Setting, light: Light, figure: str) -> None:
    shot = a_shot(setting=setting, light=light, frames=96, figures=(figure,), seed=3, weather=Weather.CLEAR)

    changed = trace(shot, LANDSCAPE)

    body = changed[changed > SEEN]
    assert body.size > 0.002 * changed.size
    assert body.mean() > 1.4 * SEEN
