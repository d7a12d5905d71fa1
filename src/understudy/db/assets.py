"""Rows of assets: what is stored for a task, and until when."""

from collections.abc import Collection

from sqlalchemy import BigInteger, Integer, bindparam, insert, select, update

from understudy.db.base import Reader, Row, Tx, any_of, any_of_values, compile_statement
from understudy.db.tables import assets
from understudy.domain.ids import AssetId, TaskId
from understudy.domain.records import Asset, AssetKind

_COLUMNS = (
    assets.c.id,
    assets.c.task_id,
    assets.c.kind,
    assets.c.position,
    assets.c.storage_key,
    assets.c.media_type,
    assets.c.width,
    assets.c.height,
    assets.c.size_bytes,
    assets.c.sha256,
    assets.c.created_at,
    assets.c.expires_at,
    assets.c.deleted_at,
)
_NOW = bindparam("now_ms", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)

_INSERT = compile_statement(insert(assets))
_OF_TASK = compile_statement(
    select(*_COLUMNS).where(
        assets.c.task_id == bindparam("task_id"),
        assets.c.kind == bindparam("kind"),
        assets.c.position == bindparam("position", type_=Integer),
    )
)
_EXPIRED = compile_statement(
    select(*_COLUMNS)
    .where(assets.c.deleted_at.is_(None), assets.c.expires_at <= _NOW)
    .order_by(assets.c.expires_at)
    .limit(_LIMIT)
)
_MARK_DELETED = compile_statement(
    update(assets).where(assets.c.id == bindparam("asset_id"), assets.c.deleted_at.is_(None)).values(deleted_at=_NOW)
)
_EXPIRE_AT = compile_statement(
    update(assets)
    .where(assets.c.task_id == bindparam("of_task"), any_of(assets.c.kind, "of_kind", len(AssetKind)))
    .values(expires_at=bindparam("new_expires_at", type_=BigInteger))
)
_STORAGE_KEYS = compile_statement(
    select(assets.c.storage_key)
    .where(assets.c.storage_key > bindparam("after"))
    .order_by(assets.c.storage_key)
    .limit(_LIMIT)
)


async def insert_asset(tx: Tx, asset: Asset) -> None:
    """Keep a new asset; its bytes are stored already."""
    await tx.execute(
        _INSERT,
        {
            "id": asset.id,
            "task_id": asset.task_id,
            "kind": asset.kind.value,
            "position": asset.position,
            "storage_key": asset.storage_key,
            "media_type": asset.media_type,
            "width": asset.width,
            "height": asset.height,
            "size_bytes": asset.size_bytes,
            "sha256": asset.sha256,
            "created_at": asset.created_at_ms,
            "expires_at": asset.expires_at_ms,
            "deleted_at": asset.deleted_at_ms,
        },
    )


async def find_asset(reader: Reader, *, task_id: TaskId, kind: AssetKind, position: int = 0) -> Asset | None:
    """Return the task's asset of this kind at `position`, counted from 0; also one that is expired or deleted."""
    row = await reader.fetch_one(_OF_TASK, {"task_id": task_id, "kind": kind.value, "position": position})
    return _asset(row) if row is not None else None


async def output_asset(reader: Reader, *, task_id: TaskId, position: int) -> Asset | None:
    """Return the film that the caller gets, as `find_asset` does."""
    return await find_asset(reader, task_id=task_id, kind=AssetKind.OUTPUT, position=position)


async def input_asset(reader: Reader, *, task_id: TaskId) -> Asset | None:
    """Return the picture that the film is made from, as `find_asset` does."""
    return await find_asset(reader, task_id=task_id, kind=AssetKind.INPUT)


async def expired_assets(reader: Reader, *, now_ms: int, limit: int) -> list[Asset]:
    """Return at most `limit` assets past their life whose bytes were not deleted yet, longest expired first."""
    return [_asset(row) for row in await reader.fetch_all(_EXPIRED, {"now_ms": now_ms, "limit": limit})]


async def mark_deleted(tx: Tx, *, asset_id: AssetId, now_ms: int) -> bool:
    """Note that the bytes are gone; False if that was noted before or there is no such asset."""
    return await tx.execute(_MARK_DELETED, {"asset_id": asset_id, "now_ms": now_ms}) == 1


async def expire_at(tx: Tx, *, task_id: TaskId, kind: AssetKind, expires_at_ms: int) -> None:
    """Set until when a task's assets of one kind live; the sweep deletes their bytes after it."""
    await expire_kinds_at(tx, task_id=task_id, kinds=(kind,), expires_at_ms=expires_at_ms)


async def expire_kinds_at(tx: Tx, *, task_id: TaskId, kinds: Collection[AssetKind], expires_at_ms: int) -> None:
    """Set until when a task's assets of all these kinds, at least one, live."""
    of_kinds = any_of_values("of_kind", [kind.value for kind in kinds], len(AssetKind))
    await tx.execute(_EXPIRE_AT, {"of_task": task_id, "new_expires_at": expires_at_ms, **of_kinds})


async def storage_keys(reader: Reader, *, after: str, limit: int) -> list[str]:
    """Return at most `limit` storage keys greater than `after`, ascending ("" begins): one page for the orphan sweep.

    A full list of a large server would not fit in memory, so the sweep walks stored objects and these side by side.
    """
    return [row[0] for row in await reader.fetch_all(_STORAGE_KEYS, {"after": after, "limit": limit})]


def _asset(row: Row) -> Asset:
    return Asset(
        id=AssetId(row[0]),
        task_id=TaskId(row[1]),
        kind=AssetKind(row[2]),
        position=row[3],
        storage_key=row[4],
        media_type=row[5],
        width=row[6],
        height=row[7],
        size_bytes=row[8],
        sha256=row[9],
        created_at_ms=row[10],
        expires_at_ms=row[11],
        deleted_at_ms=row[12],
    )
