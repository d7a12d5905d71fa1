"""What an operator sets for every backend; each upstream adds its own."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from yarl import URL

from understudy.backends.base import Context
from understudy.domain.errors import OperatorError


class BackendOptions(BaseModel):
    """A table `[backends.NAME]` of `understudy.toml`, without its `kind`. A misspelt name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(default="", description="Base address; empty: the vendor's own.")
    model: str = Field(default="", max_length=200, description="The upstream's model, where a route names none.")
    api_key_env: str = Field(default="", description="Variable of the environment that holds the key.")
    api_key_file: Path | None = Field(default=None, description="File that holds the key and nothing else.")
    first_poll_seconds: float | None = Field(default=None, gt=0, le=3600, description="Wait before the first poll.")
    poll_seconds: float | None = Field(default=None, gt=0, le=3600, description="Wait between two polls of a job.")
    polls_at_once: int = Field(default=64, ge=1, le=1000, description="Polls under way at once.")
    max_jobs: int | None = Field(default=None, ge=1, le=100_000, description="Open jobs at once; unset: no bound.")
    call_seconds: float = Field(default=60, gt=0, le=600, description="Time for one call, from first to last byte.")
    download_seconds: float = Field(default=600, gt=0, le=7200, description="Time for one download.")
    reconcile_seconds: float | None = Field(
        default=None, ge=0, le=86_400, description="How long a job whose answer was lost is looked for; 0: not at all."
    )
    result_bytes: int = Field(default=2 * 1024**3, ge=1024, description="Most bytes of one result.")
    result_hosts: tuple[str, ...] = Field(
        default=(), description="`host[:port]` of results that may lie in a private network, such as your own S3."
    )
    webhooks: bool | None = Field(
        default=None, description="Whether the upstream calls back; unset: if `public_url` is HTTPS on a public host."
    )
    proxy: str = Field(default="", description="HTTP proxy for this backend, as in http://proxy:3128.")

    @model_validator(mode="after")
    def _check_addresses(self) -> Self:
        for name in ("url", "proxy"):
            text: str = getattr(self, name)
            if text and not text.startswith(("http://", "https://")):
                raise ValueError(f"{name} must begin with http:// or https://")
            try:
                whole = not text or URL(text).host is not None
            except ValueError:
                whole = False
            if not whole:
                raise ValueError(f"{name} must be a whole address, as in http://127.0.0.1:8091/v1")
            if name == "url" and text and "@" in text.split("/", 3)[2]:
                raise ValueError("url must not hold a password: name the key with api_key_env or api_key_file")
        return self


def read_api_key(name: str, options: BackendOptions, context: Context, *, default_env: str | None) -> SecretStr | None:
    """Return the key of backend `name` from its file or from the environment; None if the kind needs none and has none.

    Raises `OperatorError` if it is missing, empty, or holds what no HTTP header can.
    """
    if options.api_key_file is not None:
        try:
            key = options.api_key_file.expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(
                f"The key of backend {name} cannot be read from {options.api_key_file} ({type(error).__name__}): "
                "api_key_file must name a readable text file that holds the key alone."
            ) from None
        source = str(options.api_key_file)
    else:
        source = options.api_key_env or default_env or ""
        key = (context.read_env(source) or "").strip() if source else ""
        if not key and default_env is None and not options.api_key_env:
            return None
    if not key:
        raise OperatorError(
            f"Backend {name} has no key: set the environment variable {source}, or name another place with "
            f"api_key_env or api_key_file in [backends.{name}]."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise OperatorError(f"The key of backend {name} in {source} is not one line of printable characters.")
    return SecretStr(key)
