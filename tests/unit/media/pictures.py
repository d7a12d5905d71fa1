"""Pictures good and bad, made here so that every byte of them is explained."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageCms

RED, BLUE = (250, 10, 10), (10, 10, 250)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """A picture that tells its corners apart: red in the upper left quarter, blue in the lower right one."""
    image = Image.new("RGB", (width, height), (128, 128, 128))
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(BLUE, (width // 2, height // 2, width, height))
    return image


def with_alpha() -> Image.Image:
    image = scene().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, rows: bytes, *, bits: int = 8, color: int = 0, interlace: int = 0, extra: bytes = b""
) -> bytes:
    """A PNG written by hand; `rows` are the filtered scan lines before compression."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def interlaced(size: int = 64, grey: int = 200) -> bytes:
    """An Adam7 PNG of one grey: seven passes, each with lines of its own length."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(
        (b"\0" + bytes([grey]) * len(range(left, size, across))) * len(range(top, size, down))
        for left, top, across, down in passes
    )
    return png(size, size, rows, interlace=1)


def sixteen_bit_color(size: int = 64) -> bytes:
    return png(size, size, (b"\0" + struct.pack(">HHH", 64250, 2570, 2570) * size) * size, bits=16, color=2)


def sixteen_bit_grey(size: int = 64) -> bytes:
    """From black on the left to white on the right."""
    row = b"\0" + b"".join(struct.pack(">H", column * 65535 // (size - 1)) for column in range(size))
    return png(size, size, row * size, bits=16)


def mpo() -> bytes:
    """What phones write: a JPEG with a second view behind it."""
    return encoded(scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64), BLUE)])


def rotated(orientation: int) -> bytes:
    """A JPEG that asks to be turned, and that tells where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(scene(), "JPEG", quality=95, exif=exif, comment=b"secret comment")


def swapped_profile() -> bytes:
    """An ICC profile in which red means blue: that of sRGB with two of its tags exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


def bit_flipped() -> bytes:
    data = bytearray(encoded(Image.effect_noise((96, 64), 80), "PNG"))
    data[len(data) // 2] ^= 0x10
    return bytes(data)


def without_end(data: bytes, count: int) -> bytes:
    return data[:-count]


def _animation(kind: str) -> bytes:
    return encoded(scene(), kind, save_all=True, append_images=[Image.new("RGB", (96, 64), BLUE)], duration=100)


def _noise(kind: str) -> bytes:
    return encoded(Image.effect_noise((96, 64), 80).convert("RGB"), kind)


JPEG: Final = encoded(scene(), "JPEG", quality=95)
ZIP: Final = b"PK\x03\x04" + b"payload" * 100

ACCEPTED: Final[dict[str, Callable[[], bytes]]] = {
    "jpeg": lambda: JPEG,
    "jpeg-grey": lambda: encoded(scene().convert("L"), "JPEG"),
    "jpeg-cmyk": lambda: encoded(scene().convert("CMYK"), "JPEG"),
    "jpeg-progressive": lambda: encoded(scene(), "JPEG", progressive=True),
    "jpeg-exif-rotated": lambda: rotated(6),
    "jpeg-of-a-phone-mpo": mpo,
    "jpeg-zip-polyglot": lambda: JPEG + ZIP,
    "jpeg-broken-profile": lambda: encoded(scene(), "JPEG", icc_profile=b"no profile"),
    "png": lambda: encoded(scene(), "PNG"),
    "png-palette": lambda: encoded(scene().quantize(8), "PNG"),
    "png-palette-transparent": lambda: encoded(scene().quantize(8), "PNG", transparency=0),
    "png-alpha": lambda: encoded(with_alpha(), "PNG"),
    "png-grey-alpha": lambda: encoded(with_alpha().convert("LA"), "PNG"),
    "png-one-transparent-color": lambda: encoded(scene(), "PNG", transparency=RED),
    "png-one-bit": lambda: encoded(scene().convert("1"), "PNG"),
    "png-16-bit-grey": sixteen_bit_grey,
    "png-16-bit-color": sixteen_bit_color,
    "png-interlaced": interlaced,
    "png-without-iend": lambda: without_end(encoded(scene(), "PNG"), 12),
    "png-one-frame-animation": lambda: encoded(scene(), "PNG", save_all=True, append_images=[]),
    "webp": lambda: encoded(scene(), "WEBP"),
    "webp-lossless-alpha": lambda: encoded(with_alpha(), "WEBP", lossless=True),
}

UNSUPPORTED: Final[dict[str, Callable[[], bytes]]] = {
    "empty": lambda: b"",
    "html": lambda: b"<!DOCTYPE html><title>404 Not Found</title>",
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
    "heic": lambda: struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(400),
    "avif": lambda: encoded(scene(), "AVIF"),
    "gif": lambda: encoded(scene(), "GIF"),
    "gif-animated": lambda: _animation("GIF"),
    "bmp": lambda: encoded(scene(), "BMP"),
    "tiff": lambda: encoded(scene(), "TIFF"),
    "ico": lambda: encoded(scene(64, 64), "ICO"),
    "pdf": lambda: encoded(scene(), "PDF"),
    "jpeg-2000": lambda: encoded(scene(), "JPEG2000"),
    "riff-but-a-sound": lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(28),
    "magic-only-jpeg": lambda: b"\xff\xd8\xff\xe0",
    "magic-only-png": lambda: b"\x89PNG\r\n\x1a\n",
    "magic-only-webp": lambda: b"RIFF\x04\0\0\0WEBP",
    "jpeg-truncated": lambda: _noise("JPEG")[:2000],
    "jpeg-without-its-last-two-bytes": lambda: without_end(JPEG, 2),
    "png-truncated": lambda: _noise("PNG")[:2000],
    "png-bit-flipped": bit_flipped,
    "webp-truncated": lambda: _noise("WEBP")[:1000],
    "webp-animated": lambda: _animation("WEBP"),
    "png-animated": lambda: _animation("PNG"),
    "8x8": lambda: encoded(scene(8, 8), "PNG"),
    "15-high": lambda: encoded(scene(64, 15), "PNG"),
    "12000x40": lambda: png(12000, 40, bytes(12001 * 40)),
    "text-bomb": lambda: png(
        64, 64, bytes(65 * 64), extra=chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000)))
    ),
}

TOO_LARGE: Final[dict[str, Callable[[], bytes]]] = {
    "png-81-megapixels": lambda: png(9000, 9000, b""),
    "png-169-megapixels": lambda: png(13000, 13000, b""),
    "png-2500-megapixels": lambda: png(50_000, 50_000, b""),
    "png-too-wide": lambda: png(12_001, 1000, b""),
    "png-41-megapixels": lambda: png(6410, 6400, b""),
}
