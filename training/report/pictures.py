"""The report's pictures: each a figure, and its file as text for a page."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.labels import GENDERS, LABELS
from training import metrics
from training.corpora import CORPUS_LABELS
from training.evaluation import Evaluation
from training.ladder import Rung
from training.plots import (
    FAINT,
    GENDER_COLOURS,
    INK,
    STYLE,
    blank_figure,
    draw_curve_of_reliability,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CORPUS_COLOURS = {
    "ravdess": "#2f6f8f", "savee": "#7a8b3c", "tess": "#8a5a9e", "crema-d": "#c2593f",
}
SYSTEM_NAMES = {
    "soft": "weighed by the gate (deployed)",
    "hard": "the likelier gender's leads",
    "oracle": "the true gender's leads",
    "swapped": "the other gender's leads",
    "equal": "both by half",
    "alone": "the certain gender's alone",
    "universal": "universal network",
    "both halves": "two universal networks",
    "same size": "universal, same size",
}


@contextmanager
def style() -> Iterator[None]:
    """Everything is drawn alike, and to the same bytes each time."""
    from matplotlib import rc_context

    with rc_context({**STYLE, "svg.hashsalt": "edge-ser"}):
        yield


def as_image(figure: Figure, description: str, raster: bool = False) -> str:
    """An HTML image that holds the picture itself, as SVG, or as PNG where it is of pixels."""
    file = io.BytesIO()
    kind, metadata = ("png", {"Software": None}) if raster else ("svg", {"Date": None})
    figure.savefig(file, format=kind, bbox_inches="tight", metadata=metadata)
    encoded = base64.b64encode(file.getvalue()).decode()
    mime = "png" if raster else "svg+xml"
    return f'<img alt="{html.escape(description)}" src="data:image/{mime};base64,{encoded}">'


def learning_curves(history: Sequence[dict[str, Any]]) -> Figure:
    """Loss of each stage by epoch, and UA on validation speakers where it was taken."""
    colours = {"universal": INK, "second": FAINT, **GENDER_COLOURS}
    figure = blank_figure(11.0, 3.4)
    losses, universal, specialised = figure.subplots(1, 3)
    for stage, colour in colours.items():
        lines = [line for line in history if line["stage"] == stage]
        if lines:
            epochs = [line["epoch"] for line in lines]
            losses.plot(epochs, [line["loss"] for line in lines], color=colour, label=stage)
    losses.set(xlabel="epoch", ylabel="training loss")
    losses.set_title("Loss")
    losses.legend(frameon=False, fontsize=8)
    for corpus, colour in CORPUS_COLOURS.items():
        for stage, marker in (("universal", "o-"), ("second", "s--")):
            name = f"{corpus}, {stage}"
            _scores(universal, history, stage, f"{corpus} all", colour, name, marker)
        for gender, marker in zip(GENDERS, ("o-", "s--")):
            name = f"{corpus}, {gender}"
            _scores(specialised, history, gender, f"{corpus} {gender}", colour, name, marker)
    universal.set(xlabel="epoch", ylabel="validation UA, %")
    universal.set_title("Networks of everybody")
    specialised.set(xlabel="epoch", ylabel="validation UA, %")
    specialised.set_title("Experts, on their own gender")
    for axes in (universal, specialised):
        if axes.lines:
            axes.legend(frameon=False, fontsize=8)
        else:
            axes.text(0.5, 0.5, "not taken", ha="center", color=FAINT, transform=axes.transAxes)
            axes.set(xticks=[], yticks=[])
    return figure


def _scores(
    axes: Any, history: Sequence[dict[str, Any]], stage: str, key: str, colour: str, name: str,
    marker: str = "o-",
) -> None:
    points = [
        (line["epoch"], line[key]) for line in history if line["stage"] == stage and key in line
    ]
    if points:
        axes.plot(*zip(*points), marker, color=colour, markersize=3.5, label=name)


def reliability_by_gender(evaluation: Evaluation) -> Figure:
    """How often answers of each confidence are right, of women's clips and of men's."""
    figure = blank_figure(8.0, 4.0)
    for axes, gender in zip(figure.subplots(1, len(GENDERS)), GENDERS):
        confidence, correct = restricted_answers(evaluation, gender)
        curve = metrics.reliability(confidence, correct)
        draw_curve_of_reliability(axes, curve, GENDER_COLOURS[gender])
        ece = 100 * curve.expected_calibration_error
        axes.set_title(f"{gender}: ECE {ece:.1f} %, {len(confidence)} clips")
    return figure


def coverage_by_gender(evaluation: Evaluation, uncertain: float) -> Figure:
    """Accuracy of the surest answers against their share; where `uncertain` cuts."""
    figure = blank_figure(6.2, 4.0)
    axes = figure.subplots()
    for gender, colour in ((None, INK), *GENDER_COLOURS.items()):
        chosen = evaluation.select(gender=gender, emotional=True)
        if not chosen.any():
            continue
        truth = [LABELS.index(evaluation.clips[k].emotion) for k in np.flatnonzero(chosen)]
        shares = evaluation.probabilities[chosen]
        curve = metrics.coverage(shares.max(axis=1), shares.argmax(axis=1) == np.array(truth))
        enough = curve.coverage >= 0.02
        axes.plot(100 * curve.coverage[enough], 100 * curve.accuracy[enough], color=colour,
                  label=gender or "all", linewidth=1.8 if gender is None else 1.2)
        share, right = curve.at(uncertain)
        axes.plot(100 * share, 100 * right, "o", color=colour)
        if gender is None and share:
            axes.annotate(
                f"sure at {uncertain:g}:\n{100 * share:.0f} % kept, {100 * right:.0f} % right",
                (100 * share, 100 * right), (0.56, 0.1), textcoords="axes fraction", fontsize=8,
                ha="right", arrowprops={"arrowstyle": "-", "color": FAINT},
            )
    axes.set(xlabel="share of the answers that are kept, the surest first, %",
             ylabel="right among them, %", xlim=(0, 102))
    axes.set_ylim(axes.get_ylim()[0] - 6, 101)
    axes.legend(frameon=False, loc="lower left", fontsize=8)
    return figure


def crossval_dots(content: dict[str, Any], group: str) -> Figure:
    """This model's folds and mean among the published means."""
    rows = [
        (f"{model['name']}, {_size(model['parameters'])}", model["ua"], [], None)
        for model in (content["published"]["models"] if group == "emobox" else [])
    ]
    for form in ("float", "int8"):
        summary = content["groups"][group].get(form)
        if summary:
            folds = [
                100 * row[form]["ua"] for row in content["folds"]
                if row["group"] == group and form in row
            ]
            mine = [row[form].get("parameters") for row in content["folds"] if form in row]
            name = "this, deployed" if form == "int8" else "this, float"
            size = "" if not mine or mine[0] is None else f", {_size(mine[0])}"
            rows.append((name + size, 100 * summary["ua"]["mean"], folds, form))
    rows.sort(key=lambda row: row[1])
    figure = blank_figure(8.0, 0.9 + 0.38 * len(rows))
    axes = figure.subplots()
    for place, (_, mean, folds, form) in enumerate(rows):
        colour = {None: "#b9c2c8", "int8": "#c2593f", "float": "#e0a596"}[form]
        axes.barh(place, mean, 0.62, color=colour)
        axes.plot(folds, [place] * len(folds), "o", color=INK, markersize=3.5, alpha=0.6)
        axes.text(max([mean, *folds]) + 1.0, place, f"{mean:.1f}", va="center", fontsize=9,
                  fontweight="bold" if form else "normal")
    axes.set(yticks=range(len(rows)), yticklabels=[row[0] for row in rows], xlim=(0, 104),
             xlabel="UA, % (dots: single folds)")
    return figure


