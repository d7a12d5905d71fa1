"""The first schema.

"pre" migrations run before the new code and must suit the code before them too; "post" ones run after it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _where(condition: Any) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


def upgrade() -> None:
    _create_keys()
    _create_rate_limits()
    _create_tasks()
    _create_assets()
    _create_attempts()
    _create_deliveries()
    _create_delivery_attempts()


def _create_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        sa.Column("concurrent_tasks", sa.Integer(), nullable=True),
        sa.Column("active_tasks", sa.Integer(), nullable=False),
        sa.CheckConstraint("active_tasks >= 0", name=op.f("ck_keys_active_tasks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_keys_key_hash")),
    )


def _create_rate_limits() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("arrival_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_rate_limits")),
    )


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("result_urls", sa.Text(), nullable=True),
        sa.Column("fail_code", sa.Text(), nullable=True),
        sa.Column("fail_message", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.CheckConstraint("(stage = 'ended') = (completed_at IS NOT NULL)", name=op.f("ck_tasks_completed_at")),
        sa.CheckConstraint("(stage = 'ended') = (next_at IS NULL)", name=op.f("ck_tasks_next_at")),
        sa.CheckConstraint("(state IN ('success', 'failed')) = (stage = 'ended')", name=op.f("ck_tasks_ended")),
        sa.CheckConstraint(
            "stage IN ('prepare', 'submit', 'await', 'collect', 'finish', 'ended')", name=op.f("ck_tasks_stage")
        ),
        sa.CheckConstraint("state IN ('pending', 'processing', 'success', 'failed')", name=op.f("ck_tasks_state")),
        sa.CheckConstraint("(idempotency_key IS NULL) = (fingerprint IS NULL)", name=op.f("ck_tasks_fingerprint")),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_tasks_progress")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_tasks_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(
        "ix_tasks_idempotency_age",
        "tasks",
        ["created_at"],
        unique=False,
        **_where(sa.text("idempotency_key IS NOT NULL")),
    )
    op.create_index("ix_tasks_key_id_created_at", "tasks", ["key_id", "created_at"], unique=False)
    op.create_index("ix_tasks_next_at", "tasks", ["next_at"], unique=False, **_where(sa.text("next_at IS NOT NULL")))
    op.create_index(
        "ix_tasks_waiting",
        "tasks",
        ["backend", "stage", "created_at"],
        unique=False,
        **_where(sa.text("next_at IS NOT NULL")),
    )
    op.create_index(
        "uq_tasks_idempotency_key",
        "tasks",
        ["key_id", "idempotency_key"],
        unique=True,
        **_where(sa.text("idempotency_key IS NOT NULL")),
    )


def _create_assets() -> None:
    op.create_table(
        "assets",
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
        sa.CheckConstraint("kind IN ('input', 'output')", name=op.f("ck_assets_kind")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_assets_position")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_assets_size_bytes")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_assets_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_assets_storage_key")),
        sa.UniqueConstraint("task_id", "kind", "position", name=op.f("uq_assets_task_id_kind_position")),
    )
    op.create_index(
        "ix_assets_expires_at", "assets", ["expires_at"], unique=False, **_where(sa.text("deleted_at IS NULL"))
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
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
            name=op.f("ck_attempts_state"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_attempts_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_task_id_started_at", "attempts", ["task_id", "started_at"], unique=False)
    op.create_index(
        "ix_attempts_unknown", "attempts", ["started_at"], unique=False, **_where(sa.text("state = 'unknown'"))
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name=op.f("ck_deliveries_next_at")),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'exhausted')", name=op.f("ck_deliveries_state")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_deliveries_attempts")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_deliveries_key_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_deliveries_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("task_id", name=op.f("uq_deliveries_task_id")),
    )
    op.create_index(
        "ix_deliveries_next_at", "deliveries", ["next_at"], unique=False, **_where(sa.text("next_at IS NOT NULL"))
    )


def _create_delivery_attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("excerpt", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_delivery_attempts_number")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_delivery_attempts")),
    )
