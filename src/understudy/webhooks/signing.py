"""Signatures of Standard Webhooks 1.0.0, symmetric form: `v1,` and HMAC-SHA256 over `id.timestamp.body`.

Our own lines rather than the `standardwebhooks` package: its `sign` gives another signature for the same instant in
another time zone (`reliability.md` §1.2). That package and `svix` verify ours in the tests.
"""

import base64
import binascii
import hmac
import secrets

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public mark of a secret, not one
SECRET_BYTES = 32
SECRET_VERSION = 1
"""The version that every key has until secrets can be rolled."""

_ALLOWED_BYTES = range(24, 65)


def new_secret() -> str:
    """Return a new random secret of 32 bytes, as `whsec_` and base64."""
    return _encode(secrets.token_bytes(SECRET_BYTES))


def derive_secret(root: bytes, key_id: str, version: int) -> str:
    """Return the secret of an API key: the same for the same three arguments, and telling nothing about `root`.

    So no secret needs to be stored, and `version`, counted up, gives the key a new one.
    """
    name = f"understudy/webhook-secret/{version}/{key_id}"
    return _encode(hmac.digest(root, name.encode(), "sha256"))


def sign(*, secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers for one attempt: `webhook-id`, `webhook-timestamp` and `webhook-signature`.

    `timestamp` is that of the attempt, in Unix seconds; `body` the very bytes that are sent.

    Raises `ValueError` if the secret is not `whsec_` and the base64 of 24 to 64 bytes, or the id is empty, holds a
    dot (the signed text would be ambiguous) or anything but visible ASCII.
    """
    if not message_id or "." in message_id or not all("!" <= character <= "~" for character in message_id):
        raise ValueError("a message id must be visible ASCII characters without a dot")
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(_decode(secret), signed, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _encode(key: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(key).decode()


def _decode(secret: str) -> bytes:
    message = f"a webhook secret must be {SECRET_PREFIX} and the base64 of 24 to 64 bytes"
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(message)
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(message) from None
    if len(key) not in _ALLOWED_BYTES:
        raise ValueError(message)
    return key
