"""The forms of a text in which a phrase is looked for."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.moderation.normalise import _LOOKALIKES, has_cjk, read_forms


def test_each_form_reads_the_text_in_its_own_way() -> None:
    forms = read_forms("\uff26\u043e\u200b0  b-a-r  猫 の")

    assert forms.own == "f\u043e0 b-a-r 猫 の"
    assert forms.latin == ("fo0 b-a-r 猫 の", "foo b-a-r 猫 の")
    assert forms.spelled.splitlines()[0] == "bar猫の"
    assert forms.compact == "f\u043e0bar猫の"


def test_a_plain_text_has_one_reading() -> None:
    forms = read_forms("A plain text")

    assert forms.own == "a plain text"
    assert forms.latin == ("a plain text",)
    assert forms.spelled == ""


def test_one_is_read_as_i_and_as_l() -> None:
    assert read_forms("k1ll").latin == ("k1ll", "kill", "klll")


@pytest.mark.parametrize(
    ("text", "cjk"), [("abc", False), ("é", False), ("猫", True), ("ネコ", True), ("고양이", True), ("𠮷", True)]
)
def test_scripts_without_word_boundaries_are_known(text: str, *, cjk: bool) -> None:
    assert has_cjk(text) is cjk


def test_the_lookalike_table_holds_characters_that_nfkc_leaves_alone_and_gives_letters() -> None:
    assert len(_LOOKALIKES) == 371
    assert {chr(point) for point in _LOOKALIKES if unicodedata.normalize("NFKC", chr(point)) != chr(point)} == set()
    assert set(_LOOKALIKES.values()) == set("abcdefghijklmnopqrstuvwxyz")
    assert not any(chr(point).isascii() or has_cjk(chr(point)) for point in _LOOKALIKES if point != 0x3007)


@given(st.text(st.integers(0, 0x10FFFF).map(chr)))
def test_forms_are_folded_and_hold_nothing_invisible(text: str) -> None:
    forms = read_forms(text)

    for form in (forms.own, *forms.latin):
        assert form == form.strip()
        assert not any(unicodedata.category(character) in {"Cf", "Mn", "Me", "Cs"} for character in form)
