"""Scripted upstreams: one module for each vendor, on the common base in `base/`.

    from tests.support.upstream import Mishap, Plan, ScriptedUpstream, lost, vendors

    async with ScriptedUpstream(vendors()["openai_videos"]()) as upstream:
        upstream.script("submit", lost())
        upstream.plan(Plan(mishap=Mishap.EXPIRED_LINK))
        ...  # load a backend with upstream.settings() and upstream.vendor.environment(), and let it work
        assert upstream.creations == 1

A vendor is added by adding a module here, named for the backend's kind, that defines a subclass of `Vendor` with that
`kind`: `vendors()` finds it, and so does the contract suite.
"""

import importlib
import inspect
import pkgutil

from tests.support.upstream.base.faults import (
    Fault,
    answered,
    cut_answer,
    drip,
    empty,
    endless,
    extra_fields,
    garbage,
    gzip_bomb,
    html,
    key_echo,
    lost,
    made,
    ok,
    proves_nothing,
    refusal,
    reset_after,
    reset_before,
    slow,
    status,
    wrong_shape,
    wrong_types,
)
from tests.support.upstream.base.jobs import Job, Mishap, Phase, Plan, Submission
from tests.support.upstream.base.media import picture_bytes, tiny_film
from tests.support.upstream.base.server import ScriptedUpstream
from tests.support.upstream.base.vendor import Call, CallName, Denied, Vendor
from tests.support.upstream.base.wire import Answer, Part, Request, json_answer

__all__ = [
    "Answer",
    "Call",
    "CallName",
    "Denied",
    "Fault",
    "Job",
    "Mishap",
    "Part",
    "Phase",
    "Plan",
    "Request",
    "ScriptedUpstream",
    "Submission",
    "Vendor",
    "answered",
    "cut_answer",
    "drip",
    "empty",
    "endless",
    "extra_fields",
    "garbage",
    "gzip_bomb",
    "html",
    "json_answer",
    "key_echo",
    "lost",
    "made",
    "ok",
    "picture_bytes",
    "proves_nothing",
    "refusal",
    "reset_after",
    "reset_before",
    "slow",
    "status",
    "tiny_film",
    "vendors",
    "wrong_shape",
    "wrong_types",
]


def vendors() -> dict[str, type[Vendor]]:
    """Return the vendors by kind, sorted."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.ispkg
    ]
    classes = [
        vendor
        for module in modules
        for _, vendor in inspect.getmembers(module, inspect.isclass)
        if issubclass(vendor, Vendor) and vendor.__module__ == module.__name__ and not inspect.isabstract(vendor)
    ]
    return {vendor.kind: vendor for vendor in sorted(classes, key=lambda vendor: vendor.kind)}
