"""Rows of API keys."""

from tests.contract.db.rows import NOW, a_key, add_key
from understudy.db import keys
from understudy.db.base import Database
from understudy.domain.ids import new_key_id
from understudy.domain.records import ApiKey


async def _get(database: Database, key: ApiKey) -> ApiKey | None:
    return await database.read(lambda reader: keys.get_key(reader, key_id=key.id))


async def test_key_is_found_by_its_hash_as_it_was_inserted(database: Database) -> None:
    key = await add_key(
        database, expires_at_ms=NOW + 1, requests_per_minute=5, concurrent_tasks=2, key_hash=b"\x00\xff" * 16
    )

    assert await database.read(lambda reader: keys.key_by_hash(reader, key_hash=key.key_hash)) == key
    assert await _get(database, key) == key


async def test_unknown_key_is_none(database: Database) -> None:
    assert await database.read(lambda reader: keys.key_by_hash(reader, key_hash=bytes(32))) is None
    assert await _get(database, a_key()) is None


async def test_keys_are_listed_oldest_first(database: Database) -> None:
    second = await add_key(database, created_at_ms=NOW + 1)
    first = await add_key(database, created_at_ms=NOW)

    assert await database.read(keys.list_keys) == [first, second]


async def test_first_revocation_stays(database: Database) -> None:
    key = await add_key(database)

    assert await database.transact(lambda tx: keys.revoke_key(tx, key_id=key.id, now_ms=NOW + 1))
    assert not await database.transact(lambda tx: keys.revoke_key(tx, key_id=key.id, now_ms=NOW + 2))
    revoked = await _get(database, key)
    assert revoked is not None
    assert revoked.revoked_at_ms == NOW + 1


async def test_revoking_an_unknown_key_says_so(database: Database) -> None:
    assert not await database.transact(lambda tx: keys.revoke_key(tx, key_id=new_key_id(), now_ms=NOW))


async def test_end_of_a_key_can_only_come_nearer(database: Database) -> None:
    key = await add_key(database)

    assert await database.transact(lambda tx: keys.expire_key_at(tx, key_id=key.id, at_ms=NOW + 100))
    assert not await database.transact(lambda tx: keys.expire_key_at(tx, key_id=key.id, at_ms=NOW + 200))
    assert await database.transact(lambda tx: keys.expire_key_at(tx, key_id=key.id, at_ms=NOW + 50))
    expiring = await _get(database, key)
    assert expiring is not None
    assert expiring.expires_at_ms == NOW + 50


async def test_revoked_key_does_not_expire_later(database: Database) -> None:
    key = await add_key(database, revoked_at_ms=NOW)

    assert not await database.transact(lambda tx: keys.expire_key_at(tx, key_id=key.id, at_ms=NOW + 100))
