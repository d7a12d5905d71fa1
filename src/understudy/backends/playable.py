"""What a model can play, decided by its lengths and sizes, and the sentence of `CannotPlay` that says so."""

from collections.abc import Collection, Mapping

from understudy.backends.base import BadInput, CannotPlay, Fit, Wanted
from understudy.backends.shapes import nearest
from understudy.domain.catalogue import Size


def fit_to(model: str, wanted: Wanted, *, seconds: Collection[int], sizes: Collection[Size]) -> Fit:
    """Return how a model plays what is wanted, if it makes films of `seconds` and of `sizes`, neither of them empty.

    Raises `CannotPlay` with what it can make.
    """
    if wanted.seconds not in seconds:
        raise CannotPlay(f"{model} makes films of {spoken(seconds)} seconds, not of {wanted.seconds}.")
    size = nearest(wanted.size, sizes)
    if size is None:
        made = ", ".join(map(str, sizes))
        raise CannotPlay(f"{model} makes films of {made}: {wanted.size} is larger or of another shape.")
    return Fit(size=size)


def word_for(model: str, size: Size, words: Mapping[str, tuple[int, int]]) -> str:
    """Return the word by which a model is asked for a size that `fit_to` gave, or for its upright form.

    Raises `BadInput` if there is none, as after a change of the settings.
    """
    sides = ((size.width, size.height), (size.height, size.width))
    for word, pixels in words.items():
        if pixels in sides:
            return word
    raise BadInput(f"{model} makes no films of {size}")


def unknown_model(backend: str, model: str, needed: str) -> CannotPlay:
    """Return the refusal of a model that is not listed; `needed` is what an operator tells of it in its own table."""
    return CannotPlay(f'What {model} can do is not known: tell its {needed} in [backends.{backend}.models."{model}"].')


def unknown_lengths(backend: str, model: str) -> CannotPlay:
    """Return the refusal of a model that is not listed, where the settings of the backend tell what it can do."""
    return CannotPlay(f"The lengths of {model} are not known: set durations in [backends.{backend}].")


def spoken(seconds: Collection[int]) -> str:
    """Return lengths as a sentence has them: "4 to 15", "4, 6 or 8"."""
    *rest, last = sorted(seconds)
    if len(rest) > 1 and last - rest[0] == len(rest):
        return f"{rest[0]} to {last}"
    return " or ".join(filter(None, (", ".join(map(str, rest)), str(last))))
