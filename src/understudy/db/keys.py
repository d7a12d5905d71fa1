"""Rows of API keys."""

from sqlalchemy import BigInteger, bindparam, insert, or_, select, update

from understudy.db.base import Reader, Row, Tx, compile_statement
from understudy.db.tables import keys
from understudy.domain.ids import KeyId
from understudy.domain.records import ApiKey

_COLUMNS = (
    keys.c.id,
    keys.c.name,
    keys.c.key_hash,
    keys.c.hint,
    keys.c.created_at,
    keys.c.expires_at,
    keys.c.revoked_at,
    keys.c.requests_per_minute,
    keys.c.concurrent_tasks,
    keys.c.active_tasks,
)
_AT = bindparam("at_ms", type_=BigInteger)

_INSERT = compile_statement(insert(keys))
_BY_HASH = compile_statement(select(*_COLUMNS).where(keys.c.key_hash == bindparam("key_hash")))
_BY_ID = compile_statement(select(*_COLUMNS).where(keys.c.id == bindparam("key_id")))
_ALL = compile_statement(select(*_COLUMNS).order_by(keys.c.created_at, keys.c.id))
_REVOKE = compile_statement(
    update(keys).where(keys.c.id == bindparam("key_id"), keys.c.revoked_at.is_(None)).values(revoked_at=_AT)
)
_EXPIRE = compile_statement(
    update(keys)
    .where(
        keys.c.id == bindparam("key_id"),
        keys.c.revoked_at.is_(None),
        or_(keys.c.expires_at.is_(None), keys.c.expires_at > _AT),
    )
    .values(expires_at=_AT)
)


async def insert_key(tx: Tx, key: ApiKey) -> None:
    """Keep a new key."""
    await tx.execute(
        _INSERT,
        {
            "id": key.id,
            "name": key.name,
            "key_hash": key.key_hash,
            "hint": key.hint,
            "created_at": key.created_at_ms,
            "expires_at": key.expires_at_ms,
            "revoked_at": key.revoked_at_ms,
            "requests_per_minute": key.requests_per_minute,
            "concurrent_tasks": key.concurrent_tasks,
            "active_tasks": key.active_tasks,
        },
    )


async def key_by_hash(reader: Reader, *, key_hash: bytes) -> ApiKey | None:
    """Return the key with this hash, usable or not."""
    row = await reader.fetch_one(_BY_HASH, {"key_hash": key_hash})
    return _key(row) if row is not None else None


async def get_key(reader: Reader, *, key_id: KeyId) -> ApiKey | None:
    """Return the key, usable or not."""
    row = await reader.fetch_one(_BY_ID, {"key_id": key_id})
    return _key(row) if row is not None else None


async def list_keys(reader: Reader) -> list[ApiKey]:
    """Return every key, oldest first."""
    return [_key(row) for row in await reader.fetch_all(_ALL, {})]


async def revoke_key(tx: Tx, *, key_id: KeyId, now_ms: int) -> bool:
    """Close the key for good; False if there is none or it was revoked before, whose time then stays."""
    return await tx.execute(_REVOKE, {"key_id": key_id, "at_ms": now_ms}) == 1


async def expire_key_at(tx: Tx, *, key_id: KeyId, at_ms: int) -> bool:
    """Let the key end at `at_ms`; False if there is none, it is revoked, or it ends no later already."""
    return await tx.execute(_EXPIRE, {"key_id": key_id, "at_ms": at_ms}) == 1


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=KeyId(row[0]),
        name=row[1],
        key_hash=row[2],
        hint=row[3],
        created_at_ms=row[4],
        expires_at_ms=row[5],
        revoked_at_ms=row[6],
        requests_per_minute=row[7],
        concurrent_tasks=row[8],
        active_tasks=row[9],
    )
