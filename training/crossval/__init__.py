"""Cross-validates the experts over a protocol's folds, and sets them beside published figures.

    python -m training crossval --protocol emobox --corpus ravdess --corpora CORPORA --run RUN

1. A gender gate is fitted without the tested corpus.
2. For every few folds, two base networks are trained on the clips that all of these train on: the
   other corpora, and the speakers that none of them tests or validates with.
3. Each fold's two networks of everybody begin with its base's and learn from the fold's training
   part and a share of the other corpora; from them the experts are specialised. The judge of
   prosody learns from the same part, the more from other corpora the fewer its speakers. Inner
   validation speakers, who are not trained on, set the temperatures, and nothing else.
4. The int8 forms are made and tested by the program `quantize.crossval`, which is started when all
   folds are trained.

All settings are fixed before: no figure of a fold's test clips chooses anything.

With `--protocol corpora` everybody of the corpus is tested, by models that have never heard it. The
judge of prosody is then made as that of the released models, which is to know no corpus.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import SettingsError
from edge.features import FrontEnd
from edge.gender import GenderGate, read_arrays
from edge.labels import GENDERS
from edge.prosody import Prosody
from edge.prosody import read_arrays as read_prosody
from edge.recognizer import Recognizer
from training.answers import save_answers
from training.cache import FeatureCache
from training.clip_windows import ClipWindows
from training.corpora import CORPORA, Clip, CorpusError, read_corpora
from training.crossval.folds import (
    Fold,
    Split,
    base_clips,
    folds_of,
    sharing,
    split,
    validation_speakers,
)
from training.crossval.results import collect, fold_run, format_details, format_results
from training.crossval.settings import CrossvalSettings
from training.emotion import (
    WINDOW_HOP,
    Material,
    environment,
    planned_steps,
    train_experts,
)
from training.evaluation import evaluate
from training.gender import fit_gate, write_arrays
from training.prosody import (
    ProsodyRows,
    SharedSettings,
    fit_prosody,
    fit_shared_prosody,
    joint_temperature,
    write_prosody,
)
from training.protocol import RELEASE, Protocol
from training.run import STAGES, Run
from training.settings import TrainingSettings
from training.temperature import common_factor, fitted_temperature

_OF_EVERYBODY = tuple(stage for stage in STAGES if stage not in GENDERS)
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Crossval:
    """A cross-validation's material: the clips with their log-mels, and the folds."""

    run: Run
    corpus: str
    clips: list[Clip]
    log_mels: list[np.ndarray]
    folds: list[Fold]

    @classmethod
    def read(
        cls, run: Run, corpus: str, protocol: str, corpora: Path, cache: Path | None
    ) -> Crossval:
        """Reads the corpora; CorpusError as of the readers, or when there are no folds."""
        clips = read_corpora(corpora)
        folds = folds_of(corpus, protocol_file(protocol), clips)
        log_mels = FeatureCache(cache or run.folder.parent / "cache", FrontEnd()).log_mels(clips)
        return cls(run, corpus, clips, log_mels, folds)

    def material(self, indices: Sequence[int]) -> Material:
        return Material([self.clips[i] for i in indices], [self.log_mels[i] for i in indices])

    def validating(self, fold: Fold) -> frozenset[str]:
        return validation_speakers(self.folds, fold, self.clips)

    def split(self, fold: Fold) -> Split:
        return split(fold, self.clips, self.validating(fold))

    def base(self, sharing: Sequence[Fold]) -> Material:
        """What the base of some folds is trained on."""
        validating = [self.validating(fold) for fold in sharing]
        return self.material(base_clips(sharing, self.clips, validating))

    def tested(self) -> list[Clip]:
        """All clips of the corpus."""
        return [clip for clip in self.clips if clip.corpus == self.corpus]


