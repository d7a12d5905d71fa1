"""Alembic's entry: it writes SQL for the dialect it is told; `understudy.db.connect` runs that."""

from alembic import context

from understudy.db.schema import REVISION_TABLE

context.configure(
    dialect_name=context.config.attributes["dialect"],
    version_table=REVISION_TABLE,
    transactional_ddl=False,  # the transaction is opened, with its lock, by whoever runs the SQL
    literal_binds=True,
)
context.run_migrations()
