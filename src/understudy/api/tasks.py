"""The two contract routes (`contract.md` §1 to §3).

They take the raw request and give bytes: their wire form is exact, and polling makes them hot. So they stand in front
of the framework's router, which would cost as much as the rest together.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from understudy.api.answers import JSON_TYPE, NO_STORE, Answer, Header
from understudy.api.body import BODY_SECONDS, check_media_type, read_body
from understudy.api.errors import method_not_allowed, rate_headers
from understudy.auth.principal import Authenticator
from understudy.domain.errors import InvalidRequest, Refusal
from understudy.domain.status import envelope, status_envelope
from understudy.service.tasks import TaskService

SUBMIT_PREFIX: Final = "/api/v1/generateTask/"
STATUS_PREFIX: Final = "/api/v1/statusTask/"
MAX_QUERY_FIELDS: Final = 100

_TASK_ID: Final = b"taskId="
_REPLAYED: Final[Header] = (b"idempotent-replayed", b"true")

_READ: Final[tuple[str, ...]] = ("GET", "HEAD")
_WRITE: Final[tuple[str, ...]] = ("POST",)


class TaskRoutes:
    """Submit and status. `body_seconds` is how long a body may take to arrive."""

    def __init__(self, tasks: TaskService, authenticator: Authenticator, *, body_seconds: float = BODY_SECONDS) -> None:
        self._tasks = tasks
        self._authenticator = authenticator
        self._body_seconds = body_seconds

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve the request if its path is one of the two; tell whether it was. Raises a `Refusal`."""
        path: str = scope["path"]
        if path.startswith(STATUS_PREFIX):
            prefix, endpoint, methods = STATUS_PREFIX, self._status, _READ
        elif path.startswith(SUBMIT_PREFIX):
            prefix, endpoint, methods = SUBMIT_PREFIX, self._submit, _WRITE
        else:
            return False
        model = path[len(prefix) :]
        if not model or "/" in model:
            return False
        allowed = scope["method"] in methods
        answer = await endpoint(scope, receive, model) if allowed else method_not_allowed(*methods)
        await answer(scope, receive, send)
        return True

    async def _status(self, scope: Scope, receive: Receive, model: str) -> Answer:
        del receive
        principal = await self._authenticator.authenticate(_texts(scope, b"authorization"))
        status, rate = await self._tasks.get_status(principal, model, _task_id(scope["query_string"]))
        return Answer(200, status_envelope(status), (JSON_TYPE, NO_STORE, *rate_headers(rate)))

    async def _submit(self, scope: Scope, receive: Receive, model: str) -> Answer:
        principal = await self._authenticator.authenticate(_texts(scope, b"authorization"))
        keys = _texts(scope, b"idempotency-key")
        try:
            if len(keys) > 1:
                raise InvalidRequest("Idempotency-Key must be given once")
            body: bytes | Refusal = await self._body(scope, receive)
        except Refusal as refusal:
            body = refusal
        created = await self._tasks.create(principal, model, body, idempotency_key=keys[0] if keys else None)
        data: dict[str, object] = {"taskId": created.task_id}
        if created.warnings:
            data["warnings"] = created.warnings
        headers = [JSON_TYPE, NO_STORE, *rate_headers(created.rate)]
        if created.replayed:
            headers.append(_REPLAYED)
        return Answer(200, envelope(200, "success", data), tuple(headers))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        check_media_type(_values(scope, b"content-type"), _values(scope, b"content-encoding"))
        lengths = _values(scope, b"content-length")
        return await read_body(
            receive,
            content_length=int(lengths[0]) if lengths else None,
            expects_continue=bool(_values(scope, b"expect")),
            seconds=self._body_seconds,
        )


def _values(scope: Scope, wanted: bytes) -> Sequence[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]


def _texts(scope: Scope, wanted: bytes) -> Sequence[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _task_id(query: bytes) -> str | Refusal | None:
    """Return the one `taskId` of a query, None if there is none, or why it cannot be told."""
    # What nearly every client sends; the general reading costs more than the rest of the route.
    if query.startswith(_TASK_ID) and b"&" not in query and b"%" not in query and b"+" not in query:
        return query[len(_TASK_ID) :].decode("latin-1")
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        return InvalidRequest(f"the query must have at most {MAX_QUERY_FIELDS} parameters")
    values = [value for name, value in pairs if name == "taskId"]
    return InvalidRequest("taskId must be given once") if len(values) > 1 else next(iter(values), None)
