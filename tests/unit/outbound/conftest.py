"""A resolver that answers from a table, for names that must not be asked of the network."""

import socket
from collections.abc import Callable, Iterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult


class TableResolver(AbstractResolver):
    """Each look-up of a name gives the next of its answers, the last one from then on."""

    def __init__(self, table: dict[str, list[list[str]]]) -> None:
        self.lookups: list[str] = []
        self._answers: dict[str, Iterator[list[str]]] = {name: iter(answers) for name, answers in table.items()}
        self._current: dict[str, list[str]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.lookups.append(host)
        if host not in self._answers or family is not socket.AF_UNSPEC:
            raise OSError("name not known")
        self._current[host] = next(self._answers[host], self._current.get(host, []))
        return [_result(host, address, port) for address in self._current[host]]

    async def close(self) -> None:
        """Nothing is open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)


@pytest.fixture
def names() -> Callable[..., TableResolver]:
    """Make a resolver: `names(**{"a.test": [["93.184.216.34"], ["127.0.0.1"]]})`."""
    return lambda **table: TableResolver(table)
