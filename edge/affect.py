"""Arousal and valence of an emotion distribution: a projection of it, no measurement of its own.

The coordinates are the mean pleasure and arousal that readers gave the emotion's name in
J. A. Russell and A. Mehrabian, "Evidence for a three-factor theory of emotions", Journal of
Research in Personality 11, 1977, 273-294, on scales from -1 to 1 ("relaxed" stands for calm, and
neutral is the origin). The models were never trained on ratings of arousal or valence, so the
projection can say no more than the eight probabilities do.
"""

from __future__ import annotations

from collections.abc import Mapping

COORDINATES: dict[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0),
    "calm": (-0.46, 0.68),
    "happy": (0.51, 0.81),
    "sad": (-0.27, -0.63),
    "angry": (0.59, -0.51),
    "fearful": (0.60, -0.64),
    "disgust": (0.35, -0.60),
    "surprised": (0.67, 0.40),
}
"""(arousal, valence) of each label, -1 to 1."""


def arousal(probabilities: Mapping[str, float]) -> float:
    """From asleep, -1, to excited, 1: the expected arousal of the distribution."""
    return sum(p * COORDINATES[label][0] for label, p in probabilities.items())


def valence(probabilities: Mapping[str, float]) -> float:
    """From unpleasant, -1, to pleasant, 1: the expected valence of the distribution."""
    return sum(p * COORDINATES[label][1] for label, p in probabilities.items())
