"""The front end: sound to log-mel spectrum to cepstrum, the same for training and for use.

    samples (n,) at 16 kHz  ->  log_mel (frames, 128) in decibels  ->  mfcc (frames, n_mfcc)

It equals `librosa.feature.melspectrogram(sr=16000, n_fft=1024, hop_length=256, n_mels=128)`,
`librosa.power_to_db(ref=numpy.max, top_db=80)` and `scipy.fft.dct(type=2, norm="ortho")`.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge._kernels.spectral import CosineKernel, LogMelKernel
from edge.errors import SettingsError, SilentAudioError

SILENCE_DB = -100.0
"""The decibels of a cell without sound: 10 * log10(1e-10)."""


def _known_settings(what: str, kind: type, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings themselves, when they name each field of the dataclass and nothing else."""
    if not isinstance(settings, Mapping):
        raise SettingsError(f"{what}: settings by name are wanted, not {settings!r}")
    known = {field.name for field in dataclasses.fields(kind)}
    unknown, missing = sorted(set(settings) - known, key=str), sorted(known - set(settings))
    if unknown or missing:
        problems = [f"unknown {name!r}" for name in unknown] + [f"no {name!r}" for name in missing]
        raise SettingsError(f"{what}: " + ", ".join(problems))
    return settings


