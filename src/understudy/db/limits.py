"""Exact limits over every process: the rate (GCRA) and the number of tasks at once (`reliability.md` §4)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, bindparam, case, func, literal_column, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from understudy.db.base import Reader, Tx, compile_statement, compile_upsert
from understudy.db.tables import keys, rate_limits, tasks
from understudy.domain.ids import KeyId

MAX_PER_MINUTE = 100_000
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOutcome:
    """What asking a bucket for one call gave.

    `remaining` more would be allowed at once; the bucket is full again in `reset_ms`. `retry_after_ms` is 0 if allowed.
    """

    allowed: bool
    remaining: int
    reset_ms: int
    retry_after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDrift:
    """A key whose counter of tasks at once was wrong: `recorded` before, `actual` now."""

    key_id: KeyId
    recorded: int
    actual: int


class _NowUs(ColumnElement[int]):
    """Unix microseconds: PostgreSQL's own clock, one for all processes, or on SQLite the machine's, given as now_us."""

    inherit_cache = True
    type = BigInteger()


@compiles(_NowUs, "postgresql")
def _database_clock(_element: _NowUs, _compiler: SQLCompiler, **_options: Any) -> str:
    # Not now(): that stands still from the start of the transaction, also while it waits for the bucket's lock.
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(_NowUs, "sqlite")
def _given_clock(_element: _NowUs, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(bindparam("now_us", type_=BigInteger), **options)


_INTERVAL = bindparam("interval_us", type_=BigInteger)
_WINDOW = bindparam("window_us", type_=BigInteger)


def _build_take_rate_token(insert: Any) -> ClauseElement:
    now = _NowUs()
    arrival = rate_limits.c.arrival_us
    # Over a minute ahead is impossible unless the clock went back: without the first case a caller would be locked
    # out for as long as the clock jumped.
    start = case((arrival > now + _MINUTE_US, now), (arrival > now, arrival), else_=now)
    statement: ClauseElement = (
        insert(rate_limits)
        .values(bucket=bindparam("bucket"), arrival_us=now + _INTERVAL)
        .on_conflict_do_update(
            index_elements=[rate_limits.c.bucket],
            set_={"arrival_us": start + _INTERVAL},
            where=start + _INTERVAL - now <= _WINDOW,
        )
        .returning(arrival, now)
    )
    return statement


_TAKE_RATE_TOKEN = compile_upsert(_build_take_rate_token)
_ARRIVAL = compile_statement(
    select(rate_limits.c.arrival_us, _NowUs()).where(rate_limits.c.bucket == bindparam("bucket"))
)

_TAKE_SLOT = compile_statement(
    update(keys)
    .where(keys.c.id == bindparam("key_id"), keys.c.active_tasks < bindparam("limit", type_=Integer))
    .values(active_tasks=keys.c.active_tasks + 1)
)
_GIVE_SLOT = compile_statement(
    update(keys)
    .where(keys.c.id == bindparam("key_id"), keys.c.active_tasks > 0)
    .values(active_tasks=keys.c.active_tasks - 1)
)
_OPEN_TASKS = (
    select(tasks.c.key_id, func.count().label("open")).where(tasks.c.next_at.is_not(None)).group_by(tasks.c.key_id)
).subquery("open_tasks")
_DRIFTED = compile_statement(
    select(keys.c.id)
    .outerjoin(_OPEN_TASKS, _OPEN_TASKS.c.key_id == keys.c.id)
    .where(keys.c.active_tasks != func.coalesce(_OPEN_TASKS.c.open, literal_column("0")))
    .order_by(keys.c.id)
)
_LOCK_KEY = compile_statement(select(keys.c.active_tasks).where(keys.c.id == bindparam("key_id")).with_for_update())
_COUNT_OPEN = compile_statement(
    select(func.count()).select_from(tasks).where(tasks.c.key_id == bindparam("key_id"), tasks.c.next_at.is_not(None))
)
_SET_SLOTS = compile_statement(
    update(keys).where(keys.c.id == bindparam("key_id")).values(active_tasks=bindparam("actual", type_=Integer))
)


async def take_rate_token(tx: Tx, *, bucket: str, per_minute: int, now_ms: int) -> RateOutcome:
    """Ask `bucket` for one call, at most `per_minute` (1 to 100,000) at once and refilled evenly over a minute.

    The generic cell rate algorithm: a caller that keeps within `per_minute` in every 60 s is never refused, and a
    refused call spends nothing. On PostgreSQL the database's clock counts and `now_ms` is ignored. Allowed or not,
    the bucket's row stays locked until the transaction ends, which puts the submits of one key in a row.
    """
    interval_us = _MINUTE_US // per_minute
    window_us = interval_us * per_minute
    parameters = {
        "bucket": bucket,
        "now_us": now_ms * 1000,
        "interval_us": interval_us,
        "window_us": window_us,
    }
    row = await tx.fetch_one(_TAKE_RATE_TOKEN, parameters)
    if row is not None:
        ahead_us = row[0] - row[1]
        return RateOutcome(
            allowed=True,
            # A server's clock runs on while the statement does; the bucket that was just taken from is not full.
            remaining=min(per_minute - 1, max(0, (window_us - ahead_us) // interval_us)),
            reset_ms=_whole_ms(ahead_us),
            retry_after_ms=0,
        )
    ahead_us = await _ahead_us(tx, parameters)
    return RateOutcome(
        allowed=False,
        remaining=0,
        reset_ms=_whole_ms(ahead_us),
        retry_after_ms=max(1, _whole_ms(ahead_us + interval_us - window_us)),
    )


async def _ahead_us(reader: Reader, parameters: dict[str, object]) -> int:
    row = await reader.fetch_one(_ARRIVAL, parameters)
    return row[0] - row[1] if row is not None else 0


def _whole_ms(us: int) -> int:
    """Round up, so that whoever waits that long is not told once more to wait."""
    return max(0, -(-us // 1000))


async def take_slot(tx: Tx, *, key_id: KeyId, limit: int) -> bool:
    """Count one more task at once for the key; False, and nothing counted, if it has `limit` already."""
    return await tx.execute(_TAKE_SLOT, {"key_id": key_id, "limit": limit}) == 1


async def give_slot(tx: Tx, *, key_id: KeyId) -> bool:
    """Count one task less; False if none was counted.

    A wrong counter must not keep a task from ending: `recount_slots` finds it and says so.
    """
    return await tx.execute(_GIVE_SLOT, {"key_id": key_id}) == 1


async def recount_slots(tx: Tx) -> list[SlotDrift]:
    """Compare every key's counter to its open tasks, set right what differs, and return that."""
    drifts = []
    for (key_id,) in await tx.fetch_all(_DRIFTED, {}):
        # Counted again under the key's lock: a submit that was under way during the first look is no drift.
        locked = await tx.fetch_one(_LOCK_KEY, {"key_id": key_id})
        counted = await tx.fetch_one(_COUNT_OPEN, {"key_id": key_id})
        if locked is None or counted is None or locked[0] == counted[0]:
            continue
        await tx.execute(_SET_SLOTS, {"key_id": key_id, "actual": counted[0]})
        drifts.append(SlotDrift(key_id=KeyId(key_id), recorded=locked[0], actual=counted[0]))
    return drifts
