"""No connection is made to an address that is not allowed: not by name, number, redirect or rebinding."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiohttp.abc import AbstractResolver

from tests.support.receiver import Receiver, redirect, reply
from understudy.outbound.client import OutboundClient
from understudy.outbound.errors import ErrorClass, FetchRefused, PostFailed
from understudy.outbound.policy import OutboundPolicy

PROBE = Path(__file__).with_name("audit_probe.py")
CONTROL = "93.184.216.34"

Run = Callable[[Coroutine[Any, Any, None]], None]
BOTH_LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_audit_hook_sees_no_connection_to_any_forbidden_address(loop: str) -> None:
    done = subprocess.run([sys.executable, PROBE, loop], capture_output=True, check=True, timeout=60)
    seen = json.loads(done.stdout)

    ends = seen["ends"]
    control = ends.pop(f"https://{CONTROL}/")
    assert len(ends) > 150
    assert {url for url, end in ends.items() if end != ["refused", "not-allowed"]} == set()
    # The public address was tried, so the hook does see what this event loop connects to.
    assert control == ["refused (ClientConnectorError)", "refused"]
    assert {(host, port) for _, host, port in seen["connections"]} == {(CONTROL, 80), (CONTROL, 8443), (CONTROL, 443)}


@BOTH_LOOPS
def test_a_redirect_to_a_private_address_reaches_nobody(run: Run) -> None:
    async def scenario() -> None:
        async with Receiver() as private, Receiver(redirect(private.url("/secret"))) as public:
            policy = OutboundPolicy.parse([f"127.0.0.1:{public.port}"])
            async with OutboundClient(policy) as client:
                with pytest.raises(FetchRefused):
                    await client.fetch(public.url(), max_bytes=10)

            assert len(public.requests) == 1
            assert private.connections == 0

    run(scenario())


@BOTH_LOOPS
def test_a_name_that_changes_its_address_between_two_requests_is_judged_again(
    run: Run, names: Callable[..., AbstractResolver]
) -> None:
    async def scenario() -> None:
        resolver = names(**{"rebinding.test": [["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254"]]})
        async with Receiver(host="0.0.0.0") as receiver:
            policy = OutboundPolicy.parse(["127.0.0.1"])
            async with OutboundClient(policy, resolver=resolver) as client:
                url = receiver.url(host="rebinding.test")
                await client.post(url, body=b"{}", headers={})
                with pytest.raises(PostFailed) as caught:
                    await client.post(url, body=b"{}", headers={})
                with pytest.raises(FetchRefused):
                    await client.fetch(url, max_bytes=10)

            assert caught.value.error_class is ErrorClass.NOT_ALLOWED
            assert receiver.connections == 1

    run(scenario())


@BOTH_LOOPS
def test_of_a_name_with_several_addresses_only_the_allowed_one_is_used(
    run: Run, names: Callable[..., AbstractResolver]
) -> None:
    async def scenario() -> None:
        resolver = names(**{"several.test": [["10.0.0.1", "169.254.169.254", "127.0.0.1", "::1"]]})
        async with (
            Receiver(reply(200, b"here")) as receiver,
            OutboundClient(OutboundPolicy.parse(["127.0.0.1"]), resolver=resolver) as client,
        ):
            assert await client.fetch(receiver.url(host="several.test"), max_bytes=10) == b"here"

    run(scenario())


@BOTH_LOOPS
def test_a_listed_host_is_trusted_whatever_it_resolves_to(run: Run, names: Callable[..., AbstractResolver]) -> None:
    async def scenario() -> None:
        resolver = names(**{"hooks.internal": [["127.0.0.1"]]})
        async with (
            Receiver(reply(204)) as receiver,
            OutboundClient(OutboundPolicy.parse([f"hooks.internal:{receiver.port}"]), resolver=resolver) as client,
        ):
            answer = await client.post(receiver.url(host="hooks.internal"), body=b"{}", headers={})

            assert answer.status == 204
            assert receiver.requests[0].headers["host"] == f"hooks.internal:{receiver.port}"

    run(scenario())


async def test_a_redirect_away_from_a_listed_host_is_judged_anew(names: Callable[..., AbstractResolver]) -> None:
    resolver = names(**{"hooks.internal": [["127.0.0.1"]], "other.internal": [["127.0.0.1"]]})
    async with Receiver() as other, Receiver(redirect(other.url(host="other.internal"))) as listed:
        async with OutboundClient(OutboundPolicy.parse(["hooks.internal"]), resolver=resolver) as client:
            with pytest.raises(FetchRefused):
                await client.fetch(listed.url(host="hooks.internal"), max_bytes=10)

        assert other.connections == 0


async def test_a_listed_host_on_one_port_opens_no_other_port() -> None:
    async with Receiver() as listed, Receiver() as other:
        async with OutboundClient(OutboundPolicy.parse([f"localhost:{listed.port}"])) as client:
            with pytest.raises(FetchRefused):
                await client.fetch(other.url(host="localhost"), max_bytes=10)

        assert other.connections == 0


@pytest.mark.parametrize("network", ["127.0.0.1", "10.0.0.0/8"])
async def test_a_post_in_plain_http_reaches_allowed_networks_only(
    network: str, names: Callable[..., AbstractResolver]
) -> None:
    resolver = names(**{"hooks.test": [["127.0.0.1"]]})
    async with (
        Receiver() as receiver,
        OutboundClient(OutboundPolicy.parse([network]), resolver=resolver) as client,
    ):
        try:
            reached = (await client.post(receiver.url(host="hooks.test"), body=b"{}", headers={})).status == 200
        except PostFailed as error:
            reached = error.error_class is not ErrorClass.NOT_ALLOWED

        assert reached == (network == "127.0.0.1")
        assert receiver.connections == int(reached)


async def test_a_failed_lookup_is_a_failure_and_not_a_way_around_the_guard() -> None:
    async with OutboundClient(OutboundPolicy.parse([])) as client:
        for host in ("a" * 64 + ".test", "a..test"):  # names that Python refuses before it asks anyone
            with pytest.raises(PostFailed) as caught:
                await client.post(f"https://{host}/", body=b"{}", headers={})

            assert caught.value.error_class is ErrorClass.DNS
