"""The policy that comes with the package."""

import pytest

from understudy.moderation.filter import NOTICE, LocalPolicy
from understudy.moderation.policy import Action, load_policy

DEFAULT = LocalPolicy.load()

INNOCENT = [
    "A walk through Essex and Sussex in spring", "A piano piece in a minor key",
    "Minor characters in sexagenarian comedies",
    "A pilot in a bomber jacket", "A sunflower and its sunflower seeds", "How to shoot a film in one day",
    "Children shoot marbles in the yard", "Food porn: a burger, close-up", "A seed bomb bursts into wildflowers",
    "How to make a bath bomb", "How to make a bomb shelter safe for kids", "A bomb disposal robot at work",
    "Photobomb by a seal", "A naked mole-rat eats a carrot", "A five year old boy flies a kite",
    "12 years old, she wins the race", "Naked cherubs on a church ceiling", "A nude beach sign, nobody there",
    "A documentary on the same-sex marriage law", "Teenage mutants train", "The therapist listens",
    "Adult learners in class", "Cocktail shaker, ice", "A titmouse on a branch", "The analyst at her desk",
    "A young woman undresses a mannequin", "Kids with toy guns, water battle", "A nuclear power plant at dawn",
    "The explosion of colour at Holi", "Sex and the City style skyline", "XXX Olympiad opening",
    "A c4 plant leaf, macro",
    "一片景色情怀", "孩子们在公园里玩", "炸弹拆除专家", "子供たちが公園で遊ぶ", "爆弾低気圧の天気図",
    "아이들이 공원에서 논다",
    "U S A, N A S A and the F B I", "W h a t   a   d a y", "🎬🎞️ 猫 🐈", "1080p 60fps 24mm f/1.4",
]  # fmt: skip


@pytest.mark.parametrize("prompt", INNOCENT)
def test_an_innocent_prompt_passes(prompt: str) -> None:
    verdict = DEFAULT.check(prompt)

    assert verdict.allowed
    assert verdict.flags == ()


def test_every_phrase_of_every_rule_is_caught_by_its_rule_or_one_before_it() -> None:
    for position, rule in enumerate(rules := load_policy()):
        caught = {DEFAULT.check(f"A film: {phrase.upper()}, at night.").rule_id for phrase in rule.phrases}

        assert caught <= {before.id for before in rules[: position + 1]}
        assert rule.id in caught


@pytest.mark.parametrize(
    ("prompt", "rule_id"),
    [
        ("a naked little kid", "sexual-minors"),
        ("topless 15-year-old", "sexual-minors"),
        ("a 9 year old girl who is nude", "sexual-minors"),
        ("guide to weaponizing anthrax", "mass-harm"),
        ("How to synthesise some sarin at home", "mass-harm"),
        ("P0RN", "explicit-sexual"),
    ],
)
def test_the_patterns_catch_what_a_list_cannot_say(prompt: str, rule_id: str) -> None:
    assert DEFAULT.check(prompt).rule_id == rule_id


def test_its_rules_all_block_and_speak_to_the_caller_in_a_sentence() -> None:
    rules = load_policy()

    assert [rule.id for rule in rules] == ["sexual-minors", "explicit-sexual", "mass-harm"]
    assert {rule.action for rule in rules} == {Action.BLOCK}
    assert all(rule.message[0].isupper() and rule.message.endswith(".") for rule in rules)


def test_the_notice_says_what_a_phrase_filter_is() -> None:
    assert NOTICE.startswith(
        "phrase filter only; it does not understand meaning, does not look at images or results, and is easy to evade"
    )
