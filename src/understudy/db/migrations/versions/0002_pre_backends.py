"""Real backends: what an attempt asked for and how it was settled, more kinds of assets, and the backends' health.

SQLite cannot change a constraint, so there the two tables are written anew under another name, copied and renamed. No
other table refers to either, so that no reference can be lost on the way.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _where(condition: Any) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


def upgrade() -> None:
    _extend_attempts()
    _extend_assets()
    _index_tasks()
    _create_backend_health()


def _extend_attempts() -> None:
    with op.batch_alter_table("attempts", copy_from=_attempts_before()) as batch:
        batch.add_column(sa.Column("model", sa.Text(), nullable=True))
        batch.add_column(sa.Column("generate_width", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("generate_height", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("claim", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch.add_column(sa.Column("remark", sa.Text(), nullable=True))
        batch.add_column(sa.Column("settled_at", sa.BigInteger(), nullable=True))
        batch.drop_constraint(op.f("ck_attempts_state"), type_="check")
        batch.create_check_constraint(
            op.f("ck_attempts_state"),
            "state IN ('submitting', 'submitted', 'not_created', 'unknown', 'lost', 'succeeded', 'failed', "
            "'abandoned', 'late')",
        )
    op.create_index(
        "ix_attempts_open",
        "attempts",
        ["backend"],
        unique=False,
        **_where(sa.text("state IN ('submitting', 'submitted')")),
    )
    op.create_index(
        "ix_attempts_jobs",
        "attempts",
        ["backend", "started_at"],
        unique=False,
        **_where(sa.text("job_id IS NOT NULL")),
    )
    op.create_index(
        "ix_attempts_watched",
        "attempts",
        ["started_at"],
        unique=False,
        **_where(sa.text("state IN ('abandoned', 'unknown') AND settled_at IS NULL")),
    )


def _extend_assets() -> None:
    with op.batch_alter_table("assets", copy_from=_assets_before()) as batch:
        batch.drop_constraint(op.f("ck_assets_kind"), type_="check")
        batch.create_check_constraint(
            op.f("ck_assets_kind"), "kind IN ('input', 'output', 'original', 'poster', 'thumbnail')"
        )


def _index_tasks() -> None:
    op.create_index(
        "ix_tasks_polls", "tasks", ["backend", "next_at"], unique=False, **_where(sa.text("stage = 'await'"))
    )
    op.create_index(
        "ix_tasks_steps", "tasks", ["next_at"], unique=False, **_where(sa.text("stage NOT IN ('await', 'ended')"))
    )


def _create_backend_health() -> None:
    op.create_table(
        "backend_health",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("consecutive_faults", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.BigInteger(), nullable=True),
        sa.Column("probe_until", sa.BigInteger(), nullable=True),
        sa.Column("gap_ms", sa.Integer(), nullable=False),
        sa.Column("next_submit_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_backend_health")),
    )


def _attempts_before() -> sa.Table:
    return sa.Table(
        "attempts",
        sa.MetaData(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('submitting', 'submitted', 'not_created', 'unknown', 'lost', 'succeeded', 'failed')",
            name="ck_attempts_state",
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_attempts_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.Index("ix_attempts_task_id_started_at", "task_id", "started_at"),
        sa.Index("ix_attempts_unknown", "started_at", **_where(sa.text("state = 'unknown'"))),
    )


def _assets_before() -> sa.Table:
    return sa.Table(
        "assets",
        sa.MetaData(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('input', 'output')", name="ck_assets_kind"),
        sa.CheckConstraint("position >= 0", name="ck_assets_position"),
        sa.CheckConstraint("size_bytes >= 0", name="ck_assets_size_bytes"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_assets_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
        sa.UniqueConstraint("storage_key", name="uq_assets_storage_key"),
        sa.UniqueConstraint("task_id", "kind", "position", name="uq_assets_task_id_kind_position"),
        sa.Index("ix_assets_expires_at", "expires_at", **_where(sa.text("deleted_at IS NULL"))),
    )
