"""`edge-ser hear`, and `edge-ser listen --learn`."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import edge
from edge import cli
from edge.prosody import Prosody
from edge.voice import Voice
from tests.edge.bundles import learning_prosody_arrays
from tests.edge.fakes import FixedGate, LinearExpert
from tests.edge.test_recognizer import recognizer_of

CLIPS = sorted(Path(__file__).parents[2].joinpath("examples", "clips").glob("*.wav"))
ONE, TWO, THREE = map(str, CLIPS[:3])


@pytest.fixture(autouse=True)
def fake_recognizer(monkeypatch):
    """Models that learn what is usual."""
    experts = {"female": LinearExpert(1), "male": LinearExpert(2)}
    prosody = Prosody(learning_prosody_arrays())
    recognizer = recognizer_of(FixedGate(0.9), experts, prosody=prosody)
    monkeypatch.setattr(edge, "Recognizer", lambda bundle: recognizer, raising=False)
    return recognizer


def hear(*arguments) -> int:
    return cli.main(["hear", *map(str, arguments)])


def test_recordings_make_a_voice_known(tmp_path, capsys, fake_recognizer):
    path = tmp_path / "me.json"
    assert hear(path, ONE, TWO) == 0
    voice = Voice()
    for clip in (ONE, TWO):
        voice = voice.heard(fake_recognizer.predict(clip))
    assert Voice.load(path) == voice
    shown = capsys.readouterr().out
    assert f"{ONE}: heard" in shown and "a person who was heard 2 times" in shown
    assert hear(path, THREE) == 0
    assert Voice.load(path) == voice.heard(fake_recognizer.predict(THREE))
    assert hear("--anew", path, THREE) == 0
    assert Voice.load(path).usual.clips == 1


def test_what_was_taught_stays(tmp_path, capsys):
    path = tmp_path / "me.json"
    assert cli.main(["teach", str(path), f"sad={ONE}"]) == 0
    assert hear(path, f"{Path(TWO).parent}/{Path(TWO).name[:-5]}*.wav") == 0
    voice = Voice.load(path)
    assert voice.counts() == {"sad": 1} and voice.usual.clips >= 1
    capsys.readouterr()
    assert cli.main(["teach", str(path)]) == 0
    assert f"the person was heard {voice.usual.clips} times" in capsys.readouterr().out


def test_one_bad_recording_and_nothing_is_kept(tmp_path, capsys):
    path = tmp_path / "me.json"
    assert hear(path, ONE, "nowhere.wav") == 1
    told = capsys.readouterr().err
    assert "nowhere.wav" in told and "nothing was kept" in told
    assert not path.exists()


def test_a_recording_in_which_nobody_speaks_is_left_out(tmp_path, capsys):
    noise = tmp_path / "noise.wav"
    samples = np.random.default_rng(0).normal(0, 2000, 32000).astype("<i2")
    with wave.open(str(noise), "wb") as file:
        file.setparams((1, 2, 16000, len(samples), "NONE", ""))
        file.writeframes(samples.tobytes())
    assert hear(tmp_path / "me.json", noise) == 0
    shown = capsys.readouterr().out
    assert "nobody speaks, left out" in shown and "has heard nothing yet" in shown


def test_models_that_learn_nothing_say_so(tmp_path, capsys, monkeypatch):
    plain = recognizer_of(FixedGate(0.9))
    monkeypatch.setattr(edge, "Recognizer", lambda bundle: plain, raising=False)
    assert hear(tmp_path / "me.json", ONE) == 1
    assert "learn nothing from what nobody puts a name to" in capsys.readouterr().err


def test_a_voice_that_cannot_be_written_is_told(tmp_path, capsys):
    assert hear(tmp_path / "nowhere" / "me.json", ONE) == 1
    assert "cannot be written" in capsys.readouterr().err
