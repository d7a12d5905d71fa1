"""What falls and drifts before the camera: rain, snow, fog, lightning, fireflies, petals, dust, bubbles."""

import math

import cv2
import numpy as np

from understudy.animatic.scene.clouds import mist
from understudy.animatic.scene.layers import NEVER, Moment
from understudy.animatic.scene.noise import line_noise
from understudy.animatic.scene.palette import Color, rgb, toward
from understudy.animatic.scene.raster import (
    Picture,
    add_onto,
    blank,
    blur,
    enlarge_onto,
    gray_to_rgba,
    premultiplied,
    resize,
    scaled,
    scratch,
)
from understudy.animatic.scene.stage import Stage
from understudy.animatic.storyboard import Setting, Weather

_SHELTERED = frozenset({Setting.UNDERWATER, Setting.SPACE})


def add_weather(stage: Stage) -> None:
    """Put the weather in front of the scene, or behind the window of a room; under water and in space is none."""
    if stage.shot.setting in _SHELTERED:
        return
    order = 1.8 if stage.shot.setting is Setting.INTERIOR else 9.2
    match stage.shot.weather:
        case Weather.RAIN:
            _add_rain(stage, 1.0, order)
        case Weather.STORM:
            _add_rain(stage, 1.5, order)
            stage.add(Lightning(stage), 1.6)
        case Weather.SNOW:
            _add_snow(stage, order)
        case Weather.FOG if stage.shot.setting is not Setting.INTERIOR:
            _add_fog(stage)
        case _:
            pass


class Fall:
    """A tile of drops or flakes that slides over the frame without a seam.

    The tile repeats after (`step_x`, `step_y`) pixels; `sway` swings it sideways.
    """

    def __init__(
        self,
        tile: Picture,
        size: tuple[int, int],
        step: tuple[int, int],
        seconds: float,
        *,
        sway: float = 0.0,
        part: float = 1.0,
    ) -> None:
        self._tile = tile
        self._width, self._height = size
        self._step_x, self._step_y = step
        self._seconds = seconds
        self._sway = sway
        self._part = part

    def draw(self, canvas: Picture, moment: Moment, _until: int) -> None:
        """Add the window of the tile that has come before the camera."""
        window = self.window(moment)
        if self._part != 1.0:
            window = resize(window, canvas.shape[1], canvas.shape[0])
        add_onto(canvas, gray_to_rgba(np.ascontiguousarray(window)))

    def window(self, moment: Moment) -> Picture:
        """Return the part of the tile that has come before the camera, gray."""
        turn = 1.0 - (moment.seconds / self._seconds) % 1.0
        swing = self._sway * (1.0 + math.sin(moment.seconds * 0.9)) if self._sway else 0.0
        left, top = int(turn * self._step_x + swing), int(turn * self._step_y)
        return self._tile[top : top + self._height, left : left + self._width]

    def floor(self, _moment: Moment) -> int:
        """Drops hide nothing."""
        return NEVER


class Falls:
    """Several falls of one size, added together before they are grown to the frame."""

    def __init__(self, falls: list[Fall]) -> None:
        self._falls = falls

    def draw(self, canvas: Picture, moment: Moment, _until: int) -> None:
        """Add all of them."""
        first, *others = (fall.window(moment) for fall in self._falls)
        total = first
        for window in others:
            total = np.asarray(cv2.add(total, window), np.uint8)
        grown = scratch("falls", canvas.shape[:2])
        enlarge_onto(total, grown)
        add_onto(canvas, gray_to_rgba(grown))

    def floor(self, _moment: Moment) -> int:
        """Drops hide nothing."""
        return NEVER


def _add_rain(stage: Stage, force: float, order: float) -> None:
    """Add far, fine rain and near, long streaks."""
    lean = 0.1 * force if stage.rng.random() < 0.5 else 0.16 * force
    light = 0.5 + 0.5 * float(toward(stage.palette.haze, stage.palette.key, 0.4).mean())
    part = 0.5
    layers = ((900.0, 13.0, 46.0, 0.8), (260.0, 30.0, 70.0, 0.42), (60.0, 80.0, 58.0, 0.27))
    falls: list[Fall] = []
    for index, (count, long, bright, seconds) in enumerate(layers):
        width, height = math.ceil(stage.width * part), math.ceil(stage.height * part)
        step_y = height
        step_x = int(lean * step_y)
        tile = np.zeros((height + step_y, width + step_x), np.uint8)
        many = int(count * force * stage.width * stage.height / 921600 * (1.0 if index else 0.8))
        for _ in range(many):
            x, y = stage.rng.uniform(-step_x, width + step_x), stage.rng.uniform(0.0, step_y)
            reach = long * stage.unit * part * stage.rng.uniform(0.6, 1.4)
            tone = bright * light * stage.rng.uniform(0.45, 1.0)
            for shift_x, shift_y in ((0, 0), (step_x, step_y), (-step_x, -step_y)):
                start = (int((x + shift_x) * 16), int((y + shift_y) * 16))
                end = (int((x + shift_x + lean * reach) * 16), int((y + shift_y + reach) * 16))
                cv2.line(tile, start, end, (tone,), 1, cv2.LINE_AA, 4)
        falls.append(Fall(tile, (width, height), (step_x, step_y), seconds / stage.pace, part=part))
    stage.add(Falls(falls), order)


