from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.unit.animatic.shots import a_shot
from understudy.animatic.framing import CameraPath
from understudy.animatic.picture import Plate, guess_depth, load_plate, picture_painter
from understudy.animatic.storyboard import Frame, Move, View

WIDTH, HEIGHT = 320, 180


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A picture with something everywhere: a grid of colored squares with a number of sizes."""
    rng = np.random.default_rng(4)
    squares = np.kron(rng.integers(20, 236, (12, 18, 3), np.uint8), np.ones((60, 60, 1), np.uint8))
    path = tmp_path / "squares.png"
    Image.fromarray(squares).save(path)
    return path


def ends(plate: Plate, move: Move, *, first_frame: int = 0) -> tuple[Frame, Frame]:
    shot = a_shot(move=move, frames=48, first_frame=first_frame)
    painter = picture_painter(plate, shot, WIDTH, HEIGHT)
    return painter.paint(0), painter.paint(47)


def travel(first: Frame, last: Frame) -> tuple[float, float]:
    """How far the content moved from one frame to the other, right and down, in pixels."""
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in (first, last)]
    (right, down), _ = cv2.phaseCorrelate(gray[0], gray[1])
    return right, down


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (258, 258)])
def test_every_move_paints_whole_frames_in_every_shape(drawn: Path, move: Move, width: int, height: int) -> None:
    plate = load_plate(drawn, width, height)
    painter = picture_painter(plate, a_shot(move=move), width, height)

    for number in (0, 11, 23):
        frame = painter.paint(number)
        assert frame.shape == (height, width, 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous


@pytest.mark.parametrize(
    ("move", "right", "down"),
    [
        (Move.PAN_RIGHT, -1, 0),
        (Move.PAN_LEFT, 1, 0),
        (Move.TILT_DOWN, 0, -1),
        (Move.TILT_UP, 0, 1),
    ],
)
def test_a_move_goes_where_its_name_says(drawn: Path, move: Move, right: int, down: int) -> None:
    """The camera pans right, so the picture goes left."""
    plate = load_plate(drawn, WIDTH, HEIGHT)
    painter = picture_painter(plate, a_shot(move=move, frames=96), WIDTH, HEIGHT)

    moved_right, moved_down = travel(painter.paint(40), painter.paint(50))

    assert np.sign(round(moved_right)) == right
    assert np.sign(round(moved_down)) == down


@pytest.mark.parametrize(("move", "grows"), [(Move.PUSH_IN, True), (Move.PULL_OUT, False)])
def test_a_push_in_magnifies_and_a_pull_out_shows_more(move: Move, grows: bool) -> None:
    path = CameraPath(a_shot(move=move), (0.5, 0.5), 1.0)

    assert (path.at(1.0).scale < path.at(0.0).scale) == grows


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("first_frame", [0, 96])
@pytest.mark.parametrize("focus", [(0.3, 0.32), (0.7, 0.64)])
def test_the_camera_never_looks_past_the_picture(move: Move, first_frame: int, focus: tuple[float, float]) -> None:
    path = CameraPath(a_shot(move=move, first_frame=first_frame, frames=96), focus, 1.0)

    for step in range(41):
        framing = path.at(step / 40)
        shift = abs(framing.sway_x) + abs(framing.swell) / 2
        for center in (framing.x, framing.y):
            assert center - framing.scale / 2 >= shift * framing.scale / 2
            assert center + framing.scale / 2 <= 1 - shift * framing.scale / 2


def test_a_later_shot_stands_closer(drawn: Path) -> None:
    plate = load_plate(drawn, WIDTH, HEIGHT)
    first, _ = ends(plate, Move.STILL)
    later, _ = ends(plate, Move.STILL, first_frame=96)

    def edges(frame: Frame) -> float:
        return float((np.abs(np.diff(frame.astype(int), axis=1)) > 12).mean())

    assert edges(later) < edges(first)


def test_a_detail_is_closer_than_a_near_view_and_that_closer_than_a_wide_one() -> None:
    scales = [
        CameraPath(a_shot(view=view), (0.5, 0.5), 1.0).at(0.0).scale for view in (View.WIDE, View.NEAR, View.DETAIL)
    ]

    assert scales == sorted(scales, reverse=True)
    assert len(set(scales)) == 3


def test_a_picture_of_low_resolution_is_not_cropped() -> None:
    wide, detail = (CameraPath(a_shot(view=view), (0.5, 0.5), 0.0).at(0.0) for view in (View.WIDE, View.DETAIL))

    assert detail.scale == wide.scale


def test_slow_motion_goes_half_as_far() -> None:
    def way(slow: bool) -> float:
        path = CameraPath(a_shot(move=Move.PUSH_IN, slow=slow), (0.5, 0.5), 1.0)
        return path.at(0.0).scale - path.at(1.0).scale

    assert 0.3 < way(slow=True) / way(slow=False) < 0.8


def test_near_things_move_more_than_far_ones(drawn: Path) -> None:
    """The bottom is taken to be near, the top far; in a pan they must come apart."""
    plate = load_plate(drawn, WIDTH, HEIGHT)
    painter = picture_painter(plate, a_shot(move=Move.PAN_RIGHT, frames=96), WIDTH, HEIGHT)
    first, last = painter.paint(30), painter.paint(60)

    far, _ = travel(first[:60].copy(), last[:60].copy())
    near, _ = travel(first[120:].copy(), last[120:].copy())

    assert near < far - 0.5


def test_depth_follows_the_prior_within_0_and_1(drawn: Path) -> None:
    depth = guess_depth(load_plate(drawn, WIDTH, HEIGHT).image)

    assert depth.min() >= 0
    assert depth.max() <= 1
    assert depth[-10:].mean() > depth[:10].mean() + 0.3


@pytest.mark.parametrize(("size", "whole"), [((1200, 100), True), ((100, 900), True), ((900, 500), False)])
def test_a_panorama_is_shown_whole_over_its_own_blur(tmp_path: Path, size: tuple[int, int], whole: bool) -> None:
    path = tmp_path / "wide.jpg"
    Image.new("RGB", size, (200, 40, 40)).save(path)

    plate = load_plate(path, WIDTH, HEIGHT)

    assert (plate.backdrop is not None) == whole
    frame = picture_painter(plate, a_shot(move=Move.PUSH_IN), WIDTH, HEIGHT).paint(0)
    bright = (frame[..., 0] > 180).mean()
    assert (bright < 0.5) == whole


def test_the_picture_keeps_its_colors(tmp_path: Path) -> None:
    path = tmp_path / "plain.webp"
    Image.new("RGB", (400, 300), (180, 90, 30)).save(path, lossless=True)

    frame = picture_painter(load_plate(path, WIDTH, HEIGHT), a_shot(), WIDTH, HEIGHT).paint(5)

    assert np.abs(frame.reshape(-1, 3).mean(axis=0) - (180, 90, 30)).max() < 1
    assert 0.3 < frame.astype(float).std(axis=(0, 1)).max() < 2


def test_the_same_shot_gives_the_same_frames(drawn: Path) -> None:
    first, second = (ends(load_plate(drawn, WIDTH, HEIGHT), Move.HANDHELD) for _ in range(2))

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"])
def test_what_is_no_picture_raises_os_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)

    with pytest.raises(OSError, match="cannot identify"):
        load_plate(path, WIDTH, HEIGHT)


def test_a_tiny_picture_is_enlarged(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), (10, 200, 90)).save(path)

    assert picture_painter(load_plate(path, WIDTH, HEIGHT), a_shot(), WIDTH, HEIGHT).paint(0).shape == (180, 320, 3)
