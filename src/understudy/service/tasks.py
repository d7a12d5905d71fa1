"""Create and get tasks."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from understudy.auth.principal import Principal
from understudy.db import limits as slots
from understudy.db import tasks
from understudy.db.base import Database, Tx
from understudy.domain.catalogue import Catalogue, Model
from understudy.domain.clock import ClockMs
from understudy.domain.errors import IdempotencyConflict, InvalidRequest, NotFound, RateState, Refusal, Unavailable
from understudy.domain.ids import TaskId, is_task_id, new_task_id
from understudy.domain.request import CallbackRule, GenerationRequest, read_request
from understudy.domain.status import TaskStatus
from understudy.domain.task import Stage, State, Task
from understudy.limits import concurrency, rate
from understudy.service.backlog import Backlog
from understudy.workflow.crash_points import CrashPoint, CrashSwitch

MAX_WARNINGS = 20
MAX_WARNING_CHARACTERS = 100

_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The server's limits, for keys that have none of their own (`contract.md` §6)."""

    requests_per_minute: int
    concurrent_tasks: int
    status_requests_per_minute: int


@dataclass(frozen=True, slots=True)
class Created:
    """An accepted submit. `warnings` name the fields that were ignored."""

    task_id: TaskId
    replayed: bool
    warnings: tuple[str, ...]
    rate: RateState


@dataclass(frozen=True, slots=True)
class _Admission:
    """What the submit's transaction decided; a refusal's spent rate token stays spent."""

    rate: RateState
    task_id: TaskId | None = None
    replayed: bool = False
    refusal: Refusal | None = None


