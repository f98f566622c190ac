"""The whole way from a run to a bundle, step by step."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edge.bundle import Blend
from edge.emotion import TFLiteExpert, find_runtime
from edge.gender import GenderGate
from edge.labels import GENDERS, LABELS
from edge.prosody import Prosody
from edge.recognizer import Recognizer
from quantize.balancing import balance
from quantize.bundle_writer import write_bundle
from quantize.card import LICENCE, make_card
from quantize.choice import Contest
from quantize.convert import to_float
from quantize.diagnosis import Diagnosis, diagnose
from quantize.errors import QuantizeError
from quantize.float_run import FloatRun
from quantize.folding import folded
from quantize.gate import Verdict, judge
from quantize.gate_precision import GatePrecision, GateWindows, smallest_gate
from quantize.material import Corpora
from quantize.methods import Workpiece, rounded
from quantize.proof import PARTS, Proof
from quantize.report import make_report
from quantize.representative import representative_windows
from quantize.settings import METHODS, MethodSettings, Thresholds
from quantize.temperature import common_factor, fitted_temperature
from quantize.variants import Variant, made_variant
from quantize.windows import ClipWindows, Rehearsal
from training.emotion import WINDOW_HOP, Material
from training.evaluation import UNSEEN, Evaluation, evaluate
from training.keras_expert import KerasExpert
from training.prosody import joint_temperature, write_prosody
from training.settings import MOST
from training.tensorflow_setup import compute_in_bfloat16, seed_everything

DIAGNOSED_WINDOWS = 100


@dataclass(frozen=True)
class Plan:
    """What is asked of a quantization."""

    out: Path
    method: str = "auto"
    name: str = ""                 # of the bundle; its folder's without one
    version: str = "0.1.0"
    size_budget: int = 256 * 1024  # bytes of one expert
    certain: float = 0.98
    most: float = MOST
    settings: MethodSettings = MethodSettings()
    thresholds: Thresholds = Thresholds()
    gate_parts: tuple[str, ...] = PARTS
    progress: bool = True

    @property
    def methods(self) -> tuple[str, ...]:
        return METHODS if self.method == "auto" else (self.method,)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that was found out, for the bundle, the report and the terminal."""

    plan: Plan
    run: FloatRun
    variants: list[Variant]
    chosen: dict[str, Variant]
    float_temperatures: dict[str, float]
    temperatures: dict[str, float]
    gate_precision: GatePrecision
    proof: Proof
    verdict: Verdict
    evaluation: Evaluation
    diagnosis: Diagnosis
    prosody_arrays: dict[str, np.ndarray] | None = None  # with the int8 form's temperature

    def to_dict(self) -> dict[str, Any]:
        """The content of quantization.json: JSON values that depend on run and settings alone."""
        return {
            "method": self.plan.method,
            "settings": self.plan.settings.to_dict(),
            "size_budget": self.plan.size_budget,
            "versions": _versions(),
            "chosen": {gender: variant.to_dict() for gender, variant in self.chosen.items()},
            "variants": [variant.to_dict() for variant in self.variants],
            "temperatures": {"float": self.float_temperatures, "int8": self.temperatures},
            "gender_gate": self.gate_precision.to_dict(),
            "gate": self.verdict.to_dict(),
            "diagnosis": self.diagnosis.to_dict(),
            "proof": self.proof.to_dict(),
        }


