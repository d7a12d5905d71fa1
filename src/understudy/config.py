"""Every setting, its default and its meaning: the only reader of the environment and of `understudy.toml`.

The environment wins over the file (`interface.md`, Settings).
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableSetting

DEFAULT_CONFIG_FILE = Path("understudy.toml")


class SettingsError(Exception):
    """A setting cannot be used; the text says in one sentence which, and what is allowed."""


_BACKEND_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class RouteSettings(BaseModel):
    """One entry of `routes` in `[models.NAME]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    backend: str = Field(description="Name of a table `[backends.NAME]`, or `animatic`.")
    model: str = Field(default="", max_length=200, description="The upstream's model; empty: the backend's own.")
    weight: int = Field(default=1, ge=0, le=1000, description="Share of the traffic; 0: only where no other can.")


class ModelSettings(BaseModel):
    """A table `[models.NAME]`: who plays the model, and what callers may ask of it (default: as `sora-2-pro`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    routes: tuple[RouteSettings, ...] = Field(min_length=1, max_length=20, description="Tried in this order.")
    modes: tuple[Literal["text-to-video", "image-to-video"], ...] | None = Field(default=None, min_length=1)
    durations: tuple[Annotated[int, Field(ge=1, le=60)], ...] | None = Field(default=None, min_length=1)
    sizes: tuple[str, ...] | None = Field(default=None, min_length=1, description='As in "1280*720".')
    resolutions: dict[str, str] | None = Field(default=None, min_length=1, description='As in {"720p": "1280*720"}.')
    prompt_characters: int | None = Field(default=None, ge=1, le=20_000)

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        for text in (*(self.sizes or ()), *(self.resolutions or {}).values()):
            parts = re.split(r"[*x]", text)
            if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
                raise ValueError(f"must have sizes as WIDTH*HEIGHT in pixels, and {text!r} is none")
            if any(not 64 <= int(part) <= 4096 or int(part) % 2 for part in parts):
                raise ValueError(f"must have sizes with even sides of 64 to 4096 pixels, unlike {text!r}")
        return self


class Settings(BaseSettings):
    """The settings of one process. Unknown names in the file are refused: a misspelt one would be lost in silence."""

    model_config = SettingsConfigDict(
        env_prefix="UNDERSTUDY_", extra="forbid", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(default=Path("data"), description="Embedded database, results, generated secrets.")
    database_url: str = Field(default="", description="`postgresql://…`; empty: SQLite in the data folder.")
    public_url: str = Field(default="", description="Prefix of result links; empty: `http://HOST:PORT`.")
    storage_url: str = Field(default="", description="`file:///…`; empty: the data folder.")
    secret: str = Field(default="", description="Root secret; empty: made once, kept in the data folder.")
    policy_file: Path | None = Field(default=None, description="Moderation policy (YAML); empty: the built-in one.")
    outbound_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="CIDRs or `host[:port]` that callers' URLs may reach although private or plain HTTP."
    )
    outbound_ca_file: Path | None = Field(
        default=None, description="Extra certificates (PEM) trusted for callbacks and pictures, such as a private CA's."
    )
    callback_retry_seconds: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(30, 120, 600), description="Delay before each retry of a callback, in seconds."
    )
    result_days: float = Field(default=15, gt=0, le=3650, description="Life of result links, in days.")
    requests_per_minute: int = Field(default=60, ge=1, le=100_000, description="Submits a minute, per key.")
    concurrent_tasks: int = Field(default=10, ge=1, le=100_000, description="Tasks at once, per key.")
    status_requests_per_minute: int = Field(default=600, ge=1, le=1_000_000, description="Status reads, per key.")
    task_deadline_seconds: int = Field(default=3600, ge=10, le=604_800, description="A task not ended by then fails.")
    max_open_tasks: int = Field(default=10_000, ge=1, description="Above it submits are answered 503.")
    render_processes: int = Field(default=0, ge=0, le=256, description="Films drawn at once; 0: one per processor.")
    workers: bool = Field(default=True, description="Whether this process advances tasks.")
    docs: bool = Field(default=True, description="Whether `/docs` and `/openapi.json` are served.")
    log_format: Literal["auto", "text", "json"] = Field(default="auto", description="`text`, `json` or `auto`.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    backends: dict[str, dict[str, Any]] = Field(default={}, description="Tables of real backends: docs/backends/.")
    models: dict[str, ModelSettings] = Field(default={}, description="Who plays which model.")
    crash_at: str = Field(default="", description="For tests: kill this process when it reaches that point.")

    @field_validator("outbound_allow", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("callback_retry_seconds", mode="before")
    @classmethod
    def _split_numbers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise ValueError("must be whole numbers of seconds, as in 30,120,600")
        return tuple(int(part) for part in parts)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if any(not 0 <= seconds <= 86_400 for seconds in self.callback_retry_seconds):
            raise ValueError("callback_retry_seconds must be 0 to 86400 seconds each")
        if len(self.callback_retry_seconds) > 20:
            raise ValueError("callback_retry_seconds must hold at most 20 delays")
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise ValueError("public_url must begin with http:// or https://")
        if any(_BACKEND_NAME.match(name) is None for name in self.backends):
            raise ValueError("backends must have names of at most 40 lower-case letters, digits, - and _")
        if any(_MODEL_NAME.match(name) is None for name in self.models):
            raise ValueError("models must have names of at most 64 letters, digits, dots, - and _")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources: command line, then environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        arguments = dict(init_settings.init_kwargs) if isinstance(init_settings, InitSettingsSource) else {}
        file = arguments.pop("config_file", None)
        sources = (InitSettingsSource(settings_cls, arguments), env_settings)
        return sources if file is None else (*sources, TomlConfigSettingsSource(settings_cls, Path(file)))


def read_env(name: str) -> str | None:
    """Return a variable of the environment that the settings name, such as an upstream's key; None if it is not set."""
    return os.environ.get(name)


def load_settings(*, config_file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings; `overrides` (from the command line) win, None among them means "not given".

    Without `config_file`, `understudy.toml` in the working folder is read if it is there. Raises `SettingsError`.
    """
    file = config_file or (DEFAULT_CONFIG_FILE if DEFAULT_CONFIG_FILE.is_file() else None)
    given = {name: value for name, value in overrides.items() if value is not None}
    if file is not None:
        if not file.is_file():
            raise SettingsError(f"The settings file {file} does not exist: create it or leave --config out.")
        given["config_file"] = file
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None
    except UnreadableSetting as error:
        found = re.search(r'field "(\w+)"', str(error))
        variable = f"UNDERSTUDY_{found[1].upper()}" if found else "a variable of the environment"
        raise SettingsError(f"{variable} must hold a JSON object, as {{}} is one.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"The setting {name} is unknown: see config.example.toml for the names."
    text = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not name:
        name, _, text = text.partition(" ")
    return f"The setting {name} (UNDERSTUDY_{name.split('.')[0].upper()}) is wrong: it {_verb(text)}."


def _verb(text: str) -> str:
    text = text[0].lower() + text[1:]
    if " should " in text:
        text = text[text.index("should ") :]
    return text if text.startswith(("must", "should")) else f"must be a {text}"
