"""A training run's folder: everything that quantization and a report need to know of it.

    config.json     settings, seed, command, split, fingerprint of the data, versions
    features.json   settings of the front end and of the experts' features
    gender.npz      the gate
    prosody.npz     what judges a window's statistics beside the experts, where it was fitted
    universal.h5    the network of everybody that female.h5 was specialised from
    second.h5       another one, that male.h5 was specialised from, where it was trained
    history.jsonl   a line for each epoch
    metrics.json    what the finished stages scored on the validation speakers
    checkpoints/    where each stage can go on
    tensorboard/    the history again, for TensorBoard, where it was asked for
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from edge.features import EmotionFeatures, FrontEnd

STAGES = ("universal", "second", "female", "male")


class RunError(EdgeError):
    """A run's folder lacks something, or was made with other settings."""


class Run:
    """One run in its folder; the folder is made by the first thing written."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @property
    def gate_path(self) -> Path:
        return self.folder / "gender.npz"

    @property
    def prosody_path(self) -> Path:
        return self.folder / "prosody.npz"

    @property
    def history_path(self) -> Path:
        return self.folder / "history.jsonl"

    def model_path(self, stage: str) -> Path:
        return self.folder / f"{stage}.h5"

    def checkpoint_path(self, stage: str) -> Path:
        return self.folder / "checkpoints" / f"{stage}.npz"

    def read(self, name: str) -> Any:
        """The JSON file `name`; RunError when it is missing or malformed."""
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"run {self.folder}: {name} cannot be read ({error})") from error

    def write(self, name: str, content: Any) -> None:
        """`content` as the JSON file `name`, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{name}.partial"
        aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.replace(aside, self.folder / name)

    def settle(self, config: dict[str, Any]) -> None:
        """Records the run's configuration, or checks that it is the one recorded.

        RunError names the entries that differ: a run cannot go on with other settings.
        """
        if not (self.folder / "config.json").exists():
            self.write("config.json", config)
            return
        recorded = self.read("config.json")
        wanted = json.loads(json.dumps(config))
        volatile = {"command", "environment"}
        different = sorted(
            name for name in (set(recorded) | set(wanted)) - volatile
            if recorded.get(name) != wanted.get(name)
        )
        if different:
            raise RunError(
                f"run {self.folder} was made with another {', '.join(different)}: "
                "choose another folder or delete this one"
            )

    def front_end(self) -> FrontEnd:
        return FrontEnd.from_dict(self.read("features.json")["front_end"])

    def emotion_features(self) -> EmotionFeatures:
        return EmotionFeatures.from_dict(self.read("features.json")["emotion_features"])

    def labels(self, stage: str) -> list[str]:
        """The labels of a stage's logits, in their order."""
        return list(self.read("features.json")["labels"][stage])

    def save_expert(self, stage: str, model: Any) -> None:
        """A stage's finished Keras model, whole or not at all."""
        aside = self.folder / f".{stage}.partial.h5"
        with warnings.catch_warnings():
            # HDF5 is called a legacy format; unlike its successor it holds no date of saving.
            warnings.simplefilter("ignore", UserWarning)
            model.save(aside, include_optimizer=False)
        os.replace(aside, self.model_path(stage))

    def parent(self, stage: str) -> str:
        """The stage whose network a gender's stage is specialised from."""
        second = stage == "male" and self.model_path("second").exists()
        return "second" if second else "universal"

    def of_everybody(self) -> list[str]:
        """The stages of everybody that there are, the universal one among them in any case."""
        return ["universal", *(["second"] if self.model_path("second").exists() else [])]

    def fingerprint(self, stage: str) -> str:
        """A digest of a stage's finished model; RunError when it is missing."""
        try:
            return hashlib.sha256(self.model_path(stage).read_bytes()).hexdigest()
        except OSError as error:
            raise RunError(
                f"run {self.folder} has no {stage}.h5: its training did not finish"
            ) from error

    def expert(self, stage: str) -> Any:
        """A stage's float Keras model; RunError when it is missing or cannot be read."""
        from training.tensorflow_setup import keras

        path = self.model_path(stage)
        if not path.exists():
            raise RunError(f"run {self.folder} has no {path.name}: its training did not finish")
        try:
            return keras.models.load_model(path, compile=False)
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"run {self.folder}: {path.name} cannot be read ({error})") from error
