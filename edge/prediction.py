"""What the recogniser says of a recording, and of each window of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.affect import arousal, valence
from edge.errors import SettingsError

if TYPE_CHECKING:
    from edge.voice import Voice


class EmotionDistribution:
    """What can be read off the probabilities of the emotions."""

    probabilities: dict[str, float]
    """0 to 1, by emotion; they sum to 1."""

    def ranking(self) -> list[tuple[str, float]]:
        """The emotions with their probabilities, likeliest first."""
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])

    def top_k(self, n: int) -> list[tuple[str, float]]:
        """The n likeliest emotions with their probabilities; all of them when n is larger.

        Raises SettingsError when n is not a positive whole number.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise SettingsError(f"top_k: a positive whole number is wanted, not {n!r}")
        return self.ranking()[:n]

    @property
    def arousal(self) -> float:
        """Projection of the distribution, -1 (asleep) to 1 (excited); see `edge.affect`."""
        return arousal(self.probabilities)

    @property
    def valence(self) -> float:
        """Projection of the distribution, -1 (unpleasant) to 1 (pleasant); see `edge.affect`."""
        return valence(self.probabilities)


@dataclass(frozen=True)
class Window(EmotionDistribution):
    """The decision on one window of at most 3 s."""

    start: float
    """Seconds from the recording's begin."""
    end: float
    """Seconds; at most 3.0 after the start."""
    gender: str
    """"female" or "male", whichever is likelier."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1."""
    emotion: str
    """The likeliest of `edge.LABELS`, or of the labels that were asked for."""
    probabilities: dict[str, float]
    """Of every emotion asked for, in the order of `edge.LABELS`; they sum to 1."""
    uncertain: bool = False
    """Whether even the likeliest emotion is below the bundle's threshold (see `Thresholds`), or
    there is no speech to judge."""
    flags: tuple[str, ...] = ()
    """What is wrong with the sound: some of `edge.FLAGS`."""
    snr_db: float | None = None
    """Estimated signal-to-noise ratio of the speech, -20 to 60 dB; None without any speech. A
    clip with hardly a pause shows little of its noise, and its estimate is too low."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "start": self.start,
            "end": self.end,
            "gender": self.gender,
            "gender_posterior": self.gender_posterior,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
            "arousal": self.arousal,
            "valence": self.valence,
            "uncertain": self.uncertain,
            "flags": list(self.flags),
            "snr_db": self.snr_db,
        }


@dataclass(frozen=True)
class Prediction(EmotionDistribution):
    """The decision on a whole recording."""

    gender: str
    """"female" or "male", whichever is likelier over all windows."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1."""
    emotion: str
    """The likeliest of `edge.LABELS`, or of the labels that were asked for."""
    probabilities: dict[str, float]
    """Of every emotion asked for, in the order of `edge.LABELS`; the mean over the windows."""
    windows: tuple[Window, ...]
    """The same for each window, in time order."""
    duration: float
    """Of the recording, in seconds."""
    timings: dict[str, float]
    """Seconds taken by the stages read, resample, log_mel, quality, gender, emotion, and total."""
    uncertain: bool = False
    """Whether even the likeliest emotion is below the bundle's threshold (see `Thresholds`), or
    there is no speech to judge."""
    flags: tuple[str, ...] = ()
    """What is wrong with the sound: some of `edge.FLAGS`."""
    snr_db: float | None = None
    """Estimated signal-to-noise ratio of the speech, -20 to 60 dB; None without any speech. A
    clip with hardly a pause shows little of its noise, and its estimate is too low."""

    models: str = ""
    """Name and version of the bundle that answered; "" of a recogniser made from parts."""
    voice: Voice | None = None
    """The speaker's voice, where it was known."""
    without_voice: dict[str, float] | None = None
    """The probabilities as they would be, had the voice not been known; None where it was not."""
    manner: tuple[float, ...] = ()
    """What `Voice.heard` and `Voice.taught` learn of how the speaker usually sounds: 16 or 17
    numbers that mean something to these models alone; () where they learn nothing from it."""

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
            "arousal": self.arousal,
            "valence": self.valence,
            "uncertain": self.uncertain,
            "flags": list(self.flags),
            "snr_db": self.snr_db,
            "windows": [window.to_dict() for window in self.windows],
            "duration": self.duration,
            "timings": dict(self.timings),
        }
