"""Several processes at one database, and one that is killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.contract.db.rows import add_key
from understudy.db import keys, tasks
from understudy.db.base import Database
from understudy.db.connect import open_database
from understudy.domain.ids import KeyId, TaskId, new_key_id
from understudy.domain.task import State


@contextmanager
def _writer(url: str, key_id: KeyId, count: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.contract.db.writer", url, key_id, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def _counts(database: Database, key_id: KeyId) -> tuple[int, int]:
    """Return the key's tasks at once as counted, and as the rows say."""
    key = await database.read(lambda reader: keys.get_key(reader, key_id=key_id))
    assert key is not None
    return key.active_tasks, (await database.read(tasks.count_open))[State.PENDING]


async def test_kill_in_the_middle_loses_no_acknowledged_commit(database: Database, url: str) -> None:
    key = await add_key(database)
    with _writer(url, key.id, 1_000_000) as process:
        assert process.stdout is not None
        acknowledged = [TaskId(process.stdout.readline().strip()) for _ in range(300)]
        process.kill()
        # The last line may be cut in its middle: nobody was told of that one.
        acknowledged += [TaskId(line.strip()) for line in process.stdout if line.endswith("\n")]

    for task_id in acknowledged:
        assert await database.read(partial(tasks.get_task, task_id=task_id)) is not None
    counted, rows = await _counts(database, key.id)
    assert counted == rows >= 300


async def test_two_processes_write_at_once(database: Database, url: str) -> None:
    key = await add_key(database)
    with _writer(url, key.id, 150) as one, _writer(url, key.id, 150) as two:
        told = [len(process.communicate(timeout=60)[0].splitlines()) for process in (one, two)]

    assert told == [150, 150]
    assert await _counts(database, key.id) == (300, 300)


async def test_two_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    first, second = new_key_id(), new_key_id()
    with _writer(empty_url, first, 5) as one, _writer(empty_url, second, 5) as two:
        told = [len(process.communicate(timeout=60)[0].splitlines()) for process in (one, two)]
        codes = [one.wait(), two.wait()]

    assert (told, codes) == ([5, 5], [0, 0])
    database = await open_database(empty_url, migrate=False)
    try:
        assert len(await database.read(keys.list_keys)) == 2
    finally:
        await database.close()
