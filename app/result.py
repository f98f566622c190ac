"""What one recording was found to be; kept in the history as it stands."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from typing import Any

from edge import Prediction, Window
from edge.voice import Example


@dataclass(frozen=True)
class Result:
    """The recogniser's answer on one recording."""

    began: float
    """When it was recorded: seconds since 1970, UTC."""
    duration: float
    """Seconds."""
    gender: str
    gender_posterior: float
    emotion: str
    probabilities: dict[str, float]
    uncertain: bool
    flags: tuple[str, ...]
    windows: tuple[Window, ...]
    decided_in: float = 0.0
    """Seconds that the recogniser took."""
    note: str = ""
    """The user's own words."""
    lost_buffers: int = 0
    """Pieces of sound that the recorder lost."""
    by_voice: bool = False
    """Whether the speaker's own voice was known."""
    models: str = ""
    """Name and version of those that answered; "" in results of before that was kept."""
    without_voice: dict[str, float] = field(default_factory=dict)
    """The probabilities that it has when no voice is known; none in results of before that was
    kept."""
    manner: tuple[float, ...] = ()
    """Of the prediction; none in results of before that was kept."""
    meant: str = ""
    """The emotion that the user says was meant; "" while nothing is said."""
    number: int | None = None
    """In the history; None while it is not there."""
    sound_file: str | None = field(default=None, compare=False)
    """Name of its WAV file in the history's folder; None when it was not kept."""

    @classmethod
    def of(cls, prediction: Prediction, began: float, lost_buffers: int = 0) -> Result:
        """Of the recogniser's prediction."""
        return cls(
            began,
            prediction.duration,
            prediction.gender,
            prediction.gender_posterior,
            prediction.emotion,
            prediction.probabilities,
            prediction.uncertain,
            prediction.flags,
            prediction.windows,
            prediction.timings["total"],
            lost_buffers=lost_buffers,
            by_voice=prediction.voice is not None,
            models=prediction.models,
            without_voice=Example.of(prediction, prediction.emotion).probabilities,
            manner=prediction.manner,
        )

    def with_note(self, note: str) -> Result:
        """The same with other words."""
        return replace(self, note=note)

    def with_meant(self, meant: str) -> Result:
        """The same, and what was meant by it."""
        return replace(self, meant=meant)

    def example(self, emotion: str) -> Example | None:
        """What it teaches a voice by which that emotion was meant; None if it has no such."""
        if emotion not in self.without_voice:
            return None
        return Example(emotion, self.without_voice, self.manner)

    def ranking(self) -> list[tuple[str, float]]:
        """The emotions with their probabilities, likeliest first."""
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])

    def window_at(self, seconds: float) -> Window | None:
        """The window whose middle is nearest to that moment."""
        return min(
            self.windows,
            key=lambda window: abs((window.start + window.end) / 2 - seconds),
            default=None,
        )

    def details(self) -> dict[str, Any]:
        """As plain JSON values, without what the history keeps in columns of their own."""
        return {
            "gender_posterior": self.gender_posterior,
            "probabilities": self.probabilities,
            "uncertain": self.uncertain,
            "windows": [dataclasses.asdict(window) for window in self.windows],
            "decided_in": self.decided_in,
            "lost_buffers": self.lost_buffers,
            "by_voice": self.by_voice,
            "models": self.models,
            "without_voice": self.without_voice,
            "manner": list(self.manner),
            "meant": self.meant,
        }


def windows_from(details: list[dict[str, Any]]) -> tuple[Window, ...]:
    """The windows that `Result.details` gave."""
    known = {field.name for field in dataclasses.fields(Window)}
    return tuple(
        Window(
            flags=tuple(window["flags"]),
            **{name: value for name, value in window.items() if name in known - {"flags"}},
        )
        for window in details
    )
