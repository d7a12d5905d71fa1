"""Typed doors to the few OpenCV calls that the scene needs; all of them work on RGB(A) of 8 bits or on float32."""

import math
import threading
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""8 bits a channel: height x width, x 3 (RGB) or x 4 (RGBA, premultiplied)."""

Field: TypeAlias = NDArray[np.floating[Any]]
"""One number a pixel, or three for RGB of 0 to 1; float32 wherever OpenCV reads it."""

Affine: TypeAlias = tuple[float, float, float]
"""Scale, then shift right and down: a camera that neither turns nor shears needs no more."""


def blank(height: int, width: int, channels: int = 4) -> Picture:
    """Return an empty, transparent picture."""
    return np.zeros((height, width, channels), np.uint8)


def to_picture(values: NDArray[Any]) -> Picture:
    """Return colors 0 to 1 as 8 bits, rounded."""
    return cast("Picture", cv2.convertScaleAbs(np.clip(values, 0.0, 1.0), alpha=255.0))


def warp(source: Picture, place: Affine, size: tuple[int, int], *, out: Picture | None = None) -> Picture:
    """Return `source` scaled and shifted into a picture of `size` (width, height); outside is transparent."""
    scale, right, down = place
    matrix = np.array([[scale, 0.0, right], [0.0, scale, down]], np.float32)
    if out is None:
        out = np.empty((size[1], size[0], *source.shape[2:]), np.uint8)
    return cast("Picture", cv2.warpAffine(source, matrix, size, dst=out, flags=cv2.INTER_LINEAR))


def place_into(source: Picture, place: Affine, target: Picture) -> None:
    """Fill `target` with `source` scaled and shifted; outside is transparent.

    Like `warp`, but picks the cheapest way that looks the same: a picture at its own size that moves along one axis is
    a mean of two copies of itself, and one made at half its size or less is moved small and then grown.
    """
    scale, right, down = place
    if scale >= 1.9:
        _grow_into(source, place, target)
    elif scale == 1.0 and not (right % 1.0 and down % 1.0) and _slide_into(source, right, down, target):
        return
    else:
        warp(source, place, (target.shape[1], target.shape[0]), out=target)


def _grow_into(source: Picture, place: Affine, target: Picture) -> None:
    """Move a small picture at about its own scale, then grow it by a whole number."""
    scale, right, down = place
    height, width = target.shape[:2]
    times = min(8, int(scale + 0.1))
    # OpenCV grows around the middle of pixels, and moves by their corners.
    middle = (times - 1) / 2
    small = scratch("grow", (-(-height // times), -(-width // times), target.shape[2]))
    warp(source, (scale / times, (right - middle) / times, (down - middle) / times), small.shape[1::-1], out=small)
    if height % times == 0 and width % times == 0:
        enlarge_onto(small, target)
        return
    grown = scratch("grown", (small.shape[0] * times, small.shape[1] * times, target.shape[2]))
    enlarge_onto(small, grown)
    target[...] = grown[:height, :width]


def _slide_into(source: Picture, right: float, down: float, target: Picture) -> bool:
    """Copy `source` shifted along one axis by parts of a pixel; return False when it does not fill the target."""
    left, top = math.floor(-right), math.floor(-down)
    part_x, part_y = -right - left, -down - top
    height, width = target.shape[:2]
    more_x, more_y = math.ceil(part_x), math.ceil(part_y)
    if left < 0 or top < 0 or left + width + more_x > source.shape[1] or top + height + more_y > source.shape[0]:
        return False
    first = source[top : top + height, left : left + width]
    if not (more_x or more_y):
        target[...] = first
        return True
    other = source[top + more_y : top + more_y + height, left + more_x : left + more_x + width]
    part = part_x + part_y
    cv2.addWeighted(first, 1.0 - part, other, part, 0.0, dst=target)
    return True


def resize(source: NDArray[Any], width: int, height: int, *, smooth: bool = False) -> Any:
    """Return `source` at another size: averaged when it shrinks, linear (or cubic if `smooth`) when it grows."""
    shrinks = width <= source.shape[1] and height <= source.shape[0]
    grow = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA if shrinks else grow)


def enlarge_onto(source: Picture, target: Picture) -> None:
    """Scale `source` up into `target`, in place."""
    cv2.resize(source, (target.shape[1], target.shape[0]), dst=target, interpolation=cv2.INTER_LINEAR)


def blur(source: NDArray[Any], sigma: float) -> Any:
    """Return `source` softened by a Gaussian of `sigma` pixels; below a tenth of a pixel nothing changes."""
    if sigma < 0.1:
        return source
    return cv2.GaussianBlur(source, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def box(source: NDArray[Any], width: int, height: int) -> Picture:
    """Return `source` averaged over a window; cheaper than a Gaussian and, twice over, close to one."""
    return cast("Picture", cv2.blur(source, (max(1, width), max(1, height))))


def sample(source: NDArray[Any], columns: NDArray[Any], rows: NDArray[Any], *, wrap: bool = False) -> Any:
    """Return `source` read at the given places; beyond the edge it repeats (`wrap`) or mirrors."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REFLECT_101
    return cv2.remap(source, columns, rows, cv2.INTER_LINEAR, borderMode=border)


