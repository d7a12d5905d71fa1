"""The client of an upstream: what proves that nothing was created, what is bounded, and where the key goes."""

import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson
import pytest
from pydantic import SecretStr

from tests.support.receiver import Receiver, drip, endless, hold, raw, redirect, reply
from understudy.backends.base import Ambiguous, AnswerTooLong, BackendError, NotCreated, PollFailed
from understudy.backends.http import MAX_BODY_BYTES, UpstreamApi
from understudy.backends.options import BackendOptions
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy

KEY = "sk-canary-0123456789"
Make = Callable[..., UpstreamApi]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make clients for a base address, with these settings."""
    made: list[UpstreamApi] = []

    def client(url: str, *, call_seconds: float = 5, **settings: object) -> UpstreamApi:
        options = BackendOptions.model_validate({"call_seconds": call_seconds, **settings})
        headers = {"Authorization": f"Bearer {KEY}"}
        made.append(UpstreamApi(url, headers=headers, secrets=(SecretStr(KEY),), options=options, outbound=outbound))
        return made[-1]

    async with OutboundClient(OutboundPolicy()) as outbound:
        yield client
        for api in made:
            await api.close()


async def _error(call: Awaitable[object]) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await call
    assert KEY not in f"{caught.value} {caught.value!r}"
    return caught.value


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# What proves that nothing was created ---------------------------------------------------------------------------


async def test_a_refused_connection_created_nothing(make: Make) -> None:
    error = await _error(make(f"http://127.0.0.1:{_closed_port()}/v1").submit("jobs", json={}))

    assert type(error) is NotCreated


@pytest.mark.parametrize("body", [{"prompt": "\ud800"}, {"prompt": object()}])
async def test_a_request_that_cannot_be_written_created_nothing(make: Make, body: object) -> None:
    async with Receiver() as receiver:
        error = await _error(make(receiver.url("/v1")).submit("jobs", json=body))

    assert type(error) is NotCreated
    assert receiver.connections == 0


async def test_a_name_that_does_not_exist_created_nothing(make: Make) -> None:
    error = await _error(make("http://no-such-host.invalid/v1").submit("jobs", json={}))

    assert type(error) is NotCreated


@pytest.mark.parametrize("certificate", ["self-signed", "expired", "wrong-name"])
async def test_a_certificate_that_is_not_trusted_created_nothing(make: Make, certificate: str) -> None:
    async with Receiver(certificate=certificate) as receiver:
        error = await _error(make(receiver.url()).submit("jobs", json={}))

    assert type(error) is NotCreated
    assert not receiver.requests


async def test_a_server_that_speaks_no_tls_created_nothing(make: Make) -> None:
    """It waits for a request, and the client for a handshake: the time to connect ends before that of the call."""
    async with Receiver() as receiver:
        api = make(receiver.url().replace("http:", "https:"), call_seconds=1)
        error = await _error(api.submit("jobs", json={}))

    assert type(error) is NotCreated


async def test_a_proxy_that_nobody_runs_created_nothing(make: Make) -> None:
    async with Receiver() as receiver:
        api = make(receiver.url(), proxy=f"http://127.0.0.1:{_closed_port()}")
        error = await _error(api.submit("jobs", json={}))

    assert type(error) is NotCreated
    assert not receiver.requests


# What leaves it open --------------------------------------------------------------------------------------------

LOST = {
    "hung-up": raw(b""),
    "half-a-head": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "no-http": raw(b"220 mail.example ESMTP\r\n"),
    "half-a-body": raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id":'),
    "silence": hold(),
    "silence-after-the-head": hold(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
    "drip": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"),
    "endless": endless(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" " * 65536),
    "endless-head": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n" * 1000),
    "too-long": reply(200, b" " * (MAX_BODY_BYTES + 1)),
    "unpacks-to-too-much": reply(200, gzip.compress(b" " * (MAX_BODY_BYTES + 1)), {"Content-Encoding": "gzip"}),
    "not-really-gzip": reply(200, b"{}", {"Content-Encoding": "gzip"}),
    "packed-otherwise": reply(200, b"{}", {"Content-Encoding": "br"}),
}


TOO_LONG = {"endless", "too-long", "unpacks-to-too-much"}


@pytest.mark.parametrize("name", LOST)
async def test_a_submission_that_was_written_and_got_no_answer_is_ambiguous_and_not_repeated(
    make: Make, name: str
) -> None:
    async with Receiver(LOST[name]) as receiver:
        error = await _error(make(receiver.url("/v1"), call_seconds=1).submit("jobs", json={"a": 1}))

        assert type(error) is Ambiguous
        assert [request.method for request in receiver.requests] == ["POST"]


@pytest.mark.parametrize("name", LOST)
async def test_a_question_that_got_no_answer_failed(make: Make, name: str) -> None:
    async with Receiver(LOST[name]) as receiver:
        begun = time.monotonic()
        error = await _error(make(receiver.url("/v1"), call_seconds=1).ask("GET", "jobs/1"))

        assert isinstance(error, PollFailed)
        assert isinstance(error, AnswerTooLong) == (name in TOO_LONG)
        assert time.monotonic() - begun < 4


async def test_a_question_that_was_not_written_failed_too(make: Make) -> None:
    error = await _error(make(f"http://127.0.0.1:{_closed_port()}").ask("GET", "jobs/1"))

    assert type(error) is PollFailed


# Answers --------------------------------------------------------------------------------------------------------


async def test_an_answer_is_returned_whatever_its_status(make: Make) -> None:
    async with Receiver(reply(503, b'{"error": "no"}', {"X-Request-Id": "7"})) as receiver:
        answer = await make(receiver.url("/v1")).submit("jobs", json={"a": 1})

    assert (answer.status, answer.ok, answer.table()) == (503, False, {"error": "no"})
    assert answer.headers["x-request-id"] == "7"


async def test_a_packed_answer_is_unpacked(make: Make) -> None:
    async with Receiver(reply(200, gzip.compress(b'{"id": 1}'), {"Content-Encoding": "gzip"})) as receiver:
        answer = await make(receiver.url()).ask("GET", "jobs/1")

    assert answer.table() == {"id": 1}


async def test_an_answer_as_long_as_allowed_is_read(make: Make) -> None:
    async with Receiver(reply(200, b" " * (MAX_BODY_BYTES - 2) + b"{}")) as receiver:
        assert (await make(receiver.url()).ask("GET", "x")).json() == {}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"\xff", b"nul"])
async def test_what_is_no_json_object_is_an_empty_table(make: Make, body: bytes) -> None:
    async with Receiver(reply(200, body)) as receiver:
        assert (await make(receiver.url()).ask("GET", "x")).table() == {}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After-Ms": "1500"}, 1.5),
        ({"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After-Ms": "1e9", "Retry-After": "9"}, 9),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),
    ],
)
async def test_the_wait_that_is_asked_for(make: Make, headers: dict[str, str], seconds: float | None) -> None:
    async with Receiver(reply(429, b"", headers)) as receiver:
        assert (await make(receiver.url()).ask("GET", "x")).retry_after_seconds == seconds


async def test_a_redirect_is_an_answer_and_not_followed(make: Make) -> None:
    async with Receiver() as elsewhere, Receiver(redirect(elsewhere.url("/"), 307)) as receiver:
        posted = await make(receiver.url()).submit("jobs", json={})
        asked = await make(receiver.url()).ask("GET", "jobs")

    assert (posted.status, asked.status) == (307, 307)
    assert not elsewhere.requests


# What is sent ---------------------------------------------------------------------------------------------------


async def test_a_json_submission_goes_out_as_it_should(make: Make) -> None:
    async with Receiver() as receiver:
        await make(receiver.url("/v1/")).submit("jobs", json={"prompt": "naïve 🎬"}, headers={"X-Version": "2"})

    [request] = receiver.requests
    assert (request.method, request.path) == ("POST", "/v1/jobs")
    assert orjson.loads(request.body) == {"prompt": "naïve 🎬"}
    wanted = {"authorization": f"Bearer {KEY}", "content-type": "application/json", "x-version": "2"}
    assert wanted.items() <= request.headers.items()
    assert request.headers["user-agent"].startswith("Understudy/")
    assert request.headers["accept-encoding"] == "identity"
    assert "cookie" not in request.headers


async def test_a_form_goes_out_with_its_files(make: Make) -> None:
    files = {"picture": ("input.jpg", b"\xff\xd8\xff\r\n--", "image/jpeg")}
    async with Receiver() as receiver:
        await make(receiver.url()).submit("jobs", form={"prompt": 'a "b"\r\nc', "seconds": "4"}, files=files)

    [request] = receiver.requests
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="prompt"\r\n\r\na "b"\r\nc\r\n' in request.body
    assert b'name="picture"; filename="input.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--' in request.body


async def test_each_submission_has_a_connection_of_its_own(make: Make) -> None:
    async with Receiver(reply(200, b"{}", {"Connection": "keep-alive"})) as receiver:
        api = make(receiver.url())
        for _ in range(3):
            await api.submit("jobs", json={})

    assert receiver.connections == 3


async def test_proxies_of_the_environment_are_not_used(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{_closed_port()}")
    async with Receiver() as receiver:
        assert (await make(receiver.url()).submit("jobs", json={})).ok


async def test_a_proxy_that_the_operator_named_is_used(make: Make) -> None:
    async with Receiver() as proxy:
        await make("http://vendor.invalid/v1", proxy=proxy.url("")).submit("jobs", json={})

    [request] = proxy.requests
    assert request.path == "http://vendor.invalid/v1/jobs"


async def test_a_whole_address_of_the_same_origin_may_be_asked(make: Make) -> None:
    async with Receiver() as receiver:
        await make(receiver.url("/v1")).ask("GET", receiver.url("/status/7?x=1"))

    assert receiver.requests[0].path == "/status/7?x=1"
    assert receiver.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/v1/jobs", "https://127.0.0.1:{port}/", "http://localhost:{port}/"]
)
async def test_an_address_of_another_origin_is_never_asked(make: Make, address: str) -> None:
    """An upstream hands out the addresses of its jobs: one that leads elsewhere would take the key along."""
    async with Receiver() as receiver:
        error = await _error(make(receiver.url("/v1")).ask("GET", address.format(port=receiver.port)))

    assert type(error) is PollFailed
    assert "own address" in str(error)
    assert receiver.connections == 0


# Texts ----------------------------------------------------------------------------------------------------------


def test_a_text_for_the_log_is_short_on_one_line_and_without_the_key(make: Make) -> None:
    text = make("http://127.0.0.1:1").hide(f"Bad\nkey\t'{KEY}'" + " and more" * 100)

    assert text.startswith("Bad key '***' and more")
    assert len(text) == 300


def test_a_key_is_hidden_where_the_text_is_cut(make: Make) -> None:
    text = make("http://127.0.0.1:1").hide("x" * 290 + KEY)

    assert text == "x" * 290 + "***"
