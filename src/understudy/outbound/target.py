"""From the text that names an address to the URL that is asked for."""

import re
from urllib.parse import urlsplit

from yarl import URL

from understudy.domain.url import parse_url
from understudy.outbound.errors import FetchRefused

_RFC_3986 = re.compile(r"[!#$%&'()*+,/:;=?@\[\]\-._~0-9A-Za-z]*\Z")


def read_target(text: str) -> URL:
    """Return the URL that `text` names, with its path and query as they are written.

    Somebody may have signed them: `%2F` in a query must not become `/`. Host and port are those of `parse_url`; text
    with characters that no URL holds is encoded by it as a whole.

    Raises `FetchRefused` if `text` is no URL as `contract.md` §2 wants it.
    """
    try:
        url = parse_url(text)
    except ValueError as error:
        raise FetchRefused(f"the URL {error}") from None
    if _RFC_3986.match(text) is None:
        return url
    parts = urlsplit(text)
    return URL.build(
        scheme=url.scheme,
        authority=url.raw_authority,
        path=parts.path or "/",
        query_string=parts.query,
        encoded=True,
    )


def resolve_location(base: URL, location: str) -> URL:
    """Return where `location`, from an answer to `base`, leads (RFC 9110 §10.2.2).

    Raises `FetchRefused` if that is no URL which a caller could name.
    """
    exact = _RFC_3986.match(location) is not None
    try:
        joined = base.join(URL(location, encoded=exact))
    except ValueError:
        raise FetchRefused("the Location is malformed") from None
    return read_target(str(joined))
