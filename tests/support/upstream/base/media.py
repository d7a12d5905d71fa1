"""Films and pictures small enough to be made for a test and real enough to be decoded."""

import functools
import io
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image


@functools.cache
def tiny_film(*, width: int = 64, height: int = 64, frames: int = 24, fps: int = 24) -> bytes:
    """Return an H.264 MP4 of `frames` gray frames, its index in front."""
    with tempfile.TemporaryDirectory() as folder:
        # A file and not a buffer: moving the index to the front means reading the film again.
        path = Path(folder) / "film.mp4"
        with av.open(path, mode="w", format="mp4", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = Fraction(1, fps)
            for number in range(frames):
                shade = np.full((height, width, 3), 8 * (number % 24) + 16, dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
            container.mux(stream.encode(None))
        return path.read_bytes()


@functools.cache
def picture_bytes(*, width: int, height: int, form: str = "JPEG") -> bytes:
    """Return a picture of one color, in the form that Pillow calls `form`."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 150)).save(buffer, form)
    return buffer.getvalue()
