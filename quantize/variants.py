"""Every variant of every expert: made once and kept in the run's folder."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quantize.errors import QuantizeError
from quantize.graph import Graph
from quantize.methods import BY_NAME, Workpiece
from training.tensorflow_setup import keras, seed_everything

FORMAT = 2  # of the kept variants; another one makes them anew


@dataclass(frozen=True, eq=False)
class Variant:
    """An int8 expert, with what it costs and what it answers.

    logits: (windows, 8) of all validation windows, with the fitted `temperature`
    ua, ua_loss, agreement: per cent and points, on the validation clips of its own gender
    ua_loss_at_most: the upper end of the loss's 95 % interval
    worst_recall_loss: of the emotions with enough clips
    """

    gender: str
    method: str
    model: bytes
    logits: np.ndarray
    temperature: float
    ua: float
    ua_loss: float
    ua_loss_at_most: float
    worst_recall_loss: float
    agreement: float

    @property
    def graph(self) -> Graph:
        return Graph(self.model)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        graph = self.graph
        scores = ("ua", "ua_loss", "ua_loss_at_most", "worst_recall_loss", "agreement")
        return {
            "gender": self.gender,
            "method": self.method,
            **{name: round(getattr(self, name), 4) for name in scores},
            "temperature": self.temperature,
            "bytes": graph.size,
            "compressed_bytes": graph.compressed_size,
            "parameters": graph.parameters,
            "zero_share": round(graph.zero_share, 4),
            "multiply_accumulates": graph.multiply_accumulates,
            "peak_activation_bytes": graph.peak_activation_bytes,
        }


def made_variant(piece: Workpiece, method: str, digest: str, folder: Path) -> bytes:
    """The TFLite model of a method, from `folder` if it was made before under the same settings.

    digest: of the expert's file. QuantizeError when the model is not int8 throughout.
    """
    path = folder / f"{piece.gender}-{method}-{_key(piece, method, digest)}.tflite"
    if path.is_file():
        model = path.read_bytes()
    else:
        keras.backend.clear_session()
        seed_everything(piece.settings.seed)
        model = BY_NAME[method](piece)
        _keep(path, model)
    Graph(model).require_int8()
    return model


def _key(piece: Workpiece, method: str, digest: str) -> str:
    """What a variant depends on."""
    depends = {
        "format": FORMAT,
        "expert": digest,
        "representative": hashlib.sha256(piece.representative.tobytes()).hexdigest(),
        "settings": piece.settings.to_dict(),
    }
    if not method.startswith("ptq"):
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
        raise QuantizeError(
            f"{path.name} cannot be kept in {path.parent}: {error.strerror or error}"
        ) from error
