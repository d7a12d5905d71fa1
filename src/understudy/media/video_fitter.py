"""Scaling and cropping a film, as it is done in a child process: frame by frame, so that memory does not grow."""

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from understudy.media.conversion import Converter, quarter_turns, shown_size
from understudy.media.geometry import cover
from understudy.media.publish import part_of, publish_part
from understudy.media.reel import invalid, open_film, pictures_of, verdict

ENCODER_THREADS: Final = 1
"""One, and no mbtree: else x264 writes other bytes from run to run (`media.md` §1.4)."""

_USUAL_RATE: Final = Fraction(24)
_SECONDS_TO_SEEK: Final = 2
_CRF: Final = "17"
# Rain and grain are noise to a codec. The cap is for 1280x720, grows with the picture, and is far above what a film
# of a model needs.
_PEAK_BITS_PER_PIXEL: Final = 20_000_000 / (1280 * 720)
_TAG_CHARACTERS: Final = 4000

# Of the file itself, not of the film.
_FILE_TAGS: Final = {"major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"}
# What FFmpeg's muxer has a place for in the common list. Any other, as the label that a law asks for, it would drop.
_COMMON_TAGS: Final = {
    "title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright", "grouping",
    "lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords", "media_type", "compilation",
    "gapless_playback", "hd_video", "season_number", "episode_sort", "track", "disc",
}  # fmt: skip


def fit(source: str, destination: str, width: int, height: int) -> None:
    """Write the film at `source`, scaled and cropped to `width` x `height`, to `destination`: see `fit.fit_video`.

    Raises `Rejected` with the code "invalid" if the film cannot be decoded; what else it raises is no fault of it.
    """
    part = part_of(Path(destination))
    try:
        with open_film(source) as film:
            tags = {name: text[:_TAG_CHARACTERS] for name, text in film.metadata.items() if name not in _FILE_TAGS}
            flags = "+faststart" if tags.keys() <= _COMMON_TAGS else "+faststart+use_metadata_tags"
            shown = _shown_size(source)
            note = f"Scaled and cropped from {shown[0]}x{shown[1]} to {width}x{height} by Understudy."
            if shown == (width, height):
                note = "Encoded anew by Understudy, as H.264 in yuv420p."
            tags["comment"] = " | ".join(filter(None, (tags.get("comment"), note)))
            with av.open(str(part), "w", format="mp4", options={"movflags": flags}) as output:
                output.metadata.update(tags)
                _Fitter(film, output, width, height).run()
    except av.InvalidDataError as error:
        raise verdict(error) from error
    except av.error.ExternalError as error:
        # All that x264 says when it is refused memory.
        raise MemoryError from error
    publish_part(Path(destination))


def _shown_size(path: str) -> tuple[int, int]:
    with open_film(path) as film:
        pictures = pictures_of(film)
        frame = next(film.decode(pictures), None)
        if frame is None:
            raise invalid("it holds no frame")
        return shown_size(frame, pictures.sample_aspect_ratio)


class _Fitter:
    """Takes the packets of one film and gives packets to another."""

    def __init__(self, film: InputContainer, output: OutputContainer, width: int, height: int) -> None:
        self._film = film
        self._output = output
        self._width = width
        self._height = height
        self._pictures = pictures_of(film)
        self._encoder = _encoder(output, self._pictures, width, height)
        # By their place in the film. A stream of a codec that FFmpeg does not know can be neither heard nor copied.
        self._sounds = {
            sound.index: output.add_stream_from_template(sound)
            for sound in film.streams.audio
            if getattr(sound, "codec_context", None) is not None
        }
        self._converter = Converter()
        self._last_pts: int | None = None

    def run(self) -> None:
        """Fit the whole film, in the order of its packets: pictures are encoded anew, sound is copied."""
        streams = (self._pictures, *(self._film.streams[index] for index in self._sounds))
        for packet in self._film.demux(streams):
            sound = self._sounds.get(packet.stream.index)
            if sound is None:
                for frame in self._pictures.decode(packet):
                    self._take(frame)
            elif packet.dts is not None:  # not the empty packet at the end
                packet.stream = sound
                self._output.mux(packet)
        self._output.mux(self._encoder.encode(None))

    def _take(self, frame: VideoFrame) -> None:
        if frame.pts is None or (self._last_pts is not None and frame.pts <= self._last_pts):
            return  # no player shows it, and no encoder takes it
        self._last_pts = frame.pts
        fitted = self._fitted(frame)
        fitted.pts, fitted.time_base, fitted.duration = frame.pts, frame.time_base, frame.duration
        self._output.mux(self._encoder.encode(fitted))

    def _fitted(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame of its own, for the decoder's carries marks that an encoder would obey."""
        shown = shown_size(frame, self._pictures.sample_aspect_ratio)
        covering = cover(*shown, width=self._width, height=self._height)
        turns = quarter_turns(frame)
        size = (covering.width, covering.height)
        scaled = self._converter.scaled(frame, *(reversed(size) if turns % 2 else size))
        left, top = (covering.width - self._width) // 4 * 2, (covering.height - self._height) // 4 * 2
        fitted = VideoFrame(self._width, self._height, "yuv420p")
        for index, step in enumerate((1, 2, 2)):
            source = np.rot90(_plane(scaled, index), turns)
            target = _plane(fitted, index)
            target[:] = source[top // step :, left // step :][: target.shape[0], : target.shape[1]]
        fitted.colorspace, fitted.color_range = Colorspace.ITU709, ColorRange.MPEG
        return fitted


def _plane(frame: VideoFrame, index: int) -> NDArray[np.uint8]:
    """Return one plane of a frame as an array, without the padding at the end of its lines."""
    plane = frame.planes[index]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: plane.height, : plane.width]


def _encoder(output: OutputContainer, pictures: VideoStream, width: int, height: int) -> VideoStream:
    peak = round(_PEAK_BITS_PER_PIXEL * width * height)
    rate = pictures.average_rate or _USUAL_RATE
    options: dict[str, Any] = {
        "preset": "veryfast",
        "crf": _CRF,
        "maxrate": str(peak),
        "bufsize": str(2 * peak),
        "x264-params": "mbtree=0",
    }
    stream = output.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = pictures.time_base or 1 / rate  # the film's own clock: no frame moves
    context.thread_count = ENCODER_THREADS
    context.gop_size = max(1, round(_SECONDS_TO_SEEK * rate))
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.color_range = ColorRange.MPEG
    return stream
