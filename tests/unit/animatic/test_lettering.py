# ruff: noqa: RUF001 -- the rules of line breaking are about these marks

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.animatic.lettering import Block, clean, covered, font, text_mask, wrap


def lines(text: str, *, width: int = 200, max_lines: int = 9) -> tuple[str, ...]:
    return wrap(text, size=20, width=width, max_lines=max_lines).lines


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("simplified Chinese", "简体中文龙凤"),
        ("traditional Chinese", "繁體中文龍鳳"),
        ("Japanese", "ひらがなカタカナ漢字"),
        ("Korean", "안녕하세요"),
        ("Latin", "Œuvre naïve, Straße"),
        ("Vietnamese", "Một con thuyền nhỏ"),
        ("Cyrillic", "Съешь ещё"),
        ("Greek", "Ωμεγα"),
    ],
)
def test_the_font_writes_the_scripts_it_is_there_for(name: str, text: str) -> None:
    assert clean(text) == text, name


def test_coverage_is_what_the_font_file_says() -> None:
    assert len(covered()) == 14_428
    assert ord("永") in covered()
    assert ord("🎣") not in covered()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("fish 🎣 and chips ✨", "fish and chips"),
        ("\x00tab\tand\nnewline\u200b", "tab and newline"),
        ("\N{MATHEMATICAL BOLD CAPITAL A}\N{MATHEMATICAL BOLD SMALL B}", "Ab"),
        ("γράμματα", "γραμματα"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("\N{HANGUL CHOSEONG HIEUH}\N{HANGUL JUNGSEONG A}\N{HANGUL JONGSEONG NIEUN}", "한"),
        ("مرحبا", ""),
        ("\ud800", ""),
    ],
)
def test_what_has_no_glyph_becomes_plainer_or_is_left_out(written: str, shown: str) -> None:
    assert clean(written) == shown


def test_curly_quotes_are_straightened_among_latin_letters_only() -> None:
    """The face draws them as wide as an ideograph."""
    assert clean("it’s “quoted”…") == 'it\'s "quoted"...'
    assert clean("他说“你好”。") == "他说“你好”。"


def test_latin_breaks_at_spaces() -> None:
    words = "the quick brown fox jumps over the lazy dog"

    broken = lines(words)

    assert len(broken) > 1
    assert " ".join(broken) == words


def test_chinese_breaks_anywhere_but_before_closing_and_after_opening_punctuation() -> None:
    for width in range(60, 300, 7):
        for line in lines("他说：「你好，世界。」（真的！）然后、走了。" * 3, width=width):
            assert line[0] not in "，。：」！）、"
            assert line[-1] not in "「（"


def test_a_katakana_word_is_not_divided() -> None:
    for width in range(120, 300, 9):
        for line in lines("静かにカメラは前へ、カメラは後ろへ", width=width):
            assert line.count("カメラ") * 3 == sum(line.count(kana) for kana in "カメラ")


def test_korean_breaks_at_spaces_only() -> None:
    words = "눈 덮인 산 위로 새벽 안개가 흐른다"

    assert " ".join(lines(words, width=130)) == words


def test_a_word_longer_than_a_line_is_divided() -> None:
    address = "a" * 300

    broken = lines(address, max_lines=99)

    assert "".join(broken) == address
    assert all(font(20).getlength(line) <= 200 for line in broken)


def test_lines_are_balanced() -> None:
    """Two words over is a bad last line; the lines share what there is."""
    lengths = [font(20).getlength(line) for line in lines("one two three four five six seven eight nine", width=330)]

    assert len(lengths) == 2
    assert min(lengths) > 0.75 * max(lengths)


@pytest.mark.parametrize(("text", "more"), [("word " * 200, "..."), ("字" * 500, "…")])
def test_a_text_too_long_ends_in_an_ellipsis_and_is_said_not_to_be_whole(text: str, more: str) -> None:
    block = wrap(text, size=20, width=200, max_lines=3)

    assert not block.whole
    assert len(block.lines) == 3
    assert block.lines[-1].endswith(more)


@given(st.text(st.characters(codec=None), max_size=80), st.integers(1, 60), st.integers(1, 500), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_no_text_size_or_width_raises(text: str, size: int, width: int, max_lines: int) -> None:
    block = wrap(text, size=size, width=width, max_lines=max_lines)
    mask = text_mask(block.lines, size=size)

    assert len(block.lines) <= max_lines
    assert mask.dtype == np.uint8
    assert mask.ndim == 2


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_no_text_is_no_lines() -> None:
    assert wrap("", size=20, width=100, max_lines=2) == Block((), whole=True)


def test_ink_lands_on_the_mask_a_line_below_the_other() -> None:
    mask = text_mask(["Hg", "永"], size=40)
    upper, lower = np.split(mask, 2)

    assert upper.max() == lower.max() == 255
    assert mask[0].max() == mask[-1].max() == 0
