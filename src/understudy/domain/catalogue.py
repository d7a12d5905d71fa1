"""What each model accepts: data, so that another model with other values is a row and not a branch."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from understudy.domain.errors import NotFound


class Mode(StrEnum):
    """What a film is made from."""

    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, both even."""

    width: int
    height: int

    def __str__(self) -> str:
        """Return the wire's form, as in `720*1280`."""
        return f"{self.width}*{self.height}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to play a model: a backend of this server, and the upstream's own name for the model.

    `weight` is the route's share of the traffic among the routes that can play a task; 0 makes it a stand-in that is
    used only where no route with a weight can.
    """

    backend: str
    model: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row of the catalogue (`contract.md` §2).

    The first entry of `durations`, `sizes` and `resolutions` is the default. A resolution is the shorter side and
    the longer side of its landscape form; orientation follows the image. Routes are tried in their order.
    """

    name: str
    routes: tuple[Route, ...]
    modes: tuple[Mode, ...] = (Mode.TEXT_TO_VIDEO, Mode.IMAGE_TO_VIDEO)
    durations: tuple[int, ...] = (4, 8, 12)
    sizes: tuple[Size, ...] = (Size(720, 1280), Size(1280, 720), Size(1024, 1792), Size(1792, 1024))
    resolutions: dict[str, Size] = field(default_factory=lambda: {"720p": Size(1280, 720), "1080p": Size(1920, 1080)})
    prompt_characters: int = 5000
    image_bytes: int = 10 * 1024 * 1024

    def size_for_image(self, resolution: str, *, width: int, height: int) -> Size:
        """Return the film's size for an image of `width` x `height` pixels; a square image gives landscape."""
        landscape = self.resolutions[resolution]
        return landscape if width >= height else Size(landscape.height, landscape.width)


class Catalogue:
    """The models this server plays."""

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._models = {model.name: model for model in models}

    def get(self, name: str) -> Model:
        """Return the model called `name`; raise `NotFound` if there is none."""
        try:
            return self._models[name]
        except KeyError:
            raise NotFound("Model not found") from None

    def __iter__(self) -> Iterator[Model]:
        """Iterate over the rows in the order they were given."""
        return iter(self._models.values())


DEFAULT_CATALOGUE = Catalogue((Model(name="sora-2-pro", routes=(Route(backend="animatic"),)),))
"""What this server plays out of the box: the star's part, drawn by the built-in renderer."""
