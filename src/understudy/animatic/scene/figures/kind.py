"""What is known of each figure: how it is drawn, where it belongs, and how it moves."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from understudy.animatic.scene.figures.sketch import Box, Sketch
from understudy.animatic.scene.palette import Color
from understudy.animatic.scene.stage import Medium

Draw: TypeAlias = Callable[[Sketch, float, Color | None], None]
"""Draws a figure at a phase of its cycle (0 to 1), in a color that the prompt may have named."""


class Motion(StrEnum):
    """How a figure moves through the frame."""

    STAND = "stand"
    WALK = "walk"
    RIDE = "ride"
    BOB = "bob"
    DRIFT = "drift"
    FLY = "fly"
    SWIM = "swim"
    LEAP = "leap"
    RISE = "rise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """The part of a large, still figure that moves: the sails of a mill, smoke, a lamp."""

    draw: Draw
    box: Box
    period: float
    phases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of figure.

    `size` is the height of its unit in grown persons, `speed` its units a second, `period` the seconds of its
    cycle (0 when it does not move by itself), `phases` the drawings of one cycle. A landmark is large, stands
    behind the action and gives way to the other figures; `moving` is drawn over it. `many` makes a flock of it.
    """

    draw: Draw
    medium: Medium
    box: Box
    size: float = 1.0
    motion: Motion = Motion.STAND
    speed: float = 0.0
    period: float = 0.0
    phases: int = 1
    landmark: bool = False
    moving: Moving | None = None
    many: int = 1
