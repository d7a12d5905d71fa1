"""The shape of the film that a task asked for: its size, and the picture it begins with."""

from dataclasses import dataclass
from pathlib import Path

from understudy.db import assets
from understudy.domain.catalogue import Size
from understudy.domain.errors import FailCode, TaskFailure
from understudy.domain.task import Task
from understudy.workflow.parts import Parts

NOT_GENERATED = "The video could not be generated"


@dataclass(frozen=True, slots=True)
class Shape:
    """`picture` is the stored, re-encoded image of an image-to-video task."""

    size: Size
    picture: Path | None


async def shape_of(parts: Parts, task: Task) -> Shape:
    """Return the film's shape; for image-to-video its orientation follows the image (`contract.md` §2)."""
    if task.request.size is not None:
        return Shape(task.request.size, None)
    picture = await parts.database.read(lambda reader: assets.input_asset(reader, task_id=task.id))
    path = None if picture is None else parts.storage.local_path(picture.storage_key)
    if picture is None or path is None:
        raise TaskFailure(FailCode.GENERATION_FAILED, NOT_GENERATED, detail="the stored picture is gone")
    model = parts.catalogue.get(task.model)
    resolution = task.request.resolution or next(iter(model.resolutions))
    return Shape(model.size_for_image(resolution, width=picture.width, height=picture.height), path)