def _size(parameters: float) -> str:
    if parameters >= 1e9:
        return f"{parameters / 1e9:.3g} B parameters"
    if parameters >= 1e6:
        return f"{parameters / 1e6:.3g} M parameters"
    return f"{parameters / 1e3:.0f} k parameters"


def ablation_gains(content: dict[str, Any]) -> Figure:
    """Each system's gain over the deployed form, the mean of the corpora's, with intervals."""
    rows = [row for row in content["systems"] if row["system"] != content["baseline"]]
    rows.sort(key=lambda row: row["mean_gain"]["estimate"])
    figure = blank_figure(8.0, 0.9 + 0.42 * len(rows))
    axes = figure.subplots()
    for place, row in enumerate(rows):
        low, middle, high = (
            100 * row["mean_gain"][name] for name in ("low", "estimate", "high")
        )
        colour = INK if low <= 0 <= high else ("#4a7c59" if low > 0 else "#a02c2c")
        axes.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(middle, place, "o", color=colour)
        axes.annotate(f"{middle:+.1f}", (high, place), (7, 0), textcoords="offset points",
                      va="center", fontsize=8)
    axes.axvline(0, color=FAINT, linewidth=1.2, zorder=0)
    axes.set(yticks=range(len(rows)), ylim=(-0.6, len(rows) - 0.4),
             yticklabels=[SYSTEM_NAMES[row["system"]] for row in rows],
             xlabel="points of UA over the deployed form, 95 % interval")
    return figure


