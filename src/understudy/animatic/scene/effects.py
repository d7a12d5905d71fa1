"""Shows of the sky and of the air that a prompt asks for by name."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from understudy.animatic.scene.facade import NEON_TONES
from understudy.animatic.scene.layers import NEVER, Moment, Pulse
from understudy.animatic.scene.noise import line_noise
from understudy.animatic.scene.palette import rgb, toward
from understudy.animatic.scene.raster import Picture, add_onto, blank, blur, premultiplied, smoothstep
from understudy.animatic.scene.sky import rainbow_plate
from understudy.animatic.scene.stage import Stage
from understudy.animatic.scene.weather import Motes
from understudy.animatic.storyboard import Setting


def add_effects(stage: Stage) -> None:
    """Put the shows that the shot names on the stage."""
    for name in stage.shot.figures:
        if name in EFFECTS:
            EFFECTS[name](stage)


def _aurora(stage: Stage) -> None:
    """Hang curtains of northern light that wave against each other."""
    width, height = stage.width // 4, max(8, int(stage.horizon * 0.9)) // 4
    for index in range(3):
        course = (0.52 + 0.16 * line_noise(stage.rng, width, 3.0, octaves=3) - 0.1 * index) * height
        folds = 0.55 + 0.45 * line_noise(stage.rng, width, 30.0, octaves=3)
        above = course[None, :] - np.arange(height, dtype=np.float32)[:, None]
        reach = height * (0.34 + 0.1 * index)
        light = (
            np.where(above > 0, np.exp(-above / reach), np.exp(above / (0.03 * height))) * np.clip(folds, 0, 1)[None, :]
        )
        part = np.clip(above / (reach * 1.6), 0.0, 1.0)[..., None]
        color = rgb(70, 255, 160) + (rgb(150, 80, 255) - rgb(70, 255, 160)) * part
        image = premultiplied(color.astype(np.float32), np.clip(blur(light, 1.6) * 0.5, 0, 1).astype(np.float32))
        image[..., 3] = 0
        stage.add(
            Pulse(
                image, 0.0, 0.0, 0.03, scale=0.25, base=0.75, swing=0.35, rate=0.14 + 0.06 * index, phase=index * 2.1
            ),
            0.3,
        )


class Meteors:
    """Shooting stars, one after another."""

    def __init__(self, stage: Stage) -> None:
        seconds = stage.shot.frames / 24.0
        count = max(3, round(seconds * 1.8))
        rng = stage.rng
        starts = (np.arange(count) + rng.uniform(0.0, 0.8, count)) * seconds / count
        self._falls = [
            (
                float(at),
                float(rng.uniform(0.15, 1.0) * stage.width),
                float(rng.uniform(0.04, 0.4) * stage.horizon),
                float(rng.uniform(0.5, 1.1)),
            )
            for at in starts
        ]
        self._speed = 0.62 * stage.width
        self._thick = max(1, round(1.6 * stage.unit))

    def draw(self, canvas: Picture, moment: Moment, _until: int) -> None:
        """Draw the trails that are alight."""
        for at, x, y, size in self._falls:
            age = moment.seconds - at
            if not 0.0 <= age < 0.7:
                continue
            run, tail = age * self._speed * size, min(age, 0.28) * self._speed * size
            fade = math.sin(math.pi * age / 0.7)
            for step in range(6):
                a, b = run - tail * (step + 1) / 6, run - tail * step / 6
                start = (int((x - a) * 16), int((y + a * 0.46) * 16))
                end = (int((x - b) * 16), int((y + b * 0.46) * 16))
                tone = 255.0 * fade * (1.0 - step / 6.0)
                if tone > 110.0:
                    cv2.line(canvas, start, end, (tone, tone, tone, 255.0), self._thick, cv2.LINE_AA, 4)

    def floor(self, _moment: Moment) -> int:
        """Light hides nothing."""
        return NEVER


class Fireworks:
    """Bursts that open, glow and sink; each spark a short streak."""

    def __init__(self, stage: Stage) -> None:
        rng = stage.rng
        seconds = stage.shot.frames / 24.0
        count = max(3, round(seconds * 1.7))
        self._bursts = [
            (
                float((index + rng.uniform(-0.3, 0.6)) * seconds / count - 0.5),
                float(rng.uniform(0.14, 0.86) * stage.width),
                float(rng.uniform(0.12, 0.5) * stage.horizon),
                NEON_TONES[int(rng.integers(0, 6))],
                float(rng.uniform(0.75, 1.2)),
                rng.uniform(0.0, 2.0 * np.pi, 90),
                np.sqrt(rng.uniform(0.25, 1.0, 90)),
            )
            for index in range(count)
        ]
        self._reach = 0.24 * min(stage.width * 1.3, stage.height)
        self._part = 2
        self._size = (stage.width // 2, max(8, int(stage.horizon)) // 2)

    def draw(self, canvas: Picture, moment: Moment, until: int) -> None:
        """Draw the sparks of every burst that is alight, at half size, with their glow."""
        width, height = self._size
        board = blank(height, width)
        alight = False
        for at, x, y, tone, size, angles, speeds in self._bursts:
            age = (moment.seconds - at) / 1.7
            if not 0.0 < age < 1.0:
                continue
            alight = True
            out = self._reach * size * (1.0 - (1.0 - age) ** 3)
            back = self._reach * size * (1.0 - (1.0 - max(age - 0.06, 0.0)) ** 3)
            color = toward(tone, rgb(255, 240, 210), max(0.0, 0.6 - 1.5 * age)) * np.float32((1.0 - age) ** 0.8 * 255)
            value = (*(float(part) for part in color), 0.0)
            for angle, speed in zip(angles.tolist(), speeds.tolist(), strict=True):
                right, up = math.cos(angle) * speed, math.sin(angle) * speed
                sink = 0.3 * self._reach * age * age
                first = (int((x + right * back) * 8), int((y - up * back + sink) * 8))
                last = (int((x + right * out) * 8), int((y - up * out + sink) * 8))
                cv2.line(board, first, last, value, 1, cv2.LINE_AA, 4)
        if alight:
            rows = min(2 * height, until, canvas.shape[0])
            glow = cv2.add(board, cv2.blur(board, (9, 9)))
            grown = cv2.resize(glow, (canvas.shape[1], 2 * height))
            add_onto(canvas[:rows], np.asarray(grown[:rows], np.uint8))

    def floor(self, _moment: Moment) -> int:
        """Light hides nothing."""
        return NEVER


def _beam(stage: Stage) -> None:
    """Let sun beams stand over the sky; woods and water have shafts of their own."""
    if stage.shot.setting in {Setting.FOREST, Setting.UNDERWATER, Setting.INTERIOR}:
        return
    width, height = stage.width // 4, max(8, int(stage.horizon)) // 4
    x = np.arange(width, dtype=np.float32)[None, :] - stage.sun[0] / 4
    y = np.arange(height, dtype=np.float32)[:, None] - stage.sun[1] / 4
    angle = np.arctan2(y, x)
    rays = line_noise(stage.rng, 1024, 26.0, octaves=2)
    light = np.interp(angle, np.linspace(-np.pi, np.pi, 1024), smoothstep(0.0, 0.7, rays))
    light = light * np.exp(-np.hypot(x, y) / (0.3 * stage.width / 2))
    light = light * smoothstep(1.0, 0.8, np.linspace(0.0, 1.0, height))[:, None]
    image = premultiplied(
        stage.palette.key, np.clip(blur(light.astype(np.float32), 1.0) * 0.4, 0, 1).astype(np.float32)
    )
    image[..., 3] = 0
    stage.add(Pulse(image, 0.0, 0.0, 0.02, scale=0.25, base=0.7, swing=0.3, rate=0.1), 1.3)


def _motes(
    tone: tuple[float, float, float],
    *,
    count: int,
    radius: float,
    glow: bool,
    fall: float,
    top: float,
    blink: float = 0.7,
) -> Callable[[Stage], None]:
    def add(stage: Stage) -> None:
        many = int(count * max(1.0, stage.unit))
        motes = Motes(stage, rgb(*tone), count=many, radius=radius, glow=glow, fall=fall, top=top, blink=blink)
        stage.add(motes, 9.1)

    return add


EFFECTS: dict[str, Callable[[Stage], None]] = {
    "aurora": _aurora,
    "meteors": lambda stage: stage.add(Meteors(stage), 0.4),
    "fireworks": lambda stage: stage.add(Fireworks(stage), 1.7),
    "rainbow": lambda stage: stage.add(rainbow_plate(stage), 1.4),
    "sunbeams": _beam,
    "fireflies": _motes((214, 255, 120), count=46, radius=1.7, glow=True, fall=-4.0, top=0.42, blink=0.95),
    "petals": _motes((250, 184, 206), count=60, radius=5.0, glow=False, fall=46.0, top=0.0),
    "leaves": _motes((226, 122, 40), count=46, radius=6.0, glow=False, fall=58.0, top=0.0),
    "embers": _motes((255, 150, 60), count=56, radius=1.4, glow=True, fall=-44.0, top=0.2),
    "dust": _motes((255, 232, 190), count=60, radius=1.0, glow=True, fall=-3.0, top=0.1),
    "bubbles": _motes((160, 226, 240), count=46, radius=1.8, glow=True, fall=-40.0, top=0.0, blink=0.3),
}
"""Names that a shot may carry among its figures, and what each puts on the stage."""
