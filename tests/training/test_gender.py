"""Fitting the gender gate: what it draws, what it perturbs, and a whole fit on synthetic speech."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SettingsError
from edge.features import FrontEnd, LogMel, relative_db
from edge.gender import Evidence, GenderGate
from tests.synthetic_speech import synthesise
from training.acoustics import band_centres
from training.corpora import Clip, CorpusError
from training.gender import add_arguments
from training.gender import run as run_command
from training.gender.arrays import write_arrays
from training.gender.assessment import recall_by_gender
from training.gender.bottleneck import Crops, warp_matrix
from training.gender.calibration import calibrate
from training.gender.fit import fit_gate, speaker_folds
from training.gender.mixtures import speaker_discriminant
from training.gender.recordings import Recordings
from training.gender.settings import GateSettings

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = GateSettings(
    projection=6,
    hidden=12,
    bottleneck=3,
    steps=60,
    batch=8,
    crop_frames=40,
    components=(1, 2),
    covariances=("diag", "full"),
    frames_per_speaker=200,
    dropout=0.1,
    copies=1,
)


class BySpeaker:
    """A protocol: the last speaker of each gender validates."""

    def part(self, clip):
        return {"3": "validation", "4": "test"}.get(clip.speaker[-1], "train")


@pytest.fixture(scope="module")
def voices():
    """Clips and log-mels of five women and five men, some in a corpus without emotions."""
    front_end = LogMel(FrontEnd())
    clips, log_mels = [], []
    for gender in ("female", "male"):
        for speaker in range(5):
            for take, emotion in enumerate(("neutral", "angry", None)):
                corpus = "ravdess" if emotion else "slr45"
                samples = synthesise(gender, emotion, speaker=speaker, take=take)
                clips.append(
                    Clip(
                        corpus,
                        f"{gender}{speaker}{take}",
                        Path("x"),
                        f"{gender[0]}{speaker}",
                        gender,
                        emotion,
                    )
                )
                log_mels.append(relative_db(front_end(samples)).astype(np.float16))
    return clips, log_mels


@pytest.fixture(scope="module")
def fit(voices):
    pytest.importorskip("tensorflow")
    return fit_gate(*voices, BySpeaker(), SMALL, progress=False, test=True)


def recordings(voices, settings=SMALL):
    return Recordings(*voices, settings, FrontEnd(), progress=False)


def test_band_centres_are_linear_and_then_logarithmic():
    centres = band_centres(FrontEnd())
    steps = np.diff(centres[1:40])
    assert steps == pytest.approx(23.4, abs=4)
    assert np.diff(np.log(centres[60:])) == pytest.approx(np.log(6.4) / 27 * 45.245 / 129, rel=0.2)


def test_batches_hold_as_many_women_as_men(voices):
    data = recordings(voices)
    women = [i for i, t in enumerate(data.targets) if t == 1]
    few_men = [i for i, t in enumerate(data.targets) if t == 0][:2]
    crops = Crops(data, women + few_men, SMALL)
    x, votes, targets = crops.draw()
    assert x.shape == (8, 40, 128) and x.dtype == np.float32
    assert targets.mean() == 0.5
    assert (votes.sum(axis=1) > 0).all()


def test_speakers_of_one_gender_alone_are_refused(voices):
    data = recordings(voices)
    with pytest.raises(CorpusError, match="both genders"):
        Crops(data, np.flatnonzero(data.targets == 1), SMALL)


def test_silence_is_left_out(voices):
    clips, log_mels = voices
    silent = [np.full((30, 128), -80, np.float16)]
    data = Recordings(
        clips[:2] + clips[:1], log_mels[:2] + silent, SMALL, FrontEnd(), progress=False
    )
    assert len(data.clips) == 2


def test_a_warp_moves_a_peak_up_or_down():
    centres = band_centres(FrontEnd())
    x = -0.01 * (np.arange(128.0) - 60) ** 2
    for factor in (0.9, 1.0, 1.1):
        peak = (x @ warp_matrix(centres, factor)).argmax()
        assert centres[peak] == pytest.approx(centres[60] / factor, rel=0.03)


def test_without_noise_and_equaliser_a_crop_is_unchanged(voices):
    still = dataclasses.replace(SMALL, equaliser_db=0.0, noise_db=(-200.0, -200.0))
    data = recordings(voices)
    x = np.maximum(np.stack([data.spans[0][:20]] * 8), -80)
    crops = Crops(data, range(len(data.clips)), still)
    np.testing.assert_allclose(crops.perturb(x), x, atol=1e-3)


def test_the_noise_floor_only_adds(voices):
    noisy = dataclasses.replace(SMALL, equaliser_db=0.0, noise_db=(-30.0, -30.0))
    data = recordings(voices)
    x = np.stack([data.spans[0][:20]] * 8)
    assert (Crops(data, range(len(data.clips)), noisy).perturb(x) >= x - 1e-3).all()


def test_calibration_finds_the_truth_it_was_drawn_from():
    random = np.random.default_rng(0)
    targets = random.integers(0, 2, 4000)
    counts = random.integers(5, 200, 4000)
    # The mean ratio is +-1 around 0.3: a speaker's own variance, and one that falls with frames.
    variance = 0.5 + 20.0 / counts
    means = 0.3 + (2 * targets - 1) + np.sqrt(variance) * random.standard_normal(4000)
    evidence = [Evidence(m * n, int(n)) for m, n in zip(means, counts)]
    slope, bias, saturation = calibrate(evidence, targets, np.ones(4000))
    assert slope == pytest.approx(2 / 0.5, rel=0.2)
    assert bias == pytest.approx(0.3, abs=0.08)
    assert saturation == pytest.approx(20.0 / 0.5, rel=0.6)


def test_recall_names_what_is_absent():
    report = recall_by_gender(np.array([1, 1, 1, 1]), np.array([0.9, 0.8, 0.2, 0.7]))
    assert report == {"clips": 4, "female": 75.0, "male": None, "uar": None}


def test_a_fit_tells_synthetic_women_from_men(fit):
    assert fit.report["all"]["test"]["emotional"]["uar"] == 100.0


def test_a_fit_reports_both_roads(fit):
    assert fit.report["slr45"]["training_clips"] == 6
    assert fit.report["all"]["training_clips"] == 18
    for road in ("slr45", "all"):
        report = fit.report[road]
        assert len(report["mixtures"]) == 4
        assert set(report["validation"]["corpora"]) == {"ravdess", "slr45"}
        assert set(report["validation"]["emotions"]) == {"neutral", "angry"}
    json.dumps(fit.report)


def test_the_discriminant_finds_what_tells_speakers_apart():
    random = np.random.default_rng(0)
    places = 5 * random.standard_normal((6, 1)) * [0, 1, 0]  # they differ along the second axis
    spread = np.array([6.0, 2.0, 1.0])  # of one speaker's frames along each
    speakers = {
        str(k): place + spread * random.standard_normal((500, 3)) for k, place in enumerate(places)
    }
    arrays = speaker_discriminant(speakers, 2)
    weights, biases = arrays["discriminant_weights"], arrays["discriminant_biases"]
    along = np.abs(weights[:, 0]) * spread
    assert along[1] > 10 * max(along[0], along[2])
    projected = [x @ weights + biases for x in speakers.values()]
    assert np.mean([x.std(axis=0) for x in projected], axis=0) == pytest.approx([1, 1], rel=0.1)
    assert np.concatenate(projected).mean(axis=0) == pytest.approx([0, 0], abs=1e-3)


def test_there_are_no_more_directions_than_speakers_allow():
    speakers = {name: np.random.default_rng(0).standard_normal((50, 5)) for name in "ab"}
    assert speaker_discriminant(speakers, 4)["discriminant_weights"].shape == (5, 1)


def test_the_same_seed_gives_the_same_bytes(voices, fit, tmp_path):
    again = fit_gate(*voices, BySpeaker(), SMALL, progress=False)
    write_arrays(tmp_path / "a.npz", fit.arrays)
    write_arrays(tmp_path / "b.npz", dict(reversed(again.arrays.items())))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_command_writes_a_gate_that_edge_loads(miniature_corpora, tmp_path, capsys):
    pytest.importorskip("tensorflow")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(
        ["--corpora", str(miniature_corpora), "--run", str(tmp_path / "run"), "--steps", "5"]
    )
    assert run_command(arguments, SMALL) == 0
    gate = GenderGate.load(tmp_path / "run" / "gender.npz")
    assert 0 <= gate.posterior(gate.evidence(np.zeros((20, 128), np.float32))) <= 1
    report = json.loads((tmp_path / "run" / "gender.json").read_text())
    assert report["chosen"] in ("slr45", "all")
    assert "UAR" in capsys.readouterr().out


def test_a_setting_is_changed_by_name():
    changed = SMALL.changed(["voicing.range_db=30.0", "context=[-1, 0, 1]", "pooled=false"])
    assert changed.voicing == dataclasses.replace(SMALL.voicing, range_db=30.0)
    assert (changed.context, changed.pooled, changed.hidden) == ((-1, 0, 1), False, SMALL.hidden)


@pytest.mark.parametrize(
    "assignment", ["nothing=1", "hidden", "hidden=many", "voicing=1", "a.b=1", "hidden=0.5"]
)
def test_a_setting_that_is_none_is_refused(assignment):
    with pytest.raises(SettingsError):
        SMALL.changed([assignment])


def test_folds_part_the_training_speakers_evenly(voices):
    data = recordings(voices)
    folds = speaker_folds(data, range(len(data.clips)))
    assert set(folds) == set(data.speakers)
    sizes = np.bincount(list(folds.values()), minlength=5)
    assert sizes.max() - sizes.min() <= 1


def test_a_held_out_fold_is_scored_and_not_trained_on(voices):
    pytest.importorskip("tensorflow")
    few = dataclasses.replace(SMALL, steps=2, components=(1,), covariances=("diag",))
    report = fit_gate(*voices, BySpeaker(), few, progress=False, roads=["all"], hold_out=0).report
    whole = report["all"]["training_clips"] + sum(
        row["clips"] for row in report["all"]["held_out"]["corpora"].values()
    )
    assert "slr45" not in report
    assert 0 < report["all"]["training_clips"] < whole == 18