def _add_snow(stage: Stage, order: float) -> None:
    """Add three depths of flakes; near ones are large, soft and fast."""
    light = 0.55 + 0.45 * float(stage.palette.haze.mean())
    layers = ((1.0, 700, 1.1, 170.0, 9.0), (0.5, 190, 1.5, 190.0, 5.5), (0.25, 34, 2.2, 130.0, 3.6))
    for index, (part, count, radius, bright, seconds) in enumerate(layers):
        width, height = math.ceil(stage.width * part), math.ceil(stage.height * part)
        sway = 16.0 * stage.unit * part * (1 + index)
        step_x, step_y = int(0.12 * height), height
        tile = np.zeros((height + step_y, width + step_x + int(2 * sway) + 2), np.uint8)
        many = int(count * stage.width * stage.height / 921600 * 1.3)
        for _ in range(many):
            x, y = stage.rng.uniform(-step_x, tile.shape[1] + step_x), stage.rng.uniform(0.0, step_y)
            size = radius * stage.unit * stage.rng.uniform(0.7, 1.5)
            tone = bright * light * stage.rng.uniform(0.5, 1.0)
            for shift_x, shift_y in ((0, 0), (step_x, step_y), (-step_x, -step_y)):
                place = (int((x + shift_x) * 16), int((y + shift_y) * 16))
                cv2.circle(tile, place, max(8, int(size * 16)), (tone,), -1, cv2.LINE_AA, 4)
        soft = blur(tile, 0.5 + 0.7 * index)
        stage.add(
            Fall(soft, (width, height), (step_x, step_y), seconds / stage.pace, sway=sway, part=part),
            order + 0.05 * index,
        )


def _add_fog(stage: Stage) -> None:
    """Add banks of fog between the depths and a veil before all."""
    high, low = stage.horizon - 0.28 * stage.height, stage.horizon + 0.2 * stage.height
    stage.add(mist(stage, top=high, bottom=low, strength=0.75, depth=0.25), 3.6)
    stage.add(
        mist(stage, top=stage.horizon - 0.12 * stage.height, bottom=0.98 * stage.height, strength=0.62, depth=0.6), 7.7
    )
    stage.add(mist(stage, top=stage.height * 0.52, bottom=stage.height * 1.1, strength=0.4, depth=1.2), 9.3)


