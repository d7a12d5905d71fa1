import hashlib
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.unit.animatic.shots import a_shot, lasts
from understudy.animatic.film import DISSOLVE_FRAMES, film_frames, render, still
from understudy.animatic.script import plan
from understudy.animatic.storyboard import FRAMES_PER_SECOND, FilmSpec, Setting, Storyboard

ABSTRACT = "The quiet arithmetic of everything we forgot to say"
PLACED = "A boat on the sea at sunset"


def a_spec(**changes: object) -> FilmSpec:
    spec = FilmSpec(prompt=ABSTRACT, width=256, height=256, seconds=1, seed=5)
    return replace(spec, **changes)  # type: ignore[arg-type] # each test names fields of the right type


def two_shots(**changes: object) -> Storyboard:
    """Two abstract seconds, folded differently."""
    spec = a_spec(seconds=2, **changes)
    shots = tuple(
        a_shot(first_frame=index * FRAMES_PER_SECOND, caption=f"shot {index}", seed=seed)
        for index, seed in enumerate((1, 6))
    )
    return Storyboard(spec=spec, shots=shots)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 60).convert("RGB").save(path)
    return path


def decoded(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest() for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("prompt", "width", "height", "seconds"),
    [(ABSTRACT, 256, 256, 1), (PLACED, 320, 180, 2), ("夜の街に雪が降る", 180, 320, 1), ("", 256, 256, 1)],
)
def test_a_film_has_the_size_and_length_asked(
    tmp_path: Path, prompt: str, width: int, height: int, seconds: int
) -> None:
    path = tmp_path / "film.mp4"
    spec = a_spec(prompt=prompt, width=width, height=height, seconds=seconds)

    report = render(spec, path, lambda _: None)

    assert (report.width, report.height, report.seconds, report.frames) == (width, height, seconds, 24 * seconds)
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (width, height)
        assert sum(1 for _ in container.decode(video)) == 24 * seconds
        assert lasts(video) == lasts(sound) == seconds


def test_the_report_is_true_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"

    report = render(a_spec(), path, lambda _: None)

    assert report.size_bytes == path.stat().st_size
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_report_tells_where_the_shots_play(tmp_path: Path) -> None:
    placed = render(a_spec(prompt=PLACED), tmp_path / "a.mp4", lambda _: None)
    abstract = render(a_spec(prompt="zzxq vrblt"), tmp_path / "b.mp4", lambda _: None)

    assert Setting.ABSTRACT not in placed.settings
    assert set(abstract.settings) == {Setting.ABSTRACT}


@pytest.mark.parametrize("prompt", [ABSTRACT, PLACED])
def test_the_same_spec_gives_the_same_frames_before_and_after_encoding(tmp_path: Path, prompt: str) -> None:
    spec = a_spec(prompt=prompt)
    drawn = [[frame.tobytes() for frame in film_frames(plan(spec))] for _ in range(2)]
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]

    for path in paths:
        render(spec, path, lambda _: None)

    assert drawn[0] == drawn[1]
    assert decoded(paths[0]) == decoded(paths[1])


def test_another_seed_gives_another_film() -> None:
    first, second = (next(iter(film_frames(plan(a_spec(prompt=PLACED, seed=seed))))) for seed in (1, 2))

    assert not np.array_equal(first, second)


def test_a_picture_makes_a_film_of_that_picture(tmp_path: Path, picture: Path) -> None:
    spec = a_spec(prompt="pan over it", picture=picture)

    frame = next(iter(film_frames(plan(spec))))
    report = render(spec, tmp_path / "film.mp4", lambda _: None)

    # The picture is gray, as nothing else here is.
    middle = frame[60:180].astype(int)
    assert np.abs(middle[..., 0] - middle[..., 2]).max() <= 2
    assert report.frames == 24


def test_progress_rises_from_0_to_1_in_ten_steps_at_least(tmp_path: Path) -> None:
    """Even a film of one second reports often enough for a bar that moves."""
    heard: list[float] = []

    render(a_spec(), tmp_path / "film.mp4", heard.append)

    assert heard[0] == 0.0
    assert heard[-1] == 1.0
    assert heard == sorted(heard)
    assert len(heard) >= 10


def test_until_it_is_whole_the_file_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    seen: list[tuple[float, bool]] = []

    render(a_spec(), path, lambda done: seen.append((done, path.exists())))

    assert [exists for done, exists in seen if done < 1] == [False] * (len(seen) - 1)
    assert seen[-1] == (1.0, True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]


def test_a_failure_midway_leaves_no_file(tmp_path: Path) -> None:
    def stop(done: float) -> None:
        if done > 0.3:
            raise InterruptedError("asked to stop")

    with pytest.raises(InterruptedError, match="asked to stop"):
        render(a_spec(), tmp_path / "film.mp4", stop)

    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_an_older_film_alone(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"older")

    with pytest.raises(OSError, match="missing"):
        render(a_spec(picture=tmp_path / "missing.png"), path, lambda _: None)

    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_bytes() == b"older"


def test_a_place_that_cannot_be_written_raises_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        render(a_spec(), tmp_path / "nowhere" / "film.mp4", lambda _: None)


def test_shots_dissolve_into_each_other() -> None:
    """Each frame of the dissolve lies between the two shots, nearer to the second than the one before."""
    board = two_shots()
    frames = [frame.astype(int) for frame in film_frames(board)]
    clean = still(board, FRAMES_PER_SECOND + DISSOLVE_FRAMES).astype(int)

    cut = FRAMES_PER_SECOND
    distance = [float(np.abs(frame - clean).mean()) for frame in frames[cut - 1 : cut + DISSOLVE_FRAMES + 1]]

    assert len(frames) == 48
    assert distance == sorted(distance, reverse=True)
    assert distance[0] > 20
    assert distance[-1] == 0


@pytest.mark.parametrize("number", [0, 30, 47])
def test_every_frame_bears_the_tag(number: int) -> None:
    board = two_shots()
    corner = still(board, number)[8:28, 12:200].astype(int)

    assert corner.max() > 180
    assert np.abs(np.diff(corner.mean(axis=2), axis=1)).max() > 60


def test_a_placed_shot_bears_its_caption_in_the_middle_of_the_shot_only(picture: Path) -> None:
    board = two_shots(picture=picture)
    silent = replace(board, shots=tuple(replace(shot, caption="") for shot in board.shots))

    def lower_third_differs(number: int) -> bool:
        return not np.array_equal(still(board, number)[170:], still(silent, number)[170:])

    assert lower_third_differs(12)
    assert lower_third_differs(42)
    assert not lower_third_differs(0)
    assert not lower_third_differs(23)
    assert not lower_third_differs(25)
