"""What cannot be quantized is refused with the reason, and the old bundle stays."""

from __future__ import annotations

import errno
import json
import warnings

import numpy as np
import pytest

from quantize.errors import QuantizeError
from tests.quantize.tiny import contents
from training.run import Run


@pytest.fixture
def refused(quantize_command, run_copy, old_bundle, capsys):
    """The function `refused(*options)`: the message of a refusal that left the old bundle whole."""
    before = contents(old_bundle)

    def command(*options):
        code = quantize_command(run_copy, old_bundle, "--method", "ptq", *options)
        message = capsys.readouterr().err
        assert code == 2, message
        assert contents(old_bundle) == before
        assert "Traceback" not in message
        return message

    return command


def change_expert(folder, gender, change):
    """Saves a run's expert again after `change(model)`, which may return another."""
    run = Run(folder)
    model = run.expert(gender)
    model = change(model) or model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(run.model_path(gender), include_optimizer=False)


def change_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_run_that_is_not_there(refused, run_copy):
    run_copy.rename(run_copy.with_name("elsewhere"))
    assert "there is no run" in refused()


def test_a_run_without_an_expert(refused, run_copy):
    (run_copy / "male.h5").unlink()
    assert "has no male.h5: its training did not finish" in refused()


def test_a_run_with_a_damaged_expert(refused, run_copy):
    path = run_copy / "female.h5"
    path.write_bytes(path.read_bytes()[:2000])
    assert "female.h5 cannot be read" in refused()


def test_a_run_without_a_gate(refused, run_copy):
    (run_copy / "gender.npz").unlink()
    assert "python -m training gender" in refused()


def test_a_run_with_damaged_prosody(refused, run_copy):
    (run_copy / "prosody.npz").write_bytes(b"torn")
    message = refused()
    assert "prosody.npz cannot be read" in message and "training prosody" in message


def test_experts_of_other_labels(refused, run_copy):
    def swap(features):
        labels = features["labels"]["male"]
        labels[0], labels[1] = labels[1], labels[0]

    change_json(run_copy / "features.json", swap)
    message = refused()
    assert "the experts' labels differ" in message
    assert "male calm, neutral" in message


def test_experts_of_fewer_labels(refused, run_copy):
    def shorten(features):
        for gender in ("female", "male"):
            del features["labels"][gender][-1]

    change_json(run_copy / "features.json", shorten)
    assert "instead of neutral, calm" in refused()


def test_an_expert_for_other_features(refused, run_copy):
    def widen(features):
        features["emotion_features"]["n_mfcc"] = 14
        features["emotion_features"]["scale"].append(1.0)

    change_json(run_copy / "features.json", widen)
    assert "female.h5 takes (96, 13, 1), where features.json gives (96, 14, 1)" in refused()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_not_finite(refused, run_copy, value):
    def spoil(model):
        weights = model.get_weights()
        weights[0].flat[3] = value
        model.set_weights(weights)

    change_expert(run_copy, "female", spoil)
    message = refused()
    assert "female.h5: 1 of" in message
    assert "not finite" in message


def test_a_run_of_another_split(refused, run_copy):
    change_json(run_copy / "config.json", lambda config: config.update(protocol="0" * 64))
    assert "another protocol than release.json" in refused()


def test_training_speakers_of_one_gender_only(tiny_run, old_bundle, tmp_path, capsys):
    from quantize.__main__ import main
    from tests.miniature_corpora import write_ravdess

    write_ravdess(tmp_path / "corpora" / "ravdess", actors=(1, 3, 2, 15))
    before = contents(old_bundle)
    code = main([str(tiny_run), "--out", str(old_bundle), "--corpora", str(tmp_path / "corpora"),
                 "--cache", str(tmp_path / "cache"), "--quiet"])
    assert code == 2
    assert "the representative set has no female speaker" in capsys.readouterr().err
    assert contents(old_bundle) == before


def test_validation_speakers_of_one_gender_only(tiny_run, old_bundle, tmp_path, capsys):
    from quantize.__main__ import main
    from tests.miniature_corpora import write_ravdess

    write_ravdess(tmp_path / "corpora" / "ravdess", actors=(1, 4, 15))
    code = main([str(tiny_run), "--out", str(old_bundle), "--corpora", str(tmp_path / "corpora"),
                 "--cache", str(tmp_path / "cache"), "--quiet"])
    assert code == 2
    assert "no validation speaker is female" in capsys.readouterr().err


def test_corpora_that_are_not_there(tiny_run, old_bundle, tmp_path, capsys):
    from quantize.__main__ import main

    code = main([str(tiny_run), "--out", str(old_bundle), "--corpora", str(tmp_path / "none")])
    assert code == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_disk_that_fills_up_while_the_bundle_is_written(refused, monkeypatch):
    from quantize import bundle_writer

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle_writer.os, "fsync", full)
    assert "No space left on device" in refused("--ua-loss", "9", "--agreement", "80")


def test_a_disk_that_fills_up_while_a_variant_is_kept(tmp_path, monkeypatch):
    from pathlib import Path

    from quantize.variants import _keep

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(QuantizeError, match="male-ptq.tflite cannot be kept.*No space left"):
        _keep(tmp_path / "male-ptq.tflite", b"model")
