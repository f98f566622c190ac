"""Bad acoustics for log-mels: what noise, rooms, telephones and overdriven inputs do to training.

One corpus has no sound, so all of it works on powers in mel bands. Arrays are (frames, bands)
float32 decibels relative to the loudest cell, and every random number comes from the generator that
is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import lfilter

from edge.features import FrontEnd, mel_filters, relative_db
from edge.gender import DECIBELS_PER_NEPER

_NEPERS_PER_DB = np.float32(1 / DECIBELS_PER_NEPER)
_BANK_FRAMES = 512
_BABBLES = 48


@dataclass(frozen=True)
class AcousticSettings:
    """How often, and how badly, a clip is spoilt; each kind strikes independently."""

    noise_share: float = 0.6       # share of clips that get noise
    noise_snr_db: tuple[float, float] = (4.0, 36.0)
    hiss_slope: tuple[float, float] = (-5.0, 1.0)  # decibels per octave of steady noise
    overdrive_share: float = 0.12  # peaks cut off, or coarse steps
    room_share: float = 0.15       # reverberation
    room_seconds: tuple[float, float] = (0.15, 0.9)  # until sound has died by 60 dB
    band_share: float = 0.15       # a telephone's band, or some other


def band_centres(front_end: FrontEnd) -> np.ndarray:
    """Centre of gravity of each mel band, (mel_bands,) float64 hertz."""
    filters = mel_filters(front_end)  # (mel_bands, bins)
    hertz = np.linspace(0.0, front_end.sample_rate / 2, filters.shape[1])
    return filters @ hertz / filters.sum(axis=1)


class Acoustics:
    """Spoils log-mels as the settings say.

    talkers: log-mels of clips that babble is made of
    """

    def __init__(
        self, settings: AcousticSettings, front_end: FrontEnd, talkers: Sequence[np.ndarray]
    ) -> None:
        self._settings = settings
        self._hertz = band_centres(front_end)
        self._widths = np.gradient(self._hertz).astype(np.float32)
        self._frame_seconds = front_end.hop_length / front_end.sample_rate
        rng = np.random.default_rng(0)
        # A band's power in steady noise varies the less, the more of the spectrum it sums up.
        degrees = np.linspace(1.0, 4.0, front_end.mel_bands)
        steady = rng.gamma(degrees, 1 / degrees, (2048, front_end.mel_bands))
        self._steady = (steady + 1e-3).astype(np.float32)
        self._talkers = talkers

    @cached_property
    def _babble(self) -> list[np.ndarray]:
        rng = np.random.default_rng(1)
        return [_babble(self._talkers, rng) for _ in range(_BABBLES if len(self._talkers) else 0)]

    def spoilt(self, log_mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The log-mel as it is, or after some of: overdrive, a room, noise, a narrow band."""
        s = self._settings
        shares = (s.overdrive_share, s.room_share, s.noise_share, s.band_share)
        overdriven, in_room, noisy, narrow = rng.random(4) < shares
        if not (overdriven or in_room or noisy or narrow):
            return log_mel
        power = np.exp(log_mel * _NEPERS_PER_DB)  # loudest cell 1
        if overdriven:
            power = self._overdriven(power, rng)
        if in_room:
            power = self._in_room(power, rng)
        if noisy:
            noise = self._noise(len(power), rng)
            power = self.add(power, noise, rng.uniform(*s.noise_snr_db))
        if narrow:
            power = self._narrow(power, rng)
        return relative_db(10 * np.log10(np.maximum(power, np.float32(1e-12))))

    def add(self, power: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
        """Powers of speech with the noise, whose mean is snr_db below the speech's."""
        ratio = self._mean(power) / self._mean(noise) * 10 ** (-snr_db / 10)
        return power + noise * np.float32(ratio)

    def _mean(self, power: np.ndarray) -> float:
        """Of a frame's power over all hertz, not over bands, of which the low ones are narrow."""
        return float(power.mean(axis=0) @ self._widths)

    def _noise(self, frames: int, rng: np.random.Generator) -> np.ndarray:
        """(frames, bands) powers: hiss, a street with what passes by, or other people's talk."""
        kind = rng.integers(3 if self._babble else 2)
        if kind == 2:
            babble = self._babble[rng.integers(len(self._babble))]
            return np.take(babble, np.arange(frames) + rng.integers(len(babble)), 0, mode="wrap")
        start = rng.integers(len(self._steady))
        steady = np.take(self._steady, np.arange(frames) + start, 0, mode="wrap")
        if kind == 0:
            return steady * self._slope(rng.uniform(*self._settings.hiss_slope))
        street = steady * self._slope(rng.uniform(-7.0, -3.0))
        time = np.arange(frames) * self._frame_seconds
        seconds = max(time[-1], 1.0)
        for _ in range(rng.integers(1, 3)):  # vehicles
            away = (time - rng.uniform(0, seconds)) / rng.uniform(0.7, 2.5)
            loudness = rng.uniform(0.2, 4.0) * np.exp(-2 * away**2)
            tyres = np.take(self._steady, np.arange(frames) + rng.integers(2048), 0, mode="wrap")
            tyres = tyres * self._slope(rng.uniform(-6.0, -2.0))
            scale = self._mean(street) / self._mean(tyres)
            street = street + tyres * (scale * loudness[:, None]).astype(np.float32)
        return street

    def _slope(self, db_per_octave: float) -> np.ndarray:
        """(bands,) power of a spectrum that falls by so much, and is level below 40 Hz."""
        octaves = np.log2(np.maximum(self._hertz, 40.0) / 1000.0)
        return (10 ** (db_per_octave * octaves / 10)).astype(np.float32)

    def _overdriven(self, power: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Loud frames held down, and what was cut off strewn over all frequencies."""
        loudness = power @ self._widths  # (frames,)
        excess = loudness / (loudness.max() * 10 ** (-rng.uniform(0.0, 18.0) / 10))
        cut = excess / (1.0 + excess)
        held = power / (1.0 + excess)[:, None]
        strewn = held @ self._widths * cut * 10 ** (-rng.uniform(10.0, 32.0) / 10)
        spectrum = self._slope(rng.uniform(-6.0, 0.0))
        return held + (strewn[:, None] * (spectrum / (spectrum @ self._widths))).astype(np.float32)

    def _in_room(self, power: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An exponential tail behind every frame, up to as loud as the direct sound."""
        decay = 10 ** (-6 * self._frame_seconds / rng.uniform(*self._settings.room_seconds))
        share = 10 ** (-rng.uniform(0.0, 9.0) / 10)
        tail = lfilter([(1 - decay) * share], [1.0, -decay], power, axis=0)
        return (power + tail).astype(np.float32)

    def _narrow(self, power: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Nothing below or above some frequencies, but for the noise of coarse steps."""
        lowest = rng.uniform(50.0, 350.0)
        highest = rng.choice([rng.uniform(3200.0, 4000.0), rng.uniform(4000.0, 7500.0)])
        kept = ((self._hertz > lowest) & (self._hertz < highest)).astype(np.float32)
        floor = 10 ** (-rng.uniform(50.0, 70.0) / 10) * power.max()
        loudness = power @ self._widths  # (frames,)
        steps = loudness * 10 ** (-rng.uniform(32.0, 60.0) / 10) / self._widths.sum()
        heard = kept * power + steps[:, None] * (self._hertz < highest)
        return (heard + floor * 1e-3).astype(np.float32)


def _babble(talkers: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(_BANK_FRAMES, bands) powers of a few people who talk at once."""
    total = np.zeros((_BANK_FRAMES, talkers[0].shape[1]), np.float32)
    for _ in range(rng.integers(3, 9)):
        talker = np.asarray(talkers[rng.integers(len(talkers))], np.float32)
        power = np.exp(talker * _NEPERS_PER_DB)
        start = rng.integers(len(power))
        rows = np.take(power, np.arange(_BANK_FRAMES) + start, 0, mode="wrap")
        total += rows / max(float(power.mean()), 1e-9)
    return total
