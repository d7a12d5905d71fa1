"""`keys …`: what an operator does beside a running server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from understudy.cli.options import ConfigOption, DataOption, JsonOption, settings_from
from understudy.config import Settings
from understudy.domain.ids import RANDOM_CHARACTERS
from understudy.domain.records import ApiKey

if TYPE_CHECKING:
    from understudy.service.keys import KeyService, NewKey

T = TypeVar("T")

keys = typer.Typer(help="Make, list, revoke and roll API keys.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    app.add_typer(keys, name="keys")


def _with_keys(settings: Settings, use: "Callable[[KeyService], Awaitable[T]]") -> T:
    from understudy.bootstrap import embedded, open_foundation

    async def run() -> T:
        async with open_foundation(settings, migrate=embedded(settings)) as foundation:
            return await use(foundation.keys)

    return asyncio.run(run())


def _show_new(made: "NewKey", *, as_json: bool) -> None:
    if as_json:
        answer = {
            "id": made.record.id,
            "name": made.record.name,
            "key": made.key,
            "webhookSecret": made.webhook_secret,
        }
        typer.echo(json.dumps(answer))
        return
    typer.echo(f"id              {made.record.id}")
    typer.echo(f"name            {made.record.name}")
    typer.echo(f"key             {made.key}")
    typer.echo(f"webhook secret  {made.webhook_secret}")
    typer.echo("Keep both now: they are not shown again.", err=True)


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    requests_per_minute: Annotated[int | None, typer.Option(min=1, max=100_000, help="Submits a minute.")] = None,
    concurrent_tasks: Annotated[int | None, typer.Option(min=1, max=100_000, help="Tasks at once.")] = None,
    data: DataOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it once."""
    made = _with_keys(
        settings_from(config, data),
        lambda service: service.create(
            name, requests_per_minute=requests_per_minute, concurrent_tasks=concurrent_tasks
        ),
    )
    _show_new(made, as_json=as_json)


@keys.command("list")
def list_(data: DataOption = None, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List all keys; a key itself is never shown again."""
    found = _with_keys(settings_from(config, data), lambda service: service.list())
    if as_json:
        typer.echo(json.dumps([_as_object(record) for record in found]))
        return
    table = Table("id", "name", "ends in", "made", "state", "submits/min", "at once", "active", box=None)
    # An id cut to fit a narrow terminal could not be given to `revoke`.
    table.columns[0].no_wrap, table.columns[0].min_width = True, len("key_") + RANDOM_CHARACTERS
    for record in found:
        table.add_row(
            record.id,
            record.name,
            "…" + record.hint,
            _day(record.created_at_ms),
            _state(record),
            str(record.requests_per_minute or "default"),
            str(record.concurrent_tasks or "default"),
            str(record.active_tasks),
        )
    Console(highlight=False).print(table)


def _as_object(record: ApiKey) -> dict[str, object]:
    return {
        "id": record.id,
        "name": record.name,
        "hint": record.hint,
        "createdAt": record.created_at_ms,
        "expiresAt": record.expires_at_ms,
        "revokedAt": record.revoked_at_ms,
        "requestsPerMinute": record.requests_per_minute,
        "concurrentTasks": record.concurrent_tasks,
        "activeTasks": record.active_tasks,
    }


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def _state(record: ApiKey) -> str:
    if record.revoked_at_ms is not None:
        return "revoked"
    if record.expires_at_ms is None:
        return "live"
    expired = record.expires_at_ms <= datetime.now(UTC).timestamp() * 1000
    return "expired" if expired else f"until {_day(record.expires_at_ms)}"


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID")], data: DataOption = None, config: ConfigOption = None
) -> None:
    """Close a key; it stops working within a second, its running tasks go on."""
    _with_keys(settings_from(config, data), lambda service: service.revoke(key_id))
    typer.echo(f"Revoked {key_id}.")


@keys.command()
def roll(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    overlap_hours: Annotated[float, typer.Option(min=0, max=8760, help="How long the old key still works.")] = 24,
    data: DataOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a new key like this one; the old one works a while longer."""
    made = _with_keys(settings_from(config, data), lambda service: service.roll(key_id, overlap_hours=overlap_hours))
    _show_new(made, as_json=as_json)
