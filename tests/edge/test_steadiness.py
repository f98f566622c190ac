from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import lfilter

from edge.steadiness import LEAD, SMOOTHING_SECONDS, SteadyEmotion

ANGRY = np.array([0.1, 0.6, 0.3])
SAD = np.array([0.1, 0.3, 0.6])

distributions = arrays(np.float64, (25, 3), elements=st.floats(0.01, 1.0)).map(
    lambda rows: rows / rows.sum(axis=1, keepdims=True)
)


def labels_of(rows, interval=0.5) -> tuple[list[int], list[float]]:
    """The label after each decision, and where it changed."""
    steady, labels, changes = SteadyEmotion(), [], []
    for number, row in enumerate(rows, start=1):
        change = steady.update(np.asarray(row), number * interval, number * interval - 1.5)
        labels.append(steady.label)
        if change is not None:
            changes.append(change)
    return labels, changes


@given(rows=distributions, interval=st.sampled_from([0.1, 0.5, 2.0]))
def test_probabilities_are_smoothed_exponentially(rows, interval):
    steady, smoothed = SteadyEmotion(), []
    for number, row in enumerate(rows):
        steady.update(row, number * interval, number * interval)
        smoothed.append(steady.probabilities)
    keep = np.exp(-interval / SMOOTHING_SECONDS)
    expected, _ = lfilter([1 - keep], [1, -keep], rows, axis=0, zi=keep * rows[:1])
    np.testing.assert_allclose(smoothed, expected, atol=1e-12)
    np.testing.assert_allclose(np.sum(smoothed, axis=1), 1.0)


@given(rows=distributions)
def test_the_label_leads_or_trails_by_no_more_than_the_lead(rows):
    steady = SteadyEmotion()
    for number, row in enumerate(rows):
        before = steady.label
        changed = steady.update(row, 0.5 * number, 0.5 * number) is not None
        assert changed == (before not in (-1, steady.label))
        assert steady.probabilities.max() - steady.probabilities[steady.label] < LEAD
        if changed:
            assert steady.label == np.argmax(steady.probabilities)


def test_two_emotions_that_take_turns_do_not_make_the_label_flicker():
    assert labels_of([ANGRY, SAD] * 20)[0] == [1] * 40
    nearly = [0.1, 0.46, 0.44], [0.1, 0.44, 0.46]
    assert labels_of(nearly * 20)[0] == [1] * 40


def test_an_emotion_that_stays_takes_over():
    labels, changes = labels_of([ANGRY] * 10 + [SAD] * 10)
    assert labels == [1] * 12 + [2] * 8
    # Where the window that made it lead has its middle.
    assert changes == [pytest.approx(12 * 0.5 - 1.5)]
    sure = labels_of([[0.0, 1.0, 0.0]] * 10 + [[0.0, 0.0, 1.0]] * 10)[0]
    assert sure == [1] * 11 + [2] * 9


def test_one_outlier_changes_nothing():
    assert labels_of([ANGRY] * 6 + [SAD] + [ANGRY] * 6) == ([1] * 13, [])


def test_without_smoothing_and_lead_the_label_is_that_of_each_decision():
    steady = SteadyEmotion(smoothing=1e-9, lead=0.0)
    for number, row in enumerate([ANGRY, SAD, SAD, ANGRY, ANGRY], start=1):
        before = steady.label
        change = steady.update(row, 0.5 * number, 0.5 * number)
        assert steady.label == np.argmax(row)
        assert (change is not None) == (before not in (-1, steady.label))


def test_a_lead_that_was_lost_again_does_not_date_the_change():
    nearly_sad = [0.1, 0.44, 0.46]
    _, changes = labels_of([*[nearly_sad] * 8, *[ANGRY] * 8, *[nearly_sad] * 12])
    assert all(a < b for a, b in zip(changes, changes[1:]))
    for change in changes:
        assert change > 8 * 0.5 - 1.5
