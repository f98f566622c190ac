"""Scenes of sound: clips with pauses between them, in noise, and where in them somebody speaks.

What is noise is made here, but for babble, which is mixed of other speakers' clips. Sounds are
(n,) float32 at 16 kHz; every random number comes from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.audio import read_audio, to_mono_16k
from edge.features import FrontEnd, LogMel
from training.corpora import Clip

RATE = 16000
HOP = FrontEnd().hop_length

SPEECH_RANGE_DB = 30.0
"""A frame of a clean clip is speech when it is no further below the clip's loudest frames."""

CLOSED_GAP_FRAMES = 12
"""Gaps of up to 0.2 s between such frames are stops within words, and speech too."""

BABBLE_VOICES = 8

NOISES = ("white", "babble", "street")
NOT_SPEECH = ("silence", "white", "pink", "street", "mains hum", "chords")


@dataclass(frozen=True)
class Scene:
    """One sound and its truth."""

    samples: np.ndarray
    """(n,) float32 at 16 kHz."""
    speech: np.ndarray
    """(1 + n // 256,) bool: whether frame f, around sample 256 f, is speech."""


def read_sound(clip: Clip) -> np.ndarray:
    """(n,) float32 at 16 kHz."""
    return to_mono_16k(*read_audio(clip.path))


def speech_of_clean(sound: np.ndarray) -> np.ndarray:
    """(frames,) bool: the reference, by the energy of the clean clip."""
    power = np.exp(LogMel()(sound) * np.float32(np.log(10) / 10)).sum(axis=1)  # (frames,)
    loudness = 10 * np.log10(power)
    speech = loudness > np.percentile(loudness, 98) - SPEECH_RANGE_DB
    at = np.flatnonzero(speech)
    for left, right in zip(at[:-1], at[1:]):
        if right - left <= CLOSED_GAP_FRAMES:
            speech[left:right] = True
    return speech


