"""What the stages work with; built once by `bootstrap`."""

from dataclasses import dataclass, field
from pathlib import Path

from understudy.auth.links import LinkSigner
from understudy.auth.upstream_links import UpstreamLinks
from understudy.backends.registry import Registry
from understudy.db.base import Database
from understudy.domain.catalogue import Catalogue
from understudy.domain.clock import ClockMs
from understudy.moderation.filter import Moderator
from understudy.outbound.client import OutboundClient
from understudy.sandbox.runner import Sandbox
from understudy.storage.base import Storage
from understudy.workflow.circuits import Circuits
from understudy.workflow.crash_points import CrashSwitch
from understudy.workflow.patience import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The rooms below, and the settings that the story needs.

    `work_dir` holds files under way; `webhook_root` is the secret that each key's webhook secret is derived from;
    `result_ms` is the life of a result link. `called_back` names the backends whose upstream may call us.
    """

    database: Database
    storage: Storage
    backends: Registry
    catalogue: Catalogue
    moderator: Moderator
    outbound: OutboundClient
    sandbox: Sandbox
    links: LinkSigner
    work_dir: Path
    webhook_root: bytes
    result_ms: int
    callback_retry_seconds: tuple[int, ...]
    clock_ms: ClockMs
    crash: CrashSwitch
    circuits: Circuits
    upstream_links: UpstreamLinks
    called_back: frozenset[str] = frozenset()
    patience: Patience = field(default_factory=Patience)
