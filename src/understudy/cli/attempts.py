"""`attempts`: what was submitted to which backend, and which submissions nobody knows the outcome of."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from understudy.cli.options import ConfigOption, DataOption, JsonOption, settings_from
from understudy.config import Settings
from understudy.domain.records import Attempt, AttemptState

if TYPE_CHECKING:
    from understudy.service.attempts import AttemptService

T = TypeVar("T")

attempts = typer.Typer(
    help="List submissions to backends; settle those whose outcome nobody knows.", invoke_without_command=True
)


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    app.add_typer(attempts, name="attempts")


def _with_attempts(settings: Settings, use: "Callable[[AttemptService], Awaitable[T]]") -> T:
    from understudy.bootstrap import embedded, open_foundation
    from understudy.domain.clock import system_clock_ms
    from understudy.service.attempts import AttemptService

    async def run() -> T:
        async with open_foundation(settings, migrate=embedded(settings)) as foundation:
            return await use(AttemptService(foundation.database, clock_ms=system_clock_ms))

    return asyncio.run(run())


@attempts.callback()
def list_(
    context: typer.Context,
    task: Annotated[str, typer.Option(help="Those of one task.", metavar="ID")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    data: DataOption = None,
    config: ConfigOption = None,
    *,
    unknown: Annotated[bool, typer.Option("--unknown", help="Those that may have been created and billed.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Those whose film came after the task had ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List submissions to backends, the newest first."""
    if context.invoked_subcommand is not None:
        return
    if sum((unknown, late, bool(task))) > 1:
        raise typer.BadParameter("give one of --unknown, --late and --task")

    async def ask(service: "AttemptService") -> Sequence[Attempt]:
        if task:
            return await service.of_task(task)
        if unknown or late:
            return await service.in_state(AttemptState.UNKNOWN if unknown else AttemptState.LATE, limit=limit)
        return await service.recent(limit=limit)

    found = _with_attempts(settings_from(config, data), ask)
    if as_json:
        typer.echo(json.dumps([_as_object(attempt) for attempt in found]))
        return
    _print(found)
    if unknown:
        _advise(len(found))


def _print(found: Sequence[Attempt]) -> None:
    table = Table("id", "task", "backend", "state", "begun (UTC)", "upstream's id", "what is known", box=None)
    for column in table.columns[:2]:
        column.no_wrap = True
    for attempt in found:
        table.add_row(
            attempt.id,
            attempt.task_id,
            attempt.backend,
            attempt.state.value,
            datetime.fromtimestamp(attempt.started_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            attempt.job_id or "-",
            attempt.remark or attempt.detail or "",
        )
    Console(highlight=False, soft_wrap=True).print(table)


def _advise(count: int) -> None:
    if count == 0:
        typer.echo("No submission is unknown.", err=True)
        return
    typer.echo(
        f"{count} submission(s) may have been created and billed upstream, and were never sent again. Look them up in "
        "the backend's own dashboard by their time; `understudy attempts settle ID` takes one off this list.",
        err=True,
    )


def _as_object(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "taskId": attempt.task_id,
        "backend": attempt.backend,
        "model": attempt.model,
        "state": attempt.state.value,
        "startedAt": attempt.started_at_ms,
        "endedAt": attempt.ended_at_ms,
        "jobId": attempt.job_id,
        "detail": attempt.detail,
        "remark": attempt.remark,
    }


@attempts.command()
def settle(
    attempt_id: Annotated[str, typer.Argument(metavar="ID")], data: DataOption = None, config: ConfigOption = None
) -> None:
    """Take a submission off the lists of unknown and late ones, once you know what became of it."""
    _with_attempts(settings_from(config, data), lambda service: service.settle(attempt_id))
    typer.echo(f"Settled {attempt_id}.")
