"""The abstract look: folded silk in two or three colors, for prompts of which no word is known.

The cloth is a field of warped waves computed at a quarter of the size, where it costs little, and lit as if it had
folds; enlarged, it is smooth, because it holds nothing small. The prompt stands on it in large type.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.animatic.storyboard import FRAMES_PER_SECOND, Frame, Shot
from understudy.animatic.titles import Overlay, title_card

_Field: TypeAlias = NDArray[np.float32]

_SHRINK = 4
_LINE_SECONDS = 0.45
"""From the entrance of one line of type to that of the next."""
_ENTRANCE_SECONDS = 0.9
_LUT = 1024
_FINE = 16
"""Steps between two of the 256 levels, so that the dither has something to choose between."""

# Shadow, body, second body, light: hand-picked, as palettes from arithmetic look like it. sRGB.
_PALETTES = (
    ("#0b1026", "#27318f", "#c2488f", "#ffc48a"),
    ("#061a1e", "#0d5f63", "#2fa08a", "#f4d58d"),
    ("#160b24", "#5b2a86", "#e0567a", "#ffd9b8"),
    ("#0a1420", "#12507a", "#3c9fb8", "#f0e6d0"),
    ("#1a0d0c", "#8a2b2b", "#e07a3f", "#ffe0a6"),
    ("#0c1510", "#24583f", "#8aa84f", "#f7e7b0"),
    ("#120f1d", "#3a3f7a", "#7c8fd0", "#f2dfe8"),
    ("#190f18", "#7a2548", "#d9668b", "#ffe3d0"),
)


def _linear(color: str) -> _Field:
    """Return `#rrggbb` as linear light, in which mixtures of two colors stay clean."""
    srgb = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / 255
    return np.asarray(srgb**2.2, np.float32)


def _ramp(palette: tuple[str, str, str, str]) -> NDArray[np.int16]:
    """Return the palette as `_LUT` steps of sRGB from shadow to light."""
    stops = np.stack([_linear(color) for color in palette])
    along = np.linspace(0, 1, _LUT, dtype=np.float32)
    eased = np.interp(along, (0.0, 0.42, 0.74, 1.0), (0.0, 1.0, 2.0, 3.0))
    channels = [np.interp(eased, range(4), stops[:, channel]) for channel in range(3)]
    return np.asarray(np.stack(channels, axis=1) ** (1 / 2.2) * 255 * _FINE, np.int16)


class RibbonPainter:
    """Paints an abstract shot, type included: `shot.seed` chooses the folds, `shot.caption` is what is set.

    `film_seed` chooses the colors, so that the shots of one film are of one cloth.
    """

    def __init__(self, shot: Shot, width: int, height: int, *, film_seed: int) -> None:
        rng = np.random.default_rng(shot.seed % (1 << 64))
        palette = np.random.default_rng(film_seed % (1 << 64)).integers(len(_PALETTES))
        self._size = (width, height)
        self._frames = shot.frames
        self._ramp = _ramp(_PALETTES[palette])
        self._phases = rng.uniform(0, 2 * np.pi, 8).astype(np.float32)
        self._turn = rng.choice([-1, 1]) * (0.55 if shot.slow else 1.0)
        self._lines: list[Overlay] = title_card(shot.caption, width, height)
        short = min(width, height)
        across, down = -(-width // _SHRINK) + 2, -(-height // _SHRINK) + 2
        x = (np.arange(across, dtype=np.float32) * _SHRINK - width / 2) / short
        y = (np.arange(down, dtype=np.float32) * _SHRINK - height / 2) / short
        angle = np.float32(rng.uniform(-0.75, -0.35))
        self._u = np.cos(angle) * x[None, :] + np.sin(angle) * y[:, None]
        self._v = np.cos(angle) * y[:, None] - np.sin(angle) * x[None, :]
        # Darker in the corners.
        fall = np.clip(1.06 - 0.16 * (x[None, :] ** 2 + y[:, None] ** 2), 0.6, 1)
        self._shade: _Field = np.asarray(fall, np.float32)
        # One still pattern hides the steps of 8 bits; a moving one would cost the codec more than the cloth.
        tile = rng.triangular(-1.5 * _FINE, 0, 1.5 * _FINE, (256, 256, 1)).astype(np.int16)
        tiles = np.tile(tile, (-(-height // 256), -(-width // 256), 3))
        self._dither = np.ascontiguousarray(tiles[:height, :width])

    def paint(self, frame: int) -> Frame:
        """Return frame number `frame` of the shot."""
        width, height = self._size
        cloth = self._cloth(frame / FRAMES_PER_SECOND)
        grown = cv2.resize(cloth, None, fx=_SHRINK, fy=_SHRINK, interpolation=cv2.INTER_CUBIC)
        window = grown[_SHRINK : _SHRINK + height, _SHRINK : _SHRINK + width]
        picture = cv2.convertScaleAbs(cv2.add(window, self._dither), alpha=1 / _FINE)
        finished: Frame = np.asarray(picture, np.uint8)
        self._write(finished, frame)
        return finished

    def _cloth(self, seconds: float) -> NDArray[np.int16]:
        """Return the small picture at a moment, in `_FINE` steps to each of the 256: ribbons bent by waves, and lit."""
        p, u, v = self._phases, self._u, self._v
        t = np.float32(seconds * 0.3 * self._turn)
        bend_u = 0.30 * np.sin(1.9 * v + p[0] + 0.9 * t) + 0.14 * np.sin(2.6 * u - 2.1 * v + p[1] - 1.1 * t)
        bend_v = 0.26 * np.sin(1.6 * u + p[2] - 0.7 * t) + 0.10 * np.sin(3.4 * u + 1.2 * v + p[3] + 1.3 * t)
        a, b = u + bend_u, v + bend_v
        stack = 1.55 * b + 0.22 * np.sin(1.5 * a + p[4] + t) + p[5] + 0.10 * t
        ribbon = np.floor(stack)
        along = stack - ribbon
        sheen = 0.5 + 0.5 * np.sin(2.3 * a + 1.7 * along + p[6] + 2.1 * ribbon + 0.8 * t)
        # From the shaded root of a ribbon to its lit edge; the last 8 % turn over into the root of the next.
        edge = np.clip((along - 0.92) / 0.08, 0, 1)
        edge = edge * edge * (3 - 2 * edge)
        lit = along * along * (0.42 + 0.3 * sheen)
        shadow = 0.16 * np.exp(along * np.float32(-9))
        tone = self._tone(ribbon) + lit - shadow
        tone += (self._tone(ribbon + 1) - 0.16 - tone) * edge
        level = (np.clip(tone * self._shade, 0, 0.999) * _LUT).astype(np.int32)
        return np.asarray(self._ramp[level], np.int16)

    def _tone(self, ribbon: _Field) -> _Field:
        """Return where on the ramp each ribbon begins: irregular, never the same for two that touch."""
        return np.asarray(0.26 + 0.17 * np.sin(2.4 * ribbon + self._phases[7]), np.float32)

    def _write(self, picture: Frame, frame: int) -> None:
        """Bring the lines on one after the other, and all off together at the end of the shot."""
        leaving = min(1.0, max(0.0, (self._frames - frame) / (0.5 * FRAMES_PER_SECOND)))
        for index, line in enumerate(self._lines):
            since = frame / FRAMES_PER_SECOND - 0.35 - index * _LINE_SECONDS
            entered = min(1.0, max(0.0, since / _ENTRANCE_SECONDS))
            eased = 1 - (1 - entered) ** 3
            line.lay(picture, opacity=eased * leaving, drop=(1 - eased) * self._size[1] * 0.02)
