"""Which revision a database is at, which this program needs, and the SQL that leads from one to the other.

Alembic writes the SQL and our own drivers run it, in one transaction under a lock. It is imported only when a
migration must run: a server that is up to date starts without its cost.
"""

import io
from pathlib import Path
from typing import Final

from sqlalchemy import Column, MetaData, String, Table, select

from understudy.db.base import DialectName, compile_statement
from understudy.domain.errors import OperatorError

HEAD: Final = "0002"
"""The newest revision in `migrations/versions/`; revisions are four digits, ascending."""

REVISION_TABLE: Final = "schema_revision"
MIGRATIONS: Final = Path(__file__).parent / "migrations"

_revision = Table(REVISION_TABLE, MetaData(), Column("version_num", String(32)))
STORED_REVISION: Final = compile_statement(select(_revision.c.version_num))


def needs_migration(stored: str | None, *, name: str, migrate: bool) -> bool:
    """Tell whether the database called `name`, at revision `stored`, is to be migrated.

    Raises `OperatorError` if it is newer than this program, or older and `migrate` is false.
    """
    if stored == HEAD:
        return False
    if stored is not None and stored > HEAD:
        raise OperatorError(
            f"The database {name} was made by a newer Understudy (revision {stored}, this one knows {HEAD}); "
            "install that version or restore a backup"
        )
    if not migrate:
        found = f"is at revision {stored}" if stored is not None else "is empty"
        raise OperatorError(f"The database {name} {found} and this version needs {HEAD}: run `understudy migrate`")
    return True


def migration_sql(stored: str | None, *, dialect: DialectName) -> str:
    """Return the SQL from revision `stored` (None: from nothing) to `HEAD`, without BEGIN and COMMIT."""
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415 - the same

    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["dialect"] = dialect
    command.upgrade(config, f"{stored}:head" if stored is not None else "head", sql=True)
    return output.getvalue()
