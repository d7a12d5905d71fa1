"""What the measurements stand on: data folders, keys, the real server, and a few films made by it."""

import json
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from bench.commands import environment, python, working_folder
from bench.processes import RunningServer, ServerFailed, running
from bench.requests import STATUS_PATH, SUBMIT_PATH, submit_body

FILM_SECONDS = 240.0
RAIN_CITY = "A neon city street at night in heavy rain, reflections on the wet asphalt, a person with an umbrella."
CALM_SEA = "A calm sea at sunset, a small sailing boat, soft clouds."

_PER_MINUTE = "100000"


@dataclass(frozen=True, slots=True)
class Film:
    """A finished task. `path` is its link without scheme and host."""

    task_id: str
    path: str
    size_bytes: int


@dataclass
class Stage:
    """One benchmark run: its scratch folder, whether it is the short one, and where its progress is told."""

    scratch: Path
    quick: bool
    say: Callable[[str], None]
    _films: list[Film] = field(default_factory=list)
    _key: str = ""

    @property
    def folder(self) -> Path:
        """The data folder that holds the films."""
        return self.scratch / "films"

    def films(self) -> list[Film]:
        """Return some finished films, made by the real server the first time; the largest comes last."""
        if not self._films:
            bodies = [submit_body(CALM_SEA), submit_body(RAIN_CITY, size="1280*720")]
            if not self.quick:
                bodies[1:] = [submit_body(), submit_body(), submit_body(RAIN_CITY, duration=12, size="1280*720")]
            self.say(f"making {len(bodies)} films through the API")
            with self.serving() as server:
                made = make_films(server, self.key(), bodies)
            self._films = sorted(made, key=lambda film: film.size_bytes)
        return self._films

    def key(self) -> str:
        """Return a key for the folder of the films."""
        self._key = self._key or make_key(self.folder)
        return self._key

    @contextmanager
    def serving(
        self, *, folder: Path | None = None, cpus: Collection[int] = (), **settings: str
    ) -> Iterator[RunningServer]:
        """Run `understudy serve` until the block is left."""
        all_ = settings_for(folder or self.folder, **settings)
        with running("understudy", "serve", "--port", "0", settings=all_, cpus=cpus, health=True) as server:
            yield server


def settings_for(folder: Path, **more: str) -> dict[str, str]:
    """Return the settings of a server whose limits are out of the way; everything else is as shipped."""
    out_of_the_way = {"STATUS_REQUESTS_PER_MINUTE": "1000000", "MAX_OPEN_TASKS": "1000000"}
    return {"DATA_DIR": str(folder), "LOG_LEVEL": "warning", **out_of_the_way, **more}


def make_key(folder: Path) -> str:
    """Make a key with the command line; the data folder is made too. Raises `ServerFailed`."""
    limits = ("--requests-per-minute", _PER_MINUTE, "--concurrent-tasks", _PER_MINUTE)
    done = subprocess.run(
        python("understudy", "keys", "create", "--name", "bench", "--json", *limits),
        env=environment(**settings_for(folder)),
        cwd=working_folder(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServerFailed(f"no key could be made: {done.stderr.strip()}")
    return str(json.loads(done.stdout)["key"])


def client(server: RunningServer, key: str) -> httpx2.Client:
    """Return an ordinary HTTP client, for what is not measured."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=30)


def submit(http: httpx2.Client, body: dict[str, object]) -> str:
    """Submit one task; return its id."""
    answer = http.post(SUBMIT_PATH, json=body)
    answer.raise_for_status()
    return str(answer.json()["data"]["taskId"])


def status(http: httpx2.Client, task_id: str) -> dict[str, Any]:
    """Return the `data` of a task's status answer."""
    answer = http.get(STATUS_PATH, params={"taskId": task_id})
    answer.raise_for_status()
    return dict(answer.json()["data"])


def make_films(server: RunningServer, key: str, bodies: list[dict[str, object]]) -> list[Film]:
    """Submit all, wait for all. Raises `ServerFailed` when one of them does not succeed."""
    with client(server, key) as http:
        task_ids = [submit(http, body) for body in bodies]
        return [_finished(http, task_id) for task_id in task_ids]


def wait_for_end(http: httpx2.Client, task_id: str) -> dict[str, Any]:
    """Poll until the task is terminal and return its status. Raises `ServerFailed` when it fails or takes too long."""
    deadline = time.monotonic() + FILM_SECONDS
    while (data := status(http, task_id))["state"] in {"pending", "processing"}:
        if time.monotonic() > deadline:
            raise ServerFailed(f"a film was not done within {FILM_SECONDS:.0f} s")
        time.sleep(0.2)
    if data["state"] != "success":
        raise ServerFailed(f"a film failed: {data['failCode']}: {data['failMsg']}")
    return data


def _finished(http: httpx2.Client, task_id: str) -> Film:
    url = urlsplit(json.loads(wait_for_end(http, task_id)["resultJson"])["resultUrls"][0])
    path = f"{url.path}?{url.query}"
    head = http.head(path)
    head.raise_for_status()
    return Film(task_id, path, int(head.headers["content-length"]))
