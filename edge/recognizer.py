"""The whole path: sound in, a gender posterior and an emotion distribution out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge.audio import read_audio, to_mono_16k
from edge.bundle import Blend, Bundle
from edge.emotion import Expert, TFLiteExpert, softmax
from edge.errors import (
    EmptyAudioError,
    NonFiniteAudioError,
    SettingsError,
    SilentAudioError,
)
from edge.features import (
    EmotionFeatures,
    FrontEnd,
    LogMel,
    emotion_features,
    relative_db,
    require_audible,
)
from edge.gender import Evidence, GenderGate
from edge.labels import GENDERS, LABELS
from edge.windows import active_span, cut_windows

GENDER_CHOICES: tuple[str, ...] = (*GENDERS, "both")
"""What a caller may say of the speaker instead of leaving it to the gate."""


@dataclass(frozen=True)
class Window:
    """The decision on one window of at most 3 s."""

    start: float
    """Seconds from the recording's begin."""
    end: float
    gender: str
    """"female" or "male", whichever is likelier."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1."""
    emotion: str
    """The likeliest of `edge.LABELS`."""
    probabilities: dict[str, float]
    """Of every emotion, in the order of `edge.LABELS`; they sum to 1."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "start": self.start,
            "end": self.end,
            "gender": self.gender,
            "gender_posterior": self.gender_posterior,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True)
class Prediction:
    """The decision on a whole recording."""

    gender: str
    """"female" or "male", whichever is likelier over all windows."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1."""
    emotion: str
    """The likeliest of `edge.LABELS`."""
    probabilities: dict[str, float]
    """Of every emotion, in the order of `edge.LABELS`; the mean over the windows."""
    windows: tuple[Window, ...]
    """The same for each window, in time order."""
    duration: float
    """Of the recording, in seconds."""
    timings: dict[str, float]
    """Seconds taken by the stages read, resample, log_mel, gender, emotion, and in total."""

    def ranking(self) -> list[tuple[str, float]]:
        """The emotions with their probabilities, likeliest first."""
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])

    @property
    def real_time_factor(self) -> float:
        """Seconds taken for each second of sound; below 1 is faster than real time."""
        return self.timings["total"] / self.duration

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "gender": self.gender,
            "gender_posterior": self.gender_posterior,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
            "windows": [window.to_dict() for window in self.windows],
            "duration": self.duration,
            "timings": dict(self.timings),
        }


class _Stopwatch:
    """Adds up the seconds spent in each stage."""

    def __init__(self) -> None:
        self._begin = self._last = perf_counter()
        stages = ("read", "resample", "log_mel", "gender", "emotion")
        self._seconds: dict[str, float] = dict.fromkeys(stages, 0.0)

    def lap(self, stage: str) -> None:
        """Books the time since the last lap to `stage`."""
        now = perf_counter()
        self._seconds[stage] += now - self._last
        self._last = now

    def timings(self) -> dict[str, float]:
        return {**self._seconds, "total": perf_counter() - self._begin}


