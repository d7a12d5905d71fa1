"""Casting: where the figures of a shot stand, how large, which way they look, and what is drawn of them."""

import math
from dataclasses import replace

import numpy as np

from understudy.animatic.scene.actor import Actor, Part, drawings, halo_of
from understudy.animatic.scene.figures import KINDS
from understudy.animatic.scene.figures.kind import Kind, Motion
from understudy.animatic.scene.figures.sketch import lighting_for
from understudy.animatic.scene.palette import NAMED_COLORS, Color, toward
from understudy.animatic.scene.raster import Picture, resize
from understudy.animatic.scene.stage import Medium, Spot, Stage
from understudy.animatic.storyboard import Setting, Shot, View, Weather

_MOST = 4
_UNDER_ROOF = frozenset({Setting.INTERIOR, Setting.UNDERWATER, Setting.SPACE})
_WALKERS = frozenset({"person", "woman"})
_COASTS = frozenset({Setting.SEA, Setting.BEACH, Setting.LAKE})
_FLYING = frozenset({Medium.AIR, Medium.SPACE})
_LIT_FROM_BEHIND = frozenset({Medium.GROUND, Medium.ROAD, Medium.WATER})
_HALO_LIFT = 0.2
_LEAPERS = frozenset({"whale", "dolphin", "shark"})


def media_wanted(shot: Shot) -> frozenset[Medium]:
    """Return what the figures of a shot stand on or move in."""
    return frozenset(KINDS[name].medium for name in shot.figures if name in KINDS)


def add_figures(stage: Stage) -> None:
    """Put the figures on the stage: landmarks farther off to one side, the others around the other third."""
    named = stage.shot.figures
    sheltered = "umbrella" in named and not _WALKERS.isdisjoint(named)
    entries = [
        (name, KINDS[name], _tint(stage.shot, index))
        for index, name in enumerate(named)
        if name in KINDS and not (sheltered and name == "umbrella")
    ]
    cast = [(_dressed(stage, name, kind), tint) for name, kind, tint in entries[:_MOST]]
    lead_side = 1.0 if stage.sun[0] < stage.width / 2 else -1.0
    landmarks = [entry for entry in cast if entry[0].landmark]
    others = [entry for entry in cast if not entry[0].landmark]
    if len(others) == 1:
        others = [(_prominent(others[0][0]), others[0][1])]
    for index, (kind, tint) in enumerate(landmarks):
        place = -lead_side * (0.52 if others or len(landmarks) > 1 else 0.3) * (1.0 if index % 2 == 0 else -1.0)
        _enter(stage, kind, tint, place, lead_side)
    count: dict[Medium, int] = {}
    for kind, tint in others:
        seat = count.get(kind.medium, 0)
        count[kind.medium] = seat + 1
        step = (0.3, -0.42, 0.82, -0.9)[seat % 4] if len(others) > 1 or landmarks else 0.22
        _enter(stage, kind, tint, lead_side * step, -lead_side)


def _prominent(kind: Kind) -> Kind:
    """Return a small animal larger when nothing shares the stage with it."""
    if kind.medium is not Medium.GROUND or kind.size >= 0.75:
        return kind
    return replace(kind, size=kind.size * min(1.6, 0.75 / kind.size))


def _tint(shot: Shot, index: int) -> Color | None:
    """Return the color that the prompt gave to a figure."""
    return NAMED_COLORS.get(shot.figure_colors[index]) if index < len(shot.figure_colors) else None


def _dressed(stage: Stage, name: str, kind: Kind) -> Kind:
    """Return the figure as the place wants it: under an umbrella in rain, leaping from the sea, afloat in space."""
    setting, wet = stage.shot.setting, stage.shot.weather in {Weather.RAIN, Weather.STORM}
    if name in _WALKERS and (wet or "umbrella" in stage.shot.figures) and setting not in _UNDER_ROOF:
        kind = KINDS["umbrella"]
    elif kind.medium is Medium.DEEP and setting is not Setting.UNDERWATER:
        kind = _out_of_the_deep(name, kind, setting)
    elif name == "astronaut" and setting is Setting.SPACE:
        kind = replace(kind, medium=Medium.SPACE, motion=Motion.DRIFT, speed=0.05, size=1.25, period=5.0)
    elif kind.medium is Medium.SPACE and setting is not Setting.SPACE:
        kind = replace(kind, medium=Medium.AIR)
    elif setting is Setting.INTERIOR and kind.motion is Motion.WALK:
        kind = replace(kind, speed=kind.speed * 0.3)
    return kind


