"""Statements are finished SQL for both databases, and parameters are never part of it."""

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.schema import CreateTable

from understudy.db.base import compile_statement, compile_upsert
from understudy.db.tables import keys, rate_limits


def test_parameters_come_in_the_order_of_each_driver() -> None:
    statement = compile_statement(
        update(keys)
        .where(keys.c.name == bindparam("old"), keys.c.hint != bindparam("new"))
        .values(name=bindparam("new"))
    )
    parameters = {"old": "a", "new": "b"}

    assert statement.sqlite.values(parameters) == ("b", "a", "b")
    assert statement.postgresql.values(parameters) == ("b", "a")


def test_values_that_the_statement_sets_itself_need_not_be_given() -> None:
    statement = compile_statement(update(keys).where(keys.c.id == bindparam("key_id")).values(name="set", hint=None))

    assert statement.sqlite.values({"key_id": "k"}) == ("set", None, "k")
    assert statement.postgresql.values({"key_id": "k"}) == ("set", None, "k")


def test_given_value_cannot_replace_one_that_the_statement_sets() -> None:
    statement = compile_statement(update(keys).values(name="set"))

    assert statement.sqlite.values({"name": "other"}) == ("set",)


def test_missing_parameter_is_an_error_and_not_null() -> None:
    with pytest.raises(KeyError, match="hint"):
        compile_statement(insert(keys)).sqlite.values({"id": "k", "name": "n", "key_hash": b""})


def test_values_never_become_sql() -> None:
    statement = compile_statement(select(keys.c.id).where(keys.c.name == bindparam("name")))
    hostile = "'; DROP TABLE keys; --"

    assert hostile not in statement.sqlite.sql
    assert statement.sqlite.values({"name": hostile}) == (hostile,)


def test_upsert_is_built_for_each_database() -> None:
    statement = compile_upsert(
        lambda make: make(rate_limits).on_conflict_do_nothing(index_elements=[rate_limits.c.bucket])
    )

    assert "ON CONFLICT (bucket) DO NOTHING" in statement.sqlite.sql
    assert "ON CONFLICT (bucket) DO NOTHING" in statement.postgresql.sql


def test_what_takes_no_parameters_is_refused_at_import() -> None:
    with pytest.raises(TypeError):
        compile_statement(CreateTable(keys))
