"""Variation for training, all of it on log-mel spectrograms, since one corpus has nothing else.

Arrays are (frames, bands) float32 decibels relative to the loudest cell, unless said otherwise, and
every random number comes from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.acoustics import AcousticSettings


@dataclass(frozen=True)
class AugmentationSettings:
    """How much variation; the defaults were chosen on validation speakers."""

    tempo: float = 0.15            # speed 1 -+ this
    vocal_tract: float = 0.10      # frequencies 1 -+ this
    acoustics: AcousticSettings = AcousticSettings()
    equaliser_db: float = 0.0      # standard deviation of a smooth random gain over frequency
    masks: int = 2                 # stretches of time blanked (SpecAugment)
    mask_frames: int = 20          # the longest
    mixup: float = 0.3             # both parameters of the beta distribution, 0 for none


class LogMelAugmenter:
    """Applies the settings' variations to one log-mel after the other."""

    def __init__(self, settings: AugmentationSettings, bands: int) -> None:
        self._settings = settings
        self._bands = bands

    def reshaping(self, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        """Another tempo, vocal tract and microphone, the same for every log-mel it is given."""
        settings = self._settings
        tempo = rng.uniform(1 - settings.tempo, 1 + settings.tempo)
        tract = rng.uniform(1 - settings.vocal_tract, 1 + settings.vocal_tract)
        gains = rng.normal(0.0, settings.equaliser_db, 6)
        curve = np.interp(np.linspace(0, 5, self._bands), np.arange(6), gains).astype(np.float32)
        return lambda log_mel: warp_bands(stretch(log_mel, tempo), tract) + curve

    def masked(self, cepstrum: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(frames, n) with stretches of time set to zero, each at most a fifth of the frames."""
        longest = max(1, min(self._settings.mask_frames, len(cepstrum) // 5))
        for _ in range(self._settings.masks):
            length = rng.integers(longest + 1)
            start = rng.integers(len(cepstrum) - length + 1)
            cepstrum[start:start + length] = 0.0
        return cepstrum


def stretch(log_mel: np.ndarray, factor: float) -> np.ndarray:
    """Time multiplied by factor, by interpolation between frames."""
    frames = len(log_mel)
    where = np.linspace(0, frames - 1, max(2, round(frames * factor)))
    left = where.astype(int)
    right = np.minimum(left + 1, frames - 1)
    share = (where - left)[:, None].astype(np.float32)
    return log_mel[left] * (1 - share) + log_mel[right] * share


def warp_bands(log_mel: np.ndarray, factor: float, bend: float = 0.8) -> np.ndarray:
    """What stood in band b * factor comes to band b; the top `1 - bend` of the bands makes room.

    Piecewise linear, so that the highest band stays: vocal tract length perturbation (Jaitly and
    Hinton 2013), on the mel scale in place of hertz.
    """
    bands = log_mel.shape[1]
    top = bands - 1
    knee = top * bend / max(1.0, factor)
    band = np.arange(bands)
    beyond = knee * factor + (band - knee) * (top - knee * factor) / (top - knee)
    where = np.clip(np.where(band < knee, band * factor, beyond), 0, top)
    left = where.astype(int)
    right = np.minimum(left + 1, top)
    share = (where - left)[None].astype(np.float32)
    return log_mel[:, left] * (1 - share) + log_mel[:, right] * share


def mix(
    features: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Each example and its target blended with another of the batch (mixup, Zhang et al. 2018).

    features: (batch, ...) float32; targets: (batch, labels) float32
    """
    if not alpha:
        return features, targets
    share = rng.beta(alpha, alpha, len(features)).astype(np.float32)
    share = np.maximum(share, 1 - share)  # the example itself stays the larger part
    partner = rng.permutation(len(features))
    wide = share.reshape((-1,) + (1,) * (features.ndim - 1))
    features = features * wide + features[partner] * (1 - wide)
    targets = targets * share[:, None] + targets[partner] * (1 - share[:, None])
    return features, targets
