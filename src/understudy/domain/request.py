"""A generation request: what a caller may ask of a model, and the strict reading of it (`contract.md` §2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from understudy.domain.catalogue import Mode, Model, Size
from understudy.domain.errors import InvalidRequest
from understudy.domain.url import parse_url

PROVIDERS: Final = ("official",)


class RequestType(StrEnum):
    """How the caller wants to learn of the end."""

    ASYNC = "async"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """What was asked for, with every default filled in.

    `size` is set for text-to-video, `resolution` and `image_url` for image-to-video. `seconds` is the film's length.
    """

    mode: Mode
    prompt: str
    seconds: int
    size: Size | None = None
    resolution: str | None = None
    image_url: str | None = None
    callback_url: str | None = None


CallbackRule = Callable[[str], None]
"""Raises `ValueError` with the end of a sentence if this server will not call the address back."""


def read_request(
    body: object, model: Model, *, check_callback: CallbackRule
) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Read a parsed JSON body for `model`; return the request and the names of the fields that are ignored.

    Raises `InvalidRequest`, naming the field and what is allowed.
    """
    top = _object(body, "the body")
    if "input" not in top:
        raise InvalidRequest("input is required: an object with at least a prompt")
    fields = _object(top["input"], "input")
    request_type = _choice(top, "request_type", tuple(RequestType), RequestType.ASYNC, prefix="")
    callback_url = _callback_url(top, check_callback) if request_type == RequestType.CALLBACK else None
    _choice(top, "provider", PROVIDERS, PROVIDERS[0], prefix="")
    mode = Mode(_choice(fields, "mode", model.modes, model.modes[0]))
    prompt = _prompt(fields, model)
    seconds = _duration(fields, model)
    common = {"callback_url"} if callback_url is not None else set[str]()
    top_ignored = [name for name in top if name not in {"input", "request_type", "provider"} | common]
    if mode is Mode.TEXT_TO_VIDEO:
        if fields.get("image_urls") not in (None, []):
            raise InvalidRequest("input.image_urls is allowed only when input.mode is image-to-video")
        known = {"mode", "prompt", "duration", "size", "image_urls"}
        request = GenerationRequest(
            mode=mode, prompt=prompt, seconds=seconds, size=_size(fields, model), callback_url=callback_url
        )
    else:
        known = {"mode", "prompt", "duration", "resolution", "image_urls"}
        request = GenerationRequest(
            mode=mode,
            prompt=prompt,
            seconds=seconds,
            resolution=_choice(fields, "resolution", tuple(model.resolutions), next(iter(model.resolutions))),
            image_url=_image_url(fields),
            callback_url=callback_url,
        )
    return request, (*top_ignored, *(f"input.{name}" for name in fields if name not in known))


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be a JSON object")
    return value


def _list_of(allowed: tuple[object, ...]) -> str:
    words = [str(item) for item in allowed]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _choice(
    fields: Mapping[str, object], name: str, allowed: tuple[str, ...], default: str, *, prefix: str = "input."
) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise InvalidRequest(f"{prefix}{name} must be {_list_of(allowed)}")
    return str(value)


def _prompt(fields: Mapping[str, object], model: Model) -> str:
    allowed = f"input.prompt must be a string of 1 to {model.prompt_characters} characters"
    if "prompt" not in fields:
        raise InvalidRequest(f"input.prompt is required: a string of 1 to {model.prompt_characters} characters")
    value = fields["prompt"]
    if not isinstance(value, str):
        raise InvalidRequest(allowed)
    prompt = value.strip()
    if not 1 <= len(prompt) <= model.prompt_characters:
        raise InvalidRequest(f"{allowed} after trimming")
    if "\0" in prompt:
        raise InvalidRequest("input.prompt must not contain a NUL character")
    return prompt


def _duration(fields: Mapping[str, object], model: Model) -> int:
    value = fields.get("duration", model.durations[0])
    # A digits-only string is accepted; `True` is an int to Python, and 4.0 would hide a client's mistake.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 4:
        value = int(value)
    if type(value) is not int or value not in model.durations:
        raise InvalidRequest(f"input.duration must be {_list_of(model.durations)}")
    return value


def _size(fields: Mapping[str, object], model: Model) -> Size:
    value = fields.get("size", str(model.sizes[0]))
    for size in model.sizes:
        if value in (str(size), f"{size.width}x{size.height}"):
            return size
    raise InvalidRequest(f"input.size must be {_list_of(model.sizes)}")


def _image_url(fields: Mapping[str, object]) -> str:
    value = fields.get("image_urls")
    if value is None:
        raise InvalidRequest("input.image_urls is required for image-to-video: an array of exactly 1 URL")
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], str):
        raise InvalidRequest("input.image_urls must be an array of exactly 1 URL")
    try:
        parse_url(value[0])
    except ValueError as error:
        raise InvalidRequest(f"input.image_urls[0] {error}") from None
    return value[0]


def _callback_url(top: Mapping[str, object], check_callback: CallbackRule) -> str:
    value = top.get("callback_url")
    if value is None:
        raise InvalidRequest("callback_url is required when request_type is callback: an HTTPS URL with a public host")
    if not isinstance(value, str):
        raise InvalidRequest("callback_url must be a string: an HTTPS URL with a public host")
    try:
        parse_url(value)
        check_callback(value)
    except ValueError as error:
        raise InvalidRequest(f"callback_url {error}") from None
    return value
