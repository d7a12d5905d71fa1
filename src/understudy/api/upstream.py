"""Where upstreams call back: an address that belongs to one attempt, made by us and given to nobody else."""

from typing import Final

from starlette.types import Receive, Scope, Send

from understudy.api.answers import Answer, envelope_answer
from understudy.api.body import BODY_SECONDS, read_body
from understudy.api.errors import method_not_allowed, refusal_answer
from understudy.domain.errors import Refusal
from understudy.service.upstream_events import UpstreamEvents

PATH: Final = "/upstream/{attempt}/{mac}"


class UpstreamRoute:
    """An ASGI application for one webhook. What the body is called does not matter: only a job's id is looked for."""

    def __init__(self, events: UpstreamEvents, *, body_seconds: float = BODY_SECONDS) -> None:
        self._events = events
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve POST."""
        allowed = scope["method"] == "POST"
        answer = await self._hear(scope, receive) if allowed else method_not_allowed("POST")
        await answer(scope, receive, send)

    async def _hear(self, scope: Scope, receive: Receive) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        length = headers.get("content-length")
        try:
            body = await read_body(
                receive,
                content_length=None if length is None else int(length),
                expects_continue="expect" in headers,
                seconds=self._body_seconds,
            )
            path = scope["path_params"]
            await self._events.hear(path["attempt"], path["mac"], body, headers)
        except Refusal as refusal:
            return refusal_answer(refusal)
        return envelope_answer(200, "success")
