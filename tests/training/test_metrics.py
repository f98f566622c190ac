from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from training import metrics


@pytest.fixture(params=range(6))
def answered(request):
    """Truth, answers and the number of classes: even, skewed, and with classes that are lacking."""
    rng = np.random.default_rng(request.param)
    classes = 8
    true_among = [range(8), (0, 2, 5), (3,)][request.param % 3]
    answered_among = [range(8), (0, 1, 2)][request.param // 3]
    truth = rng.choice(true_among, 200, p=rng.dirichlet(np.ones(len(true_among))))
    guesses = rng.choice(answered_among, 200)
    return truth, np.where(rng.random(200) < 0.4, truth, guesses), classes


class TestAgainstScikitLearn:
    def test_the_confusion_matrix(self, answered):
        truth, answers, classes = answered
        np.testing.assert_array_equal(
            metrics.confusion_matrix(truth, answers, classes),
            sklearn_metrics.confusion_matrix(truth, answers, labels=range(classes)),
        )

    def test_recall_precision_and_f1_of_each_class(self, answered):
        truth, answers, classes = answered
        confusion = metrics.confusion_matrix(truth, answers, classes)
        there = np.unique(truth)
        precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
            truth, answers, labels=there, zero_division=0
        )
        np.testing.assert_allclose(metrics.recalls(confusion)[there], recall)
        np.testing.assert_allclose(metrics.precisions(confusion)[there], precision)
        np.testing.assert_allclose(metrics.f1_scores(confusion)[there], f1)

    def test_the_measures_over_the_classes_that_have_examples(self, answered):
        truth, answers, classes = answered
        confusion = metrics.confusion_matrix(truth, answers, classes)
        there = np.unique(truth)
        expected = {
            metrics.unweighted_average_recall: sklearn_metrics.recall_score(
                truth, answers, labels=there, average="macro"
            ),
            metrics.accuracy: sklearn_metrics.accuracy_score(truth, answers),
            metrics.macro_f1: sklearn_metrics.f1_score(
                truth, answers, labels=there, average="macro", zero_division=0
            ),
        }
        for measure, value in expected.items():
            assert measure(confusion) == pytest.approx(value), measure.__name__

    def test_the_calibration_curve(self):
        from sklearn.calibration import calibration_curve

        rng = np.random.default_rng(1)
        confidence = rng.random(500)
        correct = rng.random(500) < confidence**2
        curve = metrics.reliability(confidence, correct, bins=10)
        accuracy, mean_confidence = calibration_curve(correct, confidence, n_bins=10)
        np.testing.assert_allclose(curve.accuracy, accuracy)
        np.testing.assert_allclose(curve.confidence, mean_confidence)


class TestClassesWithoutExamples:
    confusion = np.array([[3, 1, 0], [0, 0, 0], [2, 0, 4]])

    def test_have_no_recall_and_no_f1(self):
        assert np.isnan(metrics.recalls(self.confusion)[1])
        assert np.isnan(metrics.f1_scores(self.confusion)[1])

    def test_are_left_out_of_the_means(self):
        expected = (3 / 4 + 4 / 6) / 2
        assert metrics.unweighted_average_recall(self.confusion) == pytest.approx(expected)

    def test_no_examples_at_all_are_no_measure(self):
        nothing = np.zeros((3, 3))
        for measure in (
            metrics.unweighted_average_recall,
            metrics.accuracy,
            metrics.macro_f1,
        ):
            assert np.isnan(measure(nothing))


class TestRestriction:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.0, 1.0, 0.0]])

    def test_gives_the_distribution_over_the_remaining_classes(self):
        np.testing.assert_allclose(
            metrics.restrict(self.probabilities, [0, 2]),
            [[5 / 7, 0, 2 / 7], [1 / 8, 0, 7 / 8], [0.5, 0, 0.5]],
        )

    def test_to_all_classes_changes_nothing(self):
        np.testing.assert_allclose(
            metrics.restrict(self.probabilities, [0, 1, 2]), self.probabilities
        )


