"""What the operator's list opens, and what a callback address may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from understudy.domain.errors import OperatorError
from understudy.outbound.policy import OutboundPolicy, Reach, is_legacy_numeric

NOTHING_LISTED = OutboundPolicy.parse([])

FORBIDDEN_HOSTS = [
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433",
    "0x7f.1", "0x7f000001", "0X7F.0.0.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0", "10.0.0.1", "192.168.1.1",
    "169.254.169.254", "100.100.100.200", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
    "[64:ff9b::8.8.8.8]", "[2002:7f00:1::]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "\uff11\uff12\uff17.0.0.1", "ⓛocalhost", "1.2.3.4.5", "256.1.1.1", "1.1.1.1.", "0x",
]  # fmt: skip


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_a_callback_to_an_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"^must be an HTTPS URL with a public host$"):
        NOTHING_LISTED.check_callback(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook", "https://example.com:8443/", "https://exämple.com", "https://8.8.8.8/x?y=1",
        "https://[2606:4700:4700::1111]/", "https://1.example.com", "https://0x7f.example.com", "https://localhost.example",
    ],
)  # fmt: skip
def test_a_callback_to_a_public_https_host_is_accepted(url: str) -> None:
    NOTHING_LISTED.check_callback(url)


@pytest.mark.parametrize("url", ["http://example.com/hook", "http://8.8.8.8/hook", "http://example.com:443/"])
def test_a_callback_in_plain_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be an HTTPS URL"):
        NOTHING_LISTED.check_callback(url)


@pytest.mark.parametrize("port", [22, 25, 81, 6379, 9443])
def test_a_callback_to_another_port_is_refused_and_told_which_are_allowed(port: int) -> None:
    with pytest.raises(ValueError, match="must use port 443, 8443, 80 or 8080"):
        NOTHING_LISTED.check_callback(f"https://example.com:{port}/")


@pytest.mark.parametrize("url", ["https://user@example.com/", "ftp://example.com/", "https://", "https://a b/"])
def test_a_callback_must_be_a_url_as_the_contract_wants_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        NOTHING_LISTED.check_callback(url)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("hooks.internal", "http://hooks.internal/x"),
        ("hooks.internal", "http://HOOKS.internal.:9999/x"),
        ("Hooks.Internal.", "https://hooks.internal/x"),
        ("hooks.internal:8081", "http://hooks.internal:8081/"),
        ("exämple.internal", "http://xn--exmple-cua.internal/"),
        ("localhost", "http://localhost:8000/"),
        ("10.0.0.0/8", "http://10.1.2.3:9000/"),
        ("127.0.0.1", "http://127.0.0.1:9000/"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/"),
        ("::1", "http://[::1]:9000/"),
        ("[::1]", "http://[::1]:9000/"),
        ("[::1]:9000", "http://[::1]:9000/"),
        ("fd00::/8", "https://[fd00::7]/"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ("::ffff:127.0.0.0/104", "http://127.0.0.1/"),
        ("10.0.0.0/8", "https://name-decided-by-its-address.test:9000/"),
        ("127.0.0.0/8", "http://localhost:9000/"),
    ],
)
def test_an_entry_opens_plain_http_private_addresses_and_ports(entry: str, url: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        NOTHING_LISTED.check_callback(url.replace("https", "http"))
    OutboundPolicy.parse([entry]).check_callback(url)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("hooks.internal", "http://other.internal/"),
        ("hooks.internal", "http://a.hooks.internal/"),
        ("hooks.internal:8081", "http://hooks.internal:8082/"),
        ("hooks.internal:8081", "http://hooks.internal/"),
        ("127.0.0.1:9000", "http://127.0.0.1:9001/"),
        ("10.0.0.0/8", "https://11.0.0.1:9000/"),
        ("10.0.0.0/8", "http://8.8.8.8/"),
        ("10.0.0.0/8", "https://127.0.0.1/"),
        ("0.0.0.0/0", "https://2130706433/"),
        ("127.0.0.0/8", "http://example.com/"),
        ("10.0.0.0/8", "http://localhost:9000/"),
        ("8.8.8.8", "https://[::1]/"),
    ],
)
def test_an_entry_opens_nothing_beside_itself(entry: str, url: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        OutboundPolicy.parse([entry]).check_callback(url)


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.1/8", "10.0.0.0/33", "hooks.internal:0", "hooks.internal:65536", "hooks.internal:x", "*.internal",
        "http://hooks.internal", "hooks.internal/path", "127.1", "2130706433", "[::1", "[hooks]", "a b", "-a.test",
        "user@hooks.internal", "fe80::1%eth0", ":80", "[10.0.0.0/8]:80", "..", "a..b",
    ],
)  # fmt: skip
def test_a_bad_entry_is_named_with_what_is_allowed(entry: str) -> None:
    with pytest.raises(OperatorError) as caught:
        OutboundPolicy.parse(["10.0.0.0/8", entry])

    assert repr(entry) in str(caught.value)
    assert "10.0.0.0/8" in str(caught.value)


def test_blank_entries_are_skipped() -> None:
    assert OutboundPolicy.parse(["", " ", " 10.0.0.0/8 "]) == OutboundPolicy.parse(["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("reach", "address", "port", "permitted"),
    [
        (Reach.PUBLIC, "8.8.8.8", 443, True),
        (Reach.PUBLIC, "8.8.8.8", 22, False),
        (Reach.PUBLIC, "127.0.0.1", 443, False),
        (Reach.PUBLIC, "10.1.1.1", 22, True),
        (Reach.NETWORKS, "8.8.8.8", 443, False),
        (Reach.NETWORKS, "10.1.1.1", 22, True),
        (Reach.NETWORKS, "::ffff:10.1.1.1", 22, True),
        (Reach.LISTED, "127.0.0.1", 22, True),
    ],
)
def test_a_connection_is_judged_by_the_reach_of_its_request(
    reach: Reach, address: str, port: int, *, permitted: bool
) -> None:
    assert OutboundPolicy.parse(["10.0.0.0/8"]).permits(reach, address, port) is permitted


def test_plain_http_without_leave_reaches_allowed_networks_at_most() -> None:
    url = URL("http://name.test/")

    assert NOTHING_LISTED.reach(url, plain_http=True) is Reach.PUBLIC
    assert NOTHING_LISTED.reach(url, plain_http=False) is None
    assert OutboundPolicy.parse(["10.0.0.0/8"]).reach(url, plain_http=False) is Reach.NETWORKS
    assert OutboundPolicy.parse(["name.test"]).reach(url, plain_http=False) is Reach.LISTED


@given(st.text(max_size=60))
def test_any_entry_is_read_or_refused_by_name(entry: str) -> None:
    refusal = ""
    try:
        OutboundPolicy.parse([entry])
    except OperatorError as error:
        refusal = str(error)

    assert refusal == "" or repr(entry.strip()) in refusal


@given(st.text(max_size=60))
def test_any_callback_is_accepted_or_refused_with_the_end_of_a_sentence(host: str) -> None:
    refusal = "must "
    try:
        NOTHING_LISTED.check_callback(f"https://{host}/")
    except ValueError as error:
        refusal = str(error)

    assert refusal.startswith("must ")


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{:d}", "0x{:x}", "0{:o}", "0X{:X}.", "{:d}."]))
def test_every_way_to_write_an_address_as_one_number_is_recognized(number: int, form: str) -> None:
    assert is_legacy_numeric(form.format(number).lower())
