"""What can be set about a cross-validation; everything is fixed before a fold is tested."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from edge.errors import SettingsError
from training.corpora import CORPORA
from training.gender.settings import GateSettings
from training.prosody import ProsodySettings
from training.settings import MOST, StageSettings, TrainingSettings

_PROSODY = tuple(field.name for field in dataclasses.fields(ProsodySettings))


@dataclass(frozen=True)
class CrossvalSettings:
    """The trainings of a cross-validation.

    base: of the networks that several folds begin with, on the clips that all of these train on
    fold: of each fold, on its training part and a share of the other corpora
    gate: of the gender gate, without the tested corpus
    prosody: of the judge of prosody
    """

    base: TrainingSettings = dataclasses.replace(
        TrainingSettings(), universal=StageSettings(epochs=25, learning_rate=2e-3)
    )
    fold: TrainingSettings = dataclasses.replace(
        TrainingSettings(),
        universal=StageSettings(epochs=20, learning_rate=1e-3),
        specialised=StageSettings(epochs=6, learning_rate=1e-4),
    )
    gate: GateSettings = GateSettings()
    prosody: ProsodySettings = ProsodySettings()
    most: float = MOST           # weight of an expert whose gender is certain
    other_share: float = 0.25    # of the other corpora's clips in an epoch of a fold
    folds_of_base: int = 3       # that begin with the same networks
    gate_corpora: tuple[str, ...] = ()  # that the gate is fitted on, all others when empty
    teachers: tuple[tuple[str, ...], ...] = ()  # assignments of each teacher, see `of_teacher`

    def to_dict(self) -> dict[str, Any]:
        """As JSON reads it back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def replaced(self, assignments: Iterable[str]) -> CrossvalSettings:
        """With assignments such as "other_share=0.5" or "fold.universal.epochs=30" carried out.

        What begins with "base.", "fold.", "gate." or "prosody." is for that training alone; another
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
            elif dot and group == "prosody" and name[len("prosody."):] in _PROSODY:
                chosen = {name[len("prosody."):]: _share(assignment)}
                settings = dataclasses.replace(
                    settings, prosody=dataclasses.replace(settings.prosody, **chosen)
                )
            elif name in ("other_share", "most"):
                settings = dataclasses.replace(settings, **{name: _share(assignment)})
            elif name == "folds_of_base":
                settings = dataclasses.replace(settings, folds_of_base=_count(assignment))
            elif name == "gate_corpora":
                settings = dataclasses.replace(settings, gate_corpora=_names(assignment))
            else:
                settings = dataclasses.replace(
                    settings,
                    base=settings.base.replaced([assignment]),
                    fold=settings.fold.replaced([assignment]),
                )
        return settings

    def checked(self) -> CrossvalSettings:
        """Itself; SettingsError when a fold cannot begin with the base."""
        pairs = [(self.base, self.fold)] + [
            tuple(self.of_teacher(number, name, getattr(self, name)) for name in ("base", "fold"))
            for number in range(len(self.teachers))
        ]
        for base, fold in pairs:
            for name in ("network", "second_network", "n_mfcc", "trim_db"):
                if getattr(base, name) != getattr(fold, name):
                    raise SettingsError(
                        f"{name} of base and fold differ: a fold begins with the base"
                    )
        return self

    def of_fold(self, tested: str, corpora: Collection[str]) -> TrainingSettings:
        """Of a fold's training: the other corpora come in their share, unless `repeats` say else.

        corpora: all that there are
        """
        shares = {corpus: self.other_share for corpus in sorted(corpora) if corpus != tested}
        return dataclasses.replace(self.fold, repeats={**shares, **self.fold.repeats})

    def of_teacher(
        self, number: int, training: str, settings: TrainingSettings
    ) -> TrainingSettings:
        """The settings of a teacher's training, from those of the network that it teaches.

        Its assignments are as of `TrainingSettings.replaced`, with "base." or "fold." before one
        that is for that training alone; its seed is another one unless they say so.
        """
        assignments = []
        for assignment in self.teachers[number]:
            group, dot, rest = assignment.partition(".")
            if not dot or group not in ("base", "fold"):
                assignments.append(assignment)
            elif group == training:
                assignments.append(rest)
        seeded = dataclasses.replace(settings, seed=settings.seed + 1000 * (number + 1))
        return seeded.replaced(assignments)


def _share(assignment: str) -> float:
    try:
        value = json.loads(assignment.partition("=")[2])
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, (float, int)) or value < 0:
        raise SettingsError(f"{assignment!r} must be a number from 0")
    return float(value)


def _count(assignment: str) -> int:
    value = assignment.partition("=")[2]
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{assignment!r} must be a whole number from 1")
    return int(value)


def _names(assignment: str) -> tuple[str, ...]:
    try:
        value = json.loads(assignment.partition("=")[2])
    except ValueError:
        value = None
    if not isinstance(value, list) or not set(value) <= set(CORPORA):
        raise SettingsError(f'{assignment!r} must be names of corpora, such as ["crema-d"]')
    return tuple(value)
