"""The outermost layer: an id for every request, and no exception that leaves without an envelope."""

import random

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.api.answers import NOSNIFF
from understudy.api.errors import crash_answer, refusal_answer
from understudy.domain.errors import Refusal

REQUEST_ID = "understudy.request_id"
"""The scope's entry that holds the request id."""

_log = structlog.get_logger(__name__)


class ClientGone(Exception):  # noqa: N818 - it is nobody's error
    """The client closed the connection before its request was whole."""


# Seeded by the system once. A request id opens nothing, so it need not cost a system call for each request.
_random = random.Random()


def new_request_id() -> str:
    """Return an opaque id that a caller can quote and the operator can find in the log."""
    return f"req_{_random.getrandbits(96):024x}"


class Guard:
    """Wraps the whole application. Pure ASGI: nothing is buffered and no task is started."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        request_id = new_request_id()
        scope[REQUEST_ID] = request_id
        started = False

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                marks = ((b"x-request-id", request_id.encode("ascii")), NOSNIFF)
                message["headers"] = [*message.get("headers", ()), *marks]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the last line before the server's own plain-text 500
            if not isinstance(error, Refusal):
                _log.exception("request_crashed", request_id=request_id, method=scope["method"], path=scope["path"])
            # Once bytes have left, the only honest end is a broken connection; the server breaks it when we return.
            if not started:
                answer = refusal_answer(error) if isinstance(error, Refusal) else crash_answer(request_id)
                await answer(scope, receive, send_marked)
