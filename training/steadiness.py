"""Measures how steady a stream's label is, and what that costs.

    python -m training steadiness --corpora CORPORA --report FILE

Sessions are made of clips of one validation speaker: one emotion for some clips, then the next,
with pauses that end no turn. A label that never flickers changes only where the emotion does.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.bundle import DEFAULT_BUNDLE
from edge.events import Decision, Timeline
from edge.labels import LABELS
from edge.recognizer import Recognizer
from edge.steadiness import LEAD, SMOOTHING_SECONDS, SteadyEmotion
from training.corpora import Clip, read_corpora
from training.pages import command, table
from training.protocol import Protocol
from training.scenes import HOP, RATE, read_sound, speech_of_clean

WITH_SOUND = ("ravdess", "savee", "tess")
CLIPS_OF_AN_EMOTION = 4
PAUSE_SECONDS = 0.2
MARGIN_SECONDS = 0.125
"""So much of a clip's own background stays around its speech."""

UNSMOOTHED = 1e-6
CHOICES = (
    (UNSMOOTHED, 0.0),
    (UNSMOOTHED, 0.15),
    (0.5, 0.05),
    (1.0, 0.0),
    (1.0, 0.05),
    (1.0, 0.15),
    (1.0, 0.3),
    (2.0, 0.05),
    (2.0, 0.15),
    (3.0, 0.3),
)
"""(time constant in seconds, lead)."""


@dataclass(frozen=True)
class Session:
    """One sound, and who sounds how from when to when."""

    samples: np.ndarray
    """(n,) float32 at 16 kHz."""
    emotions: tuple[tuple[float, float, str], ...]
    """(start, end, emotion) of each clip, in seconds."""

    def emotion(self, time: float) -> str | None:
        """What is spoken then; None in a pause."""
        return next((each for start, end, each in self.emotions if start <= time < end), None)


def make_session(clips: Sequence[Clip], rng: np.random.Generator) -> Session:
    """A few clips of each emotion in a row, in any order."""
    by_emotion: dict[str, list[Clip]] = {}
    for clip in clips:
        assert clip.emotion is not None
        by_emotion.setdefault(clip.emotion, []).append(clip)
    pieces, spans, time = [], [], 0.0
    for emotion in rng.permutation(sorted(by_emotion)):
        of_emotion = by_emotion[emotion]
        for index in rng.permutation(len(of_emotion))[:CLIPS_OF_AN_EMOTION]:
            sound = _spoken(read_sound(of_emotion[index]))
            hush = rng.normal(size=round(PAUSE_SECONDS * RATE)) * 1e-4
            spans.append((time, time + len(sound) / RATE, str(emotion)))
            pieces += [sound, hush.astype(np.float32)]
            time += len(sound) / RATE + PAUSE_SECONDS
    return Session(np.concatenate(pieces), tuple(spans))


def _spoken(sound: np.ndarray) -> np.ndarray:
    """Without most of the silence around it."""
    frames = np.flatnonzero(speech_of_clean(sound))
    margin = round(MARGIN_SECONDS * RATE)
    return sound[max(0, frames[0] * HOP - margin) : frames[-1] * HOP + margin]


@dataclass
class Steadiness:
    """What one choice of the constants makes of some decisions."""

    decisions: int = 0
    right: int = 0
    changes: int = 0
    seconds: float = 0.0

    def add(self, session: Session, timeline: Timeline, smoothing: float, lead: float) -> None:
        """One session. A decision is right when it names what is spoken as it is made."""
        for decisions in _of_each_turn(timeline):
            steady = SteadyEmotion(smoothing, lead)
            for decision in decisions:
                window = decision.window
                distribution = np.array([window.probabilities[label] for label in LABELS])
                middle = 0.5 * (window.start + window.end)
                change = steady.update(distribution, decision.time, middle)
                self.changes += change is not None
                spoken = session.emotion(decision.time)
                if spoken is not None:
                    self.decisions += 1
                    self.right += LABELS[steady.label] == spoken
        self.seconds += sum(turn.duration for turn in timeline.turns)

    @property
    def changes_a_minute(self) -> float:
        """Of the label, in a minute of turns."""
        return 60 * self.changes / self.seconds


