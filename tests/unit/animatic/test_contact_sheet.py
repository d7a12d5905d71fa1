import subprocess
import sys
import unicodedata
from pathlib import Path

from PIL import Image

from understudy.animatic.contact_sheet import SAMPLES, SIZES, Sample, read_samples


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "understudy.animatic.contact_sheet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_built_in_prompts_show_the_whole_range() -> None:
    prompts = "".join(sample.prompt for sample in SAMPLES)

    assert len(SAMPLES) >= 16
    assert {sample.size for sample in SAMPLES} == set(SIZES)
    assert any(sample.drawn for sample in SAMPLES)
    for script in ("CJK UNIFIED", "HIRAGANA", "HANGUL"):
        assert any(script in unicodedata.name(character, "") for character in prompts), script


def test_a_file_of_prompts_holds_one_a_line() -> None:
    text = "# ours\nA boat\n\n  雪山  \n"

    assert list(read_samples(text)) == [Sample("A boat", SIZES[0]), Sample("雪山", SIZES[1])]


def test_the_command_writes_one_sheet_and_says_how_far_it_is(tmp_path: Path) -> None:
    prompts, sheet = tmp_path / "prompts.txt", tmp_path / "sheet.jpg"
    prompts.write_text("A quiet lake at dawn\nzzxq\n", encoding="utf-8")

    done = run(sheet, "--prompts", prompts)

    assert done.returncode == 0, done.stderr
    assert "Drawing 2/2" in done.stderr
    with Image.open(sheet) as picture:
        assert picture.format == "JPEG"
        assert picture.width == 2400


def test_a_file_without_a_prompt_is_refused_by_name(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("# nothing\n", encoding="utf-8")

    refused = run(tmp_path / "sheet.jpg", "--prompts", prompts)

    assert refused.returncode == 2
    assert "prompts.txt holds no prompt" in refused.stderr
