"""Finds the backends: every module of `backends/upstream/` is a kind, by being there.

The import is hidden from the reader on purpose, so that adding a backend is adding a file; `understudy doctor` prints
what was found. Such a module defines `FACTS`, `Options` and `create(name, options, context)`.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol, cast

from pydantic import ValidationError

from understudy.backends import upstream
from understudy.backends.base import Backend, Context
from understudy.backends.facts import Facts
from understudy.backends.options import BackendOptions
from understudy.domain.errors import OperatorError

BUILT_IN = "animatic"
"""The kind that needs no settings; a backend of this name is always there."""


class UpstreamModule(Protocol):
    """What a module of `backends/upstream/` defines."""

    FACTS: Facts
    Options: type[BackendOptions]

    def create(self, name: str, options: BackendOptions, context: Context) -> Backend:
        """Return the backend called `name`; raise `OperatorError` for what cannot work."""
        ...


class Registry:
    """The backends of this process, by name."""

    def __init__(self, backends: tuple[Backend, ...]) -> None:
        self._backends = {backend.name: backend for backend in backends}

    def get(self, name: str) -> Backend | None:
        """Return the backend called `name`, or None if this server has none."""
        return self._backends.get(name)

    def __iter__(self) -> Iterator[Backend]:
        """Iterate over the backends."""
        return iter(self._backends.values())

    async def close(self) -> None:
        """Close every backend."""
        for backend in self:
            await backend.close()


def upstream_names() -> tuple[str, ...]:
    """Return the kinds found, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(upstream.__path__)))


def upstream_module(kind: str) -> UpstreamModule:
    """Return the module of one of `upstream_names()`."""
    return cast("UpstreamModule", importlib.import_module(f"{upstream.__name__}.{kind}"))


def load_backends(tables: Mapping[str, Mapping[str, object]], context: Context) -> Registry:
    """Create the built-in backend and one for each table `[backends.NAME]`.

    A table's `kind` is its name unless it says otherwise. Raises `OperatorError` with the sentence that says how to
    mend it.
    """
    if BUILT_IN in tables:
        raise OperatorError(f"[backends.{BUILT_IN}] is built in and takes no table: choose another name.")
    backends = [upstream_module(BUILT_IN).create(BUILT_IN, BackendOptions(), context)]
    for name, table in tables.items():
        kind = table.get("kind", name)
        if kind not in upstream_names() or not isinstance(kind, str):
            known = ", ".join(other for other in upstream_names() if other != BUILT_IN)
            raise OperatorError(f"[backends.{name}] has the unknown kind {kind!r}: kind must be one of {known}.")
        module = upstream_module(kind)
        given = {key: value for key, value in table.items() if key != "kind"}
        try:
            options = module.Options.model_validate(given)
        except ValidationError as error:
            raise OperatorError(_sentence(name, kind, error)) from None
        backend = module.create(name, options, context)
        if options.reconcile_seconds is not None:
            backend.traits = replace(backend.traits, reconcile_seconds=options.reconcile_seconds)
        backends.append(backend)
    return Registry(tuple(backends))


def _sentence(name: str, kind: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        if where == "api_key":
            return (
                f"[backends.{name}] must not hold a key itself, since the file may be shared: put it into a file or a "
                "variable and name that with api_key_file or api_key_env."
            )
        return f"[backends.{name}] has the unknown setting {where}: docs/backends/{kind}.md lists the names."
    text = first["msg"].removeprefix("Value error, ")
    return f"[backends.{name}]{f' {where}' if where else ''} is wrong: {text[0].lower()}{text[1:]}."
