"""The windows of validation clips, cut once, for experts to be asked about again and again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge.emotion import Expert
from edge.features import EmotionFeatures
from edge.labels import GENDERS
from training.emotion import Material, clip_windows
from training.evaluation import Evaluation
from training.protocol import Protocol


class ClipWindows:
    """The experts' inputs for some clips.

    material: the clips, in order
    inputs: (windows, frames, n_mfcc) float32, clip after clip
    owners: (windows,) int, the clip of each window
    """

    def __init__(self, material: Material, features: EmotionFeatures) -> None:
        self.material = material
        windows = [clip_windows(log_mel, features) for log_mel in material.log_mels]
        self.inputs = np.concatenate(windows)
        self.owners = np.repeat(np.arange(len(windows)), [len(of_clip) for of_clip in windows])

    def of_gender(self, gender: str) -> np.ndarray:
        """(clips,) bool: the clips of one gender's speakers."""
        return self.material.genders == gender

    def logits(self, expert: Expert) -> np.ndarray:
        """(windows, 8) float32, one window at a time as in use."""
        return np.stack([expert.logits(window) for window in self.inputs])

    def shares(self, logits: np.ndarray, temperature: float) -> np.ndarray:
        """(windows, 8) logits to (windows, 8) probabilities."""
        scaled = logits.astype(np.float64) / temperature
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def means(self, shares: np.ndarray) -> np.ndarray:
        """(windows, 8) to (clips, 8): the mean over each clip's windows."""
        sums = np.zeros((len(self.material), shares.shape[1]))
        np.add.at(sums, self.owners, shares)
        return sums / np.bincount(self.owners, minlength=len(self.material))[:, None]


class Rehearsal:
    """What the whole would answer to the clips, from logits that are known already.

    It spares asking the recogniser anew for each pair of experts that may be chosen; the proof
    does ask it.
    """

    def __init__(
        self, windows: ClipWindows, protocol: Protocol, posteriors: tuple[np.ndarray, np.ndarray],
        certain: float,
    ) -> None:
        self._windows = windows
        self._protocol = protocol
        self._female, of_windows = posteriors  # of clips, of windows
        weights = np.where(of_windows >= certain, 1.0, of_windows)
        self._weights = np.where(of_windows <= 1.0 - certain, 0.0, weights)[:, None]

    def evaluation(
        self, logits: Mapping[str, np.ndarray], temperatures: Mapping[str, float]
    ) -> Evaluation:
        """As `training.evaluation.evaluate` finds it; logits: by gender, (windows, 8)."""
        windows = self._windows
        female, male = (windows.shares(logits[g], temperatures[g]) for g in GENDERS)
        blended = self._weights * female + (1.0 - self._weights) * male
        own = windows.of_gender("female")[windows.owners, None]
        clips = tuple(windows.material.clips)
        return Evaluation(
            protocol=self._protocol,
            clips=clips,
            parts=("validation",) * len(clips),
            female=self._female,
            probabilities=windows.means(blended),
            probabilities_true_gender=windows.means(np.where(own, female, male)),
        )
