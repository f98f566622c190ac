"""The whole fit, on SLR45 alone and on all training speakers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from edge.features import FrontEnd
from edge.gender import GenderGate
from training.acoustics import Acoustics
from training.corpora import CorpusError
from training.gender.arrays import frame_arrays, with_mixtures
from training.gender.assessment import assess, score
from training.gender.bottleneck import Crops, train_bottleneck
from training.gender.calibration import calibrate, calibration_material
from training.gender.mixtures import (
    balanced_frames,
    clip_evidence,
    extractor,
    fit_mixtures,
    speaker_discriminant,
    window_features,
)
from training.gender.recordings import Recordings, progress_bar
from training.gender.settings import GENDERS, GateSettings

ROADS = ("slr45", "all")  # the training speakers of SLR45 alone, and of all corpora
FOLDS = 5


@dataclasses.dataclass
class GateFit:
    """A trained gate: the arrays of gender.npz, and the report of how it did."""

    arrays: dict[str, np.ndarray]
    report: dict


def fit_on(
    recordings: Recordings,
    train: Sequence[int],
    validation: Sequence[int],
    settings: GateSettings,
    progress: bool = True,
) -> GateFit:
    """Fits a gate on the recordings `train`, chooses and calibrates on `validation`."""
    layers = train_bottleneck(Crops(recordings, train, settings), settings, progress)
    frames = frame_arrays(settings, recordings.front_end, layers)
    features = window_features(recordings, train, extractor(frames, settings), progress)
    speakers = balanced_frames(recordings, features, settings)
    discriminant = speaker_discriminant(speakers, settings.discriminant)
    frames.update(discriminant)
    held = window_features(recordings, validation, extractor(frames, settings), progress)
    women = {recordings.speakers[i] for i in train if recordings.targets[i] == 1}
    pools = {
        gender: np.concatenate(
            [
                x @ discriminant["discriminant_weights"] + discriminant["discriminant_biases"]
                for speaker, x in speakers.items()
                if (speaker in women) == (gender == "female")
            ]
        )
        for gender in GENDERS
    }

    ladder, best = [], None
    candidates = [(c, k) for c in settings.covariances for k in settings.components]
    for covariance, components in progress_bar(
        candidates, "mixtures", len(candidates), "fit", progress
    ):
        mixtures = fit_mixtures(pools, components, covariance, settings.seed)
        raw = GenderGate.from_arrays(with_mixtures(frames, mixtures, settings))
        material = calibration_material(recordings, held, raw, settings)
        calibration = calibrate(*material)
        arrays = with_mixtures(frames, mixtures, settings, calibration)
        gate = GenderGate.from_arrays(arrays)
        odds = np.array([gate.posterior(e) for e in material[0]])
        truth = np.where(material[1] == 1, odds, 1.0 - odds)
        loss = float((material[2] * -np.log(np.maximum(truth, 1e-12))).sum() / material[2].sum())
        posteriors = np.array(
            [gate.posterior(clip_evidence(gate, held[i], settings.ratio_limit)) for i in held]
        )
        ladder.append(
            {
                "covariance": covariance,
                "components": components,
                "bic": round(sum(float(m.bic(pools[g])) for g, m in mixtures.items())),
                "validation_cross_entropy": round(loss, 4),
                "validation_uar": assess(recordings, list(held), posteriors)["emotional"]["uar"],
            }
        )
        if best is None or loss < best[0]:
            best = loss, arrays, ladder[-1]
    return GateFit(best[1], {"chosen": best[2], "mixtures": ladder})


def speaker_folds(recordings: Recordings, train: Sequence[int]) -> dict[str, int]:
    """The fold of each training speaker: in turn, corpus by corpus and gender by gender."""
    speakers = {
        recordings.speakers[i]: (recordings.clips[i].corpus, recordings.targets[i]) for i in train
    }
    ordered = sorted(speakers, key=lambda speaker: (*speakers[speaker], speaker))
    return {speaker: number % FOLDS for number, speaker in enumerate(ordered)}


def _with_copies(
    clips: Sequence, log_mels: Sequence[np.ndarray], protocol, settings: GateSettings,
    front_end: FrontEnd,
) -> tuple[list, list[np.ndarray], list[bool]]:
    """The clips, their log-mels and False; then copies of those that train, spoilt, and True."""
    train = [k for k, clip in enumerate(clips) if protocol.part(clip) == "train"]
    acoustics = Acoustics(settings.acoustics, front_end, [log_mels[k] for k in train])
    random = np.random.default_rng([settings.seed, 2])
    copied = [k for _ in range(settings.copies) for k in train if len(log_mels[k])]
    copies = [
        acoustics.spoilt(np.asarray(log_mels[k], np.float32), random).astype(np.float16)
        for k in copied
    ]
    marks = [False] * len(clips) + [True] * len(copies)
    return [*clips, *(clips[k] for k in copied)], [*log_mels, *copies], marks


def fit_gate(
    clips: Sequence,
    log_mels: Sequence[np.ndarray],
    protocol,
    settings: GateSettings | None = None,
    front_end: FrontEnd | None = None,
    progress: bool = True,
    test: bool = False,
    roads: Sequence[str] = ROADS,
    hold_out: int | None = None,
) -> GateFit:
    """Fits the gate on SLR45 alone and on all training speakers; keeps what validation prefers.

    clips: training.corpora.Clip; log_mels: (frames, bands) relative dB of each whole clip;
    protocol: training.protocol.Protocol; test: score the test speakers too, once, at the end;
    roads: of ROADS; hold_out: a fold, 0 to FOLDS - 1, of the training speakers to score and not to
    train on, since a split has few validation speakers.
    """
    settings, front_end = settings or GateSettings(), front_end or FrontEnd()
    clips, log_mels, spoilt = _with_copies(clips, log_mels, protocol, settings, front_end)
    recordings = Recordings(clips, log_mels, settings, front_end, progress, spoilt)
    parts = np.array([protocol.part(clip) for clip in recordings.clips])
    train, validation = np.flatnonzero(parts == "train"), np.flatnonzero(parts == "validation")
    scored = {"validation": validation}
    if hold_out is not None:
        folds = speaker_folds(recordings, train)
        held = np.array([folds[recordings.speakers[i]] == hold_out for i in train])
        train, held_out = train[~held], train[held]
        scored["held_out"] = held_out[~recordings.spoilt[held_out]]
    if test:
        scored["test"] = np.flatnonzero(parts == "test")
    fits = {}
    for name in roads:
        chosen = [i for i in train if name == "all" or recordings.clips[i].corpus == name]
        if len({recordings.targets[i] for i in chosen}) < 2:
            continue
        fit = fit_on(recordings, chosen, validation, settings, progress)
        fit.report["training_speakers"] = len({recordings.speakers[i] for i in chosen})
        fit.report["training_clips"] = int(np.count_nonzero(~recordings.spoilt[chosen]))
        for part, indices in scored.items():
            fit.report[part] = score(recordings, indices, fit.arrays, progress)
        fits[name] = fit
    if not fits:
        raise CorpusError("the gender gate needs training speakers of both genders")
    chosen = min(fits, key=lambda name: fits[name].report["chosen"]["validation_cross_entropy"])
    report = {
        "settings": dataclasses.asdict(settings),
        "chosen": chosen,
        "parameters": GenderGate.from_arrays(fits[chosen].arrays).parameters,
        **{name: fit.report for name, fit in fits.items()},
    }
    return GateFit(fits[chosen].arrays, report)
