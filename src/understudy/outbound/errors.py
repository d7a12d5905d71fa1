"""What can go wrong on the way to an address that a stranger named.

OutboundError
├── FetchRefused     our rules forbid it: the address, the port, a redirect, an encoding
├── FetchTooLarge    more bytes than asked for
├── FetchFailed      the network or the other side: no answer, or not the one wanted
└── PostFailed       no HTTP answer to a POST; `error_class` says at which step

The texts are for the operator's log. A caller must get one sentence for all of them: a finer answer would turn this
server into a port scanner (`reliability.md` §2.3, rule 4).
"""

from enum import StrEnum

from understudy.domain.errors import UnderstudyError


class ErrorClass(StrEnum):
    """At which step a connection or an exchange failed."""

    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    NOT_ALLOWED = "not-allowed"
    PROTOCOL = "protocol"


class OutboundError(UnderstudyError):
    """Root of this room's errors; the text is for the operator's log only."""


class FetchRefused(OutboundError):  # noqa: N818 - it names whose decision it was: ours
    """The rules of `OutboundPolicy` or of a fetch forbid it; asking again changes nothing."""


class FetchTooLarge(OutboundError):  # noqa: N818 - it names what is wrong with the answer
    """The answer is longer than the caller of `fetch` wants; nothing of it is kept."""


class FetchFailed(OutboundError):  # noqa: N818 - it names what the fetch did
    """The other side or the way to it did not give a complete 2xx answer in time.

    `status` is the HTTP status of an answer that was not wanted, None if there was none.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class PostFailed(OutboundError):  # noqa: N818 - it names what the POST did
    """There was no HTTP answer. `error_class` is the step that failed."""

    def __init__(self, error_class: ErrorClass, detail: str = "") -> None:
        super().__init__(f"{error_class}: {detail}" if detail else str(error_class))
        self.error_class = error_class


class AddressNotAllowed(OSError):  # noqa: N818 - inside the connection it must be an OSError, outside it is never seen
    """The guard made no socket for this address, so nothing was sent to it."""

    def __init__(self) -> None:
        super().__init__("address not allowed")  # one text: the connection logic merges equal errors into the first
