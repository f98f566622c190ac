"""The comparison of systems: what each is, and what the figures say of it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from edge.bundle import DEFAULT_BUNDLE, Blend
from edge.features import EmotionFeatures
from edge.gender import GenderGate, read_arrays
from edge.labels import LABELS
from tests.edge.bundles import random_gate
from training import ablation, metrics
from training.cache import FeatureCache
from training.corpora import read_corpora
from training.protocol import RELEASE, Protocol


class Opinion:
    """Logits of a fixed random linear map of the mean features."""

    def __init__(self, seed):
        self._weights = np.random.default_rng(seed).normal(size=(40, 8))

    def logits(self, features):
        return (5 * features.mean(axis=0) @ self._weights[: features.shape[1]]).astype(np.float32)


BLEND = Blend(0.98, 94, -50.0, most=0.8)


@pytest.fixture(scope="module")
def material(miniature_corpora, tmp_path_factory):
    clips = read_corpora(miniature_corpora)
    return clips, FeatureCache(tmp_path_factory.mktemp("cache"), progress=False).log_mels(clips)


@pytest.fixture
def systems(material, tmp_path, monkeypatch):
    """Of made-up networks in the place of a run's and of another one's."""
    path = tmp_path / "gender.npz"
    path.write_bytes(random_gate())
    gate = GenderGate.from_arrays(read_arrays(path))
    seeds = {"female": 1, "male": 2, "universal": 3, "second": 4}

    def of_run(run, stages):
        more = 10 if run == "large" else 0
        return ablation.Networks(
            EmotionFeatures(), {stage: Opinion(seeds[stage] + more) for stage in stages},
            dict.fromkeys(stages, 1.0), dict.fromkeys(stages, 1000 + more),
        )

    class Run(str):
        def model_path(self, stage):
            return path

    monkeypatch.setattr(ablation, "_of_run", of_run)
    monkeypatch.setattr(ablation, "_gate_of", lambda run, bundle: (gate, BLEND, 0.4))
    clips, log_mels = material
    return ablation.ask(
        clips, log_mels, Protocol.load(), ("validation", "test"), Run("small"), None, Run("large")
    )


def test_each_system_weighs_the_experts_as_it_is_named(systems):
    answers = systems.probabilities
    women = np.array([clip.gender == "female" for clip in systems.clips])
    assert women.any() and not women.all()
    halves = (answers["oracle"] + answers["swapped"]) / 2
    assert np.allclose(answers["equal"], halves)
    assert not np.allclose(answers["oracle"], answers["swapped"])
    assert all(np.allclose(shares.sum(axis=1), 1) for shares in answers.values())
    alone = answers["alone"]
    assert not np.allclose(alone, answers["soft"])
    own = (answers["oracle"] - 0.2 * (answers["oracle"] + answers["swapped"])) / 0.6
    assert np.allclose(own.sum(axis=1), 1) and own.min() > -1e-9  # 0.8 own + 0.2 other, undone
    assert systems.parameters["both halves"] == 2000
    assert systems.parameters["soft"] == 2000 and systems.parameters["same size"] == 1010


def test_one_window_clips_are_gated_as_the_posterior_says(systems):
    """Of a clip of one window the posterior decides whose answer hard gating gives."""
    answers, female = systems.probabilities, systems.female
    told = np.array([clip.gender == "female" for clip in systems.clips])
    right = (female >= 0.5) == told
    rows = np.where(right[:, None], answers["oracle"], answers["swapped"])
    short = np.isclose(answers["hard"], rows).all(axis=1)
    assert short.mean() > 0.5  # the others have several windows
    sure = (female > 0.98) | (female < 0.02)
    assert np.allclose(answers["soft"][sure & short], answers["hard"][sure & short], atol=0.05)


def test_the_baseline_gains_nothing_over_itself(systems):
    content = ablation.compare(systems)
    json.dumps(content, allow_nan=False)
    by_name = {row["system"]: row for row in content["systems"]}
    assert by_name["soft"]["mean_gain"]["low"] == by_name["soft"]["mean_gain"]["high"] == 0
    for row in content["systems"]:
        for group, base in zip(row["groups"], by_name["soft"]["groups"]):
            assert group["gain_by_clip"]["estimate"] == pytest.approx(group["ua"] - base["ua"])
        mean = np.mean([group["gain_by_clip"]["estimate"] for group in row["groups"]])
        assert row["mean_gain"]["estimate"] == pytest.approx(mean)


def test_the_verdict_says_clearly_only_when_the_interval_does():
    def verdict(estimate, low, high):
        gain = {"estimate": estimate, "low": low, "high": high}
        return ablation._verdict([{"system": "same size", "mean_gain": gain}])

    assert "clearly better than" in verdict(-0.03, -0.05, -0.01)
    assert "clearly worse than" in verdict(0.03, 0.01, 0.05)
    assert "not clearly different" in verdict(0.01, -0.01, 0.03)
    assert "+3.00 points of UA (+1.00 ... +5.00)" in verdict(-0.03, -0.05, -0.01)
    assert "none was asked" in ablation._verdict([])


def test_fairness_is_women_less_men_where_both_speak(systems):
    content = ablation.compare(systems)
    for row in content["fairness"]:
        if row["corpus"] == "savee":
            assert row["female"] is None and row["female_minus_male"] is None
        else:
            gap = row["female_minus_male"]
            assert gap["estimate"] == pytest.approx(row["female"] - row["male"])
            assert gap["low"] <= gap["estimate"] <= gap["high"]


def test_calibration_and_coverage_are_of_all_emotional_clips(systems):
    content = ablation.compare(systems)
    counts = {row["gender"]: row["clips"] for row in content["calibration"]}
    assert counts["all"] == counts["female"] + counts["male"] == len(systems.clips)
    curve = content["coverage"]["curve"]
    assert curve[0]["coverage"] == 1.0
    evaluation = systems.evaluation("soft")
    truth = [LABELS.index(clip.emotion) for clip in systems.clips]
    right = evaluation.probabilities.argmax(axis=1) == truth
    assert curve[0]["accuracy"] == pytest.approx(right.mean())
    shares = [row["coverage"] for row in curve]
    assert shares == sorted(shares, reverse=True)
    sure = evaluation.probabilities.max(axis=1) >= 0.4
    assert content["coverage"]["at_uncertain"]["coverage"] == pytest.approx(sure.mean())


def test_the_tables_show_every_system_and_no_nan(systems):
    text = ablation.format_ablation(ablation.compare(systems))
    for name in ("soft", "hard", "oracle", "swapped", "equal", "alone", "universal", "both halves",
                 "same size"):
        assert f"\n{name} " in text
    assert "nan" not in text and "(uncertain below)" in text


def test_the_shipped_bundle_is_asked_as_the_recogniser_answers(miniature_corpora, tmp_path):
    from edge.recognizer import Recognizer
    from training.__main__ import main
    from training.evaluation import evaluate

    target = tmp_path / "ablation.json"
    assert main([
        "ablation", "--bundle", str(DEFAULT_BUNDLE), "--corpora", str(miniature_corpora),
        "--cache", str(tmp_path / "cache"), "--parts", "validation", "--json", str(target),
    ]) == 0
    system = json.loads(target.read_text())["systems"][0]
    wanted = evaluate(
        Recognizer(), read_corpora(miniature_corpora), Protocol.load(RELEASE), ("validation",),
        progress=False,
    ).emotion("ravdess", "validation")
    assert wanted.clips > 4
    (found,) = [
        group for group in system["groups"]
        if (group["corpus"], group["part"]) == ("ravdess", "validation")
    ]
    assert found["ua"] == pytest.approx(wanted.ua)


def test_nothing_to_ask_is_refused(tmp_path, capsys):
    from training.__main__ import main

    assert main(["ablation", "--corpora", str(tmp_path)]) == 2
    assert "--run RUN, --bundle BUNDLE" in capsys.readouterr().err


class TestMetrics:
    def test_coverage_keeps_the_surest_and_ties_together(self):
        curve = metrics.coverage(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0]))
        assert curve.threshold.tolist() == [0.9, 0.5, 0.1]
        assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
        assert curve.accuracy.tolist() == pytest.approx([1.0, 2 / 3, 0.5])
        assert curve.at(0.6) == (0.25, 1.0)
        assert curve.at(0.95)[0] == 0.0 and math.isnan(curve.at(0.95)[1])

    def test_the_difference_of_independent_groups_has_both_variances(self):
        rng = np.random.default_rng(0)
        truth = rng.integers(2, size=400)
        parts = []
        for seed, share in enumerate((0.9, 0.6)):
            answers = np.where(rng.random(400) < share, truth, 1 - truth)
            parts.append(metrics.resampled(metrics.accuracy, truth, answers, 2, seed=seed))
        found = metrics.difference(parts, (1, -1), "clip")
        assert found.estimate == pytest.approx(parts[0][0] - parts[1][0])
        expected = 1.96 * math.sqrt(0.9 * 0.1 / 400 + 0.6 * 0.4 / 400)
        assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.15)