class Recognizer:
    """Recognises the gender and the emotion of a speaker.

    bundle: a `Bundle`, the folder of one, or None for the models that ship with the package.
    num_threads: threads of each expert's interpreter.

    One recogniser serves any number of threads at once. It pickles as its settings: the bundle's
    folder (or parts) and the number of threads; unpickling loads the models again.

    Raises BundleError when the bundle is not what its manifest says.
    """

    def __init__(
        self,
        bundle: Bundle | str | os.PathLike[str] | None = None,
        num_threads: int = 1,
    ) -> None:
        loaded = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
        # None stays None, so that a pickle finds the default models of another installation.
        folder = None if bundle is None else os.fspath(loaded.folder)
        self._settings: tuple[Any, ...] = (folder, num_threads)
        self._bundle: Bundle | None = loaded
        self._assemble(
            loaded.front_end,
            loaded.emotion_features,
            loaded.gate,
            loaded.make_experts(num_threads),
            loaded.temperatures,
            loaded.blend,
        )

    @classmethod
    def from_parts(
        cls,
        *,
        front_end: FrontEnd,
        emotion_features: EmotionFeatures,
        gate: GenderGate,
        experts: Mapping[str, Expert],
        temperatures: Mapping[str, float] | None = None,
        certain: float = 0.98,
        window_hop_frames: int = 94,
        active_span_db: float = -50.0,
    ) -> Recognizer:
        """A recogniser of parts that are in no bundle, such as float experts in training.

        experts: by "female" and "male"; temperatures: likewise, 1 when None. The others are the
        fields of `Blend`. Raises SettingsError.
        """
        temperatures = dict.fromkeys(GENDERS, 1.0) if temperatures is None else temperatures
        for what, by_gender in (("experts", experts), ("temperatures", temperatures)):
            if set(by_gender) != set(GENDERS):
                raise SettingsError(f"{what} must be those of {GENDERS}, got {tuple(by_gender)}")
        if not all(0.0 < temperature < np.inf for temperature in temperatures.values()):
            raise SettingsError(f"temperatures must be above 0 and finite, got {temperatures}")
        blend = Blend(certain, window_hop_frames, active_span_db)
        recognizer = cls.__new__(cls)
        recognizer._bundle = None
        recognizer._settings = ()
        recognizer._assemble(
            front_end, emotion_features, gate, dict(experts), dict(temperatures), blend
        )
        return recognizer

    def _assemble(
        self,
        front_end: FrontEnd,
        features: EmotionFeatures,
        gate: GenderGate,
        experts: Mapping[str, Expert],
        temperatures: Mapping[str, float],
        blend: Blend,
    ) -> None:
        self._front_end = front_end
        self._features = features
        self._gate = gate
        self._experts = experts
        self._temperatures = temperatures
        self._blend = blend
        self._log_mel = LogMel(front_end)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._bundle is not None:
            return Recognizer, self._settings
        parts = {
            "front_end": self._front_end,
            "emotion_features": self._features,
            "gate": self._gate,
            "experts": self._experts,
            "temperatures": self._temperatures,
            **self._blend.to_dict(),
        }
        return _from_parts, (parts,)

    def __repr__(self) -> str:
        source = "parts" if self._bundle is None else repr(self._bundle)
        return f"<Recognizer of {source}>"

    @property
    def bundle(self) -> Bundle | None:
        """The verified bundle, None for a recogniser made from parts."""
        return self._bundle

    def prepare(self) -> None:
        """Makes the interpreters now, so that the first prediction is as quick as the others.

        Raises RuntimeMissingError when no TFLite interpreter is installed.
        """
        for expert in self._experts.values():
            if isinstance(expert, TFLiteExpert):
                expert.prepare()

    def predict(
        self,
        sound: str | os.PathLike[str] | bytes | BinaryIO | NDArray[Any],
        sample_rate: int | None = None,
        *,
        gender: str | None = None,
        max_duration: float | None = 3600.0,
    ) -> Prediction:
        """Recognises one recording.

        sound: a sound file (its path, its bytes or a binary file object), or samples: (n,) or
            (n, channels), float of full scale 1, int16, int32 or uint8.
        sample_rate: of samples, in hertz; not given for a file.
        gender: None lets the gate weigh the two experts. "female" or "male", when the caller
            knows, asks that expert alone and is reported with a posterior of 1. "both" weighs
            the experts equally, whatever the gate (which is still reported) says.
        max_duration: seconds; a longer recording is refused. None lifts the limit.

        Raises AudioError (its subclasses tell the kinds apart) for sound that cannot be judged,
        SettingsError for a bad argument, RuntimeMissingError without a TFLite interpreter.
        """
        _check_gender(gender)
        stopwatch = _Stopwatch()
        samples, rate = _samples(sound, sample_rate, max_duration)
        stopwatch.lap("read")
        mono = to_mono_16k(samples, rate, max_duration)  # (n,)
        stopwatch.lap("resample")
        log_mel = self._log_mel(mono)  # (frames, 128), absolute dB
        require_audible(log_mel)
        stopwatch.lap("log_mel")
        return self._decide(log_mel, len(samples) / rate, gender, stopwatch)

    def predict_log_mel(
        self, log_mel: NDArray[np.float32], *, gender: str | None = None
    ) -> Prediction:
        """Recognises one recording from its log-mel, for sound that exists in this form only.

        log_mel: (frames, 128) float32 decibels of the bundle's front end, absolute (as `LogMel`
            makes them) or relative to any level: each window is referred to its loudest cell.
        gender: as for `predict`.

        Raises AudioError when the array is empty, not finite or flat (silent), SettingsError when
        it is not of that shape and type.
        """
        _check_gender(gender)
        bands = self._front_end.mel_bands
        if not isinstance(log_mel, np.ndarray) or log_mel.ndim != 2 or log_mel.shape[1] != bands:
            shape = getattr(log_mel, "shape", type(log_mel).__name__)
            raise SettingsError(f"log_mel must be an array of (frames, {bands}), got {shape}")
        if log_mel.dtype != np.float32:
            raise SettingsError(f"log_mel must be float32 decibels, got {log_mel.dtype}")
        if len(log_mel) == 0:
            raise EmptyAudioError("the log-mel has no frames; check how it was made")
        if not np.isfinite(log_mel).all():
            raise NonFiniteAudioError("the log-mel holds NaN or infinity; check how it was made")
        if log_mel.max() == log_mel.min():
            raise SilentAudioError("every cell of the log-mel is the same; it holds no sound")
        duration = len(log_mel) * self._front_end.hop_length / self._front_end.sample_rate
        return self._decide(log_mel, duration, gender, _Stopwatch())

    def _decide(
        self,
        log_mel: NDArray[np.float32],
        duration: float,
        gender: str | None,
        stopwatch: _Stopwatch,
    ) -> Prediction:
        start, stop = active_span(log_mel, self._blend.active_span_db)
        length, hop = self._front_end.window_frames, self._blend.window_hop_frames
        seconds_per_frame = self._front_end.hop_length / self._front_end.sample_rate
        total: Evidence | None = None
        windows = []
        distributions = []
        for first, end in cut_windows(start, stop, length, hop):
            window = relative_db(log_mel[first:end], self._front_end.floor_db)
            stopwatch.lap("log_mel")
            if gender in GENDERS:
                female = _certainty(gender)
            else:
                evidence = self._gate.evidence(window)
                total = evidence if total is None else total + evidence
                female = self._gate.posterior(evidence)
            stopwatch.lap("gender")
            distribution = self._blended(window, 0.5 if gender == "both" else female)
            stopwatch.lap("emotion")
            distributions.append(distribution)
            windows.append(
                Window(
                    first * seconds_per_frame,
                    min(end * seconds_per_frame, duration),
                    *_likelier(female),
                    *_likeliest(distribution),
                )
            )
        female = _certainty(gender) if total is None else self._gate.posterior(total)
        stopwatch.lap("gender")
        return Prediction(
            *_likelier(female),
            *_likeliest(np.mean(distributions, axis=0)),
            tuple(windows),
            duration,
            stopwatch.timings(),
        )

    def _blended(self, window: NDArray[np.float32], female: float) -> NDArray[np.float64]:
        """The emotions' probabilities (8,) when the speaker is female with that probability."""
        features = emotion_features(window, self._features)  # (188, n)
        weights = {"female": female, "male": 1.0 - female}
        if max(weights.values()) >= self._blend.certain:
            weights = {max(weights, key=weights.__getitem__): 1.0}
        blended = np.zeros(len(LABELS))
        for gender, weight in weights.items():
            logits = self._experts[gender].logits(features)
            blended += weight * softmax(logits, self._temperatures[gender])
        return blended


