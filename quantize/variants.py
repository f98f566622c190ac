"""Every variant of every expert: made once, kept in the run's folder, measured on validation clips."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.emotion import TFLiteExpert
from quantize.errors import QuantizeError
from quantize.graph import Graph
from quantize.methods import BY_NAME, Workpiece
from quantize.settings import MethodSettings, Thresholds
from quantize.windows import ClipWindows
from training import metrics
from training.tensorflow_setup import keras, seed_everything

FORMAT = 1  # of the kept variants; another one makes them anew


@dataclass(frozen=True)
class Variant:
    """An int8 expert with what it costs and what it scores on validation clips of its gender.

    UA in per cent; `worst_recall_loss` in points, of the emotions with enough clips.
    """

    gender: str
    method: str
    model: bytes
    ua: float
    ua_loss: float
    worst_recall_loss: float
    agreement: float
    bytes: int
    compressed_bytes: int
    parameters: int
    zero_share: float
    multiply_accumulates: int
    peak_activation_bytes: int

    def keeps(self, thresholds: Thresholds) -> bool:
        """Whether the variant holds the gate on the validation clips."""
        return (
            self.ua_loss <= thresholds.ua_loss + 1e-9
            and self.worst_recall_loss <= thresholds.recall_loss + 1e-9
            and self.agreement >= thresholds.agreement - 1e-9
        )

    def to_dict(self) -> dict[str, Any]:
        content = {name: value for name, value in vars(self).items() if name != "model"}
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in content.items()}


def made_variant(piece: Workpiece, method: str, digest: str, folder: Path) -> bytes:
    """The TFLite model of a method, from `folder` if it was made before under the same settings.

    digest: of the expert's file
    """
    key = _key(piece, method, digest)
    path = folder / f"{piece.gender}-{method}-{key}.tflite"
    if path.is_file():
        return path.read_bytes()
    keras.backend.clear_session()
    seed_everything(piece.settings.seed)
    model = BY_NAME[method](piece)
    _keep(path, model)
    return model


def _key(piece: Workpiece, method: str, digest: str) -> str:
    """What a variant depends on."""
    settings = piece.settings.to_dict()
    depends = {
        "format": FORMAT,
        "expert": digest,
        "representative": hashlib.sha256(piece.representative.tobytes()).hexdigest(),
        "settings": settings,
    }
    if method != "ptq":
        depends["material"] = piece.material.fingerprint()
        depends["training"] = piece.training.to_dict()
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def _keep(path: Path, model: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".partial")
        aside.write_bytes(model)
        os.replace(aside, path)
    except OSError as error:
        raise QuantizeError(f"{path.name} cannot be kept in {path.parent}: {error.strerror}") from error


def measured(
    gender: str,
    method: str,
    model: bytes,
    windows: ClipWindows,
    float_logits: np.ndarray,
    thresholds: Thresholds,
) -> Variant:
    """Checks that a model is int8 throughout, and scores it beside the float expert's logits."""
    graph = Graph(model)
    graph.require_int8()
    logits = windows.logits(TFLiteExpert(model, name=f"{gender} {method}"))
    chosen = windows.of_gender(gender)
    if not chosen.any():
        raise QuantizeError(f"no validation speaker is {gender}: its expert cannot be proven")
    exact = windows.answers(windows.probabilities(float_logits, 1.0))
    int8 = windows.answers(windows.probabilities(logits, 1.0))
    ua, ua_float = (
        100 * windows.measured(metrics.unweighted_average_recall, answers, chosen)
        for answers in (int8, exact)
    )
    losses = [0.0]
    for emotion in np.unique(windows.material.labels):
        cell = chosen & (windows.material.labels == emotion)
        if cell.sum() >= thresholds.cell_clips:
            right = [(answers[cell] == emotion).mean() for answers in (exact, int8)]
            losses.append(100 * float(right[0] - right[1]))
    return Variant(
        gender, method, model, ua, ua_float - ua, max(losses),
        100 * float((exact[chosen] == int8[chosen]).mean()),
        graph.size, graph.compressed_size, graph.parameters, graph.zero_share,
        graph.multiply_accumulates, graph.peak_activation_bytes,
    )


def best(variants: Sequence[Variant], thresholds: Thresholds, size_budget: int) -> Variant:
    """The variant of highest validation UA within the budget of bytes; of equals, the smaller.

    Those that break the gate on validation clips stand back behind those that hold it. QuantizeError
    when none is small enough.
    """
    small = [variant for variant in variants if variant.bytes <= size_budget]
    if not small:
        least = min(variant.bytes for variant in variants)
        raise QuantizeError(
            f"no {variants[0].gender} expert is within {size_budget} bytes; the smallest has {least}: "
            "raise --size-budget, or train a smaller network"
        )
    return max(
        small,
        key=lambda variant: (
            variant.keeps(thresholds), round(variant.ua, 6), -variant.bytes, -variant.compressed_bytes
        ),
    )
