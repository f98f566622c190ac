"""The temperature of an expert's softmax, fitted on validation speakers (Guo et al. 2017).

Each expert's is fitted on its own gender's clips. Where the other expert has its say, too, the mean
of the two is less sure than either is: all temperatures are then multiplied by one factor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from edge.labels import GENDERS
from training.clip_windows import ClipWindows
from training.corpora import CorpusError

LOWEST, HIGHEST = 0.1, 10.0


def fitted_temperature(windows: ClipWindows, logits: np.ndarray, gender: str | None) -> float:
    """What makes the true labels of the gender's clips likeliest, as deployed; four decimals.

    logits: (windows, 8) of the gender's expert; gender None is for a network of all clips.
    CorpusError when no clip is of that gender.
    """
    everyone = np.ones(len(windows.material), bool)
    chosen = np.flatnonzero(everyone if gender is None else windows.of_gender(gender))
    if not len(chosen):
        raise CorpusError(f"no validation speaker is {gender}: its temperature cannot be fitted")
    truth = windows.material.labels[chosen]

    def loss(log_temperature: float) -> float:
        probabilities = windows.means(windows.shares(logits, math.exp(log_temperature)))
        return float(-np.log(np.maximum(probabilities[chosen, truth], 1e-12)).mean())

    return best_number(loss)


def common_factor(
    windows: ClipWindows, logits: Mapping[str, np.ndarray], temperatures: Mapping[str, float],
    most: float,
) -> float:
    """What all temperatures are multiplied by, where an expert's weight is `most`; four decimals.

    It makes the true labels of all clips likeliest, each clip's gender being known. The other
    arguments: by gender; logits: (windows, 8).
    """
    if most == 1.0:
        return 1.0
    clips = np.arange(len(windows.material))
    truth = windows.material.labels
    female = windows.of_gender("female")[windows.owners, None]
    weights = np.where(female, most, 1.0 - most)

    def loss(log_factor: float) -> float:
        women, men = (
            windows.shares(logits[g], temperatures[g] * math.exp(log_factor)) for g in GENDERS
        )
        probabilities = windows.means(weights * women + (1.0 - weights) * men)
        return float(-np.log(np.maximum(probabilities[clips, truth], 1e-12)).mean())

    return best_number(loss)


def best_number(loss: Callable[[float], float]) -> float:
    """The number whose logarithm has the least loss; four decimals."""
    from scipy.optimize import minimize_scalar

    best = minimize_scalar(
        loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded",
        options={"xatol": 1e-5},
    )
    return round(math.exp(float(best.x)), 4)
