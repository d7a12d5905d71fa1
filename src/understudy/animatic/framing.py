"""Where the camera looks on a still picture, from the first frame of a shot to its last."""

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from understudy.animatic.storyboard import FRAMES_PER_SECOND, Move, Shot, View

_SWAY = 0.011
"""The largest shift between near and far, in widths of the frame: more, and a guessed depth shows its errors."""

_SWELL = 0.036
"""How much more the near grows than the far during a push in: at the edge of the frame as much as `_SWAY`."""

_SAFETY = 0.02
"""What stays unseen at each edge of the picture, so that no shift looks past it."""


_CROP = {View.WIDE: 0.0, View.NEAR: 0.22, View.DETAIL: 0.34}
_LATER_CROP = 0.22
"""A later shot comes at least so much closer than the first, so that a cut is a cut."""

_SLOW = 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """What one frame sees: center and width in parts of the picture, and how far near and far have come apart.

    `sway_x` and `sway_y` move near things against far ones, in widths of the frame; `swell` lets them grow.
    """

    x: float
    y: float
    scale: float
    sway_x: float = 0.0
    sway_y: float = 0.0
    swell: float = 0.0


class CameraPath:
    """The path of one shot: its move, towards `focus` (0 to 1, 0 to 1).

    A wide first shot shows the picture whole; near views, details and later shots crop it, as far as its resolution
    lets them: by `closeness`, 0 to 1, of what they would.
    """

    def __init__(self, shot: Shot, focus: tuple[float, float], closeness: float) -> None:
        self._move = shot.move
        self._focus = focus
        rng = np.random.default_rng([shot.seed % (1 << 64), 7])
        self._turn = float(rng.choice([-1, 1]))
        self._phases = [float(phase) for phase in rng.uniform(0, 2 * pi, 4)]
        crop = max(_CROP[shot.view], _LATER_CROP if shot.first_frame else 0.0)
        self._tight = 1.0 - crop * closeness
        self._seconds = shot.frames / FRAMES_PER_SECOND
        self._pace = _SLOW if shot.slow else 1.0

    def at(self, progress: float) -> Framing:
        """Return the framing at `progress` 0 to 1 of the shot."""
        # Slow motion covers less of the way, in its middle.
        progress = 0.5 + (progress - 0.5) * self._pace
        # Half eased: a full ease would stand still at both ends, none at all would start with a jerk.
        eased = 0.45 * progress + 0.55 * progress * progress * (3 - 2 * progress)
        match self._move:
            case Move.PUSH_IN | Move.PULL_OUT | Move.AERIAL:
                return self._dolly(1 - eased if self._move is Move.PULL_OUT else eased)
            case Move.PAN_LEFT | Move.PAN_RIGHT:
                return self._pan(1 - eased if self._move is Move.PAN_LEFT else eased)
            case Move.TILT_UP | Move.TILT_DOWN:
                return self._tilt(1 - eased if self._move is Move.TILT_UP else eased)
            case Move.HANDHELD:
                return self._handheld(progress * self._seconds)
            case Move.STILL:
                return self._drift(eased)

    def _placed(self, x: float, y: float, scale: float, **parallax: float) -> Framing:
        """Return a framing that is inside the picture with `_SAFETY` to spare."""
        scale = min(scale * self._tight, 1 - 2 * _SAFETY)
        least = scale / 2 + _SAFETY
        return Framing(x=min(max(x, least), 1 - least), y=min(max(y, least), 1 - least), scale=scale, **parallax)

    def _towards_focus(self, share: float) -> tuple[float, float]:
        # A tight shot starts at its focus already; a wide one finds it.
        share = max(share, 1.0 if self._tight < 1 else 0.0)
        return 0.5 + (self._focus[0] - 0.5) * share, 0.5 + (self._focus[1] - 0.5) * share

    def _dolly(self, into: float) -> Framing:
        x, y = self._towards_focus(into)
        if self._move is Move.AERIAL:
            return self._placed(x, y + 0.14 * (0.5 - into), 0.93 - 0.1 * into, sway_y=_SWAY * (1 - 2 * into))
        return self._placed(x, y, 0.95 - 0.17 * into, swell=_SWELL * (2 * into - 1))

    def _pan(self, along: float) -> Framing:
        x, y = self._towards_focus(0.5)
        return self._placed(x + 0.2 * (along - 0.5), y, 0.8, sway_x=_SWAY * (2 * along - 1))

    def _tilt(self, along: float) -> Framing:
        x, y = self._towards_focus(0.5)
        return self._placed(x, y + 0.2 * (along - 0.5), 0.8, sway_y=_SWAY * (2 * along - 1))

    def _drift(self, along: float) -> Framing:
        x, y = self._towards_focus(0.4)
        sway = self._turn * _SWAY * (2 * along - 1)
        return self._placed(x + 0.03 * self._turn * (along - 0.5), y, 0.92 - 0.05 * along, sway_x=0.8 * sway)

    def _handheld(self, seconds: float) -> Framing:
        a, b, c, d = self._phases
        right = 0.6 * sin(2 * pi * 0.43 * seconds + a) + 0.4 * sin(2 * pi * 1.07 * seconds + b)
        down = 0.6 * sin(2 * pi * 0.37 * seconds + c) + 0.4 * sin(2 * pi * 0.91 * seconds + d)
        x, y = self._towards_focus(0.4)
        return self._placed(
            x + 0.011 * right, y + 0.009 * down, 0.86, sway_x=0.4 * _SWAY * right, sway_y=0.4 * _SWAY * down
        )
