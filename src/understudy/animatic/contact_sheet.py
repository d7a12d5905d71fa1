# ruff: noqa: RUF001 -- Chinese prompts are written with Chinese commas
"""One sheet that shows what the renderer does with many prompts.

    python -m understudy.animatic.contact_sheet OUT.jpg [--prompts FILE]

FILE holds one prompt a line, `#` begins a comment; the four sizes are used in turn.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from understudy.animatic.film import still
from understudy.animatic.lettering import LEADING, text_mask, wrap
from understudy.animatic.script import plan
from understudy.animatic.storyboard import FRAMES_PER_SECOND, FilmSpec, Frame, Setting, Shot

WIDE, TALL = (1280, 720), (720, 1280)
WIDEST, TALLEST = (1792, 1024), (1024, 1792)
SIZES = (WIDE, TALL, WIDEST, TALLEST)

_SHEET_WIDTH = 2400
_MARGIN, _GAP = 72, 28
_ROW_ASPECT = 5.6
"""How many times wider than high a row of pictures becomes: about three wide and two tall ones."""

_PAPER, _INK, _MUTED, _ACCENT = (17, 18, 22), (238, 235, 228), (146, 148, 156), (255, 186, 92)
_HEADLINE = "Understudy: the built-in animatic renderer"
_SUBLINE = (
    "One frame from each film. Drawn by rules from the words of the prompt: no trained model, no GPU, no network."
)


class Sample(NamedTuple):
    """A prompt and the size it is drawn in; `drawn` makes it a move over a picture drawn here."""

    prompt: str
    size: tuple[int, int]
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class _Tile:
    sample: Sample
    picture: Frame
    note: str

    @property
    def aspect(self) -> float:
        return self.sample.size[0] / self.sample.size[1]


SAMPLES = (
    Sample("A small fishing boat sails past a lighthouse at sunset, gulls circling, slow push in.", WIDEST),
    Sample("雨夜的霓虹街道，一个撑着红伞的人慢慢走远。", TALL),
    Sample("Snow-capped mountains above a pine forest at dawn, mist in the valley, aerial shot.", WIDE),
    Sample("満月の夜、静かな湖に浮かぶ小さな舟。", TALLEST),
    Sample("Neon city skyline in heavy rain at night, flying cars, cinematic pan right.", WIDE),
    Sample("사막의 모래 언덕 위로 해가 지고, 낙타들이 천천히 걸어간다.", WIDE),
    Sample("An astronaut floats before a ringed planet, stars all around.", TALL),
    Sample("金色的麦田，一个女孩在夕阳下奔跑，镜头缓缓拉远。", WIDEST),
    Sample("A black cat sits on a rooftop under a starry night sky.", TALLEST),
    Sample("Fireflies drift through a misty forest at dusk, a deer looks up.", WIDE),
    Sample("The quiet arithmetic of everything we forgot to say", WIDE),
    Sample("桜の木の下を歩く女の子、春の朝、花びらが舞う。", TALL),
    Sample("暴风雨中的大海，闪电划过天空，巨浪拍打着灯塔。", WIDE),
    Sample("Slow pan left over a red house among the hills", TALLEST, drawn=True),
    Sample("A red hot air balloon rises over green hills on a sunny morning.", WIDEST),
    Sample("눈 내리는 밤, 가로등 아래 골목길을 걷는 사람.", WIDE),
    Sample("Whales and jellyfish glide through deep blue water, shafts of light.", TALL),
    Sample("A campfire by a lake in autumn, aurora over the mountains.", WIDE),
    Sample("清晨的森林小路，鸟儿在歌唱，阳光穿过树叶。", TALL),
    Sample("A rocket launches from the desert at dusk, tilt up.", WIDE),
)


def main() -> None:
    """Draw every sample, set the sheet, and save it as JPEG."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("destination", type=Path, metavar="OUT.jpg")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="one prompt a line instead of the built-in ones")
    arguments = parser.parse_args()
    samples = SAMPLES if arguments.prompts is None else tuple(read_samples(arguments.prompts.read_text("utf-8")))
    if not samples:
        parser.error(f"{arguments.prompts} holds no prompt; write one a line.")
    with tempfile.TemporaryDirectory() as scratch:
        tiles = list(_drawn(samples, Path(scratch)))
    sheet = _sheet(tiles)
    Image.fromarray(sheet).save(arguments.destination, quality=88, optimize=True, progressive=True)
    sys.stderr.write(f"\r{arguments.destination}: {len(tiles)} frames, {sheet.shape[1]} x {sheet.shape[0]}\033[K\n")


def read_samples(text: str) -> Iterator[Sample]:
    """Yield a sample for each line that is neither empty nor a comment, in the four sizes by turns."""
    prompts = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for index, prompt in enumerate(prompts):
        yield Sample(prompt, SIZES[index % len(SIZES)])


