"""The windows of clips, cut once, for experts to be asked about again and again."""

from __future__ import annotations

import numpy as np

from edge.emotion import Expert
from edge.features import EmotionFeatures
from training.emotion import Material, clip_windows


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

    def of_clips(self, kept: np.ndarray) -> tuple[ClipWindows, np.ndarray]:
        """The windows of the clips (clips,) bool, and which of the windows they are, bool."""
        some = ClipWindows.__new__(ClipWindows)
        indices = np.flatnonzero(kept)
        some.material = Material(
            [self.material.clips[k] for k in indices], [self.material.log_mels[k] for k in indices]
        )
        inside = kept[self.owners]
        some.inputs = self.inputs[inside]
        some.owners = np.searchsorted(indices, self.owners[inside])
        return some, inside

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
