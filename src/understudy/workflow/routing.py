"""Which backends can play a task, and in what order they are asked.

Routes with a weight share the traffic by rendezvous hashing over the task's id: the choice is the same after a restart,
and a route that drops out gives its share to the others without moving theirs. Stand-ins (weight 0) come last, in the
order they are written.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from understudy.backends.base import Backend, CannotPlay, Fit, Wanted
from understudy.backends.registry import Registry
from understudy.domain.catalogue import Mode, Model, Route, Size
from understudy.domain.errors import InvalidRequest
from understudy.domain.ids import TaskId
from understudy.domain.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class Casting:
    """One route that can play what is wanted, and how."""

    route: Route
    backend: Backend
    wanted: Wanted
    fit: Fit


def in_order(routes: Sequence[Route], task_id: TaskId) -> list[Route]:
    """Return the routes as this task asks them: by weighted lot first, stand-ins after."""
    drawn = [route for route in routes if route.weight > 0]
    drawn.sort(key=lambda route: _lot(route, task_id), reverse=True)
    return drawn + [route for route in routes if route.weight == 0]


def _lot(route: Route, task_id: TaskId) -> float:
    """Return the score of weighted rendezvous hashing: the highest of several wins in proportion to the weights."""
    digest = hashlib.sha256(f"{task_id}|{route.backend}|{route.model}".encode()).digest()
    uniform = (int.from_bytes(digest[:8], "big") + 1) / (2**64 + 1)
    return -route.weight / math.log(uniform)


def castings(
    routes: Iterable[Route], backends: Registry, *, size: Size, seconds: int, picture: bool
) -> tuple[list[Casting], list[str]]:
    """Return the routes that can play it, in the given order, and for each other one a sentence why it cannot."""
    able, reasons = [], []
    for route in routes:
        backend = backends.get(route.backend)
        if backend is None:
            reasons.append(f"{route.backend}: this server has no backend of that name")
            continue
        wanted = Wanted(model=route.model, size=size, seconds=seconds, picture=picture)
        try:
            able.append(Casting(route, backend, wanted, backend.fit(wanted)))
        except CannotPlay as error:
            reasons.append(f"{route.backend}: {error}")
    return able, reasons


def check_playable(model: Model, request: GenerationRequest, backends: Registry) -> None:
    """Raise `InvalidRequest` if none of the model's backends can play the request: better now than after acceptance.

    The orientation of image-to-video follows a picture that nobody has seen yet: one that can be played is enough.
    """
    if not any(_able(model, backends, size, request.seconds, request.mode) for size in _sizes(model, request)):
        possible = [
            seconds
            for seconds in model.durations
            if any(_able(model, backends, size, seconds, request.mode) for size in _sizes(model, request))
        ]
        if possible:
            allowed = " or ".join(str(seconds) for seconds in possible)
            raise InvalidRequest(
                f"input.duration must be {allowed}: no backend of this model can play {request.seconds}"
            )
        field = "resolution" if request.size is None else "size"
        raise InvalidRequest(f"input.{field} is not played by any backend of this model in mode {request.mode.value}")


def unplayable(model: Model, backends: Registry) -> list[str]:
    """Return what the model offers and no backend of it can play, as in "12 s in 1792*1024": for the operator."""
    missing = []
    for mode in model.modes:
        sizes = model.sizes if mode is Mode.TEXT_TO_VIDEO else tuple(_both_ways(model.resolutions.values()))
        missing += [
            f"{mode.value} of {seconds} s in {size}"
            for seconds in model.durations
            for size in sizes
            if not _able(model, backends, size, seconds, mode)
        ]
    return missing


def _sizes(model: Model, request: GenerationRequest) -> tuple[Size, ...]:
    if request.size is not None:
        return (request.size,)
    return tuple(_both_ways([model.resolutions[request.resolution or next(iter(model.resolutions))]]))


def _both_ways(sizes: Iterable[Size]) -> Iterable[Size]:
    for size in sizes:
        yield size
        yield Size(size.height, size.width)


def _able(model: Model, backends: Registry, size: Size, seconds: int, mode: Mode) -> bool:
    picture = mode is Mode.IMAGE_TO_VIDEO
    return bool(castings(model.routes, backends, size=size, seconds=seconds, picture=picture)[0])
