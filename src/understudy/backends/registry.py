"""Finds the backends: every module of `backends/upstream/` is one, by being there.

The import is hidden from the reader on purpose, so that adding a backend is adding a file; `understudy doctor` prints
what was found. Such a module defines `create(context: Context) -> Backend`.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import cast

from understudy.backends import upstream
from understudy.backends.base import Backend, Context


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
    """Return the names of the modules found, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(upstream.__path__)))


def load_backends(context: Context) -> Registry:
    """Create every backend found."""
    modules = (importlib.import_module(f"{upstream.__name__}.{name}") for name in upstream_names())
    return Registry(tuple(cast("Backend", module.create(context)) for module in modules))
