"""The same work through the real child process: what a caller of `media` sees."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.media import pictures
from tests.unit.media.films import HEIGHT, SECONDS, WIDTH, overwritten
from tests.unit.media.upstream_films import Make, write
from understudy.domain.errors import FailCode, TaskFailure
from understudy.media import fit, image, video
from understudy.media.fit import Fitting, fit_video, fitting
from understudy.media.image import check_image, cover_image
from understudy.media.video import Expected, MediaInvalid, inspect_video
from understudy.sandbox.errors import ChildFailed, ChildRaised
from understudy.sandbox.limits import MIB, Limits
from understudy.sandbox.runner import Sandbox

TEN_MIB = 10 * MIB
EXPECTED = Expected(width=WIDTH, height=HEIGHT, seconds=SECONDS)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_an_image_is_checked_and_written_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    destination = tmp_path / "input.jpg"
    found = await check_image(sandbox, pictures.rotated(6), max_bytes=TEN_MIB, destination=destination)

    data = destination.read_bytes()
    assert (found.width, found.height, found.format) == (64, 96, "JPEG")
    assert (found.size_bytes, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert names_in(tmp_path) == ["input.jpg"]
    assert destination.stat().st_mode & 0o777 == 0o600


async def test_an_image_in_a_file_is_left_where_it_is(sandbox: Sandbox, tmp_path: Path) -> None:
    source = tmp_path / "download"
    source.write_bytes(pictures.ACCEPTED["webp"]())

    found = await check_image(sandbox, source, max_bytes=TEN_MIB, destination=tmp_path / "input.jpg")

    assert found.format == "WEBP"
    assert names_in(tmp_path) == ["download", "input.jpg"]


@pytest.mark.parametrize("name", ["empty", "html", "avif", "svg", "webp-animated", "png-truncated", "text-bomb"])
async def test_a_refused_image_fails_the_task_and_leaves_nothing(sandbox: Sandbox, name: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFailure) as caught:
        await check_image(sandbox, pictures.UNSUPPORTED[name](), max_bytes=30 * MIB, destination=tmp_path / "input.jpg")

    assert caught.value.code is FailCode.UNSUPPORTED_FORMAT
    assert names_in(tmp_path) == []


async def test_a_header_bomb_is_too_large(sandbox: Sandbox, tmp_path: Path) -> None:
    bomb = pictures.TOO_LARGE["png-2500-megapixels"]()
    with pytest.raises(TaskFailure, match="megapixels") as caught:
        await check_image(sandbox, bomb, max_bytes=TEN_MIB, destination=tmp_path / "input.jpg")

    assert caught.value.code is FailCode.IMAGE_TOO_LARGE


@pytest.mark.parametrize("as_file", [False, True], ids=["bytes", "file"])
async def test_one_byte_too_many_is_too_large_and_the_last_allowed_one_is_not(
    sandbox: Sandbox, tmp_path: Path, *, as_file: bool
) -> None:
    data = pictures.JPEG
    source = tmp_path / "download"
    source.write_bytes(data)
    given = source if as_file else data

    await check_image(sandbox, given, max_bytes=len(data), destination=tmp_path / "input.jpg")
    with pytest.raises(TaskFailure, match="at most") as caught:
        await check_image(sandbox, given, max_bytes=len(data) - 1, destination=tmp_path / "other.jpg")

    assert caught.value.code is FailCode.IMAGE_TOO_LARGE
    assert not (tmp_path / "other.jpg").exists()


async def test_an_image_that_takes_too_much_memory_fails_its_task_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """P12 of `reliability.md` §7.4."""
    greedy = pictures.encoded(Image.new("RGB", (6000, 6000)), "PNG")
    limits = replace(image.LIMITS, memory_bytes=96 * MIB)

    with pytest.raises(TaskFailure) as caught:
        await check_image(sandbox, greedy, max_bytes=TEN_MIB, destination=tmp_path / "input.jpg", limits=limits)

    assert caught.value.code is FailCode.IMAGE_TOO_LARGE
    assert "ChildOutOfMemory" in caught.value.detail
    await check_image(sandbox, pictures.JPEG, max_bytes=TEN_MIB, destination=tmp_path / "input.jpg")
    assert names_in(tmp_path) == ["input.jpg"]


async def test_an_image_that_takes_too_long_is_unsupported(sandbox: Sandbox, tmp_path: Path) -> None:
    limits = replace(image.LIMITS, wall_seconds=0.01)

    with pytest.raises(TaskFailure, match="cannot be decoded") as caught:
        await check_image(sandbox, pictures.JPEG, max_bytes=TEN_MIB, destination=tmp_path / "input.jpg", limits=limits)

    assert caught.value.code is FailCode.UNSUPPORTED_FORMAT


async def test_a_disk_that_takes_no_more_is_our_fault_and_not_the_image_s(sandbox: Sandbox, tmp_path: Path) -> None:
    source = tmp_path / "download"
    source.write_bytes(pictures.JPEG)
    limits = replace(image.LIMITS, file_bytes=100)

    with pytest.raises(ChildRaised, match="OSError"):
        await check_image(sandbox, source, max_bytes=TEN_MIB, destination=tmp_path / "input.jpg", limits=limits)

    assert names_in(tmp_path) == ["download"]


async def test_a_film_is_inspected_with_its_stills_and_not_touched(
    sandbox: Sandbox, good_film: bytes, tmp_path: Path
) -> None:
    path, poster, thumbnail = tmp_path / "film.mp4", tmp_path / "poster.jpg", tmp_path / "thumbnail.webp"
    path.write_bytes(good_film)

    facts = await inspect_video(sandbox, path, expected=EXPECTED, poster=poster, thumbnail=thumbnail)

    assert (facts.frames, facts.video_codec, facts.audio_codec) == (48, "h264", "aac")
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == hashlib.sha256(good_film).hexdigest()
    assert names_in(tmp_path) == ["film.mp4", "poster.jpg", "thumbnail.webp"]


async def test_a_film_that_is_not_as_expected_has_a_reason(sandbox: Sandbox, good_film: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(overwritten(good_film))

    with pytest.raises(MediaInvalid) as caught:
        await inspect_video(sandbox, path, expected=EXPECTED, poster=tmp_path / "poster.jpg")

    assert "corrupt" in caught.value.reason or "cannot read" in caught.value.reason
    assert names_in(tmp_path) == ["film.mp4"]


async def test_a_film_that_kills_its_decoder_is_invalid(sandbox: Sandbox, good_film: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(good_film)
    limits = replace(video.LIMITS, wall_seconds=0.01)

    with pytest.raises(MediaInvalid, match="did not survive it \\(ChildTimeout"):
        await inspect_video(sandbox, path, expected=EXPECTED, limits=limits)


async def test_a_film_of_a_near_size_is_inspected_fitted_and_inspected_again(sandbox: Sandbox, tmp_path: Path) -> None:
    made, fitted, poster = tmp_path / "made.mp4", tmp_path / "fitted.mp4", tmp_path / "poster.jpg"
    data = write(made, Make(codec="libsvtav1", pixels="yuv420p10le", sound_at=0))
    expected = Expected(width=320, height=180, seconds=1.6, exact=False)

    found = await inspect_video(sandbox, made, expected=expected)
    assert (found.width, found.height, found.video_codec, found.pixel_format) == (320, 184, "av1", "yuv420p10le")
    assert fitting(found, width=320, height=180) is Fitting.FIT
    await fit_video(sandbox, made, fitted, width=320, height=180)
    result = await inspect_video(sandbox, fitted, expected=expected, poster=poster)

    assert fitting(result, width=320, height=180) is Fitting.UNTOUCHED
    assert (result.seconds, result.frames, result.audio_codec) == (found.seconds, found.frames, "aac")
    assert names_in(tmp_path) == ["fitted.mp4", "made.mp4", "poster.jpg"]
    assert made.read_bytes() == data
    assert fitted.stat().st_mode & 0o777 == 0o600


async def test_a_film_of_an_upstream_is_no_film_of_ours(sandbox: Sandbox, tmp_path: Path) -> None:
    made = tmp_path / "made.mp4"
    write(made, Make(codec="libx265"))

    with pytest.raises(MediaInvalid, match=r"hevc in yuv420p, not H\.264"):
        await inspect_video(sandbox, made, expected=Expected(width=320, height=184, seconds=1))


async def test_a_film_that_cannot_be_fitted_is_invalid_and_leaves_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    made, fitted = tmp_path / "made.mp4", tmp_path / "fitted.mp4"
    data = write(made, Make(moving=True))
    made.write_bytes(data[: len(data) // 2])

    with pytest.raises(MediaInvalid, match="cannot read it"):
        await fit_video(sandbox, made, fitted, width=320, height=180)
    assert names_in(tmp_path) == ["made.mp4"]


@pytest.mark.parametrize(
    "limits",
    [replace(fit.LIMITS, wall_seconds=0.01), replace(fit.LIMITS, memory_bytes=128 * MIB)],
    ids=["ChildTimeout", "ChildOutOfMemory"],
)
async def test_a_film_that_exceeds_the_limits_of_fitting_is_invalid_and_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path, limits: Limits, request: pytest.FixtureRequest
) -> None:
    made, fitted = tmp_path / "made.mp4", tmp_path / "fitted.mp4"
    write(made, Make(width=1920, height=1088, frames=4, rate=4))

    with pytest.raises(MediaInvalid, match=f"could not be fitted \\({request.node.callspec.id}"):
        await fit_video(sandbox, made, fitted, width=1920, height=1080, limits=limits)
    assert names_in(tmp_path) == ["made.mp4"]


async def test_a_disk_that_takes_no_more_is_our_fault_and_not_the_film_s(sandbox: Sandbox, tmp_path: Path) -> None:
    made, fitted = tmp_path / "made.mp4", tmp_path / "fitted.mp4"
    write(made, Make(moving=True, sound_at=0))

    with pytest.raises(ChildRaised, match="too large"):
        await fit_video(sandbox, made, fitted, width=320, height=180, limits=replace(fit.LIMITS, file_bytes=2000))
    assert names_in(tmp_path) == ["made.mp4"]


async def test_an_image_of_ours_is_made_to_cover_a_frame_exactly(sandbox: Sandbox, tmp_path: Path) -> None:
    stored, covered = tmp_path / "input.jpg", tmp_path / "first-frame.jpg"
    await check_image(sandbox, pictures.JPEG, max_bytes=TEN_MIB, destination=stored)

    await cover_image(sandbox, stored, covered, width=1280, height=704)

    with Image.open(covered) as frame:
        assert (frame.format, frame.mode, frame.size) == ("JPEG", "RGB", (1280, 704))
    assert names_in(tmp_path) == ["first-frame.jpg", "input.jpg"]


async def test_an_image_of_ours_that_is_damaged_or_gone_is_our_fault(sandbox: Sandbox, tmp_path: Path) -> None:
    stored = tmp_path / "input.jpg"

    for data in (None, b"", pictures.JPEG[: len(pictures.JPEG) // 2], pictures.ACCEPTED["webp"]()):
        if data is not None:
            stored.write_bytes(data)
        with pytest.raises(ChildFailed):
            await cover_image(sandbox, stored, tmp_path / "first-frame.jpg", width=64, height=64)
        assert not (tmp_path / "first-frame.jpg").exists()


async def test_many_at_once_wait_their_turn(sandbox: Sandbox, tmp_path: Path) -> None:
    names = ["jpeg", "png-alpha", "webp", "jpeg-cmyk", "png-palette", "png-interlaced"]
    checks = (
        check_image(sandbox, pictures.ACCEPTED[name](), max_bytes=TEN_MIB, destination=tmp_path / name)
        for name in names
    )

    await asyncio.gather(*checks)

    assert names_in(tmp_path) == sorted(names)
