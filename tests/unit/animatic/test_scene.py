"""The scene painter: every kind of place can be drawn, always the same, in every shape of frame."""

import time
from dataclasses import replace

import numpy as np
import pytest

from understudy.animatic.scene import scene_painter
from understudy.animatic.scene.effects import EFFECTS
from understudy.animatic.scene.figures import KINDS
from understudy.animatic.storyboard import Frame, Light, Move, Season, Setting, Shot, View, Weather

SIZES = [(720, 1280), (1280, 720), (1024, 1792), (1792, 1024), (256, 256), (1080, 1920), (1920, 480)]
SMALL = (320, 192)
BASE = Shot(
    first_frame=0,
    frames=96,
    setting=Setting.SEA,
    light=Light.SUNSET,
    weather=Weather.CLEAR,
    move=Move.PUSH_IN,
    figures=(),
    sounds=frozenset(),
    caption="",
    seed=5,
)


def frame_of(shot: Shot, size: tuple[int, int] = SMALL, at: int = 48) -> Frame:
    return scene_painter(shot, *size).paint(at)


def difference(one: Frame, other: Frame) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_has_the_size_asked_for(size: tuple[int, int]) -> None:
    frame = frame_of(BASE, size)

    assert frame.shape == (size[1], size[0], 3)
    assert frame.dtype == np.uint8
    assert frame.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("size", [(320, 192), (192, 320)])
@pytest.mark.parametrize("setting", list(Setting))
def test_every_setting_fills_the_frame_with_a_picture(setting: Setting, size: tuple[int, int]) -> None:
    frame = frame_of(replace(BASE, setting=setting, light=Light.DAY), size)

    assert frame.std() > 12.0
    assert (frame.max(axis=(1, 2)) > 8).all()


@pytest.mark.parametrize("light", list(Light))
@pytest.mark.parametrize("setting", [Setting.BEACH, Setting.STREET])
def test_every_hour_looks_its_own_way(setting: Setting, light: Light) -> None:
    other = Light.DAY if light is not Light.DAY else Light.NIGHT
    shot = replace(BASE, setting=setting)

    assert difference(frame_of(replace(shot, light=light)), frame_of(replace(shot, light=other))) > 8.0


def test_day_is_brighter_than_night() -> None:
    shot = replace(BASE, setting=Setting.FIELD)

    assert frame_of(replace(shot, light=Light.DAY)).mean() > 2.0 * frame_of(replace(shot, light=Light.NIGHT)).mean()


@pytest.mark.parametrize("weather", [weather for weather in Weather if weather is not Weather.CLEAR])
def test_weather_changes_the_picture(weather: Weather) -> None:
    assert difference(frame_of(BASE), frame_of(replace(BASE, weather=weather))) > 4.0


@pytest.mark.parametrize("season", [Season.AUTUMN, Season.WINTER])
def test_seasons_change_a_forest(season: Season) -> None:
    shot = replace(BASE, setting=Setting.FOREST, light=Light.DAY)

    assert difference(frame_of(shot), frame_of(replace(shot, season=season))) > 4.0


@pytest.mark.parametrize("move", list(Move))
def test_the_camera_moves_as_it_is_told(move: Move) -> None:
    painter = scene_painter(replace(BASE, setting=Setting.MOUNTAINS, move=move), *SMALL)

    assert difference(painter.paint(0), painter.paint(95)) > 0.3


def test_a_pan_carries_near_things_farther_than_far_ones() -> None:
    shot = replace(BASE, setting=Setting.FIELD, light=Light.DAY, move=Move.PAN_RIGHT)
    painter = scene_painter(shot, *SMALL)
    first, last = painter.paint(0), painter.paint(95)

    assert difference(first[-40:], last[-40:]) > 1.5 * difference(first[:30], last[:30])


def test_the_same_shot_gives_the_same_frames() -> None:
    shot = replace(BASE, weather=Weather.STORM, figures=("boat", "birds"))

    assert np.array_equal(frame_of(shot), frame_of(shot))


@pytest.mark.parametrize("setting", [Setting.SEA, Setting.STREET, Setting.UNDERWATER, Setting.SPACE])
def test_a_frame_does_not_depend_on_the_frames_before_it(setting: Setting) -> None:
    shot = replace(BASE, setting=setting, weather=Weather.RAIN, figures=("person", "birds", "fireworks"))
    alone = scene_painter(shot, *SMALL).paint(50)
    painter = scene_painter(shot, *SMALL)
    for frame in range(50):
        painter.paint(frame)

    assert np.array_equal(painter.paint(50), alone)


