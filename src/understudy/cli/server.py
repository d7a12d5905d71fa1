"""`serve`, `worker`, `migrate`: the commands that run a server.

Their imports stand inside, so that `understudy generate` does not wait for a server's libraries.
"""

from typing import Annotated

import typer

from understudy import __version__
from understudy.cli.options import ConfigOption, DataOption, settings_from


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(serve)
    app.command()(worker)
    app.command()(migrate)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.", show_default="8000")] = None,
    data: DataOption = None,
    config: ConfigOption = None,
    *,
    workers_off: Annotated[bool, typer.Option("--workers-off", help="Answer only; `understudy worker` works.")] = False,
) -> None:
    """Run the server: API and workers in one process."""
    from understudy.cli.running import run_server

    run_server(settings_from(config, data, host=host, port=port, workers=False if workers_off else None))


def worker(data: DataOption = None, config: ConfigOption = None) -> None:
    """Run workers only, beside `serve --workers-off` (with PostgreSQL)."""
    from understudy.cli.running import run_worker

    run_worker(settings_from(config, data, workers=True))


def migrate(data: DataOption = None, config: ConfigOption = None) -> None:
    """Bring the database to this version; `serve` does it by itself on the embedded default."""
    from understudy.cli.running import run_migration

    run_migration(settings_from(config, data))
    typer.echo(f"The database is at the version of Understudy {__version__}.")
