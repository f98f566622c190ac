"""`edge-ser predict`: the timeline, the formats, plots, patterns, the standard input."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import edge
from edge import cli
from edge.features import EmotionFeatures, FrontEnd
from edge.labels import LABELS
from edge.recognizer import Recognizer
from tests.edge.fakes import FixedExpert, FixedGate
from tests.miniature_corpora import write_wav

CLIPS = sorted(Path(__file__).parents[2].joinpath("examples", "clips").glob("*.wav"))
ONE, TWO = map(str, CLIPS[:2])


@pytest.fixture(autouse=True)
def fake_recognizer(monkeypatch):
    """Always female with 0.9, angry before sad."""
    logits = [0, 0, 0, 1, 3, 0, 0, 0]

    def make(bundle):
        return Recognizer.from_parts(
            front_end=FrontEnd(),
            emotion_features=EmotionFeatures(),
            gate=FixedGate(0.9),
            experts={"female": FixedExpert(logits), "male": FixedExpert(logits)},
        )

    monkeypatch.setattr(edge, "Recognizer", make, raising=False)


class StandardInput:
    def __init__(self, content: bytes, terminal: bool = False) -> None:
        self.buffer = io.BytesIO(content)
        self._terminal = terminal

    def isatty(self):
        return self._terminal


def predict(*arguments) -> int:
    return cli.main(["predict", *map(str, arguments)])


def expected_segments(path):
    return edge.Recognizer(None).timeline(path).segments


def test_segments_follow_their_file(capsys):
    assert predict("--segments", ONE, TWO) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    spans = [line for line in lines if " - " in line]
    assert lines[0].startswith(ONE) and len(lines) == 2 + len(spans)
    (segment,) = expected_segments(ONE)
    words = lines[1].split()
    assert words[:3] == [f"0:0{segment.start:.2f}", "-", f"0:0{segment.end:.2f}"]
    assert words[3] == "female" and words[6] == "angry"


def test_text_without_segments_has_none(capsys):
    assert predict(ONE) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_doubts_stand_at_the_ends_of_the_lines(capsys, tmp_path):
    samples, rate = edge.read_audio(ONE)
    loud = tmp_path / "loud.wav"
    write_wav(loud, np.clip(5 * samples[:, 0], -1, 1), rate)
    assert predict("--segments", loud) == 0
    _, line, *segments = capsys.readouterr().out.splitlines()
    assert line.endswith("  clipped")
    assert segments and all(segment.endswith("  clipped") for segment in segments)
    assert predict("--segments", "--format", "csv", loud) == 0
    for row in csv.DictReader(io.StringIO(capsys.readouterr().out)):
        assert row["flags"] == "clipped" and float(row["snr_db"]) > 0
        assert -1 <= float(row["arousal"]) <= 1 and -1 <= float(row["valence"]) <= 1


def test_an_image_of_no_known_kind_is_refused_before_any_work(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(SystemExit) as stop:
        predict("--plot", tmp_path / "talk.xyz", ONE)
    out, err = capsys.readouterr()
    assert stop.value.code == 2 and out == ""
    assert "talk.xyz: no image has that ending" in err and ".png" in err


def test_jsonl_is_one_object_for_each_file_and_failure(capsys, tmp_path):
    assert predict("--format", "jsonl", "--segments", ONE, tmp_path / "missing.wav", TWO) == 1
    first, failed, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["file"], second["file"]) == (ONE, TWO)
    assert failed["error"]["kind"] == "UnreadableAudioError"
    assert first["segments"] == [s.to_dict() for s in expected_segments(ONE)]


def test_json_is_short_for_the_format(capsys):
    predict("--json", ONE)
    short = json.loads(capsys.readouterr().out)
    predict("--format", "json", ONE)
    long = json.loads(capsys.readouterr().out)
    assert short[0]["probabilities"] == long[0]["probabilities"]
    assert "segments" not in short[0]


def test_csv_reads_back(capsys, tmp_path):
    assert predict("--format", "csv", ONE, tmp_path / "missing.wav") == 1
    fine, failed = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (fine["file"], fine["emotion"], fine["gender"]) == (ONE, "angry", "female")
    assert sum(float(fine[label]) for label in LABELS) == pytest.approx(1.0, abs=1e-5)
    assert failed["error"] and failed["emotion"] == ""


def test_csv_with_segments_has_their_times(capsys):
    assert predict("--format", "csv", "--segments", ONE) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    (segment,) = expected_segments(ONE)
    assert float(row["start"]) == pytest.approx(segment.start, abs=1e-3)
    assert float(row["end"]) == pytest.approx(segment.end, abs=1e-3)


def test_srt_and_textgrid_of_one_file_go_to_the_standard_output(capsys):
    assert predict("--format", "srt", ONE) == 0
    out = capsys.readouterr().out
    assert out.startswith("1\n00:00:0") and "angry (" in out
    assert predict("--format", "textgrid", ONE) == 0
    assert capsys.readouterr().out.startswith('File type = "ooTextFile"')


def test_srt_of_several_files_fills_a_folder(capsys, tmp_path):
    folder = tmp_path / "new" / "subtitles"
    assert predict("--format", "srt", "-o", folder, ONE, TWO) == 0
    assert capsys.readouterr().out == ""
    names = {Path(ONE).stem + ".srt", Path(TWO).stem + ".srt"}
    assert {path.name for path in folder.iterdir()} == names
    assert all("angry (" in path.read_text() for path in folder.iterdir())


def test_output_names_a_file(capsys, tmp_path):
    path = tmp_path / "out.json"
    assert predict("--json", "-o", path, ONE) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(path.read_text())[0]["file"] == ONE


def test_an_output_that_cannot_be_written_is_one_line(capsys, tmp_path):
    assert predict("-o", tmp_path / "missing" / "out.txt", ONE) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and "cannot be written" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "srt", ONE, TWO],
        ["--format", "textgrid", ONE, TWO],
        ["--format", "srt", "-o", __file__, ONE, TWO],
        ["--format", "xml", ONE],
        ["--plot", "plots", ONE, ONE],
        ["--labels", "happy,glad", ONE],
        ["-", "-"],
    ],
)
def test_contradictions_are_bad_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        predict(*arguments)
    assert caught.value.code == 2
    assert "usage: edge-ser predict" in capsys.readouterr().err


def test_the_standard_input_is_a_file_like_others(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", StandardInput(Path(ONE).read_bytes()))
    assert predict("--json", "-", ONE) == 0
    piped, read = json.loads(capsys.readouterr().out)
    assert piped["file"] == "-" and piped["probabilities"] == read["probabilities"]


def test_a_bad_standard_input_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", StandardInput(b""))
    assert predict("-") == 1
    assert capsys.readouterr().err.startswith("edge-ser: -: ")


def test_a_terminal_is_no_sound(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", StandardInput(b"", terminal=True))
    with pytest.raises(SystemExit) as caught:
        predict("-")
    assert caught.value.code == 2
    assert "terminal" in capsys.readouterr().err


def test_patterns_are_expanded_in_order_and_through_folders(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.wav", "a.wav", "deep/er/c.wav", "note.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(ONE).read_bytes())
    assert predict("--json", "**/*.wav", "?.wav", "[b].wav") == 0
    files = [record["file"] for record in json.loads(capsys.readouterr().out)]
    deep = str(Path("deep/er/c.wav"))
    assert files == ["a.wav", "b.wav", deep, "a.wav", "b.wav", "b.wav"]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(capsys, tmp_path):
    path = tmp_path / "a[1].wav"
    path.write_bytes(Path(ONE).read_bytes())
    (tmp_path / "a1.wav").write_bytes(b"")
    assert predict("--json", path) == 0
    assert json.loads(capsys.readouterr().out)[0]["file"] == str(path)


def test_a_pattern_without_a_match_fails_as_a_missing_file_does(capsys, tmp_path):
    assert predict(tmp_path / "*.wav", ONE) == 1
    out, err = capsys.readouterr()
    assert "no file matches" in err and ONE in out


def test_plot_draws_each_file(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    assert predict("--plot", tmp_path / "one.png", ONE) == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert predict("--plot", tmp_path / "plots", "--format", "jsonl", ONE, TWO) == 0
    names = {path.name for path in (tmp_path / "plots").iterdir()}
    assert names == {Path(ONE).stem + ".png", Path(TWO).stem + ".png"}


def test_plot_without_matplotlib_says_what_to_install(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert predict("--plot", tmp_path / "one.png", ONE, TWO) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and "pip install matplotlib" in err


def test_a_recording_is_never_overwritten_by_the_output(capsys, tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(Path(ONE).read_bytes())
    with pytest.raises(SystemExit) as caught:
        predict(path, "-o", tmp_path / "." / "talk.wav")
    assert caught.value.code == 2
    assert path.read_bytes() == Path(ONE).read_bytes()


def test_labels_restrict_the_choice(capsys):
    assert predict("--json", "--labels", "sad,happy", ONE) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert list(record["probabilities"]) == ["happy", "sad"] and record["emotion"] == "sad"


def test_only_one_label_leaves_no_runner_up(capsys):
    assert predict("--labels", "sad", ONE) == 0
    assert "100.0 %" in capsys.readouterr().out


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_a_long_file_shows_a_bar_on_the_terminal_and_takes_it_away(
    capsys, tmp_path, monkeypatch, speech
):
    import wave

    pcm = (32767 * np.tile(speech("male", seconds=2.0), 35)).astype("<i2")
    with wave.open(str(tmp_path / "long.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(pcm.tobytes())
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert predict(tmp_path / "long.wav") == 0
    assert "of 1:10" in terminal.getvalue()
    assert terminal.getvalue().split("\r")[-1] == ""
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_an_interrupted_bar_is_taken_away(tmp_path, monkeypatch):
    from edge.cli.progress import Progress

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    update = Progress.update
    monkeypatch.setattr(
        Progress, "update", lambda self, *_: (update(self, 30.0, 90.0), interrupted())
    )
    assert predict(ONE) == 130
    assert "of 1:30" in terminal.getvalue() and terminal.getvalue().split("\r")[-1] == ""


def test_the_time_of_reading_is_counted(capsys):
    assert predict("--json", ONE) == 0
    timings = json.loads(capsys.readouterr().out)[0]["timings"]
    assert timings["read"] > 0.0
    assert timings["total"] >= timings["read"] + timings["log_mel"]
