"""Tells speech from silence, steady noise and hum, frame by frame, from the log-mel.

    log_mel ──► 16 groups of bands ──► noise floor ──► cues ──► small network ──► hysteresis

The floor of each group is the least smoothed power of the last two seconds (minimum statistics:
R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum
statistics", IEEE Transactions on Speech and Audio Processing 9(5), 2001). The cues are the energy
over that floor, the harmonicity, and how both move: speech rises, falls and glides, while noise
and hum stay as they are. `docs/voice-activity.md` shows how well that works beside other
detectors. Whatever sounds like a voice is speech: other people's talk in the background, singing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.features import FrontEnd, hann_window, mel_centres, mel_widths
from edge.gender import Voicing, VoicingDetector
from edge.voice_weights import HIDDEN_BIASES, HIDDEN_WEIGHTS, OUTPUT_BIAS, OUTPUT_WEIGHTS

GROUPS = 16
"""Groups of adjacent mel bands, eight bands each."""

FLOOR_FRAMES = 128
"""The noise floor is the least of the last 2.05 s: longer than any sound of speech stays."""

CONTEXT_FRAMES = 32
"""The cues look back half a second, about two syllables."""

FLOOR_BIAS_DB = 2.5
"""The least of many frames lies so far below the mean of steady noise."""

ONSET, RELEASE = 0.6, 0.35
"""Speech begins when the smoothed probability rises above the one, ends below the other."""

SMOOTHING_FRAMES = 3.0
"""Time constant of the probability's exponential smoothing."""

STEP = 8
"""Frames that one call takes at most, unless a detector is made for more."""

CUES = (
    "energy over the floor, mean of the groups, dB",
    "the same, mean of 16 frames",
    "the same, largest of 16 frames",
    "energy over the floor of the four groups that have most, dB",
    "energy over the floor below 1 kHz, dB",
    "energy over the floor above 2.3 kHz, dB",
    "harmonicity",
    "harmonicity, mean of 12 frames",
    "harmonicity, deviation in 32 frames",
    "harmonicity times energy over the floor",
    "loudness, deviation in 32 frames, dB",
    "loudness over its mean of 32 frames, dB",
    "loudest of 32 frames over loudness, dB",
    "groups' deviation in 32 frames, mean, dB",
    "entropy over 32 frames, variance between the groups",
    "entropy over 32 frames, mean of the groups",
    "change from frame to frame, mean of 16 frames, dB",
)
"""What the network sees; the variance between the groups' entropies is the long-term signal
variability of P. K. Ghosh, A. Tsiartas and S. Narayanan, IEEE Transactions on Audio, Speech and
Language Processing 19(3), 2011."""

_TRAINED_WITH = ("sample_rate", "frame_length", "hop_length", "mel_bands", "low_hz", "high_hz")
_VOICING = Voicing(
    loudness_bands=(1, 120),
    range_db=25.0,
    pitch_hz=(65.0, 470.0),
    steps_per_octave=24,
    highest_harmonic_hz=1000.0,
    harmonicity=0.35,
)
_LARGE_STEP = 512  # frames of a whole sound that are worked on together
_LEAST_POWER = 1e-9  # of a group; below that is silence
_LEAST_MEAN_SQUARE = 1e-12  # -120 dBFS
_LOW, _HIGH, _VOICE = slice(0, 6), slice(10, 16), slice(1, 12)  # groups


class Activity(NamedTuple):
    """What a step says of its frames; (n,) each."""

    speech: NDArray[np.bool_]
    """Whether the frame is speech."""
    power: NDArray[np.float32]
    """Mean square of the frame's samples, full scale 1."""
    noise: NDArray[np.float32]
    """The same of the noise floor."""


