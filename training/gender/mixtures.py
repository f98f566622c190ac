"""From bottleneck to mixtures: the speakers' discriminant, and a mixture for each gender."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge.gender import Evidence, GenderGate
from training.gender.recordings import Recordings, progress_bar
from training.gender.settings import GENDERS, GateSettings


def extractor(frames: dict, settings: GateSettings) -> GenderGate:
    """A gate that is good for its features only; the bottleneck's when there is no discriminant."""
    frames = dict(frames)
    width = frames["bottleneck_biases"].size
    frames.setdefault("discriminant_weights", np.eye(width))
    frames.setdefault("discriminant_biases", np.zeros(width))
    n = frames["discriminant_biases"].size
    for gender in GENDERS:
        frames[f"{gender}_weights"] = np.ones(1)
        frames[f"{gender}_means"] = np.zeros((1, n))
        frames[f"{gender}_precisions_cholesky"] = np.ones((1, n))
    for name in ("slope", "bias", "saturation"):
        frames[f"calibration_{name}"] = np.array(1.0)
    return GenderGate.from_arrays({**frames, "ratio_limit": np.array(settings.ratio_limit)})


def window_features(
    recordings: Recordings, chosen: Iterable[int], gate: GenderGate, progress: bool = True
) -> dict[int, list[np.ndarray]]:
    """For each chosen recording, each window's features (voiced frames, n)."""
    chosen = list(chosen)
    return {
        i: [gate.features(window) for window in recordings.windows(i)]
        for i in progress_bar(chosen, "features", len(chosen), "clip", progress)
    }


def balanced_frames(
    recordings: Recordings, features: dict[int, list[np.ndarray]], settings: GateSettings
) -> dict[str, np.ndarray]:
    """As many frames of each speaker, (frames, n); with repetition of short-spoken ones."""
    random = np.random.default_rng([settings.seed, 2])
    drawn = {}
    for speaker, group in recordings.by_speaker(features).items():
        frames = np.concatenate([window for i in group for window in features[i]])
        if len(frames):
            drawn[speaker] = frames[random.integers(len(frames), size=settings.frames_per_speaker)]
    return drawn


def speaker_discriminant(speakers: dict[str, np.ndarray], dimensions: int) -> dict[str, np.ndarray]:
    """The first directions of a linear discriminant analysis with a class for each speaker.

    speakers: (frames, bottleneck) of each. Within a speaker, a frame's deviation along each
    direction is 1; the mean over all is 0. Fewer directions than asked for when there are fewer.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x = np.concatenate(list(speakers.values()))
    labels = np.repeat(np.arange(len(speakers)), [len(frames) for frames in speakers.values()])
    analysis = LinearDiscriminantAnalysis(solver="eigen", shrinkage=1e-3).fit(x, labels)
    weights = analysis.scalings_[:, : min(dimensions, len(speakers) - 1, x.shape[1])]
    return {
        "discriminant_weights": weights.astype(np.float32),
        "discriminant_biases": (-x.mean(axis=0) @ weights).astype(np.float32),
    }


def fit_mixtures(
    frames: dict[str, np.ndarray], components: int, covariance: str, seed: int
) -> dict:
    """A GaussianMixture for each gender."""
    from sklearn.mixture import GaussianMixture

    return {
        gender: GaussianMixture(
            components,
            covariance_type=covariance,
            reg_covar=1e-3,
            max_iter=200,
            tol=1e-3,
            init_params="k-means++",
            random_state=seed,
        ).fit(x)
        for gender, x in frames.items()
    }


def clip_evidence(gate: GenderGate, windows: list[np.ndarray], limit: float) -> Evidence:
    """Evidence of a clip from its windows' features, as `GenderGate.evidence` finds it."""
    total = Evidence()
    for features in windows:
        if len(features):
            ratios = gate.female.score_samples(features) - gate.male.score_samples(features)
            total += Evidence(float(np.clip(ratios, -limit, limit).sum()), len(features))
    return total