class TaskService:
    """Create and get, for every door."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        quotas: Quotas,
        *,
        check_callback: CallbackRule,
        check_playable: Callable[[Model, GenerationRequest], None],
        backlog: Backlog,
        deadline_ms: int,
        clock_ms: ClockMs,
        crash: CrashSwitch,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._quotas = quotas
        self._check_callback = check_callback
        self._check_playable = check_playable
        self._backlog = backlog
        self._deadline_ms = deadline_ms
        self._clock_ms = clock_ms
        self._crash = crash
        self._wake = wake
        self._status_rate = rate.StatusRate(clock_ms=clock_ms)

    async def create(
        self, principal: Principal, model_name: str, body: bytes | Refusal, *, idempotency_key: str | None
    ) -> Created:
        """Accept a task: when this returns, it is on disk.

        `body` is what the caller sent, or why it could not be taken: that counts as a submit too
        (`contract.md` §6: "accepted or not"). Raises a `Refusal`.
        """
        try:
            if isinstance(body, Refusal):
                raise body
            model = self._catalogue.get(model_name)
            parsed = _parse(body)
            request, ignored = read_request(parsed, model, check_callback=self._check_callback)
            self._check_playable(model, request)
            key = _idempotency_key(idempotency_key)
        except Refusal:
            await self._count_refused(principal)
            raise
        self._backlog.check()
        task = self._new_task(principal, model, request)
        fingerprint = None if key is None else _fingerprint(model, parsed)
        admission = await self._database.transact(
            lambda tx: self._admit(tx, principal, task, idempotency_key=key, fingerprint=fingerprint)
        )
        self._crash.reach(CrashPoint.ACCEPT_AFTER_COMMIT)
        if admission.refusal is not None or admission.task_id is None:
            raise admission.refusal or Unavailable("Try again", retry_after=1)
        if not admission.replayed:
            self._backlog.note_accepted()
            self._wake()
        return Created(admission.task_id, admission.replayed, _warnings(ignored), admission.rate)

    def _new_task(self, principal: Principal, model: Model, request: GenerationRequest) -> Task:
        now_ms = self._clock_ms()
        return Task(
            id=new_task_id(),
            key_id=principal.key_id,
            model=model.name,
            state=State.PENDING,
            stage=Stage.PREPARE,
            request=request,
            created_at_ms=now_ms,
            deadline_at_ms=now_ms + self._deadline_ms,
            next_at_ms=now_ms,
            backend=model.routes[0].backend,
        )

    async def _count_refused(self, principal: Principal) -> None:
        """Count a submit that is refused; raise `RateLimited` if it is one too many."""
        state, retry_after = await self._database.transact(lambda tx: self._take_rate(tx, principal))
        if retry_after is not None:
            raise rate.refusal(state, retry_after=retry_after, what="submits")

    async def _take_rate(self, tx: Tx, principal: Principal) -> tuple[RateState, int | None]:
        per_minute = principal.requests_per_minute or self._quotas.requests_per_minute
        return await rate.take_submit(tx, key_id=principal.key_id, per_minute=per_minute, now_ms=self._clock_ms())

    async def _admit(
        self, tx: Tx, principal: Principal, task: Task, *, idempotency_key: str | None, fingerprint: bytes | None
    ) -> _Admission:
        """Rate, replay, slot and row, in this order, in one transaction.

        The rate row's lock makes one key's submits follow one another, so that two equal idempotency keys meet here
        and not at a unique index.
        """
        state, retry_after = await self._take_rate(tx, principal)
        if retry_after is not None:
            return _Admission(state, refusal=rate.refusal(state, retry_after=retry_after, what="submits"))
        if idempotency_key is not None:
            earlier = await tasks.find_idempotent(tx, key_id=principal.key_id, idempotency_key=idempotency_key)
            if earlier is not None and earlier[1] != fingerprint:
                return _Admission(state, refusal=IdempotencyConflict("The Idempotency-Key was used with another body"))
            if earlier is not None:
                return _Admission(state, task_id=earlier[0], replayed=True)
        limit = principal.concurrent_tasks or self._quotas.concurrent_tasks
        if not await slots.take_slot(tx, key_id=principal.key_id, limit=limit):
            return _Admission(state, refusal=concurrency.refusal(limit, state))
        await tasks.insert_task(tx, task, idempotency_key=idempotency_key, fingerprint=fingerprint)
        self._crash.reach(CrashPoint.ACCEPT_BEFORE_COMMIT)
        return _Admission(state, task_id=task.id)

    async def get_status(
        self, principal: Principal, model_name: str, task_id: str | Refusal | None
    ) -> tuple[TaskStatus, RateState]:
        """Return the caller's own task.

        `task_id` may be why none could be read: that counts as a status read too.
        Raises `NotFound`, with one text, for an unknown task, another key's task and the wrong model
        (`contract.md` §3); `InvalidRequest` without a task id; `RateLimited`.
        """
        state = self._status_rate.take(principal.key_id, per_minute=self._quotas.status_requests_per_minute)
        if isinstance(task_id, Refusal):
            raise task_id
        if not task_id:
            raise InvalidRequest("taskId is required: the id that generateTask returned")
        status = None
        if is_task_id(task_id):
            known = TaskId(task_id)
            status = await self._database.read(lambda reader: tasks.get_status(reader, task_id=known))
        if status is None or status.key_id != principal.key_id or status.model != model_name:
            raise NotFound("Task not found")
        return status, state


def _parse(body: bytes) -> object:
    # orjson alone accepts neither NaN nor lone surrogates, and reads 1e400 as an error (`reliability.md` §0, fact 6).
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest("the body is not valid JSON in UTF-8") from None


def _idempotency_key(header: str | None) -> str | None:
    if header is None:
        return None
    # The IETF draft writes the key as a quoted string, most clients send it bare: both mean the same key.
    key = header[1:-1] if len(header) >= 2 and header[0] == header[-1] == '"' else header
    if _IDEMPOTENCY_KEY.match(key) is None:
        raise InvalidRequest("Idempotency-Key must be 1 to 255 printable ASCII characters")
    return key


def _fingerprint(model: Model, parsed: object) -> bytes:
    """Return what makes two bodies the same: the JSON value, not its spelling, and the model."""
    canonical = orjson.dumps([model.name, parsed], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).digest()


def _warnings(ignored: tuple[str, ...]) -> tuple[str, ...]:
    # A stranger's body may hold thousands of unknown names; the answer repeats a few.
    return tuple(name[:MAX_WARNING_CHARACTERS] for name in ignored[:MAX_WARNINGS])
