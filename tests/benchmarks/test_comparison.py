"""A figure counts only if the output is right."""

from __future__ import annotations

import pytest

from benchmarks.comparison import Comparison, distance


class Stopwatch:
    """In place of pytest-benchmark's fixture: calls, and remembers how."""

    def __init__(self):
        self.group = None
        self.extra_info = {}
        self.calls = []

    def __call__(self, call):
        self.calls.append("calibrated")
        return call()

    def pedantic(self, call, rounds, warmup_rounds):
        self.calls.append(rounds)
        return call()


def right(output):
    assert output == 42
    return "it is 42"


def test_a_right_output_is_timed_and_described():
    stopwatch = Stopwatch()
    Comparison(stopwatch)("Sums", "edge", lambda: 42, right, baseline=True, note="by hand")
    assert stopwatch.calls == ["calibrated"]
    assert stopwatch.group == "Sums"
    assert stopwatch.extra_info == {
        "entry": "edge", "baseline": True, "finding": "it is 42", "note": "by hand",
    }


def test_rounds_that_are_given_are_kept_to():
    stopwatch = Stopwatch()
    Comparison(stopwatch)("Sums", "edge", lambda: 42, right, rounds=7)
    assert stopwatch.calls == [7]


def test_a_wrong_output_fails_before_anything_is_timed():
    stopwatch = Stopwatch()
    with pytest.raises(AssertionError):
        Comparison(stopwatch)("Sums", "edge", lambda: 41, right)
    assert stopwatch.calls == []


def test_an_output_that_turns_wrong_while_it_is_timed_fails():
    outputs = iter((42, 41))
    with pytest.raises(AssertionError):
        Comparison(Stopwatch())("Sums", "edge", lambda: next(outputs), right)


def test_a_check_that_finds_nothing_fails():
    with pytest.raises(AssertionError, match="checked nothing"):
        Comparison(Stopwatch())("Sums", "edge", lambda: 42, lambda output: "")


def test_distances_read_as_words():
    assert distance(0.0, "librosa") == "equal to librosa"
    assert distance(0.00025, "librosa", " dB") == "at most 2.5e-04 dB from librosa"