def fairness_gaps(content: dict[str, Any]) -> Figure | None:
    """UA of women less UA of men by corpus, of the deployed form; None where one gender speaks."""
    rows = [
        row for row in content["fairness"]
        if row["system"] == content["baseline"] and row["female_minus_male"]
    ]
    if not rows:
        return None
    figure = blank_figure(8.0, 0.9 + 0.42 * len(rows))
    axes = figure.subplots()
    for place, row in enumerate(rows):
        gap = row["female_minus_male"]
        low, middle, high = (100 * gap[name] for name in ("low", "estimate", "high"))
        colour = GENDER_COLOURS["female" if middle > 0 else "male"]
        axes.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(middle, place, "o", color=colour)
        axes.annotate(f"women {100 * row['female']:.1f}, men {100 * row['male']:.1f}",
                      (high, place), (7, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(0, color=FAINT, linewidth=1.2, zorder=0)
    axes.margins(x=0.3)
    axes.set(yticks=range(len(rows)), ylim=(-0.6, len(rows) - 0.4),
             yticklabels=[f"{row['corpus']}, {row['part']}" for row in rows],
             xlabel="UA of women less UA of men, points, 95 % interval")
    return figure


def ladder_steps(rungs: Sequence[Rung]) -> Figure:
    """Where each experiment led: kept ones are a stair, the others hollow."""
    figure = blank_figure(max(6.5, 0.85 * len(rungs) + 2), 4.2)
    axes = figure.subplots()
    kept = [(place, rung.after) for place, rung in enumerate(rungs) if rung.kept]
    if kept:
        axes.step(*zip(*kept), where="post", color=GENDER_COLOURS["male"], linewidth=1.4)
    for place, rung in enumerate(rungs):
        colour = GENDER_COLOURS["male"] if rung.kept else "#9aa4ab"
        if rung.interval is not None:
            ends = [rung.before + end for end in rung.interval]
            axes.plot([place, place], ends, color=colour, linewidth=1.6, alpha=0.6)
        axes.plot(place, rung.after, "o", color=colour, markersize=7,
                  markerfacecolor=colour if rung.kept else "white")
        axes.annotate(f"{rung.gain:+.1f}", (place, rung.after), (8, 5), fontsize=8,
                      textcoords="offset points")
    axes.set(xticks=range(len(rungs)), ylabel="validation UA, %")
    axes.set_xticklabels([rung.rung for rung in rungs], rotation=35, ha="right")
    axes.margins(x=0.06, y=0.18)
    return figure


def spectrograms(rows: Sequence[Sequence[tuple[str, np.ndarray]]]) -> Figure:
    """Log-mels (frames, bands) of relative dB in rows, each under its title."""
    figure = blank_figure(10.0, 1.95 * len(rows))
    panels = figure.subplots(len(rows), 2, squeeze=False)
    for line, row in zip(panels, rows):
        for axes, (title, log_mel) in zip(line, row):
            seconds = len(log_mel) * 256 / 16000
            axes.imshow(
                np.asarray(log_mel, np.float32).T, origin="lower", aspect="auto", cmap="magma",
                vmin=-70, vmax=0, extent=(0, seconds, 0, log_mel.shape[1]),
            )
            axes.set_title(title, fontsize=9)
            axes.set(yticks=[], xlabel="s")
            axes.spines[:].set_visible(False)
        for axes in line[len(row) :]:
            axes.set_axis_off()
    return figure


def restricted_answers(evaluation: Evaluation, gender: str) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of each answer of the gender's clips, and whether it is right."""
    confidence, correct = [np.empty(0)], [np.empty(0, bool)]
    for corpus, part in evaluation.groups():
        chosen = evaluation.select(corpus=corpus, part=part, gender=gender, emotional=True)
        classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
        shares = metrics.restrict(evaluation.probabilities[chosen], classes)
        truth = [LABELS.index(evaluation.clips[k].emotion) for k in np.flatnonzero(chosen)]
        confidence.append(shares.max(axis=1))
        correct.append(shares.argmax(axis=1) == np.array(truth, dtype=int))
    return np.concatenate(confidence), np.concatenate(correct)
