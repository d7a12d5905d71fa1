"""Opening a database that cannot work ends in one sentence that says how to mend it."""

import socket
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import LOCKED_USER, PostgresServer
from understudy.db.connect import open_database, sqlite_url
from understudy.domain.errors import OperatorError


async def _sentence(url: str) -> str:
    with pytest.raises(OperatorError) as caught:
        await open_database(url, migrate=True)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


async def test_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "understudy.db"
    database = await open_database(sqlite_url(path), migrate=True)
    await database.close()

    assert path.exists()


async def test_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "50% of #1 ?x=y ünder" / "understudy.db"
    database = await open_database(sqlite_url(path), migrate=True)
    await database.close()

    assert path.exists()


async def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = await _sentence(sqlite_url(tmp_path / "file" / "understudy.db"))

    assert "make its folder writable for this user or name another" in sentence


async def test_folder_in_place_of_the_file(tmp_path: Path) -> None:
    assert "cannot be opened" in await _sentence(sqlite_url(tmp_path))


async def test_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "understudy.db"
    path.write_bytes(b"not a database at all" * 100)
    sentence = await _sentence(sqlite_url(path))

    assert "is not a database: move it away or name another file" in sentence
    assert path.read_bytes() == b"not a database at all" * 100


async def test_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()

    assert "belongs to another program: name another file" in await _sentence(sqlite_url(path))


async def test_relative_path_or_unknown_kind() -> None:
    for url in ("sqlite://understudy.db", "mysql://localhost/understudy", "understudy.db", ""):
        assert "must be sqlite:///ABSOLUTE/PATH or postgresql://" in await _sentence(url)


async def test_server_that_does_not_listen() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    sentence = await _sentence(f"postgresql://someone:secret@127.0.0.1:{port}/understudy")

    assert "cannot be reached" in sentence
    assert "start it or correct its URL" in sentence
    assert "secret" not in sentence


async def test_missing_database(postgres: PostgresServer) -> None:
    assert "/nowhere does not exist: create it with `createdb`" in await _sentence(postgres.url("nowhere"))


async def test_wrong_password(postgres: PostgresServer) -> None:
    await postgres.execute(f"CREATE ROLE {LOCKED_USER} LOGIN PASSWORD 'right'")
    sentence = await _sentence(postgres.url(user=LOCKED_USER, password="wrong"))

    assert "refuses the user or the password" in sentence
    assert "wrong" not in sentence


async def test_user_who_may_not_make_tables(postgres: PostgresServer) -> None:
    await postgres.execute("CREATE ROLE reader LOGIN")
    name = await postgres.new_database()
    sentence = await _sentence(postgres.url(name, user="reader"))

    assert "does not let this user make tables: grant it CREATE on the schema" in sentence


async def test_server_database_with_tables_of_another_program(postgres: PostgresServer) -> None:
    url = postgres.url(await postgres.new_database())
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE tasks (id integer)")
    await connection.close()

    assert "has tables of another program: name an empty one" in await _sentence(url)


async def test_url_that_cannot_be_read() -> None:
    sentence = await _sentence("postgresql://someone:p@ss@host:port/understudy")

    assert "must be postgresql://USER:PASSWORD@HOST/NAME" in sentence
    assert "p@ss" not in sentence
