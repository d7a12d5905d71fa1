"""Which addresses are public."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.outbound.addresses import SPECIAL_NETWORKS, is_public, read_address

# The table written a second time, so that a slip of the pen in either shows.
IPV4_SPECIAL = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
IPV6_SPECIAL = [
    "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
    "2001:2::/48", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
    "ff00::/8",
]  # fmt: skip


def inside(number: int, networks: list[str], bits: int) -> bool:
    """Tell whether `number` shares the prefix of one of `networks`."""
    for text in networks:
        network = ip_network(text)
        shift = bits - network.prefixlen
        if number >> shift == int(network.network_address) >> shift:
            return True
    return False


def near(text: str) -> st.SearchStrategy[int]:
    """Numbers in the network and just outside both its ends."""
    network = ip_network(text)
    first, last = int(network[0]), int(network[-1])
    return st.integers(max(first - 2, 0), min(last + 2, 2**128 - 1))


@pytest.mark.parametrize("network", [*IPV4_SPECIAL, *IPV6_SPECIAL])
def test_both_ends_of_every_special_network_are_refused(network: str) -> None:
    assert not is_public(str(ip_network(network)[0]))
    assert not is_public(str(ip_network(network)[-1]))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2001:200::1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8",
    ],
)  # fmt: skip
def test_addresses_beside_the_special_networks_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "169.254.169.254", "0.0.0.0", "255.255.255.255", "::", "::1",
        "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::127.0.0.1", "::7f00:1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "2001:0:7f00:1::", "fec0::1",
        "fd00:ec2::254", "ff02::1", "fe80::1", "fe80::1%eth0", "2606:4700:4700::1111%1",
    ],
)  # fmt: skip
def test_mapped_translated_and_scoped_forms_do_not_get_around_the_table(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost", "example.com", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "[::1]",
        "1.1.1.1/32", " 1.1.1.1",
    ],
)  # fmt: skip
def test_what_is_not_an_address_in_full_is_not_public(text: str) -> None:
    assert read_address(text) is None
    assert not is_public(text)


@given(st.integers(0, 2**32 - 1))
def test_any_ipv4_address_is_judged_by_its_prefix_plain_and_mapped(number: int) -> None:
    expected = not inside(number, IPV4_SPECIAL, 32)

    assert is_public(str(IPv4Address(number))) is expected
    assert is_public(str(IPv6Address((0xFFFF << 32) | number))) is expected
    assert is_public(f"::ffff:{IPv4Address(number)}") is expected


@given(st.one_of(st.integers(0, 2**128 - 1), st.sampled_from(IPV6_SPECIAL).flatmap(near)))
def test_any_ipv6_address_is_judged_by_its_prefix(number: int) -> None:
    mapped = number >> 32 == 0xFFFF
    expected = not (inside(number & 0xFFFFFFFF, IPV4_SPECIAL, 32) if mapped else inside(number, IPV6_SPECIAL, 128))

    assert is_public(str(IPv6Address(number))) is expected


@given(st.text(max_size=50))
def test_no_text_makes_the_judgement_raise(text: str) -> None:
    assert is_public(text) in (True, False)


def test_the_table_has_no_row_too_many() -> None:
    # Compared as networks: Python 3.13 writes `::ffff:0:0/96` another way.
    assert set(SPECIAL_NETWORKS) == {ip_network(text) for text in [*IPV4_SPECIAL, *IPV6_SPECIAL]}
    assert len(SPECIAL_NETWORKS) == len(IPV4_SPECIAL) + len(IPV6_SPECIAL)
