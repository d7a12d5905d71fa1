"""The schema: ids are text, times are Unix milliseconds, bodies are bytes, JSON is text.

`migrations/` makes exactly this; a test compares the two on both databases.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from understudy.domain.records import AssetKind, AttemptState, DeliveryState
from understudy.domain.task import Stage, State

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition: ColumnElement[bool] = literal_column(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("requests_per_minute", Integer),
    Column("concurrent_tasks", Integer),
    Column("active_tasks", Integer, nullable=False),
    CheckConstraint("active_tasks >= 0", name="active_tasks"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key_id", Text, ForeignKey("keys.id"), nullable=False),
    Column("model", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deadline_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("claim", Integer, nullable=False),
    Column("backend", Text, nullable=False),
    Column("attempt_id", Text),
    Column("progress", Integer),
    Column("completed_at", BigInteger),
    Column("result_urls", Text),
    Column("fail_code", Text),
    Column("fail_message", Text),
    Column("idempotency_key", Text),
    Column("fingerprint", LargeBinary),
    # Last, because a long prompt spills to other pages and SQLite reads a row from the left: the status read stops
    # before it.
    Column("request", Text, nullable=False),
    _one_of("state", State),
    _one_of("stage", Stage),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    CheckConstraint("(state IN ('success', 'failed')) = (stage = 'ended')", name="ended"),
    CheckConstraint("(stage = 'ended') = (completed_at IS NOT NULL)", name="completed_at"),
    CheckConstraint("(stage = 'ended') = (next_at IS NULL)", name="next_at"),
    CheckConstraint("(idempotency_key IS NULL) = (fingerprint IS NULL)", name="fingerprint"),
    Index("ix_tasks_key_id_created_at", "key_id", "created_at"),
    _partial("ix_tasks_next_at", "next_at", where="next_at IS NOT NULL"),
    # Polls and all other work are looked for apart: thousands of due polls must not be read to find one due step.
    _partial("ix_tasks_polls", "backend", "next_at", where="stage = 'await'"),
    _partial("ix_tasks_steps", "next_at", where="stage NOT IN ('await', 'ended')"),
    _partial("ix_tasks_waiting", "backend", "stage", "created_at", where="next_at IS NOT NULL"),
    _partial("uq_tasks_idempotency_key", "key_id", "idempotency_key", where="idempotency_key IS NOT NULL", unique=True),
    _partial("ix_tasks_idempotency_age", "created_at", where="idempotency_key IS NOT NULL"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False),
    Column("backend", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("request_sha256", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("job_id", Text),
    Column("ended_at", BigInteger),
    Column("detail", Text),
    Column("model", Text),
    Column("generate_width", Integer),
    Column("generate_height", Integer),
    # The default is for a process of the version before, which may still insert while this one migrates.
    Column("claim", Integer, nullable=False, server_default=text("0")),
    Column("remark", Text),
    Column("settled_at", BigInteger),
    _one_of("state", AttemptState),
    Index("ix_attempts_task_id_started_at", "task_id", "started_at"),
    _partial("ix_attempts_unknown", "started_at", where="state = 'unknown'"),
    _partial("ix_attempts_open", "backend", where="state IN ('submitting', 'submitted')"),
    _partial("ix_attempts_jobs", "backend", "started_at", where="job_id IS NOT NULL"),
    _partial("ix_attempts_watched", "started_at", where="state IN ('abandoned', 'unknown') AND settled_at IS NULL"),
)

assets = Table(
    "assets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("media_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    _one_of("kind", AssetKind),
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint("size_bytes >= 0", name="size_bytes"),
    UniqueConstraint("task_id", "kind", "position"),
    _partial("ix_assets_expires_at", "expires_at", where="deleted_at IS NULL"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False, unique=True),
    Column("key_id", Text, ForeignKey("keys.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _one_of("state", DeliveryState),
    CheckConstraint("attempts >= 0", name="attempts"),
    CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name="next_at"),
    _partial("ix_deliveries_next_at", "next_at", where="next_at IS NOT NULL"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", Text, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, nullable=False),
    Column("elapsed_ms", BigInteger, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("excerpt", LargeBinary, nullable=False),
    CheckConstraint("number >= 1", name="number"),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("bucket", Text, primary_key=True),
    # The theoretical arrival time of GCRA: Unix microseconds, since 100,000 a minute is one each 600 of them.
    Column("arrival_us", BigInteger, nullable=False),
)

backend_health = Table(
    "backend_health",
    metadata,
    Column("name", Text, primary_key=True),
    Column("consecutive_faults", Integer, nullable=False),
    Column("outcomes", Text, nullable=False),
    Column("openings", Integer, nullable=False),
    Column("open_until", BigInteger),
    Column("probe_until", BigInteger),
    Column("gap_ms", Integer, nullable=False),
    Column("next_submit_at", BigInteger, nullable=False),
    Column("reason", Text),
    Column("updated_at", BigInteger, nullable=False),
)
