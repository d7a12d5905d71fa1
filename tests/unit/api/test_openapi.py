"""The OpenAPI document, and that real answers keep to it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from tests.unit.api.house import BODY, STATUS, SUBMIT, House, check_callback
from understudy.api import openapi
from understudy.api.openapi import build_document, check, main, render
from understudy.domain.catalogue import DEFAULT_CATALOGUE, Catalogue, Mode, Model, Route, Size
from understudy.domain.errors import FailCode, InvalidRequest
from understudy.domain.request import read_request

DOCUMENT = build_document(DEFAULT_CATALOGUE, version="0.0.0")
MODEL = DEFAULT_CATALOGUE.get("sora-2-pro")
POST = DOCUMENT["paths"]["/api/v1/generateTask/{model}"]["post"]
GET = DOCUMENT["paths"]["/api/v1/statusTask/{model}"]["get"]


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference within the document."""
    while "$ref" in node:
        found: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Iterate over every object in the document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return a validator for a schema that may refer to the document's components."""
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def valid(schema: dict[str, Any], value: Any) -> bool:
    """Tell whether `value` keeps to the schema."""
    return bool(validator(schema).is_valid(value))


def schema_of(operation: dict[str, Any], status: int) -> dict[str, Any]:
    """Return the schema of an operation's answer."""
    schema: dict[str, Any] = resolve(operation["responses"][str(status)])["content"]["application/json"]["schema"]
    return schema


REQUEST = POST["requestBody"]["content"]["application/json"]["schema"]


def test_every_reference_leads_somewhere() -> None:
    references = [node for node in nodes(DOCUMENT) if "$ref" in node]

    assert len(references) > 50
    assert all(resolve(node) for node in references)


def test_every_schema_is_a_schema() -> None:
    schemas = list(DOCUMENT["components"]["schemas"].values())
    schemas += [node["schema"] for node in nodes(DOCUMENT) if isinstance(node.get("schema"), dict)]
    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [node["operationId"] for node in nodes(DOCUMENT) if "operationId" in node]

    assert len(ids) == len(set(ids)) >= 8


def test_every_path_parameter_is_declared() -> None:
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() - {"parameters"}:
            declared = [*item.get("parameters", ()), *item[method].get("parameters", ())]
            names = {parameter["name"] for parameter in declared if parameter["in"] == "path"}
            assert names == set(re.findall(r"{(\w+)}", path)), path


def test_every_answer_has_a_description_and_a_request_id() -> None:
    for path in DOCUMENT["paths"].values():
        for method in path.keys() - {"parameters"}:
            for answer in map(resolve, path[method]["responses"].values()):
                assert answer["description"]
                assert "X-Request-Id" in answer["headers"]


@pytest.mark.parametrize(
    ("operation", "codes"),
    [
        (POST, {200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503}),
        (GET, {200, 400, 401, 403, 404, 405, 429, 500, 503}),
    ],
    ids=["submit", "status"],
)
def test_every_code_of_the_contract_is_there(operation: dict[str, Any], codes: set[int]) -> None:
    assert {int(code) for code in operation["responses"]} == codes


def test_limits_and_waits_are_documented_as_headers() -> None:
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= resolve(POST["responses"]["429"])["headers"].keys()
    assert "Retry-After" in resolve(POST["responses"]["503"])["headers"]
    assert "Idempotent-Replayed" in POST["responses"]["200"]["headers"]
    assert "WWW-Authenticate" in resolve(GET["responses"]["401"])["headers"]


@pytest.mark.parametrize("name", POST["requestBody"]["content"]["application/json"]["examples"])
def test_an_example_request_is_one_that_is_accepted(name: str) -> None:
    body = POST["requestBody"]["content"]["application/json"]["examples"][name]["value"]

    assert valid(REQUEST, body)
    assert read_request(body, MODEL, check_callback=check_callback)[1] == ()


def test_example_answers_keep_to_their_schemas() -> None:
    contents = [
        node["application/json"]
        for node in nodes(DOCUMENT)
        if isinstance(node.get("application/json"), dict) and "examples" in node["application/json"]
    ]
    checked = [validator(content["schema"]).validate(example["value"]) for content in contents
               for example in content["examples"].values()]  # fmt: skip

    assert len(checked) >= 10


TEXT = {"prompt": "x"}
IMAGE = {"mode": "image-to-video", "prompt": "x", "image_urls": ["https://example.com/a.png"]}
BODIES: dict[str, Any] = {
    "text": {"input": TEXT},
    "text with all": {"input": {**TEXT, "mode": "text-to-video", "duration": 12, "size": "1792x1024"}},
    "text with digits": {"input": {**TEXT, "duration": "08"}},
    "text with null picture": {"input": {**TEXT, "image_urls": None}},
    "unknown fields": {"input": {**TEXT, "fps": 24}, "x": 1},
    "image": {"input": IMAGE},
    "image in 1080p": {"input": {**IMAGE, "resolution": "1080p"}},
    "callback": {"request_type": "callback", "callback_url": "https://example.com/", "input": TEXT},
    "no input": {},
    "no prompt": {"input": {}},
    "blank prompt": {"input": {"prompt": " \n"}},
    "NUL": {"input": {"prompt": "a\u0000b"}},
    "long prompt": {"input": {"prompt": "x" * 5001}},
    "prompt is a number": {"input": {"prompt": 1}},
    "duration 5": {"input": {**TEXT, "duration": 5}},
    "duration true": {"input": {**TEXT, "duration": True}},
    "duration word": {"input": {**TEXT, "duration": "four"}},
    "unknown size": {"input": {**TEXT, "size": "720p"}},
    "unknown mode": {"input": {**TEXT, "mode": "video-to-video"}},
    "text with picture": {"input": {**TEXT, "image_urls": ["https://example.com/a.png"]}},
    "image without picture": {"input": {"mode": "image-to-video", "prompt": "x"}},
    "two pictures": {"input": {**IMAGE, "image_urls": ["https://example.com/a.png"] * 2}},
    "picture by file": {"input": {**IMAGE, "image_urls": ["file:///etc/passwd"]}},
    "unknown resolution": {"input": {**IMAGE, "resolution": "4k"}},
    "callback without address": {"request_type": "callback", "input": TEXT},
    "unknown request type": {"request_type": "sync", "input": TEXT},
    "other provider": {"provider": "fal", "input": TEXT},
    "not an object": [],
}