def clean_scene(
    sounds: Sequence[np.ndarray], rng: np.random.Generator, pauses: tuple[float, float]
) -> Scene:
    """The sounds one after the other at levels from -35 to -15 dBFS, with pauses (seconds) around.

    A clip's own background does not end at its end: each is faded over 10 ms.
    """
    pieces, speech = [], []
    ramp = np.linspace(0, 1, RATE // 100, dtype=np.float32)
    for sound in sounds:
        gap = np.zeros(HOP * int(rng.uniform(*pauses) * RATE / HOP), np.float32)
        body = sound[: len(sound) // HOP * HOP].copy()
        said = speech_of_clean(body)[: len(body) // HOP]
        active = np.repeat(said, HOP)
        level = np.sqrt(np.mean(np.square(body[active], dtype=np.float64)))
        body *= np.float32(10 ** (rng.uniform(-35, -15) / 20) / max(level, 1e-9))
        body[: len(ramp)] *= ramp
        body[-len(ramp) :] *= ramp[::-1]
        pieces += [gap, body]
        speech += [np.zeros(len(gap) // HOP, bool), said]
    tail = np.zeros(HOP * int(rng.uniform(*pauses) * RATE / HOP), np.float32)
    speech.append(np.zeros(len(tail) // HOP + 1, bool))
    return Scene(np.concatenate([*pieces, tail]), np.concatenate(speech))


def in_noise(scene: Scene, noise: np.ndarray, snr_db: float) -> Scene:
    """The scene with the noise added so that the speech's mean power is snr_db above the noise's.

    noise: at least as long as the scene. Scaled down where the sum would leave full scale.
    """
    active = np.repeat(scene.speech, HOP)[: len(scene.samples)]
    power = np.mean(np.square(scene.samples[active], dtype=np.float64))
    noise = noise[: len(scene.samples)]
    gain = np.sqrt(power / np.mean(np.square(noise, dtype=np.float64)) / 10 ** (snr_db / 10))
    mixed = scene.samples + np.float32(gain) * noise
    return Scene(mixed / max(1.0, float(np.abs(mixed).max())), scene.speech)


def noise_of(
    kind: str, samples: int, rng: np.random.Generator, talkers: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """(samples,) float32 of the kind: one of NOISES or NOT_SPEECH, at about -26 dBFS.

    talkers: sounds of other speakers, for babble.
    """
    make = {
        "silence": lambda: rng.normal(size=samples) * 1e-3,
        "white": lambda: rng.normal(size=samples),
        "pink": lambda: _coloured(samples, rng, -0.5),
        "babble": lambda: _babble(samples, rng, talkers),
        "street": lambda: _street(samples, rng),
        "mains hum": lambda: _hum(samples, rng),
        "chords": lambda: _chords(samples, rng),
    }[kind]
    sound = make()
    loud = 1e-4 if kind == "silence" else 0.05
    return (sound * (loud / np.sqrt(np.mean(np.square(sound))))).astype(np.float32)


def _coloured(samples: int, rng: np.random.Generator, slope: float) -> np.ndarray:
    """Noise whose amplitude goes with frequency to the power of slope, from 20 Hz on."""
    size = 1 << (samples - 1).bit_length()  # other lengths may take the FFT very long
    spectrum = np.fft.rfft(rng.normal(size=size))
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    return np.fft.irfft(spectrum * np.maximum(hertz, 20.0) ** slope * (hertz > 10), size)[:samples]


def _babble(
    samples: int,
    rng: np.random.Generator,
    talkers: Sequence[np.ndarray],
    voices: int = BABBLE_VOICES,
) -> np.ndarray:
    """So many voices at once, each saying one clip after the other."""
    total = np.zeros(samples)
    for _ in range(voices):
        position = -int(rng.integers(2 * RATE))
        while position < samples:
            talker = talkers[rng.integers(len(talkers))]
            talker = talker / max(1e-6, np.sqrt(np.mean(np.square(talker))))
            first, last = max(0, position), min(samples, position + len(talker))
            if last > first:
                total[first:last] += talker[first - position : last - position]
            position += len(talker)
    return total


def _street(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Rumble, vehicles that pass, and now and then a horn."""
    seconds = samples / RATE
    time = np.arange(samples) / RATE
    total = _coloured(samples, rng, -1.0)
    total /= np.sqrt(np.mean(np.square(total)))
    for _ in range(int(rng.poisson(seconds / 5) + 1)):
        width = rng.uniform(0.7, 2.5)
        envelope = np.exp(-(((time - rng.uniform(0, seconds)) / width) ** 2))
        tyres = _coloured(samples, rng, rng.uniform(-0.9, -0.3))
        total += rng.uniform(0.5, 2.0) * envelope * tyres / np.sqrt(np.mean(np.square(tyres)))
    for _ in range(int(rng.poisson(seconds / 15))):
        start, length = rng.uniform(0, seconds), rng.uniform(0.2, 0.8)
        horn = sum(
            np.sin(2 * np.pi * hertz * harmonic * time) / harmonic
            for hertz in (rng.uniform(380, 420), rng.uniform(480, 520))
            for harmonic in range(1, 7)
        )
        total += rng.uniform(0.5, 1.5) * horn * ((time >= start) & (time < start + length))
    return total


def _hum(samples: int, rng: np.random.Generator) -> np.ndarray:
    """50 or 60 Hz and its harmonics, with a little hiss."""
    time = np.arange(samples) / RATE
    mains = rng.choice([50.0, 60.0])
    total = sum(
        rng.uniform(0.1, 1.0) / harmonic**0.7
        * np.sin(2 * np.pi * (mains * harmonic * time + rng.uniform()))
        for harmonic in range(1, 25)
    )
    return total + 0.02 * rng.normal(size=samples)


def _chords(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Sustained chords of tones with harmonics, each for one to four seconds: music-like hum."""
    total = 0.003 * rng.normal(size=samples)
    position = 0
    while position < samples:
        length = int(rng.uniform(1.0, 4.0) * RATE)
        time = np.arange(min(length, samples - position)) / RATE
        chord = np.zeros(len(time))
        root = 110.0 * 2 ** (rng.integers(0, 24) / 12)
        for step in rng.choice([0, 3, 4, 7, 10, 12], size=3, replace=False):
            tone = root * 2 ** (step / 12)
            for harmonic in range(1, 9):
                if tone * harmonic < 7500:
                    phase = rng.uniform()
                    chord += np.sin(2 * np.pi * (tone * harmonic * time + phase)) / harmonic**1.5
        ends = np.minimum(time, len(time) / RATE - time) / rng.uniform(0.05, 0.3)
        total[position : position + len(time)] += chord * np.clip(ends, 0.0, 1.0)
        position += len(time)
    return total