def quantize(run: FloatRun, corpora: Corpora, plan: Plan) -> Outcome:
    """Makes the variants, chooses, refits, proves and judges. Writes nothing but RUN/quantize."""
    seed_everything(plan.settings.seed)
    compute_in_bfloat16(False)
    train = corpora.train
    representative = representative_windows(
        train.clips, train.log_mels, run.features, plan.settings.representative_windows,
        plan.settings.seed,
    )
    unseen, log_mels = corpora.in_use("validation")
    windows = ClipWindows(_not_empty(Material(unseen, log_mels)), run.features)
    floats = {gender: KerasExpert(model) for gender, model in run.experts.items()}
    float_logits = {gender: windows.logits(expert) for gender, expert in floats.items()}
    alone = {g: fitted_temperature(windows, float_logits[g], g) for g in GENDERS}
    factor = common_factor(windows, float_logits, alone, plan.most)
    float_temperatures = {gender: round(alone[gender] * factor, 4) for gender in GENDERS}

    _say(plan, "gender gate")
    precision = smallest_gate(run.gate_arrays, _heard(run, log_mels), plan.certain)
    gate = GenderGate.from_arrays(precision.arrays)
    posteriors = _heard(run, windows.material.log_mels).posteriors(gate)
    rehearsal = Rehearsal(windows, corpora.protocol, posteriors, Blend(**_blend(run, plan)))
    contest = Contest(
        windows, rehearsal, float_logits, float_temperatures, plan.thresholds, factor
    )

    balanced = {
        gender: balanced_expert(model, representative, plan.settings)
        for gender, model in run.experts.items()
    }
    variants = []
    for gender in GENDERS:
        piece = Workpiece(
            gender, _ruined(balanced[gender], plan.settings), representative, train,
            run.training_settings(), run.features, plan.settings, plan.progress,
        )
        for method in plan.methods:
            _say(plan, f"{gender} expert: {method}")
            model = made_variant(piece, method, run.digests[gender], run.folder / "quantize")
            variants.append(contest.measured(gender, method, model))
    chosen = contest.best(variants, plan.size_budget)
    temperatures = {gender: variant.temperature for gender, variant in chosen.items()}
    experts = {
        gender: TFLiteExpert(variant.model, name=f"{gender}.tflite")
        for gender, variant in chosen.items()
    }
    logits = {gender: windows.logits(expert) for gender, expert in experts.items()}
    prosody_of_float = _tempered(run, windows, float_logits, float_temperatures, plan.most)
    prosody = _tempered(run, windows, logits, temperatures, plan.most)
    evaluations = []
    for title, of_gender, scorers, scales, arrays in (
        ("float", run.gate, floats, float_temperatures, prosody_of_float),
        ("int8", gate, experts, temperatures, prosody),
        ("int8 with float's temperatures", gate, experts, float_temperatures, prosody_of_float),
    ):
        _say(plan, f"proof: {title}")
        evaluations.append(_evaluated(run, corpora, plan, of_gender, scorers, scales, arrays))
    proof = Proof(*evaluations)
    verdict = judge(proof, plan.thresholds, plan.gate_parts)
    _say(plan, "diagnosis")
    some = np.unique(np.linspace(0, len(windows.inputs) - 1, DIAGNOSED_WINDOWS).astype(int))
    diagnosis = diagnose(
        {gender: variant.model for gender, variant in chosen.items()},
        {gender: to_float(model) for gender, model in balanced.items()},
        windows.inputs[some, ..., None], proof,
    )
    return Outcome(
        plan, run, variants, chosen, float_temperatures, temperatures, precision, proof, verdict,
        evaluations[1], diagnosis, prosody,
    )


def balanced_expert(expert: Any, representative: np.ndarray, settings: MethodSettings) -> Any:
    """The graph that the methods begin with."""
    model = folded(expert)
    balance(model, representative, settings.balance)
    return model


def _ruined(model: Any, settings: MethodSettings) -> Any:
    """The same graph, unless the settings ask for fewer bits than there are."""
    return model if settings.weight_bits == 8 else rounded(model, settings.weight_bits)


def _heard(run: FloatRun, log_mels: Sequence[np.ndarray]) -> GateWindows:
    return GateWindows.cut(log_mels, run.front_end, WINDOW_HOP, run.features.trim_db)


def _not_empty(validation: Material) -> Material:
    if not len(validation):
        raise QuantizeError("no validation speaker is in the corpora: nothing can be proven")
    return validation


def _evaluated(
    run: FloatRun, corpora: Corpora, plan: Plan, gate: GenderGate, experts: dict[str, Any],
    temperatures: dict[str, float], prosody: dict[str, np.ndarray] | None,
) -> Evaluation:
    recognizer = Recognizer.from_parts(
        front_end=run.front_end, emotion_features=run.features, gate=gate, experts=experts,
        temperatures=temperatures, prosody=None if prosody is None else Prosody(prosody),
        **_blend(run, plan),
    )
    return evaluate(recognizer, corpora.clips, corpora.protocol, UNSEEN, progress=plan.progress)


