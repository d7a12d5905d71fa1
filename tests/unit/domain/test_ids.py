"""Ids are opaque and unguessable (`contract.md` §2)."""

from collections import Counter

from understudy.domain.ids import BASE62, is_task_id, new_delivery_id, new_task_id, random_base62
from understudy.domain.masking import mask


def test_a_task_id_begins_with_task_and_never_repeats() -> None:
    ids = {new_task_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(text.startswith("task_") and is_task_id(text) for text in ids)


def test_every_character_is_drawn_equally_often() -> None:
    counts = Counter(random_base62(620_000))

    assert set(counts) == set(BASE62)
    assert all(9_500 <= count <= 10_500 for count in counts.values())  # 10,000 expected, sigma 99


def test_other_texts_are_no_task_ids() -> None:
    for text in (
        "",
        "task_",
        "task_" + "a" * 21,
        "task_" + "a" * 23,
        "task_" + "é" * 22,
        "key_" + "a" * 22,
        "task_" + "a" * 22 + "\n",
    ):
        assert not is_task_id(text)


def test_a_delivery_id_holds_no_dot() -> None:
    assert "." not in new_delivery_id()


def test_masking_hides_keys_webhook_secrets_and_link_signatures() -> None:
    text = "und_" + "a" * 36 + " whsec_c2VjcmV0c2VjcmV0 https://x/v/task_1/0.mp4?e=1&s=abcdefghij"

    assert mask(text) == "und_*** whsec_*** https://x/v/task_1/0.mp4?e=1&s=***"
