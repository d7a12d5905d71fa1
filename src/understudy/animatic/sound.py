"""The sound track: what the shots sound like, a soft pad under it, and a level that startles nobody."""

from itertools import pairwise

import numpy as np

from understudy.animatic.storyboard import FRAMES_PER_SECOND, Light, Setting, Sound, Storyboard, Weather
from understudy.animatic.voices import SAMPLE_RATE, VOICES, Samples

LEVEL_DBFS = -23.0
"""RMS over the whole film: the loudness of broadcast (EBU R 128) without its gating."""

_SAMPLES_PER_FRAME = SAMPLE_RATE // FRAMES_PER_SECOND
_CROSSFADE = 0.6
_FADE_IN, _FADE_OUT = 0.35, 0.9
_CEILING = 0.6

_GAIN = {
    Sound.SURF: 1.0,
    Sound.RAIN: 0.75,
    Sound.THUNDER: 1.3,
    Sound.WIND: 0.8,
    Sound.BIRDS: 0.55,
    Sound.CRICKETS: 0.35,
    Sound.CITY: 0.8,
    Sound.SPACE: 0.9,
    Sound.FIRE: 0.9,
    Sound.UNDERWATER: 0.9,
}
_ECHOING = frozenset({Sound.THUNDER, Sound.BIRDS, Sound.SPACE, Sound.UNDERWATER})
_PAD_GAIN = 0.5

# Four chords of four notes each, in semitones above the root.
_BRIGHT = ((0, 7, 16, 23), (-3, 4, 12, 19), (5, 12, 16, 21), (-5, 7, 14, 17))
_DARK = ((0, 7, 15, 22), (-4, 8, 12, 19), (3, 10, 15, 19), (-2, 5, 14, 17))
_ROOTS = (98.0, 110.0, 116.54, 130.81, 146.83)
_CHORD_SECONDS = 4.0
_PAD_STEP = 4
"""The pad is computed at a quarter of the rate, 12 kHz, because its highest partial lies at 1.7 kHz."""


def compose(board: Storyboard) -> Samples:
    """Return the sound of the whole film: samples x 2, 48 kHz, float32, as long as its frames to the sample.

    The same storyboard gives the same samples. A sound that two neighbouring shots share runs on through the cut; one
    that only one of them has fades over 0.6 s around it.
    """
    samples = board.spec.frames * _SAMPLES_PER_FRAME
    seed = board.spec.seed % (1 << 64)
    dry = np.zeros((samples, 2), np.float32)
    echoing = _pad(np.random.default_rng([seed, 0]), samples, dark=_is_dark(board)) * np.float32(_PAD_GAIN)
    # The order of the enumeration, not of the set: sums of floats depend on it.
    for number, sound in enumerate(Sound, start=1):
        if any(sound in shot.sounds for shot in board.shots):
            voice = VOICES[sound](np.random.default_rng([seed, number]), samples)
            voice *= (np.float32(_GAIN[sound]) * _presence(board, sound, samples))[:, None]
            (echoing if sound in _ECHOING else dry)[:] += voice
    dry += echoing
    dry += _echo(np.random.default_rng([seed, 99]), echoing)
    return _finished(dry)


def _is_dark(board: Storyboard) -> bool:
    first = board.shots[0]
    return (
        first.light in {Light.NIGHT, Light.NEON, Light.DUSK}
        or first.weather in {Weather.STORM, Weather.RAIN}
        or first.setting is Setting.SPACE
    )


def _presence(board: Storyboard, sound: Sound, samples: int) -> Samples:
    """Return how loud `sound` is at each sample, 0 to 1, with equal-power ramps at the borders of shots."""
    times, levels = [0.0], [float(sound in board.shots[0].sounds)]
    for before, after in pairwise(board.shots):
        border = after.first_frame / FRAMES_PER_SECOND
        times += [border - _CROSSFADE / 2, border + _CROSSFADE / 2]
        levels += [float(sound in before.sounds), float(sound in after.sounds)]
    curve = np.interp(np.arange(samples) / SAMPLE_RATE, times, levels)
    return np.asarray(np.sin(curve.astype(np.float32) * np.float32(np.pi / 2)), np.float32)


