"""Asks whether gender-specific experts are right, on the same clips, with paired intervals.

    python -m training ablation --run RUN --corpora CORPORA --universal RUN-OF-ONE-NETWORK

The systems are made of one run's networks, or of a bundle's:

    soft         both experts, weighed by the gate's posterior: the deployed form
    hard         the likelier gender's expert leads, however slightly it is the likelier one
    oracle       the expert of the true gender leads
    swapped      the expert of the other gender leads, on purpose
    equal        both experts, each by half, whoever speaks
    alone        as soft, but an expert whose gender is certain answers alone
    universal    one of the networks that the experts were specialised from
    both halves  the two networks that they were specialised from, each by half
    same size    the universal network of another run, as large as both experts together

Where an expert leads it has the weight of the deployed form, `Blend.most`; the rest is the other's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge.bundle import Blend, Bundle, Thresholds
from edge.errors import SettingsError
from edge.features import FrontEnd, relative_db
from edge.gender import Evidence, GenderGate, read_arrays
from edge.labels import GENDERS, LABELS
from edge.windows import active_span, cut_windows
from training import metrics
from training.cache import FeatureCache
from training.clip_windows import ClipWindows
from training.corpora import CORPUS_LABELS, Clip, read_corpora
from training.emotion import WINDOW_HOP, Material
from training.evaluation import UNSEEN, Evaluation
from training.prosody import window_manners
from training.protocol import RELEASE, Protocol
from training.run import Run
from training.settings import MOST
from training.tables import percent, table
from training.temperature import common_factor, fitted_temperature

BASELINE = "soft"
_FEWEST_SPEAKERS = 3
_RIVALS = {
    "same size": "a universal network of another run",
    "both halves": "the two universal networks that they come from, of the same size together",
    "universal": "one universal network that they come from",
}


@dataclass(frozen=True)
class Systems:
    """The answers of every system to the same clips.

    clips, parts: as of `Evaluation`; female: (clips,) the gate's posterior
    probabilities: by system, (clips, 8); parameters: by system, of all its networks together
    uncertain: below this probability an answer is called uncertain
    """

    clips: tuple[Clip, ...]
    parts: tuple[str, ...]
    female: np.ndarray
    probabilities: dict[str, np.ndarray]
    parameters: dict[str, int | None]
    uncertain: float

    def evaluation(self, system: str) -> Evaluation:
        """Of one system, beside the oracle."""
        return Evaluation(
            Protocol("ablation"), self.clips, self.parts, self.female,
            self.probabilities[system], self.probabilities["oracle"],
        )


@dataclass(frozen=True)
class Networks:
    """Networks that hear the same features: (frames, n_mfcc) in, logits out.

    experts: by stage; temperatures: likewise, where they are known already
    """

    features: Any
    experts: dict[str, Any]
    temperatures: dict[str, float]
    parameters: dict[str, int | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training ablation`."""
    add = parser.add_argument
    add("--run", type=Path, help="a run whose experts and universal network are asked, in float")
    add("--bundle", type=Path, help="a bundle whose int8 experts are asked instead of the run's")
    add("--universal", type=Path, metavar="RUN", help="one network as large as both experts")
    add("--corpora", type=Path, required=True, help="folder with one folder for each corpus")
    add("--cache", type=Path, help="folder of cached log-mels (default: cache beside the run)")
    add("--protocol", type=Path, default=RELEASE,
        help="split by speaker (default: the released models')")
    add("--parts", nargs="+", choices=UNSEEN, default=UNSEEN,
        help="(default: validation test)")
    add("--json", type=Path, metavar="FILE",
        help="write every figure to FILE (default: ablation.json in the run)")


def run(arguments: argparse.Namespace) -> int:
    """Prints the tables; writes the JSON file."""
    if arguments.run is None and arguments.bundle is None:
        raise SettingsError("nothing is to be asked: give --run RUN, --bundle BUNDLE or both")
    place = arguments.run or arguments.bundle
    clips = read_corpora(arguments.corpora)
    log_mels = FeatureCache(arguments.cache or place.resolve().parent / "cache").log_mels(clips)
    systems = ask(
        clips, log_mels, Protocol.load(arguments.protocol), arguments.parts,
        None if arguments.run is None else Run(arguments.run),
        None if arguments.bundle is None else Bundle.load(arguments.bundle),
        None if arguments.universal is None else Run(arguments.universal),
    )
    content = compare(systems)
    content["asked"] = {
        "run": None if arguments.run is None else arguments.run.name,
        "bundle": None if arguments.bundle is None else arguments.bundle.name,
        "universal": None if arguments.universal is None else arguments.universal.name,
    }
    print(format_ablation(content))
    target = arguments.json or (arguments.run and arguments.run / "ablation.json")
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        print(f"\nwrote {target}")
    return 0


