"""Names to addresses, in threads of its own.

The event loop's default threads serve the whole process. A stranger who names hosts with slow name servers could
fill them all; here only other strangers' look-ups wait, and each no longer than its request's time limit.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

LOOKUPS_AT_ONCE = 16


class ThreadResolver(AbstractResolver):
    """Asks the system's resolver. A name without an address, or no name at all, is an `OSError`."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="outbound-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return every address of `host` as a result for aiohttp's connector."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port, family)

    async def close(self) -> None:
        """Drop the look-ups that have not begun; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    try:
        answers = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except UnicodeError:  # an empty label or one over 63 characters: Python fails before it asks anyone
        raise OSError("not a host name") from None
    # getnameinfo of the socket address, not its first field alone, would keep the zone of a link-local address; the
    # guard refuses those with or without it.
    return [
        ResolveResult(hostname=host, host=str(sockaddr[0]), port=port, family=found, proto=proto, flags=0)
        for found, _, proto, _, sockaddr in answers
    ]