class VoiceActivity:
    """A detector for one sound; holds fixed histories, nothing grows.

    Raises SettingsError for a front end other than the one that its network was trained with.
    """

    def __init__(self, front_end: FrontEnd, step: int = STEP) -> None:
        usual = FrontEnd()
        for name in _TRAINED_WITH:
            if getattr(front_end, name) != getattr(usual, name):
                raise SettingsError(
                    f"voice activity needs a front end with {name} {getattr(usual, name)}, "
                    f"not {getattr(front_end, name)}"
                )
        self._voicing, self._mean_square = _tables(front_end)
        self._hidden = (_array(HIDDEN_WEIGHTS), _array(HIDDEN_BIASES))  # (cues, units), (units,)
        self._output = (_array(OUTPUT_WEIGHTS), np.float32(OUTPUT_BIAS))  # (units,)
        self._power = _history(step, CONTEXT_FRAMES, GROUPS)
        self._surprise = _history(step, CONTEXT_FRAMES, GROUPS)  # power times its logarithm
        self._db = _history(step, CONTEXT_FRAMES, GROUPS, dtype=np.float64)
        self._smooth = _history(step, FLOOR_FRAMES, GROUPS)
        # Of each frame: energy over the floor, harmonicity, loudness, change.
        self._tracks = _history(step, CONTEXT_FRAMES, 4, dtype=np.float64)
        self.clear()

    def clear(self) -> None:
        """Back to the state of a new one."""
        self._begun = False
        self._probability = 0.0
        self._speech = False

    def step(self, log_mel: NDArray[np.float32]) -> Activity:
        """The next frames' verdicts: (n, mel_bands) absolute dB, n from 1 to the step."""
        cues, power, noise = self._cues(log_mel)
        speech = np.empty(len(cues), np.bool_)
        for frame, probability in enumerate(self._answers(cues).tolist()):
            speech[frame] = self._held(probability)
        return Activity(speech, power, noise)

    def cues(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network sees of the next frames: (n, len(CUES))."""
        return self._cues(log_mel)[0]

    def _answers(self, cues: NDArray[np.float32]) -> NDArray[np.float32]:
        weights, biases = self._hidden
        hidden = np.maximum(cues @ weights + biases, np.float32(0.0))  # (n, units)
        weights, bias = self._output
        answers: NDArray[np.float32] = 1.0 / (1.0 + np.exp(-(hidden @ weights + bias)))
        return answers

    def _held(self, probability: float) -> bool:
        self._probability += (probability - self._probability) / SMOOTHING_FRAMES
        self._speech = self._probability >= (RELEASE if self._speech else ONSET)
        return self._speech

    def _cues(
        self, log_mel: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        n = len(log_mel)
        first = not self._begun
        self._begun = True
        cells = np.exp(log_mel * np.float32(np.log(10.0) / 10.0))
        power = _group_means(cells)  # (n, groups)
        _append(self._power, power, first)
        _append(self._surprise, power * np.log(power), first)
        _append(self._db, _decibels(power), first)
        last_three = self._power[-n:] + self._power[-n - 1 : -1] + self._power[-n - 2 : -2]
        _append(self._smooth, last_three / np.float32(3.0), first)
        floor = _windowed(np.minimum, self._smooth, FLOOR_FRAMES, n)  # (n, groups)

        db = self._db[-n:]
        over = np.clip(db - _decibels(floor), 0.0, 25.0)
        over_mean = over.mean(axis=1)
        harmonicity = self._voicing.harmonicity(log_mel)
        loudness = _decibels(power[:, _VOICE].sum(axis=1))
        change = np.abs(db - self._db[-n - 1 : -1]).mean(axis=1)
        _append(self._tracks, np.stack((over_mean, harmonicity, loudness, change), axis=1), first)
        means_of_16 = _windowed(np.add, self._tracks, 16, n) / 16.0  # (n, 4)
        means_of_32, deviations = _moments(self._tracks, n)
        total = _windowed(np.add, self._power, CONTEXT_FRAMES, n)  # (n, groups)
        surprise = _windowed(np.add, self._surprise, CONTEXT_FRAMES, n)
        entropy = np.log(total) - surprise / total
        _, deviations_of_groups = _moments(self._db, n)
        cues = (
            over_mean,
            means_of_16[:, 0],
            _windowed(np.maximum, self._tracks[:, 0], 16, n),
            np.sort(over, axis=1)[:, -4:].mean(axis=1),
            over[:, _LOW].mean(axis=1),
            over[:, _HIGH].mean(axis=1),
            harmonicity,
            sliding_window_view(self._tracks[-n - 11 :, 1], 12).mean(axis=1),
            deviations[:, 1],
            harmonicity * over_mean,
            deviations[:, 2],
            loudness - means_of_32[:, 2],
            _windowed(np.maximum, self._tracks[:, 2], CONTEXT_FRAMES, n) - loudness,
            np.minimum(deviations_of_groups, 15.0).mean(axis=1),
            np.square(entropy - entropy.mean(axis=1, keepdims=True)).mean(axis=1),
            entropy.mean(axis=1),
            means_of_16[:, 3],
        )
        noise = np.float32(10.0 ** (FLOOR_BIAS_DB / 10.0)) * floor @ self._mean_square
        return np.stack(cues, axis=1).astype(np.float32), power @ self._mean_square, noise


def voice_activity(log_mel: NDArray[np.float32], front_end: FrontEnd | None = None) -> Activity:
    """The same for a whole sound: (frames, mel_bands) absolute dB, at least one frame."""
    step = min(len(log_mel), _LARGE_STEP)
    detector = VoiceActivity(front_end or FrontEnd(), step)
    steps = [
        detector.step(log_mel[first : first + step]) for first in range(0, len(log_mel), step)
    ]
    return Activity(*(np.concatenate(parts) for parts in zip(*steps)))


def snr_db(activity: Activity) -> float | None:
    """Estimated signal-to-noise ratio of the speech, -20 to 60 dB; None when there is no speech.

    The speech's power is what its frames have over the noise floor.
    """
    speech = activity.speech
    if not speech.any():
        return None
    noise = float(activity.noise[speech].mean(dtype=np.float64))
    signal = float(activity.power[speech].mean(dtype=np.float64)) - noise
    noise = max(noise, _LEAST_MEAN_SQUARE)
    return float(np.clip(10.0 * np.log10(max(signal / noise, 1e-2)), -20.0, 60.0))


@lru_cache(maxsize=1)
def _tables(front_end: FrontEnd) -> tuple[VoicingDetector, NDArray[np.float32]]:
    """The pitch combs, and (groups,) what turns a group's mean cell into a mean square."""
    # Slaney's triangles, each times half its width, add up to 1 at every frequency; the
    # one-sided power spectrum adds up to (length / 2) * sum(window^2) mean squares.
    window = hann_window(front_end.frame_length)
    unit = 2.0 / (front_end.frame_length * float(np.square(window).sum()))
    halves = 0.5 * mel_widths(front_end).reshape(GROUPS, -1).sum(axis=1)
    detector = VoicingDetector(mel_centres(front_end), _VOICING)
    return detector, (unit * halves).astype(np.float32)


def _array(values: object) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def _history(
    step: int, frames: int, *row: int, dtype: type[np.floating[Any]] = np.float32
) -> NDArray[Any]:
    return np.zeros((frames - 1 + step, *row), dtype)


def _append(history: NDArray[Any], new: NDArray[Any], first: bool) -> None:
    """Moves the history on; at a sound's begin, its past is as its first frame."""
    if first:
        history[:] = new[0]
    n = len(new)
    history[:-n] = history[n:]
    history[-n:] = new


def _windowed(combine: np.ufunc, history: NDArray[Any], frames: int, n: int) -> NDArray[Any]:
    """(n, ...): the last `frames` rows up to each of the n newest ones, combined.

    frames: a power of two, since windows of 1, 2, 4 ... rows are made of two of half the size.
    """
    values = history[len(history) - n - frames + 1 :]
    reach = 1
    while reach < frames:
        values = combine(values[reach:], values[:-reach])
        reach *= 2
    return values


def _moments(history: NDArray[np.float64], n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """(n, ...) mean and standard deviation of the last CONTEXT_FRAMES rows, for each newest one.

    In double precision, where the difference of the squares leaves something of a steady sound.
    """
    mean = _windowed(np.add, history, CONTEXT_FRAMES, n) / CONTEXT_FRAMES
    squares = _windowed(np.add, np.square(history), CONTEXT_FRAMES, n) / CONTEXT_FRAMES
    return mean, np.sqrt(np.maximum(squares - np.square(mean), 0.0))


def _group_means(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, bands) to (n, GROUPS) means of eight bands each, which is the number in a group.

    By halves: `mean` over so short an axis takes four times as long, for the same bits.
    """
    for _ in range(3):
        cells = cells[:, ::2] + cells[:, 1::2]
    means: NDArray[np.float32] = cells / np.float32(8.0)
    return means


def _decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    decibels: NDArray[np.float32] = np.float32(10.0) * np.log10(power + np.float32(_LEAST_POWER))
    return decibels
