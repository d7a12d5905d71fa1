"""What callers' addresses may reach: public hosts on a few ports, and what the operator listed.

An entry of `UNDERSTUDY_OUTBOUND_ALLOW` is a network (`10.0.0.0/8`), an address (`127.0.0.1`, `[::1]:9000`) or a host
(`hooks.internal`, `hooks.internal:8080`). It opens private addresses, plain HTTP and any port, or the one it names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Network, IPv6Network, ip_network

from yarl import URL

from understudy.domain.errors import OperatorError
from understudy.domain.url import parse_url
from understudy.outbound.addresses import is_public, read_address

DEFAULT_PORTS = (443, 8443, 80, 8080)

NOT_PUBLIC = "must be an HTTPS URL with a public host"

_MAPPED = IPv6Network("::ffff:0:0/96")
_ENTRY = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?\Z")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


class Reach(Enum):
    """How far one request may go; each connection attempt is judged by it."""

    PUBLIC = auto()  # public addresses on the default ports, and allowed networks
    NETWORKS = auto()  # allowed networks only
    LISTED = auto()  # the operator listed this very host: whatever it resolves to


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A host name that the operator trusts, on `port` or on any."""

    name: str
    port: int | None


@dataclass(frozen=True, slots=True)
class AllowedNetwork:
    """A network that the operator trusts, on `port` or on any."""

    network: IPv4Network | IPv6Network
    port: int | None


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """The operator's list, and the rules for everything that is not on it."""

    hosts: tuple[AllowedHost, ...] = ()
    networks: tuple[AllowedNetwork, ...] = ()

    @classmethod
    def parse(cls, allow: Sequence[str]) -> "OutboundPolicy":
        """Read the entries of `UNDERSTUDY_OUTBOUND_ALLOW`; blank ones are skipped.

        Raises `OperatorError` naming the first entry that is neither a network, nor an address, nor a host.
        """
        entries = [_read_entry(text.strip()) for text in allow if text.strip()]
        return cls(
            hosts=tuple(entry for entry in entries if isinstance(entry, AllowedHost)),
            networks=tuple(entry for entry in entries if isinstance(entry, AllowedNetwork)),
        )

    def check_callback(self, url: str) -> None:
        """Judge a callback address when a task is submitted, without asking the network (`contract.md` §2).

        A name is judged again by its addresses at every attempt. In plain HTTP it must be listed by name, or be
        `localhost` where the operator allows a loopback address: an address that stands behind a name later must not
        decide whether a caller's callback travels in the clear.

        Raises `ValueError` with the end of a sentence that begins with the field's name.
        """
        parsed = parse_url(url)
        host, port = host_of(parsed), _port_of(parsed)
        if self._opens(host, port):
            return
        local = host == "localhost" or host.endswith(".localhost")
        private = local if read_address(host) is None else not is_public(host)
        if parsed.scheme != "https" or private or is_legacy_numeric(host):
            raise ValueError(NOT_PUBLIC)
        # A name may resolve to an allowed network, where every port is open.
        may_be_inside = bool(self.networks) and read_address(host) is None
        if port not in DEFAULT_PORTS and not may_be_inside:
            raise ValueError("must use port 443, 8443, 80 or 8080")

    def _opens(self, host: str, port: int) -> bool:
        """Tell whether an entry opens `host` and `port`, as it is written."""
        if host == "localhost" or host.endswith(".localhost"):  # always loopback (RFC 6761 §6.3)
            loopback = any(self._in_networks(address, port) for address in ("127.0.0.1", "::1"))
            return loopback or self._lists(host, port)
        return self._lists(host, port) or self._in_networks(host, port)

    def reach(self, url: URL, *, plain_http: bool) -> Reach | None:
        """Say how far a request to `url`, a result of `parse_url`, may go; None if it may not be made at all.

        `plain_http` tells whether the open internet may be asked without TLS.
        """
        host = host_of(url)
        if self._lists(host, _port_of(url)):
            return Reach.LISTED
        if is_legacy_numeric(host):
            return None
        if url.scheme == "https" or plain_http:
            return Reach.PUBLIC
        return Reach.NETWORKS if self.networks else None

    def permits(self, reach: Reach, address: str, port: int) -> bool:
        """Tell whether a connection to `address` and `port` may be made for a request of this reach."""
        if reach is Reach.LISTED or self._in_networks(address, port):
            return True
        return reach is Reach.PUBLIC and port in DEFAULT_PORTS and is_public(address)

    def _lists(self, host: str, port: int) -> bool:
        return any(entry.name == host and entry.port in (None, port) for entry in self.hosts)

    def _in_networks(self, text: str, port: int) -> bool:
        address = read_address(text)
        return address is not None and any(
            address in entry.network and entry.port in (None, port) for entry in self.networks
        )


def host_of(url: URL) -> str:
    """Return the host as the connection will use it: ASCII, lower case, without brackets or the root's dot."""
    host = (url.raw_host or "").lower()
    return host if is_legacy_numeric(host) else host.removesuffix(".")


def is_legacy_numeric(host: str) -> bool:
    """Tell whether `host` is a number that some resolver reads as an address though it is not one in full.

    That is the WHATWG URL rule "ends in a number": `127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`, `127.0.0.1.`.
    """
    if ":" in host or read_address(host) is not None:
        return False
    return _NUMBER.match(host.removesuffix(".").rsplit(".", 1)[-1]) is not None


def _port_of(url: URL) -> int:
    return url.port or 0  # parse_url refuses a URL without one


def _read_entry(text: str) -> AllowedHost | AllowedNetwork:
    network = _read_network(text)
    if network is not None:
        return AllowedNetwork(network, None)
    match = _ENTRY.match(text)
    if match is None:
        raise _bad_entry(text)
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 1 <= port <= 65535:
        raise _bad_entry(text)
    network = None if "/" in text else _read_network(match["v6"] or match["host"])
    if network is not None:
        return AllowedNetwork(network, port)
    if match["host"] is None:
        raise _bad_entry(text)
    return AllowedHost(_read_name(match["host"], text), port)


def _read_network(text: str) -> IPv4Network | IPv6Network | None:
    if "%" in text:
        return None
    try:
        network = ip_network(text)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        # Addresses are judged by the IPv4 address inside, so the network must be that one too.
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def _read_name(name: str, entry: str) -> str:
    try:
        host = host_of(URL.build(scheme="http", host=name))
    except ValueError:
        raise _bad_entry(entry) from None
    if _NAME.match(host) is None or is_legacy_numeric(host):
        raise _bad_entry(entry)
    return host


def _bad_entry(text: str) -> OperatorError:
    return OperatorError(
        f"UNDERSTUDY_OUTBOUND_ALLOW: {text!r} is neither a network such as 10.0.0.0/8 (no bits set behind the prefix), "
        "nor an address such as 127.0.0.1 or [::1]:9000, nor a host such as hooks.internal or hooks.internal:8080"
    )
