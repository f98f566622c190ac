"""Speech made of nothing but numpy: harmonics of a gliding pitch under formants, by syllables.

It is far from natural, and near enough to speech for a path from sound to features to models to be
tried without a recording: sexes differ in pitch and in the length of the vocal tract, emotions in
pitch, its range, tempo, energy and spectral tilt, speakers in a little of everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Formants of a man's vowels in Hz (Peterson & Barney 1952, rounded).
VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (660, 1720, 2410),
)
BANDWIDTHS = (80.0, 110.0, 160.0)


@dataclass(frozen=True)
class Manner:
    """How an emotion is spoken: a factor on the pitch, and the voice's tempo and colour."""

    pitch: float
    pitch_range: float  # glide within a syllable, semitones
    tempo: float  # syllables a second
    level: float  # peak amplitude
    tilt: float  # dB an octave


MANNERS = {
    "neutral": Manner(1.00, 1.0, 4.0, 0.25, -10.0),
    "calm": Manner(0.95, 0.5, 3.2, 0.18, -12.0),
    "happy": Manner(1.35, 6.0, 5.0, 0.50, -7.0),
    "sad": Manner(0.90, -2.0, 2.5, 0.10, -14.0),
    "angry": Manner(1.25, -4.0, 5.5, 0.90, -4.0),
    "fearful": Manner(1.50, 2.0, 6.5, 0.40, -8.0),
    "disgust": Manner(0.85, -5.0, 3.0, 0.35, -9.0),
    "surprised": Manner(1.60, 9.0, 4.0, 0.60, -7.0),
}


def synthesise(
    gender: str,
    emotion: str | None = "neutral",
    *,
    speaker: int = 0,
    take: int = 0,
    seconds: float = 1.2,
    sample_rate: int = 16000,
) -> np.ndarray:
    """Samples (n,) float32 within [-1, 1]; the same arguments give the same samples."""
    manner = MANNERS[emotion or "neutral"]
    voice = np.random.default_rng([speaker, gender == "female"])
    rng = np.random.default_rng(
        [speaker, gender == "female", take, list(MANNERS).index(emotion or "neutral")]
    )
    pitch = (210.0 if gender == "female" else 115.0) * voice.uniform(0.9, 1.1) * manner.pitch
    tract = (1.17 if gender == "female" else 1.0) * voice.uniform(0.97, 1.03)

    syllables = max(1, round(seconds * manner.tempo))
    pieces = [
        _syllable(rng, round(seconds * sample_rate / syllables), sample_rate, pitch, tract, manner)
        for _ in range(syllables)
    ]
    speech = np.concatenate(pieces)
    speech *= manner.level * rng.uniform(0.8, 1.0) / np.abs(speech).max()
    noise = rng.standard_normal(len(speech)) * 1e-4
    return np.clip(speech + noise, -1.0, 1.0).astype(np.float32)


def _syllable(
    rng, samples: int, sample_rate: int, pitch: float, tract: float, manner: Manner
) -> np.ndarray:
    """A burst of noise, then a vowel whose pitch glides."""
    place = np.linspace(0.0, 1.0, samples)
    semitones = manner.pitch_range * (place - 0.5) + rng.normal(0.0, 0.5)
    f0 = pitch * 2.0 ** (semitones / 12)  # (samples,) Hz
    phase = 2 * np.pi * np.cumsum(f0) / sample_rate
    formants = np.array(VOWELS[rng.integers(len(VOWELS))]) * tract
    vowel = np.zeros(samples)
    for harmonic in range(1, int(min(4000.0, sample_rate / 2) / f0.max()) + 1):
        vowel += _gain(harmonic * f0, formants, manner.tilt) * np.sin(harmonic * phase)
    vowel *= np.sin(np.pi * np.clip((place - 0.15) / 0.8, 0.0, 1.0)) ** 0.5
    burst = rng.standard_normal(samples) * np.exp(-(((place - 0.07) / 0.04) ** 2))
    return vowel + 0.1 * np.abs(vowel).max() * burst


def _gain(hertz: np.ndarray, formants: np.ndarray, tilt: float) -> np.ndarray:
    """The formants' resonances in parallel, under the source's tilt."""
    resonances = sum(1.0 / (1.0 + ((hertz - f) / b) ** 2) for f, b in zip(formants, BANDWIDTHS))
    return (resonances + 0.02) * 10.0 ** (tilt * np.log2(hertz / 100.0) / 20.0)