def ask(
    clips: Sequence[Clip],
    log_mels: Sequence[np.ndarray],
    protocol: Protocol,
    parts: Sequence[str],
    run: Run | None,
    bundle: Bundle | None = None,
    same_size: Run | None = None,
) -> Systems:
    """Every system's answers to the clips of `parts` that have an emotion.

    Temperatures of float networks are fitted on validation speakers: an expert's on those of its
    gender, a universal network's on all. The prosody of the bundle is heard in all of them.
    """
    wanted = [k for k, clip in enumerate(clips) if protocol.part(clip) in {"validation", *parts}]
    material = Material([clips[k] for k in wanted], [log_mels[k] for k in wanted])
    of_part = np.array([protocol.part(clip) for clip in material.clips])
    gate, blend, uncertain = _gate_of(run, bundle)
    groups: list[tuple[Networks, dict[str, str]]] = []
    if bundle is not None:
        groups.append((_of_bundle(bundle), {"female": "female", "male": "male"}))
        if run is not None and run.model_path("universal").exists():
            groups.append(_of_everybody(run, []))
    elif run is not None:
        groups.append(_of_everybody(run, GENDERS))
    if same_size is not None:
        groups.append((_of_run(same_size, ["universal"]), {"universal": "same size"}))

    shares, parameters = {}, {}
    for networks, names in groups:
        windows = ClipWindows(material, networks.features)
        logits = {stage: windows.logits(networks.experts[stage]) for stage in names}
        temperatures = networks.temperatures or _fitted(
            windows, logits, of_part == "validation", blend.most
        )
        for stage, name in names.items():
            shares[name] = windows.shares(logits[stage], temperatures[stage])
            parameters[name] = networks.parameters[stage]
    windows = ClipWindows(material, groups[0][0].features)
    female, of_windows = _posteriors(gate, material, groups[0][0].features.trim_db)
    heard: Callable[[np.ndarray], np.ndarray] = np.asarray
    if bundle is not None and bundle.prosody is not None:
        manners, _ = window_manners(bundle.prosody, material)
        heard = partial(bundle.prosody.weighed, manners=manners)
    return _systems(
        windows, shares, parameters, female, of_windows, blend, uncertain, of_part, parts, heard
    )


def _of_everybody(run: Run, stages: Sequence[str]) -> tuple[Networks, dict[str, str]]:
    """The run's stages and those of its networks of everybody that there are."""
    there = [stage for stage in ("universal", "second") if run.model_path(stage).exists()]
    return _of_run(run, [*stages, *there]), {stage: stage for stage in (*stages, *there)}


def _of_run(run: Run, stages: Sequence[str]) -> Networks:
    from training.keras_expert import KerasExpert

    models = {stage: run.expert(stage) for stage in stages}
    return Networks(
        run.emotion_features(),
        {stage: KerasExpert(model) for stage, model in models.items()},
        {},
        {stage: int(model.count_params()) for stage, model in models.items()},
    )


def _of_bundle(bundle: Bundle) -> Networks:
    return Networks(
        bundle.emotion_features, dict(bundle.make_experts()), dict(bundle.temperatures),
        dict.fromkeys(GENDERS),
    )


def _gate_of(run: Run | None, bundle: Bundle | None) -> tuple[GenderGate, Blend, float]:
    """The gate, how its posterior weighs, and from where on an answer is not trusted."""
    if bundle is not None:
        return bundle.gate, bundle.blend, bundle.thresholds.uncertain
    assert run is not None
    gate = GenderGate.from_arrays(read_arrays(run.gate_path))
    trim_db = run.emotion_features().trim_db
    return gate, Blend(0.98, WINDOW_HOP, trim_db, MOST), Thresholds().uncertain


