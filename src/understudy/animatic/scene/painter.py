"""From a shot to its frames: builds the stage once, then draws the stack for every frame and finishes it."""

import cv2
import numpy as np

from understudy.animatic.scene.layers import Moment, paint_stack
from understudy.animatic.scene.raster import (
    Field,
    Picture,
    add_onto,
    blank,
    box,
    multiply_onto,
    resize,
    rgba_to_rgb,
    to_picture,
)
from understudy.animatic.scene.stage import Stage
from understudy.animatic.storyboard import Frame

_BRIGHT = 196
"""The value above which a color spills light over its neighbors."""


class ScenePainter:
    """Draws the frames of one shot; each frame depends on its number alone."""

    def __init__(self, stage: Stage) -> None:
        self._camera = stage.camera
        self._elements = stage.elements()
        self._canvas = blank(stage.height, stage.width)
        self._vignette = _vignette(stage)
        self._grain = _grain(stage)
        quarter = (stage.height // 2 // 2, stage.width // 2 // 2, 4)
        self._threshold = np.full(quarter, _BRIGHT, np.uint8)
        self._threshold[..., 3] = 255
        self._glow = 1.15 if stage.palette.lamps > 0.8 else 0.6

    def paint(self, frame: int) -> Frame:
        """Return frame number `frame` of the shot: RGB, a new array."""
        moment = Moment(frame, frame / 24.0, self._camera.pose(frame), self._camera)
        paint_stack(self._elements, self._canvas, moment)
        self._bloom()
        multiply_onto(self._canvas, self._vignette)
        cv2.addWeighted(self._canvas, 1.0, self._grain, 1.0, -128.0, dst=self._canvas)
        return rgba_to_rgb(self._canvas)

    def _bloom(self) -> None:
        """Let bright places spill light over their neighbors; at a quarter of the size, for it is soft."""
        canvas = self._canvas
        height, width = canvas.shape[0] // 2, canvas.shape[1] // 2
        small: Picture = resize(resize(canvas, width, height), width // 2, height // 2)
        bright = cv2.subtract(small, self._threshold)
        reach = max(3, (width + height) // 46) | 1
        soft = box(box(bright, reach, reach), reach, reach)
        light = cv2.convertScaleAbs(soft, alpha=self._glow)
        add_onto(canvas, resize(light, canvas.shape[1], canvas.shape[0]))


def _vignette(stage: Stage) -> Picture:
    """Return a mask that is white in the middle and a little darker in the corners."""
    x = np.linspace(-1.0, 1.0, stage.width, dtype=np.float32)[None, :]
    y = np.linspace(-1.0, 1.0, stage.height, dtype=np.float32)[:, None]
    distance = np.sqrt(x * x * 0.62 + y * y * 0.52)
    fall: Field = 1.0 - 0.34 * np.clip(distance - 0.42, 0.0, 1.0) ** 1.7
    noise = np.random.default_rng(7).random(fall.shape, np.float32) - 0.5
    gray = to_picture(fall + noise * np.float32(1.0 / 255.0))
    return np.repeat(gray[..., None], 4, axis=2)


def _grain(stage: Stage) -> Picture:
    """Return film grain around 128; it stands still, because moving grain would cost most of the file's bytes."""
    noise = np.random.default_rng(stage.shot.seed & 0xFFFF).normal(128.0, 1.9, (stage.height, stage.width, 1))
    return np.repeat(np.clip(np.round(noise), 118, 138).astype(np.uint8), 4, axis=2)