class Lightning:
    """Strokes of lightning at moments drawn from the seed: a flash that lights the sky, and a bolt that fades."""

    def __init__(self, stage: Stage) -> None:
        seconds = stage.shot.frames / 24.0
        count = max(1, round(seconds / 2.6))
        moments = (np.arange(count) + stage.rng.uniform(0.2, 0.8, count)) * seconds / count
        self._strokes = [(float(at), *_bolt(stage)) for at in moments]
        rows = min(max(int(stage.horizon), 8), stage.height)
        fall = np.linspace(1.0, 0.55, rows // 8 + 2, dtype=np.float32)[:, None]
        glow = np.repeat(fall, stage.width // 8 + 2, axis=1)
        self._flash = premultiplied(rgb(120, 132, 170), glow.astype(np.float32))
        self._rows = rows

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Add flash and bolt while one is under way."""
        for at, bolt, left in self._strokes:
            age = moment.seconds - at
            if not 0.0 <= age < 0.5:
                continue
            strength = math.exp(-age * 7.0) * (0.6 + 0.4 * math.cos(age * 60.0))
            rows = min(self._rows, until)
            if strength < 0.02 or rows < 2:
                continue
            target = canvas[:rows]
            add_onto(target, resize(scaled(self._flash, strength * 0.62), target.shape[1], rows))
            end = min(bolt.shape[0], rows)
            right = min(left + bolt.shape[1], canvas.shape[1])
            if left >= 0 and right > left:
                part = np.ascontiguousarray(bolt[:end, : right - left])
                add_onto(canvas[:end, left:right], scaled(part, min(1.0, strength * 1.6)))

    def floor(self, _moment: Moment) -> int:
        """Light hides nothing."""
        return NEVER


def _bolt(stage: Stage) -> tuple[Picture, int]:
    """Return one forked bolt with its glow, and the column where it stands."""
    high, wide = max(16, min(int(stage.horizon), stage.height)), int(0.3 * max(stage.width, 0.6 * stage.height))
    core = blank(high, wide, 1)[..., 0]
    steps = 60
    y = np.linspace(-4.0, high, steps)
    x = (
        wide / 2
        + np.cumsum(stage.rng.normal(0.0, wide * 0.018, steps))
        + line_noise(stage.rng, steps, 4.0) * wide * 0.08
    )
    main = np.stack([x, y], axis=1)
    cv2.polylines(
        core, [np.round(main * 16).astype(np.int32)], False, (255.0,), max(1, round(2.2 * stage.unit)), cv2.LINE_AA, 4
    )
    for _ in range(5):
        start = int(stage.rng.integers(6, steps - 12))
        length = int(stage.rng.integers(8, 22))
        lean = stage.rng.choice([-1.0, 1.0]) * wide * 0.016
        fork_x = x[start] + np.cumsum(stage.rng.normal(lean, wide * 0.012, length))
        fork = np.stack([fork_x, y[start] + np.arange(length) * high / steps * 0.8], axis=1)
        cv2.polylines(core, [np.round(fork * 16).astype(np.int32)], False, (150.0,), 1, cv2.LINE_AA, 4)
    glow = (
        blur(core, 3.0 * stage.unit).astype(np.float32) * 1.6 + blur(core, 14.0 * stage.unit).astype(np.float32) * 3.0
    )
    light = np.clip((glow + core) / 255.0, 0.0, 1.0)
    image = premultiplied(rgb(214, 220, 255), light.astype(np.float32))
    image[..., 3] = 0
    return image, int(stage.rng.uniform(0.05, 0.65) * stage.width)


class Motes:
    """Small things that wander and blink: fireflies, dust in the light, petals, bubbles, embers."""

    def __init__(
        self,
        stage: Stage,
        tone: Color,
        *,
        count: int,
        radius: float,
        glow: bool,
        fall: float,
        top: float,
        blink: float = 0.7,
    ) -> None:
        rng = stage.rng
        self._glow = glow
        self._fall = fall * stage.unit * stage.pace
        self._blink = blink
        self._size = (stage.width, stage.height)
        self._top = top * stage.height
        self._motes = np.stack(
            [
                rng.uniform(0.0, stage.width, count),
                rng.uniform(self._top, stage.height, count),
                rng.uniform(0.0, 6.28, count),
                rng.uniform(0.5, 1.6, count),
                rng.uniform(14.0, 50.0, count) * stage.unit,
            ],
            axis=1,
        ).tolist()
        self._dots = [_dot(tone, radius * stage.unit * size, glow) for size in (0.6, 0.85, 1.15)]

    def draw(self, canvas: Picture, moment: Moment, _until: int) -> None:
        """Draw each mote where its path has led it."""
        width, height = self._size
        for index, (x, y, phase, rate, reach) in enumerate(self._motes):
            time = moment.seconds
            px = (x + reach * math.sin(time * rate * 0.9 + phase) + 0.35 * self._fall * time) % width
            span = height - self._top
            py = (
                self._top
                + (y - self._top + self._fall * rate * time + 0.5 * reach * math.sin(time * rate * 1.3 + phase * 2))
                % span
            )
            strength = 1.0 - self._blink * (0.5 + 0.5 * math.sin(time * rate * 2.6 + phase * 3))
            dot = self._dots[index % 3]
            left, top = int(px) - dot.shape[1] // 2, int(py) - dot.shape[0] // 2
            if left < 0 or top < 0 or left + dot.shape[1] > width or top + dot.shape[0] > height:
                continue
            target = canvas[top : top + dot.shape[0], left : left + dot.shape[1]]
            if self._glow:
                add_onto(target, scaled(dot, strength))
            else:
                cv2.multiply(
                    target, gray_to_rgba(cv2.bitwise_not(cv2.extractChannel(dot, 3))), dst=target, scale=1 / 255
                )
                add_onto(target, dot)

    def floor(self, _moment: Moment) -> int:
        """Motes hide nothing."""
        return NEVER


def _dot(tone: Color, radius: float, glow: bool) -> Picture:
    """Return one mote: a glowing point, or a small leaf."""
    half = max(2, math.ceil(radius * (4.0 if glow else 1.4)))
    grid = np.arange(-half, half + 1, dtype=np.float32)
    if glow:
        away = np.hypot(grid[:, None], grid[None, :]) / max(radius, 0.5)
        light = np.clip(1.25 - away, 0.0, 1.0) + 0.42 * np.exp(-away * 1.1)
        image = premultiplied(tone, np.clip(light, 0.0, 1.0).astype(np.float32))
        image[..., 3] = 0
        return image
    x, y = (grid[None, :] + grid[:, None]) * 0.7, (grid[None, :] - grid[:, None]) * 0.7
    away = np.hypot(x / radius, y / (0.55 * radius))
    return premultiplied(tone, np.clip((1.15 - away) * radius * 0.6, 0.0, 1.0).astype(np.float32))
