"""Result links: who holds the address may have the film, until it ends (`contract.md` §7).

`/v/TASK/POSITION.mp4?e=UNIX_SECONDS&s=SIGNATURE`, where the signature is HMAC-SHA256 over path and end. It needs no
header and does not depend on the storage behind it, whose own presigned links die within 7 days.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from understudy.domain.errors import Forbidden, Gone
from understudy.domain.ids import TaskId


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Makes and checks result links. `secret` is 32 bytes; `public_url` has no slash at its end."""

    secret: bytes
    public_url: str

    def _signature(self, path: str, ends_at_s: int) -> str:
        digest = hmac.new(self.secret, f"{path}|{ends_at_s}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def sign(self, task_id: TaskId, position: int, *, ends_at_s: int) -> str:
        """Return the absolute address of a task's output, valid until `ends_at_s` (Unix seconds)."""
        path = result_path(task_id, position)
        return f"{self.public_url}{path}?e={ends_at_s}&s={self._signature(path, ends_at_s)}"

    def check(self, task_id: str, position: int, *, end: str, signature: str, now_s: float) -> None:
        """Raise `Forbidden` if the signature is not ours, `Gone` if the link's life is over."""
        # The signature first: a changed `e` must not tell whether the link would still live.
        plausible = end.isascii() and end.isdigit() and len(end) <= 12
        expected = self._signature(result_path(TaskId(task_id), position), int(end)) if plausible else ""
        if not plausible or not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise Forbidden("The link's signature is not valid")
        if now_s >= int(end):
            raise Gone("The link has expired")


def result_path(task_id: TaskId, position: int) -> str:
    """Return the path of a task's output."""
    return f"/v/{task_id}/{position}.mp4"
