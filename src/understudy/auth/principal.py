"""From an `Authorization` header to the caller it stands for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from understudy.auth.keys import KeyHasher, is_well_formed
from understudy.db import keys as key_rows
from understudy.db.base import Database
from understudy.domain.errors import Unauthenticated
from understudy.domain.ids import KeyId
from understudy.domain.records import ApiKey

CACHE_SECONDS = 0.5
CACHE_ENTRIES = 10_000
MAX_HEADER_CHARACTERS = 256

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request. A limit of None follows the server's setting."""

    key_id: KeyId
    requests_per_minute: int | None
    concurrent_tasks: int | None


class Authenticator:
    """Looks keys up by their hash and remembers the answer for half a second.

    So a revocation holds within a second in every process, and a busy key costs the database two reads a second.
    Unknown keys are not remembered: made-up ones would push the real ones out.
    """

    def __init__(self, database: Database, hasher: KeyHasher, *, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._hasher = hasher
        self._clock_ms = clock_ms
        self._cache: dict[bytes, tuple[int, ApiKey]] = {}

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """Return the principal of a request with these `Authorization` headers.

        Raises `Unauthenticated`, with one text for every cause (`contract.md` §5).
        """
        key = self._key_in(authorization)
        if key is None:
            raise Unauthenticated
        record = await self._look_up(key)
        if record is None or not record.usable_at(self._clock_ms()):
            raise Unauthenticated
        return Principal(record.id, record.requests_per_minute, record.concurrent_tasks)

    @staticmethod
    def _key_in(authorization: Sequence[str]) -> str | None:
        # Two headers could mean one thing to a proxy and another to us; a huge one costs hashing for nothing.
        if len(authorization) != 1 or len(authorization[0]) > MAX_HEADER_CHARACTERS:
            return None
        header = authorization[0]
        return header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else None

    async def _look_up(self, key: str) -> ApiKey | None:
        now_ms = self._clock_ms()
        key_hash = self._hasher.hash(key)
        known = self._cache.get(key_hash)
        if known is not None and 0 <= now_ms - known[0] < CACHE_SECONDS * 1000:
            return known[1]
        if not is_well_formed(key):  # noise and typos never reach the database
            return None
        record = await self._database.read(lambda reader: key_rows.key_by_hash(reader, key_hash=key_hash))
        if record is None:
            self._cache.pop(key_hash, None)
            return None
        if len(self._cache) >= CACHE_ENTRIES:
            self._cache.clear()
        self._cache[key_hash] = (now_ms, record)
        return record
