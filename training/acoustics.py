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

from edge.features import FrontEnd, LogMel, mel_filters, relative_db
from edge.gender import DECIBELS_PER_NEPER

_NEPERS_PER_DB = np.float32(1 / DECIBELS_PER_NEPER)
_BANK_FRAMES = 512
_BABBLES = 48
_QUIETEST_SPEECH = 10 ** (-30.0 / 10)  # of a clip's loudest frame; anything below is a pause


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
    suppression_share: float = 0.0  # noise, or the softest that there is, held down by a device
    suppression_db: tuple[float, float] = (6.0, 24.0)  # at most by so much


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
        self._steady, self._beats = _textures(front_end)
        self._talkers = talkers

    @cached_property
    def _babble(self) -> list[np.ndarray]:
        rng = np.random.default_rng(1)
        count = _BABBLES if len(self._talkers) else 0
        return [self.babble(_BANK_FRAMES, rng.integers(3, 9), rng) for _ in range(count)]

    def spoilt(self, log_mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The log-mel as it is, or after some of: overdrive, a room, noise, a narrow band."""
        s = self._settings
        shares = (s.overdrive_share, s.room_share, s.noise_share, s.band_share)
        overdriven, in_room, noisy, narrow = rng.random(4) < shares
        # Not drawn for nothing, so that what was trained without it stays as it was.
        quieted = s.suppression_share > 0.0 and rng.random() < s.suppression_share
        if not (overdriven or in_room or noisy or quieted or narrow):
            return log_mel
        power = np.exp(log_mel * _NEPERS_PER_DB)  # loudest cell 1
        if overdriven:
            power = self._overdriven(power, rng)
        if in_room:
            seconds = rng.uniform(*s.room_seconds)
            power = self.in_room(power, seconds, rng.uniform(0.0, 9.0), rng)
        if noisy:
            noise = self._noise(len(power), rng)
            power = self.add(power, noise, rng.uniform(*s.noise_snr_db), rng)
        if quieted:
            power = self._suppressed(power, rng)
        if narrow:
            power = self._narrow(power, rng)
        return relative_db(10 * np.log10(np.maximum(power, np.float32(1e-12))))

    def add(
        self, power: np.ndarray, noise: np.ndarray, snr_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Powers of speech with the noise, snr_db below the mean of the speech without pauses."""
        loudness = power @ self._widths  # (frames,)
        speech = float(loudness[loudness >= loudness.max() * _QUIETEST_SPEECH].mean())
        ratio = speech / self._mean(noise) * 10 ** (-snr_db / 10)
        return self._together(power, noise * np.float32(ratio), rng)

    def _together(
        self, one: np.ndarray, other: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Powers of two sounds at once: where they are about as loud they add up, or cancel out."""
        beats = self._texture(self._beats, len(one), rng)
        return one + other + 2.0 * np.sqrt(one * other) * beats

    @staticmethod
    def _texture(bank: np.ndarray, frames: int, rng: np.random.Generator) -> np.ndarray:
        return np.take(bank, np.arange(frames) + rng.integers(len(bank)), 0, mode="wrap")

    def _mean(self, power: np.ndarray) -> float:
        """Of a frame's power over all hertz, not over bands, of which the low ones are narrow."""
        return float(power.mean(axis=0) @ self._widths)

    def _noise(self, frames: int, rng: np.random.Generator) -> np.ndarray:
        """(frames, bands) powers: hiss, a street with what passes by, or other people's talk."""
        kind = rng.integers(3 if self._babble else 2)
        if kind == 2:
            return self._texture(self._babble[rng.integers(len(self._babble))], frames, rng)
        if kind == 0:
            return self.hiss(frames, self._settings.hiss_slope, rng)
        return self.street(frames, rng)

    def hiss(
        self, frames: int, db_per_octave: tuple[float, float], rng: np.random.Generator
    ) -> np.ndarray:
        """(frames, bands) powers of steady noise, white if it neither falls nor rises."""
        steady = self._texture(self._steady, frames, rng)
        return steady * self._slope(rng.uniform(*db_per_octave))

    def street(self, frames: int, rng: np.random.Generator) -> np.ndarray:
        """(frames, bands) powers of rumble, and of one or two vehicles that pass."""
        street = self.hiss(frames, (-7.0, -3.0), rng)
        time = np.arange(frames) * self._frame_seconds
        seconds = max(time[-1], 1.0)
        for _ in range(rng.integers(1, 3)):
            away = (time - rng.uniform(0, seconds)) / rng.uniform(0.7, 2.5)
            loudness = rng.uniform(0.2, 4.0) * np.exp(-2 * away**2)
            tyres = self.hiss(frames, (-6.0, -2.0), rng)
            scale = self._mean(street) / self._mean(tyres)
            street = street + tyres * (scale * loudness[:, None]).astype(np.float32)
        return street

    def babble(self, frames: int, voices: int, rng: np.random.Generator) -> np.ndarray:
        """(frames, bands) powers of so many people who talk at once."""
        total = np.zeros((frames, self._talkers[0].shape[1]), np.float32)
        for _ in range(voices):
            talker = np.asarray(self._talkers[rng.integers(len(self._talkers))], np.float32)
            power = np.exp(talker * _NEPERS_PER_DB)
            one = self._texture(power, frames, rng) / max(float(power.mean()), 1e-9)
            total = self._together(total, one, rng)
        return total

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

    def in_room(
        self, power: np.ndarray, seconds: float, below_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Powers with an exponential tail behind every frame, that much below the direct sound.

        seconds: in which the tail dies by 60 dB
        """
        decay = 10 ** (-6 * self._frame_seconds / seconds)
        share = 10 ** (-below_db / 10)
        tail = lfilter([(1 - decay) * share], [1.0, -decay], power, axis=0).astype(np.float32)
        return self._together(power, tail * self._texture(self._steady, len(power), rng), rng)

    def _suppressed(self, power: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What each band always has, and what is little louder, held down as devices do it."""
        usual = np.percentile(power, rng.uniform(5.0, 30.0), axis=0)
        excess = power / np.maximum(usual * 10 ** (rng.uniform(0.0, 9.0) / 10), np.float32(1e-12))
        least = 10 ** (-rng.uniform(*self._settings.suppression_db) / 10)
        gains = np.square(1.0 - 1.0 / np.maximum(excess, 1.0))
        memory = rng.uniform(0.0, 0.7)
        gains, _ = lfilter([1.0 - memory], [1.0, -memory], gains, axis=0, zi=memory * gains[:1])
        return (power * np.maximum(gains, least)).astype(np.float32)

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


def _textures(front_end: FrontEnd) -> tuple[np.ndarray, np.ndarray]:
    """Two banks of (_BANK_FRAMES * 4, bands) float32, as the front end hears white noise.

    Its powers, of mean 1; and what the power of two of them at once is more than the sum of their
    powers, by twice the root of their product. Both vary from frame to frame and from band to band
    as overlapping windows let them: noise that is drawn anew in each cell is easily heard through.
    """
    rng = np.random.default_rng(0)
    samples = (4 * _BANK_FRAMES - 1) * front_end.hop_length
    log_mel = LogMel(front_end)
    one, other = rng.normal(0.0, 0.1, (2, samples)).astype(np.float32)
    powers = [
        np.exp(log_mel(sound).astype(np.float64) / DECIBELS_PER_NEPER)
        for sound in (one, other, one + other)
    ]
    beats = (powers[2] - powers[0] - powers[1]) / (2.0 * np.sqrt(powers[0] * powers[1]))
    steady = powers[0] / powers[0].mean(axis=0)
    return steady.astype(np.float32), np.clip(beats, -0.999, 0.999).astype(np.float32)
