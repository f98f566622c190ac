"""Stand-ins for the trained parts, simple enough to compute by hand."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FakeEvidence:
    log_likelihood_ratio_sum: float
    voiced_frames: int

    def __add__(self, other: FakeEvidence) -> FakeEvidence:
        return FakeEvidence(
            self.log_likelihood_ratio_sum + other.log_likelihood_ratio_sum,
            self.voiced_frames + other.voiced_frames,
        )


class FixedGate:
    """Gives every window the same evidence, whose posterior is `female`."""

    def __init__(self, female: float) -> None:
        self.female = female
        self.calls = 0

    def evidence(self, log_mel: np.ndarray) -> FakeEvidence:
        self.calls += 1
        return FakeEvidence(self.female * len(log_mel), len(log_mel))

    def posterior(self, evidence: FakeEvidence) -> float:
        return evidence.log_likelihood_ratio_sum / evidence.voiced_frames


class LevelGate:
    """Evidence from the mean level, so that windows differ; posterior by the logistic function."""

    def evidence(self, log_mel: np.ndarray) -> FakeEvidence:
        return FakeEvidence(float(np.sum(log_mel.mean(axis=1) + 40.0)), len(log_mel))

    def posterior(self, evidence: FakeEvidence) -> float:
        mean = evidence.log_likelihood_ratio_sum / evidence.voiced_frames
        return 1.0 / (1.0 + math.exp(-mean / 10.0))


class FixedExpert:
    """Answers the same logits to everything, and counts how often it was asked."""

    def __init__(self, logits: object) -> None:
        self._logits = np.asarray(logits, dtype=np.float32)
        self._lock = threading.Lock()
        self.calls = 0

    def logits(self, features: np.ndarray) -> np.ndarray:
        with self._lock:
            self.calls += 1
        return self._logits


class LinearExpert:
    """Logits from a random projection of the features' mean, so that windows differ."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def logits(self, features: np.ndarray) -> np.ndarray:
        mean = features.mean(axis=0, dtype=np.float64)  # (n,)
        projection = np.random.default_rng(self._seed).normal(size=(8, mean.size))
        return (projection @ mean / math.sqrt(mean.size)).astype(np.float32)  # (8,)
