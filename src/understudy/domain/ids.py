"""Opaque identifiers: a prefix that names the kind, and 22 random base62 characters (131 bits).

An id is never guessable and carries no time, no counter and no owner, so that it tells a stranger nothing
(`contract.md` §2: "opaque, unguessable, and begin with `task_`").
"""

import os
import re
import string
from typing import NewType

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_CHARACTERS = 22

TaskId = NewType("TaskId", str)
KeyId = NewType("KeyId", str)
AttemptId = NewType("AttemptId", str)
DeliveryId = NewType("DeliveryId", str)
AssetId = NewType("AssetId", str)

_TASK_ID = re.compile(rf"task_[0-9A-Za-z]{{{RANDOM_CHARACTERS}}}\Z")


# Each byte below 248, the largest multiple of 62, stands for one character; the others would favour the first eight.
_CHARACTER_OF_BYTE = bytes(ord(BASE62[byte % len(BASE62)]) for byte in range(256))
_BIASED_BYTES = bytes(range(248, 256))


def random_base62(length: int) -> str:
    """Return `length` characters from a cryptographically strong source, 5.95 bits each.

    One call to the system for all of them: one for each character took a tenth of a submit's time.
    """
    characters = b""
    while len(characters) < length:
        characters += os.urandom(length + 8).translate(_CHARACTER_OF_BYTE, _BIASED_BYTES)
    return characters[:length].decode()


def new_task_id() -> TaskId:
    """Return a new `task_…` id."""
    return TaskId("task_" + random_base62(RANDOM_CHARACTERS))


def new_key_id() -> KeyId:
    """Return a new `key_…` id: the public name of an API key, not the key itself."""
    return KeyId("key_" + random_base62(RANDOM_CHARACTERS))


def new_attempt_id() -> AttemptId:
    """Return a new `att_…` id for one submission to a backend."""
    return AttemptId("att_" + random_base62(RANDOM_CHARACTERS))


def new_delivery_id() -> DeliveryId:
    """Return a new `msg_…` id; it is the `webhook-id` and holds no dot (Standard Webhooks 1.0.0)."""
    return DeliveryId("msg_" + random_base62(RANDOM_CHARACTERS))


def new_asset_id() -> AssetId:
    """Return a new `ast_…` id; also the stem of the stored object's name, so that no upstream's name is used."""
    return AssetId("ast_" + random_base62(RANDOM_CHARACTERS))


def is_task_id(text: str) -> bool:
    """Tell whether `text` has the shape of a task id; a wrong shape is answered 404 without asking the database."""
    return _TASK_ID.match(text) is not None
