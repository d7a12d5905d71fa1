"""Rows to test with, each valid as it is; a test names only what it is about."""

import secrets
from typing import Any

from understudy.db import keys, tasks
from understudy.db.base import Database
from understudy.domain.catalogue import Mode, Size
from understudy.domain.ids import (
    KeyId,
    TaskId,
    new_asset_id,
    new_attempt_id,
    new_delivery_id,
    new_key_id,
    new_task_id,
)
from understudy.domain.records import (
    ApiKey,
    Asset,
    AssetKind,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
)
from understudy.domain.request import GenerationRequest
from understudy.domain.task import Stage, State, Task

NOW = 1_790_000_000_000

REQUEST = GenerationRequest(mode=Mode.TEXT_TO_VIDEO, prompt="a cat in the rain", seconds=4, size=Size(720, 1280))


def a_key(**changes: Any) -> ApiKey:
    fields: dict[str, Any] = {
        "id": new_key_id(),
        "name": "tests",
        "key_hash": secrets.token_bytes(32),
        "hint": "abcd",
        "created_at_ms": NOW,
    }
    return ApiKey(**fields | changes)


def a_task(key_id: KeyId, **changes: Any) -> Task:
    fields: dict[str, Any] = {
        "id": new_task_id(),
        "key_id": key_id,
        "model": "sora-2-pro",
        "state": State.PENDING,
        "stage": Stage.PREPARE,
        "request": REQUEST,
        "created_at_ms": NOW,
        "deadline_at_ms": NOW + 3_600_000,
        "next_at_ms": NOW,
        "backend": "animatic",
    }
    return Task(**fields | changes)


def an_attempt(task_id: TaskId, **changes: Any) -> Attempt:
    fields: dict[str, Any] = {
        "id": new_attempt_id(),
        "task_id": task_id,
        "backend": "animatic",
        "state": AttemptState.SUBMITTING,
        "request_sha256": "ab" * 32,
        "started_at_ms": NOW,
    }
    return Attempt(**fields | changes)


def an_asset(task_id: TaskId, **changes: Any) -> Asset:
    asset_id = new_asset_id()
    fields: dict[str, Any] = {
        "id": asset_id,
        "task_id": task_id,
        "kind": AssetKind.OUTPUT,
        "position": 0,
        "storage_key": f"{asset_id}.mp4",
        "media_type": "video/mp4",
        "width": 720,
        "height": 1280,
        "size_bytes": 5_000_000_000,
        "sha256": "cd" * 32,
        "created_at_ms": NOW,
        "expires_at_ms": NOW + 1000,
    }
    return Asset(**fields | changes)


def a_delivery(task: Task, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": new_delivery_id(),
        "task_id": task.id,
        "key_id": task.key_id,
        "url": "https://example.com/callback",
        "body": b'{"code":200}\x00\xff',
        "state": DeliveryState.PENDING,
        "created_at_ms": NOW,
        "next_at_ms": NOW,
    }
    return Delivery(**fields | changes)


async def add_key(database: Database, **changes: Any) -> ApiKey:
    key = a_key(**changes)
    await database.transact(lambda tx: keys.insert_key(tx, key))
    return key


async def add_task(database: Database, key_id: KeyId | None = None, **changes: Any) -> Task:
    """Add a task, and a key for it if none is named."""
    task = a_task(key_id or (await add_key(database)).id, **changes)
    await database.transact(lambda tx: tasks.insert_task(tx, task))
    return task


async def fetch_task(database: Database, task_id: TaskId) -> Task:
    task = await database.read(lambda reader: tasks.get_task(reader, task_id=task_id))
    assert task is not None
    return task
