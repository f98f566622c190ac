from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import subprocess
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

CLIPS = sorted(Path(__file__).parents[2].joinpath("examples", "clips").glob("*.wav"))


@pytest.fixture
def fake_recognizer(monkeypatch):
    """Always female with 0.9, angry before sad."""
    logits = [0, 0, 0, 1, 2, 0, 0, 0]

    def make(bundle):
        return Recognizer.from_parts(
            front_end=FrontEnd(),
            emotion_features=EmotionFeatures(),
            gate=FixedGate(0.9),
            experts={"female": FixedExpert(logits), "male": FixedExpert(logits)},
        )

    monkeypatch.setattr(edge, "Recognizer", make, raising=False)


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "edge", *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **environment},
    )


def test_each_clip_is_a_row_with_everything_that_was_found(fake_recognizer, capsys):
    assert cli.main(["predict", *map(str, CLIPS)]) == 0
    out, err = capsys.readouterr()
    headings, *rows = out.splitlines()
    assert err == ""
    assert " ".join(headings.split()) == "file gender emotion runner-up length time RTF"
    assert len(rows) == len(CLIPS) > 3
    angry = np.exp(2) / (np.exp(2) + np.exp(1) + 6)
    for path, row in zip(CLIPS, rows):
        assert re.fullmatch(
            rf"{re.escape(str(path))} +female +90\.0 %  angry +{100 * angry:.1f} %  sad +\S+ %"
            r" +\d\.\d\d s +\d+\.\d ms +\d+\.\d{4}",
            row,
        )


def test_rows_are_aligned_under_their_headings(fake_recognizer, capsys):
    cli.main(["predict", *map(str, CLIPS)])
    headings, *rows = capsys.readouterr().out.splitlines()
    for name in ("gender", "emotion", "runner-up"):
        column = headings.index(name)
        assert all(row[column - 1] == " " and row[column] != " " for row in rows)
    assert {len(row) for row in rows} == {len(headings)}


def test_names_of_wide_characters_stay_aligned(fake_recognizer, capsys, tmp_path):
    wide, plain = tmp_path / "声.wav", tmp_path / "ab.wav"
    for path in (wide, plain):
        path.write_bytes(CLIPS[0].read_bytes())
    cli.main(["predict", str(wide), str(plain)])
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.index("female") + 1 == second.index("female")


def test_a_known_gender_is_marked_as_given(fake_recognizer, capsys):
    assert cli.main(["predict", "--gender", "male", str(CLIPS[0])]) == 0
    assert re.search(r" male +given ", capsys.readouterr().out)


def test_json_holds_the_whole_prediction_of_each_file(fake_recognizer, capsys):
    assert cli.main(["predict", "--json", *map(str, CLIPS[:2])]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["file"], second["file"]) == tuple(map(str, CLIPS[:2]))
    assert first["emotion"] == "angry" and first["gender_posterior"] == pytest.approx(0.9)
    assert list(first["probabilities"]) == list(LABELS)
    assert first["windows"][0]["end"] <= first["duration"]
    assert first["real_time_factor"] == first["timings"]["total"] / first["duration"]


def test_a_bad_file_is_one_line_on_stderr_and_the_others_are_still_printed(
    fake_recognizer, capsys, tmp_path
):
    missing, empty = tmp_path / "missing.wav", tmp_path / "empty.wav"
    empty.touch()
    code = cli.main(["predict", str(missing), str(CLIPS[0]), str(empty), str(CLIPS[1])])
    out, err = capsys.readouterr()
    assert code == 1
    assert [line.split()[0] for line in out.splitlines()[1:]] == [str(p) for p in CLIPS[:2]]
    of_missing, of_empty = err.splitlines()
    assert of_missing.startswith("edge-ser: ") and str(missing) in of_missing
    assert of_empty.startswith("edge-ser: ") and str(empty) in of_empty


def test_a_bad_file_is_in_the_json_too(fake_recognizer, capsys, tmp_path):
    assert cli.main(["predict", "--json", str(tmp_path / "missing.wav"), str(CLIPS[0])]) == 1
    failed, fine = json.loads(capsys.readouterr().out)
    assert failed["error"]["kind"] == "UnreadableAudioError" and failed["error"]["message"]
    assert fine["emotion"] == "angry"


def test_a_file_beyond_the_limit_is_refused(fake_recognizer, capsys):
    assert cli.main(["predict", "--max-duration", "1", str(CLIPS[0])]) == 1
    assert f"{CLIPS[0]}: " in capsys.readouterr().err


def test_control_characters_in_a_name_do_not_reach_the_terminal(fake_recognizer, capsys, tmp_path):
    path = tmp_path / "a\033[31m\nb.wav"
    path.write_bytes(CLIPS[0].read_bytes())
    cli.main(["predict", str(path), str(path) + "\033"])
    out, err = capsys.readouterr()
    assert "\033" not in out + err and r"a\x1b[31m\nb.wav" in out
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_without_no_color(
    fake_recognizer, monkeypatch, environment, coloured
):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    cli.main(["predict", str(CLIPS[0])])
    assert ("\033[1m" in terminal.getvalue()) == coloured


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["predict"], ["hear"], ["predict", "--gender", "child", "x.wav"]),
        *(["predict", "--max-duration", "0", "x"], ["predict", "--max-duration", "nan", "x"]),
        *(["predict", "--max-duration", "long", "x"], ["info", "surplus"]),
    ],
)
def test_bad_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: edge-ser" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["predict"], ["info"]])
def test_help_documents_the_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([*command, "--help"])
    assert caught.value.code == 0
    assert "exit codes:" in capsys.readouterr().out


