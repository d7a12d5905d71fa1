"""What a secret looks like, so that none is written where it does not belong."""

import re

_SECRETS = re.compile(r"(und_|whsec_)[0-9A-Za-z+/=_-]{8,}|([?&]s=)[0-9A-Za-z_-]{8,}")


def mask(text: str) -> str:
    """Return `text` with API keys, webhook secrets and link signatures replaced by `***`."""
    return _SECRETS.sub(lambda match: (match[1] or match[2]) + "***", text)
