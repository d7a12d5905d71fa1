"""`doctor`: what was found, and a sentence for each fault."""

import asyncio

import typer
from rich.console import Console

from understudy.cli.options import ConfigOption, DataOption, settings_from
from understudy.config import SettingsError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(doctor)


def doctor(data: DataOption = None, config: ConfigOption = None) -> None:
    """Print what was found: settings, database, storage, backends and whether each answers."""
    from understudy.cli.examination import examine, show

    console = Console(highlight=False)
    try:
        settings = settings_from(config, data)
    except SettingsError as error:
        show(console, ("settings", False, str(error)))
        raise typer.Exit(1) from None
    if not asyncio.run(examine(console, settings)):
        raise typer.Exit(1)
