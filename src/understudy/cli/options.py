"""Options that several commands share, and the settings they lead to."""

from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.config import Settings, load_settings

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder.", show_default="./data")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file.", show_default="./understudy.toml")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]


def settings_from(config: Path | None, data: Path | None, **overrides: Any) -> Settings:
    """Read the settings; what the command line gives wins. Raises `SettingsError`."""
    return load_settings(config_file=config, data_dir=data, **overrides)