def _fitted(
    windows: ClipWindows, logits: dict[str, np.ndarray], validating: np.ndarray, most: float
) -> dict[str, float]:
    """By stage, on the validation clips alone: those of an expert's gender, or all."""
    if not validating.any():
        return dict.fromkeys(logits, 1.0)
    some, inside = windows.of_clips(validating)
    heard = {stage: rows[inside] for stage, rows in logits.items()}
    temperatures = {}
    for stage, rows in heard.items():
        gender = stage if stage in GENDERS else None
        known = gender is None or some.of_gender(gender).any()
        temperatures[stage] = fitted_temperature(some, rows, gender) if known else 1.0
    if set(GENDERS) <= set(heard):
        factor = common_factor(some, heard, temperatures, most)
        for gender in GENDERS:
            temperatures[gender] *= factor
    return temperatures


def _posteriors(
    gate: GenderGate, material: Material, span_db: float
) -> tuple[np.ndarray, np.ndarray]:
    """P(female) of each clip and of each window, cut as in use."""
    front_end = FrontEnd()
    of_clips, of_windows = [], []
    for log_mel in material.log_mels:
        log_mel = np.asarray(log_mel, np.float32)
        cuts = cut_windows(*active_span(log_mel, span_db), front_end.window_frames, WINDOW_HOP)
        evidence = [
            gate.evidence(relative_db(log_mel[a:b], front_end.floor_db)) for a, b in cuts
        ]
        of_windows += [gate.posterior(piece) for piece in evidence]
        of_clips.append(gate.posterior(sum(evidence, Evidence())))
    return np.array(of_clips), np.array(of_windows)


def _systems(
    windows: ClipWindows,
    shares: dict[str, np.ndarray],
    parameters: dict[str, int | None],
    female: np.ndarray,
    of_windows: np.ndarray,
    blend: Blend,
    uncertain: float,
    of_part: np.ndarray,
    parts: Sequence[str],
    heard: Callable[[np.ndarray], np.ndarray],
) -> Systems:
    """shares: by network, (windows, 8); heard: what comes of them when prosody is heard, too."""
    truth = (windows.material.genders == "female")[windows.owners].astype(float)
    alone = dataclasses.replace(blend, most=1.0)
    posteriors = {
        "soft": of_windows,
        "hard": (of_windows >= 0.5).astype(float),
        "oracle": truth,
        "swapped": 1.0 - truth,
        "equal": np.full(len(truth), 0.5),
    }
    weights = {
        name: np.array([blend.female_weight(p) for p in of_system])
        for name, of_system in posteriors.items()
    }  # of the female expert, (windows,)
    weights["alone"] = np.array([alone.female_weight(p) for p in of_windows])
    both = None
    if None not in (parameters["female"], parameters["male"]):
        both = parameters["female"] + parameters["male"]
    kept = np.isin(of_part, parts)
    answers = {
        name: windows.means(heard(
            weight[:, None] * shares["female"] + (1.0 - weight[:, None]) * shares["male"]
        ))[kept]
        for name, weight in weights.items()
    }
    sizes: dict[str, int | None] = dict.fromkeys(answers, both)
    for name in ("universal", "same size"):
        if name in shares:
            answers[name] = windows.means(heard(shares[name]))[kept]
            sizes[name] = parameters[name]
    if {"universal", "second"} <= set(shares):
        halves = heard((shares["universal"] + shares["second"]) / 2)
        answers["both halves"] = windows.means(halves)[kept]
        sizes["both halves"] = parameters["universal"] + parameters["second"]
    clips = tuple(clip for clip, keep in zip(windows.material.clips, kept) if keep)
    return Systems(clips, tuple(of_part[kept]), female[kept], answers, sizes, uncertain)


def compare(systems: Systems) -> dict[str, Any]:
    """Every figure as JSON values: the ablation, fairness, calibration and coverage."""
    evaluations = {name: systems.evaluation(name) for name in systems.probabilities}
    groups = list(evaluations[BASELINE].groups())
    rows = []
    for name, evaluation in evaluations.items():
        of_groups = [_of_group(evaluation, evaluations[BASELINE], *group) for group in groups]
        rows.append({
            "system": name, "parameters": systems.parameters[name], "groups": of_groups,
            "mean_gain": _mean_gain(evaluation, evaluations[BASELINE], groups),
        })
    return {
        "baseline": BASELINE,
        "systems": rows,
        "verdict": _verdict(rows),
        "fairness": [
            _fairness(evaluations[name], name, *group)
            for name in (BASELINE, "oracle", "universal", "both halves", "same size")
            if name in evaluations
            for group in groups
        ],
        "calibration": _calibration(evaluations[BASELINE]),
        "coverage": _coverage(evaluations[BASELINE], systems.uncertain),
    }