def _tempered(
    run: FloatRun, windows: ClipWindows, logits: dict[str, np.ndarray],
    temperatures: dict[str, float], most: float,
) -> dict[str, np.ndarray] | None:
    """The run's judge of prosody, with the temperature that suits these experts."""
    if run.prosody_arrays is None:
        return None
    temperature = joint_temperature(
        Prosody(run.prosody_arrays), windows, logits, temperatures, most
    )
    return {**run.prosody_arrays, "temperature": np.array(temperature)}


def _blend(run: FloatRun, plan: Plan) -> dict[str, Any]:
    return {
        "certain": plan.certain,
        "window_hop_frames": WINDOW_HOP,
        "active_span_db": run.features.trim_db,
        "most": plan.most,
    }


def _say(plan: Plan, text: str) -> None:
    if plan.progress:
        print(text, file=sys.stderr, flush=True)


def write_bundle_of(outcome: Outcome, corpora: Corpora) -> None:
    """The bundle of an outcome that passed its gate; QuantizeError when it did not, or cannot."""
    if not outcome.verdict.passed:
        raise QuantizeError("the gate is broken; no bundle is written")
    manifest = make_manifest(outcome)
    quantization = outcome.to_dict()
    files = {
        "gender.npz": outcome.gate_precision.to_bytes(),
        **{f"{gender}.tflite": variant.model for gender, variant in outcome.chosen.items()},
        **_prosody_file(outcome),
        "quantization.json": as_json(quantization),
        "CARD.md": make_card(manifest, quantization, data_table(corpora)).encode(),
    }
    write_bundle(
        outcome.plan.out, files, manifest, lambda folder: _verify(folder, outcome, corpora)
    )


def _prosody_file(outcome: Outcome) -> dict[str, bytes]:
    if outcome.prosody_arrays is None:
        return {}
    content = io.BytesIO()
    write_prosody(content, outcome.prosody_arrays)
    return {"prosody.npz": content.getvalue()}


