"""Space: nebula, stars, and a planet that turns."""

import numpy as np

from understudy.animatic.scene.layers import Backdrop, Plate
from understudy.animatic.scene.noise import fractal
from understudy.animatic.scene.palette import Color, rgb
from understudy.animatic.scene.planet import Planet, ring_plates
from understudy.animatic.scene.raster import Field, blur, opaque, premultiplied, resize, sample, smoothstep, to_picture
from understudy.animatic.scene.sky import Twinkle
from understudy.animatic.scene.stage import Medium, Spot, Stage

_NEBULAE = (
    (rgb(24, 32, 92), rgb(150, 60, 150), rgb(255, 158, 120)),
    (rgb(10, 44, 84), rgb(40, 140, 150), rgb(255, 214, 160)),
    (rgb(52, 20, 84), rgb(190, 50, 100), rgb(255, 190, 120)),
    (rgb(14, 28, 76), rgb(70, 90, 190), rgb(214, 170, 230)),
)


def build_space(stage: Stage) -> None:
    """Build deep space: clouds of gas, three depths of stars, and a planet on one side."""
    colors = _NEBULAE[int(stage.rng.integers(0, len(_NEBULAE)))]
    stage.add(Backdrop(opaque(to_picture(_nebula(stage, colors)))), 0.0)
    stage.add(_stars(stage, 420, 0.10), 0.5)
    stage.add(_stars(stage, 90, 0.25, bright=True), 0.6)
    stage.add(Twinkle.strewn(stage, 26), 0.7)
    side = 0.3 if stage.sun[0] > stage.width / 2 else 0.7
    radius = (0.36 if stage.portrait else 0.33) * min(stage.width * 1.15, stage.height) * stage.nearness
    row = stage.height * (0.36 if stage.portrait else 0.46)
    planet = Planet(stage, stage.width * side, row, radius, depth=0.3)
    ringed = stage.rng.random() < 0.45
    if ringed:
        behind, before = ring_plates(stage, stage.width * side, row, radius, depth=0.3)
        stage.add(behind, 1.9)
        stage.add(before, 2.1)
    stage.add(planet, 2.0)
    spot = Spot(
        x=stage.width * (1.0 - side),
        spread=stage.width * 0.16,
        ground=float(stage.height * 0.62),
        size=stage.person * 1.15,
        depth=1.0,
        order=8.0,
    )
    stage.spots[Medium.SPACE] = spot


def _nebula(stage: Stage, colors: tuple[Color, Color, Color]) -> Field:
    """Return clouds of gas: folded noise, dark lanes, a bright heart."""
    width, height = stage.width // 3 + 1, stage.height // 3 + 1
    rng = stage.rng
    fold_x = fractal(rng, width, height, 3.0, octaves=4) * np.float32(0.24 * width)
    fold_y = fractal(rng, width, height, 3.0, octaves=4) * np.float32(0.24 * width)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    base = fractal(rng, width, height, 3.5, octaves=6, gain=0.55)
    gas = sample(base, columns + fold_x, rows + fold_y)
    lanes = sample(fractal(rng, width, height, 5.0, octaves=5, ridged=True), columns + fold_y, rows + fold_x)
    x = (columns / width - stage.sun[0] / stage.width) * np.float32(width / height)
    y = rows / height - np.float32(0.45)
    heart = np.exp(-((x * 0.8 + y * 0.55) ** 2) * 5.0 - (x * x + y * y) * 1.1) * 0.9
    density = np.clip(smoothstep(-0.5, 0.9, gas) * 1.15 * (0.25 + heart) - 0.32 * smoothstep(0.35, 0.8, lanes), 0, 1)
    picture = np.full((height, width, 3), 0.016, np.float32) + colors[0] * np.float32(0.1)
    picture += density[..., None] * colors[0] * np.float32(0.8)
    picture += (density**1.8)[..., None] * colors[1] * np.float32(0.62)
    picture += (density**3.4)[..., None] * colors[2] * np.float32(0.5)
    grown = resize(blur(picture, 0.6), stage.width, stage.height, smooth=True)
    grain = rng.random((stage.height, stage.width, 1), np.float32) - np.float32(0.5)
    field: Field = grown + grain * np.float32(2.0 / 255.0)
    return _dusted(stage, field)


def _dusted(stage: Stage, picture: Field) -> Field:
    """Add the finest stars, one pixel each."""
    count = stage.width * stage.height // 420
    rows = stage.rng.integers(0, stage.height, count)
    columns = stage.rng.integers(0, stage.width, count)
    light = (stage.rng.random(count) ** 6 * 0.7 + 0.06).astype(np.float32)
    tint = stage.rng.uniform(0.8, 1.0, (count, 3)).astype(np.float32)
    picture[rows, columns] += light[:, None] * tint
    return picture


def _stars(stage: Stage, count: int, depth: float, *, bright: bool = False) -> Plate:
    """Return stars of one depth as light; bright ones carry a cross."""
    margin = stage.camera.margin(depth) + 4
    width, height = stage.width + 2 * margin, stage.height + 2 * margin
    glow = np.zeros((height, width), np.float32)
    rng = stage.rng
    rows, columns = rng.integers(8, height - 8, count), rng.integers(8, width - 8, count)
    glow[rows, columns] = rng.uniform(0.4, 1.0, count) ** 2
    soft = blur(glow, 0.9 * stage.unit) * 4.0
    if bright:
        soft = soft + blur(glow, 3.0 * stage.unit) * 9.0
    image = premultiplied(rgb(232, 238, 255), np.clip(soft, 0, 1).astype(np.float32))
    image[..., 3] = 0
    return Plate(image, -float(margin), -float(margin), depth, light=True)
