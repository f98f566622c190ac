"""The windows of many clips, cut once, for experts to be asked about again and again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge.emotion import Expert
from edge.features import EmotionFeatures
from edge.labels import LABELS
from training import metrics
from training.corpora import CORPUS_LABELS
from training.emotion import Material, clip_windows


class ClipWindows:
    """The experts' inputs for some clips, and what the answers to them are worth.

    material: the clips, in order
    inputs: (windows, frames, n_mfcc) float32, clip after clip
    owners: (windows,) int, the clip of each window
    """

    def __init__(self, material: Material, features: EmotionFeatures) -> None:
        self.material = material
        windows = [clip_windows(log_mel, features) for log_mel in material.log_mels]
        self.inputs = np.concatenate(windows)
        self.owners = np.repeat(np.arange(len(windows)), [len(of_clip) for of_clip in windows])
        self._allowed = np.array([
            [label in CORPUS_LABELS[corpus] for label in LABELS] for corpus in material.corpora
        ])  # (clips, 8)

    def __len__(self) -> int:
        return len(self.material)

    def of_gender(self, gender: str) -> np.ndarray:
        """(clips,) bool: the clips of one gender's speakers."""
        return self.material.genders == gender

    def logits(self, expert: Expert) -> np.ndarray:
        """(windows, 8) float32, one window at a time as in use."""
        return np.stack([expert.logits(window) for window in self.inputs])

    def probabilities(self, logits: np.ndarray, temperature: float) -> np.ndarray:
        """(windows, 8) logits to (clips, 8) probabilities: softmax by window, mean by clip."""
        scaled = logits.astype(np.float64) / temperature
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        sums = np.zeros((len(self), shares.shape[1]))
        np.add.at(sums, self.owners, shares)
        return sums / np.bincount(self.owners, minlength=len(self))[:, None]

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """(clips,) the likeliest of the labels that the clip's corpus has."""
        return np.where(self._allowed, probabilities, -1.0).argmax(axis=1)

    def measured(
        self, measure: Callable[[np.ndarray], np.ndarray], answers: np.ndarray, chosen: np.ndarray
    ) -> float:
        """A measure of confusion matrices, such as UA, over the `chosen` (clips,) bool."""
        confusion = metrics.confusion_matrix(
            self.material.labels[chosen], answers[chosen], len(LABELS)
        )
        return float(measure(confusion))
