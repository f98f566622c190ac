"""What can be set about the training of the experts, with the values that validation chose."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edge.errors import SettingsError
from training.augment import AugmentationSettings

MOST = 0.65
"""Of `edge.bundle.Blend.most`: the weight of the expert of a speaker's own gender."""

SHIPPED = (
    "n_mfcc=64", "network.columns=40",
    'second_network={"columns": 64, "spectrum": true, "stem_channels": [16, 32, 48, 64], '
    '"halvings": 2}',
)
"""Of `TrainingSettings.replaced`: the networks of the default bundle, of which one sees a cepstrum
and the other one a spectrum, so that they err differently."""


@dataclass(frozen=True)
class NetworkSettings:
    """The shape of an expert."""

    columns: int = 0                           # coefficients, from c0, that it sees; 0 for all
    spectrum: bool = False                     # whether it sees so many bands of a spectrum instead
    kind: str = "plane"                        # of the first layers: "plane" or "line"
    stem_channels: tuple[int, ...] = (24, 32)  # of a plane's two-dimensional convolutions
    halvings: int = 0                          # of the coefficients, after each next convolution
    width: int = 96                            # channels over time
    bottleneck: int = 48                       # channels inside a residual block
    dilations: tuple[int, ...] = (1, 2, 4)     # one residual block each
    spatial_dropout: float = 0.1               # share of channels that a block drops
    dropout: float = 0.3                       # before the dense layer


@dataclass(frozen=True)
class StageSettings:
    """One pass of optimisation: AdamW, a linear rise and a cosine fall of the learning rate."""

    epochs: int
    learning_rate: float           # the highest
    warm_up: float = 0.15          # share of the steps in which it rises


@dataclass(frozen=True)
class TrainingSettings:
    """A whole training, but for its data."""

    seed: int = 0
    n_mfcc: int = 40
    trim_db: float = -50.0
    floor_db: float = -80.0        # of what the experts see, below the loudest cell of a window
    batch_size: int = 48
    universal: StageSettings = StageSettings(epochs=40, learning_rate=2e-3)
    specialised: StageSettings = StageSettings(epochs=10, learning_rate=1e-4)
    weight_decay: float = 0.02
    average_decay: float = 0.998   # of the moving average of the weights, which is what is kept
    label_smoothing: float = 0.1
    # Of the logits in the loss, by the log of the labels' shares in the clip's corpus (Menon et al.
    # 2021), so that the network learns what makes recalls equal, and nothing about the corpora.
    prior_adjustment: float = 1.0
    distillation: float = 0.6      # share of the teachers' opinion in the loss, where there are any
    clips_per_epoch: dict[str, int] = field(default_factory=lambda: {"tess": 700})  # at most
    repeats: dict[str, float] = field(default_factory=dict)  # of a corpus's clips in an epoch
    other_gender: float = 0.5      # share of the other gender's clips that a specialist still hears
    bfloat16: bool = True          # convolutions, where the processor has instructions for it
    network: NetworkSettings = NetworkSettings()
    second_network: dict[str, Any] = field(default_factory=dict)  # what the second one has instead
    augmentation: AugmentationSettings = AugmentationSettings()

    def network_of(self, stage: str) -> NetworkSettings:
        """The shape of the network of everybody of that stage, "universal" or "second".

        SettingsError when the second one is to have what no network has.
        """
        if stage != "second":
            return self.network
        network = self.network
        for name, value in self.second_network.items():
            network = _replaced(network, [name], value, f"second_network: {name}={value}")
        return network

    def to_dict(self) -> dict[str, Any]:
        """As JSON reads it back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def replaced(self, assignments: Iterable[str]) -> TrainingSettings:
        """With assignments such as "universal.epochs=60" or "network.dilations=[1,2]" carried out.

        SettingsError when there is no such setting, or the value is not JSON of the same kind.
        """
        settings = self
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            try:
                value = json.loads(text)
            except ValueError:
                equals = ""
            if not equals:
                raise SettingsError(f"{assignment!r} is not NAME=VALUE with a value in JSON")
            settings = _replaced(settings, name.split("."), value, assignment)
        return settings


def _replaced(settings: Any, names: list[str], value: Any, assignment: str) -> Any:
    fields = [entry.name for entry in dataclasses.fields(settings)]
    if names[0] not in fields:
        raise SettingsError(f"{assignment!r}: the settings are {', '.join(fields)}")
    current = getattr(settings, names[0])
    if len(names) > 1:
        if not dataclasses.is_dataclass(current):
            raise SettingsError(f"{assignment!r}: {names[0]} has no settings of its own")
        value = _replaced(current, names[1:], value, assignment)
    elif dataclasses.is_dataclass(current):
        raise SettingsError(f"{assignment!r}: set one of its settings, as {names[0]}.NAME")
    elif isinstance(current, tuple) and isinstance(value, list):
        value = tuple(value)
    elif isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif type(value) is not type(current):
        raise SettingsError(f"{assignment!r}: {current!r} is of another kind")
    return dataclasses.replace(settings, **{names[0]: value})
