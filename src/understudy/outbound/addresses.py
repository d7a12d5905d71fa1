"""Which addresses are public: one explicit table (`reliability.md` §2.2, from IANA's special-purpose registries).

`ipaddress.is_global` is not used: on Python 3.11 it calls multicast, 6to4, NAT64 and site-local addresses global.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

SPECIAL_NETWORKS = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/96",  # unspecified, loopback, IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped; judged by the IPv4 address inside before this table is asked
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # local NAT64
        "100::/64",  # discard
        "100:0:0:1::/64",  # dummy prefix
        "2001::/23",  # protocol assignments, Teredo, ORCHID
        "2001:2::/48",  # benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated but still routed by some
        "ff00::/8",  # multicast
    )
)


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `text` spells in full, an IPv4-mapped one as the IPv4 address inside; else None.

    A zone id makes it no address: `fe80::1%eth0` means something else on every machine.
    """
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: str) -> bool:
    """Tell whether `address`, a full IPv4 or IPv6 address, lies outside every special network.

    Whatever is no such address is not public.
    """
    parsed = read_address(address)
    return parsed is not None and not any(parsed in network for network in SPECIAL_NETWORKS)
