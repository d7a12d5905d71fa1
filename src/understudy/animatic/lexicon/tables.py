"""The word lists, loaded once from the TOML files beside this module."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeAlias

Meaning: TypeAlias = tuple[str, str]
"""A kind ("setting", "figure" …) and a value of that kind."""

Words: TypeAlias = MappingProxyType[str, tuple[Meaning, ...]]
"""All meanings of each phrase; English phrases are tokens joined by one space."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_KINDS = ("setting", "weak_setting", "light", "weather", "season", "move", "view", "slow", "figure", "color", "nothing")


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language, how negation stands to a word, and which particles may follow one."""

    words: Words
    negation_before: tuple[str, ...]
    negation_after: tuple[str, ...]
    particles: frozenset[str]
    longest: int


@cache
def language(code: str) -> Language:
    """Return a language by its code: "en", "zh", "ja" or "ko".

    Raises:
        FileNotFoundError: There is no such word list.
    """
    text = files("understudy.animatic.lexicon").joinpath(f"{code}.toml").read_text("utf-8")
    raw: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    found: dict[str, list[Meaning]] = {}
    for kind in _KINDS:
        for value, phrases in raw.get(kind, {}).items():
            for phrase in phrases:
                for form in _forms(phrase) if code == "en" else (phrase,):
                    found.setdefault(form, []).append((kind, value))
    words = MappingProxyType({phrase: tuple(meanings) for phrase, meanings in found.items()})
    negation = raw.get("negation", {})
    particles = frozenset(raw.get("particles", {}).get("yes", ()))
    longest = max(len(phrase.split()) if code == "en" else len(phrase) for phrase in words)
    return Language(words, tuple(negation.get("before", ())), tuple(negation.get("after", ())), particles, longest)


def tokens(text: str) -> list[tuple[str, int]]:
    """Return the words of a Latin text with their places; hyphens divide, a possessive 's is dropped."""
    return [(match[0].removesuffix("'s"), match.start()) for match in _TOKEN.finditer(text)]


def _forms(phrase: str) -> set[str]:
    """Return a phrase as tokens, and again with its last word in the plural."""
    parts = [token for token, _ in tokens(phrase)]
    last = parts[-1]
    if last.endswith(("s", "x", "ch", "sh", "z")):
        plural = last + "es"
    elif last.endswith("y") and last[-2:-1] not in set("aeiou"):
        plural = last[:-1] + "ies"
    else:
        plural = last + "s"
    return {" ".join(parts), " ".join([*parts[:-1], plural])}
