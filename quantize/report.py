"""The proof as one HTML page, with its pictures inside."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quantize import pictures
from quantize.diagnosis import Diagnosis
from quantize.gate import Verdict
from quantize.proof import PARTS, SYSTEMS, Proof
from quantize.variants import Variant

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22282d; max-width: 64rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #e3e6e8; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; } img { max-width: 100%; } .broken { color: #a02020; font-weight: 600; }
.holds { color: #2a6f3a; } details { margin: .8rem 0; } summary { cursor: pointer; }
"""


def make_report(
    title: str, variants: Sequence[Variant], chosen: Mapping[str, Variant], proof: Proof,
    verdict: Verdict, diagnosis: Diagnosis, gate: Mapping[str, Any],
) -> str:
    """The page's text. gate: `GatePrecision.to_dict()`."""
    sections = [
        _verdict(verdict),
        _variants(variants, chosen, diagnosis, proof),
        _differences(proof, verdict),
        _calibration(proof),
        _diagnosis(diagnosis),
        _gate(gate, proof),
    ]
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        f"</title><style>{_STYLE}</style></head>\n<body><h1>{html.escape(title)}</h1>\n{body}\n"
        "</body></html>\n"
    )


def _verdict(verdict: Verdict) -> str:
    state = "holds" if verdict.passed else "broken"
    rows = [
        (c.system, c.part, c.group, c.clips, c.what, f"{c.value:.2f}", f"{c.limit:g}",
         _Marked("holds" if c.holds else "broken"))
        for c in verdict.checks
    ]
    header = ("system", "part", "clips of", "clips", "what", "value", "limit", "")
    failures = "".join(f"<li>{html.escape(str(check))}</li>" for check in verdict.failures)
    return (
        f'<h2>The gate <span class="{state}">{state}</span></h2>'
        f"<p>{len(verdict.checks)} checks on {' and '.join(verdict.parts)} speakers, int8 against "
        f"float on the same clips.</p><ul>{failures}</ul>"
        f"<details><summary>All checks</summary>{_table(header, rows)}</details>"
    )


def _variants(
    variants: Sequence[Variant], chosen: Mapping[str, Variant], diagnosis: Diagnosis, proof: Proof
) -> str:
    rows = []
    for variant in variants:
        v = variant.to_dict()
        rows.append((
            v["gender"], v["method"] + (" (kept)" if chosen[variant.gender] is variant else ""),
            v["bytes"], v["compressed_bytes"], v["parameters"], f"{100 * v['zero_share']:.1f}",
            v["multiply_accumulates"], v["peak_activation_bytes"], f"{v['ua']:.2f}",
            f"{v['ua_loss']:+.2f}", f"{v['ua_loss_at_most']:+.2f}",
            f"{v['worst_recall_loss']:+.2f}", f"{v['agreement']:.2f}",
        ))
    for gender, size in diagnosis.float_sizes.items():
        rows.append((gender, "float32", size["bytes"], size["compressed_bytes"], size["parameters"],
                     "", size["multiply_accumulates"], size["peak_activation_bytes"],
                     f"{_float_ua(proof, gender):.2f}", "", "", "", ""))
    header = ("expert", "method", "bytes", "deflated", "parameters", "zeros %", "MACs",
              "peak activations, bytes", "UA %", "loss", "at most", "largest cell loss",
              "same label %")
    sizes = {gender: size["compressed_bytes"] for gender, size in diagnosis.float_sizes.items()}
    float_ua = {gender: _float_ua(proof, gender) for gender in sizes}
    picture = _image(pictures.pareto(variants, chosen, sizes, float_ua), "size against accuracy")
    return (
        "<h2>Variants, on the validation clips of each expert's gender</h2>"
        f"{_table(header, rows)}{picture}"
    )


def _float_ua(proof: Proof, gender: str) -> float:
    row = proof.find(f"{gender} expert", "validation")
    return 100 * row.ua_float if row else float("nan")


def _differences(proof: Proof, verdict: Verdict) -> str:
    return "<h2>What int8 costs</h2>" + "".join(
        f"<h3>{html.escape(system)}</h3>"
        + _image(pictures.differences(proof, verdict, system), f"differences, {system}")
        + "".join(_comparison_table(proof, system, part) for part in PARTS)
        for system in SYSTEMS
    )


