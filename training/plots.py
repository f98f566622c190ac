"""Plots of an evaluation: confusion by gender, recall by emotion and gender, reliability."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.labels import GENDERS
from training import metrics
from training.evaluation import EmotionScores, Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GENDER_COLOURS = {"female": "#c2593f", "male": "#2f6f8f"}
INK = "#22282d"
FAINT = "#c9ced3"
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.dpi": 150,
    "savefig.dpi": 150,
}


def write_plots(evaluation: Evaluation, folder: Path | str) -> list[Path]:
    """Writes the plots of each corpus and part, and the reliability of all, as PNG; their paths."""
    from matplotlib import rc_context

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    groups = list(evaluation.groups())
    written = []

    def write(figure: Figure, name: str) -> None:
        written.append(folder / f"{name}.png")
        # Without a creation date, the same figures give the same bytes.
        figure.savefig(written[-1], bbox_inches="tight", metadata={"Software": None})

    with rc_context(STYLE):
        for corpus, part in groups:
            write(draw_confusion(evaluation, corpus, part), f"confusion-{corpus}-{part}")
            write(draw_recalls(evaluation, corpus, part), f"recall-{corpus}-{part}")
        if groups:
            write(draw_reliability(evaluation, groups), "reliability")
    return written


def draw_confusion(evaluation: Evaluation, corpus: str, part: str) -> Figure:
    """The confusion matrices of the genders that speak, side by side, in per cent of each row."""
    genders = _genders_with_clips(evaluation, corpus, part)
    size = 0.62 * len(genders[0][1].labels) + 1.6
    figure = blank_figure(size * len(genders), size)
    for axes, (gender, scores) in zip(figure.subplots(1, len(genders), squeeze=False)[0], genders):
        _draw_matrix(axes, scores, GENDER_COLOURS[gender])
        axes.set_title(f"{gender}: UA {100 * scores.ua:.1f} %, {scores.clips} clips")
    figure.suptitle(
        f"{corpus}, {part}: truth by row, answer by column, % of the row", x=0.02, ha="left"
    )
    return figure


def draw_recalls(evaluation: Evaluation, corpus: str, part: str) -> Figure:
    """Bars of each emotion's recall by gender; a line where it is with the true gender told."""
    labels = evaluation.emotion(corpus, part).labels
    figure = blank_figure(1.05 * len(labels) + 1.5, 3.4)
    axes = figure.subplots()
    places = np.arange(len(labels))
    genders = _genders_with_clips(evaluation, corpus, part)
    for number, (gender, scores) in enumerate(genders):
        shift = 0.4 * (number - (len(genders) - 1) / 2)
        told = evaluation.emotion(corpus, part, gender, true_gender=True)
        height, height_told = (100 * np.nan_to_num(each.recall) for each in (scores, told))
        axes.bar(places + shift, height, 0.36, color=GENDER_COLOURS[gender], label=gender)
        axes.hlines(
            height_told,
            places + shift - 0.18,
            places + shift + 0.18,
            color=INK,
            linewidth=1.6,
            label="true gender told" if number == 0 else None,
        )
        for place, value in zip(places + shift, height):
            axes.text(
                place,
                value + 2.2,
                f"{value:.0f}",
                ha="center",
                fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            )
    chance = 100 / len(labels)
    axes.axhline(chance, color=INK, linewidth=0.8, linestyle=(0, (2, 3)), label="chance")
    axes.set(xticks=places, xticklabels=labels, ylim=(0, 108), ylabel="recall, %")
    axes.set_title(f"{corpus}, {part}: recall of each emotion")
    axes.legend(frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return figure


def draw_reliability(evaluation: Evaluation, groups: list[tuple[str, str]]) -> Figure:
    """For each corpus and part, how often answers of each confidence are right, and how many."""
    columns = math.ceil(math.sqrt(len(groups)))
    rows = math.ceil(len(groups) / columns)
    figure = blank_figure(3.6 * columns, 3.7 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (corpus, part) in zip(panels, groups):
        scores = evaluation.emotion(corpus, part)
        draw_curve_of_reliability(axes, scores.reliability, GENDER_COLOURS["male"])
        axes.set_title(f"{corpus}, {part}: ECE {100 * scores.ece:.1f} %")
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    return figure


def _genders_with_clips(
    evaluation: Evaluation, corpus: str, part: str
) -> list[tuple[str, EmotionScores]]:
    scores = ((gender, evaluation.emotion(corpus, part, gender)) for gender in GENDERS)
    return [(gender, of_gender) for gender, of_gender in scores if of_gender.clips]


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _draw_matrix(axes: Axes, scores: EmotionScores, colour: str) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    counts = scores.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = LinearSegmentedColormap.from_list("shades", ["#ffffff", colour])
    axes.imshow(shares, cmap=shades, vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        if counts[row, column]:
            axes.text(
                column,
                row,
                f"{100 * shares[row, column]:.0f}",
                ha="center",
                va="center",
                fontsize=9,
                fontweight="bold" if row == column else "normal",
                color="white" if shares[row, column] > 0.55 else INK,
            )
    places = range(len(scores.labels))
    axes.set(xticks=places, yticks=places)
    axes.set_xticklabels(scores.labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticklabels(scores.labels)
    axes.set_xticks(np.arange(len(scores.labels) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(scores.labels) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=FAINT, linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)


def draw_curve_of_reliability(axes: Axes, curve: metrics.Reliability, colour: str) -> None:
    """Points of accuracy against confidence, their size and the bars below the answers' share."""
    bins = len(curve.counts)
    centres = (np.arange(bins) + 0.5) / bins
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, zorder=1)
    share = curve.counts / max(curve.counts.sum(), 1)
    axes.bar(centres, share, 0.9 / bins, color=FAINT, zorder=2, label="share of the answers")
    there = curve.counts > 0
    axes.plot(
        curve.confidence[there],
        curve.accuracy[there],
        color=colour,
        linewidth=1.2,
        zorder=3,
    )
    axes.scatter(
        curve.confidence[there],
        curve.accuracy[there],
        s=12 + 300 * share[there],
        color=colour,
        edgecolor="white",
        zorder=4,
        label="share that is right",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", aspect="equal")
    axes.legend(frameon=False, loc="upper left", fontsize=8, markerscale=0.6)
