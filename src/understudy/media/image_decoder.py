"""The work on a stranger's image, as it is done in a child process (`media.md` §6, `reliability.md` §6.1).

Nothing here trusts a name or a content type: the first bytes say what the file is, and Pillow may try that one
decoder only. Pillow 13 would read AVIF, GIF, TIFF and twenty more without the list.
"""

import hashlib
import io
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final, TypedDict

from PIL import Image, ImageCms

from understudy.domain.errors import FailCode
from understudy.media.geometry import cover
from understudy.media.publish import publish
from understudy.sandbox.errors import Rejected

MAX_MEGAPIXELS: Final = {"JPEG": 64, "PNG": 40, "WEBP": 25}
"""What fits into the child's memory: a JPEG is shrunk while it is decoded, libwebp takes up to 23 bytes a pixel."""
MAX_SIDE: Final = 12_000
MIN_SIDE: Final = 16
MAX_ASPECT: Final = 20
LONG_SIDE: Final = 2560
"""No model takes more: the longest side of a film is 1920 pixels, and a camera move wants some room around it."""

_SPOKEN: Final = {"JPEG": "JPG", "PNG": "PNG", "WEBP": "WebP"}
# Neither a white nor a black drawing on transparent ground vanishes on it.
_GROUND: Final = (128, 128, 128)
_JPEG_QUALITY: Final = 95
_COVER_QUALITY: Final = 92
_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageFacts(TypedDict):
    """What was written: pixels, the format of the source, bytes and their SHA-256 in hexadecimal."""

    width: int
    height: int
    format: str
    size_bytes: int
    sha256: str


def reencode(source: str, destination: str) -> ImageFacts:
    """Decode the still JPEG, PNG or WebP at `source` and write it anew as a JPEG at `destination`.

    What is written is upright, in sRGB, without transparency, at most 2560 pixels on its longer side, and made of
    nothing but pixels: EXIF, position, comments and whatever was hung behind the picture are gone. Raises `Rejected`
    with a fail code and a sentence for the caller; an `OSError` is a fault of our disk, not of the image.
    """
    with Path(source).open("rb") as file:
        kind = _kind(file.read(12))
        try:
            picture = _decode(file, kind)
        except (Rejected, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_many_pixels(kind) from None
        except Exception as error:  # a broken file makes decoders raise anything
            raise Rejected(
                FailCode.UNSUPPORTED_FORMAT, "The image is damaged: send a complete JPG, PNG or WebP"
            ) from error
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4")
    publish(Path(destination), data.getbuffer())
    return {
        "width": picture.width,
        "height": picture.height,
        "format": kind,
        "size_bytes": len(data.getbuffer()),
        "sha256": hashlib.sha256(data.getbuffer()).hexdigest(),
    }


def cover_with(source: str, destination: str, width: int, height: int) -> None:
    """Write the JPEG at `source`, one of ours, scaled and cropped at its middle to `width` x `height`.

    Raises what Pillow does if the file is damaged: that is a fault of ours.
    """
    with Image.open(source, formats=("JPEG",)) as image:
        covering = cover(*image.size, width=width, height=height)
        shown = (width / covering.factor, height / covering.factor)  # in pixels of the source
        left, top = (image.width - shown[0]) / 2, (image.height - shown[1]) / 2
        box = (max(0.0, left), max(0.0, top), min(image.width, left + shown[0]), min(image.height, top + shown[1]))
        picture = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=_COVER_QUALITY, subsampling="4:4:4")
    publish(Path(destination), data.getbuffer())


def _kind(head: bytes) -> str:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return "WEBP"
    raise Rejected(FailCode.UNSUPPORTED_FORMAT, "The image must be a JPG, PNG or WebP file")


def _decode(file: io.BufferedReader, kind: str) -> Image.Image:
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata is no reason to refuse
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=(kind,)) as image:
            _check_header(image, kind)
            orientation = _orientation(image)
            profile = image.info.get("icc_profile")
            # A JPEG decoder can halve the picture while it decodes, for a fraction of the time and memory.
            image.draft(None, _fit(image.size))
            image.load()
            if kind == "PNG":
                _check_sums(file)
            picture = _flatten(_shrink(_to_eight_bits(image)), profile)
    if orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[orientation])
    picture.info = {}  # Pillow writes a source's comment again otherwise
    return picture


def _check_sums(file: io.BufferedReader) -> None:
    """Compare the checksum of every chunk of a PNG; Pillow looks at those of the header's chunks only.

    A PNG that just lacks its end mark passes: every viewer shows it whole.
    """
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        data, checksum = file.read(int.from_bytes(head[:4])), file.read(4)
        if int.from_bytes(checksum) != zlib.crc32(data, zlib.crc32(head[4:])):
            raise ValueError("a chunk is damaged")


def _check_header(image: Image.Image, kind: str) -> None:
    """Refuse by the header alone: a file of 300 KB can declare 2500 megapixels."""
    width, height = image.size
    if width * height > MAX_MEGAPIXELS[kind] * 1_000_000 or max(image.size) > MAX_SIDE:
        raise _too_many_pixels(kind)
    if min(image.size) < MIN_SIDE:
        raise Rejected(
            FailCode.UNSUPPORTED_FORMAT, f"The image must be at least {MIN_SIDE} pixels wide and {MIN_SIDE} high"
        )
    if max(image.size) > MAX_ASPECT * min(image.size):
        raise Rejected(
            FailCode.UNSUPPORTED_FORMAT,
            f"The longer side of the image must be at most {MAX_ASPECT} times the shorter one",
        )
    # A phone's MPO is a JPEG with a second view behind it; the first is the photograph.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise Rejected(FailCode.UNSUPPORTED_FORMAT, "The image must be a still picture, not an animation")


def _too_many_pixels(kind: str) -> Rejected:
    allowed = (
        f"A {_SPOKEN[kind]} image must have at most {MAX_MEGAPIXELS[kind]} megapixels and {MAX_SIDE} pixels a side"
    )
    return Rejected(FailCode.IMAGE_TOO_LARGE, allowed)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF is dropped with the rest of it
        return 1


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Return the picture in one of the modes L, RGB, RGBA and CMYK."""
    if image.mode.startswith("I"):
        # 16-bit grey; a plain conversion to 8 bits would clip everything above 255 to white.
        return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("L" if image.mode == "1" else "RGB")


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    longest = max(size)
    if longest <= LONG_SIDE:
        return size
    return max(1, round(size[0] * LONG_SIDE / longest)), max(1, round(size[1] * LONG_SIDE / longest))


def _shrink(image: Image.Image) -> Image.Image:
    size = _fit(image.size)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _flatten(image: Image.Image, profile: object) -> Image.Image:
    """Return the picture in sRGB on an opaque ground."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colors = image.convert("RGB") if alpha is not None else image
    if isinstance(profile, bytes):
        colors = _to_srgb(colors, profile)
    colors = colors.convert("RGB")
    if alpha is None:
        return colors
    return Image.composite(colors, Image.new("RGB", image.size, _GROUND), alpha)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    # A broken profile, or one for another kind of picture, is what every viewer ignores too.
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return image if converted is None else converted
    return image
