"""The Kivy widget, without a window: Kivy draws into its mock of OpenGL."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

import edge
from tests.examples.conftest import EXAMPLES

PROGRAM = """
import json, runpy, sys
import edge
example = runpy.run_path("examples/kivy_widget.py")
bars = example["EmotionBars"]()
samples, rate = edge.read_audio(sys.argv[2])
with edge.Recognizer(sys.argv[1]).stream(rate) as stream:
    stream.accept_waveform(samples)
for event in stream.poll():
    if isinstance(event, edge.Decision):
        bars.show(event)
print(json.dumps({
    "heading": bars.heading.text,
    "bars": {label: bar.value for label, bar in bars.bars.items()},
    "held": [label for label, name in bars.names.items() if tuple(name.color) != example["PLAIN"]],
}))
"""


def test_the_widget_shows_the_latest_decision(models, clip, tmp_path):
    if importlib.util.find_spec("kivy") is None:
        pytest.skip("kivy is not installed")
    environment = {
        **os.environ,
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "KIVY_NO_FILELOG": "1",
        "KIVY_GL_BACKEND": "mock",
        "KIVY_HOME": str(tmp_path),
        "PYTHONPATH": str(EXAMPLES.parent),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(models), str(clip)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=EXAMPLES.parent,
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    samples, rate = edge.read_audio(clip)
    with edge.Recognizer(models).stream(rate) as stream:
        stream.accept_waveform(samples)
    last = [event for event in stream.poll() if isinstance(event, edge.Decision)][-1]
    assert shown["heading"] == f"{last.gender}, {last.gender_posterior:.0%}"
    assert shown["bars"] == pytest.approx(last.probabilities)
    assert shown["held"] == [last.emotion]
