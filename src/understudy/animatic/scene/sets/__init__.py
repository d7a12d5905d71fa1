"""The sets: one module for each kind of place."""

from collections.abc import Callable

from understudy.animatic.scene.clouds import add_clouds
from understudy.animatic.scene.sets.city import build_city
from understudy.animatic.scene.sets.deep import build_deep
from understudy.animatic.scene.sets.forest import build_forest
from understudy.animatic.scene.sets.interior import build_interior
from understudy.animatic.scene.sets.lands import build_clouds_below, build_desert, build_field, build_planet
from understudy.animatic.scene.sets.mountains import build_mountains
from understudy.animatic.scene.sets.space import build_space
from understudy.animatic.scene.sets.street import build_street
from understudy.animatic.scene.sets.waters import build_beach, build_lake, build_sea
from understudy.animatic.scene.sky import add_sky
from understudy.animatic.scene.stage import Stage
from understudy.animatic.storyboard import Setting

_BUILD: dict[Setting, Callable[[Stage], None]] = {
    Setting.SEA: build_sea,
    Setting.BEACH: build_beach,
    Setting.LAKE: build_lake,
    Setting.CITY: build_city,
    Setting.STREET: build_street,
    Setting.FOREST: build_forest,
    Setting.SPACE: build_space,
    Setting.UNDERWATER: build_deep,
    Setting.INTERIOR: build_interior,
    Setting.MOUNTAINS: build_mountains,
    Setting.DESERT: build_desert,
    Setting.FIELD: build_field,
    Setting.SKY: build_clouds_below,
    Setting.ABSTRACT: build_clouds_below,
    Setting.PLANET: build_planet,
}

_HORIZON = {Setting.SKY: 0.62, Setting.PLANET: 0.64, Setting.BEACH: 0.57, Setting.FOREST: 0.6}
_OWN_SKY = frozenset({Setting.SPACE, Setting.UNDERWATER, Setting.INTERIOR, Setting.FOREST})
_NO_CLOUDS = frozenset({Setting.PLANET})


def horizon_of(setting: Setting, height: int) -> float:
    """Return the row of the horizon; people's heads rise above it where land or water ends in a line."""
    return height * _HORIZON.get(setting, 0.6)


def build_set(stage: Stage) -> None:
    """Build the set of the stage's shot."""
    if stage.shot.setting not in _OWN_SKY:
        add_sky(stage)
        if stage.shot.setting not in _NO_CLOUDS:
            add_clouds(stage)
    _BUILD[stage.shot.setting](stage)
