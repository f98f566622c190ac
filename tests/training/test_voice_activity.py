from __future__ import annotations

import importlib.util
import runpy
import sys

import numpy as np
import pytest

from edge.voice_activity import CUES
from tests.synthetic_speech import synthesise
from training import voice_activity
from training.__main__ import main
from training.voice_activity import Counts, detectors, runs, turns_begun

RATE, HOP = 16000, 256
OTHERS = {
    "webrtcvad 1": ("webrtcvad",),
    "webrtcvad 3": ("webrtcvad",),
    "silero-vad": ("silero_vad", "onnxruntime"),
}


def has(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) for package in packages)


def test_runs_are_first_and_stop():
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, bool)) == []


def test_counts_are_of_frames_and_of_segments_that_are_long_enough():
    truth = np.zeros(100, bool)
    truth[10:40] = truth[60:80] = truth[90:95] = True  # the last one is shorter than 0.3 s
    told = np.zeros(100, bool)
    told[10:30] = told[60:65] = told[0:5] = True
    counts = Counts()
    counts.add(truth, told)
    assert (counts.speech, counts.missed) == (55, 30)
    assert (counts.other, counts.false) == (45, 5)
    assert (counts.segments, counts.found) == (2, 1)
    assert counts.balanced_accuracy == pytest.approx(1 - 0.5 * (30 / 55 + 5 / 45))


def test_turns_begin_with_enough_speech_and_are_judged_with_more():
    speech = np.zeros(600, bool)
    speech[50:55] = True  # a click
    speech[150:170] = True  # 0.32 s
    speech[300:360] = True  # 0.96 s
    assert turns_begun(speech) == (2, 1)


@pytest.mark.parametrize("name", ["edge", *OTHERS])
def test_every_detector_answers_on_our_frames_and_tells_speech_from_silence(name):
    if not has(*OTHERS.get(name, ())):
        pytest.skip(f"{OTHERS[name][0]} is not installed")
    (detector,) = (each for each in detectors()[0] if each.name == name)
    pause = np.zeros(RATE, np.float32)
    speech = synthesise("female", "neutral", seconds=2.0)
    sound = np.concatenate([pause, speech, pause, pause])
    sound += np.random.default_rng(0).normal(size=len(sound)).astype(np.float32) * 1e-4
    told = detector.speech(sound)
    assert told.shape == (1 + len(sound) // HOP,) and told.dtype == bool
    seconds = np.arange(len(told)) * HOP / RATE
    within = told[(seconds > 1.2) & (seconds < 2.8)].mean()
    outside = told[(seconds < 0.8) | (seconds > 4.2)].mean()
    assert outside < (0.2 if name.startswith("webrtcvad") else 0.1)
    assert within > (0.3 if name == "silero-vad" else 0.8)  # it doubts a synthesiser


def test_a_detector_that_is_not_installed_is_named(monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'silero_vad'", name="silero_vad")

    monkeypatch.setattr(voice_activity, "silero", missing)
    found, reasons = detectors()
    assert found[0].name == "edge" and "silero_vad is not installed" in reasons


def test_the_report_is_printed_and_written(miniature_corpora, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(voice_activity, "detectors", lambda: ([voice_activity.ours()], ["x"]))
    monkeypatch.setattr(voice_activity, "SNRS", (20, 0))
    page = tmp_path / "new" / "page.md"
    arguments = ["--corpora", str(miniature_corpora), "--scenes", "1", "--report", str(page)]
    monkeypatch.setattr(sys, "argv", ["training", "voice-activity", *arguments])
    assert main() == 0
    text = page.read_text(encoding="utf-8")
    assert capsys.readouterr().out == text
    assert "Not measured: x." in text and str(miniature_corpora) not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    frames, segments, without, clips, ratios = tables
    assert len(frames) == len(segments) == 2 + 1 + 3 * 2  # quiet, and three noises at two SNRs
    assert [line.split(" | ")[0] for line in without[2:]] == [
        "| silence", "| white", "| pink", "| street", "| mains hum", "| chords",
    ]
    assert [line.split(" | ")[0] for line in clips[2:]] == ["| ravdess", "| slr45"]
    assert len(ratios) == 2 + 2


def test_a_fit_learns_and_writes_weights_that_the_detector_takes(
    miniature_corpora, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("sklearn")
    file = tmp_path / "voice_weights.py"
    monkeypatch.setattr(voice_activity, "_WEIGHTS", file)
    monkeypatch.setattr(voice_activity, "FITTING_PASSES", 5)
    arguments = ["--corpora", str(miniature_corpora), "--scenes", "6", "--fit"]
    monkeypatch.setattr(sys, "argv", ["training", "voice-activity", *arguments])
    assert main() == 0
    assert "wrote voice_weights.py" in capsys.readouterr().out
    command = "`python -m training voice-activity --corpora DIR --scenes 6 --fit`"
    assert command in file.read_text(encoding="utf-8")
    weights = runpy.run_path(str(file))
    assert np.shape(weights["HIDDEN_WEIGHTS"]) == (len(CUES), 16)
    assert np.shape(weights["OUTPUT_WEIGHTS"]) == np.shape(weights["HIDDEN_BIASES"]) == (16,)
    assert np.isfinite(weights["OUTPUT_BIAS"])
    assert max(map(len, file.read_text(encoding="utf-8").splitlines())) <= 100
