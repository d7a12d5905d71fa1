"""Reading addresses that callers name (`contract.md` §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.domain.url import parse_url


@pytest.mark.parametrize(
    "text",
    ["http://a", "https://example.com/p?q=1#f", "https://münchen.de/ä", "http://[::1]:8080/", "HTTPS://EXAMPLE.COM"],
)
def test_absolute_http_urls_are_read(text: str) -> None:
    assert parse_url(text).host


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://example.com/" + "a" * 2048, "at most 2048"),
        ("ftp://example.com", "absolute http or https"),
        ("//example.com", "absolute http or https"),
        ("example.com", "absolute http or https"),
        ("http:///path", "absolute http or https"),
        ("http://[::1", "absolute http or https"),
        ("http://a:99999", "absolute http or https"),
        ("http://a:0", "port from 1 to 65535"),
        ("http://user@example.com", "user name or password"),
        ("http://user:pw@example.com", "user name or password"),
        ("http://@example.com", "user name or password"),
        ("http://example.com\\@evil", "backslashes"),
        ("http://exa mple.com", "white space"),
        ("http://example.com/\r\nHost: x", "control characters"),
        ("http://[fe80::1%25eth0]/", "percent sign"),
        ("http://%31%32%37.0.0.1/", "percent sign"),
        ("http://example.com/\ud800", "absolute http or https"),
        ("", "absolute http or https"),
    ],
)
def test_everything_else_is_refused_with_a_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_url(text)


@given(st.text() | st.text().map("http://".__add__) | st.text().map("https://a".__add__))
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    try:
        url = parse_url(text)
    except ValueError as error:
        assert str(error).startswith("must ")  # noqa: PT017 - both outcomes are fine, a third one is not
    else:
        assert url.scheme in {"http", "https"}
        assert url.host