def _from_parts(parts: dict[str, Any]) -> Recognizer:
    return Recognizer.from_parts(**parts)


def _check_gender(gender: str | None) -> None:
    if gender is not None and gender not in GENDER_CHOICES:
        raise SettingsError(f"gender must be None or one of {GENDER_CHOICES}, got {gender!r}")


def _samples(
    sound: Any, sample_rate: int | None, max_duration: float | None
) -> tuple[NDArray[Any], int]:
    """The samples of a file or an array, and their rate."""
    if isinstance(sound, (str, os.PathLike, bytes)) or hasattr(sound, "read"):
        if sample_rate is not None:
            raise SettingsError("a file states its own sample rate; give no sample_rate")
        return read_audio(sound, max_duration)
    if sample_rate is None:
        raise SettingsError("samples need their sample_rate in hertz; give it")
    try:
        return np.asarray(sound), sample_rate
    except ValueError as error:
        raise SettingsError(f"samples must be an array of numbers: {error}") from error


def _certainty(gender: str | None) -> float:
    return 1.0 if gender == "female" else 0.0


def _likelier(female: float) -> tuple[str, float]:
    return ("female", female) if female >= 0.5 else ("male", 1.0 - female)


def _likeliest(distribution: NDArray[np.float64]) -> tuple[str, dict[str, float]]:
    probabilities = dict(zip(LABELS, map(float, distribution)))
    return LABELS[int(np.argmax(distribution))], probabilities