class TestReliability:
    def test_is_without_error_when_confidence_is_the_share_of_right_answers(self):
        confidence = np.repeat([0.25, 0.5, 1.0], 4)
        correct = [1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1]
        assert metrics.reliability(confidence, correct).expected_calibration_error == 0

    def test_error_is_the_mean_gap_weighted_by_answers(self):
        curve = metrics.reliability([0.9, 0.9, 0.9, 0.35], [1, 0, 0, 1], bins=10)
        expected = (3 * abs(1 / 3 - 0.9) + abs(1 - 0.35)) / 4
        assert curve.expected_calibration_error == pytest.approx(expected)

    def test_every_confidence_from_0_to_1_has_its_bin(self):
        curve = metrics.reliability([0.0, 0.2, 0.2000001, 1.0], [0, 0, 0, 0], bins=5)
        assert curve.counts.tolist() == [2, 1, 0, 0, 1]

    def test_of_nothing_has_no_error(self):
        assert np.isnan(metrics.reliability([], []).expected_calibration_error)


class TestBootstrap:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 400)
    answers = np.where(rng.random(400) < 0.8, truth, 1 - truth)

    def test_of_accuracy_has_the_width_of_the_binomial(self):
        found = metrics.bootstrap(metrics.accuracy, self.truth, self.answers, 2, resamples=4000)
        share = (self.truth == self.answers).mean()
        half = 1.96 * np.sqrt(share * (1 - share) / 400)
        assert found.estimate == pytest.approx(share)
        assert found.low == pytest.approx(share - half, abs=0.006)
        assert found.high == pytest.approx(share + half, abs=0.006)

    def test_agrees_with_resampling_clip_by_clip(self):
        found = metrics.bootstrap(metrics.macro_f1, self.truth, self.answers, 2)
        rng = np.random.default_rng(9)
        drawn = []
        for _ in range(1000):
            chosen = rng.integers(0, 400, 400)
            drawn.append(
                sklearn_metrics.f1_score(self.truth[chosen], self.answers[chosen], average="macro")
            )
        low, high = np.quantile(drawn, (0.025, 0.975))
        assert found.low == pytest.approx(low, abs=0.008)
        assert found.high == pytest.approx(high, abs=0.008)

    def test_a_system_gains_nothing_on_itself(self):
        found = metrics.bootstrap(
            metrics.accuracy, self.truth, self.answers, 2, baseline=self.answers
        )
        assert (found.estimate, found.low, found.high) == (0, 0, 0)

    def test_pairing_is_tighter_than_two_separate_intervals(self):
        better = self.answers.copy()
        better[:20] = self.truth[:20]
        gain = metrics.bootstrap(metrics.accuracy, self.truth, better, 2, baseline=self.answers)
        alone = metrics.bootstrap(metrics.accuracy, self.truth, better, 2)
        assert gain.estimate == pytest.approx(
            (better == self.truth).mean() - (self.answers == self.truth).mean()
        )
        assert gain.high - gain.low < 0.5 * (alone.high - alone.low)

    def test_speakers_that_are_all_right_or_all_wrong_widen_the_interval(self):
        speakers = np.repeat(np.arange(20), 20)
        answers = np.where(speakers < 15, self.truth, 1 - self.truth)
        by_clip = metrics.bootstrap(metrics.accuracy, self.truth, answers, 2)
        by_speaker = metrics.bootstrap(metrics.accuracy, self.truth, answers, 2, speakers=speakers)
        assert (by_clip.resampled, by_speaker.resampled) == ("clip", "speaker")
        assert by_speaker.estimate == by_clip.estimate
        # The standard error of a share grows by the square root of the clips of a speaker.
        assert by_speaker.high - by_speaker.low > 3 * (by_clip.high - by_clip.low)

    def test_the_same_seed_gives_the_same_interval(self):
        first, second, other = (
            metrics.bootstrap(metrics.accuracy, self.truth, self.answers, 2, seed=seed)
            for seed in (1, 1, 2)
        )
        assert first == second != other
