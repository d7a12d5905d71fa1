"""What a text says, put together from its mentions: the first that is named decides."""

from dataclasses import dataclass

from understudy.animatic.lexicon.match import Mention, mentions
from understudy.animatic.storyboard import Light, Move, Season, Setting, View, Weather

_STRONG_WEATHER = (Weather.STORM, Weather.SNOW, Weather.RAIN, Weather.FOG)
_HOLDS = {"mountains": "lake", "city": "street", "sea": "beach", "space": "planet"}
"""Places, and the nearer places in whose pictures they are seen too."""

_NEAR = 16
"""How many characters may lie between a color and the figure that it colors."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is named, and the color it is given ("" for its own)."""

    name: str
    color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text names; None where it names nothing of a kind.

    `part` is the setting of a word such as "sky" or "road", which belongs to many places and counts least.
    """

    setting: Setting | None = None
    part: Setting | None = None
    light: Light | None = None
    weather: Weather | None = None
    season: Season | None = None
    move: Move | None = None
    view: View | None = None
    slow: bool = False
    figures: tuple[Figure, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no word that can be drawn was found."""
        return not (self.setting or self.part or self.light or self.weather or self.season or self.figures)


def read(text: str) -> Reading:
    """Read a text: the first word of each kind decides, but neon outdoes any other light."""
    found = mentions(text)
    setting, part = _setting(found), _first(found, "weak_setting")
    light = "neon" if any(m.kind == "light" and m.value == "neon" for m in found) else _first(found, "light")
    season, move, view = _first(found, "season"), _first(found, "move"), _first(found, "view")
    return Reading(
        setting=Setting(setting) if setting else None,
        part=Setting(part) if part else None,
        light=Light(light) if light else None,
        weather=_weather(found),
        season=Season(season) if season else None,
        move=Move(move) if move else None,
        view=View(view) if view else None,
        slow=any(mention.kind == "slow" for mention in found),
        figures=_figures(found),
    )


def _setting(found: list[Mention]) -> str | None:
    """Return the first place, or one named after it that shows the first as well: a lake under a mountain is both."""
    first = _first(found, "setting")
    within = _HOLDS.get(first or "")
    named = {mention.value for mention in found if mention.kind == "setting"}
    return within if within in named else first


def _first(found: list[Mention], kind: str) -> str | None:
    return next((mention.value for mention in found if mention.kind == kind), None)


def _weather(found: list[Mention]) -> Weather | None:
    """Return the weather: a storm outdoes rain, and what falls outdoes what merely hangs in the sky."""
    named = [Weather(mention.value) for mention in found if mention.kind == "weather"]
    if Weather.STORM in named:
        return Weather.STORM
    falling = [weather for weather in named if weather in _STRONG_WEATHER]
    return next(iter(falling or named), None)


def _figures(found: list[Mention]) -> tuple[Figure, ...]:
    """Return the figures in their order, each once, with the color that stands in or just before its name."""
    figures: dict[str, Figure] = {}
    for index, mention in enumerate(found):
        if mention.kind != "figure":
            continue
        name, _, color = mention.value.partition("/")
        color = color or _color_within(mention.phrase) or _color_before(found, index)
        figures.setdefault(name, Figure(name, color))
    return tuple(figures.values())


def _color_within(phrase: str) -> str:
    """Return the color that a name carries itself, such as "black cat"."""
    head = mentions(phrase.split(" ", 1)[0] if " " in phrase else phrase[:1])
    return next((mention.value for mention in head if mention.kind == "color"), "")


def _color_before(found: list[Mention], index: int) -> str:
    """Return the color named shortly before a figure, with no other figure between."""
    at = found[index].at
    for mention in reversed(found[:index]):
        if mention.at == at:
            continue
        if mention.kind == "color" and at - mention.at - mention.length <= _NEAR:
            return mention.value
        if mention.kind == "figure" or at - mention.at - mention.length > _NEAR:
            return ""
    return ""
