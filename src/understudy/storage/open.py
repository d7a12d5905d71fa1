"""From a storage address to a storage."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from understudy.domain.errors import OperatorError
from understudy.storage.base import Storage
from understudy.storage.local import LocalStorage


def open_storage(url: str, data_dir: Path) -> Storage:
    """Return the storage that `url` names: `file:///absolute/path`, or the empty string for `data_dir/results`.

    Raises `OperatorError` for every other address. Nothing is created or checked before `check()`.
    """
    if not url:
        return LocalStorage(data_dir / "results")
    parts = urlsplit(url)
    if parts.scheme == "s3":
        raise OperatorError(
            "This version stores results on a local disk: set UNDERSTUDY_STORAGE_URL to file:///absolute/path"
        )
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not path.is_absolute() or path == Path("/"):
        raise OperatorError("UNDERSTUDY_STORAGE_URL must be of the form file:///absolute/path")
    return LocalStorage(path)
