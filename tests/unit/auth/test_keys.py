"""The form of API keys and of result links; the root secret."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.auth.keys import KeyHasher, is_well_formed, new_key
from understudy.auth.links import LinkSigner
from understudy.auth.secrets import load_root_secret
from understudy.domain.errors import Forbidden, Gone, OperatorError
from understudy.domain.ids import TaskId

TASK = TaskId("task_" + "a" * 22)
SIGNER = LinkSigner(b"s" * 32, "https://films.example")
END = 2_000_000_000


def test_a_new_key_is_well_formed() -> None:
    keys = {new_key() for _ in range(200)}

    assert len(keys) == 200
    assert all(is_well_formed(key) and len(key) == 40 for key in keys)


@given(position=st.integers(4, 39), character=st.characters(codec="ascii", categories=["L", "N"]))
def test_one_changed_character_is_noticed(position: int, character: str) -> None:
    key = new_key()
    changed = key[:position] + character + key[position + 1 :]

    assert is_well_formed(changed) == (changed == key)


@given(st.text())
def test_any_other_text_is_no_key(text: str) -> None:
    assert not is_well_formed(text)


def test_the_hash_depends_on_the_servers_secret() -> None:
    key = new_key()

    assert KeyHasher(b"a" * 32).hash(key) != KeyHasher(b"b" * 32).hash(key)


def _parts(link: str) -> tuple[str, str]:
    query = link.partition("?")[2]
    end, _, signature = query.partition("&s=")
    return end.removeprefix("e="), signature


def test_a_link_opens_its_own_output_until_its_end() -> None:
    link = SIGNER.sign(TASK, 0, ends_at_s=END)
    end, signature = _parts(link)

    assert link.startswith(f"https://films.example/v/{TASK}/0.mp4?e={END}&s=")
    SIGNER.check(TASK, 0, end=end, signature=signature, now_s=END - 0.001)
    with pytest.raises(Gone):
        SIGNER.check(TASK, 0, end=end, signature=signature, now_s=END)


@given(st.text(), st.text())
def test_made_up_links_are_forbidden(end: str, signature: str) -> None:
    with pytest.raises(Forbidden):
        SIGNER.check(TASK, 0, end=end, signature=signature, now_s=0)


@pytest.mark.parametrize(
    ("task_id", "position", "shift"), [(TaskId("task_" + "b" * 22), 0, 0), (TASK, 1, 0), (TASK, 0, 86_400)]
)
def test_a_signature_opens_nothing_else(task_id: TaskId, position: int, shift: int) -> None:
    end, signature = _parts(SIGNER.sign(TASK, 0, ends_at_s=END))

    with pytest.raises(Forbidden):
        SIGNER.check(task_id, position, end=str(int(end) + shift), signature=signature, now_s=0)


def test_the_root_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = load_root_secret("", tmp_path), load_root_secret("", tmp_path)

    assert first == second
    assert len(first.root) == 32
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_derived_secrets_differ_by_purpose(tmp_path: Path) -> None:
    secret = load_root_secret("", tmp_path)

    assert secret.derive("api keys") != secret.derive("result links")


def test_a_damaged_secret_ends_start_up_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("zz")

    with pytest.raises(OperatorError, match="is damaged: restore it"):
        load_root_secret("", tmp_path)


def test_a_short_configured_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="at least 32 characters"):
        load_root_secret("short", tmp_path)
