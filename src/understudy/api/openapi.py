"""The OpenAPI 3.1 document, built from the catalogue.

python -m understudy.api.openapi --write FILE
python -m understudy.api.openapi --check FILE
"""

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy import __version__
from understudy.api import operations, schemas
from understudy.api.schemas import Schema
from understudy.domain.catalogue import DEFAULT_CATALOGUE, Catalogue

_DESCRIPTION = """\
The `generateTask` / `statusTask` video API, served by Understudy.

Submit a task, then ask for its state every few seconds, or give a `callback_url` and be told. Every answer under
`/api/` is `{"code", "message", "data"}`, where `code` is the HTTP status. A task that *failed* is a 200 too: look at
`data.state`."""


def build_document(catalogue: Catalogue, *, version: str) -> dict[str, Any]:
    """Return the document for the models in `catalogue`. Its key order depends on nothing else."""
    models = tuple(catalogue)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Understudy",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": "Tasks", "description": "Generate films."},
            {"name": "Results", "description": "Fetch them."},
            {"name": "Health", "description": "For probes."},
        ],
        "paths": operations.paths(models),
        "webhooks": {"taskEnded": {"post": operations.callback("receiveTaskEnded")}},
        "components": {
            "schemas": _component_schemas(catalogue),
            "responses": operations.shared_responses(),
            "headers": operations.shared_headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `und_…`."},
            },
        },
    }


def _component_schemas(catalogue: Catalogue) -> dict[str, Schema]:
    states = {f"Task{state.capitalize()}": schema for state, schema in schemas.state_schemas().items()}
    ended = [{"$ref": f"#/components/schemas/{name}"} for name in ("TaskSuccess", "TaskFailed")]
    return {
        **{operations.request_name(model): schemas.submit_schema(model) for model in catalogue},
        "TaskCreated": schemas.success_schema(schemas.created_schema()),
        **states,
        "TaskStatus": schemas.success_schema({"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in states]}),
        "TaskEnded": schemas.success_schema({"oneOf": ended}),
        "Error": schemas.envelope_schema({"minimum": 400, "maximum": 599}, {}, {"type": ["object", "null"]}),
        "InvalidRequest": schemas.envelope_schema(
            {"const": 400},
            {"const": "Invalid request"},
            {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
        ),
        "InternalError": schemas.envelope_schema(
            {"const": 500},
            {},
            {"type": "object", "required": ["requestId"], "properties": {"requestId": {"type": "string"}}},
        ),
        "Health": schemas.health_schema(),
    }


def render(document: dict[str, Any]) -> str:
    """Return the document as text: indented, in its own key order, with a newline at its end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def check(path: Path, wanted: str) -> str:
    """Return how the file at `path` differs from `wanted`, as a unified diff; "" if it does not."""
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True), str(path), "generated from the catalogue"
    )
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the committed document; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m understudy.api.openapi", description=main.__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", type=Path, metavar="FILE", help="write the document")
    action.add_argument("--check", type=Path, metavar="FILE", help="exit 1 and show a diff if FILE is out of date")
    options = parser.parse_args(arguments)
    text = render(build_document(DEFAULT_CATALOGUE, version=__version__))
    if options.write is not None:
        options.write.write_text(text, encoding="utf-8")
        return 0
    difference = check(options.check, text)
    if difference:
        sys.stdout.write(difference)
        sys.stderr.write(f"{options.check} is out of date: run `make openapi` and commit the result.\n")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
