"""The `understudy` command (`interface.md`, Command line)."""

import sys

import typer
from rich.console import Console

from understudy.cli import client, demo, doctor, keys, server
from understudy.config import SettingsError
from understudy.domain.errors import NotFound, OperatorError, Unavailable

app = typer.Typer(
    name="understudy",
    help="A self-hosted server for the generateTask / statusTask video API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
server.register(app)
client.register(app)
demo.register(app)
keys.register(app)
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
