"""A training run's float experts and gate, checked before anything is made of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import EdgeError
from edge.features import EmotionFeatures, FrontEnd
from edge.gender import GenderGate, read_arrays
from edge.labels import GENDERS, LABELS
from edge.prosody import checked_arrays
from edge.prosody import read_arrays as read_prosody
from quantize.errors import QuantizeError
from training.run import Run
from training.settings import TrainingSettings


@dataclass(frozen=True)
class FloatRun:
    """What a quantization needs of a run.

    experts: by gender, Keras models of (batch, frames, n_mfcc, 1) to (batch, 8) logits
    digests: by gender, SHA-256 of the expert's file
    gate_arrays: the content of `gender.npz`, of which `gate` is made
    prosody_arrays: the content of `prosody.npz`, None where the run has none
    """

    folder: Path
    front_end: FrontEnd
    features: EmotionFeatures
    experts: dict[str, Any]
    digests: dict[str, str]
    gate: GenderGate
    gate_arrays: dict[str, np.ndarray]
    config: dict[str, Any]
    prosody_arrays: dict[str, np.ndarray] | None = None

    @classmethod
    def load(cls, folder: Path | str) -> FloatRun:
        """Reads a run. QuantizeError says what it lacks, or what in it cannot be right."""
        run = Run(folder)
        if not run.folder.is_dir():
            raise QuantizeError(f"there is no run {run.folder}")
        try:
            config = run.read("config.json")
            front_end, features = run.front_end(), run.emotion_features()
            labels = {gender: run.labels(gender) for gender in GENDERS}
            experts = {gender: run.expert(gender) for gender in GENDERS}
        except (EdgeError, KeyError, TypeError) as error:
            reason = error if isinstance(error, EdgeError) else f"features.json lacks {error}"
            raise QuantizeError(f"nothing to quantize: {reason}") from error
        _check_labels(labels)
        for gender, expert in experts.items():
            _check_expert(gender, expert, features)
        arrays, gate = _gate(run)
        digests = {
            gender: hashlib.sha256(run.model_path(gender).read_bytes()).hexdigest()
            for gender in GENDERS
        }
        return cls(
            run.folder, front_end, features, experts, digests, gate, arrays, config, _prosody(run)
        )

    def training_settings(self) -> TrainingSettings:
        """The settings with which the experts were trained."""
        recorded = self.config.get("settings", {})
        return TrainingSettings().replaced(_assignments(recorded))


def _assignments(settings: dict[str, Any], prefix: str = "") -> list[str]:
    nested = {"universal", "specialised", "network", "augmentation", "acoustics"}
    assignments = []
    for name, value in settings.items():
        if name in nested:
            assignments += _assignments(value, f"{prefix}{name}.")
        else:
            assignments.append(f"{prefix}{name}={json.dumps(value)}")
    return assignments


def _check_labels(labels: dict[str, list[str]]) -> None:
    if labels["female"] != labels["male"]:
        raise QuantizeError(
            "the experts' labels differ: female "
            f"{', '.join(labels['female'])}; male {', '.join(labels['male'])}; "
            "train both over the same labels"
        )
    if labels["female"] != list(LABELS):
        raise QuantizeError(
            f"the experts' labels are {', '.join(labels['female'])} instead of {', '.join(LABELS)}"
        )


def _check_expert(gender: str, expert: Any, features: EmotionFeatures) -> None:
    wanted = (features.frames, features.n_mfcc, 1)
    if tuple(expert.input_shape[1:]) != wanted:
        raise QuantizeError(
            f"{gender}.h5 takes {tuple(expert.input_shape[1:])}, where features.json gives {wanted}"
        )
    if tuple(expert.output_shape[1:]) != (len(LABELS),):
        raise QuantizeError(
            f"{gender}.h5 gives {tuple(expert.output_shape[1:])} logits for {len(LABELS)} labels"
        )
    for variable in expert.weights:
        broken = int((~np.isfinite(variable.numpy())).sum())
        if broken:
            raise QuantizeError(
                f"{gender}.h5: {broken} of {variable.name} are not finite; the training diverged, "
                "lower its learning rate"
            )


def _gate(run: Run) -> tuple[dict[str, np.ndarray], GenderGate]:
    remedy = f"make it with `python -m training gender --run {run.folder}`"
    if not run.gate_path.is_file():
        raise QuantizeError(f"run {run.folder} has no {run.gate_path.name}: {remedy}")
    try:
        arrays = read_arrays(run.gate_path)
        return arrays, GenderGate.from_arrays(arrays)
    except EdgeError as error:
        reason = str(error).partition(";")[0]
        raise QuantizeError(
            f"run {run.folder}, {run.gate_path.name}: {reason}; {remedy}"
        ) from error


def _prosody(run: Run) -> dict[str, np.ndarray] | None:
    if not run.prosody_path.is_file():
        return None
    try:
        arrays = read_prosody(run.prosody_path)
        checked_arrays(arrays)
        return arrays
    except EdgeError as error:
        raise QuantizeError(
            f"run {run.folder}: {error}; make it with `python -m training prosody --run "
            f"{run.folder}`, or remove it"
        ) from error
