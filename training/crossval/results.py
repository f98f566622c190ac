"""The figures of a cross-validation: of each fold, their means, and what others published."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.labels import GENDERS
from training import metrics
from training.answers import load_answers, pooled
from training.crossval.folds import Fold
from training.evaluation import Evaluation
from training.run import Run
from training.tables import emotions_in_detail, percent, table

FORMS = ("int8", "float")
"""The deployed form (int8 experts, the gate choosing) and the networks as trained."""

_PUBLISHED = Path(__file__).with_name("published.json")
_MEASURES = ("ua", "wa", "macro_f1")
_READING = """\
Figures are in per cent, over the labels of the corpus: UA is the mean of the classes' recalls, WA
the share of right answers. int8 is the deployed form: int8 experts, weighed by the gate's
posterior; float is the same before quantization. Below the folds: mean and standard deviation over
the folds (n - 1)."""


def fold_run(run: Run, fold: Fold) -> Run:
    """The run of one fold, in its folder."""
    return Run(run.folder / f"fold-{fold.name}")


def scores(evaluation: Evaluation, corpus: str) -> dict[str, Any]:
    """A fold's figures as shares, None where there is nothing to measure."""
    gated, told = (
        evaluation.emotion(corpus, "test", true_gender=true_gender) for true_gender in (False, True)
    )
    by_gender = {gender: evaluation.emotion(corpus, "test", gender).ua for gender in GENDERS}
    return {
        "clips": gated.clips,
        "speakers": gated.speakers,
        **{measure: getattr(gated, measure) for measure in (*_MEASURES, "ece")},
        "true_gender": {measure: getattr(told, measure) for measure in _MEASURES},
        "by_gender": {name: None if math.isnan(ua) else ua for name, ua in by_gender.items()},
        "gate_uar": evaluation.gate(evaluation.select(corpus=corpus)).uar,
        "unfamiliar": None if math.isnan(gated.unfamiliar) else gated.unfamiliar,
    }


def collect(run: Run, corpus: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """Every figure of the folds that are done, as JSON values."""
    done = []
    for fold in folds:
        folder = fold_run(run, fold)
        row: dict[str, Any] = {
            "fold": fold.name, "group": fold.group, "speakers_overlap": fold.overlapping,
            "corpus_unheard": fold.unheard,
        }
        for form in FORMS:
            if (folder.folder / f"{form}.npz").exists():
                row[form] = {
                    **folder.read(f"{form}.json"),
                    **scores(load_answers(folder.folder / f"{form}.npz"), corpus),
                }
        if any(form in row for form in FORMS):
            done.append(row)
    return {
        "corpus": corpus,
        "folds_planned": [fold.name for fold in folds],
        "folds": done,
        "groups": {group: _summary(run, corpus, done, folds, group) for group in _groups(done)},
        "published": published(corpus),
    }


def pooled_answers(run: Run, content: dict[str, Any], group: str, form: str) -> Evaluation | None:
    """The answers of all folds of a group, None where a form is not there."""
    paths = [
        run.folder / f"fold-{row['fold']}" / f"{form}.npz"
        for row in content["folds"]
        if row["group"] == group and form in row
    ]
    return pooled([load_answers(path) for path in paths]) if paths else None


def published(corpus: str) -> dict[str, Any]:
    """Others' figures on the same folds: source, and models with name, parameters and UA."""
    content = json.loads(_PUBLISHED.read_text(encoding="utf-8"))
    models = [
        {"name": model["name"], "parameters": model["parameters"], "ua": model[corpus]}
        for model in content["models"]
        if corpus in model
    ]
    return {"source": content["source"], "models": models}


def _groups(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["group"] for row in rows))


def _summary(
    run: Run, corpus: str, rows: Sequence[dict[str, Any]], folds: Sequence[Fold], group: str
) -> dict[str, Any]:
    planned = sum(fold.group == group for fold in folds)
    summary: dict[str, Any] = {"folds_planned": planned}
    for form in FORMS:
        found = [row[form] for row in rows if row["group"] == group and form in row]
        if not found:
            continue
        answers = pooled([
            load_answers(run.folder / f"fold-{row['fold']}" / f"{form}.npz")
            for row in rows
            if row["group"] == group and form in row
        ])
        cost = answers.gate_cost(corpus, "test")
        interval = answers.interval(corpus, "test")
        whole = answers.emotion(corpus, "test")
        summary[form] = {
            "folds": len(found),
            **{measure: _mean([row[measure] for row in found]) for measure in _MEASURES},
            "ua_true_gender": _mean([row["true_gender"]["ua"] for row in found]),
            "pooled": {
                "ua": whole.ua,
                "ua_interval": [interval.low, interval.high],
                "gate_cost": [cost.low, cost.estimate, cost.high],
                "ece": whole.ece,
                "gate_uar": answers.gate(answers.select(corpus=corpus)).uar,
                "by_gender": {
                    name: answers.emotion(corpus, "test", gender).to_dict()
                    for name, gender in (("all", None), *((each, each) for each in GENDERS))
                },
            },
        }
    return summary