@pytest.mark.parametrize("name", BODIES)
def test_the_schema_and_the_server_agree_on_what_is_accepted(name: str) -> None:
    try:
        read_request(BODIES[name], MODEL, check_callback=check_callback)
        accepted = True
    except InvalidRequest:
        accepted = False

    assert valid(REQUEST, BODIES[name]) is accepted


async def test_real_answers_of_every_state_keep_to_the_schema(house: House) -> None:
    states = DOCUMENT["components"]["schemas"]
    seen = {}
    async with house.client() as client:
        ids = []
        for _ in range(4):
            created = await client.post(SUBMIT, json={**BODY, "x": 1})
            validator(schema_of(POST, 200)).validate(created.json())
            ids.append(created.json()["data"]["taskId"])
        await house.start_task(ids[1], progress=7)
        await house.end_task(ids[2], urls=(f"{house.url}{house.link(ids[2])}",))
        await house.end_task(ids[3], fail_code=FailCode.GENERATION_FAILED)
        for task_id in ids:
            answer = (await client.get(STATUS, params={"taskId": task_id})).json()
            validator(schema_of(GET, 200)).validate(answer)
            seen[answer["data"]["state"]] = answer["data"]

    assert seen.keys() == {"pending", "processing", "success", "failed"}
    for state, data in seen.items():
        assert data.keys() <= states[f"Task{state.capitalize()}"]["properties"].keys()
        others = seen.keys() - {state}
        assert not [other for other in others if valid(states[f"Task{other.capitalize()}"], data)]


async def test_real_errors_keep_to_the_schema(house: House) -> None:
    async with house.client() as client, house.client("") as stranger:
        answers = [
            (POST, await client.post(SUBMIT, json={})),
            (POST, await client.post(SUBMIT, content=b"", headers={"Content-Type": "text/plain"})),
            (POST, await client.post("/api/v1/generateTask/x", json=BODY)),
            (POST, await stranger.post(SUBMIT, json=BODY)),
            (GET, await client.get(STATUS)),
            (GET, await client.get(STATUS, params={"taskId": "x"})),
        ]

    for operation, answer in answers:
        validator(schema_of(operation, answer.status_code)).validate(answer.json())
    assert [answer.status_code for _, answer in answers] == [400, 415, 404, 401, 400, 404]


async def test_the_server_gives_the_same_document(house: House) -> None:
    async with house.client("") as client:
        served = (await client.get("/openapi.json")).json()

    assert served == DOCUMENT
    assert list(served) == list(DOCUMENT)


async def test_health_keeps_to_the_schema(house: House) -> None:
    async with house.client("") as client:
        validator(DOCUMENT["components"]["schemas"]["Health"]).validate((await client.get("/health")).json())


def test_the_callback_is_described_with_its_signature() -> None:
    post = DOCUMENT["webhooks"]["taskEnded"]["post"]

    names = [parameter["name"] for parameter in post["parameters"]]
    assert names == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    assert set(post["requestBody"]["content"]["application/json"]["examples"]) == {"success", "failed"}


def test_another_catalogue_gives_other_values() -> None:
    row = Model(
        name="tiny/1",
        routes=(Route(backend="x"),),
        modes=(Mode.IMAGE_TO_VIDEO,),
        durations=(5,),
        resolutions={"480p": Size(854, 480)},
    )
    document = build_document(Catalogue((*DEFAULT_CATALOGUE, row)), version="1")
    path = document["paths"]["/api/v1/generateTask/{model}"]
    schema = document["components"]["schemas"]["Submit_tiny_1"]
    [only] = schema["properties"]["input"]["oneOf"]

    assert path["parameters"][0]["schema"]["enum"] == ["sora-2-pro", "tiny/1"]
    assert len(path["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"]) == 2
    assert only["properties"]["duration"]["anyOf"][0]["enum"] == [5]
    assert only["properties"]["resolution"]["enum"] == ["480p"]
    assert "mode" not in only["required"]
    assert all(read_request(body, row, check_callback=check_callback) for body in schema["examples"])


def test_what_was_written_is_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "openapi.json"

    assert main(["--write", str(file)]) == 0
    assert main(["--check", str(file)]) == 0
    assert file.read_text(encoding="utf-8").endswith("}\n")
    assert capsys.readouterr().out == ""


def test_a_file_that_is_out_of_date_fails_with_a_diff_and_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(render({**DOCUMENT, "openapi": "3.0.0"}), encoding="utf-8")

    assert main(["--check", str(file)]) == 1
    printed = capsys.readouterr()
    assert '-  "openapi": "3.0.0"' in printed.out
    assert "make openapi" in printed.err


def test_a_missing_file_is_out_of_date(tmp_path: Path) -> None:
    assert check(tmp_path / "none.json", render(DOCUMENT)).startswith("--- ")


def test_the_document_can_be_built_without_a_server() -> None:
    assert openapi.build_document(DEFAULT_CATALOGUE, version="x")["servers"] == [{"url": "/"}]
