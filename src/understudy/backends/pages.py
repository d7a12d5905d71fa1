"""The generated tables of `docs/backends/`: facts that are data in the code must not be retyped into a page.

`python -m understudy.backends.pages --write docs/backends` puts them between the marker lines of each kind's page,
`--check` fails if a page is missing or differs.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic_core import PydanticUndefined

from understudy.backends.base import Backend, CannotPlay, Context, Wanted
from understudy.backends.facts import Facts
from understudy.backends.options import BackendOptions
from understudy.backends.registry import BUILT_IN, UpstreamModule, upstream_module, upstream_names
from understudy.domain.catalogue import DEFAULT_CATALOGUE, Size
from understudy.outbound.client import OutboundClient
from understudy.outbound.policy import OutboundPolicy
from understudy.sandbox.runner import Sandbox

BEGIN: Final = "<!-- generated: facts -->"
END: Final = "<!-- /generated -->"
SOME_ADDRESS: Final = "http://127.0.0.1:8091/v1"


def main() -> None:
    """Write or check the pages of a folder; exit 1 if one is not up to date."""
    parser = argparse.ArgumentParser(prog="python -m understudy.backends.pages")
    parser.add_argument("--write", action="store_true", help="write instead of comparing")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    stale = asyncio.run(_all(arguments.folder, write=arguments.write))
    for sentence in stale:
        print(sentence, file=sys.stderr)  # noqa: T201 - a command's output
    sys.exit(1 if stale else 0)


async def _all(folder: Path, *, write: bool) -> list[str]:
    stale = []
    for kind in upstream_names():
        if kind == BUILT_IN:
            continue
        page = folder / f"{kind}.md"
        if not page.is_file() or BEGIN not in page.read_text("utf-8"):
            stale.append(f"{page} is missing or lacks the line {BEGIN}")
            continue
        text = page.read_text("utf-8")
        before, _, rest = text.partition(BEGIN)
        fresh = f"{before}{BEGIN}\n\n{await tables(kind)}\n{END}{rest.partition(END)[2]}"
        if fresh != text and write:
            page.write_text(fresh, "utf-8")
        elif fresh != text:
            stale.append(f"{page} is not up to date: run `make backend-pages`")
    return stale


async def tables(kind: str) -> str:
    """Return the tables of one kind as Markdown: facts, what it plays by default, settings."""
    module = upstream_module(kind)
    backend = await _example(kind, module)
    try:
        parts = [_facts(module.FACTS, backend), _plays(module.FACTS, backend), _settings(module.Options)]
    finally:
        await backend.close()
    return "\n".join(parts)


async def _example(kind: str, module: UpstreamModule) -> Backend:
    sandbox, outbound = Sandbox(max_children=1), OutboundClient(OutboundPolicy())
    context = Context(
        sandbox=sandbox,
        work_dir=Path(),
        processes=1,
        wake=lambda _: None,
        outbound=outbound,
        read_env=lambda _: "a-key-for-the-page",
    )
    address = {} if module.FACTS.base_url else {"url": SOME_ADDRESS}
    return module.create(kind, module.Options.model_validate(address), context)


def _facts(facts: Facts, backend: Backend) -> str:
    traits = backend.traits
    rows = [
        ("Reference", f"<{facts.reference}> (read on {facts.read_on})"),
        ("Address", f"`{facts.base_url}`" if facts.base_url else "yours, in `url`"),
        ("Key", f"`{facts.key_env}`" if facts.key_env else "none, unless `api_key_env` or `api_key_file` names one"),
        ("Model, unless a route names one", f"`{facts.default_model}`" if facts.default_model else "the server's own"),
        ("First poll, then every", f"{traits.first_poll_seconds:g} s, {traits.poll_seconds:g} s"),
        ("Calls back", "yes, where `public_url` can be reached" if traits.webhooks else "no"),
        ("A lost answer", facts.lost_answer),
        ("Cancelling", facts.cancels),
        ("Films upstream live", facts.result_life),
        ("Cost", facts.cost),
    ]
    return _table(("", ""), rows)


def _plays(facts: Facts, backend: Backend) -> str:
    """Say what is generated for each size and length of `sora-2-pro`."""
    model = next(iter(DEFAULT_CATALOGUE))
    sizes = [(size, False, str(size)) for size in model.sizes]
    sizes += [(size, True, f"image, {name}") for name, size in model.resolutions.items()]
    rows = [
        (label, *(_played(facts, backend, size, seconds, picture=picture) for seconds in model.durations))
        for size, picture, label in sizes
    ]
    heads = ("Asked for", *(f"{seconds} s" for seconds in model.durations))
    return f"What is generated for `sora-2-pro` with the default settings:\n\n{_table(heads, rows)}"


def _played(facts: Facts, backend: Backend, size: Size, seconds: int, *, picture: bool) -> str:
    try:
        fit = backend.fit(Wanted(model=facts.default_model, size=size, seconds=seconds, picture=picture))
    except CannotPlay:
        return "refused"
    return "exactly" if fit.size == size else f"{fit.size}, fitted"


def _settings(options: type[BackendOptions]) -> str:
    own = [name for name in options.model_fields if name not in BackendOptions.model_fields]
    rows = []
    for name in [*own, *BackendOptions.model_fields]:
        field = options.model_fields[name]
        default = field.default if field.default is not PydanticUndefined else ""
        shown = "" if default in (None, "", ()) else f"`{_toml(default)}`"
        rows.append((f"`{name}`", shown, field.description or ""))
    return f"Settings of `[backends.NAME]`:\n\n{_table(('Setting', 'Default', 'Meaning'), rows)}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def lines() -> Iterator[str]:
        yield "| " + " | ".join(heads) + " |"
        yield "|" + "---|" * len(heads)
        for row in rows:
            yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"

    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    main()
