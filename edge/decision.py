"""One window's log-mel to the probabilities of gender and emotion, for recordings and streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.bundle import Blend, Thresholds
from edge.emotion import Expert, softmax
from edge.errors import SettingsError
from edge.features import EmotionFeatures, FrontEnd, emotion_features, relative_db
from edge.gender import Evidence, GenderGate
from edge.labels import GENDERS, LABELS
from edge.prosody import Prosody, unfamiliar
from edge.voice import Voice

GENDER_CHOICES: tuple[str, ...] = (*GENDERS, "both")
"""What a caller may say of the speaker instead of leaving it to the gate."""


@dataclass(frozen=True)
class Models:
    """Everything that a decision is made with. Immutable, so that threads may share it."""

    front_end: FrontEnd
    emotion_features: EmotionFeatures
    gate: GenderGate
    experts: Mapping[str, Expert]
    temperatures: Mapping[str, float]
    blend: Blend
    thresholds: Thresholds
    prosody: Prosody | None = None
    name: str = ""
    """Of the bundle, with its version; "" of a recogniser that was made from parts."""

    @property
    def seconds_per_frame(self) -> float:
        """From one frame to the next."""
        return self.front_end.hop_length / self.front_end.sample_rate

    def manner_of(self, windows: Sequence[NDArray[np.float64]]) -> tuple[float, ...]:
        """The mean of the windows' manners; () when these models learn nothing from it."""
        if not windows or self.prosody is None or not self.prosody.learns:
            return ()
        return tuple(map(float, np.mean(windows, axis=0)))


@dataclass(frozen=True)
class Question:
    """What the caller wants to be told, and what the caller knows."""

    gender: str | None = None
    """One of GENDER_CHOICES, or None to leave it to the gate."""
    labels: tuple[str, ...] = LABELS
    """The emotions to choose from, in the order of `edge.LABELS`."""
    voice: Voice | None = None
    """The speaker's, where it is known."""

    @classmethod
    def checked(
        cls,
        gender: str | None,
        labels: Iterable[str] | None,
        voice: Voice | None = None,
        models: str = "",
    ) -> Question:
        """Raises SettingsError for what cannot be asked of the models of that name."""
        if voice is not None:
            if not isinstance(voice, Voice):
                raise SettingsError(f"voice must be an edge.Voice or None, got {voice!r}")
            voice.check_models(models)
        if gender is not None and gender not in GENDER_CHOICES:
            raise SettingsError(f"gender must be None or one of {GENDER_CHOICES}, got {gender!r}")
        if labels is None:
            return cls(gender, voice=voice)
        wanted = [labels] if isinstance(labels, str) else list(labels)
        unknown = [label for label in wanted if label not in LABELS]
        if unknown or not wanted:
            raise SettingsError(f"labels must be some of {LABELS}, got {labels!r}")
        return cls(gender, tuple(label for label in LABELS if label in wanted), voice)

    @property
    def asks_the_gate(self) -> bool:
        """Whether the speaker's gender is to be heard, rather than known."""
        return self.gender not in GENDERS

    def female(self, heard: float) -> float:
        """P(female) to report, when the gate heard that much."""
        return heard if self.asks_the_gate else _certainty(self.gender)

    def weight(self, female: float) -> float:
        """The weight of the female expert, when that is P(female)."""
        return 0.5 if self.gender == "both" else female

    def answer(self, judgement: Judgement, emotions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(8,) of `Judgement.emotions` to those of the wanted labels, as this voice is heard."""
        if self.voice is not None:
            emotions = judgement.heard(emotions, self.voice)
        return self.restricted(emotions)

    def restricted(self, distribution: NDArray[np.float64]) -> NDArray[np.float64]:
        """(8,) probabilities of all labels to those of the wanted ones."""
        if len(self.labels) == len(LABELS):
            return distribution
        wanted = distribution[[LABELS.index(label) for label in self.labels]]
        total = wanted.sum()
        return wanted / total if total > 0.0 else np.full(len(wanted), 1.0 / len(wanted))

    def probabilities(self, distribution: NDArray[np.float64]) -> dict[str, float]:
        """By label, of a restricted distribution."""
        return dict(zip(self.labels, map(float, distribution)))

    def likeliest(self, distribution: NDArray[np.float64]) -> str:
        """The label of a restricted distribution's largest probability."""
        return self.labels[int(np.argmax(distribution))]


class Judgement:
    """What the models say of one window; each expert runs at most once, when it is needed.

    log_mel: (frames, mel_bands) float32 decibels, absolute or relative, 1 to window_frames frames.
    """

    def __init__(self, models: Models, log_mel: NDArray[np.float32]) -> None:
        self._models = models
        self._window = relative_db(log_mel, models.front_end.floor_db)
        self._features: NDArray[np.float32] | None = None
        self._of_expert: dict[str, NDArray[np.float64]] = {}
        self._manner: NDArray[np.float64] | None = None

    def evidence(self) -> Evidence:
        """What the window says of the speaker's gender."""
        return self._models.gate.evidence(self._window)

    def emotions(self, female: float) -> NDArray[np.float64]:
        """Probabilities (8,) of the emotions, when the speaker is female with that probability.

        Both experts answer, weighed as the bundle's blend says; one of weight 0 is not asked. Then
        the prosody is heard, if the bundle judges it.
        """
        weight = self._models.blend.female_weight(female)
        blended = np.zeros(len(LABELS))
        if weight > 0.0:
            blended += weight * self._answer("female")
        if weight < 1.0:
            blended += (1.0 - weight) * self._answer("male")
        prosody, manner = self._models.prosody, self.manner()
        if prosody is None or manner is None:
            return blended
        return prosody.weighed(blended, manner)

    def heard(self, emotions: NDArray[np.float64], voice: Voice) -> NDArray[np.float64]:
        """(8,) of `emotions` to what they are when it is this voice that speaks."""
        return voice.heard_in(emotions, self.manner(), self._models.prosody)

    def manner(self) -> NDArray[np.float64] | None:
        """What prosody is judged by (`Prosody.manners`); None if the bundle judges none."""
        if self._manner is None and self._models.prosody is not None:
            self._manner = self._models.prosody.manner(self._window)
        return self._manner

    def unfamiliar(self) -> float:
        """How unlike all that the models learnt from the window is, 0 to 1; 0 if nobody knows."""
        manner = self.manner()
        return 0.0 if manner is None else float(unfamiliar(manner))

    def _answer(self, gender: str) -> NDArray[np.float64]:
        if gender not in self._of_expert:
            if self._features is None:
                self._features = emotion_features(self._window, self._models.emotion_features)
            logits = self._models.experts[gender].logits(self._features)
            self._of_expert[gender] = softmax(logits, self._models.temperatures[gender])
        return self._of_expert[gender]


def likelier_gender(female: float) -> tuple[str, float]:
    """P(female) to the likelier gender and its probability."""
    return ("female", female) if female >= 0.5 else ("male", 1.0 - female)


def _certainty(gender: str | None) -> float:
    return 1.0 if gender == "female" else 0.0
