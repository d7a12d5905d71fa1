"""The form of an API key, and what is kept of it.

`und_` + 30 random base62 characters (178 bits) + 6 base62 characters of their CRC-32. The checksum proves nothing;
it lets a typo or a scanner's noise be refused without asking the database. Kept is only HMAC-SHA256 under a secret
of the server: a slow password hash would be a lever to exhaust us, and the key is random already
(`reliability.md` §5).
"""

import hmac
import re
import zlib
from dataclasses import dataclass

from understudy.domain.ids import BASE62, random_base62

PREFIX = "und_"
RANDOM_CHARACTERS = 30
CHECKSUM_CHARACTERS = 6

_SHAPE = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{RANDOM_CHARACTERS}}})([0-9A-Za-z]{{{CHECKSUM_CHARACTERS}}})\Z")


def _checksum(random_part: str) -> str:
    number = zlib.crc32(random_part.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(BASE62))
        digits = BASE62[digit] + digits
    return digits


def new_key() -> str:
    """Return a new API key; it is shown once and never stored."""
    random_part = random_base62(RANDOM_CHARACTERS)
    return PREFIX + random_part + _checksum(random_part)


def is_well_formed(key: str) -> bool:
    """Tell whether `key` has the shape of a key and the checksum that belongs to it."""
    match = _SHAPE.match(key)
    return match is not None and hmac.compare_digest(_checksum(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class KeyHasher:
    """Turns a key into the 32 bytes it is looked up by. `pepper` is a secret of this server, 32 bytes."""

    pepper: bytes

    def hash(self, key: str) -> bytes:
        """Return HMAC-SHA256 of the key under the pepper."""
        return hmac.digest(self.pepper, key.encode(), "sha256")
