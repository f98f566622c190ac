"""The proof: float and int8 asked about the same clips, and everything that differs.

Four systems are compared: each expert on the clips of its own gender, and the whole with the gate's
gender and with the true one. All scoring is over the labels that a clip's corpus has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.labels import GENDERS, LABELS
from training import metrics
from training.corpora import CORPUS_LABELS
from training.evaluation import Evaluation
from training.metrics import Interval

PARTS = ("validation", "test")
BOTH_PARTS = " + ".join(PARTS)
WHOLE = "whole, predicted gender"
WHOLE_TRUE = "whole, true gender"
SYSTEMS = (*(f"{gender} expert" for gender in GENDERS), WHOLE, WHOLE_TRUE)


@dataclass(frozen=True)
class Comparison:
    """Float against int8 on one group of clips. Recalls and shares are from 0 to 1.

    ua: the mean recall of the emotions that the group has; of a single emotion, its recall.
    difference: UA of int8 minus that of float, with its paired bootstrap interval.
    agreement: share of clips whose label is the same.
    mean_change, largest_change: of a probability, over all clips and labels.
    ece_float, ece_before, ece_after: expected calibration error of float, of int8 with float's
        temperatures, and of int8 with its own.
    """

    system: str
    part: str
    corpus: str | None
    gender: str | None
    emotion: str | None
    clips: int
    ua_float: float
    ua_int8: float
    difference: Interval
    agreement: float
    mean_change: float
    largest_change: float
    ece_float: float
    ece_before: float
    ece_after: float

    @property
    def group(self) -> str:
        """Such as "all", "crema-d", "female", "female angry"."""
        return " ".join(filter(None, (self.corpus, self.gender, self.emotion))) or "all"

    def to_dict(self) -> dict[str, Any]:
        content = asdict(self)
        difference = content.pop("difference")
        content["difference"] = [difference["estimate"], difference["low"], difference["high"]]
        return {
            name: _rounded(value) for name, value in content.items() if value is not None
        }


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 6)
    return value


@dataclass(frozen=True)
class Answers:
    """The answers of one evaluation for one system: (n, 8) and what follows from them."""

    probabilities: np.ndarray
    labels: np.ndarray       # (n,) the likeliest label that the corpus has
    confidence: np.ndarray   # (n,) its probability among those

    @classmethod
    def of(cls, evaluation: Evaluation, probabilities: np.ndarray) -> Answers:
        labels = np.zeros(len(probabilities), np.int64)
        confidence = np.zeros(len(probabilities))
        corpora = np.array([clip.corpus for clip in evaluation.clips])
        for corpus in np.unique(corpora):
            here = corpora == corpus
            classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
            if not classes:
                continue
            restricted = metrics.restrict(probabilities[here], classes)
            labels[here], confidence[here] = restricted.argmax(axis=1), restricted.max(axis=1)
        return cls(probabilities, labels, confidence)


class Proof:
    """The comparisons of a float and an int8 evaluation of the same clips.

    before: the int8 evaluation with float's temperatures.
    clips, parts: of the evaluations; truth: (n,) int64 index into LABELS, -1 without an emotion
    """

    def __init__(
        self, exact: Evaluation, int8: Evaluation, before: Evaluation, resamples: int = 1000
    ) -> None:
        self.clips, self.parts = exact.clips, exact.parts
        self._evaluation = exact
        self._resamples = resamples
        self.truth = np.array([
            -1 if clip.emotion is None else LABELS.index(clip.emotion) for clip in exact.clips
        ])
        self._answers = {
            told: tuple(
                Answers.of(e, e.probabilities_true_gender if told else e.probabilities)
                for e in (exact, int8, before)
            )
            for told in (False, True)
        }
        self.comparisons = list(self._compare())
        self.gate_changes = _gate_changes(exact, int8)

    def answers(self, system: str) -> tuple[Answers, Answers, Answers]:
        """Of float, of int8, and of int8 with float's temperatures; of an expert on all clips."""
        return self._answers[system != WHOLE]

    def members(self, system: str, part: str) -> np.ndarray:
        """(n,) bool: the clips with an emotion on which a system is scored."""
        gender = system.split()[0] if system.endswith("expert") else None
        if part == BOTH_PARTS:
            return self._evaluation.select(gender=gender, emotional=True)
        return self._evaluation.select(part=part, gender=gender, emotional=True)

    def find(self, system: str, part: str, **group: str) -> Comparison | None:
        """The comparison of a group, such as `gender="male", emotion="sad"`; None without clips."""
        wanted = {"corpus": None, "gender": None, "emotion": None, **group}
        for row in self.comparisons:
            if (row.system, row.part) == (system, part) and all(
                getattr(row, name) == value for name, value in wanted.items()
            ):
                return row
        return None

    def to_dict(self) -> dict[str, Any]:
        return {
            "scoring": (
                "Over the labels that a clip's corpus has. Differences are int8 minus float, with "
                f"95 % intervals of a paired bootstrap over clips, {self._resamples} resamples."
            ),
            "gender_gate": self.gate_changes,
            "comparisons": [row.to_dict() for row in self.comparisons],
        }

    def _compare(self) -> Iterator[Comparison]:
        for system in SYSTEMS:
            for part in (*PARTS, BOTH_PARTS):
                inside = self.members(system, part)
                for corpus, gender, emotion in self._groups(system):
                    chosen = inside & self._evaluation.select(
                        corpus=corpus, gender=gender, emotion=emotion
                    )
                    if chosen.any():
                        yield self._comparison(system, part, corpus, gender, emotion, chosen)

    def _groups(self, system: str) -> Iterator[tuple[str | None, str | None, str | None]]:
        yield None, None, None
        corpora = sorted({clip.corpus for clip in self.clips if clip.emotion is not None})
        for corpus in corpora:
            yield corpus, None, None
        # An expert's clips are of one gender, so that its cells are its emotions.
        genders = [system.split()[0]] if system.endswith("expert") else list(GENDERS)
        if len(genders) > 1:
            for gender in genders:
                yield None, gender, None
            for corpus in corpora:
                for gender in genders:
                    yield corpus, gender, None
            for emotion in LABELS:
                yield None, None, emotion
        for gender in genders:
            for emotion in LABELS:
                yield None, gender, emotion

    def _comparison(
        self, system: str, part: str, corpus: str | None, gender: str | None,
        emotion: str | None, chosen: np.ndarray,
    ) -> Comparison:
        exact, int8, before = self.answers(system)
        truth = self.truth[chosen]
        ua = [
            float(metrics.unweighted_average_recall(
                metrics.confusion_matrix(truth, answers.labels[chosen], len(LABELS))
            ))
            for answers in (exact, int8)
        ]
        difference = metrics.bootstrap(
            metrics.unweighted_average_recall, truth, int8.labels[chosen], len(LABELS),
            baseline=exact.labels[chosen], resamples=self._resamples,
        )
        change = np.abs(int8.probabilities[chosen] - exact.probabilities[chosen])
        calibration = [
            metrics.reliability(
                answers.confidence[chosen], answers.labels[chosen] == truth
            ).expected_calibration_error
            for answers in (exact, before, int8)
        ]
        return Comparison(
            system, part, corpus, gender, emotion, int(chosen.sum()), *ua, difference,
            float((exact.labels[chosen] == int8.labels[chosen]).mean()),
            float(change.mean()), float(change.max()), *calibration,
        )


def _gate_changes(exact: Evaluation, int8: Evaluation) -> dict[str, Any]:
    """How the stored gate's answers to whole clips differ from the trained one's, by part."""
    changes = {}
    for part in PARTS:
        chosen = exact.select(part=part)
        if chosen.any():
            before, after = exact.female[chosen], int8.female[chosen]
            changes[part] = {
                "clips": int(chosen.sum()),
                "changed": int(((before >= 0.5) != (after >= 0.5)).sum()),
                "largest_change": float(np.abs(before - after).max()),
            }
    return changes