def test_the_version_is_the_distributions(capsys):
    from importlib.metadata import version

    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"edge-ser {version('edge-ser')}\n"


def test_info_names_bundle_files_labels_metrics_and_versions(bundle_copy, capsys):
    assert cli.main(["info", "--json", "--bundle", str(bundle_copy)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bundle"]["name"] == "tiny" and facts["bundle"]["format"] == 1
    assert facts["labels"] == list(LABELS)
    assert facts["metrics"] == {"protocol": "none", "unweighted_average_recall": 0.125}
    for name, size in facts["sizes"]["bundle files, bytes"].items():
        assert size == (bundle_copy / name).stat().st_size
    assert facts["versions"]["numpy"] == np.__version__
    found = r"(tflite-runtime|ai-edge-litert|tensorflow) .+|none: .+"
    assert re.fullmatch(found, facts["interpreter"])
    assert re.fullmatch(r"native, by [a-z0-9]+", facts["runtime"])


def test_info_for_people_holds_the_same(bundle_copy, capsys):
    assert cli.main(["info", "--bundle", str(bundle_copy)]) == 0
    out = capsys.readouterr().out
    for fact in ("tiny", "neutral, calm, happy", "unweighted_average_recall", "gender.npz"):
        assert fact in out


def test_info_without_interpreter_says_what_to_install(bundle_copy, capsys, monkeypatch):
    import edge.emotion

    monkeypatch.setattr(edge.emotion, "_LOADERS", {})
    assert cli.main(["info", "--bundle", str(bundle_copy)]) == 0
    assert re.search("interpreter +none: .*pip install", capsys.readouterr().out)


@pytest.mark.parametrize("command", [["info"], ["predict", str(CLIPS[0])]])
def test_an_altered_bundle_is_one_line_and_exit_code_1(bundle_copy, capsys, command):
    (bundle_copy / "male.tflite").write_bytes(b"altered")
    assert cli.main([*command, "--bundle", str(bundle_copy)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("edge-ser: male.tflite: 7 bytes instead of")
    assert len(err.splitlines()) == 1


def test_the_command_runs_as_a_process_and_keeps_stderr_clean(tiny_bundle):
    done = run("predict", "--bundle", tiny_bundle, *CLIPS)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1 + len(CLIPS)
    assert "\033" not in done.stdout


def test_processes_agree_to_the_last_bit(tiny_bundle):
    def predictions():
        results = json.loads(run("predict", "--json", "--bundle", tiny_bundle, *CLIPS).stdout)
        return [
            {k: v for k, v in result.items() if k not in ("timings", "real_time_factor")}
            for result in results
        ]

    assert predictions() == predictions()


def test_a_failing_file_and_bad_usage_show_in_the_exit_code(tiny_bundle, tmp_path):
    done = run("predict", "--bundle", tiny_bundle, tmp_path / "missing.wav", CLIPS[0])
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2 and len(done.stderr.splitlines()) == 1
    assert run("predict").returncode == 2


def test_a_reader_that_leaves_early_sees_no_traceback(tiny_bundle):
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "predict", "--bundle", str(tiny_bundle), *map(str, CLIPS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert stderr == b""


def test_the_installed_script_is_the_same_command():
    script = Path(sys.executable).with_name("edge-ser")
    if not script.exists():
        pytest.skip("the package is not installed in this environment")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version").stdout


def test_sample_clips_are_short_mono_16_khz_pcm16():
    import wave

    assert 4 <= len(CLIPS) <= 6
    for path in CLIPS:
        with wave.open(str(path)) as clip:
            assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (1, 2, 16000)
            assert 2.0 <= clip.getnframes() / 16000 <= 3.1
        assert path.stat().st_size < 100_000


def test_the_script_makes_the_sample_clips_that_are_committed(tmp_path):
    import shutil

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed (make system-deps)")
    version = subprocess.check_output(["espeak-ng", "--version"], text=True)
    if " 1.51 " not in version:
        pytest.skip(f"the clips were made with espeak-ng 1.51, not {version.split('  ')[0]}")
    script = CLIPS[0].parents[1] / "make_clips.py"
    specification = importlib.util.spec_from_file_location("make_clips", script)
    make_clips = importlib.util.module_from_spec(specification)
    sys.modules["make_clips"] = make_clips
    specification.loader.exec_module(make_clips)
    for recipe in make_clips.RECIPES:
        made = edge.read_audio(make_clips.synthesise(recipe, tmp_path))[0]
        committed = edge.read_audio(CLIPS[0].with_name(f"{recipe.name}.wav"))[0]
        assert made.shape == committed.shape
        assert np.abs(made - committed).max() <= 1.5 / 32768  # a rounding apart at most
    assert {recipe.name for recipe in make_clips.RECIPES} == {path.stem for path in CLIPS}