def lay_over(target: Picture, layer: Picture) -> None:
    """Lay a premultiplied RGBA `layer` over the RGBA `target` of the same size, in place."""
    cover = cv2.extractChannel(layer, 3)
    cv2.bitwise_not(cover, dst=cover)
    cv2.multiply(target, cv2.cvtColor(cover, cv2.COLOR_GRAY2RGBA), dst=target, scale=1.0 / 255.0)
    cv2.add(target, layer, dst=target)


def cover_opaque(target: Picture, layer: Picture) -> None:
    """Lay a premultiplied RGBA `layer` over an RGBA `target` that has no hole, in place; cheaper than `lay_over`.

    OpenCV multiplies colors by their own alpha faster than by another picture, so the target borrows the layer's.
    """
    clear = scratch("cover", layer.shape[:2])
    cv2.extractChannel(layer, 3, dst=clear)
    cv2.bitwise_not(clear, dst=clear)
    cv2.insertChannel(clear, target, 3)
    cv2.cvtColor(target, cv2.COLOR_RGBA2mRGBA, dst=target)
    cv2.add(target, layer, dst=target)


class _Scratch(threading.local):
    """Memory that is written anew each time it is asked for: fresh pages from the system would cost more."""

    def __init__(self) -> None:
        self.buffers: dict[str, Picture] = {}


_SCRATCH = _Scratch()


def scratch(name: str, shape: tuple[int, ...]) -> Picture:
    """Return a picture of `shape` with anything in it, for use until this thread asks for `name` again."""
    size = math.prod(shape)
    buffer = _SCRATCH.buffers.get(name)
    if buffer is None or len(buffer) < size:
        buffer = _SCRATCH.buffers[name] = np.empty(size, np.uint8)
    return buffer[:size].reshape(shape)


def add_onto(target: Picture, light: Picture) -> None:
    """Add `light` to `target` in place; bright places stop at white."""
    cv2.add(target, light, dst=target)


def multiply_onto(target: Picture, by: Picture) -> None:
    """Darken `target` by `by`, where 255 leaves it as it is, in place."""
    cv2.multiply(target, by, dst=target, scale=1.0 / 255.0)


def scaled(source: Picture, factor: float) -> Picture:
    """Return `source` brightened or dimmed."""
    return cast("Picture", cv2.convertScaleAbs(source, alpha=factor))


def gray_to_rgba(gray: NDArray[Any]) -> Picture:
    """Return a gray picture with four equal channels."""
    return cast("Picture", cv2.cvtColor(gray, cv2.COLOR_GRAY2RGBA))


def rgba_to_rgb(picture: Picture) -> Picture:
    """Drop the fourth channel."""
    return cast("Picture", cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB))


def opaque(rgb: Picture) -> Picture:
    """Add a full fourth channel."""
    return cast("Picture", cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA))


def premultiplied(color: NDArray[Any], cover: NDArray[Any]) -> Picture:
    """Return RGBA from colors 0 to 1 (a field of three, or one color) and a cover 0 to 1."""
    solid = to_picture(cover)
    if color.ndim == 1:
        layers = [cv2.convertScaleAbs(solid, alpha=float(min(max(part, 0.0), 1.0))) for part in color]
        return cast("Picture", cv2.merge([*layers, solid]))
    shown = cv2.multiply(to_picture(color), cv2.cvtColor(solid, cv2.COLOR_GRAY2RGB), scale=1.0 / 255.0)
    return cast("Picture", cv2.merge([*cv2.split(shown), solid]))


def smoothstep(low: float, high: float, value: Any) -> Any:
    """Return 0 below `low`, 1 above `high` and an S between; works with `low` above `high` too."""
    part = np.clip((value - low) / (high - low), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)


def mix(first: Any, second: Any, part: Any) -> Any:
    """Return `first` where `part` is 0 and `second` where it is 1."""
    return first + (second - first) * part
