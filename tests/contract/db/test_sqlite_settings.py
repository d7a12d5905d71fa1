"""How every connection to the file is set up."""

from pathlib import Path

import pytest

from understudy.db.connect import open_database, sqlite_url
from understudy.db.sqlite import connect


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
async def test_connection_is_durable_and_strict(tmp_path: Path, pragma: str, value: str | int) -> None:
    """`synchronous` 2 is FULL: with NORMAL a power cut would lose tasks whose ids left the building."""
    path = tmp_path / "understudy.db"
    await (await open_database(sqlite_url(path), migrate=True)).close()
    connection = connect(path, busy_seconds=1)
    try:
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    finally:
        connection.close()


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_closing_folds_the_log_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "understudy.db"
    await (await open_database(sqlite_url(path), migrate=True)).close()

    assert _names(tmp_path) == ["understudy.db"]