def _of_group(
    evaluation: Evaluation, baseline: Evaluation, corpus: str, part: str
) -> dict[str, Any]:
    scores = evaluation.emotion(corpus, part)
    gain = {}
    for unit in ("clip", "speaker"):
        speakers = _speakers(evaluation, corpus, part) if unit == "speaker" else None
        if speakers is None or len(set(speakers)) >= _FEWEST_SPEAKERS:
            truth, answers = _answers(evaluation, corpus, part)
            gain[unit] = asdict(metrics.bootstrap(
                metrics.unweighted_average_recall, truth, answers, len(LABELS),
                baseline=_answers(baseline, corpus, part)[1], speakers=speakers,
            ))
    return {
        "corpus": corpus, "part": part, "clips": scores.clips, "ua": scores.ua,
        "ua_interval": asdict(evaluation.interval(corpus, part)),
        "ece": scores.ece,
        "gain_by_clip": gain["clip"], "gain_by_speaker": gain.get("speaker"),
    }


def _mean_gain(
    evaluation: Evaluation, baseline: Evaluation, groups: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Of UA over the baseline, the mean of the corpora's and parts'."""
    parts = [
        metrics.resampled(
            metrics.unweighted_average_recall, *_answers(evaluation, *group), len(LABELS),
            baseline=_answers(baseline, *group)[1], seed=number,
        )
        for number, group in enumerate(groups)
    ]
    return asdict(metrics.difference(parts, [1 / len(parts)] * len(parts), "clip"))


def _verdict(rows: Sequence[dict[str, Any]]) -> str:
    """What the comparison with one network says, in a sentence."""
    rivals = [row for row in rows if row["system"] in _RIVALS]
    if not rivals:
        return "Not compared with a universal network: none was asked (--run, --universal)."
    sentences = []
    for row in rivals:
        gain = row["mean_gain"]
        low, high = -100 * gain["high"], -100 * gain["low"]
        if low > 0:
            found = "clearly better than"
        elif high < 0:
            found = "clearly worse than"
        else:
            found = "not clearly different from"
        named = _RIVALS[row["system"]]
        sentences.append(
            f"Gender-specific experts are {found} {named}: "
            f"{-100 * gain['estimate']:+.2f} points of UA ({low:+.2f} ... {high:+.2f})."
        )
    return " ".join(sentences)


def _fairness(evaluation: Evaluation, system: str, corpus: str, part: str) -> dict[str, Any]:
    """UA of women and of men, and the gap with its interval; None where only one speaks."""
    sides, figures = [], {}
    for number, gender in enumerate(GENDERS):
        truth, answers = _answers(evaluation, corpus, part, gender)
        figures[gender] = None
        if len(truth):
            sides.append(metrics.resampled(
                metrics.unweighted_average_recall, truth, answers, len(LABELS), seed=number,
            ))
            figures[gender] = sides[-1][0]
    gap = asdict(metrics.difference(sides, (1, -1), "clip")) if len(sides) == 2 else None
    return {"system": system, "corpus": corpus, "part": part, **figures, "female_minus_male": gap}


def _calibration(evaluation: Evaluation) -> list[dict[str, Any]]:
    """ECE and reliability of all clips and of each gender's, over the labels of their corpora."""
    rows = []
    for gender in ("all", *GENDERS):
        confidence, correct = _confidences(evaluation, None if gender == "all" else gender)
        curve = metrics.reliability(confidence, correct)
        rows.append({
            "gender": gender, "clips": len(confidence),
            "ece": None if not len(confidence) else curve.expected_calibration_error,
            "confidence": [None if math.isnan(x) else x for x in curve.confidence],
            "accuracy": [None if math.isnan(x) else x for x in curve.accuracy],
            "counts": curve.counts.tolist(),
        })
    return rows


def _coverage(evaluation: Evaluation, uncertain: float) -> dict[str, Any]:
    """Accuracy of the answers that are sure enough, all labels allowed as in use."""
    chosen = evaluation.select(emotional=True)
    truth = np.array([LABELS.index(evaluation.clips[k].emotion) for k in np.flatnonzero(chosen)])
    probabilities = evaluation.probabilities[chosen]
    curve = metrics.coverage(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)
    thresholds = np.round(np.arange(0.0, 1.0, 0.05), 2)
    points = [(float(t), *curve.at(t)) for t in (*thresholds, uncertain)]
    rows = [
        {"threshold": t, "coverage": share, "accuracy": None if math.isnan(right) else right}
        for t, share, right in points
    ]
    return {"uncertain": uncertain, "curve": rows[:-1], "at_uncertain": rows[-1]}


def _answers(
    evaluation: Evaluation, corpus: str, part: str, gender: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) true and answered labels, the likeliest of those that the corpus has."""
    chosen = evaluation.select(corpus=corpus, part=part, gender=gender, emotional=True)
    truth = [LABELS.index(evaluation.clips[k].emotion) for k in np.flatnonzero(chosen)]
    classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
    answers = metrics.restrict(evaluation.probabilities[chosen], classes).argmax(axis=1)
    return np.array(truth, dtype=int), answers


def _speakers(evaluation: Evaluation, corpus: str, part: str) -> list[str]:
    chosen = evaluation.select(corpus=corpus, part=part, emotional=True)
    return [evaluation.clips[k].speaker for k in np.flatnonzero(chosen)]


def _confidences(evaluation: Evaluation, gender: str | None) -> tuple[np.ndarray, np.ndarray]:
    confidence, correct = [np.empty(0)], [np.empty(0, bool)]
    for corpus, part in evaluation.groups():
        chosen = evaluation.select(corpus=corpus, part=part, gender=gender, emotional=True)
        classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
        shares = metrics.restrict(evaluation.probabilities[chosen], classes)
        truth, answers = _answers(evaluation, corpus, part, gender)
        confidence.append(shares.max(axis=1))
        correct.append(truth == answers)
    return np.concatenate(confidence), np.concatenate(correct)


def format_ablation(content: dict[str, Any]) -> str:
    """The tables and the verdict."""
    return "\n\n".join([
        "Is gender-specific right? UA in per cent; gains over the deployed form on the same clips\n"
        + table(*_systems_table(content)),
        content["verdict"],
        "Fairness: UA of women less UA of men\n" + table(*_fairness_table(content)),
        "Calibration of the deployed form: " + ", ".join(
            f"{row['gender']} ECE {percent(row['ece'])}"
            for row in content["calibration"] if row["ece"] is not None
        ),
        "Answers that are sure enough, all labels allowed\n" + table(*_coverage_table(content)),
    ])


def _systems_table(content: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    header = ["system", "parameters"]
    for group in content["systems"][0]["groups"]:
        header += [f"{group['corpus']} {group['part']}", "gain, 95 % by clip", "by speaker"]
    header.append("mean gain")
    rows = []
    for system in content["systems"]:
        size = system["parameters"]
        cells = [system["system"], "" if size is None else f"{size:,}"]
        for group in system["groups"]:
            cells += [
                percent(group["ua"]), interval_text(group["gain_by_clip"]),
                interval_text(group["gain_by_speaker"]),
            ]
        rows.append([*cells, interval_text(system["mean_gain"])])
    return header, rows


def _fairness_table(content: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    return ["", "women", "men", "gap, 95 % by clip"], [
        [
            f"{row['system']}: {row['corpus']} {row['part']}",
            *("-" if row[gender] is None else percent(row[gender]) for gender in GENDERS),
            interval_text(row["female_minus_male"]),
        ]
        for row in content["fairness"]
    ]


def _coverage_table(content: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    curve = content["coverage"]
    rows = [*curve["curve"], {**curve["at_uncertain"], "named": True}]
    return ["threshold", "coverage", "accuracy"], [
        [
            f"{row['threshold']:.2f}" + (" (uncertain below)" if "named" in row else ""),
            percent(row["coverage"]),
            "-" if row["accuracy"] is None else percent(row["accuracy"]),
        ]
        for row in rows
    ]


def interval_text(interval: dict[str, Any] | None) -> str:
    """An estimate with its interval, in points."""
    if interval is None:
        return "-"
    estimate, low, high = (
        percent(interval[name], sign=True) for name in ("estimate", "low", "high")
    )
    return f"{estimate} ({low} ... {high})"
