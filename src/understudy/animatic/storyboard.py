"""What is to be drawn: the film asked for, and the shots that a prompt was read as."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

FRAMES_PER_SECOND = 24

Frame: TypeAlias = NDArray[np.uint8]
"""One picture: height x width x 3, RGB, 8 bits a channel, C-contiguous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSpec:
    """A film as it was asked for.

    Width and height are even numbers of pixels, 256 to 1920 each; `seconds` is 1 to 60; `seed` is any integer of
    64 bits. The same spec gives the same frames on the same version. `picture` is an image file already checked and
    re-encoded by us; with it the film is a camera move over that picture.
    """

    prompt: str
    width: int
    height: int
    seconds: int
    seed: int
    picture: Path | None = None

    @property
    def frames(self) -> int:
        """The exact number of frames: 24 for each second."""
        return self.seconds * FRAMES_PER_SECOND


class Setting(StrEnum):
    """Where a shot plays; `ABSTRACT` when no word of the prompt is known."""

    SEA = "sea"
    BEACH = "beach"
    LAKE = "lake"
    CITY = "city"
    STREET = "street"
    FOREST = "forest"
    MOUNTAINS = "mountains"
    DESERT = "desert"
    FIELD = "field"
    SKY = "sky"
    SPACE = "space"
    PLANET = "planet"
    UNDERWATER = "underwater"
    INTERIOR = "interior"
    ABSTRACT = "abstract"


class Season(StrEnum):
    """What grows, and in which colors; `ANY` leaves it to the setting."""

    ANY = "any"
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"
    WINTER = "winter"


class View(StrEnum):
    """How near the camera stands; a scene of several shots goes from wide to detail."""

    WIDE = "wide"
    NEAR = "near"
    DETAIL = "detail"


class Light(StrEnum):
    """The time of day, or what stands in for it."""

    DAWN = "dawn"
    DAY = "day"
    SUNSET = "sunset"
    DUSK = "dusk"
    NIGHT = "night"
    NEON = "neon"


class Weather(StrEnum):
    """What falls or drifts through the air."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    RAIN = "rain"
    STORM = "storm"
    SNOW = "snow"
    FOG = "fog"


class Move(StrEnum):
    """What the camera does during a shot."""

    STILL = "still"
    PUSH_IN = "push in"
    PULL_OUT = "pull out"
    PAN_LEFT = "pan left"
    PAN_RIGHT = "pan right"
    TILT_UP = "tilt up"
    TILT_DOWN = "tilt down"
    AERIAL = "aerial"
    HANDHELD = "handheld"


class Sound(StrEnum):
    """What a shot sounds like; the sound track mixes these."""

    SURF = "surf"
    RAIN = "rain"
    THUNDER = "thunder"
    WIND = "wind"
    BIRDS = "birds"
    CRICKETS = "crickets"
    CITY = "city"
    SPACE = "space"
    FIRE = "fire"
    UNDERWATER = "underwater"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One uncut stretch of film.

    `figures` are names that `scene` can draw ("boat", "person", "cat" …); `caption` is the part of the prompt that
    the shot shows; `seed` differs from shot to shot so that two shots of one place are two views of it.
    `figure_colors` names a color for each figure in turn ("" for its own), so that a red car is red; the two tuples
    are equally long, or `figure_colors` is empty. `slow` says that the prompt asks for slow motion.
    """

    first_frame: int
    frames: int
    setting: Setting
    light: Light
    weather: Weather
    move: Move
    figures: tuple[str, ...]
    sounds: frozenset[Sound]
    caption: str
    seed: int
    view: View = View.WIDE
    season: Season = Season.ANY
    figure_colors: tuple[str, ...] = ()
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """The whole film as shots that follow each other without a gap."""

    spec: FilmSpec
    shots: tuple[Shot, ...]


class Painter(Protocol):
    """Draws the frames of one shot, without type: caption and tag are laid over it later."""

    def paint(self, frame: int) -> Frame:
        """Return frame number `frame` of the shot, counted from 0; a new array that the caller may draw on."""
        ...
