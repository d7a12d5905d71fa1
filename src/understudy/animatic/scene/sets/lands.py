"""Open land: desert, field, the ground of other worlds, and the sea of clouds."""

import numpy as np

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.ground import Soil, add_crest, grass_soil, snow_soil, tree_line, wants_ground
from understudy.animatic.scene.noise import fractal
from understudy.animatic.scene.palette import rgb, toward
from understudy.animatic.scene.planet import Planet
from understudy.animatic.scene.raster import Field, blur, mix, smoothstep
from understudy.animatic.scene.stage import Medium, Stage
from understudy.animatic.scene.terrain import Land, Outlook, ground_color, lit_by, see_land
from understudy.animatic.storyboard import Season

_MAP = 768


def build_desert(stage: Stage) -> None:
    """Build dunes with sharp crests and long shadows."""
    height = _dunes(stage)
    ripples = _wind_ripples(stage)
    light = lit_by(stage, height + ripples, contrast=1.3)
    own = mix(rgb(196, 138, 84), rgb(240, 198, 140), smoothstep(0.0, 1.0, height / height.max())[..., None])
    land = Land(height, ground_color(stage, own.astype(np.float32), light))
    focal = stage.height * (0.9 if stage.portrait else 1.15) * stage.nearness
    fog = 900.0 * (1.0 - 0.7 * stage.palette.overcast)
    far = Outlook(x=_MAP / 2, start=0.0, rise=52.0, focal=focal, near=190.0, far=740.0, fog=fog)
    near = Outlook(x=_MAP / 2, start=0.0, rise=52.0, focal=focal, near=34.0, far=192.0, fog=fog)
    stage.add(see_land(stage, land, far, depth=0.2), 2.0)
    stage.add(see_land(stage, land, near, depth=0.55), 3.0)
    soil = Soil(own=rgb(226, 172, 112), rough=0.08, grain=0.3, shine=0.3)
    stage.spots[Medium.GROUND] = add_crest(stage, soil, level=0.76 if not stage.portrait else 0.72, rise=0.05)


def _dunes(stage: Stage) -> Field:
    """Return a height map of dunes: a gentle windward side, a crest, and a steep slip face."""
    rng = stage.rng
    bend = fractal(rng, _MAP, _MAP, 2.5, octaves=3) * np.float32(95.0)
    size = fractal(rng, _MAP, _MAP, 3.0, octaves=2) * 0.5 + 0.55
    z, x = np.mgrid[0:_MAP, 0:_MAP].astype(np.float32)
    total = np.zeros((_MAP, _MAP), np.float32)
    for wave, tall, turn in ((128.0, 34.0, 0.5), (71.0, 11.0, -0.3)):
        along = ((x * np.cos(turn) + z * np.sin(turn) + bend) / wave) % 1.0
        profile = np.where(along < 0.72, smoothstep(0.0, 0.72, along) * 0.6 + along / 0.72 * 0.4, (1.0 - along) / 0.28)
        total += profile.astype(np.float32) * tall * np.clip(size, 0.1, 1.1)
    return np.asarray(total * smoothstep(10.0, 120.0, z), np.float32)


def _wind_ripples(stage: Stage) -> Field:
    """Return the small ripples that wind draws on sand."""
    bend = fractal(stage.rng, _MAP, _MAP, 9.0, octaves=3) * np.float32(7.0)
    z, x = np.mgrid[0:_MAP, 0:_MAP].astype(np.float32)
    return np.asarray(np.sin((x * 0.8 + z * 0.6 + bend) * 1.15) * 0.22, np.float32)


