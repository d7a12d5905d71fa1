"""The stage of a shot: its measures, its light, and the elements that the sets put on it."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from numpy.random import Generator

from understudy.animatic.scene.camera import Camera
from understudy.animatic.scene.layers import Element
from understudy.animatic.scene.palette import Palette
from understudy.animatic.scene.raster import Field
from understudy.animatic.storyboard import Season, Shot, View, Weather


class Medium(StrEnum):
    """What a figure stands on or moves in."""

    GROUND = "ground"
    WATER = "water"
    AIR = "air"
    SKY = "sky"
    SPACE = "space"
    DEEP = "deep"
    ROAD = "road"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place for figures: its middle, how far it stretches to each side, and what lies before and behind it.

    `ground` is the row of the ground: one number, or one for each column from `left` on. `size` is how many pixels
    a grown person would measure there, `order` when it is drawn; `back` is
    the order of landmarks, if they stand behind the edge of the ground and not on it.
    """

    x: float
    spread: float
    ground: Field | float
    size: float
    depth: float
    order: float
    left: float = 0.0
    back: float | None = None

    def row(self, x: float) -> float:
        """Return the row of the ground at column `x`."""
        if isinstance(self.ground, float):
            return self.ground
        at = min(max(int(x - self.left), 0), len(self.ground) - 1)
        return float(self.ground[at])


@dataclass(slots=True)
class Stage:
    """All that a set needs to know to build itself, and the stack that it builds."""

    shot: Shot
    width: int
    height: int
    rng: Generator
    palette: Palette
    camera: Camera
    horizon: float
    sun: tuple[float, float]
    stack: list[tuple[float, Element]] = field(default_factory=list)
    wanted: frozenset[Medium] = frozenset()
    spots: dict[Medium, Spot] = field(default_factory=dict)

    @property
    def unit(self) -> float:
        """The measure of things: 1.0 in a frame of 1280 x 720, the same upright."""
        return math.sqrt(self.width * self.height) / 960.0

    @property
    def portrait(self) -> bool:
        """Whether the frame stands upright."""
        return self.height > self.width

    @property
    def person(self) -> float:
        """How many pixels a grown person measures at depth 1."""
        base = 0.185 * self.height if self.portrait else 0.25 * self.height
        return base * {View.WIDE: 1.0, View.NEAR: 1.4, View.DETAIL: 1.8}[self.shot.view]

    @property
    def nearness(self) -> float:
        """How much larger than in a wide view things are built."""
        return {View.WIDE: 1.0, View.NEAR: 1.25, View.DETAIL: 1.55}[self.shot.view]

    @property
    def snowy(self) -> bool:
        """Whether snow lies."""
        return self.shot.weather is Weather.SNOW or self.shot.season is Season.WINTER

    @property
    def pace(self) -> float:
        """How fast things move: half when slow motion is asked for."""
        return 0.45 if self.shot.slow else 1.0

    def add(self, element: Element, order: float) -> None:
        """Put an element on the stage; a higher `order` is nearer."""
        self.stack.append((order, element))

    def elements(self) -> list[Element]:
        """Return the stack, farthest first; of one order, the first put stays behind."""
        return [element for _, element in sorted(self.stack, key=lambda pair: pair[0])]
