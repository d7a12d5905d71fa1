"""What is laid over the pictures: the caption of a shot, the title card of an abstract one, and the permanent tag.

Each is drawn once and then composited over its own rectangle only, because most of a frame has no type on it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.animatic.lettering import LEADING, Block, Mask, clean, text_mask, wrap
from understudy.animatic.storyboard import Frame

TAG = "ANIMATIC DRAFT · procedural, not an AI model"
"""Stands on every frame of every film, so that a copy of it cannot pass as a model's work."""

INK = (250, 247, 240)
ACCENT = (255, 186, 92)

_Layer: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Overlay:
    """Type with its shadow, ready to composite: `ink` is RGB times coverage, `cover` the coverage, both 8 bit."""

    ink: Frame
    cover: Frame
    left: int
    top: int

    @cached_property
    def _clear(self) -> Frame:
        return np.asarray(255 - self.cover, np.uint8)

    def lay(self, frame: Frame, opacity: float = 1.0, drop: float = 0.0) -> None:
        """Draw onto `frame`, in place, at `opacity` 0 to 1, moved down by `drop` pixels (fractions are honoured)."""
        if opacity <= 0:
            return
        ink, clear = self.ink, self._clear
        if opacity < 1 or drop:
            cover = self.cover
            if drop:
                ink, cover = _lowered(ink, drop), _lowered(cover, drop)
            ink = cv2.convertScaleAbs(ink, alpha=opacity)  # type: ignore[assignment] # 8 bit in, 8 bit out
            clear = cv2.convertScaleAbs(cover, alpha=-opacity, beta=255)  # type: ignore[assignment] # the same
        height, width = ink.shape[:2]
        region = frame[self.top : self.top + height, self.left : self.left + width]
        cv2.multiply(region, clear, dst=region, scale=1 / 255)
        cv2.add(region, ink, dst=region)


def _lowered(patch: Frame, drop: float) -> Frame:
    matrix = np.array([[1, 0, 0], [0, 1, drop]], np.float64)
    moved = cv2.warpAffine(patch, matrix, (patch.shape[1], patch.shape[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8)


def _softened(mask: _Layer, sigma: float) -> _Layer:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, sigma)), np.float32)


def _composed(
    mask: Mask, size: int, *, at: tuple[int, int], frame: tuple[int, int], scrim: float, bar: int = 0
) -> Overlay:
    """Give `mask` its shadow and scrim; `at` is where its left top lands in a frame of width x height `frame`.

    Two shadows: a tight one parts white type from white snow, a wide faint one calms a busy picture behind it.
    """
    reach = round(size * 2.4)
    left, top = max(0, at[0] - reach), max(0, at[1] - reach)
    right = min(frame[0], at[0] + mask.shape[1] + reach)
    bottom = min(frame[1], at[1] + mask.shape[0] + reach)
    text = np.zeros((bottom - top, right - left), np.float32)
    y, x = at[1] - top, at[0] - left
    fitted = mask[: bottom - at[1], : right - at[0]]
    text[y : y + fitted.shape[0], x : x + fitted.shape[1]] = fitted / np.float32(255)
    ground = np.zeros_like(text)
    ground[y : y + mask.shape[0], x : x + mask.shape[1]] = scrim
    shade = 1 - (1 - _softened(ground, size * 0.95)) * (1 - np.clip(_softened(text, size * 0.09) * 1.1, 0, 0.75))
    colour = text[..., None] * np.array(INK, np.float32)
    if bar:
        text[y : y + mask.shape[0], x : x + bar] = 1
        colour[y : y + mask.shape[0], x : x + bar] = ACCENT
    cover = np.maximum(text, shade) if not bar else text + (1 - text) * shade
    return Overlay(
        ink=np.asarray(colour + 0.5, np.uint8),
        cover=np.repeat(np.asarray(cover * 255 + 0.5, np.uint8)[..., None], 3, axis=2),
        left=left,
        top=top,
    )


def _margin(width: int, height: int) -> int:
    """Return the title-safe margin: 5 % of the longer side would waste a portrait frame, so 6 % of the shorter."""
    return round(0.06 * min(width, height))


def tag(width: int, height: int) -> Overlay:
    """Return the permanent tag for the top left corner."""
    margin = _margin(width, height)
    size = max(9, round(0.0215 * min(width, height)))
    while size > 6 and text_mask([TAG], size=size).shape[1] > width - 2 * margin:
        size -= 1
    mask = text_mask([TAG], size=size, weight=0.012)
    mask = np.asarray(mask * np.float32(0.86), np.uint8)[:, : width - margin]
    return _composed(mask, size, at=(margin, round(margin * 0.8)), frame=(width, height), scrim=0.34)


def caption(text: str, width: int, height: int) -> Overlay | None:
    """Return the lower third that shows `text`, or None when the font can write none of it."""
    if not clean(text):
        return None
    margin, short = _margin(width, height), min(width, height)
    portrait = height > width
    most = 4 if portrait else 2
    size = max(9, round(short * 0.049))
    bar, indent = max(2, round(size * 0.1)), round(size * 0.6)
    room = round((width - 2 * margin) * (1 if portrait else 0.8)) - indent
    block = wrap(text, size=size, width=room, max_lines=most)
    if not block.whole:
        size = max(9, round(size * 0.84))
        block = wrap(text, size=size, width=room, max_lines=most + 1)
    written = text_mask(block.lines, size=size, weight=0.012)
    mask = np.zeros((written.shape[0], written.shape[1] + indent), np.uint8)
    mask[:, indent:] = written
    lowest = height - margin - (round(0.06 * height) if portrait else 0)
    top = max(0, lowest - mask.shape[0])
    return _composed(mask, size, at=(margin, top), frame=(width, height), scrim=0.4, bar=bar)


def _largest(text: str, *, short: int, room: int) -> tuple[int, Block]:
    """Return the largest size at which all of `text` fits on a card, else the smallest with an ellipsis."""
    size, block = 0, Block((), whole=False)
    for share, most in ((0.17, 1), (0.13, 2), (0.105, 3), (0.088, 4), (0.07, 5), (0.058, 6)):
        size = max(10, round(short * share))
        block = wrap(text, size=size, width=room, max_lines=most)
        if block.whole:
            break
    return size, block


def title_card(text: str, width: int, height: int) -> list[Overlay]:
    """Return `text` set large, a line an overlay, from top to bottom; empty when the font can write none of it."""
    if not clean(text):
        return []
    margin, portrait = round(0.09 * min(width, height)), height > width
    size, block = _largest(text, short=min(width, height), room=width - 2 * margin)
    pitch = round(size * LEADING)
    top = round(height * (0.46 if portrait else 0.5)) - pitch * len(block.lines) // 2
    return [
        _composed(
            text_mask([line], size=size),
            size,
            at=(margin, max(0, top + pitch * index)),
            frame=(width, height),
            scrim=0.1,
        )
        for index, line in enumerate(block.lines)
    ]