def build_field(stage: Stage) -> None:
    """Build rolling hills with fields and hedges, far woods, and a meadow in front."""
    rng, palette = stage.rng, stage.palette
    height = (fractal(rng, _MAP, _MAP, 4.0, octaves=3, gain=0.4) * 0.5 + 0.5) * np.float32(46.0)
    z = np.arange(_MAP, dtype=np.float32)[:, None]
    height = height * (0.4 + 0.9 * smoothstep(100.0, 620.0, z))
    own = _fields(stage)
    land = Land(height.astype(np.float32), ground_color(stage, own, lit_by(stage, height.astype(np.float32))))
    focal = stage.height * (0.9 if stage.portrait else 1.2) * stage.nearness
    fog = 820.0 * (1.0 - 0.74 * palette.overcast)
    view = Outlook(x=_MAP / 2, start=0.0, rise=50.0, focal=focal, near=60.0, far=740.0, fog=fog)
    stage.add(see_land(stage, land, view, depth=0.25), 2.0)
    low = stage.horizon + 0.02 * stage.height
    stage.add(
        mist(stage, top=low - 0.07 * stage.height, bottom=low + 0.1 * stage.height, strength=0.34, depth=0.3), 2.6
    )
    leaves = rgb(140, 92, 42) if stage.shot.season is Season.AUTUMN else rgb(44, 66, 44)
    wood = toward(leaves * (palette.ambient * np.float32(0.8) + palette.key * np.float32(0.25)), palette.haze, 0.3)
    level = 0.735 if stage.portrait else 0.765
    stage.add(tree_line(stage, level=level, rise=0.02, tall=0.05 * stage.height, color=wood, depth=0.5, gap=0.3), 4.0)
    stage.spots[Medium.GROUND] = add_crest(
        stage, grass_soil(stage), level=0.75 if not stage.portrait else 0.71, rise=0.035
    )


def _fields(stage: Stage) -> Field:
    """Return the own colors of farmland: patches of crops with hedges between, or snow."""
    rng = stage.rng
    grain = fractal(rng, _MAP, _MAP, 60.0, octaves=3)
    if stage.snowy:
        return np.asarray(np.clip(snow_soil().own + grain[..., None] * np.float32(0.03), 0.0, 1.0), np.float32)
    bend_x, bend_z = (fractal(rng, _MAP, _MAP, 4.0, octaves=2) * np.float32(40.0) for _ in range(2))
    z, x = np.mgrid[0:_MAP, 0:_MAP].astype(np.float32)
    cell_x, cell_z = (x + bend_x) / 64.0, (z + bend_z) / 42.0
    pick = rng.integers(0, 5, (40, 40))
    autumn = stage.shot.season is Season.AUTUMN
    crops = np.stack([rgb(116, 146, 66), rgb(88, 128, 60), rgb(190, 176, 92), rgb(140, 150, 76), rgb(74, 112, 54)])
    if autumn:
        crops = np.stack([rgb(176, 136, 66), rgb(148, 116, 58), rgb(200, 166, 84), rgb(132, 118, 62), rgb(160, 96, 50)])
    own = crops[pick[np.clip(cell_z, -9, 29).astype(int) + 9, np.clip(cell_x, -9, 29).astype(int) + 9]]
    hedge = np.minimum(np.abs(cell_x - np.round(cell_x)) * 64, np.abs(cell_z - np.round(cell_z)) * 42)
    own = mix(own, rgb(46, 70, 40), (smoothstep(3.4, 1.6, hedge + grain * 1.5) * 0.85)[..., None])
    return np.asarray(np.clip(own * (1.0 + 0.16 * grain[..., None]), 0.0, 1.0), np.float32)


