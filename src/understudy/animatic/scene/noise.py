"""Seeded noise: the grain of rock, cloud and water."""

import numpy as np
from numpy.random import Generator

from understudy.animatic.scene.raster import Field, resize


def value_noise(rng: Generator, width: int, height: int, cells_x: float, cells_y: float) -> Field:
    """Return smooth noise, -1 to 1, with about `cells_x` by `cells_y` bumps over the field."""
    columns, rows = int(np.ceil(cells_x)) + 1, int(np.ceil(cells_y)) + 1
    grid = rng.uniform(-1.0, 1.0, (rows, columns)).astype(np.float32)
    wide = max(width, int(width * columns / max(cells_x, 0.5)))
    high = max(height, int(height * rows / max(cells_y, 0.5)))
    grown: Field = resize(grid, wide, high, smooth=True)
    top, left = (high - height) // 2, (wide - width) // 2
    return np.ascontiguousarray(grown[top : top + height, left : left + width])


def fractal(
    rng: Generator,
    width: int,
    height: int,
    cells: float,
    *,
    octaves: int = 5,
    gain: float = 0.5,
    stretch: float = 1.0,
    ridged: bool = False,
) -> Field:
    """Return noise of several octaves, about -1 to 1 (0 to 1 when `ridged`, with sharp crests at 1).

    `cells` counts the bumps of the coarsest octave across the width; `stretch` above 1 draws them out sideways.
    """
    total = np.zeros((height, width), np.float32)
    weight, norm, across = 1.0, 0.0, cells
    follow: Field | None = None
    for _ in range(octaves):
        down = across * height / width * stretch
        if across > width / 2 or down > height / 2:
            break
        bumps = value_noise(rng, width, height, across, down)
        if ridged:
            bumps = (1.0 - np.abs(bumps)) ** 2
            if follow is not None:
                bumps *= follow
            follow = np.clip(bumps * 1.8, 0.0, 1.0)
        total += bumps * weight
        norm += weight
        weight *= gain
        across *= 2.0
    return total / np.float32(max(norm, 1e-6))


def tileable(rng: Generator, size: int, slope: float, *, stretch: float = 1.0, coarsest: int = 2) -> Field:
    """Return a square of noise that repeats without a seam, mean 0 and deviation 1.

    `slope` is the fall of amplitude with frequency (1.0 is rough, 2.0 smooth); waves longer than
    size / `coarsest` are left out.
    """
    frequency_y = np.fft.fftfreq(size)[:, None] * size
    frequency_x = np.fft.rfftfreq(size)[None, :] * size * stretch
    distance = np.hypot(frequency_x, frequency_y)
    amplitude = np.where(distance >= coarsest, 1.0 / np.maximum(distance, 1.0) ** slope, 0.0)
    angle = rng.uniform(0.0, 2.0 * np.pi, amplitude.shape)
    field: Field = np.fft.irfft2(amplitude * np.exp(1j * angle), s=(size, size))
    return np.asarray((field - field.mean()) / (field.std() + 1e-9), np.float32)


def line_noise(rng: Generator, width: int, cells: float, *, octaves: int = 5, gain: float = 0.5) -> Field:
    """Return noise along one line, about -1 to 1: the course of a ridge."""
    total = np.zeros(width, np.float32)
    weight, norm, across = 1.0, 0.0, cells
    places = np.linspace(0.0, 1.0, width)
    for _ in range(octaves):
        knots = max(2, int(across) + 2)
        values = rng.uniform(-1.0, 1.0, knots + 1)
        at = places * (knots - 1) * (across / max(knots - 1, 1))
        whole = np.clip(at.astype(int), 0, knots - 1)
        part = at - whole
        part = part * part * (3.0 - 2.0 * part)
        total += (values[whole] * (1.0 - part) + values[whole + 1] * part).astype(np.float32) * weight
        norm += weight
        weight *= gain
        across *= 2.0
        if across > width / 2:
            break
    return total / np.float32(norm)
