"""Where the models have never been: how unlike all that they learnt from a window sounds.

Models are less often right than they are sure where the microphone, the room, the language or the
way of speaking is another one. Here is how the statistics of the windows that they learnt from lie,
a Gaussian for each corpus, all of one covariance: the farther a window lies from the nearest of
them (Mahalanobis 1936), the less it is to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

TEMPERATURE = 2.0
"""What an answer is softened by, on top of its temperature, where a window is unlike all others."""

ARRAYS = ("middles", "scale", "axes", "edges")


class Surroundings:
    """How unlike what was learnt from windows are. Threads may share it.

    middles: (corpora, n) of each corpus's statistics
    scale: (n,) such that what differs from a middle has, on the average, a mean square of 1 / n
    axes: (n, k) the directions in which more differs than in the others, the longer the more
    edges: (2,) distances: up to the first one a window is familiar, beyond the second one not
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        self._middles, self._scale = arrays["middles"], arrays["scale"]
        self._axes, self._edges = arrays["axes"], arrays["edges"]

    def unfamiliar(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        """(windows, n) statistics to (windows,) how unlike they are, 0 to 1."""
        near, far = self._edges
        beyond: NDArray[np.float64] = (self.distances(standard) - near) / (far - near)
        return np.clip(beyond, 0.0, 1.0)

    def distances(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        """(windows, n) statistics to (windows,) how far the nearest corpus is; around 1."""
        squares = []
        for middle in self._middles:
            away = (standard - middle) * self._scale
            along = away @ self._axes
            squares.append((away * away).sum(axis=1) - (along * along).sum(axis=1))
        nearest: NDArray[np.float64] = np.sqrt(np.maximum(np.min(squares, axis=0), 0.0))
        return nearest


def softness(unfamiliar: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """What the temperature is multiplied by."""
    factors: NDArray[np.float64] = TEMPERATURE ** np.asarray(unfamiliar, np.float64)
    return factors
