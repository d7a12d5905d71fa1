"""The script: a prompt becomes shots, each with a place, an hour, figures and a camera move."""

import hashlib
import re
from dataclasses import replace

from understudy.animatic.lexicon import Figure, Reading, read
from understudy.animatic.storyboard import (
    FilmSpec,
    Light,
    Move,
    Season,
    Setting,
    Shot,
    Sound,
    Storyboard,
    View,
    Weather,
)

_SHOT_SECONDS = 4
_CAPTION = 110
_SENTENCE = re.compile(r"(?<=[.!?\u3002\uff01\uff1f;\uff1b])(?<!\b[A-Z]\.)[\s\u3000]*|\n+")
_THEN = re.compile(
    r"[,\uff0c\u3001]?\s*(?:"
    r"\b(?:and then|then|after that|afterwards|finally|next,|cut to|followed by)\b"
    r"|然后|然後|接着|接著|随后|隨後|最后|最後|そして|それから|次に|그리고 나서|그리고|그다음|그 다음|이어서|마지막으로"
    r")[,\uff0c\u3001:]?\s*",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,\uff0c\u3001:]\s*")
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|them|its|his|their)\b|[他她它彼牠]|그[가는의를]|그녀", re.IGNORECASE
)
_WATERCRAFT = frozenset({"boat", "rowboat", "ship"})
_SKY_SHOWS = frozenset({"aurora", "meteors", "fireworks", "rainbow"})
_DRY = frozenset({Setting.FIELD, Setting.FOREST, Setting.MOUNTAINS})

_HOME: dict[Setting, frozenset[str]] = {
    Setting.SEA: frozenset({"boat", "ship", "rowboat", "whale", "dolphin", "lighthouse"}),
    Setting.BEACH: frozenset({"palm", "kite"}),
    Setting.UNDERWATER: frozenset({"fish", "shark", "jellyfish", "turtle", "bubbles"}),
    Setting.SPACE: frozenset({"astronaut", "rocket", "spaceship", "satellite", "ufo"}),
    Setting.STREET: frozenset({"car", "bus", "umbrella", "bicycle"}),
    Setting.CITY: frozenset({"robot", "fireworks", "tower", "helicopter"}),
    Setting.FOREST: frozenset({"deer", "bear", "wolf", "fox", "fireflies", "sunbeams", "tiger", "tent"}),
    Setting.MOUNTAINS: frozenset(
        {"castle", "dragon", "eagle", "aurora", "temple", "meteors", "campfire", "pine", "snowman"}
    ),
    Setting.DESERT: frozenset({"camel", "pyramid", "lion", "elephant", "dust"}),
    Setting.SKY: frozenset({"airplane"}),
}
"""Where a figure belongs when the prompt names no place; all others belong in a field."""

