"""Case S1 and I7: secrets planted in every credential are found in nothing that comes out."""

import io
import json
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import paid
from tests.support.receiver import Receiver, reply
from tests.support.server import MODEL_PATH, make_key, running, understudy, wait_for_end
from tests.support.upstream import Mishap, Plan, ScriptedUpstream, html, key_echo, refusal, reset_after, vendors
from understudy.config import load_settings


def canary() -> str:
    return f"canary{secrets.token_hex(16)}"


async def test_no_credential_comes_out_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of two upstreams (one from a file), our root secret, API key and webhook secret."""
    one, other = vendors()["openai_videos"](), vendors()["openai_videos"]()
    one.key, other.key, root = canary(), canary(), canary() + canary()
    monkeypatch.setenv(one.key_env, one.key)
    key_file = tmp_path / "second.key"
    key_file.write_text(other.key + "\n")
    data, seen = tmp_path / "data", io.StringIO()
    async with ScriptedUpstream(one) as first, ScriptedUpstream(other) as second, Receiver(reply(500)) as receiver:
        settings = paid.settings({"first": first, "second": second}, reconcile_seconds=1) | {
            "SECRET": root,
            "LOG_LEVEL": "debug",
        }
        tables = json.loads(settings["BACKENDS"])
        del tables["second"]["api_key_env"]
        tables["second"]["api_key_file"] = str(key_file)
        settings["BACKENDS"] = json.dumps(tables)
        made = await make_key(data, **settings)
        _misbehave(first)
        first.script("submit", key_echo(401))
        _misbehave(second)
        async with running(data, **settings) as server, server.client(made["key"]) as client:
            for number in range(10):
                body = {
                    "request_type": "callback",
                    "callback_url": receiver.url("/hook"),
                    "input": {"prompt": f"take {number}", "duration": 1},
                }
                answer = await client.post(MODEL_PATH, json=body)
                seen.write(answer.text)
                seen.write(json.dumps(await wait_for_end(client, answer.json()["data"]["taskId"])))
            for path in ("/health", "/openapi.json", "/docs", "/", "/api/v1/nothing"):
                seen.write((await client.get(path)).text)
            for command in (("doctor",), ("attempts", "--json"), ("attempts", "--unknown"), ("keys", "list", "--json")):
                seen.write("".join(map(str, await understudy(*command, data=data, **settings))))
        seen.write("\n".join(server.log))
        seen.write("".join(request.body.decode() + str(request.headers) for request in receiver.requests))
    seen.write(_dump(data))
    everything = seen.getvalue()

    assert "take 9" in everything  # what is looked through is what was written
    assert "unknown" in everything
    for name, secret in {"one": one.key, "other": other.key, "root": root, "ours": made["key"]}.items():
        assert secret not in everything, name
    assert made["webhookSecret"] not in everything


def _misbehave(upstream: ScriptedUpstream) -> None:
    upstream.always("list", key_echo(404))
    upstream.script("submit", key_echo(400), refusal(), reset_after(), html(), key_echo(500))
    upstream.script("poll", key_echo(500), html())
    upstream.script("download", key_echo(403))
    upstream.plan(Plan(), Plan(mishap=Mishap.FAILS), Plan(mishap=Mishap.REFUSED))


def _dump(data: Path) -> str:
    with closing(sqlite3.connect(data / "understudy.db")) as connection:
        return "\n".join(connection.iterdump())


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"kind": "fal"}, "Backend star has no key: set the environment variable FAL_KEY"),
        ({"kind": "fal", "api_key": "canary-in-the-file"}, "must not hold a key itself"),
        ({"kind": "fal", "api_key_file": "/does/not/exist"}, "cannot be read from /does/not/exist"),
        ({"kind": "sora"}, "unknown kind 'sora': kind must be one of fal, "),
        ({"kind": "fal", "pol_seconds": 3}, "unknown setting pol_seconds"),
        ({"kind": "openai_videos", "url": "127.0.0.1:8091"}, "url must begin with http:// or https://"),
        ({"kind": "openai_videos"}, "url"),
        ({"kind": "openai_videos", "url": "http://"}, "url must be a whole address"),
        ({"kind": "openai_videos", "url": "http://u:canary@h/v1"}, "url must not hold a password"),
    ],
)
async def test_a_mistake_in_a_backends_table_is_one_sentence_that_says_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: dict[str, object], sentence: str
) -> None:
    monkeypatch.delenv("FAL_KEY", raising=False)
    status, _, stderr = await understudy(
        "serve", "--port", "0", data=tmp_path / "data", BACKENDS=json.dumps({"star": table})
    )

    assert status == 1
    assert sentence in stderr
    assert "Traceback" not in stderr
    assert "canary" not in stderr
    assert stderr.strip().count("\n") == 0


async def test_a_route_to_a_backend_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    models = json.dumps({"sora-2-pro": {"routes": [{"backend": "studio"}]}})
    status, _, stderr = await understudy("serve", "--port", "0", data=tmp_path / "data", MODELS=models)

    assert status == 1
    assert "[models.sora-2-pro] has a route to the backend studio, which does not exist: there are animatic" in stderr


def test_a_key_in_the_settings_file_is_not_part_of_the_settings_text(tmp_path: Path) -> None:
    file = tmp_path / "understudy.toml"
    file.write_text('[backends.x]\nkind = "fal"\napi_key_env = "FAL_KEY"\n')

    assert load_settings(config_file=file).backends == {"x": {"kind": "fal", "api_key_env": "FAL_KEY"}}
