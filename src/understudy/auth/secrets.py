"""The root secret of a server, and the secrets derived from it.

One root, many purposes: each derived secret is HMAC-SHA256 of its purpose under the root, so that a leak of one
(a link-signing key in a debugger, say) opens nothing else.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from understudy.domain.errors import OperatorError

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class RootSecret:
    """The one secret that a server cannot lose: without it keys, links and webhook signatures no longer verify."""

    root: bytes

    def derive(self, purpose: str) -> bytes:
        """Return the 32 bytes for `purpose`."""
        return hmac.new(self.root, purpose.encode(), hashlib.sha256).digest()


def load_root_secret(configured: str, folder: Path) -> RootSecret:
    """Return the configured secret, or the one kept in `folder`, made there at first start with mode 0600.

    Raises `OperatorError` if the configured one is shorter than 32 characters or the file cannot be used.
    """
    if configured:
        if len(configured) < SECRET_BYTES:
            raise OperatorError(
                f"UNDERSTUDY_SECRET is too short: give at least {SECRET_BYTES} characters, for instance from "
                "`openssl rand -hex 32`."
            )
        return RootSecret(hashlib.sha256(configured.encode()).digest())
    path = folder / "secret.key"
    try:
        _create_once(path)
        root = bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise OperatorError(f"The secret {path} cannot be read or made ({error.strerror}): mend its rights.") from None
    except ValueError:
        root = b""
    if len(root) != SECRET_BYTES:
        raise OperatorError(f"The secret {path} is damaged: restore it from a backup; without it no key works.")
    return RootSecret(root)


def _create_once(path: Path) -> None:
    """Write a new secret unless one is there: two first starts at once must end with one and the same."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(SECRET_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
