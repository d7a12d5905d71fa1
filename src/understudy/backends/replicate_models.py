"""What the models at Replicate can do, and in what words each wants to be told: data.

From each model's https://replicate.com/OWNER/NAME/api/schema, read on 2026-11-22.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

_NAME: Final = r"^([A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9a-f]{64})?)?$"


class ReplicateModel(BaseModel):
    """What one model can do, and how it wants to be told: a table `[backends.NAME.models."MODEL"]`.

    `sizes` gives the landscape pixels for each word of the field `size_field`. A model is `owner/name`, or
    `owner/name:version` where Replicate does not run the newest version by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(default="", pattern=_NAME, description="Model without a first frame; empty: there is none.")
    picture: str = Field(default="", pattern=_NAME, description="Model with a first frame; empty: there is none.")
    seconds: tuple[PositiveInt, ...] = Field(min_length=1, description="Lengths that it can make.")
    sizes: dict[str, tuple[PositiveInt, PositiveInt]] = Field(min_length=1, description="Sizes by `size_field`.")
    size_field: str = Field(default="resolution", description="Field of the size.")
    picture_field: str = Field(default="image", description="Field of the first frame.")
    ratio_with_picture: str = Field(
        default="", description="`aspect_ratio` beside a picture: empty for no field, or a word such as adaptive."
    )
    seed: bool = Field(default=True, description="Whether `seed` is sent.")
    audio: bool = Field(default=True, description="Whether `generate_audio` is sent.")
    prompt_characters: int = Field(default=0, ge=0, description="Longest prompt; 0: no bound is known.")


_Sizes = dict[str, tuple[int, int]]
_P720: Final[_Sizes] = {"720p": (1280, 720)}
_P1080: Final[_Sizes] = {**_P720, "1080p": (1920, 1080)}


def _model(name: str, seconds: range | tuple[int, ...], sizes: _Sizes, **more: Any) -> tuple[str, ReplicateModel]:
    row = {"text": name, "picture": name, "seconds": tuple(seconds), "sizes": sizes, **more}
    return name, ReplicateModel.model_validate(row)


MODELS: Final[Mapping[str, ReplicateModel]] = dict(
    (
        _model("bytedance/seedance-2.0", range(4, 16), _P1080, ratio_with_picture="adaptive"),
        _model("bytedance/seedance-2.0-fast", range(4, 16), _P720, ratio_with_picture="adaptive"),
        _model("bytedance/seedance-2.5", range(4, 31), _P720, ratio_with_picture="adaptive"),
        _model(
            "wan-video/wan-2.7",
            range(2, 16),
            _P1080,
            text="wan-video/wan-2.7-t2v",
            picture="wan-video/wan-2.7-i2v",
            picture_field="first_frame",
            audio=False,
        ),
        _model("google/veo-3.1", (4, 6, 8), _P1080, ratio_with_picture="same"),
        _model(
            "kwaivgi/kling-v3-video",
            range(3, 16),
            {"standard": (1280, 720), "pro": (1920, 1080)},
            size_field="mode",
            picture_field="start_image",
            seed=False,
            prompt_characters=2500,
        ),
    )
)
