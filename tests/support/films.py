"""Looking at a film that came out: what a player would see."""

import io
from dataclasses import dataclass

import av


@dataclass(frozen=True, slots=True)
class Film:
    """Facts read from the bytes of an MP4, every frame decoded."""

    width: int
    height: int
    frames: int
    seconds: float
    video_codec: str
    audio_codec: str
    comment: str


def read_film(data: bytes) -> Film:
    """Decode a film; raises what the decoder raises if it is broken."""
    with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames = len([None for _ in container.decode(video)])
        assert video.time_base is not None
        assert video.duration is not None
        return Film(
            width=video.codec_context.width,
            height=video.codec_context.height,
            frames=frames,
            seconds=float(video.duration * video.time_base),
            video_codec=video.codec_context.name,
            audio_codec=audio.codec_context.name,
            comment=container.metadata.get("comment", ""),
        )
