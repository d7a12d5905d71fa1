"""The forest from within: trunks in five depths of air, leaves overhead, shafts of light, and the floor."""

import cv2
import numpy as np

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.ground import Soil, add_crest, fill, snow_soil
from understudy.animatic.scene.layers import Plate, Pulse, bake
from understudy.animatic.scene.noise import fractal, line_noise
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import Field, Picture, blank, blur, premultiplied, resize, smoothstep
from understudy.animatic.scene.stage import Medium, Stage
from understudy.animatic.storyboard import Season


def build_forest(stage: Stage) -> None:
    """Build the forest from its bright depth to the dark trunks beside the camera."""
    leaves = _leaf_color(stage)
    tone = _air_tone(stage, leaves)
    far = [_air(stage, leaves), *_depth_plates(stage, leaves, tone, 0), *_depth_plates(stage, leaves, tone, 1)]
    stage.add(bake(stage, far, 0.2), 1.5)
    for step in (2, 3):
        stage.add(bake(stage, _depth_plates(stage, leaves, tone, step), 0.3 + 0.2 * step), 1.0 + step)
        floor = _floor_row(stage, step / 3.0)
        veil = mist(
            stage,
            top=floor - 0.15 * stage.height,
            bottom=floor + 0.06 * stage.height,
            strength=0.5 - 0.12 * step,
            depth=0.3 + 0.2 * step,
            color=tone,
        )
        stage.add(veil, 1.1 + step)
    _add_shafts(stage, 3.5)
    soil = (
        snow_soil()
        if stage.snowy
        else Soil(
            own=toward(rgb(74, 74, 42), leaves, 0.35),
            rough=0.8,
            grain=0.8,
            blades=0.55,
            blade_color=leaves * np.float32(0.9),
        )
    )
    level = 0.78 if not stage.portrait else 0.74
    stage.spots[Medium.GROUND] = add_crest(stage, soil, level=level, rise=0.025)
    _frame_trunks(stage)


def _depth_plates(stage: Stage, leaves: Color, tone: Color, step: int) -> list[Plate]:
    """Return trunks, leaves and floor of one depth, 0 to 3."""
    near = step / 3.0
    return [
        _trunks(stage, tone, near, 0.0),
        _canopy(stage, leaves, tone, near, 0.0),
        _floor(stage, leaves, tone, near, 0.0, _floor_row(stage, near)),
    ]


def _leaf_color(stage: Stage) -> Color:
    """Return the color of the leaves in this season."""
    return {
        Season.AUTUMN: rgb(206, 122, 42),
        Season.SPRING: rgb(142, 176, 72),
        Season.WINTER: rgb(214, 224, 236),
    }.get(stage.shot.season, rgb(82, 124, 56))


def _air_tone(stage: Stage, leaves: Color) -> Color:
    """Return the color of the air between the trunks: the light, tinted by the leaves."""
    palette = stage.palette
    light = toward(palette.horizon, palette.key, 0.25 if not palette.moon else 0.1)
    if palette.moon:
        light = light * np.float32(1.7)
    return toward(light, leaves * gray_floor(light), 0.3)


def gray_floor(color: Color) -> np.float32:
    """Return how bright a color is, at least a little, for scaling another by it."""
    return np.float32(max(0.16, float(color.mean()) * 1.25))


def _air(stage: Stage, leaves: Color) -> Plate:
    """Return the bright depth of the forest: light that falls in behind the trees."""
    width, height = stage.width // 4 + 2, stage.height // 4 + 2
    x = np.linspace(0.0, 1.0, width, dtype=np.float32)[None, :] - stage.sun[0] / stage.width
    y = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None] - 0.4
    glow = np.exp(-np.hypot(x * stage.width / stage.height * 0.8, y * 1.1) * 2.6).astype(np.float32)
    spots = fractal(stage.rng, width, height, 26.0, octaves=3)
    tone = _air_tone(stage, leaves)
    color = tone * (0.5 + 0.62 * glow[..., None]) + stage.palette.key * (0.22 * glow[..., None] ** 2)
    color = color * (1.0 + 0.22 * spots[..., None] * smoothstep(0.75, 0.1, y + 0.4)[..., None])
    image = premultiplied(color.astype(np.float32), np.ones((height, width), np.float32))
    margin = stage.camera.margin(0.9) + 4
    grown = resize(image, stage.width + 2 * margin, stage.height + 2 * margin)
    return Plate(grown, -float(margin), -float(margin), 0.0)


def _floor_row(stage: Stage, near: float) -> float:
    """Return the row where the floor of a depth begins."""
    return stage.horizon + (0.03 + 0.17 * float(near**1.3)) * stage.height


def _shaded(stage: Stage, own: Color, tone: Color, near: float) -> Color:
    """Return a color of the forest at a depth: near things are dark, far ones drown in the air."""
    dark = own * (stage.palette.ambient * np.float32(0.62) + np.float32(0.02))
    return toward(dark, tone, 0.74 * (1.0 - near) ** 1.25)