def _is_number(value: Any, kind: type[Any]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


@dataclasses.dataclass(frozen=True)
class FrontEnd:
    """Settings of the log-mel spectrum; a bundle records them.

    Raises SettingsError when a value is of the wrong type or out of range.
    """

    sample_rate: int = 16000      # hertz
    frame_length: int = 1024      # samples, a power of two; also the length of the FFT
    hop_length: int = 256         # samples from one frame to the next
    mel_bands: int = 128          # triangles, equally far apart in mel
    low_hz: float = 0.0           # lower edge of the lowest band
    high_hz: float = 8000.0       # upper edge of the highest band
    floor_db: float = -80.0       # below the loudest cell of a window
    window_frames: int = 188      # frames of one decision, 3.0 s

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value: Any = getattr(self, field.name)
            whole = field.type == "int"
            if not _is_number(value, numbers.Integral if whole else numbers.Real):
                kind = "a whole number" if whole else "a finite number"
                raise SettingsError(f"front end: {field.name} must be {kind}, not {value!r}")
            object.__setattr__(self, field.name, int(value) if whole else float(value))
        length = self.frame_length
        self._require(8 <= length <= 65536 and length & (length - 1) == 0, "frame_length",
                      "a power of two from 8 to 65536")
        self._require(self.sample_rate > 0, "sample_rate", "positive")
        self._require(0 < self.hop_length <= length, "hop_length", "from 1 to frame_length")
        self._require(0 < self.mel_bands <= length // 2, "mel_bands", "from 1 to frame_length / 2")
        self._require(0 <= self.low_hz < self.high_hz, "low_hz", "from 0 to below high_hz")
        self._require(self.high_hz <= self.sample_rate / 2, "high_hz", "at most sample_rate / 2")
        self._require(self.floor_db < 0, "floor_db", "negative")
        self._require(self.window_frames > 0, "window_frames", "positive")

    def _require(self, holds: bool, name: str, allowed: str) -> None:
        if not holds:
            raise SettingsError(f"front end: {name} must be {allowed}, not {getattr(self, name)}")

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> FrontEnd:
        """The reverse of `to_dict`; every setting must be there and no other."""
        return cls(**_known_settings("front end", cls, settings))

    def frame_count(self, samples: int) -> int:
        """Frames of a sound of so many samples: one centred on each hop, from the first sample.

        >>> FrontEnd().frame_count(16000)
        63
        """
        return 1 + samples // self.hop_length


class LogMel:
    """Sound to absolute log-mel decibels; tables are built once, calls may run in parallel threads.

    Periodic Hann window, frames centred on every hop_length-th sample with zeros beyond both ends,
    power spectrum, Slaney mel bands of unit area.

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> log_mel = LogMel()(tone)
    >>> log_mel.shape
    (63, 128)
    >>> int(log_mel[30].argmax())  # the band around 1000 Hz
    42
    """

    def __init__(self, front_end: FrontEnd | None = None) -> None:
        self.front_end = front_end or FrontEnd()
        self._kernel = LogMelKernel(
            hann_window(self.front_end.frame_length),  # (frame_length,)
            mel_filters(self.front_end),  # (mel_bands, frame_length / 2 + 1)
        )

    def __call__(self, samples: ArrayLike) -> NDArray[np.float32]:
        """10 * log10(max(1e-10, mel power)) of each frame.

        samples: (n,) real numbers at front_end.sample_rate, full scale 1; n may be 0
        returns: (1 + n // hop_length, mel_bands) float32, absolute decibels, at least -100
        Raises SettingsError when samples are not one row of real numbers.
        """
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind not in "fiu":
            raise SettingsError(
                f"log-mel: one row of real samples is wanted, not {samples.dtype} {samples.shape}; "
                "edge.audio.to_mono_16k makes it"
            )
        sound = np.ascontiguousarray(samples, dtype=np.float32)
        settings = self.front_end
        out = np.empty((settings.frame_count(sound.size), settings.mel_bands), dtype=np.float32)
        self.frames_into(sound, -(settings.frame_length // 2), out)
        return out

    def frames_into(
        self, samples: NDArray[np.float32], start: int, out: NDArray[np.float32]
    ) -> None:
        """The same for a piece of a sound: writes adjacent frames into out.

        samples: (n,) float32, contiguous; samples outside of it count as zero
        start: index in samples at which the first frame begins, may be negative
        out: (frames, mel_bands) float32, contiguous; frame f begins at start + f * hop_length
        """
        self._kernel.frames(samples, start, self.front_end.hop_length, out)


def relative_db(decibels: ArrayLike, floor_db: float = -80.0) -> NDArray[np.float32]:
    """Decibels below the loudest cell, no lower than floor_db; doing it twice changes nothing.

    decibels: any shape, absolute or relative
    returns: the same shape, float32, 0 at the loudest cell
    Equals `librosa.power_to_db(power, ref=numpy.max, top_db=-floor_db)` of absolute decibels.

    >>> relative_db([-10.0, -30.0, -99.0]).tolist()
    [0.0, -20.0, -80.0]
    """
    decibels = np.asarray(decibels, dtype=np.float32)
    if decibels.size == 0:
        return decibels.copy()
    relative: NDArray[np.float32] = np.maximum(decibels - decibels.max(), np.float32(floor_db))
    return relative


def require_audible(log_mel: NDArray[np.float32]) -> None:
    """Raises SilentAudioError when no cell of an absolute log-mel lies above the -100 dB floor."""
    if log_mel.size == 0 or log_mel.max() <= SILENCE_DB:
        raise SilentAudioError(
            "the sound is silent: no part of its spectrum rises above -100 dB; "
            "check the microphone, its permission and its gain"
        )


def mfcc(log_mel: ArrayLike, n_mfcc: int) -> NDArray[np.float32]:
    """The first n_mfcc coefficients of the orthonormal DCT-II of each row.

    log_mel: (frames, bands) decibels
    returns: (frames, n_mfcc) float32
    Raises SettingsError when n_mfcc is not from 1 to bands, or log_mel is not two-dimensional.

    >>> mfcc([[-20.0, -20.0, -20.0, -20.0]], n_mfcc=2).round(3).tolist()
    [[-40.0, 0.0]]
    """
    spectrum = np.ascontiguousarray(log_mel, dtype=np.float32)
    if spectrum.ndim != 2:
        raise SettingsError(f"mfcc: (frames, bands) is wanted, not an array of {spectrum.shape}")
    frames, bands = spectrum.shape
    if isinstance(n_mfcc, bool) or not isinstance(n_mfcc, numbers.Integral) \
            or not 1 <= n_mfcc <= bands:
        raise SettingsError(f"mfcc: n_mfcc must be from 1 to {bands} bands, not {n_mfcc!r}")
    out = np.empty((frames, int(n_mfcc)), dtype=np.float32)
    _cosine_kernel(bands, int(n_mfcc)).frames(spectrum, out)
    return out


@dataclasses.dataclass(frozen=True)
class EmotionFeatures:
    """Settings of what the emotion experts see of a window; chosen in training, kept in the bundle.

    Raises SettingsError when a value is of the wrong type or out of range.
    """

    n_mfcc: int = 40                # cepstral coefficients, from c0
    trim_db: float = -50.0          # leading and trailing frames without a cell above it are cut
    mean_normalised: bool = True    # each coefficient loses its mean over the remaining frames
    frames: int = 188               # rows of the result
    scale: tuple[float, ...] = (1.0,) * 40  # (n_mfcc,) factors that bring each to unit variance
    floor_db: float = -80.0         # cells further below the loudest are raised to it

    def __post_init__(self) -> None:
        for name in ("n_mfcc", "frames"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
                raise SettingsError(
                    f"emotion features: {name} must be a positive whole number, not {value!r}"
                )
        for name in ("trim_db", "floor_db"):
            level = getattr(self, name)
            if not _is_number(level, numbers.Real) or not -200 <= level < 0:
                raise SettingsError(
                    f"emotion features: {name} must be from -200 to below 0, not {level!r}"
                )
            object.__setattr__(self, name, float(level))
        if not isinstance(self.mean_normalised, bool):
            raise SettingsError(
                f"emotion features: mean_normalised must be a bool, not {self.mean_normalised!r}"
            )
        if not isinstance(self.scale, (tuple, list)) or len(self.scale) != self.n_mfcc:
            raise SettingsError(f"emotion features: scale must be {self.n_mfcc} numbers")
        for value in self.scale:
            real = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not real or not 0 < value < math.inf:
                raise SettingsError(
                    f"emotion features: scale must be positive and finite, not {value!r}"
                )
        object.__setattr__(self, "scale", tuple(map(float, self.scale)))

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return {**dataclasses.asdict(self), "scale": list(self.scale)}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> EmotionFeatures:
        """The reverse of `to_dict`; every setting must be there and no other.

        Only floor_db may be left out, as by bundles of before there was one.
        """
        if isinstance(settings, Mapping):
            settings = {"floor_db": cls.floor_db, **settings}
        return cls(**_known_settings("emotion features", cls, settings))


def active_frames(log_mel: NDArray[np.float32], threshold_db: float) -> tuple[int, int]:
    """(start, stop) from the first frame to the last with a cell above the threshold.

    log_mel: (frames, bands) decibels relative to the loudest cell, threshold_db below 0
    The loudest cell's own frame always counts, so that the span is never empty.
    """
    loudest = log_mel.max(axis=1)  # (frames,)
    active = np.flatnonzero(loudest > min(threshold_db, float(loudest.max()) - 1e-3))
    return int(active[0]), int(active[-1]) + 1


def emotion_features(
    log_mel: NDArray[np.float32], settings: EmotionFeatures
) -> NDArray[np.float32]:
    """What the experts see of one window.

    log_mel: (frames, bands) decibels relative to the window's loudest cell, frames from 1 to
        settings.frames
    returns: (settings.frames, n_mfcc) float32; silence is cut from both ends, and what remains
        stands in the middle with zeros around it
    Raises SettingsError when the window is empty or too long.
    """
    if log_mel.ndim != 2 or not 1 <= len(log_mel) <= settings.frames:
        raise SettingsError(
            f"emotion features: 1 to {settings.frames} frames are wanted, "
            f"not an array of {log_mel.shape}"
        )
    start, stop = active_frames(log_mel, settings.trim_db)
    return centred(normalised_cepstrum(log_mel[start:stop], settings), settings.frames)


def normalised_cepstrum(
    log_mel: NDArray[np.float32], settings: EmotionFeatures
) -> NDArray[np.float32]:
    """(frames, bands) relative decibels to (frames, n_mfcc) float32 cepstra of about unit variance.

    Quiet cells are raised to the floor, which hides how quiet the room was. Then the mean over the
    frames goes, if settings say so: cepstral mean normalisation (Atal 1974), which takes off the
    microphone's and the room's colour.
    """
    cepstrum = mfcc(np.maximum(log_mel, np.float32(settings.floor_db)), settings.n_mfcc)
    if settings.mean_normalised:
        cepstrum -= cepstrum.mean(axis=0, dtype=np.float64).astype(np.float32)
    cepstrum *= np.asarray(settings.scale, dtype=np.float32)
    return cepstrum


def centred(cepstrum: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """(m, n) with m <= frames to (frames, n): zeros before and after, one more after if odd."""
    out = np.zeros((frames, cepstrum.shape[1]), dtype=np.float32)
    before = (frames - len(cepstrum)) // 2
    out[before:before + len(cepstrum)] = cepstrum
    return out


@functools.lru_cache(maxsize=16)
def _cosine_kernel(bands: int, coefficients: int) -> CosineKernel:
    return CosineKernel(bands, coefficients)


def hann_window(length: int) -> NDArray[np.float64]:
    """Periodic Hann window, (length,) float64."""
    window: NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return window


def mel_filters(front_end: FrontEnd) -> NDArray[np.float64]:
    """Triangular bands, equally spaced in Slaney's mel and of unit area in hertz.

    returns: (mel_bands, frame_length / 2 + 1) float64, per hertz
    Source: M. Slaney, Auditory Toolbox, Technical Report 1998-010, Interval Research; it is
    `librosa.filters.mel(htk=False, norm="slaney")`.
    """
    bins = np.linspace(0, front_end.sample_rate / 2, front_end.frame_length // 2 + 1)  # hertz
    edges = _mel_edges(front_end)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)  # (mel_bands, bins)
    falling = (upper - bins) / (upper - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)


def mel_centres(front_end: FrontEnd) -> NDArray[np.float64]:
    """(mel_bands,) hertz at which each band has its peak."""
    return _mel_edges(front_end)[1:-1]


def mel_widths(front_end: FrontEnd) -> NDArray[np.float64]:
    """(mel_bands,) hertz from a band's lower edge to its upper one."""
    edges = _mel_edges(front_end)
    return np.asarray(edges[2:] - edges[:-2])


def _mel_edges(front_end: FrontEnd) -> NDArray[np.float64]:
    """(mel_bands + 2,) hertz, equally spaced in mel: band b reaches from edge b to edge b + 2."""
    low, high = _hz_to_mel(front_end.low_hz), _hz_to_mel(front_end.high_hz)
    return _mel_to_hz(np.linspace(low, high, front_end.mel_bands + 2))


# Slaney's scale: 3 mel in 200 Hz up to 1000 Hz, then 27 mel for each factor of 6.4.
_LINEAR_HZ_PER_MEL = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def _hz_to_mel(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ_PER_MEL
    return _BREAK_MEL + math.log(hertz / _BREAK_HZ) / _LOG_STEP


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ_PER_MEL, logarithmic)
