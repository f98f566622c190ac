from __future__ import annotations

import sys

import numpy as np
import pytest

from edge.events import Decision, Timeline, Turn
from edge.labels import LABELS
from edge.prediction import Window
from training import steadiness
from training.__main__ import main
from training.corpora import read_corpora
from training.steadiness import (
    CHOICES,
    CLIPS_OF_AN_EMOTION,
    PAUSE_SECONDS,
    UNSMOOTHED,
    Session,
    Steadiness,
    make_session,
    true_changes,
)


def timeline_of(labels, interval=0.5) -> Timeline:
    """One turn that holds a sure decision on each label."""
    decisions = []
    for number, label in enumerate(labels, start=1):
        probabilities = {each: 0.93 if each == label else 0.01 for each in LABELS}
        end = number * interval
        window = Window(0.0, end, "male", 0.9, label, probabilities)
        decisions.append(
            Decision(end, 0.0, end, "male", 0.9, label, probabilities, False, (), None, window)
        )
    turn = Turn(0.0, len(labels) * interval, "male", 0.9, ())
    return Timeline(turn.end, (turn,), tuple(decisions))


def test_a_session_holds_each_emotion_in_a_row(miniature_corpora):
    clips = [clip for clip in read_corpora(miniature_corpora, ("ravdess",)) if clip.emotion]
    speaker = clips[0].speaker
    clips = [clip for clip in clips if clip.speaker == speaker]
    session = make_session(clips, np.random.default_rng(0))
    emotions = [emotion for _, _, emotion in session.emotions]
    assert set(emotions) == {clip.emotion for clip in clips}
    assert true_changes([session]) == len(set(emotions)) - 1
    assert max(emotions.count(emotion) for emotion in emotions) <= CLIPS_OF_AN_EMOTION
    for (_, end, _), (start, _, _) in zip(session.emotions, session.emotions[1:]):
        assert start - end == pytest.approx(PAUSE_SECONDS)
    last = session.emotions[-1][1] + PAUSE_SECONDS
    assert len(session.samples) / 16000 == pytest.approx(last)
    assert session.emotion(session.emotions[1][0]) == emotions[1]
    assert session.emotion(session.emotions[0][1] + 0.5 * PAUSE_SECONDS) is None


def test_changes_and_right_decisions_are_counted():
    session = Session(np.zeros(8), ((0.0, 2.2, "angry"), (2.4, 9.0, "sad")))
    labels = ["angry", "calm", "angry", "angry", "sad", "sad", "sad", "sad"]
    raw, used = Steadiness(), Steadiness()
    raw.add(session, timeline_of(labels), UNSMOOTHED, 0.0)
    used.add(session, timeline_of(labels), 1.0, 0.45)
    assert (raw.decisions, raw.right, raw.changes) == (8, 7, 3)
    assert used.changes == 1 and used.right == 6  # the change comes with the third sad one
    assert raw.changes_a_minute == pytest.approx(3 * 60 / 4)


def test_the_page_names_what_is_used_among_the_choices(miniature_corpora, tmp_path, monkeypatch):
    class Recogniser:
        def __init__(self, bundle):
            pass

        def timeline(self, samples, rate):
            return timeline_of(["angry", "sad", "calm"] * 4)

    monkeypatch.setattr(steadiness, "Recognizer", Recogniser)
    (tmp_path / "manifest.json").write_bytes(b"{}")
    page = tmp_path / "new" / "page.md"
    arguments = ["steadiness", "--corpora", str(miniature_corpora), "--bundle", str(tmp_path)]
    arguments += ["--sessions", "1", "--report", str(page)]
    monkeypatch.setattr(sys, "argv", ["training", *arguments])
    assert main(arguments) == 0
    text = page.read_text(encoding="utf-8")
    assert "python -m training steadiness --corpora DIR" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(CHOICES)
    assert [row for row in rows if "**" in row] == [row for row in rows if "**1 s**" in row]
    assert rows[0].startswith("| none | 0 | ")
