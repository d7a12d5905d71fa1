"""Reading a submit body (`contract.md` §2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.domain.catalogue import DEFAULT_CATALOGUE, Mode, Size
from understudy.domain.errors import InvalidRequest
from understudy.domain.request import GenerationRequest, read_request

MODEL = DEFAULT_CATALOGUE.get("sora-2-pro")
IMAGE = "https://example.com/cat.png"
CALLBACK = "https://example.com/hook"


def accept_any(url: str) -> None:
    """Let every callback pass."""


def read(body: object) -> tuple[GenerationRequest, tuple[str, ...]]:
    return read_request(body, MODEL, check_callback=accept_any)


def text_body(**fields: object) -> dict[str, Any]:
    return {"input": {"prompt": "a cat", **fields}}


def image_body(**fields: object) -> dict[str, Any]:
    return {"input": {"mode": "image-to-video", "prompt": "a cat", "image_urls": [IMAGE], **fields}}


def refusal(body: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        read(body)
    return str(caught.value)


def test_defaults_are_those_of_the_contract() -> None:
    request, ignored = read(text_body())

    assert request == GenerationRequest(
        mode=Mode.TEXT_TO_VIDEO, prompt="a cat", seconds=4, size=Size(720, 1280), callback_url=None
    )
    assert ignored == ()


def test_image_to_video_defaults_to_720p() -> None:
    request, _ = read(image_body())

    assert (request.resolution, request.image_url, request.size) == ("720p", IMAGE, None)


@pytest.mark.parametrize("size", ["720*1280", "1280*720", "1024*1792", "1792*1024"])
def test_each_size_is_read_with_star_and_with_x(size: str) -> None:
    starred, crossed = read(text_body(size=size))[0], read(text_body(size=size.replace("*", "x")))[0]

    assert starred == crossed
    assert str(starred.size) == size


@pytest.mark.parametrize("duration", [4, 8, 12, "4", "08", "12"])
def test_durations_are_integers_or_digits(duration: object) -> None:
    assert read(text_body(duration=duration))[0].seconds == int(str(duration))


@pytest.mark.parametrize("duration", [True, False, 4.0, 5, 0, -4, "4.0", "", " 4", "four", "٤", None, [4], 10**30])
def test_every_other_duration_is_refused(duration: object) -> None:
    assert refusal(text_body(duration=duration)) == "input.duration must be 4, 8 or 12"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "the body must be a JSON object"),
        ("text", "the body must be a JSON object"),
        ({}, "input is required: an object with at least a prompt"),
        ({"input": []}, "input must be a JSON object"),
        ({"input": {}}, "input.prompt is required: a string of 1 to 5000 characters"),
        (text_body(prompt=5), "input.prompt must be a string of 1 to 5000 characters"),
        (text_body(prompt=" \n\t "), "input.prompt must be a string of 1 to 5000 characters after trimming"),
        (text_body(prompt="x" * 5001), "input.prompt must be a string of 1 to 5000 characters after trimming"),
        (text_body(prompt="a\0b"), "input.prompt must not contain a NUL character"),
        (text_body(mode="video-to-video"), "input.mode must be text-to-video or image-to-video"),
        (text_body(mode=None), "input.mode must be text-to-video or image-to-video"),
        (text_body(size="720p"), "input.size must be 720*1280, 1280*720, 1024*1792 or 1792*1024"),
        (text_body(size=720), "input.size must be 720*1280, 1280*720, 1024*1792 or 1792*1024"),
        (text_body(image_urls=[IMAGE]), "input.image_urls is allowed only when input.mode is image-to-video"),
        (image_body(resolution="4k"), "input.resolution must be 720p or 1080p"),
        (image_body(image_urls=[]), "input.image_urls must be an array of exactly 1 URL"),
        (image_body(image_urls=[IMAGE, IMAGE]), "input.image_urls must be an array of exactly 1 URL"),
        (image_body(image_urls=IMAGE), "input.image_urls must be an array of exactly 1 URL"),
        (image_body(image_urls=[5]), "input.image_urls must be an array of exactly 1 URL"),
        (image_body(image_urls=None), "input.image_urls is required for image-to-video: an array of exactly 1 URL"),
        (
            image_body(image_urls=["ftp://example.com/a.png"]),
            "input.image_urls[0] must be an absolute http or https URL with a host",
        ),
        (text_body() | {"provider": "other"}, "provider must be official"),
        (text_body() | {"request_type": "sync"}, "request_type must be async or callback"),
        (
            text_body() | {"request_type": "callback"},
            "callback_url is required when request_type is callback: an HTTPS URL with a public host",
        ),
        (
            text_body() | {"request_type": "callback", "callback_url": 5},
            "callback_url must be a string: an HTTPS URL with a public host",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(body: object, sentence: str) -> None:
    assert refusal(body) == sentence


def test_the_prompt_is_trimmed_and_counted_in_characters() -> None:
    assert read(text_body(prompt="  " + "猫" * 5000 + "\n"))[0].prompt == "猫" * 5000


def test_a_callback_is_kept_only_when_asked_for() -> None:
    asked, _ = read(text_body() | {"request_type": "callback", "callback_url": CALLBACK})
    not_asked, ignored = read(text_body() | {"callback_url": "not even a URL"})

    assert asked.callback_url == CALLBACK
    assert not_asked.callback_url is None
    assert ignored == ("callback_url",)


def test_the_servers_rule_on_callbacks_is_named_with_the_field() -> None:
    def refuse(_url: str) -> None:
        raise ValueError("must be an HTTPS URL with a public host")

    with pytest.raises(InvalidRequest, match=r"^callback_url must be an HTTPS URL with a public host$"):
        read_request(text_body() | {"request_type": "callback", "callback_url": CALLBACK}, MODEL, check_callback=refuse)


def test_fields_that_do_not_apply_are_named() -> None:
    _, in_text = read(text_body(resolution="nonsense", style="noir") | {"user": 1})
    _, in_image = read(image_body(size=17))

    assert in_text == ("user", "input.resolution", "input.style")
    assert in_image == ("input.size",)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [
        "input",
        "request_type",
        "callback_url",
        "provider",
        "mode",
        "prompt",
        "duration",
        "size",
        "resolution",
        "image_urls",
    ]
)
BODIES = st.dictionaries(NAMES, JSON_VALUES | st.dictionaries(NAMES, JSON_VALUES | st.just("callback")))


@given(BODIES)
def test_any_json_is_read_or_refused_and_never_breaks(body: dict[str, object]) -> None:
    try:
        request, _ = read(body)
    except InvalidRequest as error:
        assert str(error)  # noqa: PT017 - both outcomes are fine, a third one is not
    else:
        assert request.seconds in MODEL.durations
        assert (request.size is None) != (request.image_url is None)
