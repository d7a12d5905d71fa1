"""What an operator sets for a server with `/v1/videos`, and in what the known servers differ: data.

The grids come from the models that such a server usually serves (`upstreams.md` §4): LTX wants 8k+1 frames and sides
that are multiples of 32, and Wan's 4k+1 frames hold for 24 a second too. A wrong number is an error there, not a
rounding, so the numbers are always sent.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from understudy.backends.options import BackendOptions
from understudy.domain.catalogue import Size

DEFAULT_FPS: Final = 24

_FRAMES = re.compile(r"([1-9][0-9]?)k\+([0-9]{1,2})\Z")
_SIZE = re.compile(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})\Z")
_OURS: Final = frozenset(
    {"prompt", "model", "seconds", "size", "seed", "input_reference", "reference_url", "num_frames", "fps"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """In what one kind of server differs.

    `frames`, `fps` and `multiple` are what its usual models want; `seeds`: it knows `seed`; `aborts`: DELETE stops a
    running job; `reconcile_seconds`: how long its list is asked for a job whose answer was lost.
    """

    frames: str = ""
    fps: int | None = None
    multiple: int = 1
    seeds: bool = False
    aborts: bool = False
    reconcile_seconds: float = 0


PROFILES: Final = {
    "generic": Profile(reconcile_seconds=30),
    "vllm-omni": Profile(frames="8k+1", fps=DEFAULT_FPS, multiple=32, seeds=True, aborts=True, reconcile_seconds=30),
    "sglang": Profile(frames="8k+1", fps=DEFAULT_FPS, multiple=32, seeds=True),
}


class Options(BackendOptions):
    """The settings of a backend of kind `openai_videos`."""

    profile: Literal["generic", "vllm-omni", "sglang"] = Field(default="generic", description="Which server it is.")
    encoding: Literal["multipart", "json"] = Field(
        default="multipart", description="Form of a submission; all known servers read multipart."
    )
    durations: tuple[int, ...] = Field(default=(), description="Lengths in seconds that the model can; empty: any.")
    sizes: tuple[str, ...] = Field(
        default=(), description="Sizes that the model can, as in 1280x736; the nearest is taken. Empty: any."
    )
    size_multiple: int | None = Field(
        default=None, ge=1, le=256, description="Sides are rounded up to a multiple of it; unset: as the profile says."
    )
    frames_rule: str | None = Field(
        default=None, description="Form of the number of frames, as in 8k+1; empty: not sent; unset: by the profile."
    )
    fps: int | None = Field(default=None, ge=1, le=120, description="Frames a second; unset: as the profile says.")
    extra: dict[str, Any] = Field(default_factory=dict, description="More fields, sent as they are.")
    repeat_lost: bool = Field(
        default=False, description="Whether a lost job is submitted anew: only where a job costs nothing."
    )
    content_wait_seconds: float = Field(
        default=5, ge=0, le=60, description="How long a finished job's file may be missing before it is an error."
    )

    @field_validator("durations")
    @classmethod
    def _check_durations(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(seconds < 1 for seconds in value):
            raise ValueError("must be whole seconds, 1 or more each")
        return value

    @field_validator("sizes")
    @classmethod
    def _check_sizes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        sizes = [_SIZE.match(text) for text in value]
        if any(size is None or int(size[1]) % 2 or int(size[2]) % 2 for size in sizes):
            raise ValueError("each must look like 1280x736, with even sides")
        return value

    @field_validator("frames_rule")
    @classmethod
    def _check_frames(cls, value: str | None) -> str | None:
        if value and _FRAMES.match(value) is None:
            raise ValueError("must look like 8k+1, or be empty to send no number of frames")
        return value

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, value: dict[str, Any]) -> dict[str, Any]:
        own = sorted(_OURS & set(value))
        if own:
            raise ValueError(f"must not hold {own[0]}, which is set for each task or by a setting of its own")
        return value

    @model_validator(mode="after")
    def _check_encoding(self) -> Self:
        if self.profile == "vllm-omni" and self.encoding == "json":
            raise ValueError("encoding must be multipart for profile vllm-omni, which reads no JSON")
        return self

    @property
    def frame_rate(self) -> int | None:
        """Frames a second as they are sent; None: not sent."""
        return self.fps or PROFILES[self.profile].fps or (DEFAULT_FPS if self.frames_rule else None)

    def frames_of(self, seconds: int) -> int | None:
        """Return the smallest allowed number of frames that is long enough; None: it is not sent."""
        rule = PROFILES[self.profile].frames if self.frames_rule is None else self.frames_rule
        match, rate = _FRAMES.match(rule), self.frame_rate
        if match is None or rate is None:
            return None
        step, rest = int(match[1]), int(match[2])
        return -(-max(seconds * rate - rest, 0) // step) * step + rest

    def sizes_for(self, wanted: Size) -> tuple[Size, ...]:
        """Return the sizes to choose from: those of `sizes`, without them the wanted one with its sides rounded up."""
        if not self.sizes:
            multiple = self.size_multiple or PROFILES[self.profile].multiple
            step = multiple if multiple % 2 == 0 or multiple == 1 else 2 * multiple
            return (Size(-(-wanted.width // step) * step, -(-wanted.height // step) * step),)
        return tuple(Size(int(width), int(height)) for width, height in (text.split("x") for text in self.sizes))
