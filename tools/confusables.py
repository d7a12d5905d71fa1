# /// script
# requires-python = ">=3.11"
# dependencies = ["confusable-homoglyphs==3.3.1"]
# ///
"""Write the table of characters that look like a Latin letter, for the prompt filter.

    python tools/confusables.py src/understudy/moderation/confusables.txt

The package is wanted only here, for the copy of Unicode's confusables.txt (UTS 39) that it carries, so it is no
dependency of the project: run this in an environment of its own. Kept are single characters that resemble exactly one
ASCII letter and that NFKC leaves as they are: the filter applies NFKC first, so the others never reach the table.
"""

import argparse
import unicodedata
from pathlib import Path

from confusable_homoglyphs import confusables

HEAD = """\
# Characters that look like a Latin letter: the letter, then code points and ranges in hexadecimal.
# Made by tools/confusables.py from confusables.txt of the Unicode security mechanisms (UTS 39).
# Copyright (c) 1991-2026 Unicode, Inc. Unicode License V3: see UNICODE-LICENSE.txt beside this file.
"""


def lookalikes() -> dict[str, list[int]]:
    """Return, for each letter, the code points of the characters that look like it, in order."""
    table: dict[str, list[int]] = {}
    for character, homoglyphs in confusables.confusables_data.items():
        if len(character) != 1 or character.isascii() or unicodedata.normalize("NFKC", character) != character:
            continue
        letters = {each["c"].lower() for each in homoglyphs if len(each["c"]) == 1 and each["c"].isascii()}
        letters = {letter for letter in letters if letter.isalpha()}
        if len(letters) == 1:
            table.setdefault(letters.pop(), []).append(ord(character))
    return {letter: sorted(table[letter]) for letter in sorted(table)}


def ranges(points: list[int]) -> list[str]:
    """Write ordered code points as `41` and `61-64`."""
    runs: list[list[int]] = []
    for point in points:
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return [f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in runs]


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    lines = [f"{letter} {' '.join(ranges(points))}\n" for letter, points in lookalikes().items()]
    parser.parse_args().output.write_text(HEAD + "".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