def test_a_painted_frame_belongs_to_the_caller() -> None:
    painter = scene_painter(BASE, *SMALL)
    first = painter.paint(0)
    kept = first.copy()
    painter.paint(1)

    assert np.array_equal(first, kept)


def test_two_seeds_are_two_views() -> None:
    assert difference(frame_of(BASE), frame_of(replace(BASE, seed=6))) > 3.0


def test_the_picture_lives_while_the_camera_rests() -> None:
    painter = scene_painter(replace(BASE, move=Move.STILL), *SMALL)

    assert difference(painter.paint(20), painter.paint(26)) > 0.3


@pytest.mark.parametrize("name", sorted({*KINDS, *EFFECTS}))
def test_every_figure_is_seen(name: str) -> None:
    home = Setting.UNDERWATER if name in {"fish", "shark", "jellyfish", "turtle", "bubbles"} else Setting.BEACH
    shot = replace(BASE, setting=home, light=Light.DUSK, move=Move.STILL)
    painter, with_figure = scene_painter(shot, *SMALL), scene_painter(replace(shot, figures=(name,)), *SMALL)
    seen = max(
        np.abs(with_figure.paint(at).astype(np.int16) - painter.paint(at).astype(np.int16)).max()
        for at in (16, 32, 48, 64, 80)
    )

    assert seen > 40


@pytest.mark.parametrize("setting", list(Setting))
def test_any_figure_finds_a_place_in_any_setting(setting: Setting) -> None:
    figures = ("person", "boat", "train", "whale")

    assert frame_of(replace(BASE, setting=setting, figures=figures)).shape == (192, 320, 3)


@pytest.mark.parametrize("light", [Light.NIGHT, Light.NEON])
def test_a_dark_figure_stands_out_from_a_dark_scene(light: Light) -> None:
    """A black cat at night must keep a rim of light."""
    shot = replace(BASE, setting=Setting.STREET, light=light, move=Move.STILL)
    cat = replace(shot, figures=("cat",), figure_colors=("black",))
    change = frame_of(cat, (640, 360)).astype(np.int16) - frame_of(shot, (640, 360)).astype(np.int16)

    assert (change.max(axis=2) > 30).sum() > 40


def test_a_figure_takes_the_color_that_is_asked_for() -> None:
    shot = replace(BASE, setting=Setting.STREET, light=Light.DAY, move=Move.STILL, figures=("car",))
    red, blue = (frame_of(replace(shot, figure_colors=(color,))).astype(np.int16) for color in ("red", "blue"))
    warmer = (red[..., 0] - red[..., 2]) - (blue[..., 0] - blue[..., 2])

    assert (warmer > 60).sum() > 200


def test_a_walker_walks() -> None:
    painter = scene_painter(replace(BASE, setting=Setting.DESERT, move=Move.STILL, figures=("person",)), 640, 360)
    still = scene_painter(replace(BASE, setting=Setting.DESERT, move=Move.STILL), 640, 360)

    def place(at: int) -> float:
        moved = np.abs(painter.paint(at).astype(np.int16) - still.paint(at).astype(np.int16)).max(axis=2) > 30
        return float(np.flatnonzero(moved.any(axis=0)).mean())

    assert abs(place(90) - place(5)) > 10.0


def test_a_nearer_view_shows_figures_larger() -> None:
    shot = replace(BASE, setting=Setting.DESERT, move=Move.STILL)

    def height(view: View) -> int:
        with_figure = frame_of(replace(shot, view=view, figures=("person",)), (640, 360)).astype(np.int16)
        without = frame_of(replace(shot, view=view), (640, 360)).astype(np.int16)
        rows = np.flatnonzero((np.abs(with_figure - without).max(axis=2) > 40).any(axis=1))
        return int(np.ptp(rows))

    assert height(View.DETAIL) > 1.4 * height(View.WIDE)


def test_frames_are_drawn_fast_enough_to_keep_up_with_the_film() -> None:
    """A loose guard against a hundredfold slip; the benchmark measures the real pace."""
    painter = scene_painter(replace(BASE, setting=Setting.STREET, weather=Weather.RAIN, light=Light.NEON), 640, 360)
    started = time.process_time()
    for frame in range(12):
        painter.paint(frame)

    assert (time.process_time() - started) / 12 < 0.25
