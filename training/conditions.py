"""Bad acoustics for sounds: noise, its suppression, rooms, a telephone's band, clipping, gain.

Sounds are (n,) float32 at 16 kHz; every random number comes from the generator that is passed in.
Noise, suppression and rooms are there for log-mels, too; noise and rooms as `training.acoustics`
makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter1d
from scipy.signal import istft, lfilter, stft

from edge.features import relative_db
from training.acoustics import Acoustics
from training.scenes import (
    BABBLE_VOICES,
    HOP,
    NOISES,
    RATE,
    Scene,
    in_noise,
    noise_of,
    speech_of_clean,
)

SNRS_DB = (20, 10, 5)
USUAL_LEVEL_DB = -30.0
"""Root mean square of the active speech, against full scale, that a gain starts from."""
SUPPRESSION_DB = 18.0
"""By which a telephone holds noise down where nobody speaks."""

_MEMORY = 0.96            # of the gain in the frame before
_SMOOTHED = 0.1           # seconds over which a power is averaged, before
_WITHOUT_PAUSE = 1.5      # seconds in which each frequency is once without speech
_ABOVE_MINIMUM = 2.0      # mean of a noise's power, as a multiple of its smoothed minimum

Spoiled = tuple[np.ndarray, int]  # samples and their rate


@dataclass(frozen=True)
class Condition:
    """One kind of bad acoustics.

    kind: groups conditions of different strength; snr_db: of noise, None for the others
    spoil: a sound, a generator and other speakers' sounds to the samples and their rate
    spoil_log_mel: relative decibels of a clip without sound, a generator and what spoils them to
        others; None for what cannot be done to them
    """

    name: str
    kind: str
    snr_db: int | None
    spoil: Callable[[np.ndarray, np.random.Generator, Sequence[np.ndarray]], Spoiled]
    spoil_log_mel: Callable[[np.ndarray, np.random.Generator, Acoustics], np.ndarray] | None = None


def conditions() -> list[Condition]:
    """All of them; the first one leaves the sound as it is."""
    found = [Condition(
        "clean", "clean", None, lambda sound, rng, talkers: (sound, RATE),
        lambda log_mel, rng, acoustics: log_mel,
    )]
    for noise in NOISES:
        for snr_db in SNRS_DB:
            found.append(Condition(
                f"{noise} {snr_db} dB", noise, snr_db, _noisy(noise, snr_db),
                _noisy_log_mel(noise, snr_db),
            ))
    for seconds in (0.3, 0.6, 1.0):
        found.append(Condition(
            f"reverberation {seconds:g} s", "reverberation", None, _reverberant(seconds),
            _reverberant_log_mel(seconds),
        ))
    street, street_log_mel = _noisy("street", 10), _noisy_log_mel("street", 10)
    found += [
        Condition(
            "noise suppression", "suppression", None,
            lambda sound, rng, talkers: (suppressed(sound), RATE),
            lambda log_mel, rng, acoustics: suppressed_log_mel(log_mel),
        ),
        Condition(
            "street 10 dB, suppressed", "suppression", None,
            lambda *heard: (suppressed(street(*heard)[0]), RATE),
            lambda *heard: suppressed_log_mel(street_log_mel(*heard)),
        ),
        Condition("telephone 8 kHz", "telephone", None, lambda s, rng, talkers: telephone(s)),
        Condition("clipped by 12 dB", "clipping", None, lambda s, rng, talkers: (clipped(s), RATE)),
        Condition("gain +20 dB", "gain", None, lambda s, rng, talkers: (recorded(s, 20.0), RATE)),
        Condition("gain -20 dB", "gain", None, lambda s, rng, talkers: (recorded(s, -20.0), RATE)),
    ]
    return found


def noisy(
    sound: np.ndarray, kind: str, snr_db: float, rng: np.random.Generator,
    talkers: Sequence[np.ndarray],
) -> np.ndarray:
    """With noise of a kind, the speech's mean power snr_db above the noise's."""
    noise = noise_of(kind, len(sound), rng, talkers)
    return in_noise(Scene(sound, speech_of_clean(sound)), noise, snr_db).samples


def reverberant(sound: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """In a room where sound dies by 60 dB in so many seconds, the direct one as loud as the rest.

    The response is noise that decays exponentially (Polack 1988) behind the direct sound. The
    reverberation that outlasts the recording is cut off.
    """
    length = int(seconds * RATE)
    time = np.arange(1, length + 1) / RATE
    tail = rng.normal(size=length) * 10 ** (-3 * time / seconds)
    response = np.concatenate([[1.0], tail / np.sqrt(np.sum(tail**2))])
    size = 1 << (len(sound) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[: len(sound)]
    return _within_full_scale(wet)


def suppressed(sound: np.ndarray, depth_db: float = SUPPRESSION_DB) -> np.ndarray:
    """As a telephone's suppression of noise leaves it, the pauses softer by up to so much."""
    size, hop = 512, 128
    whole = np.pad(sound, (0, max(0, size - len(sound))))  # at least one window
    _, _, spectrum = stft(whole, RATE, nperseg=size, noverlap=size - hop, boundary="even")
    power = np.square(np.abs(spectrum)).T  # (frames, bins)
    gains = suppression_gains(power, hop / RATE, depth_db)
    _, quiet = istft(spectrum * gains.T, RATE, nperseg=size, noverlap=size - hop)
    return quiet[: len(sound)].astype(np.float32)