def protocol_file(protocol: str) -> Path:
    """The file of a protocol that comes with the package, by name, or any other's path."""
    own = RELEASE.with_name(f"{protocol}.json")
    return own if own.exists() else Path(protocol)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training crossval`."""
    known = os.environ.get("EDGE_CORPORA")
    parser.add_argument("--protocol", default="emobox",
                        help="emobox, corpora (each is tested by models of the others), or a file "
                        "(default: emobox)")
    parser.add_argument("--corpus", required=True, choices=CORPORA, metavar="CORPUS",
                        help="whose folds are tested: ravdess, savee or tess, of corpora crema-d, "
                        "too")
    parser.add_argument("--corpora", type=Path, required=known is None, default=known,
                        help="folder with one folder for each corpus (default: $EDGE_CORPORA)")
    parser.add_argument("--run", type=Path,
                        help="folder of the run; goes on if begun (default: runs/crossval-CORPUS, "
                        "of another protocol than emobox runs/PROTOCOL-CORPUS)")
    parser.add_argument("--cache", type=Path,
                        help="folder of cached log-mels (default: cache beside the run)")
    parser.add_argument("--gate", type=Path, metavar="FOLDER",
                        help="the gate's, made if absent (default: gate in --run); several corpora "
                        "may share one, see the setting gate_corpora")
    parser.add_argument("--folds", nargs="+", metavar="FOLD", help="these alone (default: all)")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE",
                        help="other settings, such as fold.universal.epochs=30 n_mfcc=32 "
                        "other_share=0.5 gate.steps=4000 "
                        "folds_of_base=2 gate_corpora=[\"crema-d\",\"slr45\"]")
    parser.add_argument("--teacher", nargs="+", action="append", default=[], metavar="NAME=VALUE",
                        help="base and folds learn from one more network, too, trained on the same "
                        "clips with these other settings, such as seed=7 network.width=192; may "
                        "be repeated")
    parser.add_argument("--float", action="store_true", dest="float_only",
                        help="without the int8 forms")


def run(arguments: argparse.Namespace) -> int:
    """Trains and tests what is not there yet; prints the tables and writes RUN/crossval.json."""
    settings = dataclasses.replace(
        CrossvalSettings().replaced(arguments.set),
        teachers=tuple(map(tuple, arguments.teacher)),
    ).checked()
    kind = "crossval" if arguments.protocol == "emobox" else Path(arguments.protocol).stem
    folder = arguments.run or Path("runs") / f"{kind}-{arguments.corpus}"
    cache = arguments.cache or folder.parent / "cache"
    crossval = Crossval.read(
        Run(folder), arguments.corpus, arguments.protocol, Path(arguments.corpora), cache
    )
    chosen = _chosen(crossval.folds, arguments.folds)
    crossval.run.settle(_config(crossval, settings, arguments))
    gate = Run(arguments.gate or folder / "gate")
    _fit_gate(crossval, settings, gate)
    _train(crossval, settings, chosen, gate)
    if not arguments.float_only:
        status = _make_int8(crossval, arguments, cache, chosen)
        if status:
            return status
    content = collect(crossval.run, crossval.corpus, crossval.folds)
    crossval.run.write("crossval.json", content)
    print(format_results(content))
    print(f"\n{format_details(crossval.run, content)}")
    print(f"\nwrote {crossval.run.folder / 'crossval.json'}")
    return 0


def _chosen(folds: Sequence[Fold], names: Sequence[str] | None) -> list[Fold]:
    by_name = {fold.name: fold for fold in folds}
    for name in names or ():
        if name not in by_name:
            raise SettingsError(f"there is no fold {name}: they are {', '.join(by_name)}")
    return [fold for fold in folds if names is None or fold.name in names]


def _config(
    crossval: Crossval, settings: CrossvalSettings, arguments: argparse.Namespace
) -> dict[str, Any]:
    file = protocol_file(arguments.protocol)
    return {
        "corpus": crossval.corpus,
        "protocol": arguments.protocol,
        "protocol_digest": hashlib.sha256(file.read_bytes()).hexdigest(),
        "settings": settings.to_dict(),
        "data": crossval.material(range(len(crossval.clips))).fingerprint(),
        "validation": {
            fold.name: sorted(crossval.validating(fold)) for fold in crossval.folds
        },
        "command": " ".join([
            "python -m training crossval --protocol", arguments.protocol, "--corpus",
            crossval.corpus, "--corpora CORPORA --run RUN",
            *(["--set", *arguments.set] if arguments.set else []),
            *(word for teacher in arguments.teacher for word in ("--teacher", *teacher)),
        ]),
        "environment": environment(),
    }


def _fit_gate(crossval: Crossval, settings: CrossvalSettings, gate: Run) -> None:
    """The gate, fitted on other corpora's speakers but the release's validation speakers."""
    corpora = sorted({
        clip.corpus for clip in crossval.clips
        if clip.corpus != crossval.corpus and clip.corpus in (settings.gate_corpora or CORPORA)
    })
    gate.settle({"settings": dataclasses.asdict(settings.gate), "corpora": corpora})
    if gate.gate_path.exists():
        return
    others = [k for k, clip in enumerate(crossval.clips) if clip.corpus in corpora]
    protocol = dataclasses.replace(
        Protocol.load(RELEASE), name=f"of {', '.join(corpora)}", test={}
    )
    fit = fit_gate(
        [crossval.clips[k] for k in others], [crossval.log_mels[k] for k in others], protocol,
        settings.gate, roads=("all",),
    )
    gate.write("gender.json", fit.report)
    aside = gate.folder / ".gender.partial.npz"
    write_arrays(aside, fit.arrays)
    os.replace(aside, gate.gate_path)


def _train(
    crossval: Crossval, settings: CrossvalSettings, chosen: Sequence[Fold], gate: Run
) -> None:
    from tqdm import tqdm

    corpora = {clip.corpus for clip in crossval.clips if clip.emotion is not None}
    of_fold = settings.of_fold(crossval.corpus, corpora)
    materials = {fold.name: crossval.split(fold) for fold in chosen}
    bases = {fold.name: sharing(crossval.folds, fold, settings.folds_of_base) for fold in chosen}
    total = sum(
        _family_steps(crossval.base(folds), settings, "base", settings.base, _OF_EVERYBODY)
        for folds in {_base_name(folds): folds for folds in bases.values()}.values()
    )
    for parts in materials.values():
        total += _family_steps(crossval.material(parts.train), settings, "fold", of_fold, STAGES)
    config = _base_config(crossval)
    begun: dict[str, tuple[Run, list[Run]]] = {}
    made = ProsodyRows()
    with tqdm(total=total, unit="step", mininterval=5.0, desc=crossval.corpus) as bar:
        for fold in chosen:
            name = _base_name(bases[fold.name])
            if name not in begun:
                bar.set_description(f"{crossval.corpus}, {name}")
                begun[name] = _family(
                    crossval.run.folder / name, crossval.base(bases[fold.name]), None, settings,
                    "base", settings.base, config, _OF_EVERYBODY, bar,
                )
            bar.set_description(f"{crossval.corpus}, fold {fold.name}")
            parts = materials[fold.name]
            folder = fold_run(crossval.run, fold)
            _family(
                folder.folder, crossval.material(parts.train),
                crossval.material(parts.validation), settings, "fold", of_fold,
                {**config, "fold": fold.name, "hold_out": sorted(crossval.validating(fold))},
                STAGES, bar, *begun[name],
            )
            _fit_prosody(crossval, fold, settings, made)
            if not (folder.folder / "float.npz").exists():
                _test_float(
                    crossval, fold, crossval.material(parts.validation), settings, gate
                )


def _base_name(folds: Sequence[Fold]) -> str:
    return "-".join(["base", *(fold.name for fold in folds)])


def _base_config(crossval: Crossval) -> dict[str, Any]:
    config = crossval.run.read("config.json")
    names = ("corpus", "protocol", "protocol_digest", "command", "environment")
    return {name: config[name] for name in names}


def _family_steps(
    train: Material,
    settings: CrossvalSettings,
    training: str,
    of_pupil: TrainingSettings,
    stages: Sequence[str],
) -> int:
    """How many steps `_family` would make."""
    return planned_steps(train, of_pupil, stages) + sum(
        planned_steps(train, settings.of_teacher(number, training, of_pupil), ["universal"])
        for number in range(len(settings.teachers))
    )


def _family(
    folder: Path,
    train: Material,
    validation: Material | None,
    settings: CrossvalSettings,
    training: str,
    of_pupil: TrainingSettings,
    config: dict[str, Any],
    stages: Sequence[str],
    bar: Any,
    initial: Run | None = None,
    initial_teachers: Sequence[Run] = (),
) -> tuple[Run, list[Run]]:
    """Trains the teachers that there are to be, then the network that learns from them.

    training: "base" or "fold"; of_pupil: the settings of the network that learns
    """
    front_end = FrontEnd()
    teachers = []
    for number in range(len(settings.teachers)):
        teachers.append(Run(folder / f"teacher-{number + 1}"))
        train_experts(
            teachers[-1], train, validation, settings.of_teacher(number, training, of_pupil),
            front_end, config, ["universal"],
            initial=[initial_teachers[number]] if initial_teachers else [], bar=bar,
        )
    pupil = Run(folder)
    train_experts(
        pupil, train, validation, of_pupil, front_end, config, stages, teachers=teachers,
        initial=[] if initial is None else [initial], bar=bar,
    )
    return pupil, teachers


def _test_float(
    crossval: Crossval, fold: Fold, validation: Material, settings: CrossvalSettings, gate: Run
) -> None:
    """The fold's float.npz and float.json, and the gate beside its experts."""
    from training.keras_expert import KerasExpert

    folder = fold_run(crossval.run, fold)
    folder.gate_path.write_bytes(gate.gate_path.read_bytes())
    models = {gender: folder.expert(gender) for gender in GENDERS}
    experts = {gender: KerasExpert(model) for gender, model in models.items()}
    answer_fold(crossval, fold, "float", experts, validation, settings.most, {
        "parameters": sum(int(model.count_params()) for model in models.values()),
    })


def inner_temperatures(
    validation: Material, features: Any, experts: dict[str, Any], most: float
) -> dict[str, float]:
    """Each expert's temperature by the inner validation speakers of its gender; 1 without any.

    most: see `common_factor`
    """
    temperatures = dict.fromkeys(GENDERS, 1.0)
    if not len(validation):
        return temperatures
    windows = ClipWindows(validation, features)
    logits = {gender: windows.logits(experts[gender]) for gender in GENDERS}
    for gender in GENDERS:
        if windows.of_gender(gender).any():
            temperatures[gender] = fitted_temperature(windows, logits[gender], gender)
    factor = common_factor(windows, logits, temperatures, most)
    return {gender: round(value * factor, 4) for gender, value in temperatures.items()}


def answer_fold(
    crossval: Crossval,
    fold: Fold,
    form: str,
    experts: dict[str, Any],
    validation: Material,
    most: float,
    facts: dict[str, Any],
) -> None:
    """Asks a recogniser of the experts about the fold's test clips, and keeps its answers.

    form: of FORMS, the stem of the files; validation: the clips of inner validation speakers, who
    set the temperatures; most: weight of an expert whose gender is certain; facts: what else the
    JSON file shall say
    """
    folder = fold_run(crossval.run, fold)
    features = folder.emotion_features()
    temperatures = inner_temperatures(validation, features, experts, most)
    prosody = None
    if folder.prosody_path.exists():
        prosody = Prosody(read_prosody(folder.prosody_path))
        prosody.temperature = _joint_temperature(
            prosody, None if fold.unheard else crossval.corpus, validation, features, experts,
            temperatures, most,
        )
        facts = {**facts, "prosody_temperature": prosody.temperature}
    recognizer = Recognizer.from_parts(
        front_end=folder.front_end(),
        emotion_features=features,
        gate=GenderGate.from_arrays(read_arrays(folder.gate_path)),
        experts=experts,
        temperatures=temperatures,
        window_hop_frames=WINDOW_HOP,
        active_span_db=features.trim_db,
        most=most,
        prosody=prosody,
    )
    found = evaluate(recognizer, crossval.tested(), fold.protocol, ["test"], progress=False)
    folder.write(f"{form}.json", {"temperatures": temperatures, **facts})
    save_answers(found, folder.folder / f"{form}.npz")


def _joint_temperature(
    prosody: Prosody,
    corpus: str | None,
    validation: Material,
    features: Any,
    experts: dict[str, Any],
    temperatures: dict[str, float],
    most: float,
) -> float:
    """What experts and prosody together are divided by; 1 without inner validation speakers.

    corpus: that the judge of prosody is for, None when it is to know no corpus
    """
    kept = [k for k, clip in enumerate(validation.clips) if corpus in (None, clip.corpus)]
    if not kept:
        return 1.0
    here = Material(
        [validation.clips[k] for k in kept], [validation.log_mels[k] for k in kept]
    )
    windows = ClipWindows(here, features)
    logits = {gender: windows.logits(experts[gender]) for gender in GENDERS}
    return joint_temperature(prosody, windows, logits, temperatures, most)


def _fit_prosody(
    crossval: Crossval, fold: Fold, settings: CrossvalSettings, made: ProsodyRows
) -> None:
    """The fold's judge of prosody, from its training part: of the tested corpus, and of others."""
    path = fold_run(crossval.run, fold).prosody_path
    if path.exists() or not settings.prosody.weight:
        return
    train = crossval.split(fold).train
    if fold.unheard:
        _write_prosody(path, fit_shared_prosody(crossval.material(train), SharedSettings()))
        return
    own = [k for k in train if crossval.clips[k].corpus == crossval.corpus]
    others = [k for k in train if crossval.clips[k].corpus != crossval.corpus]
    arrays = fit_prosody(
        crossval.material(own), crossval.material(others), settings.prosody, made
    )
    _write_prosody(path, arrays)


def _write_prosody(path: Path, arrays: dict[str, np.ndarray]) -> None:
    aside = path.with_name(".prosody.partial.npz")
    write_prosody(aside, arrays)
    os.replace(aside, path)


def _make_int8(
    crossval: Crossval, arguments: argparse.Namespace, cache: Path, chosen: Sequence[Fold]
) -> int:
    """Starts the quantization room's program, which this room does not know from within."""
    command = [
        sys.executable, "-m", "quantize.crossval", str(crossval.run.folder.resolve()),
        "--corpora", str(Path(arguments.corpora).resolve()), "--cache", str(cache.resolve()),
        "--folds", *(fold.name for fold in chosen),
    ]
    return subprocess.run(command, cwd=_ROOT, check=False).returncode


def read_crossval(folder: Path) -> dict[str, Any]:
    """The content of a finished run's crossval.json, for a report."""
    content = Run(folder).read("crossval.json")
    if "folds" not in content:
        raise CorpusError(f"{folder}/crossval.json is not of a cross-validation")
    return json.loads(json.dumps(content))
