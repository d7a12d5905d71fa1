"""Drives the official `openai` package by lines of JSON; run with the judges' interpreter, which alone has it.

In:  `{"url": …, "key": …, "call": "videos.create", "given": {…}, "retries": 0}`. A `call` is a method of the client, or
     with a leading "openai." something of the package. In `given`, `{"$file": PATH}` is an open file, `{"$type":
     "types.Video"}` a class of the package; `"$all": true` follows a list's pages.
Out: `{"value": …}`, or `{"error": {"type", "status", "code", "message"}}` for an exception of the package's own.
"""

import base64
import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

openai: Any = importlib.import_module("openai")


def found(root: object, path: str) -> Any:
    """Return what the dotted `path` leads to from `root`."""
    for name in path.split("."):
        root = getattr(root, name)
    return root


def given(value: Any, files: ExitStack) -> Any:
    """Return an argument as the package wants it."""
    match value:
        case {"$file": str(path)}:
            return files.enter_context(Path(path).open("rb"))
        case {"$type": str(path)}:
            return found(openai, path)
        case _:
            return value


def told(value: Any) -> Any:
    """Return a result as JSON can hold it: of bytes base64, of a list's page its entries."""
    if hasattr(value, "to_dict"):
        return value.to_dict(mode="json")
    return {"base64": base64.b64encode(value.read()).decode()}


def played(order: dict[str, Any]) -> Any:
    """Make the call and return what it gave."""
    arguments = dict(order["given"])
    every = arguments.pop("$all", False)
    with (
        openai.OpenAI(base_url=order["url"], api_key=order["key"], max_retries=order["retries"], timeout=20) as client,
        ExitStack() as files,
    ):
        root, path = (openai, order["call"][7:]) if order["call"].startswith("openai.") else (client, order["call"])
        value = found(root, path)(**{name: given(argument, files) for name, argument in arguments.items()})
        # A server whose pages never end shall not hang the test.
        return [told(entry) for entry in islice(value, 1000)] if every else told(value)


def answers(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Answer each order."""
    for line in lines:
        try:
            yield {"value": played(json.loads(line))}
        except (openai.OpenAIError, ValueError) as error:
            # A ValueError is pydantic's: the answer has not the shape that the package describes.
            shown = {name: getattr(error, name, None) for name in ("status_code", "code", "param", "message")}
            yield {"error": {"type": type(error).__name__, **shown, "text": str(error)}}


if __name__ == "__main__":
    # Every method of `videos` is marked as deprecated since OpenAI's own service has ended.
    warnings.simplefilter("ignore", DeprecationWarning)
    for answer in answers(sys.stdin):
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()
