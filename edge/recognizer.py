"""The whole path: sound in, a gender posterior and an emotion distribution out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from time import perf_counter
from typing import Any, BinaryIO, Callable

import numpy as np
from numpy.typing import NDArray

from edge.audio import checked_mono, read_audio, to_mono_16k
from edge.bundle import Blend, Bundle, Thresholds
from edge.decision import GENDER_CHOICES, Judgement, Models, Question, likelier_gender
from edge.emotion import Expert, NativeExpert, TFLiteExpert
from edge.errors import (
    EmptyAudioError,
    NonFiniteAudioError,
    SettingsError,
    SilentAudioError,
)
from edge.events import Decision, Event, Timeline, TurnEnded
from edge.features import EmotionFeatures, FrontEnd, LogMel, relative_db, require_audible
from edge.gender import Evidence, GenderGate
from edge.labels import GENDERS
from edge.prediction import Prediction, Window
from edge.process_experts import ProcessExperts
from edge.prosody import Prosody, unfamiliar
from edge.quality import clipped_samples, flags_of
from edge.stream import Stream
from edge.turns import PAUSE_SECONDS
from edge.voice import Voice
from edge.voice_activity import Activity, voice_activity
from edge.windows import active_span, cut_windows

__all__ = ["GENDER_CHOICES", "Prediction", "Recognizer", "Window"]


class _Stopwatch:
    """Adds up the seconds spent in each stage."""

    def __init__(self) -> None:
        self._begin = self._last = perf_counter()
        stages = ("read", "resample", "log_mel", "quality", "gender", "emotion")
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
    num_threads: threads of each interpreter, if the runtime is "tflite".
    runtime: what runs the experts: "native", the package's own kernels, or "tflite", whichever of
        tflite-runtime, LiteRT and TensorFlow is installed.

    One recogniser serves any number of threads at once, and a forked process as well. It pickles
    as its settings: the bundle's folder (or parts), the number of threads and the runtime;
    unpickling loads the models again.

    Raises BundleError when the bundle is not what its manifest says, SettingsError for a bad
    argument.
    """

    def __init__(
        self,
        bundle: Bundle | str | os.PathLike[str] | None = None,
        num_threads: int = 1,
        runtime: str = "native",
    ) -> None:
        loaded = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
        # None stays None, so that a pickle finds the default models of another installation.
        folder = None if bundle is None else os.fspath(loaded.folder)
        self._settings: tuple[Any, ...] = (folder, num_threads, runtime)
        self._bundle: Bundle | None = loaded
        self._assemble(
            loaded.front_end,
            loaded.emotion_features,
            loaded.gate,
            loaded.make_experts(num_threads, runtime),
            loaded.temperatures,
            loaded.blend,
            loaded.thresholds,
            loaded.prosody,
            f"{loaded.name} {loaded.version}",
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
        uncertain: float = Thresholds.uncertain,
        most: float = Blend.most,
        prosody: Prosody | None = None,
    ) -> Recognizer:
        """A recogniser of parts that are in no bundle, such as float experts in training.

        experts: by "female" and "male"; temperatures: likewise, 1 when None. The others are the
        fields of `Blend` and `Thresholds`; prosody is heard beside the experts, if there is any.
        Raises SettingsError.
        """
        temperatures = dict.fromkeys(GENDERS, 1.0) if temperatures is None else temperatures
        for what, by_gender in (("experts", experts), ("temperatures", temperatures)):
            if set(by_gender) != set(GENDERS):
                raise SettingsError(f"{what} must be those of {GENDERS}, got {tuple(by_gender)}")
        if not all(0.0 < temperature < np.inf for temperature in temperatures.values()):
            raise SettingsError(f"temperatures must be above 0 and finite, got {temperatures}")
        blend = Blend(certain, window_hop_frames, active_span_db, most)
        recognizer = cls.__new__(cls)
        recognizer._bundle = None
        recognizer._settings = ()
        recognizer._assemble(
            front_end,
            emotion_features,
            gate,
            dict(experts),
            dict(temperatures),
            blend,
            Thresholds(uncertain),
            prosody,
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
        thresholds: Thresholds,
        prosody: Prosody | None,
        name: str = "",
    ) -> None:
        self._models = Models(
            front_end, features, gate, ProcessExperts(experts), temperatures, blend, thresholds,
            prosody, name,
        )
        self._log_mel = LogMel(front_end)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._bundle is not None:
            return Recognizer, self._settings
        models = self._models
        parts = {
            "front_end": models.front_end,
            "emotion_features": models.emotion_features,
            "gate": models.gate,
            "experts": dict(models.experts),
            "temperatures": models.temperatures,
            **models.blend.to_dict(),
            **models.thresholds.to_dict(),
            "prosody": models.prosody,
        }
        return _from_parts, (parts,)

    def __repr__(self) -> str:
        source = "parts" if self._bundle is None else repr(self._bundle)
        return f"<Recognizer of {source}>"

    @property
    def bundle(self) -> Bundle | None:
        """The verified bundle, None for a recogniser made from parts."""
        return self._bundle

    @property
    def models(self) -> str:
        """Name and version of the bundle, as in `Prediction.models`; "" when made from parts."""
        return self._models.name

    def prepare(self) -> None:
        """Gets the experts ready now, so that the first prediction is as quick as the others.

        Raises BundleError when a model cannot be run, RuntimeMissingError when a TFLite interpreter
        is asked for and none is installed.
        """
        for expert in self._models.experts.values():
            if isinstance(expert, (NativeExpert, TFLiteExpert)):
                expert.prepare()

    def predict(
        self,
        sound: str | os.PathLike[str] | bytes | BinaryIO | NDArray[Any],
        sample_rate: int | None = None,
        *,
        gender: str | None = None,
        labels: Iterable[str] | None = None,
        voice: Voice | None = None,
        max_duration: float | None = 3600.0,
        progress: Callable[[float], None] | None = None,
    ) -> Prediction:
        """Recognises one recording.

        sound: a sound file (its path, its bytes or a binary file object), or samples: (n,) or
            (n, channels), float of full scale 1, int16, int32 or uint8.
        sample_rate: of samples, in hertz; not given for a file.
        gender: None lets the gate weigh the two experts. "female" or "male", when the caller
            knows, gives that expert the most weight that the bundle allows (`Blend.most`) and is
            reported with a posterior of 1. "both" weighs the experts equally, whatever the gate
            (which is still reported) says.
        labels: some of `edge.LABELS`, when no others are possible: the probabilities of these
            alone, renormalised in each window. None is for all of them.
        voice: the speaker's, as far as it was taught to these models; see `edge.voice`.
        max_duration: seconds; a longer recording is refused. None lifts the limit.
        progress: called after each window with the seconds of sound that are done.

        Raises AudioError (its subclasses tell the kinds apart) for sound that cannot be judged,
        SettingsError for a bad argument, BundleError when a model cannot be run,
        RuntimeMissingError when a TFLite interpreter is asked for and none is installed.
        """
        question = Question.checked(gender, labels, voice, self._models.name)
        stopwatch = _Stopwatch()
        samples, rate = _samples(sound, sample_rate, max_duration)
        stopwatch.lap("read")
        mono = to_mono_16k(samples, rate, max_duration)  # (n,)
        stopwatch.lap("resample")
        log_mel = self._log_mel(mono)  # (frames, 128), absolute dB
        require_audible(log_mel)
        stopwatch.lap("log_mel")
        condition = _Condition.of(log_mel, self._models.front_end, np.asarray(samples), rate)
        stopwatch.lap("quality")
        return self._decide(
            log_mel, len(samples) / rate, question, condition, stopwatch, progress
        )

    def predict_log_mel(
        self,
        log_mel: NDArray[np.float32],
        *,
        gender: str | None = None,
        labels: Iterable[str] | None = None,
        voice: Voice | None = None,
    ) -> Prediction:
        """Recognises one recording from its log-mel, for sound that exists in this form only.

        log_mel: (frames, 128) float32 decibels of the bundle's front end, absolute (as `LogMel`
            makes them) or relative to any level: each window is referred to its loudest cell.
        gender, labels, voice: as for `predict`.

        Raises AudioError when the array is empty, not finite or flat (silent), SettingsError when
        it is not of that shape and type.
        """
        question = Question.checked(gender, labels, voice, self._models.name)
        front_end = self._models.front_end
        bands = front_end.mel_bands
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
        duration = len(log_mel) * self._models.seconds_per_frame
        stopwatch = _Stopwatch()
        condition = _Condition.of(relative_db(log_mel), front_end)
        stopwatch.lap("quality")
        return self._decide(log_mel, duration, question, condition, stopwatch)

    def stream(
        self,
        sample_rate: int = 16000,
        *,
        interval: float = 0.5,
        gender: str | None = None,
        labels: Iterable[str] | None = None,
        voice: Voice | None = None,
        learns: bool = False,
        voice_activity: bool = True,
        pause: float = PAUSE_SECONDS,
    ) -> Stream:
        """Listens to a live sound: a context manager that takes pieces and gives events.

        sample_rate: of the pieces, 8000 ... 192000 Hz.
        interval: seconds from one decision to the next while somebody speaks, 0.05 to 3.
        gender, labels, voice: as for `predict`.
        learns: whether it is one person who speaks, whose voice (`Stream.voice`) hears each turn
            that ends, so that later ones are answered by what is usual with them.
        voice_activity: False takes every frame that is not silent for speech, when the caller
            gives nothing but speech.
        pause: seconds without speech after which a turn ends, 0.2 to 10.

        The experts get ready now. Raises SettingsError, AudioError for a sample rate out of range,
        and what `prepare` raises.
        """
        stream = Stream(
            self._models,
            self._log_mel,
            sample_rate,
            interval=interval,
            gender=gender,
            labels=labels,
            voice=voice,
            learns=learns,
            voice_activity=voice_activity,
            pause=pause,
        )
        self.prepare()
        return stream

    def timeline(
        self,
        sound: str | os.PathLike[str] | bytes | BinaryIO | NDArray[Any],
        sample_rate: int | None = None,
        *,
        interval: float = 0.5,
        gender: str | None = None,
        labels: Iterable[str] | None = None,
        voice: Voice | None = None,
        learns: bool = False,
        voice_activity: bool = True,
        pause: float = PAUSE_SECONDS,
        max_duration: float | None = 3600.0,
        progress: Callable[[float], None] | None = None,
    ) -> Timeline:
        """The turns, segments and decisions of one recording, as a stream would tell them.

        sound, sample_rate, gender, labels, voice, max_duration: as for `predict`; the others as
            for `stream`.
        progress: called now and then with the seconds of sound that are done.

        Raises what `predict` and `stream` raise; but a silent recording has an empty timeline.
        """
        samples, rate = _samples(sound, sample_rate, max_duration)
        _, rate = checked_mono(samples, rate, max_duration)
        channels = np.asarray(samples)  # (n,) or (n, channels): which of them clips is flagged
        stream = self.stream(
            rate,
            interval=interval,
            gender=gender,
            labels=labels,
            voice=voice,
            learns=learns,
            voice_activity=voice_activity,
            pause=pause,
        )
        events: list[Event] = []
        with stream:
            for begin, end in _seconds(len(channels), rate):
                stream.accept_waveform(channels[begin:end])
                events += stream.poll()
                if progress is not None:
                    progress(stream.time)
        events += stream.poll()
        return Timeline(
            len(channels) / rate,
            tuple(event.turn for event in events if isinstance(event, TurnEnded)),
            tuple(event for event in events if isinstance(event, Decision)),
        )

    def _decide(
        self,
        log_mel: NDArray[np.float32],
        duration: float,
        question: Question,
        condition: _Condition,
        stopwatch: _Stopwatch,
        progress: Callable[[float], None] | None = None,
    ) -> Prediction:
        models = self._models
        start, stop = active_span(log_mel, models.blend.active_span_db)
        length, hop = models.front_end.window_frames, models.blend.window_hop_frames
        total: Evidence | None = None
        windows = []
        distributions = []
        plain = []  # without the voice
        manners = []
        for first, end in cut_windows(start, stop, length, hop):
            judgement = Judgement(models, log_mel[first:end])
            stopwatch.lap("log_mel")
            heard = 0.5
            if question.asks_the_gate:
                evidence = judgement.evidence()
                total = evidence if total is None else total + evidence
                heard = models.gate.posterior(evidence)
            female = question.female(heard)
            stopwatch.lap("gender")
            emotions = judgement.emotions(question.weight(female))
            distribution = question.answer(judgement, emotions)
            stopwatch.lap("emotion")
            distributions.append(distribution)
            if question.voice is not None:
                plain.append(question.restricted(emotions))
            of_window = judgement.manner()
            if of_window is not None:
                manners.append(of_window)
            flags, snr_db = condition.flags(first, end, judgement.unfamiliar())
            stopwatch.lap("quality")
            windows.append(
                Window(
                    first * models.seconds_per_frame,
                    min(end * models.seconds_per_frame, duration),
                    *likelier_gender(female),
                    question.likeliest(distribution),
                    question.probabilities(distribution),
                    self._doubts(distribution, flags),
                    flags,
                    snr_db,
                )
            )
            if progress is not None:
                progress(windows[-1].end)
        female = question.female(0.5 if total is None else models.gate.posterior(total))
        stopwatch.lap("gender")
        mean = np.mean(distributions, axis=0)
        manner = models.manner_of(manners)
        flags, snr_db = condition.flags(
            0, len(log_mel), float(unfamiliar(manner)) if manner else 0.0
        )
        stopwatch.lap("quality")
        return Prediction(
            *likelier_gender(female),
            question.likeliest(mean),
            question.probabilities(mean),
            tuple(windows),
            duration,
            stopwatch.timings(),
            self._doubts(mean, flags),
            flags,
            snr_db,
            models.name,
            question.voice,
            question.probabilities(np.mean(plain, axis=0)) if plain else None,
            manner,
        )

    def _doubts(self, distribution: NDArray[np.float64], flags: tuple[str, ...]) -> bool:
        return bool(distribution.max() < self._models.thresholds.uncertain) or "no_speech" in flags