def write_report_of(outcome: Outcome, path: Path) -> None:
    """The HTML page, and quantization.json beside it, whatever the verdict."""
    page = make_report(
        f"Quantization of {outcome.run.folder.name}: what int8 costs", outcome.variants,
        outcome.chosen, outcome.proof, outcome.verdict, outcome.diagnosis,
        outcome.gate_precision.to_dict(),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        path.with_name("quantization.json").write_bytes(as_json(outcome.to_dict()))
    except OSError as error:
        raise QuantizeError(f"the report {path} cannot be written: {error.strerror}") from error


def as_json(content: Any) -> bytes:
    """Indented, but for what is in a list, of which each item stands on one line."""
    return (_indented(content, "\n ") + "\n").encode()


def _indented(content: Any, before: str) -> str:
    if isinstance(content, dict) and content:
        items = [f"{json.dumps(key)}: {_indented(content[key], before + ' ')}" for key in content]
        return "{" + before + ("," + before).join(items) + before[:-1] + "}"
    if isinstance(content, list) and content and isinstance(content[0], dict):
        items = [json.dumps(item, allow_nan=False) for item in content]
        return "[" + before + ("," + before).join(items) + before[:-1] + "]"
    return json.dumps(content, allow_nan=False)


def _verify(folder: Path, outcome: Outcome, corpora: Corpora) -> None:
    """The written bundle answers a few clips as it did in the proof."""
    recognizer = Recognizer(folder)
    evaluation = outcome.evaluation
    few = np.unique(np.linspace(0, len(evaluation.clips) - 1, 4).astype(int))
    again = evaluate(
        recognizer, [evaluation.clips[k] for k in few], corpora.protocol, UNSEEN, progress=False
    )
    if not np.array_equal(again.probabilities, evaluation.probabilities[few]):
        raise QuantizeError("it does not answer as the models that were proven")


def make_manifest(outcome: Outcome) -> dict[str, Any]:
    """All of the manifest but `format` and `files`."""
    run, plan = outcome.run, outcome.plan
    verdict = outcome.verdict
    return {
        "name": plan.name or plan.out.resolve().name,
        "version": plan.version,
        "labels": list(LABELS),
        "front_end": run.front_end.to_dict(),
        "emotion_features": run.features.to_dict(),
        "gender": {"file": "gender.npz"},
        "experts": {
            gender: {"file": f"{gender}.tflite", "temperature": outcome.temperatures[gender]}
            for gender in GENDERS
        },
        **({} if outcome.prosody_arrays is None else {"prosody": {"file": "prosody.npz"}}),
        "blend": _blend(run, plan),
        "metrics": metrics_of(outcome.evaluation),
        "quantization": {
            "methods": {gender: variant.method for gender, variant in outcome.chosen.items()},
            "passed": verdict.passed,
            "thresholds": verdict.thresholds.to_dict(),
            "parts": list(verdict.parts),
            "checks": len(verdict.checks),
            "closest": {what: _closest(verdict, what) for what in
                        ("UA loss", "recall loss", "agreement")},
        },
        "provenance": {
            "training": _without_places(run.config),
            "quantization": {"settings": plan.settings.to_dict(), "versions": _versions()},
        },
        "licence": LICENCE,
    }


def _closest(verdict: Verdict, what: str) -> dict[str, Any] | None:
    """The check of a kind that is nearest to its limit, or furthest beyond."""
    checks = [check for check in verdict.checks if check.what == what]
    if not checks:
        return None
    sign = -1.0 if what == "agreement" else 1.0
    worst = max(checks, key=lambda check: sign * check.value)
    return {"system": worst.system, "part": worst.part, "group": worst.group,
            "value": round(worst.value, 4), "limit": worst.limit}


def metrics_of(evaluation: Evaluation) -> dict[str, Any]:
    """What the manifest says of the accuracy: emotion by corpus and part, and the gate."""
    emotion = []
    for corpus, part in evaluation.groups():
        scores = evaluation.emotion(corpus, part)
        emotion.append({
            "corpus": corpus, "part": part, "labels": len(scores.labels), "clips": scores.clips,
            "speakers": scores.speakers, "ua": round(scores.ua, 6), "wa": round(scores.wa, 6),
            "macro_f1": round(scores.macro_f1, 6), "ece": round(scores.ece, 6),
        })
    gate = []
    for name, part, chosen in evaluation.gate_groups():
        if name == "all emotional":
            scores = evaluation.gate(chosen).to_dict()
            gate.append({
                "part": part, "clips": scores["clips"], "speakers": scores["speakers"],
                "uar": round(scores["uar"], 6), "recall": {
                    gender: None if value is None else round(value, 6)
                    for gender, value in scores["recall"].items()
                },
            })
    return {
        "protocol": evaluation.protocol.name,
        "command": "python -m training evaluate --bundle BUNDLE --corpora CORPORA",
        "emotion": emotion,
        "gate": gate,
    }


def data_table(corpora: Corpora) -> list[dict[str, Any]]:
    """Speakers and clips of each corpus and part."""
    groups: dict[tuple[str, str], list[Any]] = {}
    for clip in corpora.clips:
        groups.setdefault((clip.corpus, corpora.protocol.part(clip)), []).append(clip)
    rows = []
    for (corpus, part), clips in groups.items():
        by_gender = {g: len({clip.speaker for clip in clips if clip.gender == g}) for g in GENDERS}
        rows.append({
            "corpus": corpus, "part": part, "speakers": sum(by_gender.values()), **by_gender,
            "clips": len(clips),
        })
    return rows


def _without_places(config: dict[str, Any]) -> dict[str, Any]:
    """A run's configuration without the paths of the machine that trained it."""
    cleaned = dict(config)
    if isinstance(cleaned.get("command"), Sequence):
        cleaned["command"] = [
            Path(word).name if "/" in word and Path(word).is_absolute() else word
            for word in cleaned["command"]
        ]
    return cleaned


def _versions() -> dict[str, str]:
    from quantize import toolkit
    from training.tensorflow_setup import tf

    runtime = find_runtime()
    return {
        "numpy": np.__version__,
        "tensorflow": tf.__version__,
        "tensorflow-model-optimization": toolkit.version,
        runtime.distribution: runtime.version,
        "edge-ser": version("edge-ser") if _installed("edge-ser") else "checkout",
    }


def _installed(distribution: str) -> bool:
    from importlib.metadata import PackageNotFoundError

    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
