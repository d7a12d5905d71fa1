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


def test_a_single_sentence_is_told_once_and_not_again_in_each_shot() -> None:
    captions = [shot.caption for shot in shots("A fox sleeps in the quiet green woods at noon", seconds=12)]

    assert captions == ["A fox sleeps in the quiet green woods at noon", "", ""]


def test_a_sentence_too_long_for_one_shot_goes_on_in_the_next() -> None:
    sentence = "a lake with " + " and ".join(f"reed number {index}" for index in range(12))
    first, second, _ = (shot.caption for shot in shots(sentence, seconds=12))

    assert (first.removesuffix("…") + " " + second.removesuffix("…")) in sentence


def test_an_abstract_film_keeps_its_words_in_every_shot() -> None:
    words = "The quiet arithmetic of everything"

    assert {shot.caption for shot in shots(words, seconds=12)} == {words}


def test_clauses_of_a_japanese_sentence_keep_their_own_comma() -> None:
    first, _ = (shot.caption for shot in shots("桜の木の下を歩く女の子、春の朝、花びらが舞う。", seconds=8))

    assert first == "桜の木の下を歩く女の子、春の朝"


@pytest.mark.parametrize(
    "prompt",
    [
        "Whales and jellyfish glide through deep blue water, shafts of light.",
        "A turtle swims under the waves",
        "A shark circles in deep water",
        "一条鲸鱼在海底游动",
        "深海里的水母",
        "深い海を泳ぐクジラ",
        "깊은 바다를 헤엄치는 고래",
    ],
)
def test_deep_water_is_seen_from_below(prompt: str) -> None:
    assert shots(prompt)[0].setting is Setting.UNDERWATER


@pytest.mark.parametrize("prompt", ["A boat under a deep blue sky on the sea", "A whale leaps from the deep blue sea"])
def test_a_deep_blue_sky_or_sea_is_seen_from_above(prompt: str) -> None:
    assert shots(prompt)[0].setting is Setting.SEA
