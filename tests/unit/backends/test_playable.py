"""What a model can play, and how that is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.backends.base import BadInput, CannotPlay, Wanted
from understudy.backends.playable import fit_to, spoken, unknown_lengths, unknown_model, word_for
from understudy.backends.shapes import LANDSCAPES, both_ways
from understudy.domain.catalogue import Size

SIZES = both_ways([(1280, 720)])


def wanted(size: Size = SIZES[0], seconds: int = 8) -> Wanted:
    return Wanted(model="", size=size, seconds=seconds, picture=False)


def test_a_film_that_the_model_can_make_is_told_by_its_size() -> None:
    assert fit_to("some/model", wanted(Size(704, 1248)), seconds=(4, 8), sizes=SIZES).size == Size(720, 1280)


@pytest.mark.parametrize(
    ("film", "sentence"),
    [
        (wanted(seconds=5), "some/model makes films of 4 or 8 seconds, not of 5."),
        (
            wanted(Size(1792, 1024)),
            "some/model makes films of 1280*720, 720*1280: 1792*1024 is larger or of another shape.",
        ),
    ],
)
def test_any_other_is_refused_with_what_it_can_make(film: Wanted, sentence: str) -> None:
    with pytest.raises(CannotPlay) as caught:
        fit_to("some/model", film, seconds=(4, 8), sizes=SIZES)

    assert str(caught.value) == sentence


def test_a_model_that_is_not_listed_is_refused_with_the_table_that_mends_it() -> None:
    assert str(unknown_model("studio", "some/model", "seconds and sizes")) == (
        'What some/model can do is not known: tell its seconds and sizes in [backends.studio.models."some/model"].'
    )
    assert str(unknown_lengths("studio", "some/model")) == (
        "The lengths of some/model are not known: set durations in [backends.studio]."
    )


@pytest.mark.parametrize(
    ("size", "word"),
    [(Size(1280, 720), "720p"), (Size(720, 1280), "720p"), (Size(1080, 1920), "1080p")],
    ids=str,
)
def test_a_size_and_its_upright_form_have_one_word(size: Size, word: str) -> None:
    assert word_for("some/model", size, LANDSCAPES) == word


def test_a_size_without_a_word_is_not_asked_for() -> None:
    with pytest.raises(BadInput, match=r"some/model makes no films of 854\*480"):
        word_for("some/model", Size(854, 480), LANDSCAPES)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [((8,), "8"), ((8, 4), "4 or 8"), ((4, 6, 8), "4, 6 or 8"), (range(4, 16), "4 to 15"), ((4, 5), "4 or 5")],
)
def test_lengths_are_told_as_people_say_them(seconds: tuple[int, ...], text: str) -> None:
    assert spoken(seconds) == text


@given(st.sets(st.integers(1, 60), min_size=1))
def test_no_length_is_told_that_is_not_made_and_none_is_left_out(seconds: set[int]) -> None:
    first, _, last = spoken(seconds).partition(" to ")
    told = range(int(first), int(last) + 1) if last else [int(text) for text in first.replace(" or ", ", ").split(", ")]

    assert set(told) == seconds
