"""Shots and storyboards for tests, as plain as they come; each test names what it cares about."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from av.stream import Stream

from understudy.animatic.storyboard import (
    FRAMES_PER_SECOND,
    FilmSpec,
    Frame,
    Light,
    Move,
    Setting,
    Shot,
    Sound,
    Storyboard,
    Weather,
)

PLAIN = Shot(
    first_frame=0,
    frames=FRAMES_PER_SECOND,
    setting=Setting.ABSTRACT,
    light=Light.DAY,
    weather=Weather.CLEAR,
    move=Move.STILL,
    figures=(),
    sounds=frozenset(),
    caption="",
    seed=1,
)


def a_shot(**changes: Any) -> Shot:
    return replace(PLAIN, **changes)


def a_board(*sounds: set[Sound], seconds_each: int = 1, seed: int = 3) -> Storyboard:
    """A film of one shot for each set of sounds."""
    frames = seconds_each * FRAMES_PER_SECOND
    shots = tuple(
        a_shot(first_frame=index * frames, frames=frames, sounds=frozenset(heard), seed=seed + index)
        for index, heard in enumerate(sounds)
    )
    spec = FilmSpec(prompt="", width=256, height=256, seconds=seconds_each * len(sounds), seed=seed)
    return Storyboard(spec=spec, shots=shots)


def sharpness(frame: Frame) -> float:
    """How much neighbouring pixels differ: near 0 for an empty picture."""
    return float(np.abs(np.diff(frame.astype(np.int16), axis=1)).mean())


def lasts(stream: Stream) -> Fraction:
    """How long a stream of a file says it is, in seconds."""
    assert stream.duration is not None
    assert stream.time_base is not None
    return stream.duration * stream.time_base
