"""The script: how a prompt becomes shots."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.animatic.script import plan
from understudy.animatic.storyboard import FilmSpec, Light, Move, Setting, Shot, Sound, View, Weather


def shots(prompt: str, *, seconds: int = 4, seed: int = 1, width: int = 1280, height: int = 720) -> tuple[Shot, ...]:
    spec = FilmSpec(prompt=prompt, width=width, height=height, seconds=seconds, seed=seed)
    return plan(spec).shots


@pytest.mark.parametrize(("seconds", "count"), [(1, 1), (4, 1), (5, 1), (8, 2), (12, 3), (20, 5), (60, 15)])
def test_a_shot_lasts_about_four_seconds(seconds: int, count: int) -> None:
    assert len(shots("a lake at dawn", seconds=seconds)) == count


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.integers(1, 60), st.integers(-(2**63), 2**63 - 1))
def test_shots_fill_the_film_without_gap_or_overlap(prompt: str, seconds: int, seed: int) -> None:
    found = shots(prompt, seconds=seconds, seed=seed)

    at = 0
    for shot in found:
        assert shot.first_frame == at
        assert shot.frames > 0
        assert len(shot.figures) == len(shot.figure_colors)
        at += shot.frames
    assert at == seconds * 24


def test_the_same_spec_gives_the_same_storyboard() -> None:
    spec = FilmSpec(prompt="a fox in the snow", width=720, height=1280, seconds=12, seed=7)

    assert plan(spec) == plan(spec)


@pytest.mark.parametrize("change", [{"seed": 2}, {"seconds": 8}, {"width": 1792, "height": 1024}])
def test_seed_length_and_size_change_the_views(change: dict[str, int]) -> None:
    assert shots("a fox in the snow")[0].seed != shots("a fox in the snow", **change)[0].seed


def test_each_sentence_gets_a_shot() -> None:
    first, second, third = shots("A boat on the sea. A dark forest. The city.", seconds=12)

    assert (first.setting, second.setting, third.setting) == (Setting.SEA, Setting.FOREST, Setting.CITY)
    assert [first.caption, second.caption, third.caption] == ["A boat on the sea.", "A dark forest.", "The city."]


def test_chinese_sentences_get_a_shot_each() -> None:
    first, second = shots("一只猫走在街道上。然后来到海边。", seconds=8)

    assert (first.setting, second.setting) == (Setting.STREET, Setting.BEACH)


def test_then_divides_a_sentence() -> None:
    first, second = shots("A man walks through a forest, then he reaches the beach", seconds=8)

    assert (first.setting, second.setting) == (Setting.FOREST, Setting.BEACH)
    assert second.figures == ("person",)


def test_one_sentence_is_seen_wide_then_nearer_then_in_detail() -> None:
    found = shots("a red fox in a snowy field", seconds=12)

    assert [shot.view for shot in found] == [View.WIDE, View.NEAR, View.DETAIL]
    assert {shot.setting for shot in found} == {Setting.FIELD}
    assert len({shot.seed for shot in found}) == 3
    assert {shot.light for shot in found} == {found[0].light}


def test_neighboring_shots_move_differently() -> None:
    found = shots("a red fox in a snowy field", seconds=60)

    assert all(one.move is not other.move for one, other in pairwise(found))


def test_what_a_sentence_leaves_open_comes_from_the_whole_prompt() -> None:
    _, second = shots("A rainy night in the city. A woman waits.", seconds=8)

    assert second.setting is Setting.CITY
    assert second.light is Light.NIGHT
    assert second.weather is Weather.RAIN
    assert second.figures == ("woman",)


def test_figures_stay_behind_when_the_place_changes() -> None:
    _, second = shots("A dragon above a castle. Night over the sea.", seconds=8)

    assert second.figures == ()


def test_a_named_camera_move_is_used() -> None:
    assert shots("a coast, drone shot")[0].move is Move.AERIAL


@pytest.mark.parametrize("prompt", ["", "Xyzzy plugh", "a red thing", "1234", "слово", "zoom in"])
def test_a_prompt_of_unknown_words_stays_abstract(prompt: str) -> None:
    assert {shot.setting for shot in shots(prompt, seconds=8)} == {Setting.ABSTRACT}


@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("a sailboat", Setting.SEA),
        ("a whale", Setting.SEA),
        ("goldfish", Setting.UNDERWATER),
        ("a rocket", Setting.SPACE),
        ("a taxi", Setting.STREET),
        ("a horse", Setting.FIELD),
        ("a boat and a meadow", Setting.LAKE),
        ("heavy rain", Setting.STREET),
        ("a sunset", Setting.SEA),
        ("clouds", Setting.SKY),
    ],
)
def test_a_place_is_found_where_none_is_named(prompt: str, setting: Setting) -> None:
    assert shots(prompt)[0].setting is setting


def test_rain_in_a_street_without_an_hour_is_neon() -> None:
    assert shots("rain on a street")[0].light is Light.NEON


@pytest.mark.parametrize(
    ("prompt", "sound"),
    [
        ("the ocean", Sound.SURF),
        ("rain in a city", Sound.RAIN),
        ("a thunderstorm", Sound.THUNDER),
        ("a forest by day", Sound.BIRDS),
        ("a meadow at night", Sound.CRICKETS),
        ("a campfire", Sound.FIRE),
        ("a galaxy", Sound.SPACE),
        ("a coral reef", Sound.UNDERWATER),
    ],
)
def test_a_shot_sounds_like_its_place(prompt: str, sound: Sound) -> None:
    assert sound in shots(prompt)[0].sounds


def test_a_long_caption_is_cut_between_words() -> None:
    caption = shots("a lake " + "with many quiet little waves " * 20)[0].caption

    assert len(caption) <= 111
    assert caption.endswith("…")
    assert caption.removesuffix("…").split()[-1] in {"with", "many", "quiet", "little", "waves"}


def test_the_colors_of_figures_follow_them() -> None:
    shot = shots("a red car and a cat")[0]

    assert dict(zip(shot.figures, shot.figure_colors, strict=True)) == {"car": "red", "cat": ""}
