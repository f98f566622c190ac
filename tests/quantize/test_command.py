"""`python -m quantize` from a run to a bundle, or to a refusal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.bundle import Bundle
from edge.recognizer import Recognizer
from tests.quantize.tiny import LENIENT, PLAN, contents
from training.corpora import read_corpora
from training.evaluation import evaluate
from training.protocol import RELEASE, Protocol


@pytest.fixture(scope="module")
def quantization(bundle):
    return json.loads((bundle / "quantization.json").read_text())


def test_a_bundle_holds_what_the_architecture_names_and_loads(bundle):
    assert {path.name for path in bundle.iterdir()} == {
        "manifest.json", "gender.npz", "female.tflite", "male.tflite", "quantization.json",
        "CARD.md",
    }
    loaded = Bundle.load(bundle)
    assert loaded.name == "released"
    assert loaded.manifest["quantization"]["passed"] is True
    assert loaded.manifest["quantization"]["thresholds"]["agreement"] == 90.0
    assert loaded.manifest["licence"]["weights"] == "CC-BY-NC-SA-4.0"


def test_the_metrics_of_the_manifest_are_what_the_bundle_scores(bundle, tiny_corpora):
    evaluation = evaluate(
        Recognizer(bundle), read_corpora(tiny_corpora), Protocol.load(RELEASE), progress=False
    )
    metrics = Bundle.load(bundle).metrics
    assert metrics["protocol"] == "release"
    assert len(metrics["emotion"]) == 4
    for row in metrics["emotion"]:
        scores = evaluation.emotion(row["corpus"], row["part"])
        assert row["clips"] == scores.clips
        assert row["ua"] == pytest.approx(scores.ua, abs=1e-6)
        assert row["macro_f1"] == pytest.approx(scores.macro_f1, abs=1e-6)


def test_the_proof_is_that_of_the_files_that_were_written(bundle, tiny_corpora, quantization):
    evaluation = evaluate(
        Recognizer(bundle), read_corpora(tiny_corpora), Protocol.load(RELEASE), progress=False
    )
    female = evaluation.select(part="validation", gender="female", emotional=True)
    row = next(
        row for row in quantization["proof"]["comparisons"]
        if (row["system"], row["part"]) == ("female expert", "validation")
        and not {"corpus", "gender", "emotion"} & set(row)
    )
    assert row["clips"] == female.sum()
    assert 0.9 < row["agreement"] <= 1.0


def test_every_figure_of_the_card_is_in_the_proof(bundle, quantization):
    card = (bundle / "CARD.md").read_text()
    whole = [
        row for row in quantization["proof"]["comparisons"]
        if not {"corpus", "gender", "emotion"} & set(row)
    ]
    assert len(whole) == 4 * 3  # systems; validation, test and both
    for row in whole:
        cells = [row["system"], row["part"], str(row["clips"])]
        cells += [f"{100 * row[name]:.2f}" for name in ("ua_float", "ua_int8")]
        assert f"| {' | '.join(cells)} |" in card
    for variant in quantization["chosen"].values():
        assert str(variant["multiply_accumulates"]) in card
    assert "not for commercial use" in card


def test_no_path_of_this_machine_is_in_a_bundle(bundle, tiny_run, tiny_corpora):
    for path in bundle.iterdir():
        content = path.read_bytes()
        for place in (tiny_run.parent, tiny_corpora.parent, Path.home(), Path(__file__).parents[2]):
            if len(str(place)) > 1:
                assert str(place).encode() not in content, path.name


def test_the_report_is_one_page_with_its_pictures_inside(bundle, tiny_run):
    page = (tiny_run / "quantize" / "report.html").read_text()
    assert page.count("<img ") >= 8
    assert not re.search(r'(src|href)="(?!data:image/png;base64,)', page)
    assert 'class="holds"' in page


def test_the_same_run_gives_the_same_bytes_in_another_process(
    bundle, run_copy, tiny_corpora, tiny_cache, tmp_path
):
    again = tmp_path / "again" / "released"
    done = subprocess.run(
        [sys.executable, "-m", "quantize", run_copy, "--out", again, "--corpora", tiny_corpora,
         "--cache", tiny_cache, "--quiet", "--method", "ptq", *LENIENT, "--set", *PLAN],
        cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    assert contents(again) == contents(bundle)


def test_a_ruined_expert_is_refused_with_its_cells_named_and_the_old_bundle_stays(
    tiny_run, quantize_command, old_bundle, capsys
):
    before = contents(old_bundle)
    code = quantize_command(
        tiny_run, old_bundle, "--method", "ptq", "--cell-clips", "1", "--report",
        str(old_bundle.parent / "ruin.html"), settings=["weight_bits=3"],
    )
    said = capsys.readouterr().out
    assert code == 1
    verdict = said[said.index("The gate is broken by"):]
    assert re.search(r"(female|male) (angry|sad|happy|calm|neutral|fearful|disgust|surprised) "
                     r"\(\d+ clips\): recall loss", verdict)
    assert "agreement" in verdict
    assert "signal to quantization noise" in said
    assert contents(old_bundle) == before
    assert [path.name for path in old_bundle.parent.iterdir() if path.name.startswith(".")] == []
    assert 'class="broken"' in (old_bundle.parent / "ruin.html").read_text()


def test_thresholds_are_options_and_are_written_down(tiny_run, quantize_command, tmp_path):
    out = tmp_path / "lenient"
    assert quantize_command(
        tiny_run, out, "--method", "ptq", "--ua-loss", "9", "--gate-parts", "validation",
        "--version", "1.2.3", "--name", "other",
    ) == 0
    loaded = Bundle.load(out)
    assert (loaded.name, loaded.version) == ("other", "1.2.3")
    assert loaded.manifest["quantization"]["thresholds"]["ua_loss"] == 9.0
    assert loaded.manifest["quantization"]["parts"] == ["validation"]


def test_a_budget_that_no_expert_meets_is_an_error(tiny_run, quantize_command, tmp_path, capsys):
    assert quantize_command(
        tiny_run, tmp_path / "out", "--method", "ptq", "--size-budget", "1000"
    ) == 2
    assert "--size-budget" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--agreement", "101"], "agreement"),
        (["--cell-clips", "0"], "cell_clips"),
        (["--set", "weight_bits=9"], "weight_bits"),
        (["--set", "qat_epochs=many"], "qat_epochs=many"),
        (["--set", "colour=1"], "colour"),
    ],
)
def test_a_bad_setting_is_named(options, named, tmp_path, capsys):
    from quantize.__main__ import main

    assert main(["run", "--out", str(tmp_path / "o"), "--corpora", "c", *options]) == 2
    assert named in capsys.readouterr().err
