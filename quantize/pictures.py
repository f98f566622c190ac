"""The report's pictures, each as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from quantize.diagnosis import LayerNoise
from quantize.gate import Verdict
from quantize.proof import WHOLE, Proof
from quantize.variants import Variant
from training import metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GENDER_COLOURS = {"female": "#c2593f", "male": "#2f6f8f"}
_PART_MARKERS = {"validation": "o", "test": "s"}
_INK, _FAINT = "#22282d", "#c9ced3"
_STYLE = {
    "font.size": 9, "axes.edgecolor": _FAINT, "axes.labelcolor": _INK, "text.color": _INK,
    "xtick.color": _INK, "ytick.color": _INK, "axes.spines.top": False, "axes.spines.right": False,
    "figure.dpi": 110,
}


def png(figure: Figure) -> bytes:
    """The picture's file; the same picture gives the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight", metadata={"Software": None})
    return file.getvalue()


def _figure(width: float, height: float, columns: int = 1, **options) -> tuple[Figure, Sequence]:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure((width, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, columns, squeeze=False, **options)[0]
    return figure, axes


def pareto(
    variants: Sequence[Variant], chosen: Mapping[str, Variant], float_sizes: Mapping[str, int],
    float_ua: Mapping[str, float],
) -> bytes:
    """Deflated size against validation UA: the variants, the float experts, and the front.

    float_sizes: deflated bytes of the float TFLite models by gender; float_ua: per cent
    """
    figure, (axes,) = _figure(7.5, 4.0)
    for gender, colour in _GENDER_COLOURS.items():
        own = [v for v in variants if v.gender == gender]
        points = [(v.graph.compressed_size / 1024, v.ua) for v in own]
        points.append((float_sizes[gender] / 1024, float_ua[gender]))
        names = [*(v.method for v in own), "float32"]
        for (size, ua), name in zip(points, names):
            kept = name == chosen[gender].method
            axes.plot(size, ua, "D" if name == "float32" else "o", color=colour,
                      markersize=9 if kept else 6, markerfacecolor=colour if kept else "white")
            axes.annotate(name, (size, ua), (5, 4), textcoords="offset points", fontsize=8)
        front = _front(points)
        axes.plot(*zip(*front), "-", color=colour, linewidth=1, label=f"{gender} expert", zorder=0)
    axes.set_xscale("log")
    axes.set_xlabel("deflated size, KiB (filled: kept)")
    axes.set_ylabel("UA on validation speakers, %")
    axes.legend(frameon=False)
    return png(figure)


def _front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no smaller one equals."""
    front: list[tuple[float, float]] = []
    for size, ua in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or ua > front[-1][1]:
            front.append((size, ua))
    return front


def differences(proof: Proof, verdict: Verdict, system: str) -> bytes:
    """UA or recall of int8 minus float by group, with intervals; the gate's limits beside."""
    rows = [row for row in proof.comparisons if row.system == system and row.part in _PART_MARKERS]
    names = list(dict.fromkeys(row.group for row in rows))
    figure, (axes,) = _figure(7.5, 0.8 + 0.24 * len(names))
    for row in rows:
        height = names.index(row.group) + (0.15 if row.part == "test" else -0.15)
        small = row.clips < verdict.thresholds.cell_clips
        low, middle, high = (
            100 * value
            for value in (row.difference.low, row.difference.estimate, row.difference.high)
        )
        colour = _GENDER_COLOURS.get(row.gender or "", _INK)
        axes.plot([low, high], [height, height], "-", color=colour, linewidth=1, alpha=0.5)
        axes.plot(middle, height, _PART_MARKERS[row.part], color=colour, markersize=4,
                  markerfacecolor="white" if small else colour)
    axes.axvline(0.0, color=_INK, linewidth=0.8)
    axes.axvline(-verdict.thresholds.ua_loss, color=_FAINT, linewidth=0.8)
    axes.axvline(-verdict.thresholds.recall_loss, color=_FAINT, linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("int8 minus float, points of UA or recall, with 95 % interval\n"
                    "(circle: validation, square: test; hollow: too few clips for the gate)")
    return png(figure)


def reliability(proof: Proof) -> bytes:
    """Confidence against accuracy of the whole: float, int8 before and after the refit."""
    figure, panels = _figure(9.0, 3.2, 3, sharey=True)
    exact, int8, before = proof.answers(WHOLE)
    for axes, answers, title in zip(
        panels, (exact, before, int8), ("float", "int8, float's temperatures", "int8, refitted")
    ):
        for part, marker in _PART_MARKERS.items():
            chosen = proof.members(WHOLE, part)
            if chosen.any():
                found = metrics.reliability(
                    answers.confidence[chosen], answers.labels[chosen] == proof.truth[chosen], 10
                )
                ece = 100 * found.expected_calibration_error
                axes.plot(found.confidence, found.accuracy, marker + "-", markersize=4, linewidth=1,
                          label=f"{part}, ECE {ece:.1f} %")
        axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=0.8, zorder=0)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("confidence")
        axes.legend(frameon=False, fontsize=7)
    panels[0].set_ylabel("accuracy")
    return png(figure)


def noise(layers: Mapping[str, Sequence[LayerNoise]]) -> bytes:
    """Signal-to-quantization-noise by operation: what reaches it, and its own rounding alone."""
    figure, (axes,) = _figure(8.0, 4.0)
    for gender, rows in layers.items():
        positions = [row.position for row in rows]
        colour = _GENDER_COLOURS[gender]
        axes.plot(positions, [row.noise_db for row in rows], "o-", color=colour, markersize=4,
                  linewidth=1, label=f"{gender} expert")
        axes.plot(positions, [row.own_noise_db for row in rows], ":", color=colour, linewidth=1,
                  label="its own rounding alone")
        axes.set_xticks(positions, [f"{row.position} {row.kind.lower()}" for row in rows],
                        rotation=60, ha="right", fontsize=7)
    axes.set_ylabel("signal to quantization noise, dB")
    axes.legend(frameon=False, fontsize=7)
    return png(figure)


def ranges(rows: Sequence[LayerNoise], gender: str) -> bytes:
    """The range that each operation's int8 can express, and the one that float needs."""
    figure, (axes,) = _figure(8.0, 3.6)
    colour = _GENDER_COLOURS[gender]
    heights = np.arange(len(rows))
    for height, row in zip(heights, rows):
        axes.plot([height, height], [row.low, row.high], "-", color=_FAINT, linewidth=6,
                  solid_capstyle="butt")
        axes.plot([height, height], [row.float_low, row.float_high], "-", color=colour, linewidth=2)
    axes.set_xticks(heights, [f"{row.position} {row.kind.lower()}" for row in rows], rotation=60,
                    ha="right", fontsize=7)
    axes.set_ylabel(f"{gender} expert: int8 range (wide), float range (narrow)")
    return png(figure)
