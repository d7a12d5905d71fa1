# ruff: noqa: RUF001 -- the rules of line breaking name the very marks that look like ASCII ones
"""Type: which characters can be set, where a line may break, and text as a mask of coverage.

The font lies in the package, so the same text gives the same pixels on every machine. Everything here takes any
Unicode text and raises nothing: what has no glyph is written in a plainer form where Unicode names one, else left out.
"""

import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONT_FILE = Path(__file__).parent / "fonts" / "NotoSansCJKsc-Understudy.otf"

Mask: TypeAlias = NDArray[np.uint8]
"""How much of each pixel the ink covers: height x width, 0 to 255."""

LEADING = 1.42
"""Distance between baselines, in sizes; CJK wants more than the 1.2 that Latin is set with."""

# The face draws these as wide as an ideograph, which is right among ideographs and a hole in a Latin line.
_NARROW = {"‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."}

_MAX_CHARACTERS = 600
"""More than any caption shows; a cap keeps a prompt of 100,000 characters from costing time."""

# JIS X 4051 and GB/T 15834 in short: what must not begin a line, and what must not end one.
_NOT_FIRST = frozenset(
    "!%),.:;?]}¢°’”†‡›»℃、。〃々〉》」』】〕〗〞〟ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ・ー–—…‥"
    "！％），．：；？］｝～〜゛゜ゝゞヽヾ｡｣､･ｰ¨ˇ／"
)
_NOT_LAST = frozenset("$([{£¥‘“‹«〈《「『【〔〖〝（［｛＄￡￥｢＃")

# East Asian scripts that are written without spaces. Hangul is not among them: Korean breaks at its spaces.
_UNSPACED = (
    (0x2E80, 0x30FF),  # radicals, CJK punctuation, kana
    (0x31C0, 0x4DBF),  # strokes, kana extensions, enclosed and compatibility forms, extension A
    (0x4E00, 0x9FFF),  # ideographs
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0xFE30, 0xFE4F),  # vertical forms
    (0xFF00, 0xFFEF),  # full-width forms
)


@dataclass(frozen=True, slots=True)
class _Atom:
    """A piece of text that no line break divides, and whether a space parts it from the one before."""

    text: str
    spaced: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Text broken into lines; `whole` is false when it went on and an ellipsis stands for the rest."""

    lines: tuple[str, ...]
    whole: bool


@lru_cache(maxsize=1)
def covered() -> frozenset[int]:
    """Return the code points that the font has a glyph for, read from its `cmap` table (OpenType, format 4).

    Pillow tells how wide a missing glyph is, not that it is missing.
    """
    data = FONT_FILE.read_bytes()
    (tables,) = struct.unpack_from(">H", data, 4)
    directory = (struct.unpack_from(">4s4xII", data, 12 + 16 * index) for index in range(tables))
    cmap = next(offset for name, offset, _ in directory if name == b"cmap")
    (subtables,) = struct.unpack_from(">H", data, cmap + 2)
    records = (struct.unpack_from(">HHI", data, cmap + 4 + 8 * index) for index in range(subtables))
    unicode_bmp = cmap + next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
    (doubled,) = struct.unpack_from(">H", data, unicode_bmp + 6)
    lasts = struct.unpack_from(f">{doubled // 2}H", data, unicode_bmp + 14)
    firsts = struct.unpack_from(f">{doubled // 2}H", data, unicode_bmp + 16 + doubled)
    segments = zip(firsts, lasts, strict=True)
    return frozenset(point for first, last in segments for point in range(first, last + 1)) - {0xFFFF}


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the caption font at `size` pixels an em."""
    return ImageFont.truetype(FONT_FILE, max(1, size))


def clean(text: str) -> str:
    """Return `text` as one line that the font can write, at most 600 characters of it.

    Accents and Hangul are composed, white space becomes single spaces, a letter without a glyph becomes the plainer
    one that Unicode names (bold "A" of mathematics to "A"); controls, emoji and scripts without a glyph are left out.
    """
    known = covered()
    written: list[str] = []
    for character in unicodedata.normalize("NFC", text[: 4 * _MAX_CHARACTERS]):
        if character.isspace():
            written.append(" ")
        elif unicodedata.category(character)[0] == "C":
            continue
        elif ord(character) in known:
            written.append(character)
        else:
            plain = unicodedata.normalize("NFKD", character)
            written.append("".join(c for c in plain if ord(c) in known))
    return _narrowed(" ".join("".join(written).split())[:_MAX_CHARACTERS].rstrip())