def _pad(rng: np.random.Generator, samples: int, *, dark: bool) -> Samples:
    """Return slow chords: two partials a note, the channels detuned by a few cents so that they breathe."""
    root = rng.choice(_ROOTS)
    chords = _DARK if dark else _BRIGHT
    rate, points = SAMPLE_RATE // _PAD_STEP, samples // _PAD_STEP + 1
    time = np.arange(points) / rate
    track = np.zeros((points, 2), np.float32)
    for index in range(int(samples / SAMPLE_RATE / _CHORD_SECONDS) + 1):
        first = max(0, int((index * _CHORD_SECONDS - 1) * rate))
        last = min(points, int(((index + 1) * _CHORD_SECONDS + 1) * rate))
        span = time[first:last]
        near = np.clip(1 - np.abs(span / _CHORD_SECONDS - index - 0.5) / 0.75, 0, 1)
        swell = np.sin(np.clip(near * 1.5, 0, 1) * (np.pi / 2)).astype(np.float32)
        for semitones in chords[index % len(chords)]:
            pitch = root * 2 ** (semitones / 12)
            for channel, cents in ((0, -3), (1, 3)):
                phase = (pitch * 2 ** (cents / 1200) * span + rng.random()) % 1
                base = np.sin((2 * np.pi * phase).astype(np.float32))
                # The cube of a sine holds its third partial: warmth without another sine.
                track[first:last, channel] += swell * (base + 0.22 * base * base * base) * np.float32(0.3)
    between = (np.arange(_PAD_STEP, dtype=np.float32) / _PAD_STEP)[:, None]
    risen = track[:-1, None] + (track[1:, None] - track[:-1, None]) * between
    return np.asarray(risen.reshape(-1, 2), np.float32)


def _echo(rng: np.random.Generator, track: Samples) -> Samples:
    """Return the room's answer to `track`: convolution with 1.4 s of dying noise, a different one for each ear."""
    length = int(1.4 * SAMPLE_RATE)
    size = _fast_length(len(track) + length)
    sent = np.fft.rfft(track.mean(axis=1), size).astype(np.complex64)
    decay = np.exp(-np.arange(length, dtype=np.float32) / np.float32(0.32 * SAMPLE_RATE))
    answer = np.empty_like(track)
    for channel in (0, 1):
        room = rng.standard_normal(length, dtype=np.float32) * decay
        room[: int(0.012 * SAMPLE_RATE)] = 0  # the nearest wall is two meters away
        room /= np.sqrt(np.sum(room**2))
        heard = np.fft.irfft(sent * np.fft.rfft(room, size).astype(np.complex64), size)
        answer[:, channel] = heard[: len(track)] * 0.4
    return answer


def _fast_length(samples: int) -> int:
    """Return the next length of 2^a times 1, 3 or 5, which the FFT likes."""
    power = 1 << samples.bit_length()
    return min(size for size in (power, power * 3 // 4, power * 5 // 8) if size >= samples)


def _finished(track: Samples) -> Samples:
    """Bring the track to its level, round off its peaks, and fade both ends."""
    loudness = float(np.sqrt(np.mean(np.square(track), dtype=np.float64)))
    track *= np.float32(10 ** (LEVEL_DBFS / 20) / max(loudness, 1e-6))
    track = np.tanh(track / np.float32(_CEILING)) * np.float32(_CEILING)
    # A film of one second still fades, over at most a third of it at each end.
    rise, fall = (min(int(seconds * SAMPLE_RATE), len(track) // 3) for seconds in (_FADE_IN, _FADE_OUT))
    track[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise, dtype=np.float32))[:, None] ** 2
    track[-fall:] *= np.cos(np.linspace(0, np.pi / 2, fall, dtype=np.float32))[:, None] ** 2
    return track
