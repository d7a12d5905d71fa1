"""Create, list, revoke and roll API keys."""

from dataclasses import dataclass

from understudy.auth.keys import KeyHasher, new_key
from understudy.db import keys
from understudy.db.base import Database, Tx
from understudy.domain.clock import ClockMs
from understudy.domain.errors import NotFound
from understudy.domain.ids import KeyId, new_key_id
from understudy.domain.records import ApiKey
from understudy.webhooks.signing import SECRET_VERSION, derive_secret


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as its owner sees it, this once."""

    record: ApiKey
    key: str
    webhook_secret: str


class KeyService:
    """The operator's verbs on keys."""

    def __init__(self, database: Database, hasher: KeyHasher, *, webhook_root: bytes, clock_ms: ClockMs) -> None:
        self._database = database
        self._hasher = hasher
        self._webhook_root = webhook_root
        self._clock_ms = clock_ms

    async def create(
        self, name: str, *, requests_per_minute: int | None = None, concurrent_tasks: int | None = None
    ) -> NewKey:
        """Make a key; a limit of None follows the server's setting."""
        made = self._make(name, requests_per_minute=requests_per_minute, concurrent_tasks=concurrent_tasks)
        await self._database.transact(lambda tx: keys.insert_key(tx, made.record))
        return made

    def _make(self, name: str, *, requests_per_minute: int | None, concurrent_tasks: int | None) -> NewKey:
        key, key_id = new_key(), new_key_id()
        record = ApiKey(
            id=key_id,
            name=name,
            key_hash=self._hasher.hash(key),
            hint=key[-4:],
            created_at_ms=self._clock_ms(),
            requests_per_minute=requests_per_minute,
            concurrent_tasks=concurrent_tasks,
        )
        return NewKey(record, key, derive_secret(self._webhook_root, key_id, SECRET_VERSION))

    async def list(self) -> tuple[ApiKey, ...]:
        """Return every key, revoked ones too."""
        return tuple(await self._database.read(keys.list_keys, scan=True))

    async def revoke(self, key_id: str) -> None:
        """Close a key at once; running tasks go on. Raises `NotFound`. Revoking twice is no error."""
        known = KeyId(key_id)
        now_ms = self._clock_ms()

        async def commit(tx: Tx) -> bool:
            if await keys.get_key(tx, key_id=known) is None:
                return False
            await keys.revoke_key(tx, key_id=known, now_ms=now_ms)
            return True

        if not await self._database.transact(commit):
            raise NotFound(f"There is no key {key_id}")

    async def roll(self, key_id: str, *, overlap_hours: float) -> NewKey:
        """Make a key like this one; the old one works for `overlap_hours` more. Raises `NotFound`."""
        known, now_ms = KeyId(key_id), self._clock_ms()

        async def commit(tx: Tx) -> NewKey | None:
            old = await keys.get_key(tx, key_id=known)
            if old is None or not old.usable_at(now_ms):
                return None
            made = self._make(
                old.name, requests_per_minute=old.requests_per_minute, concurrent_tasks=old.concurrent_tasks
            )
            await keys.insert_key(tx, made.record)
            await keys.expire_key_at(tx, key_id=known, at_ms=now_ms + int(overlap_hours * 3_600_000))
            return made

        made = await self._database.transact(commit)
        if made is None:
            raise NotFound(f"There is no live key {key_id}")
        return made