def build_clouds_below(stage: Stage) -> None:
    """Build a sea of clouds seen from above."""
    rng, palette = stage.rng, stage.palette
    broad = fractal(rng, _MAP, _MAP, 6.0, octaves=2)
    domes = np.sqrt(np.abs(fractal(rng, _MAP, _MAP, 12.0, octaves=3, gain=0.4)) + 1e-4)
    fine = np.sqrt(np.abs(fractal(rng, _MAP, _MAP, 40.0, octaves=3, gain=0.45)) + 1e-4)
    height = np.clip(0.55 + broad, 0.12, 1.4) * 44.0 * domes + 7.0 * fine
    height = np.asarray(blur(height.astype(np.float32), 1.6), np.float32)
    high = np.clip(height / np.percentile(height, 98), 0.0, 1.0)
    light = smoothstep(0.05, 0.95, 0.62 * lit_by(stage, height * np.float32(0.5), contrast=0.7) + 0.42 * high)
    shade = toward(palette.cloud_shade, palette.zenith, 0.25) * np.float32(0.86)
    own = mix(shade, palette.cloud_lit, light[..., None])
    land = Land(height, np.clip(own * 255.0, 0, 255).astype(np.uint8))
    focal = stage.height * (0.75 if stage.portrait else 1.0)
    near = Outlook(x=_MAP / 2, start=0.0, rise=84.0, focal=focal, near=30.0, far=200.0, fog=3200.0)
    far = Outlook(x=_MAP / 2, start=0.0, rise=84.0, focal=focal, near=200.0, far=740.0, fog=1900.0)
    tone = toward(palette.horizon, palette.cloud_lit, 0.3)
    stage.add(see_land(stage, land, far, depth=0.2, fog_color=tone), 2.0)
    stage.add(see_land(stage, land, near, depth=0.5, fog_color=tone), 3.0)
    low = stage.horizon + 0.22 * (stage.height - stage.horizon)
    stage.add(
        mist(stage, top=low, bottom=low + 0.5 * (stage.height - low), strength=0.3, depth=0.7, color=palette.cloud_lit),
        3.5,
    )
    if wants_ground(stage):
        soil = Soil(own=rgb(120, 112, 108), rough=1.4, grain=0.7) if not stage.snowy else snow_soil()
        stage.spots[Medium.GROUND] = add_crest(stage, soil, level=0.76 if not stage.portrait else 0.72, rise=0.045)


def cratered(stage: Stage, *, depth: float = 9.0, count: int = 130) -> Field:
    """Return a height map of old craters on rolling dust."""
    rng = stage.rng
    height = (fractal(rng, _MAP, _MAP, 4.0, octaves=6, gain=0.45) * 20.0).astype(np.float32)
    for _ in range(count):
        radius = float(np.clip(rng.pareto(1.6) * 7.0 + 5.0, 5.0, 70.0))
        x, z = rng.uniform(0, _MAP, 2)
        left, right = max(int(x - 2 * radius), 0), min(int(x + 2 * radius) + 1, _MAP)
        top, bottom = max(int(z - 2 * radius), 0), min(int(z + 2 * radius) + 1, _MAP)
        across = (np.arange(left, right) - x)[None, :] / radius
        away = np.hypot(across, (np.arange(top, bottom) - z)[:, None] / radius)
        bowl = np.where(away < 1.0, away**2 - 1.0, 0.0) + 0.42 * np.exp(-(((away - 1.05) / 0.24) ** 2))
        height[top:bottom, left:right] += (bowl * depth * (radius / 30.0) ** 0.7).astype(np.float32)
    return height


def build_planet(stage: Stage) -> None:
    """Build the ground of another world under a black or dusty sky."""
    height = cratered(stage)
    base = rgb(176, 176, 182) if stage.palette.moon else rgb(196, 112, 72)
    side = 0.3 if stage.sun[0] > stage.width / 2 else 0.7
    radius = 0.15 * max(stage.height, stage.width * 0.8)
    stage.add(Planet(stage, stage.width * side, stage.horizon * 0.42, radius, depth=0.05), 1.2)
    grain = fractal(stage.rng, _MAP, _MAP, 30.0, octaves=5, gain=0.6)[..., None]
    own = np.clip(base * (1.0 + 0.22 * grain), 0.0, 1.0).astype(np.float32)
    land = Land(height, ground_color(stage, own, lit_by(stage, height, contrast=1.5)))
    focal = stage.height * (0.85 if stage.portrait else 1.1)
    far = Outlook(x=_MAP / 2, start=0.0, rise=40.0, focal=focal, near=150.0, far=740.0, fog=2400.0)
    near = Outlook(x=_MAP / 2, start=0.0, rise=40.0, focal=focal, near=26.0, far=152.0, fog=2400.0)
    stage.add(see_land(stage, land, far, depth=0.2), 2.0)
    stage.add(see_land(stage, land, near, depth=0.5), 3.0)
    soil = Soil(own=base, rough=0.9, grain=0.8, shine=0.3)
    stage.spots[Medium.GROUND] = add_crest(stage, soil, level=0.76 if not stage.portrait else 0.72, rise=0.035)
