"""How a picture of one size covers another: scaled as a whole, then cropped at its middle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture scaled to cover a frame.

    `factor` is the scale, above 1 where it grows; `width` and `height` are what it is scaled to, even numbers, neither
    less than the frame's; `lost` is the share of the picture's area, 0 to 1, that lies outside the frame.
    """

    factor: float
    width: int
    height: int
    lost: float


def cover(source_width: int, source_height: int, *, width: int, height: int) -> Cover:
    """Return how a picture of `source_width` x `source_height` covers a frame of `width` x `height`, all in pixels.

    Nothing is stretched but by the rounding to even numbers, which is less than a pixel.
    """
    factor = max(width / source_width, height / source_height)
    return Cover(
        factor=factor,
        width=max(width, 2 * round(source_width * factor / 2)),
        height=max(height, 2 * round(source_height * factor / 2)),
        lost=1 - (width * height) / (source_width * source_height * factor**2),
    )
