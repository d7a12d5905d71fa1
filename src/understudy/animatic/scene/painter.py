"""From a shot to its frames: builds the stage once, then draws the stack for every frame and finishes it."""

import cv2
import numpy as np

from understudy.animatic.scene.layers import Moment, paint_stack
from understudy.animatic.scene.raster import (
    Field,
    Picture,
    add_onto,
    box,
    enlarge_onto,
    multiply_onto,
    resize,
    rgba_to_rgb,
    scratch,
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
        self._threshold = np.full((stage.height // 2 // 2, stage.width // 2 // 2, 3), _BRIGHT, np.uint8)
        self._vignette = _vignette(stage)
        self._grain = _grain(stage)
        self._glow = 1.15 if stage.palette.lamps > 0.8 else 0.6

    def paint(self, frame: int) -> Frame:
        """Return frame number `frame` of the shot: RGB, a new array."""
        moment = Moment(frame, frame / 24.0, self._camera.pose(frame), self._camera)
        canvas = scratch("canvas", (self._camera.height, self._camera.width, 4))
        paint_stack(self._elements, canvas, moment)
        picture = rgba_to_rgb(canvas)
        self._bloom(picture)
        multiply_onto(picture, self._vignette)
        # Light and dark grains apart: two saturating steps cost half of one weighted sum.
        cv2.add(picture, self._grain[0], dst=picture)
        cv2.subtract(picture, self._grain[1], dst=picture)
        return picture

    def _bloom(self, picture: Frame) -> None:
        """Let bright places spill light over their neighbors; at a quarter of the size, for it is soft."""
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        small: Picture = resize(resize(picture, width, height), width // 2, height // 2)
        bright = cv2.subtract(small, self._threshold)
        if not bright.any():
            return
        reach = max(3, (width + height) // 46) | 1
        soft = box(box(np.asarray(bright, np.uint8), reach, reach), reach, reach)
        light = cv2.convertScaleAbs(soft, alpha=self._glow)
        grown = scratch("blit", picture.shape)
        enlarge_onto(np.asarray(light, np.uint8), grown)
        add_onto(picture, grown)


def _vignette(stage: Stage) -> Picture:
    """Return a mask that is white in the middle and a little darker in the corners."""
    x = np.linspace(-1.0, 1.0, stage.width, dtype=np.float32)[None, :]
    y = np.linspace(-1.0, 1.0, stage.height, dtype=np.float32)[:, None]
    distance = np.sqrt(x * x * 0.62 + y * y * 0.52)
    fall: Field = 1.0 - 0.34 * np.clip(distance - 0.42, 0.0, 1.0) ** 1.7
    noise = np.random.default_rng(7).random(fall.shape, np.float32) - 0.5
    gray = to_picture(fall + noise * np.float32(1.0 / 255.0))
    return np.repeat(gray[..., None], 3, axis=2)


def _grain(stage: Stage) -> tuple[Picture, Picture]:
    """Return film grain, what it adds and what it takes; it stands still, for moving grain would cost most bytes."""
    rng = np.random.default_rng(stage.shot.seed & 0xFFFF)
    noise = np.round(rng.standard_normal((stage.height, stage.width, 1), np.float32) * np.float32(1.9))
    light, dark = (np.clip(side, 0, 10).astype(np.uint8) for side in (noise, -noise))
    return np.repeat(light, 3, axis=2), np.repeat(dark, 3, axis=2)