_BY_WEATHER = {
    Weather.RAIN: Setting.STREET,
    Weather.STORM: Setting.SEA,
    Weather.SNOW: Setting.FOREST,
    Weather.FOG: Setting.LAKE,
    Weather.CLOUDY: Setting.FIELD,
    Weather.CLEAR: Setting.FIELD,
}
_BY_LIGHT = {
    Light.DAWN: Setting.LAKE,
    Light.DAY: Setting.FIELD,
    Light.SUNSET: Setting.SEA,
    Light.DUSK: Setting.LAKE,
    Light.NIGHT: Setting.MOUNTAINS,
    Light.NEON: Setting.STREET,
}
_BY_SEASON = {
    Season.SPRING: Setting.FIELD,
    Season.SUMMER: Setting.BEACH,
    Season.AUTUMN: Setting.FOREST,
    Season.WINTER: Setting.MOUNTAINS,
}
_FALLING = frozenset({Weather.RAIN, Weather.STORM, Weather.SNOW, Weather.FOG})
_NIGHTLY = frozenset({"aurora", "meteors", "fireworks", "fireflies", "lanterns", "campfire"})
_USUAL_LIGHT: dict[Setting, tuple[Light, ...]] = {
    Setting.SEA: (Light.SUNSET, Light.DAY, Light.DAWN),
    Setting.BEACH: (Light.DAY, Light.SUNSET),
    Setting.LAKE: (Light.DAWN, Light.DAY, Light.SUNSET),
    Setting.CITY: (Light.NIGHT, Light.DUSK, Light.SUNSET),
    Setting.STREET: (Light.DUSK, Light.NIGHT, Light.DAY),
    Setting.FOREST: (Light.DAY, Light.DAWN),
    Setting.MOUNTAINS: (Light.DAY, Light.DAWN, Light.SUNSET),
    Setting.DESERT: (Light.SUNSET, Light.DAY),
    Setting.FIELD: (Light.DAY, Light.SUNSET, Light.DAWN),
    Setting.SKY: (Light.SUNSET, Light.DAY, Light.DAWN),
    Setting.PLANET: (Light.NIGHT, Light.DUSK),
    Setting.SPACE: (Light.NIGHT,),
    Setting.UNDERWATER: (Light.DAY,),
    Setting.INTERIOR: (Light.DAY, Light.SUNSET, Light.DUSK),
}
_USUAL_MOVES: dict[View, tuple[Move, ...]] = {
    View.WIDE: (Move.PUSH_IN, Move.PAN_RIGHT, Move.AERIAL, Move.PAN_LEFT, Move.TILT_UP),
    View.NEAR: (Move.PAN_LEFT, Move.PUSH_IN, Move.PAN_RIGHT, Move.HANDHELD),
    View.DETAIL: (Move.PULL_OUT, Move.PUSH_IN, Move.HANDHELD, Move.PAN_RIGHT),
}
_VIEWS = (View.WIDE, View.NEAR, View.DETAIL)


