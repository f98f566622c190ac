"""What is compared between float and int8, and when the gate breaks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from edge.labels import GENDERS, LABELS
from quantize.gate import judge
from quantize.proof import BOTH_PARTS, WHOLE, WHOLE_TRUE, Proof
from quantize.settings import Thresholds
from quantize.tables import format_proof, format_verdict
from training.corpora import CORPUS_LABELS, Clip
from training.evaluation import Evaluation
from training.protocol import Protocol

CLIPS_EACH = 60  # of a gender and emotion, in validation


def make_evaluation(wrong=(), told_wrong=(), confidence=0.9, seed=0):
    """Answers that are right but for clips numbered `wrong`, and `told_wrong` of the experts."""
    clips, parts = [], []
    for part, count in (("validation", CLIPS_EACH), ("test", 10)):
        for gender in GENDERS:
            for emotion in CORPUS_LABELS["crema-d"]:
                for k in range(count):
                    name = f"{part}-{gender}-{emotion}-{k}"
                    clips.append(Clip("crema-d", name, Path(name), gender, gender, emotion))
                    parts.append(part)
    truth = np.array([LABELS.index(clip.emotion) for clip in clips])
    allowed = np.array([label in CORPUS_LABELS["crema-d"] for label in LABELS])

    def probabilities(mistakes):
        rows = np.where(allowed, (1 - confidence) / (allowed.sum() - 1), 0.0)
        rows = np.tile(rows, (len(clips), 1))
        answers = truth.copy()
        for k in mistakes:
            answers[k] = LABELS.index("sad") if truth[k] != LABELS.index("sad") else 0
        rows[np.arange(len(clips)), answers] = confidence
        return rows

    female = np.array([float(clip.gender == "female") for clip in clips])
    return Evaluation(
        Protocol("test"), tuple(clips), tuple(parts), female, probabilities(wrong),
        probabilities(told_wrong),
    )


def numbered(part, gender, emotion, count):
    """The numbers of the first clips of a cell."""
    clips = make_evaluation().clips
    begin = f"{part}-{gender}-{emotion}-"
    cell = [k for k, clip in enumerate(clips) if clip.name.startswith(begin)]
    return cell[:count]


def compared(int8, exact=None, resamples=200):
    return Proof(exact or make_evaluation(), int8, int8, resamples)


def test_figures_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    exact = make_evaluation(wrong=rng.choice(840, 200, replace=False))
    int8 = make_evaluation(wrong=rng.choice(840, 250, replace=False))
    proof = compared(int8, exact)
    for part in ("validation", "test"):
        chosen = exact.select(part=part)
        truth = np.array([LABELS.index(clip.emotion) for clip in exact.clips])[chosen]
        row = proof.find(WHOLE, part)
        assert row.ua_float == pytest.approx(
            balanced_accuracy_score(truth, exact.probabilities.argmax(axis=1)[chosen])
        )
        answers = int8.probabilities.argmax(axis=1)[chosen]
        assert row.ua_int8 == pytest.approx(balanced_accuracy_score(truth, answers))
        sad = proof.find(WHOLE, part, emotion="sad")
        recalls = recall_score(truth, answers, labels=[LABELS.index("sad")], average=None)
        assert sad.ua_int8 == pytest.approx(recalls[0])
    both = proof.find(WHOLE, BOTH_PARTS)
    same = exact.probabilities.argmax(axis=1) == int8.probabilities.argmax(axis=1)
    assert both.agreement == pytest.approx(same.mean())
    assert both.difference.low <= both.difference.estimate <= both.difference.high
    assert both.difference.estimate == pytest.approx(both.ua_int8 - both.ua_float)


def test_equal_answers_differ_by_nothing():
    row = compared(make_evaluation()).find(WHOLE, "validation")
    assert (row.difference.low, row.difference.high) == (0.0, 0.0)
    assert (row.agreement, row.mean_change, row.largest_change) == (1.0, 0.0, 0.0)


def test_an_expert_is_scored_on_its_own_gender_with_the_gender_told():
    male = numbered("validation", "male", "angry", 6)
    proof = compared(make_evaluation(told_wrong=male))
    assert proof.find("male expert", "validation").agreement < 1.0
    assert proof.find("female expert", "validation").agreement == 1.0
    assert proof.find(WHOLE_TRUE, "validation").agreement < 1.0
    assert proof.find(WHOLE, "validation").agreement == 1.0
    assert proof.find("male expert", "validation").clips == 6 * CLIPS_EACH


def test_changes_of_probabilities_and_calibration_are_reported():
    proof = compared(make_evaluation(confidence=0.6), make_evaluation(confidence=0.9))
    row = proof.find(WHOLE, "test")
    assert row.agreement == 1.0
    assert row.largest_change == pytest.approx(0.3)
    assert row.mean_change == pytest.approx((0.3 + 5 * 0.06) / 8)
    assert row.ece_float == pytest.approx(0.1)
    assert row.ece_after == pytest.approx(0.4)


def verdict(wrong, thresholds=None, parts=("validation", "test")):
    proof = compared(make_evaluation(wrong=wrong, told_wrong=wrong))
    return judge(proof, thresholds or Thresholds(), parts)


def failures(found):
    return {(check.what, check.system, check.part, check.group) for check in found.failures}


def test_nothing_lost_passes():
    found = verdict([])
    assert found.passed and not found.failures
    cells = [check for check in found.checks if check.what == "recall loss"]
    assert {check.part for check in cells} == {"validation"}  # test has 10 clips in each
    assert len(cells) == 2 * 6 + 12  # experts, whole


def test_a_cell_that_loses_too_much_is_named():
    found = verdict(numbered("validation", "female", "angry", 2))  # 2 of 60 are 3.3 points
    assert failures(found) == {
        ("recall loss", "female expert", "validation", "female angry"),
        ("recall loss", WHOLE, "validation", "female angry"),
    }
    assert "female angry (60 clips): recall loss 3.33, allowed at most 3" in format_verdict(found)


def test_a_loss_of_exactly_the_limit_holds():
    lost = numbered("validation", "female", "angry", 3)  # 5 points
    assert verdict(lost, Thresholds(recall_loss=5.0)).passed
    assert not verdict(lost, Thresholds(recall_loss=4.99)).passed


def test_cells_of_few_clips_do_not_count():
    lost = numbered("validation", "female", "angry", 2)
    assert verdict(lost, Thresholds(cell_clips=61)).passed


def test_a_gain_is_no_loss():
    wrong = numbered("validation", "male", "happy", 20)
    worse = make_evaluation(wrong=wrong, told_wrong=wrong)
    proof = Proof(worse, make_evaluation(), make_evaluation(), 50)
    found = judge(proof, Thresholds(agreement=80.0), ("validation",))
    assert found.passed


def test_lost_ua_and_changed_labels_break_the_gate_on_test_speakers_too():
    lost = [k for emotion in CORPUS_LABELS["crema-d"] if emotion != "sad"
            for k in numbered("test", "male", emotion, 1)]
    found = verdict(lost)
    assert ("UA loss", "male expert", "test", "all") in failures(found)
    assert ("agreement", "male expert", "test", "all") in failures(found)
    assert {part for _, _, part, _ in failures(found)} == {"test"}
    assert verdict(lost, parts=("validation",)).passed


def test_the_tables_show_every_group_and_check():
    proof = compared(make_evaluation())
    text = format_proof(proof)
    for group in ("female surprised", "crema-d", "male sad"):
        assert (group in text) == (group != "female surprised")  # CREMA-D has no surprise
    assert format_verdict(judge(proof, Thresholds(), ("test",))).endswith(
        "The gate holds: 6 checks on test."
    )


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Thresholds)])
def test_a_threshold_out_of_range_is_refused(name):
    from edge.errors import SettingsError

    with pytest.raises(SettingsError, match=name):
        Thresholds(**{name: -1})
