"""The posterior's calibration: over clips, their beginnings and turns of several clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.gender import Evidence, GenderGate
from training.gender.mixtures import clip_evidence
from training.gender.recordings import Recordings
from training.gender.settings import GateSettings


def calibration_material(
    recordings: Recordings,
    features: dict[int, list[np.ndarray]],
    gate: GenderGate,
    settings: GateSettings,
) -> tuple[list[Evidence], np.ndarray, np.ndarray]:
    """Evidence of clips, of their first frames and of turns of several clips; targets; weights.

    The weights give every speaker of a gender, and both genders, an equal say.
    """
    random = np.random.default_rng([settings.seed, 3])
    evidence, targets, weights = [], [], []
    groups = recordings.by_speaker(features)
    speakers = np.array([recordings.targets[group[0]] for group in groups.values()])
    for group in groups.values():
        target = int(recordings.targets[group[0]])
        whole = [clip_evidence(gate, features[i], settings.ratio_limit) for i in group]
        short = [
            clip_evidence(gate, [features[i][0][:length]], settings.ratio_limit)
            for i in group
            for length in (15, 40)
        ]
        turns = [
            sum(
                (
                    whole[k]
                    for k in random.choice(
                        len(whole), min(settings.turn_clips, len(whole)), replace=False
                    )
                ),
                Evidence(),
            )
            for _ in whole
        ]
        # Single clips are what is decided on most.
        for material, share in ((whole, 0.6), (short, 0.2), (turns, 0.2)):
            evidence += material
            targets += [target] * len(material)
            weights += [share / len(material) / (speakers == target).sum()] * len(material)
    return evidence, np.array(targets), np.array(weights)


def calibrate(
    evidence: Sequence[Evidence], targets: np.ndarray, weights: np.ndarray
) -> tuple[float, ...]:
    """(slope, bias, saturation) of least weighted cross-entropy; see GenderGate.posterior.

    A weak pull towards slope 4, bias 0 and saturation 30 keeps it finite when nothing is confused.
    """
    from scipy.optimize import minimize

    sums = np.array([e.log_likelihood_ratio_sum for e in evidence])
    counts = np.array([e.voiced_frames for e in evidence])
    keep = counts > 0
    sums, counts, targets, weights = sums[keep], counts[keep], targets[keep], weights[keep]
    weights = weights / weights.sum()

    def loss(p):
        odds = np.exp(p[0]) * (sums - p[1] * counts) / (counts + np.exp(p[2]))
        pull = (p[0] - np.log(4)) ** 2 + p[1] ** 2 + 0.1 * (p[2] - np.log(30)) ** 2
        return float(
            (weights * np.logaddexp(0.0, np.where(targets == 1, -odds, odds))).sum() + 1e-3 * pull
        )

    best = minimize(
        loss,
        [np.log(4.0), 0.0, np.log(30.0)],
        method="Nelder-Mead",
        options={"maxiter": 2000, "xatol": 1e-4, "fatol": 1e-7},
    )
    return float(np.exp(best.x[0])), float(best.x[1]), float(np.exp(best.x[2]))
