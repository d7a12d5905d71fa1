"""The size that is asked for: near in size and in shape, else none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.backends.shapes import LANDSCAPES, MOST_ENLARGED, MOST_LOST, aspect_ratio, both_ways, nearest
from understudy.domain.catalogue import Size
from understudy.media import fit
from understudy.media.geometry import cover
from understudy.media.video import VideoFacts

P720, P1080 = both_ways([(1280, 720)]), both_ways([(1920, 1080)])
SIDES = st.integers(32, 2000).map(lambda half: 2 * half)
SIZES = st.builds(Size, SIDES, SIDES)


@st.composite
def neighbors(draw: st.DrawFn) -> tuple[Size, list[Size]]:
    """Draw a wanted size and several that a model makes, most of them not far from it."""
    wanted = draw(SIZES)

    def beside(side: int) -> st.SearchStrategy[int]:
        return st.floats(0.7, 1.7).map(lambda factor: max(2, 2 * round(side * factor / 2)))

    near = st.builds(Size, beside(wanted.width), beside(wanted.height))
    return wanted, draw(st.lists(near | SIZES, max_size=6))


@pytest.mark.parametrize(
    ("wanted", "sizes", "chosen"),
    [
        (Size(1280, 720), (*P1080, *P720), Size(1280, 720)),
        (Size(720, 1280), (*P720, *P1080), Size(720, 1280)),
        (Size(1792, 1024), (*P720, *P1080), Size(1920, 1080)),
        (Size(1024, 1792), (*P720, *P1080), Size(1080, 1920)),
        (Size(1280, 720), P1080, Size(1920, 1080)),
        (Size(1280, 720), (Size(1248, 704), *P1080), Size(1248, 704)),
        (Size(1280, 720), (Size(1280, 768), Size(1280, 736)), Size(1280, 736)),
        (Size(1000, 1000), (Size(960, 960), Size(1440, 1440)), Size(960, 960)),
        (Size(1000, 1000), (Size(800, 800), Size(1250, 1250)), Size(1250, 1250)),
    ],
    ids=lambda value: str(value) if isinstance(value, Size) else "",
)
def test_the_size_that_is_scaled_least_is_asked_for(wanted: Size, sizes: tuple[Size, ...], chosen: Size) -> None:
    assert nearest(wanted, sizes) == chosen


@pytest.mark.parametrize(
    ("wanted", "sizes"),
    [
        (Size(1792, 1024), P720),
        (Size(1920, 1080), P720),
        (Size(1280, 720), (Size(832, 480),)),
        (Size(1280, 720), (Size(1440, 1440), Size(1112, 834), Size(1470, 630))),
        (Size(720, 1280), (Size(2560, 1440),)),
        (Size(1280, 720), ()),
    ],
    ids=["720p for 7:4", "720p for 1080p", "480p for 720p", "other shapes", "turned", "none"],
)
def test_a_size_that_is_too_small_or_of_another_shape_is_not(wanted: Size, sizes: tuple[Size, ...]) -> None:
    assert nearest(wanted, sizes) is None


@given(neighbors())
def test_what_is_asked_for_is_made_and_near(case: tuple[Size, list[Size]]) -> None:
    wanted, sizes = case
    chosen = nearest(wanted, sizes)

    if chosen is not None:
        covering = cover(chosen.width, chosen.height, width=wanted.width, height=wanted.height)
        assert chosen in sizes
        assert covering.factor <= MOST_ENLARGED
        assert covering.lost <= MOST_LOST


@given(neighbors())
def test_no_other_size_is_near_and_scaled_less(case: tuple[Size, list[Size]]) -> None:
    wanted, sizes = case
    chosen = nearest(wanted, sizes)
    scaled = []
    for size in sizes:
        covering = cover(size.width, size.height, width=wanted.width, height=wanted.height)
        if covering.factor <= MOST_ENLARGED and covering.lost <= MOST_LOST:
            scaled.append(abs(math.log(covering.factor)))

    assert (chosen is None) == (not scaled)
    if chosen is not None:
        factor = cover(chosen.width, chosen.height, width=wanted.width, height=wanted.height).factor
        assert abs(math.log(factor)) == pytest.approx(min(scaled))


@given(neighbors())
def test_the_wanted_size_comes_first_wherever_it_is_made(case: tuple[Size, list[Size]]) -> None:
    wanted, sizes = case

    assert nearest(wanted, [*sizes, wanted]) == wanted


@given(neighbors())
def test_turning_everything_turns_the_answer(case: tuple[Size, list[Size]]) -> None:
    wanted, sizes = case
    chosen = nearest(wanted, sizes)
    turned = nearest(Size(wanted.height, wanted.width), [Size(size.height, size.width) for size in sizes])

    assert turned == (chosen and Size(chosen.height, chosen.width))


def test_the_same_part_may_be_lost_as_when_the_film_is_fitted() -> None:
    """Were it more here, a film would be paid for and then refused; were it less, one refused that could be had."""
    assert MOST_LOST == fit.MOST_LOST
    assert MOST_ENLARGED <= fit.MOST_FACTOR


@given(neighbors())
def test_a_film_of_the_size_that_was_asked_for_is_never_refused(case: tuple[Size, list[Size]]) -> None:
    wanted, sizes = case
    chosen = nearest(wanted, sizes)

    if chosen is not None:
        film = VideoFacts(
            width=chosen.width,
            height=chosen.height,
            seconds=8.0,
            frames=192,
            video_codec="h264",
            pixel_format="yuv420p",
            audio_codec="aac",
            size_bytes=1_000_000,
            sha256="0" * 64,
        )
        fit.fitting(film, width=wanted.width, height=wanted.height)


def test_landscapes_come_with_their_upright_forms_and_squares_once() -> None:
    assert both_ways([(1280, 720), (960, 960)]) == (Size(1280, 720), Size(720, 1280), Size(960, 960))


@pytest.mark.parametrize("size", both_ways(LANDSCAPES.values()), ids=str)
def test_the_word_for_a_shape_is_that_of_its_sides(size: Size) -> None:
    width, height = map(int, aspect_ratio(size).split(":"))

    assert width * size.height == height * size.width
