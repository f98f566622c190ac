"""The gender gate: its mixtures beside scikit-learn's, and the whole of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.comparison import distance
from benchmarks.sound import voice
from edge.features import LogMel, relative_db

MIXTURES = "Log-likelihoods of the gate's two mixtures, voiced frames of 3 s"
GATE = "Gender gate from log-mel to posterior, 3 s"


@pytest.fixture(scope="module")
def log_mel():
    """(188, 128) relative decibels."""
    return relative_db(LogMel()(voice(16000)))


@pytest.fixture(scope="module")
def frames(bundle, log_mel):
    """(voiced, n) float64."""
    voiced = bundle.gate.features(log_mel)
    assert len(voiced) >= 50, "too few voiced frames to time anything"
    return voiced


@pytest.fixture(scope="module")
def scikit_learn(bundle):
    """The same mixtures as scikit-learn's."""
    mixture = pytest.importorskip("sklearn.mixture")

    def same(ours):
        full = ours.precisions_cholesky.ndim == 3
        theirs = mixture.GaussianMixture(
            len(ours.weights), covariance_type="full" if full else "diag"
        )
        theirs.weights_, theirs.means_ = ours.weights, ours.means
        theirs.precisions_cholesky_ = ours.precisions_cholesky
        theirs.n_features_in_ = ours.means.shape[1]
        return theirs

    return same(bundle.gate.female), same(bundle.gate.male)


def scores(mixtures, frames: np.ndarray) -> np.ndarray:
    """(mixtures, voiced)."""
    return np.stack([mixture.score_samples(frames) for mixture in mixtures])


def as_scikit_learn(scikit_learn, frames: np.ndarray):
    wanted = scores(scikit_learn, frames)

    def check(output: np.ndarray) -> str:
        assert output.shape == (2, len(frames))
        assert np.ptp(output) > 1
        difference = np.max(np.abs(output - wanted) / np.abs(wanted))
        finding = distance(difference, "scikit-learn, relative")
        assert difference < 1e-6, finding
        return finding

    return check


def bench_edge(compare, bundle, frames, scikit_learn):
    ours = bundle.gate.female, bundle.gate.male
    sizes = " and ".join(str(len(mixture.weights)) for mixture in ours)
    compare(
        MIXTURES, "edge", lambda: scores(ours, frames), as_scikit_learn(scikit_learn, frames),
        baseline=True,
        note=f"{sizes} components, {len(frames)} frames of {frames.shape[1]} features",
    )


def bench_scikit_learn(compare, frames, scikit_learn):
    compare(
        MIXTURES, "scikit-learn, score_samples", lambda: scores(scikit_learn, frames),
        as_scikit_learn(scikit_learn, frames), note="the reference; it also checks its input",
    )


def bench_whole_gate(compare, bundle, log_mel, frames):
    gate = bundle.gate

    def check(posterior: float) -> str:
        ratios = gate.female.score_samples(frames) - gate.male.score_samples(frames)
        evidence = gate.evidence(log_mel)
        assert evidence.voiced_frames == len(frames)
        # Each ratio is limited before it counts.
        assert abs(evidence.log_likelihood_ratio_sum) <= np.abs(ratios).sum() + 1e-6
        assert 0.0 < posterior < 1.0
        assert posterior == gate.posterior(evidence)
        return f"P(female) = {posterior:.3g} from {evidence.voiced_frames} voiced frames"

    compare(
        GATE, "edge", lambda: gate.posterior(gate.evidence(log_mel)), check, baseline=True,
        note="voicing, bottleneck and mixtures; no other library has it",
    )
