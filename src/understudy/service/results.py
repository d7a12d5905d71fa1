"""Open a result link: the signature first, then the row, then the bytes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from understudy.auth.links import LinkSigner
from understudy.db import assets
from understudy.db.base import Database
from understudy.domain.clock import ClockMs
from understudy.domain.errors import Gone, NotFound
from understudy.domain.ids import TaskId, is_task_id
from understudy.domain.records import Asset
from understudy.storage.base import NotStored, Storage

GONE = "The video is no longer available"


@dataclass(frozen=True, slots=True)
class Result:
    """An output that may be read. `etag` is strong: the bytes never change."""

    asset: Asset
    storage: Storage

    @property
    def etag(self) -> str:
        """The quoted entity tag."""
        return f'"{self.asset.sha256[:32]}"'

    @property
    def file_name(self) -> str:
        """The name a browser saves it under."""
        return f"{self.asset.task_id}.mp4"

    async def read(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """Iterate over a part of the bytes; closing the iterator closes the file.

        The first step raises `Gone` if they were deleted since the link was opened.
        """
        chunks = self.storage.open_range(self.asset.storage_key, start, length)
        try:
            async for chunk in chunks:
                yield chunk
        except NotStored:
            raise Gone(GONE) from None
        finally:
            # A reader that leaves half-way must not leave the file open until the garbage collector comes by.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()


class ResultService:
    """Outputs behind our own links (`contract.md` §7)."""

    def __init__(self, database: Database, storage: Storage, links: LinkSigner, *, clock_ms: ClockMs) -> None:
        self._database = database
        self._storage = storage
        self._links = links
        self._clock_ms = clock_ms

    async def open(self, task_id: str, position: str, *, end: str, signature: str) -> Result:
        """Return the output that a link names.

        Raises `NotFound` for a path that names nothing, `Forbidden` for a wrong signature, `Gone` for an expired or
        deleted one.
        """
        if not is_task_id(task_id) or not (position.isascii() and position.isdigit() and len(position) <= 3):
            raise NotFound("Not found")
        number = int(position)
        self._links.check(task_id, number, end=end, signature=signature, now_s=self._clock_ms() / 1000)
        asset = await self._database.read(
            lambda reader: assets.output_asset(reader, task_id=TaskId(task_id), position=number)
        )
        # A link that we signed and whose file is not there any more was deleted.
        if asset is None or asset.deleted_at_ms is not None or await self._storage.size(asset.storage_key) is None:
            raise Gone(GONE)
        return Result(asset, self._storage)
