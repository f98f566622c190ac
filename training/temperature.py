"""The temperature of an expert's softmax, fitted on validation speakers (Guo et al. 2017)."""

from __future__ import annotations

import math

import numpy as np

from training.clip_windows import ClipWindows
from training.corpora import CorpusError

LOWEST, HIGHEST = 0.1, 10.0


def fitted_temperature(windows: ClipWindows, logits: np.ndarray, gender: str | None) -> float:
    """What makes the true labels of the gender's clips likeliest, as deployed; four decimals.

    logits: (windows, 8) of the gender's expert; gender None is for a network of all clips.
    CorpusError when no clip is of that gender.
    """
    from scipy.optimize import minimize_scalar

    everyone = np.ones(len(windows.material), bool)
    chosen = np.flatnonzero(everyone if gender is None else windows.of_gender(gender))
    if not len(chosen):
        raise CorpusError(f"no validation speaker is {gender}: its temperature cannot be fitted")
    truth = windows.material.labels[chosen]

    def loss(log_temperature: float) -> float:
        probabilities = windows.means(windows.shares(logits, math.exp(log_temperature)))
        return float(-np.log(np.maximum(probabilities[chosen, truth], 1e-12)).mean())

    best = minimize_scalar(
        loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded",
        options={"xatol": 1e-5},
    )
    return round(math.exp(float(best.x)), 4)
