"""Ask for every forbidden address and print, as JSON, which connections were really begun.

    python audit_probe.py asyncio|uvloop

An audit hook sees each `socket.connect` of the interpreter, whoever makes it, notes it and lets none through. It
cannot be taken away again, hence a process of its own.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable

import uvloop
from aiohttp.abc import AbstractResolver, ResolveResult

from understudy.outbound.client import OutboundClient
from understudy.outbound.errors import FetchRefused, OutboundError, PostFailed
from understudy.outbound.policy import OutboundPolicy

CONTROL = "93.184.216.34"

LITERALS = [
    # loopback and this host, in the forms that a resolver or a careless parser reads as it
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f.1", "0x7f000001", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0",
    "017700000001", "0177.0.0.0x1", "127.0.0.1.", "127.127.127.127", "0.0.0.0", "00000127.0.0.1", "4294967295",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "127\uff0e0\uff0e0\uff0e1", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]", "[2002:7f00:1::]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::]", "localhost", "LOCALHOST", "localhost.", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    # cloud metadata
    "169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "169.254.170.2",
    "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    # one address of each special network
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "172.16.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::7f00:1]",
    "[100::1]", "[100:0:0:1::1]", "[2001::1]", "[2001:2::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[fc00::1]",
    "[fe80::1]", "[fec0::1]", "[ff02::1]", "[64:ff9b::8.8.8.8]",
]  # fmt: skip

NAMES = {
    "loopback.test": ["127.0.0.1"],
    "all.test": ["10.0.0.1", "192.168.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0"],
    "mixed.test": ["127.0.0.1", "::1", "::ffff:10.0.0.1", CONTROL, "169.254.169.254"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "teredo.test": ["2001:0:7f00:1::"],
    "sixtofour.test": ["2002:7f00:1::"],
    "zone.test": ["fe80::1%1"],
    "multicast.test": ["224.0.0.1", "ff02::1"],
    "xn--exmple-cua.test": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1", "::1"],
}


class Resolver(AbstractResolver):
    """The worst resolver there is: it reads every number as an address and knows names of private hosts."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = NAMES.get(host)
        if addresses is None:
            answers = socket.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
            addresses = [str(answer[4][0]) for answer in answers]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def ask(client: OutboundClient, url: str) -> list[str]:
    """Fetch and post once each; return what became of them."""
    ends = []
    try:
        await client.fetch(url, max_bytes=1, total_seconds=5)
    except FetchRefused:
        ends.append("refused")
    except OutboundError as error:
        ends.append(str(error))
    try:
        await client.post(url, body=b"{}", headers={}, total_seconds=5)
    except PostFailed as error:
        ends.append(str(error.error_class))
    return ends


async def probe() -> dict[str, list[str]]:
    """Ask for every address by both schemes, and for public hosts on ports that are not for strangers."""
    hosts = [*LITERALS, *NAMES, "exämple.test"]
    urls = [f"{scheme}://{host}{port}/" for host in hosts for scheme, port in (("http", ""), ("https", ":8443"))]
    urls += [f"https://{CONTROL}:{port}/" for port in (22, 25, 6379, 65535)]
    async with OutboundClient(OutboundPolicy.parse([]), resolver=Resolver()) as client:
        return {url: await ask(client, url) for url in [*urls, f"https://{CONTROL}/"]}


def main(run: Callable[..., dict[str, list[str]]]) -> None:
    """Install the hook, probe, print."""
    connections: list[list[object]] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            address = arguments[1]
            connections.append([event, *(address[:2] if isinstance(address, tuple) else (str(address),))])
            raise PermissionError("this probe connects nowhere")

    sys.addaudithook(hook)
    ends = run(probe())
    sys.stdout.write(json.dumps({"connections": connections, "ends": ends}))


if __name__ == "__main__":
    main({"asyncio": asyncio.run, "uvloop": uvloop.run}[sys.argv[1]])
