"""The pages for people."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest

from tests.unit.api.house import House, open_house

VENDORED = files("understudy.api") / "static" / "swagger-ui"


async def test_the_page_loads_only_files_of_this_server(house: House) -> None:
    async with house.client("") as client:
        page = await client.get("/docs")
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        answers = [await client.get(f"/{address}") for address in addresses]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(addresses) == 6
    assert not [address for address in addresses if ":" in address or address.startswith("/")]
    assert {answer.status_code for answer in answers} == {200}


async def test_the_policy_allows_no_script_in_the_page_and_no_other_host(house: House) -> None:
    async with house.client("") as client:
        page = await client.get("/docs")

    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "<script>" not in page.text
    assert " on" not in re.sub(r">[^<]*<", "><", page.text)


async def test_the_page_asks_no_third_party_to_judge_the_document(house: House) -> None:
    async with house.client("") as client:
        script = re.search(r'src="([^"]+docs\.js)"', (await client.get("/docs")).text)
        assert script is not None
        answer = await client.get("/" + script[1])

    assert "validatorUrl: null" in answer.text


async def test_files_may_be_kept_since_another_version_has_another_address(house: House) -> None:
    async with house.client("") as client:
        [address] = re.findall(r'href="([^"]+swagger-ui\.css)"', (await client.get("/docs")).text)
        answer = await client.get("/" + address)
        digest = address.split("/")[2]
        stale = await client.get("/" + address.replace(digest, "0" * len(digest)))

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert stale.status_code == 404


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "..%2Fdocs.py", "x"])
async def test_no_other_file_can_be_had(house: House, name: str) -> None:
    async with house.client("") as client:
        [address] = re.findall(r'href="([^"]+)/swagger-ui\.css"', (await client.get("/docs")).text)

        assert (await client.get(f"/{address}/{name}")).status_code == 404


async def test_the_docs_can_be_switched_off(tmp_path: Path) -> None:
    async with open_house(tmp_path, docs=False) as house, house.client("") as client:
        codes = [(await client.get(path)).status_code for path in ("/docs", "/openapi.json")]
        index = (await client.get("/")).json()

    assert codes == [404, 404]
    assert "docs" not in index


async def test_the_root_says_what_this_is_and_where_to_go(house: House) -> None:
    async with house.client("") as client:
        index = (await client.get("/")).json()
        codes = [(await client.get(index[name])).status_code for name in ("docs", "openapi", "health")]

    assert (index["name"], index["version"]) == ("understudy", "0.0.0")
    assert codes == [200, 200, 200]


async def test_there_is_no_icon_and_that_is_no_error(house: House) -> None:
    async with house.client("") as client:
        answer = await client.get("/favicon.ico")

    assert (answer.status_code, answer.content) == (204, b"")


def test_the_vendored_files_are_the_ones_listed() -> None:
    listed = dict(
        re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (VENDORED / "README.md").read_text(), re.MULTILINE)
    )
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDORED.iterdir()
        if file.name != "README.md"
    }

    assert found == listed
