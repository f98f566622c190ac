"""What can be set about a quantization. A bundle records all of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from edge.errors import SettingsError

METHODS = ("ptq", "ptq-mse", "qat", "prune-qat", "cluster")


@dataclass(frozen=True)
class MethodSettings:
    """How each method works."""

    seed: int = 0
    representative_windows: int = 400   # of training speakers, balanced by gender, emotion, corpus
    balance: float = 0.7                # how much channels' ranges are evened out, 1 wholly
    batch_size: int = 48
    qat_epochs: int = 1                 # passes over the expert's training clips
    qat_learning_rate: float = 4e-5     # at the start; it falls to 0 along a cosine
    prune_epochs: int = 2               # in which the sparsity rises
    prune_sparsity: float = 0.3         # share of a kernel's weights that become 0
    prune_learning_rate: float = 1e-4
    cluster_epochs: int = 1
    clusters: int = 32                  # values that a kernel's weights share
    cluster_learning_rate: float = 3e-5
    weight_bits: int = 8                # float kernels are rounded to so many bits first; below 8
                                        # they are ruined on purpose, to see what the gate says

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name == "seed" else 1
            if field.type == "int" and not (type(value) is int and value >= least):
                raise SettingsError(f"{field.name} must be a whole number from {least}: {value!r}")
            if field.type == "float" and not 0.0 < value < 1.0:
                raise SettingsError(f"{field.name} must be above 0 and below 1, not {value!r}")
        if not 2 <= self.weight_bits <= 8:
            raise SettingsError(f"weight_bits must be 2 to 8, not {self.weight_bits}")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Thresholds:
    """What int8 may cost at most, against float, on the same clips; else nothing is shipped."""

    ua_loss: float = 1.0        # points of UA, of each expert and of the whole
    recall_loss: float = 3.0    # points of recall of a gender and emotion
    cell_clips: int = 50        # clips that such a cell must have to count
    agreement: float = 95.0     # per cent of clips whose label does not change

    def __post_init__(self) -> None:
        for name in ("ua_loss", "recall_loss", "agreement"):
            if not 0.0 <= getattr(self, name) <= 100.0:
                raise SettingsError(f"{name} must be from 0 to 100, not {getattr(self, name)!r}")
        if self.cell_clips < 1:
            raise SettingsError(f"cell_clips must be at least 1, not {self.cell_clips}")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
