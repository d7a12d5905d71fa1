"""What every repository function stands on: a statement compiled once, and the two things that run it.

SQLAlchemy Core is only the language that statements are written in. Each is compiled for both databases when its
module is imported, and from then on the driver gets finished SQL and a tuple of values.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import Column, ColumnElement, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

T = TypeVar("T")

DialectName = Literal["sqlite", "postgresql"]
Row = Sequence[Any]
"""One row, columns in the order of the statement."""

Parameters = Mapping[str, object]

_SQLITE: Dialect = sqlite.dialect()
_POSTGRESQL: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left it unannotated


@dataclass(frozen=True, slots=True)
class Compiled:
    """Finished SQL for one database. `names` are its parameters in order; `constants` are those it sets itself."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, object]

    def values(self, parameters: Parameters) -> tuple[object, ...]:
        """Return `parameters` in the order the driver wants; a missing one raises `KeyError`."""
        constants = self.constants
        if constants:
            return tuple([constants[name] if name in constants else parameters[name] for name in self.names])
        return tuple([parameters[name] for name in self.names])


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, finished for both databases."""

    sqlite: Compiled
    postgresql: Compiled


def compile_statement(statement: ClauseElement) -> Statement:
    """Compile `statement` once for each database; called at import, never per request."""
    return Statement(sqlite=_compile(statement, _SQLITE), postgresql=_compile(statement, _POSTGRESQL))


def compile_upsert(build: Callable[[Callable[[Table], Any]], ClauseElement]) -> Statement:
    """Compile what `build` makes of an `insert` that knows `ON CONFLICT`; SQLAlchemy has one such for each database."""
    return Statement(
        sqlite=_compile(build(sqlite.insert), _SQLITE), postgresql=_compile(build(postgresql.insert), _POSTGRESQL)
    )


def _compile(statement: ClauseElement, dialect: Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError(f"{statement} is not a statement that takes parameters")
    constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
    return Compiled(sql=compiled.string, names=tuple(compiled.positiontup or ()), constants=constants)


def any_of(column: Column[Any], name: str, most: int) -> ColumnElement[bool]:
    """Return the condition that `column` holds one of at most `most` values: finished SQL has no lists."""
    return column.in_([bindparam(f"{name}_{number}", type_=column.type) for number in range(most)])


def any_of_values(name: str, values: Collection[object], most: int) -> Parameters:
    """Return the parameters of `any_of`: `values`, 1 to `most` of them, of which the last fills what is left over."""
    listed = list(values)
    if not 1 <= len(listed) <= most:
        raise ValueError(f"{name} takes 1 to {most} values, not {len(listed)}")
    return {f"{name}_{number}": listed[min(number, len(listed) - 1)] for number in range(most)}


class Reader(Protocol):
    """Reads. Each statement sees what was committed when it began."""

    async def fetch_one(self, statement: Statement, parameters: Parameters) -> Row | None:
        """Return the first row, or None."""
        ...

    async def fetch_all(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        """Return every row."""
        ...


class Tx(Reader, Protocol):
    """One open transaction; it also sees its own writes. Worthless once its body has returned."""

    async def execute(self, statement: Statement, parameters: Parameters) -> int:
        """Run a statement that returns no rows; return how many it changed."""
        ...

    async def execute_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        """Run a statement that returns no rows once for each of `parameters`, without waiting between two."""
        ...


class Database(Protocol):
    """Either database.

    A body is an `async def` that awaits nothing but its `Tx` or `Reader` and has no effect outside it: on SQLite it
    runs in the writer's thread, on PostgreSQL it may run again from its start after a deadlock. Whatever it raises
    rolls its own transaction back and comes out of `transact`. A refusal whose writes must stay (a spent rate token)
    is therefore returned from the body and raised by the caller.
    """

    dialect: DialectName

    async def transact(self, body: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
        """Run `body` in one transaction; return its result once that is durable on disk.

        Raises `Unavailable` if the database is away, full, or locked for too long: then nothing of it is kept,
        except when a PostgreSQL connection breaks during the commit itself, where nobody can know. Nor can a caller
        who is cancelled while it waits: the transaction may still be committed.
        """
        ...

    async def read(self, body: Callable[[Reader], Coroutine[Any, Any, T]], *, scan: bool = False) -> T:
        """Run `body`, which only reads. `scan` says that it may read many rows, so that it must not hold up others.

        Raises `Unavailable` as `transact` does.
        """
        ...

    async def own_work(self) -> bool:
        """Become the one process that advances tasks, until `close`; False if another one is.

        An embedded database is owned by a lock in its folder instead, and always says True.
        """
        ...

    async def close(self) -> None:
        """Finish what was asked for, then let the database go. May be called twice."""
        ...
