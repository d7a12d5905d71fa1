"""What has to be done to a film of another size: pure arithmetic."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from understudy.media.fit import Fitting, fitting
from understudy.media.geometry import cover
from understudy.media.video import MediaInvalid, VideoFacts


def facts(width: int, height: int, *, codec: str = "h264", pixels: str = "yuv420p") -> VideoFacts:
    return VideoFacts(
        width=width,
        height=height,
        seconds=8.0,
        frames=192,
        video_codec=codec,
        pixel_format=pixels,
        audio_codec="aac",
        size_bytes=1_000_000,
        sha256="0" * 64,
    )


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (1792, 1024)])
def test_a_film_of_the_size_that_was_asked_for_is_left_untouched(width: int, height: int) -> None:
    assert fitting(facts(width, height), width=width, height=height) is Fitting.UNTOUCHED


@pytest.mark.parametrize(
    ("codec", "pixels", "wanted"),
    [
        ("h264", "yuvj420p", Fitting.UNTOUCHED),
        ("hevc", "yuv420p", Fitting.UNTOUCHED),
        ("hevc", "yuv420p10le", Fitting.UNTOUCHED),
        ("av1", "yuv420p10le", Fitting.UNTOUCHED),
        ("vp9", "yuv420p", Fitting.UNTOUCHED),
        ("h264", "yuv420p10le", Fitting.FIT),
        ("h264", "yuv444p", Fitting.FIT),
        ("hevc", "gbrp", Fitting.FIT),
        ("hevc", "yuv422p10le", Fitting.FIT),
    ],
)
def test_of_the_right_size_only_a_form_that_few_browsers_play_is_encoded_anew(
    codec: str, pixels: str, wanted: Fitting
) -> None:
    assert fitting(facts(1280, 720, codec=codec, pixels=pixels), width=1280, height=720) is wanted


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        ((1280, 736), (1280, 720)),
        ((1280, 704), (1280, 720)),
        ((1920, 1088), (1920, 1080)),
        ((1920, 1080), (1792, 1024)),
        ((1920, 1080), (1280, 720)),
        ((1344, 768), (1280, 720)),
        ((1344, 768), (1792, 1024)),
        ((1024, 576), (1280, 720)),
        ((854, 480), (1280, 720)),
        ((704, 1280), (720, 1280)),
        ((1080, 1920), (1024, 1792)),
        ((3840, 2160), (1280, 720)),
    ],
)
def test_a_near_size_may_be_fitted(made: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert fitting(facts(*made), width=wanted[0], height=wanted[1]) is Fitting.FIT


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ((720, 1280), r"it is 720x1280 pixels, not 1280x720, and would have to be enlarged by 1\.78"),
        ((1080, 1920), r"and would lose 68% of its area"),
        ((1280, 1280), r"and would lose 44% of its area"),
        ((1280, 960), r"and would lose 25% of its area"),
        ((1920, 720), r"and would lose 33% of its area"),
        ((832, 480), r"would have to be enlarged by 1\.54"),
        ((320, 180), r"would have to be enlarged by 4\.00"),
    ],
)
def test_a_far_size_is_refused_with_the_reason(made: tuple[int, int], reason: str) -> None:
    with pytest.raises(MediaInvalid, match=reason):
        fitting(facts(*made), width=1280, height=720)


SIDE = st.integers(16, 4096)
EVEN = st.integers(8, 2048).map(lambda half: 2 * half)


@given(SIDE, SIDE, EVEN, EVEN)
@example(1280, 736, 1280, 720)
@example(853, 480, 1280, 720)
def test_a_cover_leaves_nothing_bare_and_stretches_nothing(
    source_width: int, source_height: int, width: int, height: int
) -> None:
    covering = cover(source_width, source_height, width=width, height=height)

    assert covering.width >= width
    assert covering.height >= height
    assert covering.width % 2 == covering.height % 2 == 0
    assert abs(covering.width - source_width * covering.factor) <= 1.001
    assert abs(covering.height - source_height * covering.factor) <= 1.001
    assert covering.width == width or covering.height == height
    assert -1e-9 <= covering.lost < 1


@given(EVEN, EVEN)
def test_a_size_covers_itself_without_loss(width: int, height: int) -> None:
    covering = cover(width, height, width=width, height=height)

    assert (covering.factor, covering.width, covering.height) == (1, width, height)
    assert abs(covering.lost) < 1e-9
