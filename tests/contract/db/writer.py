"""A process of its own that writes: `python -m tests.contract.db.writer URL KEY_ID COUNT`.

It opens the database, migrating it if need be, adds tasks with their slots, eight at a time, and prints the id of
each once it was told that it is durable.
"""

import asyncio
import sys

from tests.contract.db.rows import a_task, add_key
from understudy.db import keys, limits, tasks
from understudy.db.base import Database, Tx
from understudy.db.connect import open_database
from understudy.domain.ids import KeyId

_AT_ONCE = 8


async def _add(database: Database, key_id: KeyId) -> None:
    task = a_task(key_id)

    async def body(tx: Tx) -> None:
        assert await limits.take_slot(tx, key_id=key_id, limit=1_000_000)
        await tasks.insert_task(tx, task)

    await database.transact(body)
    sys.stdout.write(task.id + "\n")
    sys.stdout.flush()


async def _main(url: str, key_id: KeyId, count: int) -> None:
    database = await open_database(url, migrate=True)
    if await database.read(lambda reader: keys.get_key(reader, key_id=key_id)) is None:
        await add_key(database, id=key_id)

    async def add_some(number: int) -> None:
        for _ in range(number, count, _AT_ONCE):
            await _add(database, key_id)

    await asyncio.gather(*(add_some(number) for number in range(_AT_ONCE)))
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], KeyId(sys.argv[2]), int(sys.argv[3])))