def suppressed_log_mel(log_mel: np.ndarray, depth_db: float = SUPPRESSION_DB) -> np.ndarray:
    """The same of (frames, bands) relative decibels as `suppressed` of a sound."""
    power = _power(log_mel)
    gains = suppression_gains(power, HOP / RATE, depth_db)
    return _decibels((power * np.square(gains)).astype(np.float32))


def suppression_gains(power: np.ndarray, frame_seconds: float, depth_db: float) -> np.ndarray:
    """What amplitudes of (frames, bins) powers are multiplied by, 1 to depth_db below it.

    Wiener's filter for the ratio of speech and noise that the frame before suggests (Ephraim and
    Malah 1984); the noise is what each frequency falls to from time to time (Martin 2001).
    """
    power = np.maximum(np.asarray(power, np.float64), 1e-12 * max(float(power.max()), 1e-9))
    keeps = np.exp(-frame_seconds / _SMOOTHED)
    begin = power[: max(1, round(2 * _SMOOTHED / frame_seconds))].mean(axis=0, keepdims=True)
    smooth, _ = lfilter([1.0 - keeps], [1.0, -keeps], power, axis=0, zi=keeps * begin)
    frames = min(len(power), max(1, round(_WITHOUT_PAUSE / frame_seconds)))
    noise = _ABOVE_MINIMUM * minimum_filter1d(smooth, frames, axis=0, mode="nearest")
    least = 10 ** (-depth_db / 20)
    gains = np.empty_like(power)
    before = np.zeros(power.shape[1])  # power of speech against that of noise
    for number, ratio in enumerate(power / noise):
        prior = _MEMORY * before + (1.0 - _MEMORY) * np.maximum(ratio - 1.0, 0.0)
        gains[number] = np.maximum(prior / (1.0 + prior), least)
        before = np.square(gains[number]) * ratio
    return gains


def telephone(sound: np.ndarray) -> Spoiled:
    """300 to 3400 Hz at 8 kHz, each sample one of 256 steps of mu-law (ITU-T G.711)."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0.0
    narrow = np.fft.irfft(spectrum, len(sound))[::2]  # nothing is left above 4 kHz
    peak = max(float(np.abs(narrow).max()), 1e-9)
    x = narrow / peak
    steps = np.round(127 * np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256))
    expanded = np.sign(steps) * (256 ** (np.abs(steps) / 127) - 1) / 255
    return (peak * expanded).astype(np.float32), 8000


def clipped(sound: np.ndarray, decibels: float = 12.0) -> np.ndarray:
    """With its peaks so many decibels beyond full scale, which cuts them off."""
    gain = 10 ** (decibels / 20) / max(float(np.abs(sound).max()), 1e-9)
    return np.clip(sound * gain, -1.0, 1.0).astype(np.float32)


def recorded(sound: np.ndarray, gain_db: float) -> np.ndarray:
    """From its usual level louder or softer, in 16 bits, which saturate and round."""
    active = np.repeat(speech_of_clean(sound), 256)[: len(sound)]
    level = np.sqrt(np.mean(np.square(sound[active], dtype=np.float64)))
    gain = 10 ** ((USUAL_LEVEL_DB + gain_db) / 20) / max(level, 1e-9)
    steps = np.clip(np.round(sound * gain * 32768), -32768, 32767)
    return (steps / 32768).astype(np.float32)



def noisy_log_mel(
    log_mel: np.ndarray, kind: str, snr_db: float, rng: np.random.Generator, acoustics: Acoustics
) -> np.ndarray:
    """The same of (frames, bands) relative decibels as `noisy` of a sound."""
    frames = len(log_mel)
    noise = {
        "white": lambda: acoustics.hiss(frames, (0.0, 0.0), rng),
        "babble": lambda: acoustics.babble(frames, BABBLE_VOICES, rng),
        "street": lambda: acoustics.street(frames, rng),
    }[kind]()
    return _decibels(acoustics.add(_power(log_mel), noise, snr_db, rng))


def _power(log_mel: np.ndarray) -> np.ndarray:
    return (10 ** (log_mel.astype(np.float64) / 10)).astype(np.float32)


def _decibels(power: np.ndarray) -> np.ndarray:
    return relative_db(10 * np.log10(np.maximum(power, np.float32(1e-12))))


def _noisy_log_mel(kind: str, snr_db: int) -> Callable[..., np.ndarray]:
    return lambda log_mel, rng, acoustics: noisy_log_mel(log_mel, kind, snr_db, rng, acoustics)


def _reverberant_log_mel(seconds: float) -> Callable[..., np.ndarray]:
    return lambda log_mel, rng, acoustics: _decibels(
        acoustics.in_room(_power(log_mel), seconds, 0.0, rng)
    )



def _noisy(kind: str, snr_db: int) -> Callable[..., Spoiled]:
    return lambda sound, rng, talkers: (noisy(sound, kind, snr_db, rng, talkers), RATE)


def _reverberant(seconds: float) -> Callable[..., Spoiled]:
    return lambda sound, rng, talkers: (reverberant(sound, seconds, rng), RATE)


def _within_full_scale(sound: np.ndarray) -> np.ndarray:
    return (sound / max(1.0, float(np.abs(sound).max()))).astype(np.float32)
