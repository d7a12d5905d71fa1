"""The one reading of addresses that callers name (`contract.md` §2, "URL syntax").

Parsed with yarl, the parser that aiohttp connects with: a second parser that reads an address otherwise is how a
guard and a connection come to disagree (`reliability.md` §2.3, rule 1).
"""

import re
from urllib.parse import urlsplit

from yarl import URL

MAX_URL_CHARACTERS = 2048

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_SCHEMES = {"http": 80, "https": 443}


def parse_url(text: str) -> URL:
    """Return `text` as an absolute http or https URL.

    Raises `ValueError`, with the end of a sentence that begins with the field's name, if the text is longer than
    2048 characters, holds control characters, white space or a backslash, names a user or password, has a zone id or
    a percent sign in its host, or is no http(s) URL with a host and a valid port.
    """
    if len(text) > MAX_URL_CHARACTERS:
        raise ValueError(f"must be at most {MAX_URL_CHARACTERS} characters")
    if _FORBIDDEN.search(text):
        raise ValueError("must not contain white space, control characters or backslashes")
    try:
        text.encode()  # a lone surrogate would be dropped in silence
        authority = urlsplit(text).netloc
        url = URL(text)
        host, port = url.host, url.port
    except ValueError:
        raise ValueError("must be an absolute http or https URL with a host") from None
    if url.scheme not in _SCHEMES or not host:
        raise ValueError("must be an absolute http or https URL with a host")
    if "@" in authority:
        raise ValueError("must not contain a user name or password")
    if "%" in authority:
        raise ValueError("must not contain a percent sign in its host")
    if not port:
        raise ValueError("must have a port from 1 to 65535")
    return url
