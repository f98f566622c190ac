"""Measures of classification, in pure numpy.

Most are functions of a confusion matrix, (..., classes, classes): rows are the truth, columns the
answers. Leading axes are other experiments, such as the resamples of a bootstrap.

A class without a single true example has no recall: it is NaN there, and means leave it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES_AT_ONCE = 200


def confusion_matrix(truth: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """Counts (classes, classes) int64 of (n,) true and (n,) answered classes, numbered from 0."""
    pairs = np.asarray(truth, np.int64) * classes + np.asarray(answers, np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def recalls(confusion: np.ndarray) -> np.ndarray:
    """Share of each class's examples that were answered right, (..., classes); NaN without any."""
    return _ratio(_hits(confusion), confusion.sum(axis=-1))


def precisions(confusion: np.ndarray) -> np.ndarray:
    """Share of right ones among the answers of each class, (..., classes); 0 where it never was."""
    return np.nan_to_num(_ratio(_hits(confusion), confusion.sum(axis=-2)))


def f1_scores(confusion: np.ndarray) -> np.ndarray:
    """Harmonic mean of each class's recall and precision, (..., classes); NaN without examples."""
    examples, answers = confusion.sum(axis=-1), confusion.sum(axis=-2)
    return np.where(examples > 0, _ratio(2 * _hits(confusion), examples + answers), np.nan)