def _narrowed(text: str) -> str:
    """Write quotation marks and ellipses in their ASCII form where they stand among scripts with spaces."""
    around = f" {text} "
    triples = zip(around, text, around[2:], strict=False)
    return "".join(
        _NARROW.get(mark, mark) if not _unspaced(before) and not _unspaced(after) else mark
        for before, mark, after in triples
    )


def _unspaced(character: str) -> bool:
    point = ord(character)
    return any(first <= point <= last for first, last in _UNSPACED)


def _katakana(character: str) -> bool:
    return "ァ" <= character <= "ー" and character != "・"


def _may_break(before: str, after: str) -> bool:
    """Tell whether a line may end between two neighbours within a word; a katakana word stays whole."""
    if _katakana(before) and _katakana(after):
        return False
    return (_unspaced(before) or _unspaced(after)) and after not in _NOT_FIRST and before not in _NOT_LAST


def _atoms(text: str) -> Iterator[_Atom]:
    """Divide `text` wherever a line may break."""
    spaced = False
    for word in text.split():
        spaced, start = True, 0
        for index in range(1, len(word)):
            if _may_break(word[index - 1], word[index]):
                yield _Atom(word[start:index], spaced)
                spaced, start = False, index
        yield _Atom(word[start:], spaced)


def _fitting(atoms: Iterator[_Atom], face: ImageFont.FreeTypeFont, width: float) -> Iterator[_Atom]:
    """Divide atoms wider than a whole line, such as an address on the web, between their characters."""
    for atom in atoms:
        if face.getlength(atom.text) <= width:
            yield atom
            continue
        piece, spaced = "", atom.spaced
        for character in atom.text:
            if piece and face.getlength(piece + character) > width:
                yield _Atom(piece, spaced)
                piece, spaced = "", False
            piece += character
        yield _Atom(piece, spaced)


def _fill(atoms: Sequence[_Atom], lengths: Sequence[float], space: float, width: float) -> list[str]:
    """Set as many atoms on each line as fit into `width`."""
    lines: list[str] = []
    line, used = "", 0.0
    for atom, length in zip(atoms, lengths, strict=True):
        gap = space if atom.spaced and line else 0.0
        if line and used + gap + length > width:
            lines.append(line)
            line, used, gap = "", 0.0, 0.0
        line += (" " if gap else "") + atom.text
        used += gap + length
    return [*lines, line] if line else lines


def wrap(text: str, *, size: int, width: int, max_lines: int) -> Block:
    """Break `text` into at most `max_lines` lines of `width` pixels at `size`, an ellipsis where it goes on.

    The lines are made as equal as their number allows, which is how captions read best. CJK breaks between any two
    characters but for the punctuation that typesetters keep together; other scripts break at spaces.
    """
    face = font(size)
    atoms = list(_fitting(_atoms(clean(text)), face, width))
    lengths = [face.getlength(atom.text) for atom in atoms]
    space = face.getlength(" ")
    lines = _fill(atoms, lengths, space, width)
    if len(lines) > max_lines:
        return Block((*lines[: max_lines - 1], _shortened(lines[max_lines - 1], face, width)), whole=False)
    narrow, wide = max(lengths, default=0.0), float(width)
    while wide - narrow > size / 4:
        middle = (narrow + wide) / 2
        if len(_fill(atoms, lengths, space, middle)) > len(lines):
            narrow = middle
        else:
            wide = middle
    return Block(tuple(_fill(atoms, lengths, space, wide)), whole=True)


def _shortened(line: str, face: ImageFont.FreeTypeFont, width: int) -> str:
    more = "…" if any(_unspaced(character) for character in line) else "..."
    while line and face.getlength(line + more) > width:
        line = line[:-1]
    return line.rstrip(" ,.;:，。、；：") + more


def text_mask(lines: Sequence[str], *, size: int, weight: float = 0.0) -> Mask:
    """Write `lines`, already cleaned, flush left; the mask is as wide as the longest and `LEADING` a line high.

    `weight` thickens each stroke by that part of the size on either side; the one face in the package is Regular.
    """
    face, stroke = font(size), weight * size
    pitch = round(size * LEADING)
    wide = int(max((face.getlength(line) for line in lines), default=0.0) + 2 * stroke) + 2
    canvas = Image.new("L", (max(1, wide), max(1, pitch * len(lines))))
    pen = ImageDraw.Draw(canvas)
    for index, line in enumerate(lines):
        baseline = pitch * index + (pitch + 0.76 * size) / 2
        pen.text((stroke, baseline), line, fill=255, font=face, anchor="ls", stroke_width=stroke)
    return np.asarray(canvas)
