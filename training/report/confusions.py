"""What is confused with what, and clips that show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.labels import LABELS
from training import metrics
from training.corpora import CORPUS_LABELS, Clip
from training.evaluation import Evaluation


@dataclass(frozen=True)
class Confusion:
    """Clips of the label `truth` that are called `answer`.

    share: of the clips of that label whose corpus has both labels; clips: how many
    mistaken: the surest mistake; beside: a clip that is rightly called `answer`, of the same
    speaker if there is one, else of the same gender; None where there is none
    """

    truth: str
    answer: str
    share: float
    clips: int
    mistaken: Clip
    beside: Clip | None


def confusions(evaluation: Evaluation, count: int = 4, fewest: int = 3) -> list[Confusion]:
    """The most frequent confusions, by their share of the label's clips.

    fewest: clips that a confusion needs
    """
    rows = _rows(evaluation)
    found = []
    for truth in range(len(LABELS)):
        for answer in range(len(LABELS)):
            of_truth = [r for r in rows if r[1] == truth and _has(r[0].corpus, answer)]
            wrong = [r for r in of_truth if r[2] == answer]
            if answer != truth and len(wrong) >= fewest:
                mistaken = max(wrong, key=lambda row: row[3])[0]
                found.append(Confusion(
                    LABELS[truth], LABELS[answer], len(wrong) / len(of_truth), len(wrong),
                    mistaken, _beside(rows, mistaken, answer),
                ))
    return sorted(found, key=lambda each: -each.share)[:count]


def _rows(evaluation: Evaluation) -> list[tuple[Clip, int, int, float]]:
    """Clip, truth, answer among the corpus's labels, and its probability."""
    rows = []
    for corpus, part in evaluation.groups():
        chosen = evaluation.select(corpus=corpus, part=part, emotional=True)
        classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
        shares = metrics.restrict(evaluation.probabilities[chosen], classes)
        for index, share in zip(np.flatnonzero(chosen), shares):
            clip = evaluation.clips[index]
            rows.append((clip, LABELS.index(clip.emotion), int(share.argmax()), float(share.max())))
    return rows


def _has(corpus: str, label: int) -> bool:
    return LABELS[label] in CORPUS_LABELS[corpus]


def _beside(
    rows: list[tuple[Clip, int, int, float]], mistaken: Clip, answer: int
) -> Clip | None:
    right = [r for r in rows if r[1] == r[2] == answer and r[0].corpus == mistaken.corpus]
    same = [r for r in right if r[0].speaker == mistaken.speaker]
    alike = [r for r in right if r[0].gender == mistaken.gender]
    for candidates in (same, alike):
        if candidates:
            return max(candidates, key=lambda row: row[3])[0]
    return None
