"""A server whose star is a paid backend that a test scripts, and a count of what was paid."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.support.rows import query
from tests.support.upstream import ScriptedUpstream

TINY_FILMS = {"sizes": ["64*64"], "durations": [1], "resolutions": {"720p": "64*64"}}
"""What callers may ask for: films so small that making and checking them costs a test nothing."""


def settings(upstreams: Mapping[str, ScriptedUpstream], **options: object) -> dict[str, str]:
    """Return the settings of a server that plays `sora-2-pro` with these backends, in this order, the first alone.

    `options` go to every backend's table.
    """
    routes = [
        {"backend": name, "model": upstream.vendor.model, "weight": 1 if number == 0 else 0}
        for number, (name, upstream) in enumerate(upstreams.items())
    ]
    quick = {"first_poll_seconds": 0.2, "poll_seconds": 0.2, "call_seconds": 2, "download_seconds": 10}
    backends = {name: upstream.settings(**{**quick, **options}) for name, upstream in upstreams.items()}
    allowed = [address for upstream in upstreams.values() for address in upstream.outbound_allow]
    return {
        "BACKENDS": json.dumps(backends),
        "MODELS": json.dumps({"sora-2-pro": {"routes": routes, **TINY_FILMS}}),
        "OUTBOUND_ALLOW": ",".join(["127.0.0.1", *allowed]),
        "CALLBACK_RETRY_SECONDS": "1,1,1",
        "REQUESTS_PER_MINUTE": "60000",
        "CONCURRENT_TASKS": "1000",
        "STATUS_REQUESTS_PER_MINUTE": "600000",
        "LOG_LEVEL": "warning",
    }


def creations_by_prompt(*upstreams: ScriptedUpstream) -> Counter[str]:
    """Return how many jobs the upstreams created for each prompt: a test gives each task a prompt of its own."""
    return Counter(job.submission.prompt for upstream in upstreams for job in upstream.jobs.values())


def attempts_by_prompt(data: Path) -> dict[str, list[str]]:
    """Return the states of the attempts for each prompt, as a stopped server left them."""
    joined = "SELECT t.request, a.state FROM tasks t JOIN attempts a ON a.task_id = t.id ORDER BY a.started_at"
    found: dict[str, list[str]] = {}
    for request, state in query(data, joined):
        found.setdefault(json.loads(request)["prompt"], []).append(state)
    return found
