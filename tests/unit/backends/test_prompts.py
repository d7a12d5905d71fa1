"""A prompt that is no order."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.backends.prompts import prompt_for, without_orders


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("A cat --dur 15 --RS 1080p", "A cat —dur 15 —RS 1080p"),
        ("A cat -- a real one, half-asleep --", "A cat -- a real one, half-asleep --"),
        ("A cat ---duration 15", "A cat -—duration 15"),
    ],
)
def test_an_order_becomes_words_and_the_rest_stays(prompt: str, words: str) -> None:
    assert without_orders(prompt) == words


@given(st.text(st.sampled_from("-ab Z1")))
def test_no_order_is_left(prompt: str) -> None:
    assert re.search("--[a-z]", without_orders(prompt), re.IGNORECASE) is None


def test_only_the_models_that_obey_orders_get_another_prompt() -> None:
    assert prompt_for("bytedance/seedance-2.0", "--dur 15") == "—dur 15"
    assert prompt_for("google/veo-3.1", "--dur 15") == "--dur 15"