class _Condition:
    """What is known of a recording's quality, frame by frame."""

    def __init__(
        self,
        activity: Activity,
        seconds_per_frame: float,
        clipped: NDArray[np.float64],
        samples_per_frame: float,
        absolute: bool,
    ) -> None:
        self._activity = activity
        self._seconds_per_frame = seconds_per_frame
        self._clipped = clipped  # sorted positions in frames
        self._samples_per_frame = samples_per_frame
        self._absolute = absolute

    @classmethod
    def of(
        cls,
        log_mel: NDArray[np.float32],
        front_end: FrontEnd,
        samples: NDArray[Any] | None = None,
        sample_rate: int = 0,
    ) -> _Condition:
        """log_mel: of the whole recording; samples: as they came, None when nobody has them."""
        activity = voice_activity(log_mel, front_end)
        seconds_per_frame = front_end.hop_length / front_end.sample_rate
        if samples is None:
            return cls(activity, seconds_per_frame, np.empty(0), 1.0, absolute=False)
        samples_per_frame = sample_rate * seconds_per_frame
        clipped, _ = clipped_samples(samples)
        return cls(
            activity, seconds_per_frame, clipped / samples_per_frame, samples_per_frame, True
        )

    def flags(
        self, first: int, stop: int, unfamiliar: float
    ) -> tuple[tuple[str, ...], float | None]:
        """The flags and the SNR in dB of the frames [first, stop), which are so unfamiliar."""
        whole = self._activity
        activity = Activity(
            whole.speech[first:stop], whole.power[first:stop], whole.noise[first:stop]
        )
        clipped = np.diff(np.searchsorted(self._clipped, (first, stop)))[0]
        share = float(clipped) / ((stop - first) * self._samples_per_frame)
        return flags_of(activity, share, self._seconds_per_frame, self._absolute, unfamiliar)


def _from_parts(parts: dict[str, Any]) -> Recognizer:
    return Recognizer.from_parts(**parts)


def _seconds(samples: int, rate: int) -> Iterator[tuple[int, int]]:
    """Begin and end of pieces of a second; the last one takes what remains."""
    ends = [*range(rate, samples - rate + 1, rate), samples]
    return zip([0, *ends[:-1]], ends)


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
