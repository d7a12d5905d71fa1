# /// script
# requires-python = ">=3.11"
# dependencies = ["fonttools"]
# ///
"""Cut Noto Sans CJK SC down to the characters that captions need.

    python tools/subset_font.py NotoSansCJK-Regular.ttc src/understudy/animatic/fonts/NotoSansCJKsc-Understudy.otf

fontTools is wanted only here, so it is no dependency of the project: run this in an environment of its own. The same
source file and the same fontTools give the same bytes, because the time stamp of the source is kept.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

FACE = "Noto Sans CJK SC"

RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x024F),  # Latin-1, Latin Extended-A and -B
    (0x0370, 0x03FF),  # Greek
    (0x0400, 0x04FF),  # Cyrillic
    (0x1E00, 0x1EFF),  # Latin Extended Additional: Vietnamese
    (0x2000, 0x206F),  # general punctuation
    (0x2070, 0x209F),  # superscripts and subscripts
    (0x20A0, 0x20CF),  # currency
    (0x2100, 0x214F),  # letter-like symbols
    (0x2150, 0x218F),  # number forms
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematics
    (0x2460, 0x24FF),  # enclosed numbers
    (0x25A0, 0x25FF),  # geometric shapes
    (0x2600, 0x26FF),  # miscellaneous symbols
    (0x3000, 0x303F),  # CJK punctuation
    (0x3040, 0x30FF),  # kana
    (0x3130, 0x318F),  # compatibility jamo
    (0xFF00, 0xFFEF),  # full-width and half-width forms
)

HANGUL = range(0xAC00, 0xD7A4)


def double_byte(codec: str, leads: range, trails: range) -> Iterator[str]:
    """Yield every character that `codec` writes as two bytes from these ranges."""
    for pair in itertools.product(leads, trails):
        try:
            text = bytes(pair).decode(codec)
        except UnicodeDecodeError:
            continue
        if len(text) == 1:
            yield text


def wanted() -> set[int]:
    """Return the code points of GB 2312, Big5 level 1, JIS X 0208, the Hangul of KS X 1001 and `RANGES`."""
    grid = range(0xA1, 0xFF)
    characters = set(double_byte("gb2312", grid, grid))
    characters |= set(double_byte("big5", range(0xA1, 0xC7), range(0x40, 0xFF)))
    characters |= set(double_byte("euc_jp", grid, grid))
    # KS X 1001 also lists 4,888 hanja; those in use today are in the other three sets already.
    characters |= {c for c in double_byte("euc_kr", grid, grid) if ord(c) in HANGUL or ord(c) < 0x3400}
    return {ord(c) for c in characters}.union(*(range(first, last + 1) for first, last in RANGES))


def load(source: Path) -> TTFont:
    """Return the simplified-Chinese face of `source`, a collection or a single font."""
    if source.suffix != ".ttc":
        return TTFont(source)
    for font in TTCollection(source).fonts:
        if font["name"].getDebugName(1) == FACE:
            return font
    sys.exit(f"{source} holds no face called {FACE}.")


def cut(font: TTFont) -> int:
    """Drop from `font` what captions do not need; return how many characters stay."""
    options = subset.Options()
    options.hinting = False  # captions are drawn large and anti-aliased, where hints change nothing
    options.layout_features = ["kern", "mark", "mkmk", "ccmp"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 11, 13, 14]  # names, copyright, trademark and licence stay
    options.name_languages = [0x409]
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]  # captions are never set vertically
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted() & font.getBestCmap().keys())
    cutter.subset(font)
    return len(font.getBestCmap())


def main() -> None:
    """Read the arguments, cut, save, and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="NotoSansCJK-Regular.ttc or NotoSansCJKsc-Regular.otf")
    parser.add_argument("destination", type=Path)
    arguments = parser.parse_args()
    font = load(arguments.source)
    characters = cut(font)
    font.save(arguments.destination)
    version = font["name"].getDebugName(5)
    size_kb = arguments.destination.stat().st_size // 1000
    sys.stdout.write(f"{arguments.destination}: {characters} characters, {size_kb} kB, from {version}\n")


if __name__ == "__main__":
    main()
