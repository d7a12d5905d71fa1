import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.animatic.shots import a_shot, sharpness
from understudy.animatic.ribbons import RibbonPainter
from understudy.animatic.storyboard import FRAMES_PER_SECOND


def hue(frame: NDArray[np.int_]) -> NDArray[np.float64]:
    """The shares of red, green and blue in the whole frame."""
    return np.asarray(frame.mean(axis=(0, 1)) / frame.mean() / 3, np.float64)


def test_a_frame_has_the_size_asked_and_may_be_drawn_on() -> None:
    painter = RibbonPainter(a_shot(caption="Zephyr"), 320, 182, film_seed=1)

    frame = painter.paint(0)

    assert frame.shape == (182, 320, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert frame.flags.writeable
    assert frame is not painter.paint(0)


def test_the_same_shot_gives_the_same_frames() -> None:
    shot = a_shot(caption="記憶", seed=9)

    first, second = RibbonPainter(shot, 256, 256, film_seed=1), RibbonPainter(shot, 256, 256, film_seed=1)

    assert all(np.array_equal(first.paint(number), second.paint(number)) for number in (0, 7, 23))


def test_frames_do_not_depend_on_the_order_in_which_they_are_painted() -> None:
    painter = RibbonPainter(a_shot(caption="Zephyr"), 256, 256, film_seed=1)
    late = painter.paint(20)
    painter.paint(3)

    assert np.array_equal(painter.paint(20), late)


def test_another_shot_folds_differently_in_the_colors_of_the_film() -> None:
    first, second = (RibbonPainter(a_shot(seed=seed), 256, 256, film_seed=1).paint(12).astype(int) for seed in (1, -2))

    assert np.abs(first - second).mean() > 8
    assert np.abs(hue(first) - hue(second)).max() < 0.1


def test_films_have_different_colors() -> None:
    hues = [
        hue(RibbonPainter(a_shot(), 256, 256, film_seed=seed).paint(12).astype(int)) for seed in (*range(6), -(1 << 63))
    ]

    assert np.ptp(np.array(hues), axis=0).max() > 0.2


def test_it_moves_but_softly() -> None:
    painter = RibbonPainter(a_shot(), 256, 256, film_seed=1)
    frames = [painter.paint(number).astype(int) for number in (0, 1, 24)]

    assert 0 < np.abs(frames[1] - frames[0]).mean() < 4
    assert np.abs(frames[2] - frames[0]).mean() > 2


def test_the_words_come_on_stay_and_leave() -> None:
    length = 4 * FRAMES_PER_SECOND
    painter = RibbonPainter(a_shot(caption="The quiet arithmetic of everything", frames=length), 320, 180, film_seed=1)
    bare = RibbonPainter(a_shot(caption="", frames=length), 320, 180, film_seed=1)

    ink = [sharpness(painter.paint(number)) - sharpness(bare.paint(number)) for number in (0, length // 2, length)]

    assert ink[0] == pytest.approx(0, abs=0.01)
    assert ink[1] > 1
    assert ink[2] == pytest.approx(0, abs=0.01)


def test_shades_are_dithered() -> None:
    """Eight bits alone show steps; with noise between them few neighbours are equal."""
    frame = RibbonPainter(a_shot(), 640, 360, film_seed=1).paint(0).astype(int)

    assert (np.diff(frame, axis=1) == 0).mean() < 0.4
