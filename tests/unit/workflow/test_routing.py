"""Who is asked to play a task: able backends only, by weight, the same after a restart."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tests.unit.workflow.conftest import ScriptedBackend
from understudy.backends.base import Fit, Wanted
from understudy.backends.registry import Registry
from understudy.domain.catalogue import Mode, Model, Route, Size
from understudy.domain.errors import InvalidRequest
from understudy.domain.ids import TaskId, new_task_id
from understudy.domain.request import GenerationRequest
from understudy.workflow.routing import castings, check_playable, in_order, unplayable

ROUTES = (
    Route(backend="a", weight=3),
    Route(backend="b", weight=1),
    Route(backend="c", weight=0),
    Route(backend="d", weight=0),
)


def _registry(*names: str, cannot: tuple[str, ...] = ()) -> Registry:
    backends = []
    for name in names:
        backend = ScriptedBackend(free=False)
        backend.name = name
        backend.cannot = "it can only do 5 s" if name in cannot else None
        backends.append(backend)
    return Registry(tuple(backends))


def _request(seconds: int = 4) -> GenerationRequest:
    return GenerationRequest(mode=Mode.TEXT_TO_VIDEO, prompt="a cat", seconds=seconds, size=Size(1280, 720))


def test_traffic_is_shared_by_weight() -> None:
    first = Counter(in_order(ROUTES, new_task_id())[0].backend for _ in range(4000))

    assert 0.70 < first["a"] / 4000 < 0.80
    assert first["a"] + first["b"] == 4000


@given(st.text(min_size=1, max_size=40))
def test_a_task_asks_its_routes_in_the_same_order_every_time(text: str) -> None:
    assert in_order(ROUTES, TaskId(text)) == in_order(ROUTES, TaskId(text))


@given(st.text(min_size=1, max_size=40))
def test_stand_ins_come_last_in_the_order_they_are_written(text: str) -> None:
    assert [route.backend for route in in_order(ROUTES, TaskId(text))[2:]] == ["c", "d"]


@given(st.text(min_size=1, max_size=40))
def test_a_route_that_drops_out_does_not_move_the_share_of_the_others(text: str) -> None:
    three = (*ROUTES[:2], Route(backend="e", weight=2))
    with_all = [route.backend for route in in_order(three, TaskId(text))]

    for gone in three:
        left = tuple(route for route in three if route is not gone)
        assert [route.backend for route in in_order(left, TaskId(text))] == [
            name for name in with_all if name != gone.backend
        ]


def test_a_backend_that_cannot_do_the_length_is_left_out_with_its_reason() -> None:
    able, reasons = castings(
        ROUTES, _registry("a", "b", "c", "d", cannot=("a",)), size=Size(1280, 720), seconds=4, picture=False
    )

    assert [casting.backend.name for casting in able] == ["b", "c", "d"]
    assert reasons == ["a: it can only do 5 s"]


def test_a_route_to_a_backend_that_is_gone_is_left_out() -> None:
    able, reasons = castings(ROUTES, _registry("b"), size=Size(1280, 720), seconds=4, picture=False)

    assert [casting.backend.name for casting in able] == ["b"]
    assert "a: this server has no backend of that name" in reasons


def test_what_nobody_can_play_is_refused_before_it_is_accepted() -> None:
    model = Model(name="m", routes=ROUTES)

    check_playable(model, _request(), _registry("a", "b", cannot=("a",)))
    with pytest.raises(InvalidRequest, match=r"input\.size is not played"):
        check_playable(model, _request(), _registry("a", "b", cannot=("a", "b")))


def test_the_refusal_names_the_lengths_that_can_be_played() -> None:
    class OnlyEight(ScriptedBackend):
        @override
        def fit(self, wanted: Wanted) -> Fit:
            self.cannot = None if wanted.seconds == 8 else "8 s only"
            return super().fit(wanted)

    backend = OnlyEight(free=False)
    backend.name = "a"

    with pytest.raises(InvalidRequest, match=r"^input\.duration must be 8: no backend of this model can play 12$"):
        check_playable(Model(name="m", routes=ROUTES), _request(12), Registry((backend,)))


def test_an_operator_is_told_everything_that_cannot_be_played() -> None:
    model = Model(name="m", routes=ROUTES[:1], durations=(4, 8), sizes=(Size(1280, 720),), resolutions={})

    assert unplayable(model, _registry("a")) == []
    assert unplayable(model, _registry("a", cannot=("a",))) == [
        "text-to-video of 4 s in 1280*720",
        "text-to-video of 8 s in 1280*720",
    ]