def _of_each_turn(timeline: Timeline) -> Iterator[list[Decision]]:
    for turn in timeline.turns:
        yield [each for each in timeline.decisions if turn.start <= each.start < turn.end]


def true_changes(sessions: Iterable[Session]) -> int:
    """How often the emotion changes."""
    return sum(
        before[2] != after[2]
        for session in sessions
        for before, after in zip(session.emotions, session.emotions[1:])
    )


def run(arguments: argparse.Namespace) -> int:
    """Measures every choice, prints the page and writes it."""
    parts = Protocol.load().split(read_corpora(arguments.corpora, WITH_SOUND))
    rng = np.random.default_rng(arguments.seed)
    by_speaker: dict[str, list[Clip]] = {}
    for clip in parts["validation"]:
        by_speaker.setdefault(f"{clip.corpus}/{clip.speaker}", []).append(clip)
    recognizer = Recognizer(arguments.bundle)
    sessions = [
        make_session(clips, rng)
        for clips in by_speaker.values()
        for _ in range(arguments.sessions)
    ]
    timelines = [recognizer.timeline(session.samples, RATE) for session in sessions]
    measured = {}
    for choice in CHOICES:
        measured[choice] = Steadiness()
        for session, timeline in zip(sessions, timelines):
            measured[choice].add(session, timeline, *choice)
    manifest = (arguments.bundle / "manifest.json").read_bytes()
    page = "\n".join(
        _page(sorted(by_speaker), sessions, measured, hashlib.sha256(manifest).hexdigest())
    )
    print(page)
    if arguments.report is not None:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(page + "\n", encoding="utf-8")
    return 0


def _page(
    speakers: Sequence[str],
    sessions: Sequence[Session],
    measured: dict[tuple[float, float], Steadiness],
    digest: str,
) -> list[str]:
    raw, used = measured[CHOICES[0]], measured[(SMOOTHING_SECONDS, LEAD)]
    minutes = raw.seconds / 60
    fewer = 100 * (1 - used.changes / raw.changes)
    cost = 100 * (raw.right / raw.decisions - used.right / used.decisions)
    return [
        "# Steadiness of the label",
        "",
        "Written by this command, run on the commit that holds this page:",
        "",
        f"    {command('training')}",
        "",
        "A stream decides every half second on the last three seconds. Its probabilities are "
        "smoothed exponentially, and another emotion must lead by some probability before the "
        "label changes (`edge.steadiness`). The table tells what that does to "
        f"{len(sessions)} sessions ({minutes:.1f} minutes of turns) of validation speakers "
        f"({', '.join(speakers)}): {CLIPS_OF_AN_EMOTION} clips of an emotion in a row, then the "
        f"next, with pauses of {PAUSE_SECONDS:g} s. The emotion truly changes "
        f"{60 * true_changes(sessions) / raw.seconds:.1f} times a minute. A decision is right when "
        "the label is what is spoken at that moment, although most of its window may have been "
        "spoken before: a label that is slow to change pays here.",
        "",
        *table(
            ("time constant", "lead", "changes a minute", "right"),
            [
                _row(choice, steadiness, choice == (SMOOTHING_SECONDS, LEAD))
                for choice, steadiness in measured.items()
            ],
        ),
        "",
        f"The choice in bold ({SMOOTHING_SECONDS:g} s, {LEAD:g}) takes away {fewer:.0f} % of the "
        f"changes for {cost:.1f} points of right decisions. It was chosen on these speakers.",
        "",
        f"Models: the bundle whose manifest has the SHA-256 {digest}.",
    ]


def _row(choice: tuple[float, float], measured: Steadiness, bold: bool) -> list[str]:
    smoothing, lead = choice
    cells = [
        "none" if smoothing == UNSMOOTHED else f"{smoothing:g} s",
        f"{lead:g}",
        f"{measured.changes_a_minute:.1f}",
        f"{100 * measured.right / measured.decisions:.1f} %",
    ]
    return [f"**{cell}**" for cell in cells] if bold else cells


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training steadiness`."""
    parser.add_argument(
        "--corpora", type=Path, required=True, help="folder with one folder for each corpus"
    )
    parser.add_argument(
        "--bundle", type=Path, default=DEFAULT_BUNDLE, help="folder of the models (default: ours)"
    )
    parser.add_argument(
        "--sessions", type=int, default=4, help="of each speaker (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page to FILE")
