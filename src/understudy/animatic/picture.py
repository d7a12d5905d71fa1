"""Image to video: a camera moves over one picture, and what seems near moves more than what seems far.

No model guesses the depth. A picture is taken to be near at the bottom, in the middle and where it is busy; a guided
filter makes that guess follow the picture's own edges. The shifts stay so small that a wrong guess bends nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from understudy.animatic.framing import CameraPath, Framing
from understudy.animatic.storyboard import Frame, Painter, Shot

_Map: TypeAlias = NDArray[np.float32]

PANORAMA = 2.2
"""Beyond this ratio between the shapes of picture and frame, cropping would lose too much of the picture."""

_COARSE = 4
"""Depth and displacement are smooth: they are computed at a quarter of the size and enlarged."""

_GRAIN = 3
"""Half the range of the film grain, in levels of 256."""


@dataclass(frozen=True)
class Plate:
    """A picture made ready for one size of frame.

    `image` has the frame's shape and 1.25 to 1.6 times its size; `depth`, a quarter as large, is 0 far to 1 near. For a
    panorama `image` is the whole picture as large as it fits, and `backdrop` its blurred copy that fills the frame.
    """

    image: Frame
    depth: _Map
    backdrop: Frame | None


def load_plate(source: Path, width: int, height: int) -> Plate:
    """Read the picture `source` for frames of `width` x `height`.

    Raises `OSError` (`PIL.UnidentifiedImageError` is one) when it is no JPEG, PNG or WebP that can be read.
    """
    with Image.open(source, formats=("JPEG", "PNG", "WEBP")) as opened:
        opened.draft("RGB", (2 * width, 2 * height))  # a large JPEG is decoded at a fraction of its size
        picture = opened.convert("RGB")
    shape, wanted = picture.width / picture.height, width / height
    if max(shape / wanted, wanted / shape) > PANORAMA:
        return _panorama(picture, width, height)
    native = min(picture.width / width, picture.height / height)
    overscan = min(max(native, 1.25), 1.6)
    size = (round(width * overscan), round(height * overscan))
    image = _array(picture.resize(size, Image.Resampling.LANCZOS, box=_cover(picture, wanted), reducing_gap=3))
    return Plate(image=image, depth=guess_depth(image), backdrop=None)


def _array(picture: Image.Image) -> Frame:
    return np.ascontiguousarray(np.asarray(picture, np.uint8))


def _cover(picture: Image.Image, wanted: float) -> tuple[float, float, float, float]:
    """Return the largest box of shape `wanted`: centered, a little above the middle where faces are."""
    width = min(float(picture.width), picture.height * wanted)
    height = min(float(picture.height), picture.width / wanted)
    left, top = (picture.width - width) / 2, (picture.height - height) * 0.42
    return left, top, left + width, top + height


def _panorama(picture: Image.Image, width: int, height: int) -> Plate:
    fit = min(width / picture.width, height / picture.height)
    size = (max(8, round(picture.width * fit)), max(8, round(picture.height * fit)))
    image = _array(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3))
    small = (max(8, width // 8), max(8, height // 8))
    cover = picture.resize(small, Image.Resampling.BOX, box=_cover(picture, width / height))
    blurred = cv2.GaussianBlur(_array(cover), (0, 0), min(small) / 14)
    backdrop = np.asarray(blurred * np.float32(0.5), np.uint8)
    return Plate(image=image, depth=guess_depth(image), backdrop=backdrop)


def guess_depth(image: Frame) -> _Map:
    """Return how near each part of `image` seems, 0 to 1, at a quarter of its size."""
    height, width = (max(2, side // _COARSE) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    light = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    middle = np.exp(-(x**2) / 0.45 - (y - 0.58) ** 2 / 0.16)
    detail = np.abs(light - cv2.GaussianBlur(light, (0, 0), width / 60))
    busy = cv2.GaussianBlur(detail, (0, 0), width / 40)
    busy /= max(float(busy.max()), 1e-3)
    guess = np.asarray(0.5 * y + 0.25 * middle + 0.3 * busy, np.float32)
    refined = _guided(guess, light, radius=max(2, width // 24), softness=2e-3)
    low, high = np.percentile(refined, (2, 98))
    depth = np.clip((refined - low) / max(float(high - low), 1e-3), 0, 1)
    return np.asarray(cv2.GaussianBlur(depth, (0, 0), 1.6), np.float32)


def _guided(guess: _Map, guide: _Map, *, radius: int, softness: float) -> _Map:
    """Smooth `guess` but along the edges of `guide` (He, Sun and Tang, "Guided Image Filtering", 2010)."""

    def mean(values: _Map) -> _Map:
        box = (2 * radius + 1, 2 * radius + 1)
        return np.asarray(cv2.blur(values, box, borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_guess = mean(guide), mean(guess)
    slope = (mean(guide * guess) - mean_guide * mean_guess) / (mean(guide * guide) - mean_guide**2 + softness)
    return mean(slope) * guide + mean(mean_guess - slope * mean_guide)


def picture_painter(plate: Plate, shot: Shot, width: int, height: int) -> Painter:
    """Return the painter of `shot` over `plate`, which was loaded for frames of the same size."""
    if plate.backdrop is not None:
        return _CardPainter(plate.image, plate.backdrop, shot, width, height)
    return _PlatePainter(plate, shot, width, height)


def _progress(frame: int, frames: int) -> float:
    return min(1.0, frame / max(1, frames - 1))


class _Grain:
    """Film grain: one pattern, laid at another place every second frame."""

    def __init__(self, shot: Shot, width: int, height: int) -> None:
        self._rng_seed = shot.seed % (1 << 64)
        rng = np.random.default_rng([self._rng_seed, 3])
        tile = np.clip(rng.normal(_GRAIN, 1.1, (256, 256, 1)), 0, 2 * _GRAIN).astype(np.uint8)
        tiles = np.tile(tile, (-(-height // 256) + 1, -(-width // 256) + 1, 3))
        self._pattern = np.ascontiguousarray(tiles[: height + 64, : width + 64])
        self._places = rng.integers(0, 64, (16, 2))
        self._flat = np.full((height, width, 3), _GRAIN, np.uint8)

    def lay(self, picture: Frame, frame: int) -> Frame:
        height, width = picture.shape[:2]
        top, left = self._places[frame // 2 % len(self._places)]
        cv2.add(picture, self._pattern[top : top + height, left : left + width], dst=picture)
        cv2.subtract(picture, self._flat, dst=picture)
        return picture


class _PlatePainter:
    """Samples the plate where the camera looks, displaced by depth."""

    def __init__(self, plate: Plate, shot: Shot, width: int, height: int) -> None:
        self._plate, self._depth = plate.image, plate.depth
        self._size, self._frames = (width, height), shot.frames
        closeness = min(1.0, (plate.image.shape[1] / width - 1.0) / 0.6)
        self._path = CameraPath(shot, _focus(plate.depth, shot), closeness)
        self._grain = _Grain(shot, width, height)
        # Centers of coarse cells in pixels of the frame, one cell more on every side for the enlargement to lean on.
        self._x = ((np.arange(-1, -(-width // _COARSE) + 1) + 0.5) * _COARSE - 0.5).astype(np.float32)[None, :]
        self._y = ((np.arange(-1, -(-height // _COARSE) + 1) + 0.5) * _COARSE - 0.5).astype(np.float32)[:, None]

    def paint(self, frame: int) -> Frame:
        across, down = self._look(self._path.at(_progress(frame, self._frames)))
        x, y = self._enlarged(across), self._enlarged(down)
        # Depth is a guess, so a shift may look past the plate by a pixel: mirrored, the edge does not tear.
        picture = cv2.remap(self._plate, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return self._grain.lay(np.asarray(picture, np.uint8), frame)

    def _look(self, framing: Framing) -> tuple[_Map, _Map]:
        """Return for every coarse cell the place on the plate that it shows."""
        (width, height), (rows, columns) = self._size, self._plate.shape[:2]
        step = columns * framing.scale / width
        left = columns * framing.x - step * width / 2
        top = rows * framing.y - step * height / 2
        near = self._nearness(left, top, step)
        shift_x = framing.sway_x * width - framing.swell * (self._x - width / 2)
        shift_y = framing.sway_y * width - framing.swell * (self._y - height / 2)
        x = left + step * (self._x + 0.5 + near * shift_x) - 0.5
        y = top + step * (self._y + 0.5 + near * shift_y) - 0.5
        return x.astype(np.float32), y.astype(np.float32)

    def _nearness(self, left: float, top: float, step: float) -> _Map:
        """Return the depth under every coarse cell, -0.5 far to 0.5 near."""
        rows, columns = self._depth.shape
        across, down = columns / self._plate.shape[1], rows / self._plate.shape[0]
        first_x, first_y = float(self._x[0, 0]), float(self._y[0, 0])
        matrix = np.array(
            [
                [_COARSE * step * across, 0, (left + step * (first_x + 0.5)) * across - 0.5],
                [0, _COARSE * step * down, (top + step * (first_y + 0.5)) * down - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (self._x.shape[1], self._y.shape[0])
        near = cv2.warpAffine(self._depth, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(near - 0.5, np.float32)

    def _enlarged(self, coarse: _Map) -> _Map:
        width, height = self._size
        grown = cv2.resize(coarse, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(grown[_COARSE : _COARSE + height, _COARSE : _COARSE + width], np.float32)


def _focus(depth: _Map, shot: Shot) -> tuple[float, float]:
    """Choose what to look at: one of the nine crossings of fourths, rather a near one, by the seed of the shot."""
    rows, columns = depth.shape
    places = [(x, y) for x in (0.3, 0.5, 0.7) for y in (0.32, 0.48, 0.64)]
    weights = np.array([depth[int(y * rows), int(x * columns)] for x, y in places], np.float64) ** 3 + 0.02
    chosen = np.random.default_rng([shot.seed % (1 << 64), 5]).choice(len(places), p=weights / weights.sum())
    return places[chosen]


class _CardPainter:
    """A panorama: the whole picture as a card over its own blurred copy, both moving a little, against each other."""

    def __init__(self, image: Frame, backdrop: Frame, shot: Shot, width: int, height: int) -> None:
        self._image, self._backdrop = image, backdrop
        self._size, self._frames = (width, height), shot.frames
        self._path = CameraPath(shot, (0.5, 0.5), 0.0)
        self._grain = _Grain(shot, width, height)
        reach = max(4, min(width, height) // 24)
        rows, columns = image.shape[:2]
        cover = np.zeros((rows + 2 * reach, columns + 2 * reach), np.float32)
        cover[reach:-reach, reach:-reach] = 1
        shadow = cv2.GaussianBlur(cover, (0, 0), reach / 2.5) * np.float32(0.6)
        covered = np.maximum(cover, shadow) * np.float32(255) + np.float32(0.5)
        self._cover = np.repeat(covered.astype(np.uint8)[..., None], 3, axis=2)
        self._card = np.pad(image, ((reach, reach), (reach, reach), (0, 0)))

    def paint(self, frame: int) -> Frame:
        framing = self._path.at(_progress(frame, self._frames))
        growth = 0.9 / framing.scale
        right, down = 0.5 - framing.x, 0.5 - framing.y
        behind = 1.12 * self._size[0] / self._backdrop.shape[1] * (1 + (growth - 1) * 0.4)
        picture = self._placed(self._backdrop, behind, right * 0.3, down * 0.3)
        # The card stays smaller than the frame, so that nothing of the picture leaves it.
        size = 0.9 + 0.06 * min(1.0, max(0.0, (growth - 0.95) / 0.2))
        card, cover = (self._placed(layer, size, right * 0.1, down * 0.1) for layer in (self._card, self._cover))
        cv2.multiply(picture, cv2.bitwise_not(cover), dst=picture, scale=1 / 255)
        cv2.add(picture, card, dst=picture)
        return self._grain.lay(picture, frame)

    def _placed(self, layer: Frame, scale: float, right: float, down: float) -> Frame:
        """Return the frame with `layer` at `scale` in its middle, moved by parts of the frame's width and height."""
        (width, height), (rows, columns) = self._size, layer.shape[:2]
        x = width * (0.5 + right) - scale * columns / 2
        y = height * (0.5 + down) - scale * rows / 2
        matrix = np.array([[scale, 0, x + (scale - 1) / 2], [0, scale, y + (scale - 1) / 2]])
        return np.asarray(cv2.warpAffine(layer, matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)
