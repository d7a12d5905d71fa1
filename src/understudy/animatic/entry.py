"""The renderer's door for a child process: plain values in, plain values out."""

from collections.abc import Callable
from pathlib import Path


def render_film(
    *,
    prompt: str,
    width: int,
    height: int,
    seconds: int,
    seed: int,
    picture: str | None,
    destination: str,
    on_progress: Callable[[float], None],
) -> dict[str, object]:
    """Render one film to `destination`; `picture` is the path of a checked image, or None."""
    # Here and not above: the server names this function, and must not carry 200 MB of picture libraries for that.
    from understudy.animatic.film import render  # noqa: PLC0415
    from understudy.animatic.storyboard import FilmSpec  # noqa: PLC0415

    spec = FilmSpec(
        prompt=prompt,
        width=width,
        height=height,
        seconds=seconds,
        seed=seed,
        picture=None if picture is None else Path(picture),
    )
    report = render(spec, Path(destination), on_progress)
    return {"frames": report.frames, "size_bytes": report.size_bytes, "sha256": report.sha256}
