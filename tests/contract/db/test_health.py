"""Rows of the backends' circuits, shared by all processes."""

import asyncio
from functools import partial

from tests.contract.db.rows import NOW
from understudy.db import health
from understudy.db.base import Database, Reader, Tx
from understudy.db.connect import open_database
from understudy.domain.circuit import Admission, Circuit, Go, admit, fault

_FULL = Circuit(
    name="fal",
    consecutive_faults=4,
    outcomes="+-" * 10,
    openings=7,
    open_until_ms=NOW + 1,
    probe_until_ms=NOW + 2,
    gap_ms=60_000,
    next_submit_at_ms=NOW + 3,
    reason="status 502: 'oops' 🙈",
)


async def _put(database: Database, circuit: Circuit) -> None:
    await database.transact(lambda tx: health.put_circuit(tx, circuit, now_ms=NOW))


async def _get(database: Database, name: str) -> Circuit:
    return await database.read(partial(health.get_circuit, name=name))


async def test_backend_without_a_row_has_a_fresh_circuit(database: Database) -> None:
    assert await _get(database, "fal") == Circuit(name="fal")
    assert await database.read(health.all_circuits) == []


async def test_circuit_is_read_as_it_was_put(database: Database) -> None:
    await _put(database, _FULL)

    assert await _get(database, "fal") == _FULL


async def test_putting_again_replaces_every_field_even_by_nothing(database: Database) -> None:
    await _put(database, _FULL)
    await _put(database, Circuit(name="fal"))

    assert await _get(database, "fal") == Circuit(name="fal")


async def test_circuits_are_listed_by_name(database: Database) -> None:
    for name in ("replicate", "fal", "openrouter"):
        await _put(database, Circuit(name=name))

    assert [circuit.name for circuit in await database.read(health.all_circuits)] == ["fal", "openrouter", "replicate"]


async def test_locking_makes_the_row_that_is_missing_and_returns_the_one_that_is_there(database: Database) -> None:
    lock = partial(health.lock_circuit, name="fal")

    assert await database.transact(lock) == Circuit(name="fal")
    assert [circuit.name for circuit in await database.read(health.all_circuits)] == ["fal"]
    await _put(database, _FULL)
    assert await database.transact(lock) == _FULL


async def _count_fault(tx: Tx) -> None:
    circuit = await health.lock_circuit(tx, name="fal")
    await health.put_circuit(tx, fault(circuit, NOW, "gone"), now_ms=NOW)


async def test_of_outcomes_told_at_once_none_is_lost(url: str) -> None:
    """From two processes, and also where none of them finds a row yet."""
    databases = [await open_database(url, migrate=False) for _ in range(2)]
    try:
        await asyncio.gather(*(databases[number % 2].transact(_count_fault) for number in range(4)))
        circuit = await _get(databases[0], "fal")

        assert (circuit.consecutive_faults, circuit.outcomes) == (4, "----")
    finally:
        for database in databases:
            await database.close()


async def _ask(tx: Tx) -> Admission:
    admission, circuit = admit(await health.lock_circuit(tx, name="fal"), NOW)
    await health.put_circuit(tx, circuit, now_ms=NOW)
    return admission


async def test_of_many_that_ask_at_once_one_is_the_probe(url: str) -> None:
    databases = [await open_database(url, migrate=False) for _ in range(2)]
    try:
        await _put(databases[0], Circuit(name="fal", openings=1, open_until_ms=NOW - 1, reason="gone"))
        admissions = await asyncio.gather(*(databases[number % 2].transact(_ask) for number in range(20)))

        assert [admission for admission in admissions if isinstance(admission, Go)] == [Go(probe=True)]
    finally:
        for database in databases:
            await database.close()


async def test_reading_a_circuit_waits_for_nobody(postgres_database: Database) -> None:
    """A status page must not hang on a transaction that has the row locked."""
    await _put(postgres_database, _FULL)
    seen: list[Circuit] = []

    async def body(tx: Tx) -> None:
        await health.lock_circuit(tx, name="fal")
        await health.put_circuit(tx, Circuit(name="fal"), now_ms=NOW)
        seen.append(await asyncio.wait_for(_get(postgres_database, "fal"), 3))

    async def first(reader: Reader) -> Circuit:
        return await health.get_circuit(reader, name="fal")

    await postgres_database.transact(body)
    assert seen == [_FULL]
    assert await postgres_database.read(first) == Circuit(name="fal")