def _out_of_the_deep(name: str, kind: Kind, setting: Setting) -> Kind:
    """Return a sea creature above the water: large ones leap, turtles crawl ashore, on land the others fly."""
    if name == "turtle" and setting is not Setting.SEA:
        return replace(kind, medium=Medium.GROUND, motion=Motion.WALK, speed=kind.speed * 0.5, period=kind.period * 1.6)
    if name in _LEAPERS:
        return replace(
            kind, medium=Medium.WATER, motion=Motion.LEAP, size=kind.size * (1.3 if name == "whale" else 1.0)
        )
    return replace(kind, medium=Medium.WATER if setting in _COASTS else Medium.AIR)


def _spot(stage: Stage, medium: Medium) -> Spot | None:
    """Return the place for a medium, or the nearest thing the set has to it."""
    spots = stage.spots
    if medium in spots:
        return spots[medium]
    if medium is Medium.AIR or medium is Medium.SPACE:
        return _in_the_air(stage)
    if medium is Medium.WATER:
        return spots.get(Medium.GROUND) or _in_the_air(stage)
    return spots.get(Medium.GROUND) or spots.get(Medium.SPACE) or spots.get(Medium.DEEP) or _in_the_air(stage)


def _in_the_air(stage: Stage) -> Spot:
    """Return the place for what flies: the open sky above the horizon."""
    row = min(stage.horizon * 0.5, stage.height * (0.34 if stage.portrait else 0.36))
    return Spot(
        x=stage.width * 0.5, spread=stage.width * 0.3, ground=float(row), size=stage.person * 1.15, depth=0.4, order=7.0
    )


def _enter(stage: Stage, kind: Kind, tint: Color | None, place: float, facing: float) -> None:
    """Put one figure, or its flock, on the stage at `place` (-1 to 1 across its spot), looking to `facing`."""
    spot = _spot(stage, kind.medium)
    if spot is None:
        return
    unit = _fitting(stage, kind, spot.size * kind.size)
    if kind.many > 1:
        _enter_flock(stage, kind, tint, spot, unit, facing)
        return
    if kind.motion is Motion.RIDE:
        facing = 1.0 if stage.rng.random() < 0.5 else -1.0
    x = spot.x + place * spot.spread
    if kind.motion is Motion.RIDE and kind.box.width > 6.0:
        x = spot.x + facing * 0.12 * stage.width
    y = spot.row(x) + (0.02 * unit if kind.medium is Medium.GROUND else 0.0)
    if kind.medium is Medium.AIR or kind.motion is Motion.RISE:
        y = max(y + 0.3 * unit * (kind.box.top - 0.4), 0.09 * stage.height + kind.box.top * unit)
    water = spot.ground if kind.motion is Motion.LEAP and isinstance(spot.ground, float) else None
    light = lighting_for(stage.palette, (x, y - 0.5 * unit), stage.sun, far=_distance(stage, kind, spot))
    part = Part(
        kind=kind,
        x=x,
        y=y,
        unit=unit,
        facing=facing,
        depth=spot.depth,
        middle=_middle(stage),
        pace=stage.pace,
        phase=float(stage.rng.random()) if kind.motion is not Motion.LEAP else 0.16,
        until=water,
        ground=spot,
    )
    order = spot.order
    if kind.landmark:
        order = spot.order - 0.02 if spot.back is None else spot.back
    grounded = kind.medium in {Medium.GROUND, Medium.ROAD} and (not kind.landmark or spot.back is None)
    moving = drawings(kind.moving, unit, facing, light, tint) if kind.moving else None
    sprites = drawings(kind, unit, facing, light, tint, grounded=grounded)
    stage.add(Actor(part, sprites, moving, _halo(stage, kind)), order)


