"""What comes back from a child: its result, its progress, its verdict, its failure."""

import math
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.sandbox import targets
from tests.unit.sandbox.conftest import LIMITS
from understudy.sandbox.errors import ChildCrashed, ChildOutOfMemory, ChildRaised, ChildTimeout, Rejected
from understudy.sandbox.limits import MIB
from understudy.sandbox.runner import Sandbox

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.lists(json_values, min_size=20, max_size=30))
async def test_any_json_makes_the_round_trip(sandbox: Sandbox, value: object) -> None:
    assert await sandbox.run(targets.echo, {"value": value}, limits=LIMITS) == value


async def test_what_a_library_prints_is_not_taken_for_an_answer(sandbox: Sandbox) -> None:
    assert await sandbox.run(targets.chatter, {}, limits=LIMITS) == "genuine"


async def test_progress_arrives_in_order_before_the_result(sandbox: Sandbox) -> None:
    heard: list[float] = []

    result = await sandbox.run(targets.report_quarters, {}, limits=LIMITS, on_progress=heard.append)

    assert result == "done"
    assert heard == [0, 0.25, 0.5, 0.75, 1]


async def test_progress_is_at_most_twenty_a_second_and_at_most_one(sandbox: Sandbox) -> None:
    heard: list[float] = []

    await sandbox.run(targets.report_often, {}, limits=LIMITS, on_progress=heard.append)

    assert 1 <= len(heard) <= 11
    assert set(heard) == {1.0}


async def test_progress_that_nobody_asked_for_is_dropped(sandbox: Sandbox) -> None:
    assert await sandbox.run(targets.report_quarters, {}, limits=LIMITS) == "done"


async def test_what_the_listener_raises_ends_the_call(sandbox: Sandbox) -> None:
    """Also a `TimeoutError`, which must not be taken for the sandbox's own."""

    def listen(_fraction: float) -> None:
        raise TimeoutError("of the listener")

    with pytest.raises(TimeoutError, match="of the listener"):
        await sandbox.run(targets.report_quarters, {}, limits=LIMITS, on_progress=listen)


async def test_a_verdict_travels_with_its_words(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as caught:
        await sandbox.run(targets.refuse, {}, limits=LIMITS)

    assert (caught.value.code, caught.value.message) == ("too_odd", "It is too odd")


async def test_an_exception_travels_by_name_with_the_last_8_kib_of_output(sandbox: Sandbox) -> None:
    with pytest.raises(ChildRaised) as caught:
        await sandbox.run(targets.complain_and_raise, {"characters": 100_000}, limits=LIMITS)

    assert (caught.value.type_name, caught.value.message) == ("KeyError", "'lost'")
    assert len(caught.value.stderr) == 8192
    assert "the end" in caught.value.stderr
    assert "Traceback" in caught.value.stderr


async def test_sys_exit_is_an_exception_like_any_other(sandbox: Sandbox) -> None:
    with pytest.raises(ChildRaised, match="SystemExit: 3"):
        await sandbox.run(targets.leave, {}, limits=LIMITS)


async def test_a_segmentation_fault_is_a_crash_with_the_stack_in_its_output(sandbox: Sandbox) -> None:
    with pytest.raises(ChildCrashed) as caught:
        await sandbox.run(targets.crash, {}, limits=LIMITS)

    assert caught.value.exit == -signal.SIGSEGV
    assert "targets.py" in caught.value.stderr


async def test_memory_is_limited_and_want_of_it_is_named_so(sandbox: Sandbox) -> None:
    limits = replace(LIMITS, memory_bytes=128 * MIB)

    assert await sandbox.run(targets.take_memory, {"mebibytes": 80}, limits=limits) == 80
    with pytest.raises(ChildOutOfMemory, match="more than 134217728 bytes"):
        await sandbox.run(targets.take_memory, {"mebibytes": 128}, limits=limits)


async def test_a_kill_from_outside_is_taken_for_want_of_memory(sandbox: Sandbox) -> None:
    with pytest.raises(ChildOutOfMemory, match="killed from outside"):
        await sandbox.run(targets.killed_from_outside, {}, limits=LIMITS)


async def test_wall_time_is_limited(sandbox: Sandbox) -> None:
    with pytest.raises(ChildTimeout):
        await sandbox.run(targets.sleep, {"seconds": 60}, limits=replace(LIMITS, wall_seconds=0.3))


async def test_processor_time_is_limited(sandbox: Sandbox) -> None:
    with pytest.raises(ChildTimeout):
        await sandbox.run(targets.spin, {}, limits=replace(LIMITS, cpu_seconds=1))


async def test_an_answer_over_1_mib_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ChildRaised, match="at most 1048576 are allowed"):
        await sandbox.run(targets.too_much, {}, limits=LIMITS)


async def test_a_result_that_is_no_json_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ChildRaised, match="TypeError"):
        await sandbox.run(targets.unspeakable, {}, limits=LIMITS)


async def test_arguments_the_target_does_not_take_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ChildRaised, match="TypeError"):
        await sandbox.run(targets.echo, {"other": 1}, limits=LIMITS)


async def test_arguments_that_are_no_json_are_refused_here(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="JSON"):
        await sandbox.run(targets.echo, {"value": math.nan}, limits=LIMITS)


def _local_target() -> Callable[[], None]:
    def local() -> None: ...

    return local


@pytest.mark.parametrize("target", [_local_target(), lambda: None, Sandbox.close], ids=["local", "lambda", "method"])
async def test_a_target_without_an_importable_name_is_refused(sandbox: Sandbox, target: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="top level"):
        await sandbox.run(target, {}, limits=LIMITS)
