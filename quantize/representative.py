"""The training windows on which the ranges of activations are measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.features import EmotionFeatures
from edge.labels import GENDERS
from quantize.errors import QuantizeError
from training.corpora import Clip
from training.emotion import clip_windows


def representative_clips(clips: Sequence[Clip], count: int, seed: int) -> list[int]:
    """Indices of `count` clips, drawn evenly over gender, then emotion, then corpus.

    Whoever has few clips gives all of them, the others share the rest. QuantizeError when a gender
    has none: its sounds would be clipped.
    """
    rng = np.random.default_rng(seed)
    tree: dict[str, dict[str, dict[str, list[int]]]] = {}
    for index in rng.permutation(len(clips)):
        clip = clips[index]
        emotions = tree.setdefault(clip.gender, {})
        emotions.setdefault(clip.emotion or "", {}).setdefault(clip.corpus, []).append(int(index))
    missing = [gender for gender in GENDERS if gender not in tree]
    if missing:
        raise QuantizeError(
            f"the representative set has no {' and no '.join(missing)} speaker: "
            "give corpora with training speakers of both genders"
        )
    return sorted(_drawn(tree, count))


def _drawn(tree: dict | list, count: int) -> list[int]:
    """Up to `count` leaves, evenly over the branches, which make up for one another."""
    if isinstance(tree, list):
        return tree[:count]
    chosen: list[int] = []
    # The smallest branches first, so that what they cannot give is left to the larger ones.
    branches = sorted(tree.items(), key=lambda branch: (_leaves(branch[1]), branch[0]))
    for position, (_, branch) in enumerate(branches):
        chosen += _drawn(branch, -(-(count - len(chosen)) // (len(branches) - position)))
    return chosen


def _leaves(tree: dict | list) -> int:
    return len(tree) if isinstance(tree, list) else sum(map(_leaves, tree.values()))


def representative_windows(
    clips: Sequence[Clip],
    log_mels: Sequence[np.ndarray],
    features: EmotionFeatures,
    count: int,
    seed: int,
) -> np.ndarray:
    """(count, frames, n_mfcc, 1) float32: the experts' inputs, one window of each drawn clip."""
    rng = np.random.default_rng([seed, 1])
    windows = []
    for index in representative_clips(clips, count, seed):
        of_clip = clip_windows(log_mels[index], features)
        windows.append(of_clip[rng.integers(len(of_clip))])
    return np.stack(windows)[..., None]
