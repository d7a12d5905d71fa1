"""The doors for a child process: named by the server, and only there opening the picture libraries.

The server's own process never imports Pillow or PyAV: they cost it 40 MB and would never be used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.media.image_decoder import ImageFacts
    from understudy.media.video_decoder import DecodedFacts


def reencode(source: str, destination: str) -> "ImageFacts":
    """Check and re-encode an image: see `image_decoder.reencode`."""
    from understudy.media import image_decoder  # noqa: PLC0415 - the reason is this module's

    return image_decoder.reencode(source, destination)


def inspect(
    path: str, width: int, height: int, seconds: float, *, exact: bool, poster: str | None, thumbnail: str | None
) -> "DecodedFacts":
    """Decode a film: see `video_decoder.inspect`."""
    from understudy.media import video_decoder  # noqa: PLC0415 - the reason is this module's

    return video_decoder.inspect(path, width, height, seconds, exact=exact, poster=poster, thumbnail=thumbnail)


def fit(source: str, destination: str, width: int, height: int) -> None:
    """Scale and crop a film: see `video_fitter.fit`."""
    from understudy.media import video_fitter  # noqa: PLC0415 - the reason is this module's

    video_fitter.fit(source, destination, width, height)


def cover_with(source: str, destination: str, width: int, height: int) -> None:
    """Scale and crop an image: see `image_decoder.cover_with`."""
    from understudy.media import image_decoder  # noqa: PLC0415 - the reason is this module's

    image_decoder.cover_with(source, destination, width, height)
