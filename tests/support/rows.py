"""A look at a stopped server's embedded database, by plain SQL: what is on disk, whoever wrote it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any


def query(data: Path, sql: str, *parameters: object) -> Sequence[tuple[Any, ...]]:
    """Return the rows of one query."""
    with closing(sqlite3.connect(data / "understudy.db")) as connection:
        return connection.execute(sql, parameters).fetchall()


def slots_in_use(data: Path) -> int:
    """Return how many tasks all keys have at once, by their counters."""
    return int(query(data, "SELECT sum(active_tasks) FROM keys")[0][0])


def attempt_states(data: Path, task_id: str) -> list[str]:
    """Return the states of a task's attempts."""
    return [row[0] for row in query(data, "SELECT state FROM attempts WHERE task_id = ?", task_id)]