def plan(spec: FilmSpec) -> Storyboard:
    """Return the storyboard of a film: shots of about four seconds that follow each other without a gap.

    One sentence makes one shot where there are enough; a single sentence is seen wide, then nearer, then in detail.
    A shot that leaves something open takes it from the whole prompt. The same spec gives the same storyboard.
    """
    whole = read(spec.prompt)
    count = max(1, round(spec.seconds / _SHOT_SECONDS))
    parts = _parts(spec.prompt, count)
    lengths = [spec.frames // count + (1 if index < spec.frames % count else 0) for index in range(count)]
    shots: list[Shot] = []
    first = 0
    for index, (text, turn, caption) in enumerate(parts):
        reading = _completed(text, read(text), whole)
        previous = shots[-1].move if shots else None
        shots.append(_shot(spec, reading, index, turn, first, lengths[index], caption, previous))
        if shots[-1].setting is Setting.ABSTRACT and not caption:
            # Its words are all that an abstract shot shows.
            shots[-1] = replace(shots[-1], caption=_caption(text))
        first += lengths[index]
    return Storyboard(spec=spec, shots=tuple(shots))


def _parts(prompt: str, count: int) -> list[tuple[str, int, str]]:
    """Divide a prompt among `count` shots: the text of each, its number among the shots of that text, its caption."""
    sentences = _divided(_SENTENCE, prompt)
    if len(sentences) < count:
        sentences = [part for sentence in sentences for part in _divided(_THEN, sentence)] or [prompt]
    if len(sentences) >= count:
        return [(text, 0, _caption(text)) for text in _grouped(sentences, count)]
    parts: list[tuple[str, int, str]] = []
    for index, sentence in enumerate(sentences):
        turns = count // len(sentences) + (1 if index < count % len(sentences) else 0)
        clauses = _divided(_CLAUSE, sentence)
        mark = re.search(r"[\uff0c\u3001]", sentence)
        captions = [_caption(part) for part in _grouped(clauses, turns, mark[0] if mark else ", ")]
        if len(clauses) < turns:
            captions = _continued(sentence, turns)
        parts += [(sentence, turn, captions[turn]) for turn in range(turns)]
    return parts


def _continued(sentence: str, turns: int) -> list[str]:
    """Return captions that tell a sentence once: each goes on where the one before was cut, the rest are empty."""
    captions: list[str] = []
    rest = " ".join(sentence.split())
    for _ in range(turns):
        shown = _caption(rest)
        captions.append(shown)
        cut = shown.endswith("…") and not rest.endswith("…")
        rest = rest[rest.find(shown[:-1]) + len(shown) - 1 :].lstrip(" ,;.\uff0c\u3001") if cut else ""
    return captions


def _divided(pattern: re.Pattern[str], text: str) -> list[str]:
    """Split a text and drop parts that hold no letter."""
    parts = (part.strip() for part in pattern.split(text))
    return [part for part in parts if any(letter.isalnum() for letter in part)]


def _grouped(parts: list[str], count: int, glue: str = " ") -> list[str]:
    """Join parts into `count` groups of about equal numbers, keeping their order."""
    edges = [round(index * len(parts) / count) for index in range(count + 1)]
    return [glue.join(parts[edges[index] : edges[index + 1]]) for index in range(count)]


def _caption(text: str) -> str:
    """Return a text short enough to read in four seconds, cut between words, full-width scripts sooner."""
    text = " ".join(text.split()).strip(" ,;\uff0c\u3001\uff1b")
    wide = sum(1 for letter in text if ord(letter) >= 0x1100)
    most = _CAPTION // 2 if wide > len(text) / 3 else _CAPTION
    if len(text) <= most:
        return text
    cut = text[:most]
    at = cut.rfind(" ")
    return (cut[:at] if at > most // 2 else cut).rstrip(" ,;.\uff0c\u3001") + "…"


def _completed(text: str, own: Reading, whole: Reading) -> Reading:
    """Fill what a part leaves open from the whole prompt; figures follow to another place only if it speaks of them."""
    figures = own.figures
    if not figures and own.setting is None:
        figures = whole.figures
    elif not figures and _PRONOUN.search(text):
        figures = whole.figures[:1]
    setting = own.setting or (_implied(own.figures) if own.figures else None) or whole.setting
    return replace(
        own,
        setting=setting,
        part=own.part or whole.part,
        light=own.light or whole.light,
        weather=own.weather or whole.weather,
        season=own.season or whole.season,
        slow=own.slow or whole.slow,
        figures=figures,
    )


def _implied(figures: tuple[Figure, ...]) -> Setting | None:
    """Return the home of the first figure that has one of its own."""
    for figure in figures:
        for setting, names in _HOME.items():
            if figure.name in names:
                return setting
    return None


def _setting(reading: Reading) -> Setting:
    """Return where a shot plays: what is named, else where its figures belong, else what hour or weather suggest."""
    names = {figure.name for figure in reading.figures}
    setting = reading.setting or _implied(reading.figures) or reading.part
    if setting in _DRY and names & _WATERCRAFT:
        return Setting.LAKE
    if setting is Setting.FOREST and names & _SKY_SHOWS:
        return Setting.MOUNTAINS
    if setting:
        return setting
    if names:
        return Setting.FIELD
    by_mood = (
        _BY_WEATHER.get(reading.weather) if reading.weather in _FALLING else None,
        _BY_LIGHT.get(reading.light) if reading.light else None,
        _BY_SEASON.get(reading.season) if reading.season else None,
        _BY_WEATHER.get(reading.weather) if reading.weather else None,
    )
    return next((setting for setting in by_mood if setting), Setting.ABSTRACT)


def _shot(
    spec: FilmSpec,
    reading: Reading,
    index: int,
    turn: int,
    first: int,
    frames: int,
    caption: str,
    previous: Move | None,
) -> Shot:
    """Return one shot; what the prompt leaves open is drawn from the film's seed."""
    setting = _setting(reading)
    place = _number(spec, "place", setting.value)
    weather = reading.weather or Weather.CLEAR
    light = reading.light or _light(setting, reading, place)
    view = _view(reading, turn)
    seed = _number(spec, "shot", str(index))
    figures = reading.figures
    return Shot(
        first_frame=first,
        frames=frames,
        setting=setting,
        light=light,
        weather=weather,
        move=_move(reading, view, turn, seed, previous),
        figures=tuple(figure.name for figure in figures),
        sounds=_sounds(setting, light, weather, figures),
        caption=caption,
        seed=seed,
        view=view,
        season=reading.season or Season.ANY,
        figure_colors=tuple(figure.color for figure in figures),
        slow=reading.slow,
    )


def _number(spec: FilmSpec, *salt: str) -> int:
    """Return 63 bits that depend on the film asked for and nothing else."""
    key = "\0".join([spec.prompt, str(spec.seed), f"{spec.width}x{spec.height}", str(spec.seconds), *salt])
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 1


def _light(setting: Setting, reading: Reading, place: int) -> Light:
    """Return the hour when none is named: one that suits place, weather and figures."""
    if any(figure.name in _NIGHTLY for figure in reading.figures):
        return Light.NIGHT
    if setting is Setting.STREET and reading.weather in {Weather.RAIN, Weather.STORM}:
        return Light.NEON
    if reading.weather in _FALLING:
        return (Light.DAY, Light.DAWN if reading.weather is Weather.FOG else Light.DUSK)[place % 2]
    usual = _USUAL_LIGHT.get(setting, (Light.DAY,))
    return usual[place % len(usual)]


def _view(reading: Reading, turn: int) -> View:
    """Return how near the camera stands: as named in the first shot of a text, then nearer and nearer."""
    start = _VIEWS.index(reading.view) if reading.view else 0
    return _VIEWS[(start + turn) % len(_VIEWS)]


def _move(reading: Reading, view: View, turn: int, seed: int, previous: Move | None) -> Move:
    """Return the camera's move: as named in the first shot of a text, else a usual one unlike the shot before."""
    if reading.move and turn == 0:
        return reading.move
    usual = [move for move in _USUAL_MOVES[view] if move is not previous]
    return usual[seed % len(usual)]


def _sounds(setting: Setting, light: Light, weather: Weather, figures: tuple[Figure, ...]) -> frozenset[Sound]:
    """Return what a shot sounds like."""
    dark = light in {Light.NIGHT, Light.DUSK}
    wild = Sound.CRICKETS if dark else Sound.BIRDS
    base: dict[Setting, set[Sound]] = {
        Setting.SEA: {Sound.SURF, Sound.WIND},
        Setting.BEACH: {Sound.SURF},
        Setting.LAKE: {wild, Sound.WIND},
        Setting.CITY: {Sound.CITY},
        Setting.STREET: {Sound.CITY},
        Setting.FOREST: {wild},
        Setting.MOUNTAINS: {Sound.WIND},
        Setting.DESERT: {Sound.WIND},
        Setting.FIELD: {wild},
        Setting.SKY: {Sound.WIND},
        Setting.SPACE: {Sound.SPACE},
        Setting.PLANET: {Sound.SPACE, Sound.WIND},
        Setting.UNDERWATER: {Sound.UNDERWATER},
        Setting.INTERIOR: {Sound.CITY} if dark else set(),
    }
    sounds = base.get(setting, {Sound.WIND})
    if setting not in {Setting.SPACE, Setting.UNDERWATER}:
        sounds = sounds | _weather_sounds(weather)
        if weather in {Weather.RAIN, Weather.STORM, Weather.SNOW}:
            sounds -= {Sound.BIRDS, Sound.CRICKETS}
    if any(figure.name in {"campfire", "embers"} for figure in figures):
        sounds = sounds | {Sound.FIRE}
    return frozenset(sounds)


def _weather_sounds(weather: Weather) -> set[Sound]:
    return {
        Weather.RAIN: {Sound.RAIN},
        Weather.STORM: {Sound.RAIN, Sound.THUNDER, Sound.WIND},
        Weather.SNOW: {Sound.WIND},
    }.get(weather, set())
