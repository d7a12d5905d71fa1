"""Rows of the backends' circuits: one for each backend, shared by all processes."""

from typing import Any

from sqlalchemy import ClauseElement, bindparam, select

from understudy.db.base import Reader, Row, Tx, compile_statement, compile_upsert
from understudy.db.tables import backend_health
from understudy.domain.circuit import Circuit

_COLUMNS = (
    backend_health.c.name,
    backend_health.c.consecutive_faults,
    backend_health.c.outcomes,
    backend_health.c.openings,
    backend_health.c.open_until,
    backend_health.c.probe_until,
    backend_health.c.gap_ms,
    backend_health.c.next_submit_at,
    backend_health.c.reason,
)

_BY_NAME = select(*_COLUMNS).where(backend_health.c.name == bindparam("name"))
_GET = compile_statement(_BY_NAME)
_LOCK = compile_statement(_BY_NAME.with_for_update())
_ALL = compile_statement(select(*_COLUMNS).order_by(backend_health.c.name))


def _build_insert_missing(insert: Any) -> ClauseElement:
    statement: ClauseElement = insert(backend_health).on_conflict_do_nothing(index_elements=[backend_health.c.name])
    return statement


def _build_put(insert: Any) -> ClauseElement:
    row = insert(backend_health)
    statement: ClauseElement = row.on_conflict_do_update(
        index_elements=[backend_health.c.name],
        set_={column.name: row.excluded[column.name] for column in backend_health.c if not column.primary_key},
    )
    return statement


_INSERT_MISSING = compile_upsert(_build_insert_missing)
_PUT = compile_upsert(_build_put)


async def get_circuit(reader: Reader, *, name: str) -> Circuit:
    """Return the backend's circuit; one that never was written is closed."""
    row = await reader.fetch_one(_GET, {"name": name})
    return _circuit(row) if row is not None else Circuit(name=name)


async def all_circuits(reader: Reader) -> list[Circuit]:
    """Return every circuit that was ever written, by name."""
    return [_circuit(row) for row in await reader.fetch_all(_ALL, {})]


async def lock_circuit(tx: Tx, *, name: str) -> Circuit:
    """Return the circuit and keep others from it until the transaction ends, so that no two see room for one probe."""
    row = await tx.fetch_one(_LOCK, {"name": name})
    if row is not None:
        return _circuit(row)
    # A row that is not there cannot be locked; of two that insert it at once the second waits for the first's commit.
    fresh = Circuit(name=name)
    await tx.execute(_INSERT_MISSING, _row(fresh, now_ms=0))
    row = await tx.fetch_one(_LOCK, {"name": name})
    return _circuit(row) if row is not None else fresh


async def put_circuit(tx: Tx, circuit: Circuit, *, now_ms: int) -> None:
    """Keep what has become of a circuit that `lock_circuit` returned in this transaction."""
    await tx.execute(_PUT, _row(circuit, now_ms=now_ms))


def _row(circuit: Circuit, *, now_ms: int) -> dict[str, object]:
    return {
        "name": circuit.name,
        "consecutive_faults": circuit.consecutive_faults,
        "outcomes": circuit.outcomes,
        "openings": circuit.openings,
        "open_until": circuit.open_until_ms,
        "probe_until": circuit.probe_until_ms,
        "gap_ms": circuit.gap_ms,
        "next_submit_at": circuit.next_submit_at_ms,
        "reason": circuit.reason,
        "updated_at": now_ms,
    }


def _circuit(row: Row) -> Circuit:
    return Circuit(
        name=row[0],
        consecutive_faults=row[1],
        outcomes=row[2],
        openings=row[3],
        open_until_ms=row[4],
        probe_until_ms=row[5],
        gap_ms=row[6],
        next_submit_at_ms=row[7],
        reason=row[8],
    )
