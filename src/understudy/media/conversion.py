"""Whatever a decoder hands out, as every player shows it: upright, square pixels, 8 bits, BT.709, limited range."""

from fractions import Fraction
from typing import Final

from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from PIL import Image

_SCALER: Final = Interpolation.LANCZOS | Interpolation.ACCURATE_RND
_HIGH_DEFINITION: Final = 720
# Codes of ITU-T H.273, tables 2 to 4, as FFmpeg takes them over.
_RGB, _BT709, _FCC, _BT470BG, _SMPTE170M, _SMPTE240M, _BT2020 = 0, 1, 4, 5, 6, 7, 9
_KNOWN_MATRICES: Final = {_RGB, _BT709, _FCC, _BT470BG, _SMPTE170M, _SMPTE240M, _BT2020}
_HDR: Final = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}
_WORST_PIXEL_ASPECT: Final = 0.02
"""Encoders note down a pixel of 1279:1280 when somebody scaled a film without care; nobody means it."""


def quarter_turns(frame: VideoFrame) -> int:
    """Return by how many quarter turns to the left the film asks to be shown: 0 to 3. A slanted film stays as it is."""
    return round(frame.rotation / 90) % 4


def shown_size(frame: VideoFrame, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Return the width and height that a player shows; `pixel_aspect` is a pixel's width to its height, if known."""
    width, height = frame.width, frame.height
    aspect = float(pixel_aspect or 1)
    if aspect > 1 + _WORST_PIXEL_ASPECT:
        width = round(width * aspect)
    elif aspect < 1 - _WORST_PIXEL_ASPECT:
        height = round(height / aspect)
    return (height, width) if quarter_turns(frame) % 2 else (width, height)


class Converter:
    """Converts the frames of one film; it keeps what the scaler works out for the first one."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()
        self._to_rgb = VideoReformatter()

    def scaled(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        """Return `frame` in yuv420p, BT.709, limited range, as wide and high as told, but not turned upright.

        Pictures of high dynamic range are brought into the common one. Colors that are not tagged are read as players
        read them: BT.709 from 720 lines on, else BT.601.
        """
        if frame.colorspace not in _KNOWN_MATRICES:
            # Unspecified, or a code that the scaler would refuse.
            frame.colorspace = _BT709 if frame.height >= _HIGH_DEFINITION else _SMPTE170M
        hdr = frame.color_trc in _HDR
        if hdr and frame.color_primaries not in {ColorPrimaries.BT709, ColorPrimaries.BT2020}:
            frame.color_primaries = ColorPrimaries.BT2020
        return self._scaler.reformat(
            frame,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709 if hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if hdr else None,
            interpolation=_SCALER,
            threads=1,
        )

    def picture(self, frame: VideoFrame, pixel_aspect: Fraction | None) -> Image.Image:
        """Return `frame` as a player shows it."""
        width, height = shown_size(frame, pixel_aspect)
        turns = quarter_turns(frame)
        plain = self.scaled(frame, *((height, width) if turns % 2 else (width, height)))
        rgb = self._to_rgb.reformat(plain, format="rgb24", interpolation=_SCALER, threads=1)
        image: Image.Image = rgb.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves its options untyped
        turned = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[turns]
        return image if turned is None else image.transpose(turned)