def _halo(stage: Stage, kind: Kind) -> Picture | None:
    """Return the light behind a figure on the ground or on the water, where the hour is dark; None by day."""
    palette = stage.palette
    if kind.landmark or kind.medium not in _LIT_FROM_BEHIND or stage.shot.setting is Setting.UNDERWATER:
        return None
    bright = float(toward(palette.haze, palette.ambient, 0.5).mean())
    lift = min(_HALO_LIFT, _HALO_LIFT * 2.0 * max(palette.lamps, 0.6 if palette.moon else 0.0) - 0.5 * _HALO_LIFT)
    if lift <= 0.0 or bright > 0.6:
        return None
    tone = toward(palette.haze, palette.key, 0.5)
    return halo_of(kind, tone * np.float32(lift / max(float(tone.mean()), 0.05)))


def _fitting(stage: Stage, kind: Kind, unit: float) -> float:
    """Return a unit at which the figure stays within the frame, long trains excepted."""
    if kind.box.width > 6.0:
        return unit
    widest = 0.62 if not stage.portrait else 0.82
    unit = min(unit, widest * stage.width / kind.box.width, 0.56 * stage.height / kind.box.height)
    if stage.shot.view is View.WIDE and (kind.landmark or kind.medium in _FLYING):
        unit = min(unit, 0.42 * stage.height / kind.box.height)
    return max(unit, 8.0)


def _distance(stage: Stage, kind: Kind, spot: Spot) -> float:
    """Return how much of the air lies before the figure."""
    base = 0.16 if spot.depth < 0.7 else 0.03
    if kind.landmark:
        base += 0.06
    return min(0.5, base + (0.16 if stage.shot.weather is Weather.FOG else 0.0))


def _middle(stage: Stage) -> float:
    """Return the second at the middle of the shot, on the figures' clock."""
    return stage.shot.frames / 48.0 * stage.pace


def _enter_flock(stage: Stage, kind: Kind, tint: Color | None, spot: Spot, unit: float, facing: float) -> None:
    """Put many of a kind on the stage, strewn in depth; the far ones share smaller copies of the drawings."""
    rng = stage.rng
    light = lighting_for(stage.palette, (spot.x, float(spot.row(spot.x))), stage.sun, far=_distance(stage, kind, spot))
    near = drawings(kind, unit, facing, light, tint)
    calm = kind.motion in {Motion.DRIFT, Motion.RISE}
    for index in range(kind.many):
        size = float(rng.uniform(0.45, 1.0)) if index else 1.0
        if calm:
            x = stage.width * float(rng.uniform(0.08, 0.92))
            y = float(spot.row(spot.x)) + float(rng.uniform(-0.26, 0.3)) * stage.height
        else:
            rank = (index + 1) // 2
            wing = 1.0 if index % 2 else -1.0
            x = spot.x + facing * (0.1 * stage.width) - facing * rank * unit * 1.25 + float(rng.normal(0, 0.3)) * unit
            y = float(spot.row(spot.x)) + wing * rank * unit * 0.6 + float(rng.normal(0, 0.35)) * unit
            size = float(rng.uniform(0.7, 1.0))
        part = Part(
            kind=kind,
            x=x,
            y=y,
            unit=unit * size,
            facing=facing,
            depth=spot.depth * (0.5 + 0.5 * size),
            middle=_middle(stage),
            pace=stage.pace,
            phase=float(rng.random()),
        )
        stage.add(Actor(part, _copies(near, size)), spot.order - 0.3)


def _copies(sprites: list[Picture], size: float) -> list[Picture]:
    """Return drawings at a smaller size."""
    if size > 0.98:
        return sprites
    return [
        resize(sprite, max(2, math.ceil(sprite.shape[1] * size)), max(2, math.ceil(sprite.shape[0] * size)))
        for sprite in sprites
    ]
