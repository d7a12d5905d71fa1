"""An upstream calls back: its job's id is kept if we never heard it, and its task is looked at at once."""

from collections.abc import Callable, Mapping

import structlog

from understudy.auth.upstream_links import UpstreamLinks
from understudy.backends.registry import Registry
from understudy.db import attempts, tasks
from understudy.db.base import Database, Tx
from understudy.domain.clock import ClockMs
from understudy.domain.errors import NotFound
from understudy.domain.ids import AttemptId
from understudy.domain.task import Stage

_log = structlog.get_logger(__name__)


class UpstreamEvents:
    """Hears webhooks of upstreams.

    A webhook is a hint and nothing more: how the job stands is asked of the upstream, with our own key. So a forged or
    repeated one changes nothing (case U13 of `reliability.md` §7.4).
    """

    def __init__(
        self,
        database: Database,
        backends: Registry,
        links: UpstreamLinks,
        *,
        clock_ms: ClockMs,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._backends = backends
        self._links = links
        self._clock_ms = clock_ms
        self._wake = wake

    async def hear(self, attempt_id: str, mac: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Take one webhook in; safe to repeat. Raises `NotFound`, with one text, for an address that is not ours."""
        known = AttemptId(attempt_id)
        if not self._links.check(attempt_id, mac):
            raise NotFound("Not found")
        attempt = await self._database.read(lambda reader: attempts.get_attempt(reader, attempt_id=known))
        backend = None if attempt is None else self._backends.get(attempt.backend)
        if attempt is None or backend is None:
            raise NotFound("Not found")
        job_id = backend.job_of_webhook(body, headers)
        _log.info("upstream called back", attempt_id=attempt_id, backend=backend.name, job_told=job_id is not None)
        task_id = attempt.task_id

        async def commit(tx: Tx) -> None:
            if job_id is not None and await attempts.keep_job_id(tx, attempt_id=known, job_id=job_id):
                _log.warning("job learned from its webhook", attempt_id=attempt_id, backend=backend.name)
            stages = (Stage.SUBMIT, Stage.AWAIT)
            await tasks.wake_task(tx, task_id=task_id, now_ms=self._clock_ms(), stages=stages)

        await self._database.transact(commit)
        self._wake()
