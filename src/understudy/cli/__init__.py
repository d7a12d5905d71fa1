"""The `understudy` command (`interface.md`, Command line)."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from understudy import __version__
from understudy.cli import attempts, client, demo, doctor, keys, server
from understudy.config import SettingsError
from understudy.domain.errors import NotFound, OperatorError, Unavailable

app = typer.Typer(name="understudy", no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"Understudy {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A self-hosted server for the generateTask / statusTask video API."""
    del version


server.register(app)
client.register(app)
demo.register(app)
keys.register(app)
attempts.register(app)
doctor.register(app)


def main() -> None:
    """Run the command; what the operator can mend is one sentence on stderr and exit status 1."""
    try:
        app()
    except (OperatorError, SettingsError, NotFound, Unavailable, client.ClientError) as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
