"""What can be set about a cross-validation; everything is fixed before a fold is tested."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from edge.errors import SettingsError
from training.gender.settings import GateSettings
from training.settings import NetworkSettings, StageSettings, TrainingSettings


@dataclass(frozen=True)
class CrossvalSettings:
    """The trainings of a cross-validation.

    base: of the network that all folds begin with, on the other corpora
    fold: of each fold, on its training part and a share of the other corpora
    gate: of the gender gate, without the tested corpus
    """

    base: TrainingSettings = TrainingSettings()
    fold: TrainingSettings = dataclasses.replace(
        TrainingSettings(), universal=StageSettings(epochs=20, learning_rate=1e-3)
    )
    gate: GateSettings = GateSettings()
    other_share: float = 0.25    # of the other corpora's clips in an epoch of a fold
    teachers: int = 0            # networks trained in each fold, whose mean opinion is learnt from
    teacher: NetworkSettings = NetworkSettings(
        stem_channels=(32, 64), width=192, bottleneck=96, dilations=(1, 2, 4, 8)
    )

    def to_dict(self) -> dict[str, Any]:
        """As JSON reads it back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def replaced(self, assignments: Iterable[str]) -> CrossvalSettings:
        """With assignments such as "other_share=0.5" or "fold.universal.epochs=30" carried out.

        What begins with "base.", "fold.", "gate." or "teacher." is for that training alone; another
        setting of an emotion training, such as "n_mfcc=32", is for base and folds. SettingsError as
        of the trainings' own settings.
        """
        settings = self
        for assignment in assignments:
            group, dot, rest = assignment.partition(".")
            name = assignment.partition("=")[0]
            if dot and group in ("base", "fold"):
                changed = getattr(settings, group).replaced([rest])
                settings = dataclasses.replace(settings, **{group: changed})
            elif dot and group == "gate":
                settings = dataclasses.replace(settings, gate=settings.gate.changed([rest]))
            elif dot and group == "teacher":
                wrapped = dataclasses.replace(settings.base, network=settings.teacher)
                network = wrapped.replaced([f"network.{rest}"]).network
                settings = dataclasses.replace(settings, teacher=network)
            elif name in ("other_share", "teachers"):
                settings = dataclasses.replace(settings, **{name: _number(name, assignment)})
            else:
                settings = dataclasses.replace(
                    settings,
                    base=settings.base.replaced([assignment]),
                    fold=settings.fold.replaced([assignment]),
                )
        return settings

    def checked(self) -> CrossvalSettings:
        """Itself; SettingsError when a fold cannot begin with the base."""
        for name in ("network", "n_mfcc", "trim_db"):
            if getattr(self.base, name) != getattr(self.fold, name):
                raise SettingsError(f"{name} of base and fold differ: a fold begins with the base")
        return self

    def of_fold(self, tested: str, corpora: Collection[str]) -> TrainingSettings:
        """Of a fold's training: the other corpora come in their share, unless `repeats` say else.

        corpora: all that there are
        """
        shares = {corpus: self.other_share for corpus in sorted(corpora) if corpus != tested}
        return dataclasses.replace(self.fold, repeats={**shares, **self.fold.repeats})

    def of_teacher(self, number: int, settings: TrainingSettings) -> TrainingSettings:
        """The settings of a training of that teacher, from those of the network that it teaches."""
        return dataclasses.replace(
            settings, seed=settings.seed + 1000 * (number + 1), network=self.teacher
        )


def _number(name: str, assignment: str) -> float | int:
    wanted = {"other_share": (float, int), "teachers": (int,)}[name]
    try:
        value = json.loads(assignment.partition("=")[2])
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, wanted) or value < 0:
        raise SettingsError(f"{assignment!r}: {name} must be a number from 0")
    return value if name == "teachers" else float(value)
