"""What an operator meets: one sentence that says how to mend it, or a server that does what the interface says."""

import json
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import QUICK
from tests.support.rows import query
from tests.support.server import make_key, running, understudy


async def sentence(*arguments: str, data: Path, **settings: str) -> str:
    """Return the one line that a refused start prints."""
    status, _, stderr = await understudy(*arguments, data=data, **settings)

    assert status == 1, stderr
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "cannot be made" in await sentence("serve", data=tmp_path / "file" / "data")


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = await sentence("serve", "--port", str(port), data=tmp_path / "data")

    assert f"127.0.0.1:{port} is taken" in text
    assert "--port" in text


async def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path / "data", **QUICK) as server:
        text = await sentence("serve", "--port", "0", data=tmp_path / "data")

    assert f"process {server.process.pid}" in text
    assert "--data" in text


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("RESULT_DAYS", "never", "UNDERSTUDY_RESULT_DAYS"),
        ("STORAGE_URL", "s3://bucket/prefix", "UNDERSTUDY_STORAGE_URL"),
        ("STORAGE_URL", "ftp://somewhere", "UNDERSTUDY_STORAGE_URL"),
        ("DATABASE_URL", "mysql://somewhere", "postgresql://USER:PASSWORD@HOST/NAME"),
        ("DATABASE_URL", "postgresql://nobody:secret-word@127.0.0.1:1/none", "127.0.0.1:1/none cannot be reached"),
        ("OUTBOUND_ALLOW", "not an address/99", "UNDERSTUDY_OUTBOUND_ALLOW"),
        ("POLICY_FILE", "/nowhere/policy.yaml", "/nowhere/policy.yaml cannot be read"),
        ("OUTBOUND_CA_FILE", "/nowhere/ca.pem", "UNDERSTUDY_OUTBOUND_CA_FILE"),
        ("SECRET", "short", "UNDERSTUDY_SECRET"),
        ("CRASH_AT", "nowhere", "UNDERSTUDY_CRASH_AT"),
    ],
)
async def test_a_setting_that_cannot_work_is_told_in_a_sentence_without_a_password(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    text = await sentence("serve", "--port", "0", data=tmp_path / "data", **{setting: value})

    assert words in text
    assert "secret-word" not in text


async def test_a_database_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await make_key(data)
    with closing(sqlite3.connect(data / "understudy.db")) as connection, connection:
        connection.execute("UPDATE schema_revision SET version_num = '9999'")

    text = await sentence("serve", "--port", "0", data=data)

    assert "newer" in text
    assert query(data, "SELECT version_num FROM schema_revision") == [("9999",)]


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "understudy.db").write_bytes(b"this is no database, " * 100)

    assert "understudy.db" in await sentence("serve", "--port", "0", data=data)


async def test_workers_alone_need_postgresql(tmp_path: Path) -> None:
    assert "PostgreSQL" in await sentence("worker", data=tmp_path / "data")
    assert "PostgreSQL" in await sentence("serve", "--workers-off", data=tmp_path / "data")


async def test_the_first_start_prints_a_key_once(tmp_path: Path) -> None:
    async with running(tmp_path / "data", **QUICK) as first:
        key = re.search(r"und_\w+", "\n".join(first.log))
        assert key is not None
        async with first.client(key[0]) as client:
            answer = await client.get("/api/v1/statusTask/sora-2-pro", params={"taskId": "none"})
    async with running(tmp_path / "data", **QUICK) as second:
        log = "\n".join(second.log)

    assert answer.status_code == 404
    assert "und_" not in log


async def test_keys_are_made_listed_rolled_and_revoked_beside_a_running_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = await make_key(data)
    assert set(made) == {"id", "name", "key", "webhookSecret"}
    async with running(data, **QUICK) as server:
        status, stdout, _ = await understudy("keys", "roll", made["id"], "--overlap-hours", "0", "--json", data=data)
        assert status == 0
        rolled = json.loads(stdout)
        await understudy("keys", "revoke", made["id"], data=data)
        async with httpx2.AsyncClient(base_url=server.url) as client:
            path = "/api/v1/statusTask/sora-2-pro?taskId=none"
            old = await client.get(path, headers={"Authorization": f"Bearer {made['key']}"})
            new = await client.get(path, headers={"Authorization": f"Bearer {rolled['key']}"})
    _, listing, _ = await understudy("keys", "list", data=data)

    assert (old.status_code, new.status_code) == (401, 404)
    assert made["id"] in listing
    assert rolled["id"] in listing
    assert made["key"] not in listing


async def test_an_unknown_key_id_is_named(tmp_path: Path) -> None:
    assert "There is no key key_x" in await sentence("keys", "revoke", "key_x", data=tmp_path / "data")


async def test_doctor_prints_what_it_found_and_fails_with_a_sentence(tmp_path: Path) -> None:
    healthy, found, _ = await understudy("doctor", data=tmp_path / "data")
    sick, faults, _ = await understudy("doctor", data=tmp_path / "data", STORAGE_URL="s3://bucket")

    assert healthy == 0
    assert {"database", "storage", "moderation", "model", "animatic"} <= set(found.split())
    assert sick == 1
    assert "FAIL" in faults
    assert "UNDERSTUDY_STORAGE_URL" in faults


async def test_the_key_and_the_secrets_are_never_in_the_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = await make_key(data)
    async with running(data, **QUICK | {"LOG_LEVEL": "debug"}) as server, server.client(key["key"]) as client:
        prompt = "a secret garden called canary-7261"
        body = {"request_type": "callback", "callback_url": "https://example.com/hook?token=canary", "input": {}}
        await client.post("/api/v1/generateTask/sora-2-pro", json=body)
        await client.post("/api/v1/generateTask/sora-2-pro", json={"input": {"prompt": prompt}})
    log = "\n".join(server.log)

    assert key["key"] not in log
    assert key["webhookSecret"] not in log
    assert "canary" not in log
    assert (data / "secret.key").read_text().strip() not in log
