"""`generate`: a client of the HTTP API, as any caller could write it."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, cast

import httpx2
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

DEFAULT_URL = "http://127.0.0.1:8000"
MODEL = "sora-2-pro"
TIMEOUT_SECONDS = 30.0
FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 2.0
RETRIES = 5


class ClientError(Exception):
    """The API refused, the task failed or nobody answered; one sentence for a person."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(generate)


def generate(
    prompt: Annotated[str, typer.Argument(help="What the film shows, 1 to 5000 characters.")],
    image: Annotated[str | None, typer.Option(help="URL of a JPG, PNG or WebP to begin with.")] = None,
    duration: Annotated[int, typer.Option(help="Seconds: 4, 8 or 12.")] = 4,
    size: Annotated[str | None, typer.Option(help="As in 1280*720.", show_default="1280*720")] = None,
    resolution: Annotated[str | None, typer.Option(help="With --image.", show_default="720p")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the film goes.")] = Path("out.mp4"),
    url: Annotated[str, typer.Option(envvar="UNDERSTUDY_URL", help="The server.")] = DEFAULT_URL,
    key: Annotated[str, typer.Option(envvar="UNDERSTUDY_KEY", help="An API key.", show_default=False)] = "",
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Generate a film through the HTTP API, show progress, download it."""
    if not key:
        raise ClientError("An API key is needed: give --key, or set UNDERSTUDY_KEY (see `understudy keys create`).")
    if image is not None and not image.startswith(("http://", "https://")):
        raise ClientError("--image must be an http or https URL: this server takes no uploads yet.")
    if not url.startswith(("http://", "https://")):
        raise ClientError("--url must begin with http:// or https://, as in http://127.0.0.1:8000.")
    _check_writable(output)
    fields: dict[str, object] = {"prompt": prompt, "duration": duration}
    if image is None:
        fields |= {"mode": "text-to-video", "size": size or "1280*720"}
    else:
        fields |= {"mode": "image-to-video", "resolution": resolution or "720p", "image_urls": [image]}
    console = Console(stderr=True, highlight=False)
    with Api(url, key) as api:
        started = time.monotonic()
        task_id = api.submit(fields)
        with _progress(console, quiet=quiet) as show:
            result_url = api.wait(task_id, show)
        size_bytes = api.download(result_url, output)
    if not quiet:
        elapsed = time.monotonic() - started
        console.print(f"{output}  {size_bytes / 1e6:.1f} MB in {elapsed:.1f} s  ({task_id})", soft_wrap=True)


def _check_writable(output: Path) -> None:
    """Find out before a film is made that it cannot be kept."""
    part = output.with_name(output.name + ".part")
    try:
        part.touch()
        part.unlink()
    except OSError as error:
        raise ClientError(f"Cannot write {output} ({error.strerror}): name another file with -o.") from None


class Api:
    """The calls of `contract.md` §1, with patience for a server that restarts."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx2.Client(
            base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS
        )

    def __enter__(self) -> Self:
        """Return the open client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def submit(self, fields: Mapping[str, object]) -> str:
        """Submit a task and return its id.

        With an idempotency key, so that a lost answer can be asked for again without a second film.
        """
        headers = {"Idempotency-Key": os.urandom(16).hex()}
        data = self._call("POST", f"/api/v1/generateTask/{MODEL}", headers=headers, json={"input": dict(fields)})
        return str(data["taskId"])

    def wait(self, task_id: str, show: Callable[[str, int], None]) -> str:
        """Poll until the task ends; return the link to its film."""
        pause = FIRST_POLL_SECONDS
        while True:
            data = self._call("GET", f"/api/v1/statusTask/{MODEL}", params={"taskId": task_id})
            state = str(data["state"])
            show(state, 100 if state == "success" else int(data.get("progress", 0)))
            if state == "success":
                return str(_json_object(data["resultJson"])["resultUrls"][0])
            if state == "failed":
                raise ClientError(f"The task failed: {data['failMsg']} ({data['failCode']}, {task_id})")
            time.sleep(pause)
            pause = min(LONGEST_POLL_SECONDS, pause * 1.2)

    def download(self, url: str, output: Path) -> int:
        """Download to a part file beside `output`, then rename; return the size in bytes."""
        part = output.with_name(output.name + ".part")
        try:
            with httpx2.stream("GET", url, timeout=TIMEOUT_SECONDS) as response, part.open("wb") as file:
                if response.status_code != 200:
                    raise ClientError(f"The film could not be downloaded (HTTP {response.status_code}): {url}")
                for chunk in response.iter_bytes():
                    file.write(chunk)
            part.replace(output)
        except httpx2.HTTPError as error:
            raise ClientError(f"The film could not be downloaded ({type(error).__name__}): {url}") from None
        except OSError as error:
            raise ClientError(f"Cannot write {output} ({error.strerror}); the film is still at {url}") from None
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return output.stat().st_size

    def _call(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        for tries_left in reversed(range(RETRIES)):
            try:
                response = self._client.request(method, path, **options)
            except httpx2.TransportError as error:
                if not tries_left:
                    raise ClientError(
                        f"No answer from {self._client.base_url} ({type(error).__name__}): is the server running?"
                    ) from None
                time.sleep(1)
                continue
            if response.status_code in {429, 503} and tries_left:
                time.sleep(min(30.0, float(response.headers.get("Retry-After", "1"))))
                continue
            return _data_of(response)
        raise AssertionError("unreachable: the last try returns or raises")


def _data_of(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        answer = _json_object(response.content)
    except ValueError:
        raise ClientError(f"The answer is not the API's (HTTP {response.status_code}): check --url.") from None
    if response.status_code == 200:
        return cast("Mapping[str, Any]", answer["data"])
    data = answer.get("data")
    detail = data.get("error") if isinstance(data, dict) else None
    raise ClientError(f"{answer.get('message')}{f': {detail}' if detail else ''} (HTTP {response.status_code})")


def _json_object(text: str | bytes) -> Mapping[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the same to the caller as text that is no JSON
    return value


@contextlib.contextmanager
def _progress(console: Console, *, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Show a bar on a terminal, and a line for each change elsewhere."""
    if quiet:
        yield lambda _state, _percent: None
        return
    if not console.is_terminal:
        last = ("", -1)

        def say(state: str, percent: int) -> None:
            nonlocal last
            if state != last[0] or percent >= last[1] + 25:
                last = (state, percent)
                print(f"{state} {percent}%", file=sys.stderr, flush=True)  # noqa: T201 - plain lines for a pipe

        yield say
        return
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        row = bar.add_task("pending", total=100)
        yield lambda state, percent: bar.update(row, description=state, completed=percent)
