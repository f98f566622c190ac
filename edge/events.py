"""What a stream tells: who began to speak when, how it sounded, and when it ended.

A turn is speech between two long pauses; a segment is a run of one emotion within a turn. Times
are seconds from the first sample that the stream was given.

    TurnStarted  SegmentStarted  Decision ... SegmentEnded  SegmentStarted  Decision ...
    SegmentEnded  TurnEnded      (the next turn)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Union

from edge.prediction import EmotionDistribution, Window


@dataclass(frozen=True)
class Segment(EmotionDistribution):
    """A stretch of one turn that sounds alike."""

    start: float
    """Seconds from the first sample."""
    end: float
    """Seconds; where the next segment of the turn begins, or the turn ends."""
    gender: str
    """"female" or "male", by the turn's evidence up to the segment's end."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1."""
    emotion: str
    """One of `edge.LABELS`, or of the labels that were asked for."""
    probability: float
    """The mean probability of that emotion over the segment's decisions."""
    probabilities: dict[str, float]
    """The mean probability of every emotion over the segment's decisions."""
    uncertain: bool
    """Whether `probability` is below the bundle's threshold; see `Thresholds`."""
    flags: tuple[str, ...] = ()
    """What was wrong with the sound in half of its decisions or more: some of `edge.FLAGS`."""
    snr_db: float | None = None
    """The mean of its decisions' estimates, in dB."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "start": self.start,
            "end": self.end,
            "gender": self.gender,
            "gender_posterior": self.gender_posterior,
            "emotion": self.emotion,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "arousal": self.arousal,
            "valence": self.valence,
            "uncertain": self.uncertain,
            "flags": list(self.flags),
            "snr_db": self.snr_db,
        }


@dataclass(frozen=True)
class Turn:
    """Speech between two long pauses."""

    start: float
    """Seconds from the first sample, where its speech began."""
    end: float
    """Where its last speech ended, before the pause."""
    gender: str | None
    """"female" or "male", by the evidence of the whole turn; None when the turn held too little
    speech for a decision."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1; 0.5 when there is none."""
    segments: tuple[Segment, ...]
    """In time order, at most the last `edge.events.SEGMENTS_OF_A_TURN`; none without decision."""
    manner: tuple[float, ...] = ()
    """As of a `Prediction`: what `Voice.heard` learns of the speaker; () without decision."""
    models: str = ""
    """Name and version of the bundle that answered; "" of a recogniser made from parts."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "start": self.start,
            "end": self.end,
            "gender": self.gender,
            "gender_posterior": self.gender_posterior,
            "segments": [segment.to_dict() for segment in self.segments],
        }


SEGMENTS_OF_A_TURN = 1000
"""A turn that never ends remembers no more segments than this."""


@dataclass(frozen=True)
class TurnStarted:
    """Somebody began to speak."""

    kind: ClassVar[Literal["turn_started"]] = "turn_started"
    """By which JSON tells the events apart."""
    time: float
    """When it was sure, a little after `start`."""
    start: float
    """Where the speech began."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"kind": self.kind, "time": self.time, "start": self.start}


@dataclass(frozen=True)
class SegmentStarted:
    """The turn's first emotion is known, or another one took over."""

    kind: ClassVar[Literal["segment_started"]] = "segment_started"
    """By which JSON tells the events apart."""
    time: float
    """Of the decision that said so, or of the turn's end."""
    start: float
    """Where the segment begins: the turn's start, or where the last segment ended."""
    emotion: str
    """One of `edge.LABELS`, or of the labels that were asked for."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "kind": self.kind, "time": self.time, "start": self.start, "emotion": self.emotion
        }


@dataclass(frozen=True)
class Decision(EmotionDistribution):
    """The present state of a turn, every `interval` seconds while somebody speaks."""

    kind: ClassVar[Literal["decision"]] = "decision"
    """By which JSON tells the events apart."""
    time: float
    """Of the last frame that was heard."""
    start: float
    """Begin of the sound that was judged: at most 3 s ago, never before the turn."""
    end: float
    """End of that sound, in seconds."""
    gender: str
    """"female" or "male", by the evidence of the whole turn up to now."""
    gender_posterior: float
    """The probability of that gender, 0.5 to 1."""
    emotion: str
    """Held steady: another emotion must lead by a margin before it takes over."""
    probabilities: dict[str, float]
    """Smoothed over the turn; of every emotion asked for, in the order of `edge.LABELS`."""
    uncertain: bool
    """Whether the probability of `emotion` is below the bundle's threshold."""
    flags: tuple[str, ...]
    """What is wrong with the sound: some of `edge.FLAGS`."""
    snr_db: float | None
    """Estimated signal-to-noise ratio of the speech, -20 to 60 dB; None without any speech."""
    window: Window
    """What `Recognizer.predict` says of the same sound alone, neither smoothed nor accumulated."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "kind": self.kind,
            "time": self.time,
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
            "window": self.window.to_dict(),
        }


@dataclass(frozen=True)
class SegmentEnded:
    """The turn ended, or another emotion took over."""

    kind: ClassVar[Literal["segment_ended"]] = "segment_ended"
    """By which JSON tells the events apart."""
    time: float
    """When it was sure, after the segment's end."""
    segment: Segment
    """All of it."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"kind": self.kind, "time": self.time, "segment": self.segment.to_dict()}


@dataclass(frozen=True)
class TurnEnded:
    """A long pause, or the end of the sound."""

    kind: ClassVar[Literal["turn_ended"]] = "turn_ended"
    """By which JSON tells the events apart."""
    time: float
    """When it was sure: a long pause after the turn's end, or the end of the sound."""
    turn: Turn
    """All of it, its segments included."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"kind": self.kind, "time": self.time, "turn": self.turn.to_dict()}


Event = Union[TurnStarted, SegmentStarted, Decision, SegmentEnded, TurnEnded]


@dataclass(frozen=True)
class Timeline:
    """A whole recording as a stream would have told it."""

    duration: float
    """Of the recording, in seconds."""
    turns: tuple[Turn, ...]
    """In time order, those without a decision among them."""
    decisions: tuple[Decision, ...]
    """In time order, of all turns."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Of all turns, in time order."""
        return tuple(segment for turn in self.turns for segment in turn.segments)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "duration": self.duration,
            "turns": [turn.to_dict() for turn in self.turns],
            "decisions": [decision.to_dict() for decision in self.decisions],
        }
