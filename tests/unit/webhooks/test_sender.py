"""One attempt at telling a callback, over a real socket."""

import hashlib
import time
from collections.abc import AsyncIterator

import pytest
import standardwebhooks
import svix

from tests.support.receiver import CA_FILE, Receiver, Reply, drip, endless, hold, raw, redirect, reply
from understudy.domain.ids import DeliveryId, KeyId, TaskId
from understudy.domain.records import Delivery, DeliveryState
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy
from understudy.webhooks.schedule import next_attempt_at
from understudy.webhooks.sender import SendResult, send
from understudy.webhooks.signing import new_secret

OK = b"HTTP/1.1 200 OK\r\n"
SECRET = new_secret()
BODY = '{"code":200,"message":"success","data":{"resultJson":"{\\"resultUrls\\":[]}","failMsg":"雨の街 🎬"}}'.encode()


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    """A client that may reach this host."""
    async with OutboundClient(OutboundPolicy.parse(["127.0.0.1"]), ca_file=CA_FILE) as client:
        yield client


def delivery(url: str) -> Delivery:
    """A delivery of `BODY` to `url`."""
    return Delivery(
        id=DeliveryId("msg_0123456789abcdefghijkl"),
        task_id=TaskId("task_0123456789abcdefghijkl"),
        key_id=KeyId("key_0123456789abcdefghijkl"),
        url=url,
        body=BODY,
        state=DeliveryState.PENDING,
        created_at_ms=0,
        next_at_ms=0,
    )


async def attempt(client: OutboundClient, answer: Reply, *, answer_seconds: float = 30) -> SendResult:
    """Send once to a receiver with that answer."""
    async with Receiver(answer) as receiver:
        told = delivery(receiver.url("/hook"))
        return await send(client, told, secret=SECRET, now_s=1_800_000_000, answer_seconds=answer_seconds)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_delivers(client: OutboundClient, status: int) -> None:
    result = await attempt(client, raw(f"HTTP/1.1 {status} Fine\r\nConnection: close\r\n\r\n".encode()))

    assert result.delivered
    assert (result.status, result.error, result.gone) == (status, None, False)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 500, 502, 503])
async def test_any_other_status_does_not(client: OutboundClient, status: int) -> None:
    result = await attempt(client, reply(status, b"why", {"Location": "http://169.254.169.254/"}))

    assert not result.delivered
    assert (result.status, result.error, result.gone, result.excerpt) == (status, None, False, b"why")


async def test_gone_is_told_apart(client: OutboundClient) -> None:
    result = await attempt(client, reply(410))

    assert (result.delivered, result.status, result.gone) == (False, 410, True)


async def test_retry_after_is_handed_on(client: OutboundClient) -> None:
    assert (await attempt(client, reply(429, headers={"Retry-After": "45"}))).retry_after_seconds == 45
    assert (await attempt(client, reply(429, headers={"Retry-After": "soon"}))).retry_after_seconds is None


async def test_a_redirect_is_not_followed(client: OutboundClient) -> None:
    async with Receiver() as other:
        result = await attempt(client, redirect(other.url()))

        assert not result.delivered
        assert other.connections == 0


@pytest.mark.parametrize("answer", [hold(), drip(OK, piece=b"A: b\r\n"), reply(200, delay_seconds=1)])
async def test_an_answer_after_the_time_is_over_does_not_deliver(client: OutboundClient, answer: Reply) -> None:
    result = await attempt(client, answer, answer_seconds=0.5)

    assert (result.delivered, result.status, result.error) == (False, None, "timeout")
    assert result.elapsed_ms >= 500


@pytest.mark.parametrize(
    "answer",
    [
        drip(OK + b"Content-Length: 100000\r\n\r\n"),
        endless(OK + b"Content-Length: 1000000000\r\n\r\n", bytes(65536)),
        hold(OK + b"\r\n"),
    ],
    ids=["drips", "sends a gigabyte", "never closes"],
)
async def test_a_2xx_delivers_whatever_its_body_does(client: OutboundClient, answer: Reply) -> None:
    result = await attempt(client, answer, answer_seconds=0.5)

    assert result.delivered
    assert len(result.excerpt) <= 1024


@pytest.mark.parametrize(
    ("certificate", "error"), [("self-signed", "tls"), ("wrong-name", "tls"), ("expired", "tls"), ("localhost", None)]
)
async def test_tls_is_verified(client: OutboundClient, certificate: str, error: str | None) -> None:
    async with Receiver(certificate=certificate) as receiver:
        result = await send(client, delivery(receiver.url()), secret=SECRET, now_s=1)

    assert (result.delivered, result.error) == (error is None, error)


async def test_an_address_that_is_not_allowed_is_a_failed_attempt(client: OutboundClient) -> None:
    result = await send(client, delivery("https://169.254.169.254/"), secret=SECRET, now_s=1)

    assert (result.delivered, result.status, result.error) == (False, None, "not-allowed")


async def test_every_attempt_sends_the_same_id_and_bytes_and_signs_its_own_time(client: OutboundClient) -> None:
    async with Receiver(reply(500), reply(500), raw(b""), reply(200)) as receiver:
        told = delivery(receiver.url("/hook?x=1"))
        now_ms, number, result = 1_800_000_000_000, 0, None
        while (
            due := next_attempt_at(
                attempt_number=number, now_ms=now_ms, retry_seconds=(30, 120, 600), jitter=0, result=result
            )
        ) is not None:
            now_ms, number = due, number + 1
            result = await send(client, told, secret=SECRET, now_s=now_ms // 1000)

        requests = receiver.requests
    assert [request.method for request in requests] == ["POST"] * 4
    assert {request.path for request in requests} == {"/hook?x=1"}
    assert {request.headers["webhook-id"] for request in requests} == {told.id}
    assert {hashlib.sha256(request.body).digest() for request in requests} == {hashlib.sha256(BODY).digest()}
    times = [int(request.headers["webhook-timestamp"]) - 1_800_000_000 for request in requests]
    assert times == [0, 30, 150, 750]
    assert len({request.headers["webhook-signature"] for request in requests}) == 4


async def test_what_arrives_is_json_and_verifies(client: OutboundClient) -> None:
    async with Receiver() as receiver:
        await send(client, delivery(receiver.url()), secret=SECRET, now_s=int(time.time()))

        [request] = receiver.requests
    assert request.headers["content-type"] == "application/json"
    standardwebhooks.Webhook(SECRET).verify(request.body, dict(request.headers))
    svix.Webhook(SECRET).verify(request.body, dict(request.headers))
