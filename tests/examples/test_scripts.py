"""The examples that are one script, run as they are."""

from __future__ import annotations

import csv
import re
import runpy
import shutil
import sys

import numpy as np
import pytest

import edge
from edge.labels import LABELS
from tests.edge.fake_portaudio import FakePortAudio
from tests.examples.conftest import EXAMPLES


@pytest.fixture
def run(models, monkeypatch, capsys):
    def run(script, *arguments):
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_ten_lines_print_the_prediction(run, clip):
    script = (EXAMPLES / "ten_lines.py").read_text().splitlines()
    assert len([line for line in script[1:] if line.strip()]) <= 10
    out = run("ten_lines.py", clip).splitlines()
    expected = edge.Recognizer().predict(clip)
    assert out[0] == f"{expected.gender}: {expected.gender_posterior:.1%}"
    assert out[1] == f"{expected.emotion}: {expected.probabilities[expected.emotion]:.1%}"
    assert len(out) == 4 + expected.uncertain


def test_a_folder_becomes_a_table_with_its_failures(run, tmp_path, clip):
    folder = tmp_path / "calls"
    (folder / "monday").mkdir(parents=True)
    shutil.copy(clip, folder / "monday" / "a.WAV")
    shutil.copy(clip, folder / "b.wav")
    (folder / "c.wav").write_bytes(b"RIFF")
    (folder / "notes.txt").write_text("no sound")
    out = run("folder_to_table.py", folder, tmp_path / "table.csv")
    assert out.startswith("3 recordings")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"monday/a.WAV", "b.wav", "c.wav"}
    expected = edge.Recognizer().predict(clip)
    for name in ("monday/a.WAV", "b.wav"):
        assert rows[name]["emotion"] == expected.emotion and not rows[name]["error"]
    assert "c.wav" in rows["c.wav"]["error"]


def test_captions_of_a_recording_end_with_its_segments(run, clip):
    check_captions(run("live_captions.py", clip), edge.Recognizer().timeline(clip).segments)


def test_captions_of_the_microphone_are_the_same(run, clip, monkeypatch):
    samples, rate = edge.read_audio(clip)
    whole = len(samples) - len(samples) % (rate // 20)  # the blocks that it gives
    sound = np.ascontiguousarray(samples[:whole, 0])
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(sound, rate))
    check_captions(run("live_captions.py"), edge.Recognizer().timeline(sound, rate).segments)


def check_captions(out, segments):
    shown = re.split("[\r\n]", out)
    captions = [line for line in shown if " sounds " in line]
    assert captions
    assert all(re.match(rf"(fe)?male sounds ({'|'.join(LABELS)})", line) for line in captions)
    finals = [line.strip() for line in shown if " sounded " in line]
    assert len(finals) == len(segments) > 0
    for line, segment in zip(finals, segments):
        assert line.endswith(f"{segment.end:.1f} s]  {segment.gender} sounded {segment.emotion}")