def _trunks(stage: Stage, tone: Color, near: float, depth: float) -> Plate:
    """Return the trunks of one depth; each has a lit side, and a few have bare branches."""
    rng = stage.rng
    margin = stage.camera.margin(0.9) + 4
    width = stage.width + 2 * margin
    foot = _floor_row(stage, near) + 0.03 * stage.height
    image = blank(int(foot) + margin, width)
    thick = stage.unit * (7.0 + 34.0 * near**1.6) * stage.nearness
    count = int(width / (thick * (3.2 + 2.6 * near)))
    for index in range(count):
        x = (index + rng.uniform(0.0, 1.0)) / count * width
        gap = abs(x - width * 0.5) / width
        if near > 0.5 and gap < 0.16:
            continue
        own = rgb(92, 74, 58) if stage.shot.season is not Season.WINTER else rgb(82, 80, 84)
        color = _shaded(stage, own * np.float32(rng.uniform(0.8, 1.2)), tone, near)
        _trunk(
            stage,
            image,
            x,
            foot + rng.uniform(-0.02, 0.02) * stage.height + margin,
            thick * rng.uniform(0.6, 1.35),
            color,
        )
    return Plate(image, -float(margin), -float(margin), depth)


def _trunk(
    stage: Stage,
    image: Picture,
    x: float,
    foot: float,
    thick: float,
    color: Color,
) -> None:
    """Draw one trunk from above the frame down to its spreading foot, with a rim of light toward the sun."""
    rng = stage.rng
    rows = np.linspace(-10.0, foot, 16)
    sway = line_noise(rng, 16, 2.0, octaves=2) * thick * 0.5
    spread = 0.5 + 0.16 * (rows / foot) + 0.55 * np.clip((rows / foot - 0.93) / 0.07, 0, 1) ** 2
    left = np.stack([x + sway - thick * spread, rows], axis=1)
    right = np.stack([x + sway + thick * spread, rows], axis=1)
    fill(image, [np.concatenate([left, right[::-1]])], color)
    side = 1.0 if stage.sun[0] > x else -1.0
    palette = stage.palette
    rim = np.clip(color + palette.key * np.float32(0.26 * (1.0 - 0.7 * palette.overcast)), 0, 1)
    edge = right if side > 0 else left
    taper = np.clip((0.97 - rows / foot) / 0.3, 0.0, 1.0) * side * max(1.0, thick * 0.16)
    inner = edge - np.stack([taper, np.zeros_like(taper)], axis=1)
    fill(image, [np.concatenate([edge, inner[::-1]])], rim)
    for _ in range(int(rng.integers(0, 3)) if thick > 10 * stage.unit else 0):
        at = rng.uniform(0.1, 0.62) * foot
        out = rng.choice([-1.0, 1.0]) * rng.uniform(2.0, 5.0) * thick
        branch = np.array(
            [
                [x, at],
                [x + out * 0.5, at - abs(out) * 0.3],
                [x + out, at - abs(out) * 0.42],
                [x + out * 0.5, at - abs(out) * 0.22],
                [x, at + thick * 0.3],
            ]
        )
        fill(image, [branch], color)


def _canopy(stage: Stage, leaves: Color, tone: Color, near: float, depth: float) -> Plate:
    """Return the leaves overhead of one depth: dense at the top, hanging down in clusters at the sides."""
    margin = stage.camera.margin(0.9) + 4
    width, height = (stage.width + 2 * margin) // 2, int(stage.height * (0.5 - 0.06 * near)) // 2
    size = 26 * stage.unit * (0.5 + 1.1 * near) * stage.nearness
    leaf = fractal(stage.rng, width, height, width * 2 / size, octaves=3, gain=0.7)
    clump = fractal(stage.rng, width, height, width * 2 / (size * 7.0), octaves=3)
    y = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    x = np.abs(np.linspace(-1.0, 1.0, width, dtype=np.float32))[None, :]
    fall = 0.95 - 1.75 * y + 0.75 * x**2 * (0.5 + near) - 0.25 * (1 - near)
    cover = smoothstep(-0.05, 0.12, fall + clump * 0.85 + leaf * 0.75) * smoothstep(1.0, 0.8, y + 0.12 * clump)
    if stage.shot.season is Season.WINTER:
        cover = cover * smoothstep(0.0, 0.25, leaf)
    light = np.clip(0.5 + 0.55 * leaf + 0.35 * clump, 0.0, 1.0)[..., None]
    dark = _shaded(stage, leaves * np.float32(0.62), tone, near)
    lit = _shaded(stage, leaves * np.float32(1.5), tone, near) + stage.palette.key * np.float32(0.1 * (1 - near))
    image = premultiplied((dark + (lit - dark) * light).astype(np.float32), cover.astype(np.float32))
    return Plate(image, -float(margin), -float(margin), depth, scale=0.5)