def unweighted_average_recall(confusion: np.ndarray) -> np.ndarray:
    """UA: the mean of the recalls of the classes that have examples, (...); NaN without any."""
    return _mean_of_known(recalls(confusion))


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """WA: the share of right answers, (...); NaN without examples."""
    return _ratio(_hits(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """The mean of the F1 of the classes that have examples, (...); NaN without any."""
    return _mean_of_known(f1_scores(confusion))


def restrict(probabilities: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Probabilities (n, all) given that the answer is one of `classes`; the others become 0.

    Where `classes` have no probability at all, they share it evenly.
    """
    kept = np.zeros_like(probabilities, dtype=np.float64)
    kept[:, classes] = probabilities[:, classes]
    total = kept.sum(axis=1, keepdims=True)
    even = np.zeros(probabilities.shape[1])
    even[classes] = 1.0 / len(classes)
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), even)


@dataclass(frozen=True)
class Reliability:
    """How often answers of one confidence are right, by equal bins of confidence from 0 to 1.

    `confidence` and `accuracy` are (bins,) means, NaN in empty bins; `counts` is (bins,) int64.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray

    @property
    def expected_calibration_error(self) -> float:
        """The mean of |accuracy - confidence| of the answers' bins (Guo et al. 2017, eq. 3)."""
        if not self.counts.sum():
            return float("nan")
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float((gaps * self.counts).sum() / self.counts.sum())


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> Reliability:
    """The reliability of answers with (n,) `confidence` in [0, 1], (n,) `correct` or not.

    Bin b holds confidences above b / bins up to (b + 1) / bins.
    """
    confidence = np.asarray(confidence, np.float64)
    index = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins)

    def means(values: np.ndarray) -> np.ndarray:
        return _ratio(np.bincount(index, weights=values, minlength=bins), counts)

    return Reliability(means(confidence), means(np.asarray(correct, np.float64)), counts)


@dataclass(frozen=True)
class Interval:
    """A measure or a difference of measures, and its bootstrap percentile interval.

    `resampled` says what was drawn with replacement: "clip", or "speaker" with all their clips.
    """

    estimate: float
    low: float
    high: float
    level: float
    resampled: str
    resamples: int


def bootstrap(
    measure: Callable[[np.ndarray], np.ndarray],
    truth: np.ndarray,
    answers: np.ndarray,
    classes: int,
    *,
    baseline: np.ndarray | None = None,
    speakers: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """The interval of `measure` of (n,) `answers`; with `baseline`, of its gain on those answers.

    measure: a function of confusion matrices, such as `unweighted_average_recall`
    baseline: (n,) answers of another system to the same clips; each resample serves both systems,
        so that what makes a clip easy or hard for both does not widen the interval (paired)
    speakers: (n,) who spoke; given, whole speakers are drawn rather than clips, since clips of one
        speaker tell less than as many clips of many
    Efron & Tibshirani 1993, "An introduction to the bootstrap", chapters 8 and 13.
    """
    estimate, drawn = resampled(
        measure, truth, answers, classes, baseline=baseline, speakers=speakers,
        resamples=resamples, seed=seed,
    )
    return _percentiles(estimate, drawn, level, "clip" if speakers is None else "speaker")


def resampled(
    measure: Callable[[np.ndarray], np.ndarray],
    truth: np.ndarray,
    answers: np.ndarray,
    classes: int,
    *,
    baseline: np.ndarray | None = None,
    speakers: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, np.ndarray]:
    """The estimate and its (resamples,) values under resampling; arguments as of `bootstrap`."""
    truth = np.asarray(truth, np.int64)
    systems = [np.asarray(answers, np.int64)]
    if baseline is not None:
        systems.append(np.asarray(baseline, np.int64))

    if speakers is None:
        unit = np.arange(len(truth))
    else:
        unit = np.unique(np.asarray(speakers), return_inverse=True)[1].reshape(-1)
    units = int(unit.max()) + 1
    # Counts of each unit's (truth, answer) pairs: a resample is a weighted sum of its rows.
    cells = classes * classes
    counts = [
        np.bincount(unit * cells + truth * classes + system, minlength=units * cells)
        .reshape(units, cells)
        .astype(np.float64)
        for system in systems
    ]

    def gain(draws: np.ndarray) -> np.ndarray:
        """`measure` under each row of (resamples, units) weights."""
        values = [measure((draws @ count).reshape(-1, classes, classes)) for count in counts]
        return values[0] if baseline is None else values[0] - values[1]

    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, resamples, _RESAMPLES_AT_ONCE):
        size = min(_RESAMPLES_AT_ONCE, resamples - start)
        drawn.append(gain(rng.multinomial(units, np.full(units, 1.0 / units), size).astype(float)))
    return float(gain(np.ones((1, units)))[0]), np.concatenate(drawn)


def difference(
    parts: Sequence[tuple[float, np.ndarray]], weights: Sequence[float], unit: str,
    level: float = 0.95,
) -> Interval:
    """The interval of a weighted sum of independently `resampled` measures.

    parts: of `resampled`, each of other clips and with a seed of its own, such as women's and
    men's; weights: (1, -1) is their gap, (1/2, 1/2) their mean
    """
    estimate = sum(weight * value for weight, (value, _) in zip(weights, parts))
    drawn = sum(weight * values for weight, (_, values) in zip(weights, parts))
    return _percentiles(estimate, np.asarray(drawn), level, unit)


def _percentiles(estimate: float, drawn: np.ndarray, level: float, unit: str) -> Interval:
    tail = (1.0 - level) / 2
    low, high = np.nanquantile(drawn, (tail, 1.0 - tail))
    return Interval(float(estimate), float(low), float(high), level, unit, len(drawn))


@dataclass(frozen=True)
class Coverage:
    """How good the answers are that are at least so sure: (n,) each, from the surest on.

    `threshold` falls; `coverage` is the share of all answers that are kept, `accuracy` the share of
    right ones among them.
    """

    threshold: np.ndarray
    coverage: np.ndarray
    accuracy: np.ndarray

    def at(self, threshold: float) -> tuple[float, float]:
        """Coverage and accuracy of the answers from `threshold` on; no accuracy (NaN) of none."""
        kept = int((self.threshold >= threshold).sum())
        if not kept:
            return 0.0, float("nan")
        return float(self.coverage[kept - 1]), float(self.accuracy[kept - 1])


def coverage(confidence: np.ndarray, correct: np.ndarray) -> Coverage:
    """The curve of answers with (n,) `confidence`, (n,) `correct` or not.

    El-Yaniv & Wiener 2010, "On the foundations of noise-free selective classification".
    """
    confidence = np.asarray(confidence, np.float64)
    order = np.argsort(-confidence, kind="stable")
    kept = np.arange(1, len(order) + 1)
    right = np.cumsum(np.asarray(correct, np.float64)[order])
    # Answers of equal confidence are kept together or not at all.
    last = np.append(np.diff(confidence[order]) != 0, True) if len(order) else np.empty(0, bool)
    return Coverage(
        confidence[order][last], (kept / max(1, len(order)))[last], (right / kept)[last]
    )


def _hits(confusion: np.ndarray) -> np.ndarray:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole in float64, NaN where whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
