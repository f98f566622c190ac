"""`edge-ser teach`, and what `--voice` does to the other commands."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import edge
from edge import cli
from edge.voice import Voice
from tests.edge.fakes import FixedGate, LinearExpert
from tests.edge.test_recognizer import recognizer_of

CLIPS = sorted(Path(__file__).parents[2].joinpath("examples", "clips").glob("*.wav"))
ONE, TWO, THREE = map(str, CLIPS[:3])


@pytest.fixture(autouse=True)
def fake_recognizer(monkeypatch):
    """Experts whose answers differ from clip to clip."""
    experts = {"female": LinearExpert(1), "male": LinearExpert(2)}
    recognizer = recognizer_of(FixedGate(0.9), experts)
    monkeypatch.setattr(edge, "Recognizer", lambda bundle: recognizer, raising=False)
    return recognizer


def teach(*arguments) -> int:
    return cli.main(["teach", *map(str, arguments)])


def test_recordings_teach_a_voice(tmp_path, capsys, fake_recognizer):
    path = tmp_path / "me.json"
    assert teach(path, f"sad={ONE}", f"happy={TWO}") == 0
    voice = Voice()
    for emotion, clip in (("sad", ONE), ("happy", TWO)):
        voice = voice.taught(fake_recognizer.predict(clip), emotion)
    assert Voice.load(path) == voice
    shown = capsys.readouterr().out
    assert f"{ONE}: sad (was heard with " in shown
    assert "left as they are: neutral, calm, angry, fearful, disgust, surprised" in shown


def test_a_voice_is_taught_more(tmp_path, capsys):
    path = tmp_path / "me.json"
    assert teach(path, f"sad={ONE}") == 0
    assert "Examples of one emotion tell none from another" in capsys.readouterr().out
    assert teach(path, f"happy={TWO}") == 0
    assert Voice.load(path).counts() == {"happy": 1, "sad": 1}
    assert teach(path) == 0
    assert "The voice of 2 examples" in capsys.readouterr().out
    assert teach("--anew", path, f"angry={THREE}") == 0
    assert Voice.load(path).counts() == {"angry": 1}


def test_the_examples_of_an_emotion_are_taken_back(tmp_path, capsys):
    path = tmp_path / "me.json"
    teach(path, f"sad={ONE}", f"happy={TWO}", f"sad={THREE}")
    assert teach(path, f"angry={ONE}", "--forget", "sad") == 0
    assert Voice.load(path).counts() == {"happy": 1, "angry": 1}
    assert teach(path, "--forget", "happy", "--forget", "angry") == 0
    assert Voice.load(path) == Voice()
    assert "The voice has no examples." in capsys.readouterr().out


def test_a_pattern_teaches_all_that_match(tmp_path, capsys, fake_recognizer):
    for number, clip in enumerate((ONE, TWO)):
        (tmp_path / f"glad {number}.wav").write_bytes(Path(clip).read_bytes())
    path = tmp_path / "us.json"
    assert teach(path, f"happy={tmp_path}/glad*.wav", f"sad={THREE}") == 0
    assert Voice.load(path).counts() == {"happy": 2, "sad": 1}
    assert "glad 1.wav: happy" in capsys.readouterr().out
    assert teach(path, f"happy={tmp_path}/none*.wav") == 1
    assert "no file matches" in capsys.readouterr().err
    assert Voice.load(path).counts() == {"happy": 2, "sad": 1}


def test_a_person_is_one_of_people_who_are_known(tmp_path, capsys, fake_recognizer):
    ours, mine = tmp_path / "us.json", tmp_path / "me.json"
    teach(ours, f"sad={ONE}", f"happy={TWO}")
    capsys.readouterr()
    assert teach(mine, f"angry={THREE}", f"sad={TWO}", "--base", ours) == 0
    assert "The voice of 2 examples, beside 2 of others, of" in capsys.readouterr().out
    voice = Voice.load(mine)
    assert voice.base == Voice.load(ours)
    assert voice.counts() == {"sad": 1, "angry": 1}
    teach(ours, f"calm={THREE}")
    assert teach(mine, "--base", ours) == 0  # another base, at any time
    assert Voice.load(mine) == dataclasses.replace(voice, base=Voice.load(ours)) != voice
    assert teach(mine, f"sad={ONE}", "--base", tmp_path / "nobody.json") == 1
    assert "nobody.json cannot be read" in capsys.readouterr().err


def test_options_stand_anywhere(tmp_path, capsys):
    path = tmp_path / "me.json"
    assert teach(path, f"sad={ONE}", "--anew", f"happy={TWO}", f"angry={THREE}") == 0
    assert Voice.load(path).counts() == {"happy": 1, "sad": 1, "angry": 1}
    assert teach(path, "--forget", "sad", f"calm={TWO}") == 0
    assert Voice.load(path).counts() == {"calm": 1, "happy": 1, "angry": 1}
    for wrong in ("bored=x.wav", "--loud"):
        with pytest.raises(SystemExit) as left:
            teach(path, "--forget", "sad", f"calm={TWO}", wrong)
        assert left.value.code == 2
        assert f"unrecognized arguments: {wrong}" in capsys.readouterr().err
    assert Voice.load(path).counts() == {"calm": 1, "happy": 1, "angry": 1}


def test_one_bad_recording_teaches_nothing(tmp_path, capsys):
    path = tmp_path / "me.json"
    assert teach(path, f"sad={ONE}", "happy=nowhere.wav") == 1
    told = capsys.readouterr().err
    assert "nowhere.wav" in told
    assert "nothing was taught" in told
    assert not path.exists()


@pytest.mark.parametrize("example", ["bored=x.wav", "x.wav", "sad=", "=x.wav", "sad"])
def test_an_example_names_its_emotion(tmp_path, capsys, example):
    with pytest.raises(SystemExit) as left:
        teach(tmp_path / "me.json", example)
    assert left.value.code == 2
    assert "EMOTION=FILE" in capsys.readouterr().err


def test_a_name_may_hold_an_equals_sign(tmp_path):
    clip = tmp_path / "a=b.wav"
    clip.write_bytes(Path(ONE).read_bytes())
    assert teach(tmp_path / "me.json", f"sad={clip}") == 0


def test_a_voice_that_is_not_there_needs_examples(tmp_path, capsys):
    assert teach(tmp_path / "me.json") == 1
    assert "give examples" in capsys.readouterr().err


def test_a_voice_that_cannot_be_written_is_told(tmp_path, capsys):
    assert teach(tmp_path / "nowhere" / "me.json", f"sad={ONE}") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_predict_knows_the_voice(tmp_path, capsys, fake_recognizer):
    path = tmp_path / "me.json"
    teach(path, f"sad={ONE}", f"happy={TWO}")
    capsys.readouterr()
    assert cli.main(["predict", "--json", "--segments", "--voice", str(path), THREE]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    known = fake_recognizer.predict(THREE, voice=Voice.load(path))
    assert told["probabilities"] == pytest.approx(known.probabilities)
    assert known.probabilities != fake_recognizer.predict(THREE).probabilities
    segments = fake_recognizer.timeline(THREE, voice=Voice.load(path)).segments
    assert [each["emotion"] for each in told["segments"]] == [each.emotion for each in segments]


def test_a_bad_voice_is_told_before_any_recording(tmp_path, capsys):
    path = tmp_path / "me.json"
    path.write_text("{}")
    for command in (["predict", ONE], ["listen"]):
        assert cli.main([*command, "--voice", str(path)]) == 1
        captured = capsys.readouterr()
        assert "me.json cannot be read" in captured.err
        assert captured.out == ""
