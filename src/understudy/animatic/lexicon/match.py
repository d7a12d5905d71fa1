"""Finding the words: whole words in Latin script, the longest entry in Chinese, Japanese and Korean."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from understudy.animatic.lexicon.tables import Language, Meaning, language, tokens

_HAN = re.compile(r"[\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\u3005\u30fc]+")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+(?: +[\uac00-\ud7a3]+)*")
_NO = frozenset({"no", "without", "not", "never", "nor", "zero", "neither", "minus", "lacking"})
_BETWEEN = frozenset({"any", "visible", "a", "an", "the", "other", "more", "single", "one", "heavy", "of"})
_ALSO = frozenset({"or", "nor"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase found in a prompt: what it means, where it starts, how long it is, and the words themselves."""

    kind: str
    value: str
    at: int
    length: int
    phrase: str


def normalized(text: str) -> str:
    """Return a prompt in the form in which it is searched: compatible characters unified, small letters."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")


def mentions(text: str) -> list[Mention]:
    """Return what a prompt names, in its order; negated words are left out."""
    text = normalized(text)
    found = [*_latin(text), *_han(text), *_hangul(text)]
    return sorted((mention for mention in found if mention.kind != "nothing"), key=lambda mention: mention.at)


def _told(meanings: tuple[Meaning, ...], at: int, phrase: str) -> Iterator[Mention]:
    for kind, value in meanings:
        yield Mention(kind, value, at, len(phrase), phrase)


def _latin(text: str) -> Iterator[Mention]:
    """Find English phrases, the longest first at each word."""
    english = language("en")
    found = tokens(text)
    index, last_negated = 0, -1
    while index < len(found):
        step = _longest_phrase(english, found, index)
        if step == 0:
            index += 1
            continue
        phrase = " ".join(token for token, _ in found[index : index + step])
        if _negated(found, index, last_negated):
            last_negated = index + step - 1
        else:
            yield from _told(english.words[phrase], found[index][1], phrase)
        index += step


def _longest_phrase(english: Language, found: list[tuple[str, int]], index: int) -> int:
    """Return how many words the longest entry at a place takes; 0 if there is none."""
    for step in range(min(english.longest, len(found) - index), 0, -1):
        if " ".join(token for token, _ in found[index : index + step]) in english.words:
            return step
    return 0


def _negated(found: list[tuple[str, int]], index: int, last_negated: int) -> bool:
    """Return whether "no", "without" … stands before a word, or it follows a negated one with "or"."""
    back = index - 1
    while back >= 0 and index - back <= 3 and found[back][0] in _BETWEEN:
        back -= 1
    if back < 0:
        return False
    return found[back][0] in _NO or (found[back][0] in _ALSO and back - 1 == last_negated)


def _han(text: str) -> Iterator[Mention]:
    """Find Chinese and Japanese entries; the prompt's own script decides which list is asked first."""
    first, second = language("zh"), language("ja")
    if _KANA.search(text):
        first, second = second, first
    before = (*first.negation_before, *second.negation_before)
    after = (*first.negation_after, *second.negation_after)
    for run in _HAN.finditer(text):
        part, index = run[0], 0
        while index < len(part):
            phrase, meanings = _longest_entry(part, index, first, second)
            if not meanings:
                index += 1
                continue
            end = index + len(phrase)
            if not (part[:index].endswith(before) or part.startswith(after, end)):
                yield from _told(meanings, run.start() + index, phrase)
            index = end


def _longest_entry(part: str, index: int, first: Language, second: Language) -> tuple[str, tuple[Meaning, ...]]:
    """Return the longest entry at a place of a run, and its meanings."""
    for length in range(min(max(first.longest, second.longest), len(part) - index), 0, -1):
        phrase = part[index : index + length]
        meanings = first.words.get(phrase) or second.words.get(phrase)
        if meanings:
            return phrase, meanings
    return "", ()


def _hangul(text: str) -> Iterator[Mention]:
    """Find Korean entries: one syllable only as a word of its own (with particles), longer ones anywhere."""
    korean = language("ko")
    for run in _HANGUL.finditer(text):
        part, index = run[0], 0
        while index < len(part):
            phrase = _korean_entry(korean, part, index)
            if not phrase:
                index += 1
                continue
            end = index + len(phrase)
            if not _korean_negated(korean, part, end):
                yield from _told(korean.words[phrase], run.start() + index, phrase)
            index = end


def _korean_entry(korean: Language, part: str, index: int) -> str:
    """Return the longest entry at a place of a run of words, or nothing."""
    starts_word = index == 0 or part[index - 1] == " "
    for length in range(min(korean.longest, len(part) - index), 0, -1):
        phrase = part[index : index + length]
        if phrase not in korean.words:
            continue
        if length == 1:
            rest = part[index + 1 :].split(" ", 1)[0]
            if not starts_word or (rest and rest not in korean.particles):
                continue
        return phrase
    return ""


def _korean_negated(korean: Language, part: str, end: int) -> bool:
    """Return whether "없는" … follows a word and its particle."""
    rest, _, following = part[end:].partition(" ")
    return (not rest or rest in korean.particles) and following.startswith(korean.negation_after)
