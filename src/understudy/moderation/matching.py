"""Phrases and patterns, searched in linear time with RE2: neither an operator nor a caller can make it slow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import re2

from understudy.moderation.normalise import Forms, compact_form, has_cjk, latin_form, own_form

MIN_PART_LETTERS = 5

# Where a word ends. CJK writing puts no space beside a foreign word, so its characters are no part of one.
_EDGE = r"[^\p{L}\p{N}]|[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"
_GAP = r"[ _\p{Pd}]+"


def compile_pattern(pattern: str) -> Any:
    """Return `pattern` compiled by RE2, blind to case; its `search` takes text.

    Raises `ValueError` with RE2's reason if it is no RE2 pattern or too large.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 64 * 2**20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown"
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases, each looked for in the forms that suit its script. None where no phrase asks for that form.

    Phrases of Latin letters and other scripts with spaces match whole words; CJK ones match anywhere.
    """

    own: Any
    latin: Any
    spelled: Any
    compact: Any

    @classmethod
    def of(cls, phrases: Sequence[str]) -> "Phrases":
        """Compile `phrases`; each holds a letter or a digit."""
        spaced = [phrase for phrase in map(own_form, phrases) if not has_cjk(phrase)]
        latin = [phrase for phrase in map(latin_form, spaced) if phrase.isascii()]
        return cls(
            own=_any_of(spaced, _whole_words),
            latin=_any_of(latin, _whole_words),
            spelled=_any_of(latin, _spelled),
            compact=_any_of([phrase for phrase in map(own_form, phrases) if has_cjk(phrase)], _anywhere),
        )

    def found_in(self, forms: Forms) -> bool:
        """Tell whether any phrase is in the text."""
        return (
            _finds(self.own, forms.own)
            or any(_finds(self.latin, reading) for reading in forms.latin)
            or _finds(self.spelled, forms.spelled)
            or _finds(self.compact, forms.compact)
        )

    def taken_out_of(self, forms: Forms) -> Forms:
        """Return the text without the phrases, a line end in the place of each, so that nothing joins over it."""
        return replace(
            forms,
            own=_without(self.own, forms.own),
            latin=tuple(_without(self.latin, reading) for reading in forms.latin),
            compact=forms.compact if self.compact is None else self.compact.sub("\n", forms.compact),
        )


def _any_of(phrases: Sequence[str], form: Callable[[str], str]) -> Any:
    return compile_pattern("|".join(sorted({form(phrase) for phrase in phrases}))) if phrases else None


def _whole_words(phrase: str) -> str:
    words = [re2.escape(word) for word in phrase.replace("-", " ").replace("_", " ").split()]
    return rf"(\A|{_EDGE})(?:{_GAP.join(words)})(\z|{_EDGE})"


def _spelled(phrase: str) -> str:
    letters = compact_form(phrase)
    # A short one is not looked for within a longer spelled word: initials in a row hold many.
    return re2.escape(letters) if len(letters) >= MIN_PART_LETTERS else rf"(?m:^{re2.escape(letters)}$)"


def _anywhere(phrase: str) -> str:
    return str(re2.escape(compact_form(phrase)))


def _finds(pattern: Any, text: str) -> bool:
    return pattern is not None and pattern.search(text) is not None


def _without(pattern: Any, text: str) -> str:
    if pattern is None:
        return text
    # Twice, because neighbours share an edge and the first one of them takes it.
    return str(pattern.sub("\n", pattern.sub("\n", text)))
