"""What the whole would answer, from what the experts are known to answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge.bundle import Blend
from edge.labels import GENDERS
from training.clip_windows import ClipWindows
from training.evaluation import Evaluation
from training.protocol import Protocol

__all__ = ["ClipWindows", "Rehearsal"]


class Rehearsal:
    """What the whole would answer to the clips, from logits that are known already.

    It spares asking the recogniser anew for each pair of experts that may be chosen; the proof
    does ask it.
    """

    def __init__(
        self, windows: ClipWindows, protocol: Protocol, posteriors: tuple[np.ndarray, np.ndarray],
        blend: Blend,
    ) -> None:
        self._windows = windows
        self._protocol = protocol
        self._female, of_windows = posteriors  # of clips, of windows
        self._weights = np.array([blend.female_weight(p) for p in of_windows])[:, None]
        self._most = blend.most

    def evaluation(
        self, logits: Mapping[str, np.ndarray], temperatures: Mapping[str, float]
    ) -> Evaluation:
        """As `training.evaluation.evaluate` finds it; logits: by gender, (windows, 8)."""
        windows = self._windows
        female, male = (windows.shares(logits[g], temperatures[g]) for g in GENDERS)
        blended = self._weights * female + (1.0 - self._weights) * male
        known = np.where(
            windows.of_gender("female")[windows.owners, None], self._most, 1.0 - self._most
        )
        clips = tuple(windows.material.clips)
        return Evaluation(
            protocol=self._protocol,
            clips=clips,
            parts=("validation",) * len(clips),
            female=self._female,
            probabilities=windows.means(blended),
            probabilities_true_gender=windows.means(known * female + (1.0 - known) * male),
        )