def _floor(stage: Stage, leaves: Color, tone: Color, near: float, depth: float, row: float) -> Plate:
    """Return the floor of one depth, with bushes along its edge and patches of sun."""
    rng = stage.rng
    margin = stage.camera.margin(0.9) + 4
    width = stage.width + 2 * margin
    lift = int(stage.unit * (14 + 40 * near))
    height = max(4, stage.height + margin - int(row) + lift)
    course = line_noise(rng, width, 3.0, octaves=2) * np.float32(6 * stage.unit)
    bush = fractal(rng, width, lift * 2 + 4, width / (lift * 1.3), octaves=4, gain=0.6)
    below = np.arange(height, dtype=np.float32)[:, None] - (course + lift)[None, :]
    rough = np.zeros_like(below)
    rough[: bush.shape[0]] = bush[:height]
    cover = smoothstep(-0.2, 0.25, below / lift + rough * 0.95)
    grain = resize(fractal(rng, width // 3, height // 3 + 2, 40.0, octaves=3, stretch=3.0), width, height)
    patch = smoothstep(
        0.25, 0.7, resize(fractal(rng, width // 4, height // 4 + 2, 6.0, octaves=2, stretch=4.0), width, height)
    )
    own = toward(leaves * np.float32(0.66), rgb(84, 66, 44), 0.35) if not stage.snowy else rgb(220, 228, 240)
    base = _shaded(stage, own, tone, near)
    light = 0.85 + 0.3 * grain + 0.35 * np.exp(-np.maximum(below, 0) / lift)
    color = base * light[..., None] + stage.palette.key * (patch * 0.2 * (1.0 - stage.palette.overcast))[..., None]
    return Plate(
        premultiplied(np.clip(color, 0, 1).astype(np.float32), cover.astype(np.float32)),
        -float(margin),
        row - lift,
        depth,
    )


def _add_shafts(stage: Stage, order: float) -> None:
    """Let light fall aslant through the leaves; the shafts breathe slowly."""
    palette = stage.palette
    strength = (0.5 if not palette.moon else 0.2) * (1.0 - 0.9 * palette.overcast)
    if strength < 0.06:
        return
    width, height = stage.width // 4, stage.height // 4
    from_x, from_y = stage.sun[0] / 4, -0.35 * height
    x = np.arange(width, dtype=np.float32)[None, :] - from_x
    y = np.arange(height, dtype=np.float32)[:, None] - from_y
    angle = np.arctan2(x, y)
    fall = smoothstep(1.25, 0.15, y / height).astype(np.float32)
    for index in range(1):
        beams = line_noise(stage.rng, 1024, 34.0, octaves=2)
        profile = np.interp(angle, np.linspace(-1.6, 1.6, 1024), smoothstep(0.1, 0.65, beams)).astype(np.float32)
        light: Field = blur(profile * fall, 1.4)
        image = premultiplied(palette.key, np.clip(light * strength, 0, 1).astype(np.float32))
        image[..., 3] = 0
        stage.add(
            Pulse(image, 0.0, 0.0, 0.1, scale=0.25, base=0.6, swing=0.3, rate=0.11 + 0.05 * index, phase=index * 2.0),
            order,
        )


def _frame_trunks(stage: Stage) -> None:
    """Put one dark trunk and a fern at a side of the frame, out of the way of figures."""
    margin = stage.camera.margin(1.3) + 4
    image = blank(stage.height + 2 * margin, stage.width + 2 * margin)
    dark = rgb(64, 52, 44) * (stage.palette.ambient * np.float32(0.36) + np.float32(0.02))
    side = 0.035 if stage.sun[0] > stage.width / 2 else 0.965
    x = margin + side * stage.width
    _trunk(stage, image, x, image.shape[0] + 40.0, 62.0 * stage.unit * stage.nearness, dark)
    for _ in range(14):
        _fern(stage, image, x + stage.rng.normal(0, 0.12) * stage.width, image.shape[0] - 4.0, dark)
    left, right = (0, int(image.shape[1] * 0.4)) if side < 0.5 else (int(image.shape[1] * 0.6), image.shape[1])
    stage.add(Plate(np.ascontiguousarray(image[:, left:right]), float(left - margin), -float(margin), 1.3), 9.0)


def _fern(stage: Stage, image: Picture, x: float, foot: float, color: Color) -> None:
    """Draw one bowing frond with its leaflets."""
    rng = stage.rng
    size = stage.unit * rng.uniform(70.0, 150.0)
    lean = rng.normal(0.0, 0.8)
    tone = toward(color, stage.palette.key, float(rng.uniform(0.0, 0.08)))
    part = np.linspace(0.0, 1.0, 14)
    spine_x = x + lean * size * part**1.5
    spine_y = foot - size * (part - 0.42 * abs(lean) * part**2)
    for index in range(2, 14):
        reach = size * 0.2 * np.sin(np.pi * part[index]) + 3
        for side in (-1.0, 1.0):
            tip = [spine_x[index] + side * reach, spine_y[index] + reach * 0.35]
            root = [spine_x[index] + 2, spine_y[index] - reach * 0.16]
            fill(image, [np.array([[spine_x[index], spine_y[index] + 3], tip, root])], tone)
    line = np.round(np.stack([spine_x, spine_y], axis=1) * 16).astype(np.int32)
    value = (*(float(part_) for part_ in tone * 255.0), 255.0)
    cv2.polylines(image, [line], False, value, 2, cv2.LINE_AA, 4)