def _comparison_table(proof: Proof, system: str, part: str) -> str:
    rows = [
        (
            row.group, row.clips, f"{100 * row.ua_float:.2f}", f"{100 * row.ua_int8:.2f}",
            f"{100 * row.difference.estimate:+.2f}",
            f"{100 * row.difference.low:+.2f} to {100 * row.difference.high:+.2f}",
            f"{100 * row.agreement:.2f}", f"{row.mean_change:.4f}", f"{row.largest_change:.3f}",
            *(f"{100 * ece:.2f}" for ece in (row.ece_float, row.ece_before, row.ece_after)),
        )
        for row in proof.comparisons if (row.system, row.part) == (system, part)
    ]
    if not rows:
        return ""
    header = ("clips of", "clips", "float", "int8", "change", "95 % interval", "same label %",
              "mean change of p", "largest", "ECE float", "before refit", "after")
    return f"<details><summary>{part}</summary>{_table(header, rows)}</details>"


def _calibration(proof: Proof) -> str:
    return "<h2>Calibration of the whole</h2>" + _image(pictures.reliability(proof), "reliability")


def _diagnosis(diagnosis: Diagnosis) -> str:
    return "<h2>Where it is lost</h2>" + "".join(_diagnosis_parts(diagnosis))


def _diagnosis_parts(diagnosis: Diagnosis) -> Iterator[str]:
    yield (
        "<p>Each operation's output, float against int8, on validation windows. A layer whose own "
        "rounding is far above what reaches it inherits its noise; one near it adds its own: its "
        "range is too wide for most of its values.</p>"
    )
    yield _image(pictures.noise(diagnosis.layers), "noise by layer")
    header = ("operation", "shape", "SQNR dB", "own rounding dB", "int8 range", "float range",
              "clipped %", "steps used %")
    for gender, layers in diagnosis.layers.items():
        rows = [
            (f"{row.position} {row.kind}", "x".join(map(str, row.shape)), f"{row.noise_db:.1f}",
             f"{row.own_noise_db:.1f}", f"{row.low:.2f} to {row.high:.2f}",
             f"{row.float_low:.2f} to {row.float_high:.2f}", f"{100 * row.clipped:.3f}",
             f"{100 * row.used:.0f}")
            for row in layers
        ]
        yield f"<h3>{gender} expert</h3>" + _image(pictures.ranges(layers, gender), "ranges")
        yield f"<details open><summary>Layers</summary>{_table(header, rows)}</details>"
    header = ("clip", "corpus", "part", "gender", "truth", "float", "int8", "p float", "p int8",
              "largest change")
    for system, clips in diagnosis.clips.items():
        rows = [
            (clip.name, clip.corpus, clip.part, clip.gender, clip.emotion, clip.float_label,
             clip.int8_label, f"{clip.float_probability:.3f}", f"{clip.int8_probability:.3f}",
             f"{clip.change:.3f}")
            for clip in clips
        ]
        yield f"<details><summary>Worst clips: {system}</summary>{_table(header, rows)}</details>"


def _gate(gate: Mapping[str, Any], proof: Proof) -> str:
    rows = [
        (trial["mixtures"], trial["layers"], trial["bytes"], trial["changed_windows"],
         trial["changed_clips"], f"{trial['largest_change']:.5f}",
         _Marked("holds" if trial["holds"] else "broken"))
        for trial in gate["trials"]
    ]
    header = ("mixtures", "layers", "bytes", "windows changed", "clips changed",
              "largest change of the posterior", "")
    after = "".join(
        f"<p>{part}: {change['changed']} of {change['clips']} clips change gender in the whole.</p>"
        for part, change in proof.gate_changes.items()
    )
    return (
        f"<h2>The gender gate's precision</h2><p>{gate['clips']} validation clips, "
        f"{gate['windows']} windows.</p>{_table(header, rows)}{after}"
    )


class _Marked(str):
    """A cell whose text is also its style."""


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    def cell(value: Any) -> str:
        style = f' class="{value}"' if isinstance(value, _Marked) else ""
        return f"<td{style}>{html.escape(str(value))}</td>"

    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "\n".join("<tr>" + "".join(map(cell, row)) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'


def _image(content: bytes, description: str) -> str:
    encoded = base64.b64encode(content).decode()
    return f'<p><img alt="{html.escape(description)}" src="data:image/png;base64,{encoded}"></p>'
