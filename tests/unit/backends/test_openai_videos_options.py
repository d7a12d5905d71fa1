"""Frames, sizes and settings of a server with `/v1/videos`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from understudy.backends.openai_videos_options import Options
from understudy.backends.shapes import nearest
from understudy.domain.catalogue import Size


def _options(**settings: object) -> Options:
    return Options.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "seconds", "frames"),
    [
        ({"profile": "vllm-omni"}, 4, 97),
        ({"profile": "vllm-omni"}, 8, 193),
        ({"profile": "vllm-omni"}, 12, 289),
        ({"profile": "sglang"}, 4, 97),
        ({"profile": "generic"}, 4, None),
        ({"profile": "generic", "frames_rule": "4k+1"}, 4, 97),
        ({"profile": "generic", "frames_rule": "4k+1", "fps": 16}, 4, 65),
        ({"profile": "vllm-omni", "fps": 25}, 4, 105),
        ({"profile": "vllm-omni", "frames_rule": ""}, 4, None),
        ({"profile": "vllm-omni", "frames_rule": "1k+0"}, 4, 96),
    ],
)
def test_the_number_of_frames(settings: dict[str, object], seconds: int, frames: int | None) -> None:
    assert _options(**settings).frames_of(seconds) == frames


@given(step=st.integers(1, 99), rest=st.integers(0, 99), fps=st.integers(1, 120), seconds=st.integers(1, 60))
def test_a_film_is_as_short_as_the_rule_allows_and_never_too_short(
    step: int, rest: int, fps: int, seconds: int
) -> None:
    frames = _options(frames_rule=f"{step}k+{rest}", fps=fps).frames_of(seconds)

    assert frames is not None
    assert (frames - rest) % step == 0
    assert frames >= seconds * fps
    assert frames - step < max(seconds * fps, rest + 1)


def test_the_frame_rate_follows_the_profile_and_is_needed_where_frames_are_counted() -> None:
    assert _options(profile="vllm-omni").frame_rate == 24
    assert _options(profile="vllm-omni", fps=30).frame_rate == 30
    assert _options(profile="generic").frame_rate is None
    assert _options(profile="generic", frames_rule="8k+1").frame_rate == 24


@pytest.mark.parametrize(
    ("settings", "wanted", "generated"),
    [
        ({}, Size(1280, 720), Size(1280, 720)),
        ({"profile": "vllm-omni"}, Size(1280, 720), Size(1280, 736)),
        ({"profile": "vllm-omni"}, Size(720, 1280), Size(736, 1280)),
        ({"profile": "sglang"}, Size(1920, 1080), Size(1920, 1088)),
        ({"profile": "vllm-omni"}, Size(1792, 1024), Size(1792, 1024)),
        ({"profile": "vllm-omni", "size_multiple": 64}, Size(1280, 720), Size(1280, 768)),
        ({"profile": "vllm-omni", "size_multiple": 1}, Size(1280, 720), Size(1280, 720)),
        ({"size_multiple": 15}, Size(1280, 720), Size(1290, 720)),
        ({"sizes": ["1280x736", "736x1280"]}, Size(1280, 720), Size(1280, 736)),
        ({"sizes": ["1280x736", "736x1280"]}, Size(720, 1280), Size(736, 1280)),
        ({"sizes": ["1280x736", "1920x1088"]}, Size(1792, 1024), Size(1920, 1088)),
        ({"sizes": ["1280x736", "1920x1088"]}, Size(1280, 720), Size(1280, 736)),
        ({"sizes": ["1920x1080", "1280x720"]}, Size(1280, 720), Size(1280, 720)),
        ({"sizes": ["1248x704"]}, Size(1280, 720), Size(1248, 704)),
        ({"sizes": ["832x480"]}, Size(1280, 720), None),
        ({"sizes": ["1280x736"]}, Size(720, 1280), None),
        ({"sizes": ["1024x1024"]}, Size(1280, 720), None),
    ],
)
def test_the_size_that_is_generated(settings: dict[str, object], wanted: Size, generated: Size | None) -> None:
    assert nearest(wanted, _options(**settings).sizes_for(wanted)) == generated


_SIDES = st.integers(32, 1000).map(lambda half: 2 * half)


@given(st.integers(1, 256), _SIDES, _SIDES)
def test_rounded_sides_are_even_multiples_and_never_smaller(multiple: int, width: int, height: int) -> None:
    [size] = _options(size_multiple=multiple).sizes_for(Size(width, height))

    for side, wanted in ((size.width, width), (size.height, height)):
        assert side % multiple == side % 2 == 0
        assert wanted <= side < wanted + 2 * multiple


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"profile": "vllm"}, "'generic', 'vllm-omni' or 'sglang'"),
        ({"encoding": "xml"}, "'multipart' or 'json'"),
        ({"profile": "vllm-omni", "encoding": "json"}, "encoding must be multipart for profile vllm-omni"),
        ({"durations": [0]}, "whole seconds"),
        ({"sizes": ["1280*720"]}, "must look like 1280x736"),
        ({"sizes": ["1281x720"]}, "even sides"),
        ({"frames_rule": "8k"}, "must look like 8k"),
        ({"frames_rule": "0k+1"}, "must look like 8k"),
        ({"fps": 0}, "greater than or equal to 1"),
        ({"size_multiple": 0}, "greater than or equal to 1"),
        ({"extra": {"prompt": "mine"}}, "must not hold prompt"),
        ({"extra": {"fps": 24}}, "must not hold fps"),
        ({"content_wait_seconds": 61}, "less than or equal to 60"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        _options(**settings)
