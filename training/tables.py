"""An evaluation as text tables, in per cent, and its figures as a file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from edge.labels import GENDERS
from training.evaluation import Evaluation
from training.metrics import Interval

_READING = """\
Figures are in per cent. UA is the mean of the classes' recalls, WA the share of right answers, ECE
the expected calibration error. A corpus is scored over the labels that it has: the answer is the
likeliest of them, with probabilities renormalised. 'unfamiliar' is the share of clips that are
flagged so. 'UA of all 8' allows answers that the corpus lacks. The gate's cost is UA less UA with
the true gender told, on the same clips."""


def format_evaluation(evaluation: Evaluation, *, by_speaker: bool = False) -> str:
    """Every table of an evaluation; intervals are by clip, or by speaker where asked."""
    return "\n\n".join([_READING, *_sections(evaluation, by_speaker)])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns: the first one to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    texts = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([texts[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *texts[1:]])


def write_figures(path: Path, content: dict[str, Any]) -> None:
    """Writes the figures as JSON, and says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    print(f"\nwrote {path}")


def _sections(evaluation: Evaluation, by_speaker: bool) -> Iterable[str]:
    groups = list(evaluation.groups())
    if groups:
        yield "Emotion, the gate choosing the experts\n" + _overview(evaluation, by_speaker)
        yield "Emotion by the speaker's gender\n" + _by_gender(evaluation)
        for corpus, part in groups:
            yield from emotions_in_detail(evaluation, corpus, part, f"{corpus}, {part}")
    yield "Gender gate, one clip at a time\n" + _gate(evaluation)


def emotions_in_detail(
    evaluation: Evaluation, corpus: str, part: str, title: str
) -> Iterable[str]:
    """A table of each emotion's measures, and what it was taken for."""
    yield f"{title}: by emotion\n" + _by_emotion(evaluation, corpus, part)
    yield f"{title}: confusion (rows the truth, columns the answers, clips)\n" + (
        _confusion(evaluation, corpus, part)
    )


def _overview(evaluation: Evaluation, by_speaker: bool) -> str:
    rows = []
    for corpus, part in evaluation.groups():
        scores = evaluation.emotion(corpus, part)
        told = evaluation.emotion(corpus, part, true_gender=True)
        rows.append(
            (
                f"{corpus} {part}",
                str(len(scores.labels)),
                str(scores.clips),
                str(scores.speakers),
                percent(scores.ua),
                _interval(evaluation.interval(corpus, part, by_speaker=by_speaker)),
                percent(scores.wa),
                percent(scores.macro_f1),
                percent(scores.ece),
                percent(scores.unfamiliar),
                percent(scores.unrestricted_ua),
                percent(told.ua),
                _gain(evaluation.gate_cost(corpus, part, by_speaker=by_speaker)),
            )
        )
    unit = "speaker" if by_speaker else "clip"
    return table(
        (
            "",
            "classes",
            "clips",
            "speakers",
            "UA",
            f"95 % by {unit}",
            "WA",
            "macro-F1",
            "ECE",
            "unfamiliar",
            "UA of all 8",
            "UA, true gender",
            "gate's cost",
        ),
        rows,
    )


def _by_gender(evaluation: Evaluation) -> str:
    rows = []
    for corpus, part in evaluation.groups():
        for true_gender, choice in ((False, "gate"), (True, "true gender")):
            female, male = (
                evaluation.emotion(corpus, part, gender, true_gender=true_gender)
                for gender in GENDERS
            )
            rows.append(
                (
                    f"{corpus} {part}, {choice}",
                    *(
                        percent(value)
                        for scores in (female, male)
                        for value in (scores.ua, scores.wa, scores.macro_f1)
                    ),
                    percent(female.ua - male.ua, sign=True),
                )
            )
    measures = ("UA", "WA", "macro-F1")
    header = [f"{gender} {measure}" for gender in GENDERS for measure in measures]
    return table(("", *header, "UA gap"), rows)


def _by_emotion(evaluation: Evaluation, corpus: str, part: str) -> str:
    everyone = evaluation.emotion(corpus, part)
    by_gender = [evaluation.emotion(corpus, part, gender) for gender in GENDERS]
    told = evaluation.emotion(corpus, part, true_gender=True)
    rows = [
        (
            label,
            str(int(everyone.confusion[k].sum())),
            percent(everyone.recall[k]),
            percent(everyone.precision[k]),
            percent(everyone.f1[k]),
            *(percent(scores.recall[k]) for scores in by_gender),
            percent(told.recall[k]),
        )
        for k, label in enumerate(everyone.labels)
    ]
    recalls = [f"recall, {gender}" for gender in GENDERS]
    return table(("", "clips", "recall", "precision", "F1", *recalls, "recall, true gender"), rows)


def _confusion(evaluation: Evaluation, corpus: str, part: str) -> str:
    scores = evaluation.emotion(corpus, part)
    rows = [(label, *map(str, row)) for label, row in zip(scores.labels, scores.confusion.tolist())]
    return table(("", *scores.labels), rows)


def _gate(evaluation: Evaluation) -> str:
    rows = []
    for group, part, chosen in evaluation.gate_groups():
        scores = evaluation.gate(chosen)
        rows.append(
            (
                f"{group}, {part}",
                str(scores.clips),
                str(scores.speakers),
                percent(scores.uar),
                *(percent(scores.recall[gender]) for gender in GENDERS),
                percent(scores.ece),
            )
        )
    recalls = [f"recall, {gender}" for gender in GENDERS]
    return table(("", "clips", "speakers", "UAR", *recalls, "ECE"), rows)


def percent(share: float, *, sign: bool = False) -> str:
    """A share as per cent, a dash for NaN."""
    return "-" if math.isnan(share) else f"{100 * share:{'+' if sign else ''}.2f}"


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{percent(interval.low)} ... {percent(interval.high)}"


def _gain(gain: Interval | None) -> str:
    if gain is None:
        return "-"
    low, high = percent(gain.low, sign=True), percent(gain.high, sign=True)
    return f"{percent(gain.estimate, sign=True)} ({low} ... {high})"
