"""Who plays which model: the catalogue from the settings, checked against the backends that there are."""

import ipaddress
import re
from collections.abc import Iterable

import structlog
from yarl import URL

from understudy.backends.registry import Registry
from understudy.config import ModelSettings, Settings
from understudy.domain.catalogue import DEFAULT_CATALOGUE, Catalogue, Mode, Model, Route, Size
from understudy.domain.errors import OperatorError
from understudy.outbound.addresses import is_public
from understudy.workflow.routing import unplayable

_log = structlog.get_logger(__name__)


def build_catalogue(settings: Settings, backends: Registry) -> Catalogue:
    """Return the built-in models with the settings' own over them.

    Raises `OperatorError` for a route to a backend that does not exist, and for a model that nobody can play at all.
    What a model offers and none of its backends can play is logged: such requests are refused with a 400.
    """
    rows = {model.name: model for model in DEFAULT_CATALOGUE}
    rows |= {name: _model(name, given) for name, given in settings.models.items()}
    for model in rows.values():
        _check(model, backends)
    return Catalogue(tuple(rows.values()))


def _model(name: str, given: ModelSettings) -> Model:
    star = next(iter(DEFAULT_CATALOGUE))
    routes = tuple(Route(backend=route.backend, model=route.model, weight=route.weight) for route in given.routes)
    return Model(
        name=name,
        routes=routes,
        modes=tuple(map(Mode, given.modes)) if given.modes else star.modes,
        durations=given.durations or star.durations,
        sizes=_sizes(given.sizes) or star.sizes,
        resolutions=_resolutions(given.resolutions) if given.resolutions else star.resolutions,
        prompt_characters=given.prompt_characters or star.prompt_characters,
    )


def _sizes(texts: Iterable[str] | None) -> tuple[Size, ...]:
    return tuple(Size(*(int(part) for part in re.split(r"[*x]", text))) for text in texts or ())


def _resolutions(texts: dict[str, str]) -> dict[str, Size]:
    """Read the landscape form of each resolution, whichever way round it is written."""
    return {name: Size(max(size.width, size.height), min(size.width, size.height)) for name, size in _named(texts)}


def _named(texts: dict[str, str]) -> Iterable[tuple[str, Size]]:
    return zip(texts, _sizes(texts.values()), strict=True)


def _check(model: Model, backends: Registry) -> None:
    for route in model.routes:
        if backends.get(route.backend) is None:
            known = ", ".join(backend.name for backend in backends)
            raise OperatorError(
                f"[models.{model.name}] has a route to the backend {route.backend}, which does not exist: there are "
                f"{known}; add [backends.{route.backend}] or mend the name."
            )
    missing = unplayable(model, backends)
    offered = len(model.durations) * sum(
        len(model.sizes) if mode is Mode.TEXT_TO_VIDEO else 2 * len(model.resolutions) for mode in model.modes
    )
    if len(missing) >= offered:
        raise OperatorError(
            f"[models.{model.name}] offers nothing that its backends can play, such as {missing[0]}: change its "
            "durations, sizes and resolutions, or its routes."
        )
    if missing:
        _log.warning("requests of these kinds are refused: no backend plays them", model=model.name, kinds=missing)


def called_back(settings: Settings, backends: Registry, public_url: str) -> frozenset[str]:
    """Return the backends whose upstream is given an address to call: those that can, where it can reach us.

    `webhooks` in a backend's table decides; unset, `public_url` must be HTTPS on a host that is not private.
    """
    reachable = _publicly_reachable(public_url)
    wanted = {name: table.get("webhooks") for name, table in settings.backends.items()}
    return frozenset(
        backend.name
        for backend in backends
        if backend.traits.webhooks and (wanted.get(backend.name) or (wanted.get(backend.name) is None and reachable))
    )


def _publicly_reachable(public_url: str) -> bool:
    url = URL(public_url)
    host = url.host or ""
    if url.scheme != "https" or "." not in host:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return not host.endswith((".local", ".internal", ".invalid", ".test", ".example", ".localhost"))
    return is_public(host)
