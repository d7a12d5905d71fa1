import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.animatic.shots import sharpness
from understudy.animatic.storyboard import Frame
from understudy.animatic.titles import Overlay, caption, tag, title_card

SIZES = [(1280, 720), (720, 1280), (1792, 1024), (256, 256)]


def plain(width: int, height: int, level: int = 128) -> Frame:
    return np.full((height, width, 3), level, np.uint8)


def changed(frame: Frame, level: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is no longer `level`."""
    rows, columns = np.nonzero((frame != level).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_the_tag_reads_on_any_ground(width: int, height: int, level: int) -> None:
    frame = plain(width, height, level)

    tag(width, height).lay(frame)

    corner = frame[: height // 8, : width * 3 // 4].astype(int)
    assert corner.max() - corner.min() > 100


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_caption_is_a_lower_third_within_safe_margins(width: int, height: int) -> None:
    frame = plain(width, height, 0)
    overlay = caption("A lone fisherman rows across a mirror-still mountain lake at dawn", width, height)

    assert overlay is not None
    overlay.lay(frame)
    left, top, right, bottom = changed(frame, 0)
    margin = 0.05 * min(width, height)
    assert left >= margin
    assert right <= width - margin
    assert bottom <= height - margin
    assert top >= height * 0.55


def test_white_type_on_white_stands_on_its_shadow() -> None:
    frame = plain(640, 360, 255)
    overlay = caption("白い雪の上の白い文字", 640, 360)

    assert overlay is not None
    overlay.lay(frame)
    assert frame.min() < 140


def test_a_text_that_the_font_cannot_write_gives_no_caption_and_no_title() -> None:
    assert caption("🎣 مرحبا", 640, 360) is None
    assert title_card("🎣", 640, 360) == []


def test_compositing_touches_only_its_rectangle() -> None:
    frame = plain(640, 360)
    overlay = caption("Here", 640, 360)

    assert overlay is not None
    overlay.lay(frame)
    height, width = overlay.ink.shape[:2]
    frame[overlay.top : overlay.top + height, overlay.left : overlay.left + width] = 128
    assert (frame == 128).all()


def test_opacity_goes_from_nothing_to_all() -> None:
    overlay = tag(640, 360)
    frames = [plain(640, 360, 40) for _ in range(4)]

    for frame, opacity in zip(frames, (0.0, 0.3, 0.7, 1.0), strict=True):
        overlay.lay(frame, opacity=opacity)

    assert (frames[0] == 40).all()
    assert sharpness(frames[0]) < sharpness(frames[1]) < sharpness(frames[2]) < sharpness(frames[3])


def test_a_dropped_line_is_drawn_lower() -> None:
    ink = np.zeros((40, 10, 3), np.uint8)
    ink[10:12] = 200
    overlay = Overlay(ink=ink, cover=np.minimum(ink, 255), left=0, top=0)
    frame = plain(10, 40, 0)

    overlay.lay(frame, drop=5.0)

    assert changed(frame, 0) == (0, 15, 9, 16)


def test_the_fewer_the_words_the_larger_the_title() -> None:
    short = title_card("Zephyr", 640, 360)
    long = title_card("The quiet arithmetic of everything we forgot to say, and then said twice " * 2, 640, 360)

    assert len(short) == 1
    assert len(long) > 3
    assert short[0].ink.shape[0] > long[0].ink.shape[0]


@given(st.text(max_size=60), st.sampled_from([(256, 256), (256, 480), (480, 256)]))
@settings(max_examples=40, deadline=None)
def test_any_text_can_be_laid_over_any_frame(text: str, size: tuple[int, int]) -> None:
    width, height = size
    frame = plain(width, height)

    for overlay in filter(None, [caption(text, width, height), *title_card(text, width, height)]):
        overlay.lay(frame, opacity=0.5)

    assert frame.shape == (height, width, 3)
