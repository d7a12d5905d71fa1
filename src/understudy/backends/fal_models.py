"""What the models at fal can do, and in what words each wants to be told: data.

From each model's https://fal.ai/models/MODEL/llms.txt, read on 2026-11-22.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Mode = Literal["text", "picture"]

_PATH: Final = r"^([A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+)?$"


class FalModel(BaseModel):
    """What one model can do, and how it wants to be told: a table `[backends.NAME.models."MODEL"]`.

    `sizes` gives the landscape pixels for each word of the field `resolution`; the word "" sends no such field.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(default="", pattern=_PATH, description="Endpoint without a first frame; empty: it has none.")
    picture: str = Field(default="", pattern=_PATH, description="Endpoint with a first frame; empty: it has none.")
    seconds: tuple[PositiveInt, ...] = Field(min_length=1, description="Lengths that it can make.")
    sizes: dict[str, tuple[PositiveInt, PositiveInt]] = Field(min_length=1, description="Sizes by `resolution`.")
    duration: Literal["4", "4s", "number"] = Field(default="4", description="How 4 seconds are told.")
    picture_field: str = Field(default="image_url", description="Field of the first frame.")
    ratio: tuple[Mode, ...] = Field(default=("text",), description="Modes with `aspect_ratio`: a picture has its own.")
    seed: tuple[Mode, ...] = Field(default=("text", "picture"), description="Modes with `seed`.")
    audio: bool = Field(default=True, description="Whether `generate_audio` is sent.")
    prompt_characters: int = Field(default=0, ge=0, description="Longest prompt; 0: no bound is known.")


_Sizes = dict[str, tuple[int, int]]
_P720: Final[_Sizes] = {"720p": (1280, 720)}
_P1080: Final[_Sizes] = {**_P720, "1080p": (1920, 1080)}
_KLING: Final = {"picture_field": "start_image_url", "seed": (), "prompt_characters": 2500}


def _model(family: str, seconds: range | tuple[int, ...], sizes: _Sizes, **more: Any) -> tuple[str, FalModel]:
    ends = {"text": f"{family}/text-to-video", "picture": f"{family}/image-to-video"}
    return family, FalModel.model_validate({**ends, "seconds": tuple(seconds), "sizes": sizes, **more})


def _veo(family: str) -> tuple[str, FalModel]:
    return _model(family, (4, 6, 8), _P1080, text=family, duration="4s")


MODELS: Final[Mapping[str, FalModel]] = dict(
    (
        _model("bytedance/seedance-2.0", range(4, 16), _P1080),
        _model("bytedance/seedance-2.0/fast", range(4, 16), _P720),
        _model("bytedance/seedance-2.0/mini", range(4, 16), _P720),
        # At 1080p it answers with H.265 in 10 bits, which many players do not show: not asked for.
        _model("bytedance/seedance-2.5", range(4, 31), _P720, seed=("picture",)),
        _model(
            "minimax/h3",
            range(5, 16),
            {"768P": (1344, 768), "2K": (2560, 1440)},
            duration="number",
            audio=False,
        ),
        _veo("fal-ai/veo3.1"),
        _veo("fal-ai/veo3.1/fast"),
        _veo("fal-ai/veo3.1/lite"),
        _model("fal-ai/kling-video/v3/standard", range(3, 16), {"": (1280, 720)}, **_KLING),
        _model("fal-ai/kling-video/v3/pro", range(3, 16), {"": (1920, 1080)}, **_KLING),
    )
)
