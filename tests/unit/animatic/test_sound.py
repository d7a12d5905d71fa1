import numpy as np
import pytest

from tests.unit.animatic.shots import a_board
from understudy.animatic.sound import LEVEL_DBFS, compose
from understudy.animatic.storyboard import Sound
from understudy.animatic.voices import SAMPLE_RATE, VOICES, Samples


def level(track: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(track, dtype=np.float64))) + 1e-9))


def share_above(track: Samples, hertz: float) -> float:
    """The part of the energy that lies above `hertz`."""
    energy = np.abs(np.fft.rfft(track[:, 0])) ** 2
    return float(energy[np.fft.rfftfreq(len(track), 1 / SAMPLE_RATE) > hertz].sum() / energy.sum())


def test_every_sound_has_a_voice() -> None:
    assert set(VOICES) == set(Sound)


@pytest.mark.parametrize("sound", Sound)
def test_a_voice_is_finite_stereo_as_long_as_asked_and_not_silent(sound: Sound) -> None:
    track = VOICES[sound](np.random.default_rng(5), 3 * SAMPLE_RATE + 7)

    assert track.shape == (3 * SAMPLE_RATE + 7, 2)
    assert track.dtype == np.float32
    assert np.isfinite(track).all()
    assert level(track) > -40
    assert not np.array_equal(track[:, 0], track[:, 1])


@pytest.mark.parametrize("seconds", [1, 3])
def test_the_track_is_as_long_as_the_film_to_the_sample(seconds: int) -> None:
    track = compose(a_board({Sound.SURF}, seconds_each=seconds))

    assert track.shape == (seconds * SAMPLE_RATE, 2)
    assert track.dtype == np.float32


@pytest.mark.parametrize("sounds", [set(), {Sound.RAIN, Sound.THUNDER}, set(Sound)])
def test_loudness_is_the_same_whatever_is_heard(sounds: set[Sound]) -> None:
    track = compose(a_board(sounds, seconds_each=4))

    assert level(track) == pytest.approx(LEVEL_DBFS, abs=2.5)
    assert np.abs(track).max() <= 0.6


def test_both_ends_are_silent() -> None:
    track = compose(a_board({Sound.CITY}, seconds_each=2))

    assert np.abs(track[:20]).max() < 1e-3
    assert np.abs(track[-20:]).max() < 1e-3


def test_the_same_board_sounds_the_same_and_another_seed_differs() -> None:
    board = a_board({Sound.BIRDS, Sound.WIND}, {Sound.FIRE})

    assert np.array_equal(compose(board), compose(board))
    assert not np.array_equal(compose(board), compose(a_board({Sound.BIRDS, Sound.WIND}, {Sound.FIRE}, seed=4)))


@pytest.mark.parametrize("seed", [-1, -(1 << 63), (1 << 64) - 1])
def test_any_seed_of_64_bits_will_do(seed: int) -> None:
    assert np.isfinite(compose(a_board(set(), seed=seed))).all()


def test_a_sound_is_heard_in_its_own_shot_only() -> None:
    """Rain is bright and the hum of space is dark, so the first half must be brighter than the second."""
    track = compose(a_board({Sound.RAIN}, {Sound.SPACE}, seconds_each=3))
    half = len(track) // 2

    assert share_above(track[: half - SAMPLE_RATE // 2], 1000) > 0.4
    assert share_above(track[half + SAMPLE_RATE // 2 :], 1000) < 0.1


def test_the_border_between_two_shots_does_not_click() -> None:
    track = compose(a_board({Sound.CITY}, {Sound.SPACE}, seconds_each=2))
    border = len(track) // 2
    steps = np.abs(np.diff(track[:, 0]))

    assert steps[border - 50 : border + 50].max() <= np.percentile(steps, 99.9)


def test_a_sound_that_goes_on_through_a_cut_keeps_its_level() -> None:
    track = compose(a_board({Sound.RAIN}, {Sound.RAIN}, seconds_each=2))
    border = len(track) // 2

    assert level(track[border - 4800 : border + 4800]) == pytest.approx(level(track[24000:72000]), abs=2)
