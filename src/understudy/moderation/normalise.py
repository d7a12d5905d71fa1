"""One prompt in the few forms in which a phrase is looked for (`media.md` §7).

A phrase is found although it is written wide, with look-alikes of another script, with invisible characters or marks
between its letters, spaced out, or with digits for letters. Every step is linear in the length of the text. It stops
the careless, not the determined.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import re2
from anyascii import anyascii

MIN_SPELLED_LETTERS = 3

_DROPPED = re2.compile(r"[\p{Cf}\p{Mn}\p{Me}]+")  # invisible, combining, enclosing
_CJK = "\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_BETWEEN_LETTERS = re.compile(r"[^\w@$!]+|_+")
_LEET = (str.maketrans("013457@$!", "oieastasi"), str.maketrans("013457@$!", "oleastasi"))  # 1 is an i or an l


@dataclass(frozen=True, slots=True)
class Forms:
    """A text as the phrases look at it, case folded.

    `own` keeps the scripts. `latin` holds the readings in which look-alikes, digits and other scripts have become
    Latin letters. `spelled` holds words that were spelled letter by letter, one a line. `compact` is `own` without
    anything between letters, for scripts that put no spaces between words.
    """

    own: str
    latin: tuple[str, ...]
    spelled: str
    compact: str


def read_forms(text: str) -> Forms:
    """Return the forms of `text`, whatever it holds."""
    visible = _visible(text)
    own = _tidy(visible.casefold())
    alike = latin_form(visible)
    spelled_out = _tidy(visible.translate(_SPELLING).casefold())
    readings = [alike, spelled_out, *(reading.translate(leet) for leet in _LEET for reading in (alike, spelled_out))]
    latin = tuple(dict.fromkeys(readings))
    return Forms(
        own=own,
        latin=latin,
        spelled="\n".join(dict.fromkeys(word for reading in latin for word in _spelled_words(reading))),
        compact=compact_form(own),
    )


def own_form(text: str) -> str:
    """Return `text` in its own script: NFKC, without invisible characters and marks, case folded, single spaces."""
    return _tidy(_visible(text).casefold())


def latin_form(text: str) -> str:
    """Return `own_form` with look-alikes as Latin letters; before folding too, as some are alike in one case only."""
    return _tidy(_visible(text).translate(_LOOKALIKES).casefold().translate(_LOOKALIKES))


def compact_form(own: str) -> str:
    """Return the letters and digits of `own` alone."""
    return "".join(filter(str.isalnum, own))


def has_cjk(text: str) -> bool:
    """Tell whether `text` holds a Chinese, Japanese or Korean character, so that word boundaries mean nothing."""
    return _CJK_CHARACTER.search(text) is not None


class _Spelling(dict[int, str]):
    """What each character sounds or looks like in ASCII, learned when it is met; CJK characters stay."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        self[point] = character if has_cjk(character) else anyascii(character)
        return self[point]


def _visible(text: str) -> str:
    if text.isascii():
        return text
    text = text.encode(errors="ignore").decode()  # half a surrogate pair is no character
    return _drop(unicodedata.normalize("NFKC", _drop(text)))


def _drop(text: str) -> str:
    return text if text.isascii() else str(_DROPPED.sub("", text))


def _tidy(text: str) -> str:
    return " ".join(_drop(text).split())


def _spelled_words(text: str) -> Iterator[str]:
    word: list[str] = []
    for token in (*_BETWEEN_LETTERS.split(text), "end"):
        if len(token) == 1:
            word.append(token)
        elif token:
            if len(word) >= MIN_SPELLED_LETTERS:
                yield "".join(word)
            word = []


def _read_lookalikes() -> dict[int, str]:
    table: dict[int, str] = {}
    text = files("understudy.moderation").joinpath("confusables.txt").read_text("ascii")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        letter, *runs = line.split()
        for run in runs:
            first, _, last = run.partition("-")
            table |= dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), letter)
    return table


_LOOKALIKES = _read_lookalikes()
_SPELLING = _Spelling()
