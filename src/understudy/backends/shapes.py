"""Which of the sizes that a model can generate is asked for, where the caller wants a certain one.

A film of another size is scaled to cover the wanted one and cropped at its middle after it has been collected. That
must neither cut off much of the picture nor enlarge it much, since the caller would pay for pixels that nobody made.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from understudy.domain.catalogue import Size

MOST_LOST: Final = 0.15
"""Largest part of a film's area, 0 to 1, that may be cropped off: the `MOST_LOST` of `media/fit.py`, which refuses a
film that would lose more. Rooms on one floor do not meet, so the number stands twice and a test compares them."""
MOST_ENLARGED: Final = 1.1
"""How far a film may be scaled up. A size a hair too small, as 1248*704 is for 1280*720, is near; 720p for 1080p is
not."""

Tier = Literal["720p", "1080p"]

LANDSCAPES: Final[Mapping[str, tuple[int, int]]] = {"720p": (1280, 720), "1080p": (1920, 1080)}
"""What vendors mean by the word, in 16:9; in 9:16 it is upright."""


def nearest(wanted: Size, sizes: Iterable[Size]) -> Size | None:
    """Return the one of `sizes` to ask for, None if each is too small or would lose too much.

    It is the one that is scaled least: down rather than up where both are as near, and of sizes that are scaled alike
    the one that loses least. So the wanted size itself comes before all others.
    """
    near = [(*rank, size) for size in sizes if (rank := _rank(size, wanted)) is not None]
    return min(near, key=lambda entry: entry[:3])[3] if near else None


def _rank(size: Size, wanted: Size) -> tuple[float, bool, float] | None:
    """Return how much `size` is scaled to cover `wanted`, whether up, and the part lost; None if it is not near."""
    scale = max(wanted.width / size.width, wanted.height / size.height)
    lost = 1 - (wanted.width * wanted.height) / (size.width * size.height * scale**2)
    if scale > MOST_ENLARGED or lost > MOST_LOST:
        return None
    return abs(math.log(scale)), scale > 1, lost


def both_ways(landscapes: Iterable[tuple[int, int]]) -> tuple[Size, ...]:
    """Return sizes given as width and height, each followed by itself turned upright unless it is a square."""
    return tuple(
        size for width, height in landscapes for size in dict.fromkeys((Size(width, height), Size(height, width)))
    )


def aspect_ratio(size: Size) -> Literal["16:9", "9:16"]:
    """Return the aspect ratio to ask for where a vendor makes only these two."""
    return "16:9" if size.width >= size.height else "9:16"