def _mean(values: Sequence[float]) -> dict[str, float | None]:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "standard_deviation": spread}


def format_results(content: dict[str, Any]) -> str:
    """The tables of `collect`'s figures."""
    sections = [_READING]
    for group, summary in content["groups"].items():
        rows = [row for row in content["folds"] if row["group"] == group]
        overlap = any(row["speakers_overlap"] for row in rows)
        kind = "by clip: THE TESTED SPEAKERS ARE TRAINED ON" if overlap else "by speaker"
        if rows and all(row.get("corpus_unheard") for row in rows):
            kind = "nothing of the corpus is trained on"
        title = f"{content['corpus']}, folds of {group} ({kind})"
        lines = [_fold_line(row, form) for row in rows for form in FORMS if form in row]
        lines += [_mean_line(summary, form) for form in FORMS if form in summary]
        header = ("fold", "clips", "UA", "WA", "macro-F1", "UA, true gender", "UA women",
                  "UA men", "ECE", "gate UAR", "unfamiliar")
        sections.append(f"{title}\n" + table(header, lines))
        cost = deployed_cost(rows)
        if cost:
            sections[-1] += f"\n{cost}"
        missing = summary["folds_planned"] - len(rows)
        if missing:
            sections[-1] += f"\n{missing} of {summary['folds_planned']} folds are not done yet"
        if not overlap and group == "emobox" and content["published"]["models"]:
            sections.append(_published(content, summary))
    return "\n\n".join(sections)


def format_details(run: Run, content: dict[str, Any]) -> str:
    """Each emotion over all folds, and what it was taken for: the deployed form's, if there."""
    sections = []
    for group, summary in content["groups"].items():
        form = next(form for form in FORMS if form in summary)
        answers = pooled_answers(run, content, group, form)
        assert answers is not None
        title = f"{content['corpus']}, all folds of {group}, {form}"
        sections += emotions_in_detail(answers, content["corpus"], "test", title)
    return "\n\n".join(sections)


def deployed_cost(rows: Sequence[dict[str, Any]]) -> str:
    """A sentence about the int8 forms' size and work, of the largest fold; empty without any."""
    found = [row["int8"] for row in rows if "bytes" in row.get("int8", {})]
    if not found:
        return ""
    size = max(sum(each["bytes"].values()) for each in found)
    work = max(sum(each["multiply_accumulates"].values()) for each in found)
    parts = "both experts and the gate"
    if any("prosody" in each["bytes"] for each in found):
        parts = "both experts, the gate and the judge of prosody"
    return (
        f"Deployed: {parts} take {size / 1000:.0f} kB; a window of 3 s for which both experts "
        f"answer takes {work / 1e6:.1f} M multiply-accumulates."
    )


def _fold_line(row: dict[str, Any], form: str) -> tuple[str, ...]:
    found = row[form]
    return (
        f"{row['fold']} {form}",
        str(found["clips"]),
        *(percent(found[measure]) for measure in _MEASURES),
        percent(found["true_gender"]["ua"]),
        *(percent(math.nan if ua is None else ua) for ua in found["by_gender"].values()),
        percent(found["ece"]),
        percent(found["gate_uar"]),
        percent(math.nan if found.get("unfamiliar") is None else found["unfamiliar"]),
    )


def _mean_line(summary: dict[str, Any], form: str) -> tuple[str, ...]:
    found = summary[form]
    figures = [found[measure] for measure in (*_MEASURES, "ua_true_gender")]
    return (f"mean {form}", "", *map(spread, figures), *[""] * 5)


def spread(figure: dict[str, float | None]) -> str:
    """Mean and standard deviation of shares, in per cent."""
    deviation = figure["standard_deviation"]
    return percent(figure["mean"]) + ("" if deviation is None else f" +- {percent(deviation)}")


def _published(content: dict[str, Any], summary: dict[str, Any]) -> str:
    rows = [
        (model["name"], f"{model['parameters'] / 1e6:g} M", f"{model['ua']:.2f}")
        for model in content["published"]["models"]
    ]
    for form in FORMS:
        if form in summary:
            parameters = [row[form].get("parameters") for row in content["folds"] if form in row]
            size = "" if parameters[0] is None else f"{parameters[0] / 1e6:.2g} M"
            rows.append((f"this, {form}", size, percent(summary[form]["ua"]["mean"])))
    return f"Beside: {content['published']['source']}\n" + table(("", "parameters", "UA"), rows)


def interval_of_ua(evaluation: Evaluation, corpus: str) -> metrics.Interval | None:
    """By speaker where there are enough of them, else by clip."""
    by_speaker = evaluation.interval(corpus, "test", by_speaker=True)
    return by_speaker or evaluation.interval(corpus, "test")
