"""The proof as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from quantize.diagnosis import Diagnosis
from quantize.gate import Verdict
from quantize.proof import PARTS, SYSTEMS, Comparison, Proof
from quantize.variants import Variant
from training.tables import table


def format_variants(variants: list[Variant], chosen: dict[str, Variant]) -> str:
    """A line for each variant, the chosen ones marked."""
    rows = []
    for variant in variants:
        v = variant.to_dict()
        rows.append((
            v["gender"], v["method"], str(v["bytes"]), str(v["compressed_bytes"]),
            f"{100 * v['zero_share']:.1f}", str(v["multiply_accumulates"]),
            str(v["peak_activation_bytes"]), f"{v['ua']:.2f}", f"{v['ua_loss']:+.2f}",
            f"{v['ua_loss_at_most']:+.2f}", f"{v['worst_recall_loss']:+.2f}",
            f"{v['agreement']:.2f}",
            "kept" if chosen[variant.gender] is variant else "",
        ))
    return table(
        ("expert", "method", "bytes", "deflated", "zeros %", "MACs", "peak B", "UA %", "loss",
         "at most", "cell loss", "same %", ""), rows,
    )


def format_proof(proof: Proof) -> str:
    """One table for each system and part."""
    return "\n\n".join(_sections(proof))


def _sections(proof: Proof) -> Iterator[str]:
    for system in SYSTEMS:
        for part in PARTS:
            rows = [row for row in proof.comparisons if (row.system, row.part) == (system, part)]
            if rows:
                yield f"{system}, {part}\n" + table(
                    ("clips of", "clips", "float", "int8", "change", "95 % interval", "same",
                     "mean dp", "max dp", "ECE float", "before", "after"),
                    map(_line, rows),
                )


def _line(row: Comparison) -> tuple[str, ...]:
    interval = row.difference
    return (
        row.group, str(row.clips), f"{100 * row.ua_float:.2f}", f"{100 * row.ua_int8:.2f}",
        f"{100 * interval.estimate:+.2f}", f"{100 * interval.low:+.2f} {100 * interval.high:+.2f}",
        f"{100 * row.agreement:.2f}", f"{row.mean_change:.4f}", f"{row.largest_change:.3f}",
        *(f"{100 * ece:.2f}" for ece in (row.ece_float, row.ece_before, row.ece_after)),
    )


def format_diagnosis(diagnosis: Diagnosis) -> str:
    """The noise of each layer, and the clips that changed most."""
    sections = []
    for gender, layers in diagnosis.layers.items():
        rows = [
            (f"{row.position} {row.kind}", f"{row.noise_db:.1f}", f"{row.own_noise_db:.1f}",
             f"{row.low:.2f} {row.high:.2f}", f"{row.float_low:.2f} {row.float_high:.2f}",
             f"{100 * row.clipped:.3f}")
            for row in layers
        ]
        sections.append(f"{gender} expert, signal to quantization noise\n" + table(
            ("operation", "SQNR dB", "own dB", "int8 range", "float range", "clipped %"), rows
        ))
    for system, clips in diagnosis.clips.items():
        rows = [
            (clip.name, clip.part, clip.emotion, clip.float_label, clip.int8_label,
             f"{clip.change:.3f}")
            for clip in clips[:10]
        ]
        sections.append(f"{system}: worst clips\n" + table(
            ("clip", "part", "truth", "float", "int8", "change of p"), rows
        ))
    return "\n\n".join(sections)


def format_verdict(verdict: Verdict) -> str:
    """Every check in a table; what does not hold once more in words."""
    lines = [table(
        ("system", "part", "clips of", "clips", "what", "value", "limit", ""),
        [
            (c.system, c.part, c.group, str(c.clips), c.what, f"{c.value:.2f}", f"{c.limit:g}",
             "holds" if c.holds else "BROKEN")
            for c in verdict.checks
        ],
    )]
    if verdict.passed:
        parts = " and ".join(verdict.parts)
        lines.append(f"The gate holds: {len(verdict.checks)} checks on {parts}.")
    else:
        lines.append("The gate is broken by")
        lines += [f"  {check}" for check in verdict.failures]
    return "\n".join(lines)
