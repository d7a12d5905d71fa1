"""Logs: one line for each thing that happened, with ids and without secrets, prompts, signed links or bodies."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from understudy.domain.masking import mask

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _mask_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask whatever looks like a key, a webhook secret or a link's signature, wherever it came from."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = mask(value)
    return event


def configure_logging(*, log_format: str, level: str) -> None:
    """Send logs to stderr: for people where it is a terminal, as JSON lines elsewhere, or as set."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default prints local variables: keys and prompts would stand in the log, past every mask.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Any] = [structlog.processors.format_exc_info, _mask_secrets] if as_json else [_mask_secrets]
    structlog.configure(
        processors=[*before, *after, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _route_library_logs(level, before, [*after, renderer])


def _route_library_logs(level: str, before: list[Any], after: list[Any]) -> None:
    """Let uvicorn's and asyncio's own records look like ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