def _drawn(samples: Sequence[Sample], scratch: Path) -> Iterator[_Tile]:
    began = time.monotonic()
    for index, sample in enumerate(samples):
        done = f"{index + 1}/{len(samples)}"
        sys.stderr.write(f"\rDrawing {done}, {time.monotonic() - began:.0f} s: {sample.prompt[:40]}\033[K")
        sys.stderr.flush()
        source = _illustration(scratch / "house.png") if sample.drawn else None
        width, height = sample.size
        spec = FilmSpec(prompt=sample.prompt, width=width, height=height, seconds=4, seed=index + 11, picture=source)
        board = plan(spec)
        shot = board.shots[0]
        picture = still(board, min(shot.first_frame + shot.frames // 2, 2 * FRAMES_PER_SECOND))
        # A row is about 400 pixels high: what is kept of each picture need not be larger.
        reduced = cv2.resize(picture, (width * 480 // height, 480), interpolation=cv2.INTER_AREA)
        yield _Tile(sample, np.asarray(reduced, np.uint8), _note(shot, sample))


def _note(shot: Shot, sample: Sample) -> str:
    read = [shot.setting.value, shot.light.value, shot.weather.value]
    if sample.drawn:
        read = ["from a picture"]
    elif shot.setting is Setting.ABSTRACT:
        read = ["no word known: abstract"]
    return " · ".join([f"{sample.size[0]}x{sample.size[1]}", *read, shot.move.value])


def _illustration(destination: Path) -> Path:
    """Draw a house among hills, the picture that the image-to-video sample moves over."""
    canvas = Image.new("RGB", (1200, 1600), (252, 224, 182))
    pen = ImageDraw.Draw(canvas)
    pen.ellipse((760, 240, 1000, 480), fill=(247, 122, 82))
    x = np.arange(0, 1201, 8)
    for step, (color, level) in enumerate((((176, 184, 190), 860), ((118, 148, 152), 1010), ((66, 104, 104), 1190))):
        ridge = level + 70 * np.sin(x / 150 + 2 * step) + 32 * np.sin(x / 57 + step)
        pen.polygon([(0, 1600), *zip(x.tolist(), ridge.tolist(), strict=True), (1200, 1600)], fill=color)
    pen.rectangle((330, 1060, 600, 1350), fill=(186, 64, 52))
    pen.polygon([(290, 1075), (465, 890), (640, 1075)], fill=(88, 32, 34))
    pen.rectangle((430, 1190, 505, 1350), fill=(58, 30, 24))
    for index in range(4):
        foot = 720 + 120 * index
        pen.line((foot, 1380, foot, 1150), fill=(44, 46, 40), width=16)
        pen.ellipse((foot - 68, 960 + 18 * index, foot + 68, 1220), fill=(38, 92 + 12 * index, 66))
    canvas.save(destination)
    return destination


def _rows(tiles: Sequence[_Tile]) -> Iterator[list[_Tile]]:
    """Divide the tiles into rows of about `_ROW_ASPECT`."""
    row: list[_Tile] = []
    for tile in tiles:
        row.append(tile)
        if sum(each.aspect for each in row) >= _ROW_ASPECT:
            yield row
            row = []
    if row:
        yield row


def _sheet(tiles: Sequence[_Tile]) -> Frame:
    """Set the headline and all rows below each other on dark paper."""
    parts = [_header(), *(_row(row) for row in _rows(tiles)), _blank(_MARGIN // 2)]
    return np.concatenate(parts)


def _blank(height: int) -> Frame:
    return np.full((height, _SHEET_WIDTH, 3), _PAPER, np.uint8)


def _header() -> Frame:
    band = _blank(210)
    band[58:66, _MARGIN : _MARGIN + 88] = _ACCENT
    _set(band, _HEADLINE, size=46, at=(_MARGIN, 76), room=_SHEET_WIDTH - 2 * _MARGIN, lines=1, color=_INK)
    _set(band, _SUBLINE, size=24, at=(_MARGIN, 146), room=_SHEET_WIDTH - 2 * _MARGIN, lines=1, color=_MUTED)
    return band


def _row(tiles: Sequence[_Tile]) -> Frame:
    """Set one row of pictures of equal height, each with its prompt below."""
    room = _SHEET_WIDTH - 2 * _MARGIN - _GAP * (len(tiles) - 1)
    # A last row that is not full keeps the height of the others instead of growing.
    height = round(room / max(_ROW_ASPECT, sum(tile.aspect for tile in tiles)))
    band = _blank(height + 158)
    left = _MARGIN
    for tile in tiles:
        width = round(height * tile.aspect)
        band[:height, left : left + width] = cv2.resize(tile.picture, (width, height), interpolation=cv2.INTER_AREA)
        _set(band, tile.sample.prompt, size=19, at=(left, height + 12), room=width, lines=3, color=_INK)
        _set(band, tile.note, size=14, at=(left, height + 100), room=width, lines=2, color=_MUTED)
        left += width + _GAP
    return band


def _set(
    band: Frame, text: str, *, size: int, at: tuple[int, int], room: int, lines: int, color: tuple[int, int, int]
) -> None:
    """Write `text` onto `band` with its left top at `at`."""
    block = wrap(text, size=size, width=room, max_lines=lines)
    mask = text_mask(block.lines, size=size)[: round(lines * size * LEADING), : room + size]
    left, top = at
    region = band[top : top + mask.shape[0], left : left + mask.shape[1]]
    cover = mask[: region.shape[0], : region.shape[1], None] / np.float32(255)
    region[:] = region * (1 - cover) + np.array(color, np.float32) * cover


if __name__ == "__main__":
    main()
