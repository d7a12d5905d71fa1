"""Rows of stored bytes."""

from functools import partial

import pytest

from tests.contract.db.rows import NOW, add_task, an_asset
from understudy.db import assets
from understudy.db.base import Database
from understudy.domain.records import Asset, AssetKind


async def _add(database: Database, asset: Asset) -> Asset:
    await database.transact(lambda tx: assets.insert_asset(tx, asset))
    return asset


async def test_output_is_found_by_its_position(database: Database) -> None:
    task = await add_task(database)
    first = await _add(database, an_asset(task.id))
    second = await _add(database, an_asset(task.id, position=1))

    found = [await database.read(partial(assets.output_asset, task_id=task.id, position=n)) for n in (0, 1, 2)]
    assert found == [first, second, None]


async def test_input_is_no_output(database: Database) -> None:
    task = await add_task(database)
    picture = await _add(database, an_asset(task.id, kind=AssetKind.INPUT, media_type="image/png"))

    assert await database.read(lambda reader: assets.input_asset(reader, task_id=task.id)) == picture
    assert await database.read(lambda reader: assets.output_asset(reader, task_id=task.id, position=0)) is None


async def test_each_kind_is_found_as_itself(database: Database) -> None:
    task = await add_task(database)
    added = {kind: await _add(database, an_asset(task.id, kind=kind)) for kind in AssetKind}

    for kind, asset in added.items():
        assert await database.read(partial(assets.find_asset, task_id=task.id, kind=kind)) == asset
    other = await add_task(database)
    assert await database.read(partial(assets.find_asset, task_id=other.id, kind=AssetKind.POSTER)) is None


@pytest.mark.parametrize("kinds", [(AssetKind.POSTER,), (AssetKind.OUTPUT, AssetKind.THUMBNAIL), tuple(AssetKind)])
async def test_several_kinds_are_given_one_end(database: Database, kinds: tuple[AssetKind, ...]) -> None:
    task, other = await add_task(database), await add_task(database)
    for kind in AssetKind:
        await _add(database, an_asset(task.id, kind=kind, expires_at_ms=NOW + 1000))
    await _add(database, an_asset(other.id, kind=kinds[0], expires_at_ms=NOW + 1000))
    await database.transact(lambda tx: assets.expire_kinds_at(tx, task_id=task.id, kinds=kinds, expires_at_ms=NOW + 1))
    gone = await database.read(partial(assets.expired_assets, now_ms=NOW + 1, limit=99))

    assert {(asset.task_id, asset.kind) for asset in gone} == {(task.id, kind) for kind in kinds}


async def test_expired_assets_come_longest_expired_first(database: Database) -> None:
    task = await add_task(database)
    now = await _add(database, an_asset(task.id, position=0, expires_at_ms=NOW))
    long_ago = await _add(database, an_asset(task.id, position=1, expires_at_ms=NOW - 9))
    await _add(database, an_asset(task.id, position=2, expires_at_ms=NOW + 1))

    assert await database.read(lambda reader: assets.expired_assets(reader, now_ms=NOW, limit=9)) == [long_ago, now]
    assert await database.read(lambda reader: assets.expired_assets(reader, now_ms=NOW, limit=1)) == [long_ago]


async def test_deleted_asset_keeps_its_row_and_is_not_swept_again(database: Database) -> None:
    task = await add_task(database)
    asset = await _add(database, an_asset(task.id, expires_at_ms=NOW))

    assert await database.transact(lambda tx: assets.mark_deleted(tx, asset_id=asset.id, now_ms=NOW + 5))
    assert not await database.transact(lambda tx: assets.mark_deleted(tx, asset_id=asset.id, now_ms=NOW + 6))
    assert await database.read(lambda reader: assets.expired_assets(reader, now_ms=NOW, limit=9)) == []
    kept = await database.read(lambda reader: assets.output_asset(reader, task_id=task.id, position=0))
    assert kept is not None
    assert kept.deleted_at_ms == NOW + 5


async def test_storage_keys_are_read_page_by_page(database: Database) -> None:
    task = await add_task(database)
    for position, name in enumerate(("c.mp4", "a.mp4", "b.png")):
        await _add(database, an_asset(task.id, position=position, storage_key=name))

    first = await database.read(lambda reader: assets.storage_keys(reader, after="", limit=2), scan=True)
    second = await database.read(lambda reader: assets.storage_keys(reader, after="b.png", limit=2), scan=True)
    assert (first, second) == (["a.mp4", "b.png"], ["c.mp4"])
