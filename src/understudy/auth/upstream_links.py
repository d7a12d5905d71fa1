"""Addresses at which an upstream calls back: one for each attempt, unguessable, and of use for that attempt alone.

`/upstream/ATTEMPT/MAC`, where the MAC is HMAC-SHA256 over the attempt's id. It recovers a job whose submission was
never answered (`reliability.md` §3.2, step 5); what the body says besides the job's id is not trusted.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from understudy.domain.ids import AttemptId

PATH = "/upstream/{attempt}/{mac}"


@dataclass(frozen=True, slots=True)
class UpstreamLinks:
    """Makes and checks them. `secret` is 32 bytes; `public_url` has no slash at its end."""

    secret: bytes
    public_url: str

    def make(self, attempt_id: AttemptId) -> str:
        """Return the absolute address for an attempt."""
        return self.public_url + PATH.format(attempt=attempt_id, mac=self._mac(attempt_id))

    def check(self, attempt_id: str, mac: str) -> bool:
        """Tell whether the address was made here."""
        return hmac.compare_digest(self._mac(attempt_id).encode(), mac.encode("utf-8", "replace"))

    def _mac(self, attempt_id: str) -> str:
        digest = hmac.new(self.secret, attempt_id.encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
