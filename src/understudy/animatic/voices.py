"""What each kind of sound is made of: shaped noise, chirps, drops and drones, all drawn from a seeded generator.

Every voice is a function of (random numbers, number of samples) that returns stereo at `SAMPLE_RATE`, at about the
loudness it has in the mix when a sustained voice is taken as 1.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.animatic.storyboard import Sound

SAMPLE_RATE = 48_000

Samples: TypeAlias = NDArray[np.float32]
"""Sound: samples x 2 (left, right), or one channel, -1 to 1 when it is finished."""

Voice: TypeAlias = Callable[[np.random.Generator, int], Samples]

_LOOP = 1 << 18
"""Noise is made as a loop of 5.5 s: shaped by FFT it has no seam, and swells over it hide that it returns."""


def _seconds(samples: int) -> Samples:
    return np.arange(samples, dtype=np.float32) / np.float32(SAMPLE_RATE)


def band(rng: np.random.Generator, samples: int, low: float, high: float, tilt: float = 0.5) -> Samples:
    """Return one channel of noise between `low` and `high` Hz with an RMS of 1; amplitude falls as frequency^-tilt."""
    frequency = np.fft.rfftfreq(_LOOP, 1 / SAMPLE_RATE).astype(np.float32)
    frequency[0] = frequency[1]
    shape = frequency**-tilt / np.sqrt((1 + (low / frequency) ** 4) * (1 + (frequency / high) ** 4))
    phases = rng.random(len(frequency), dtype=np.float32) * np.float32(2 * np.pi)
    spectrum = (shape * np.exp(1j * phases)).astype(np.complex64)
    loop = np.fft.irfft(spectrum, _LOOP).astype(np.float32)
    loop /= np.sqrt(np.mean(loop**2))
    return np.resize(loop, samples)


def _stereo_band(rng: np.random.Generator, samples: int, low: float, high: float, tilt: float = 0.5) -> Samples:
    """Return noise that surrounds: two channels of one loop half a loop apart, which no ear connects."""
    loop = band(rng, samples + _LOOP // 2, low, high, tilt)
    return np.stack([loop[:samples], loop[_LOOP // 2 : _LOOP // 2 + samples]], axis=1)


def _drift(rng: np.random.Generator, samples: int, period: float) -> Samples:
    """Return a smooth random curve, 0 to 1, that turns about every `period` seconds."""
    knots = int(samples / SAMPLE_RATE / period) + 4
    height = rng.random(knots, dtype=np.float32)
    position = _seconds(samples) / np.float32(period)
    index = position.astype(np.int32)
    along = position - index
    ease = along * along * (3 - 2 * along)
    return np.asarray(height[index] * (1 - ease) + height[index + 1] * ease, np.float32)


def _scatter(track: Samples, starts: NDArray[np.int64], sounds: Samples, pans: Samples) -> None:
    """Add each row of `sounds` to `track` at its start, `pans` 0 (left) to 1 (right); tails past the end are cut."""
    reach = np.arange(sounds.shape[1])
    places = starts[:, None] + reach
    inside = places < len(track)
    for channel, gain in enumerate((np.cos(pans * np.pi / 2), np.sin(pans * np.pi / 2))):
        heard = np.bincount(places[inside], (sounds * gain[:, None])[inside], minlength=len(track))
        track[:, channel] += heard.astype(np.float32)


def _bursts(
    rng: np.random.Generator, samples: int, per_second: float, decay: float, tone: tuple[float, float]
) -> Samples:
    """Return short decaying knocks at random moments: rain drops, crackling wood."""
    count = max(1, rng.poisson(per_second * samples / SAMPLE_RATE))
    length = int(5 * decay * SAMPLE_RATE)
    time = _seconds(length)
    pitch = rng.uniform(*tone, count).astype(np.float32)
    loudness = rng.exponential(0.35, count).astype(np.float32).clip(0, 1.6)
    knocks = np.sin(2 * np.pi * pitch[:, None] * time) * np.exp(-time / np.float32(decay)) * loudness[:, None]
    track = np.zeros((samples, 2), np.float32)
    _scatter(track, rng.integers(0, samples, count), knocks.astype(np.float32), rng.random(count, dtype=np.float32))
    return track


def _surf(rng: np.random.Generator, samples: int) -> Samples:
    time = _seconds(samples)
    period = rng.uniform(5.2, 6.8)
    phase = (time / period + rng.random()) % 1
    # A wave comes in quickly and runs out slowly; its foam hisses a little after its body has fallen.
    body = np.where(phase < 0.3, np.sin(phase / 0.3 * np.pi / 2) ** 2, np.cos((phase - 0.3) / 0.7 * np.pi / 2) ** 2)
    foam = np.roll(body, int(0.35 * SAMPLE_RATE)) ** 2
    low = _stereo_band(rng, samples, 60, 420, 0.7) * (0.25 + 0.75 * body)[:, None]
    high = _stereo_band(rng, samples, 900, 5200, 0.5) * (0.08 + 0.6 * foam)[:, None]
    return np.asarray(low + high, np.float32)


def _rain(rng: np.random.Generator, samples: int) -> Samples:
    hiss = _stereo_band(rng, samples, 1100, 9000, 0.35) * (0.75 + 0.25 * _drift(rng, samples, 1.7))[:, None]
    ground = _stereo_band(rng, samples, 180, 700, 0.6) * np.float32(0.3)
    return np.asarray(0.8 * hiss + ground + _bursts(rng, samples, 70, 0.004, (1400, 5200)), np.float32)


def _thunder(rng: np.random.Generator, samples: int) -> Samples:
    rumble = _stereo_band(rng, samples, 28, 150, 0.9)
    crack = _stereo_band(rng, samples, 120, 1600, 0.8)
    flutter = 0.35 + 0.65 * _drift(rng, samples, 0.16)
    time = _seconds(samples)
    track = np.zeros((samples, 2), np.float32)
    start = rng.uniform(0.4, 1.4)
    while start < samples / SAMPLE_RATE:
        since = np.maximum(time - np.float32(start), 0)
        begun = time >= start
        body = begun * (1 - np.exp(-since / 0.12)) * np.exp(-since / 1.5) * flutter
        edge = begun * (1 - np.exp(-since / 0.01)) * np.exp(-since / 0.3) * flutter
        track += (rumble * body[:, None] * 3.2 + crack * edge[:, None] * 1.3) * rng.uniform(0.6, 1)
        start += rng.uniform(4.5, 8)
    return track


def _wind(rng: np.random.Generator, samples: int) -> Samples:
    track = np.zeros((samples, 2), np.float32)
    for low, high, share in ((90, 260, 0.9), (260, 520, 0.7), (520, 1100, 0.4)):
        gust = _drift(rng, samples, rng.uniform(1.2, 2.4)) ** 1.6
        track += _stereo_band(rng, samples, low, high, 0.8) * (share * (0.15 + gust))[:, None]
    return track


def _chirp(rng: np.random.Generator, pitch: float, length: int) -> Samples:
    along = np.linspace(0, 1, length, dtype=np.float32)
    sweep = pitch * (1 + rng.uniform(-0.25, 0.25) * along + rng.uniform(0.02, 0.08) * np.sin(2 * np.pi * 3 * along))
    return np.asarray(np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.sin(np.pi * along) ** 2, np.float32)


def _birds(rng: np.random.Generator, samples: int) -> Samples:
    track = np.zeros((samples, 2), np.float32)
    start = rng.uniform(0.1, 0.5)
    while start < samples / SAMPLE_RATE:
        pitch, pan, near = rng.uniform(2400, 5200), rng.uniform(0.1, 0.9), rng.uniform(0.5, 1.6)
        moment = start
        for _ in range(rng.integers(2, 6)):
            length = int(rng.uniform(0.06, 0.15) * SAMPLE_RATE)
            call = _chirp(rng, pitch * rng.uniform(0.92, 1.1), length) * np.float32(near)
            at = int(moment * SAMPLE_RATE)
            if at + length < samples:
                track[at : at + length, 0] += call * np.float32(1 - pan)
                track[at : at + length, 1] += call * np.float32(pan)
            moment += rng.uniform(0.12, 0.24)
        start += rng.uniform(0.5, 1.5)
    return track


def _crickets(rng: np.random.Generator, samples: int) -> Samples:
    time = np.arange(samples) / SAMPLE_RATE
    track = np.zeros((samples, 2), np.float32)
    for pan in (0.15, 0.5, 0.85):
        pitch, rate, pulse = rng.uniform(4100, 4900), rng.uniform(1.7, 2.6), rng.uniform(26, 34)
        song = ((time * rate + rng.random()) % 1) < 0.42
        beats = np.maximum(np.sin(2 * np.pi * pulse * time), 0) ** 2
        voice = (np.sin(2 * np.pi * ((pitch * time) % 1)) * song * beats).astype(np.float32)
        track[:, 0] += voice * np.float32(1 - pan)
        track[:, 1] += voice * np.float32(pan)
    return track


def _city(rng: np.random.Generator, samples: int) -> Samples:
    hum = _stereo_band(rng, samples, 45, 240, 0.8)
    murmur = _stereo_band(rng, samples, 300, 1500, 0.7) * (0.2 + 0.25 * _drift(rng, samples, 1.5))[:, None]
    time = _seconds(samples)
    cars = _stereo_band(rng, samples, 150, 1900, 0.7)
    track = np.asarray(0.8 * hum + murmur, np.float32)
    start = rng.uniform(0, 2)
    while start < samples / SAMPLE_RATE + 2:
        nearness = 1 / (1 + ((time - np.float32(start)) / 0.55) ** 2)
        side = 0.5 + np.arctan((time - np.float32(start)) * rng.choice([-1.4, 1.4])) / np.pi
        track += cars * (0.7 * nearness)[:, None] * np.stack([1 - side, side], axis=1)
        start += rng.uniform(2.4, 5)
    return track


def _space(rng: np.random.Generator, samples: int) -> Samples:
    time = np.arange(samples) / SAMPLE_RATE
    track = _stereo_band(rng, samples, 2500, 7000, 0.6) * (0.05 + 0.1 * _drift(rng, samples, 2.6))[:, None]
    root = rng.choice([49.0, 55.0, 58.27])
    for ratio, share in ((1, 0.8), (1.4983, 0.5), (2, 0.35), (2.9966, 0.18)):
        for channel in (0, 1):
            phase = (root * ratio * (1 + rng.uniform(-0.004, 0.004)) * time + rng.random()) % 1
            track[:, channel] += share * np.sin((2 * np.pi * phase).astype(np.float32))
    return np.asarray(track, np.float32)


def _fire(rng: np.random.Generator, samples: int) -> Samples:
    roar = _stereo_band(rng, samples, 50, 320, 0.8) * (0.55 + 0.35 * _drift(rng, samples, 0.4))[:, None]
    embers = _stereo_band(rng, samples, 1500, 6000, 0.5) * np.float32(0.1)
    snaps = _bursts(rng, samples, 16, 0.0022, (700, 3800)) * 3
    return np.asarray(roar + embers + snaps, np.float32)


def _underwater(rng: np.random.Generator, samples: int) -> Samples:
    track = _stereo_band(rng, samples, 35, 210, 0.9) * (0.6 + 0.4 * _drift(rng, samples, 1.8))[:, None]
    count = max(1, rng.poisson(7 * samples / SAMPLE_RATE))
    length = int(0.11 * SAMPLE_RATE)
    time = _seconds(length)
    # A bubble rings higher as it rises and grows.
    pitch = rng.uniform(260, 900, count).astype(np.float32)[:, None]
    sweep = pitch * (time + 4 * time * time)
    loudness = rng.exponential(0.5, count).astype(np.float32).clip(0, 1.5)[:, None]
    swell = np.minimum(time / np.float32(0.008), 1) * np.exp(-time / np.float32(0.026))
    bubbles = np.sin(2 * np.pi * sweep) * swell * loudness
    pans = rng.random(count, dtype=np.float32)
    _scatter(track, rng.integers(0, samples, count), bubbles.astype(np.float32), pans)
    return np.asarray(track, np.float32)


VOICES: Mapping[Sound, Voice] = MappingProxyType(
    {
        Sound.SURF: _surf,
        Sound.RAIN: _rain,
        Sound.THUNDER: _thunder,
        Sound.WIND: _wind,
        Sound.BIRDS: _birds,
        Sound.CRICKETS: _crickets,
        Sound.CITY: _city,
        Sound.SPACE: _space,
        Sound.FIRE: _fire,
        Sound.UNDERWATER: _underwater,
    }
)
"""Every `Sound` has its voice; a test holds the two together."""
