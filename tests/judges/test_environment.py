"""The judges' environment is made when it must be and by one process alone, and says in a sentence why it cannot be."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.judges.environment import JudgesUnavailableError, prepare_judges, program


def test_an_index_out_of_reach_is_a_sentence_and_leaves_nothing_to_trust(tmp_path: Path) -> None:
    lock, folder = tmp_path / "judges.lock", tmp_path / "build" / "judges"
    lock.write_text(f"--no-index\nno-such-judge==1.0 --hash=sha256:{'0' * 64}\n")
    said: list[str] = []

    for _ in range(2):
        with pytest.raises(JudgesUnavailableError, match=r"no-such-judge.*make the package index reachable") as caught:
            prepare_judges(said.append, lock=lock, folder=folder)
        assert "\n" not in str(caught.value)
    assert [text.partition(" ")[0] for text in said] == ["Making", "Making"]


def test_one_process_makes_it_while_others_wait_and_a_new_lock_makes_it_anew(tmp_path: Path) -> None:
    lock, folder = tmp_path / "judges.lock", tmp_path / "build" / "judges"
    said: list[str] = []

    def prepare(_: int) -> Path:
        return prepare_judges(said.append, lock=lock, folder=folder)

    lock.write_text("")
    with ThreadPoolExecutor(3) as workers:
        assert list(workers.map(prepare, range(3))) == [folder] * 3
    first = [text.partition(" ")[0] for text in said]
    lock.write_text("# another one\n")
    prepare(0)

    assert first == ["Making", "Made"]
    assert len(said) == 4
    assert Path(program(folder, "python")).exists()
