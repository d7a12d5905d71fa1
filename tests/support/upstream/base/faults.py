"""What can go wrong with one call, whatever the vendor.

    upstream.script("submit", status(429, retry_after="7"), lost())   # first call, second call; later ones are fine
    upstream.always("poll", html())

A fault *acts* if the call takes effect although its answer is bad: a submission that acts has created a job.
"""

import functools
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.support.upstream.base.vendor import Vendor
from tests.support.upstream.base.wire import Answer, Request, head, json_answer

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a fault can use: `usual` is the answer that the call would have had (None if it did not act)."""

    vendor: Vendor
    request: Request
    usual: Answer | None
    send: Callable[[bytes], Awaitable[None]]
    reset: Callable[[], None]
    hold: Callable[[float], Awaitable[None]]
    """Waits so many seconds, or less if the other side leaves."""


Play = Callable[[Scene], Awaitable[bool]]
"""Plays a fault; True keeps the connection for the next request."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehavior.

    `unread`: it strikes before the body is read, so nothing is created. `waits`: only the caller's patience ends it.
    """

    name: str
    play: Play
    acts: bool = False
    unread: bool = False
    waits: bool = False

    def __repr__(self) -> str:
        """Return the name, which pytest shows."""
        return self.name


def answered(answer: Answer, *, name: str, acts: bool) -> Fault:
    """Answer with exactly this."""
    return made(lambda _: answer, name=name, acts=acts)


def made(make: Callable[[Scene], Answer], *, name: str, acts: bool) -> Fault:
    """Answer with what `make` returns."""

    async def play(scene: Scene) -> bool:
        answer = make(scene)
        await scene.send(answer.head() + answer.body)
        return True

    return Fault(name, play, acts=acts)


def ok() -> Fault:
    """Answer as usual: a place holder for calls that go well before a fault."""
    return made(_usual, name="ok", acts=True)


def status(code: int, *, retry_after: str | None = None, text: str = "Something is wrong.") -> Fault:
    """Answer with the vendor's own error.

    Where the status proves that nothing was created, nothing is; with 408, 409, 425 and from 500 on the job exists all
    the same, since that is what may happen.
    """

    def make(scene: Scene) -> Answer:
        answer = scene.vendor.error(code, text)
        extra = {} if retry_after is None else {"Retry-After": retry_after}
        return Answer(answer.status, answer.body, {**answer.headers, **extra})

    name = f"status-{code}" if retry_after is None else f"status-{code}-retry-after"
    return made(make, name=name, acts=proves_nothing(code))


def proves_nothing(code: int) -> bool:
    """Tell whether a job may exist although its submission was answered with this status."""
    return code >= 500 or code in (408, 409, 425)


def key_echo(code: int) -> Fault:
    """Answer with the vendor's own error, whose text holds the key."""
    return made(
        lambda scene: scene.vendor.error(code, f"Bad key {scene.vendor.key} in {scene.request.headers}"),
        name=f"key-echo-{code}",
        acts=proves_nothing(code),
    )


def refusal() -> Fault:
    """Refuse the submission by moderation, in the vendor's own words."""
    return made(lambda scene: scene.vendor.refusal(), name="refusal", acts=False)


def html(code: int = 200) -> Fault:
    """Answer with a page instead of JSON."""
    return answered(Answer(code, PAGE, {"Content-Type": "text/html"}), name=f"html-{code}", acts=True)


def garbage() -> Fault:
    """Answer 200 with JSON that breaks off."""
    return answered(Answer(200, b'{"id": "vid', {"Content-Type": "application/json"}), name="garbage", acts=True)


def wrong_shape(value: object = None) -> Fault:
    """Answer 200 with a JSON value of another shape; by default a list."""
    return answered(json_answer([1, "two"] if value is None else value), name="wrong-shape", acts=True)


def wrong_types() -> Fault:
    """Answer as usual, but with every text of the JSON object a number and every number a list (case U5)."""

    def twisted(value: object) -> object:
        if isinstance(value, dict):
            return {name: twisted(part) for name, part in value.items()}
        return 7 if isinstance(value, str) else [value]

    return made(lambda scene: json_answer(twisted(json.loads(_usual(scene).body))), name="wrong-types", acts=True)


def empty(code: int = 200) -> Fault:
    """Answer without a body."""
    return answered(Answer(code), name=f"empty-{code}", acts=True)


def extra_fields() -> Fault:
    """Answer as usual, with fields, headers and an object that nobody has documented (case U15)."""

    def make(scene: Scene) -> Answer:
        usual = _usual(scene)
        value = json.loads(usual.body)
        assert isinstance(value, dict)
        more = {"x_price": {"amount": 1.5, "tiers": [1, None, {"deep": []}]}, "zz": None, "état": "☃"}
        answer = json_answer({**value, **more}, usual.status)
        return Answer(answer.status, answer.body, {**usual.headers, "X-RateLimit-Surprise": "1;w=2"})

    return made(make, name="extra-fields", acts=True)


def slow(seconds: float) -> Fault:
    """Answer as usual after `seconds`."""

    async def play(scene: Scene) -> bool:
        await scene.hold(seconds)
        usual = _usual(scene)
        await scene.send(usual.head() + usual.body)
        return True

    return Fault(f"slow-{seconds:g}", play, acts=True)


def drip(*, piece: bytes = b" ", every_seconds: float = 0.05) -> Fault:
    """Announce a long body and send it byte by byte, for ever."""

    async def play(scene: Scene) -> bool:
        await scene.send(head(200, {"Content-Type": "application/json", "Content-Length": "100000000"}))
        while True:
            await scene.hold(every_seconds)
            await scene.send(piece)

    return Fault("drip", play, acts=True, waits=True)


def endless(block: bytes = b" " * 65536) -> Fault:
    """Send a body without an end, as fast as it is taken."""

    async def play(scene: Scene) -> bool:
        await scene.send(head(200, {"Content-Type": "application/json", "Connection": "close"}))
        while True:
            await scene.send(block)

    return Fault("endless", play, acts=True)


def gzip_bomb(size: int = 64 * 1024**2) -> Fault:
    """Answer with a small body that unpacks to `size` bytes."""

    def make(scene: Scene) -> Answer:
        del scene
        return Answer(200, _bomb(size), {"Content-Type": "application/json", "Content-Encoding": "gzip"})

    return made(make, name="gzip-bomb", acts=True)


@functools.cache
def _bomb(size: int) -> bytes:
    return gzip.compress(b" " * size, 1)


def reset_before() -> Fault:
    """Cut the connection before the body is read: nothing is created."""

    async def play(scene: Scene) -> bool:
        scene.reset()
        return False

    return Fault("reset-before", play, unread=True)


def reset_after() -> Fault:
    """Cut the connection after the request was read: the job exists."""

    async def play(scene: Scene) -> bool:
        scene.reset()
        return False

    return Fault("reset-after", play, acts=True)


def lost(seconds: float = 3600) -> Fault:
    """Take the request and say nothing: the job exists."""

    async def play(scene: Scene) -> bool:
        await scene.hold(seconds)
        return False

    return Fault("lost", play, acts=True, waits=True)


def cut_answer() -> Fault:
    """Send half of the usual answer's body and close: the job exists."""

    async def play(scene: Scene) -> bool:
        usual = _usual(scene)
        await scene.send(usual.head() + usual.body[: len(usual.body) // 2])
        return False

    return Fault("cut-answer", play, acts=True)


def _usual(scene: Scene) -> Answer:
    assert scene.usual is not None
    return scene.usual
