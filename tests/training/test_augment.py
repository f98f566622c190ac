"""Variations of log-mel spectrograms."""

from __future__ import annotations

import numpy as np
import pytest

from training.augment import (
    AugmentationSettings,
    LogMelAugmenter,
    mix,
    stretch,
    warp_bands,
)


def log_mel(frames=120, seed=0):
    decibels = np.random.default_rng(seed).uniform(-60.0, 0.0, (frames, 128)).astype(np.float32)
    return decibels - decibels.max()


def test_stretching_keeps_both_ends_and_multiplies_the_length():
    original = log_mel(100)
    slower = stretch(original, 1.2)
    assert slower.shape == (120, 128)
    assert np.array_equal(slower[0], original[0]) and np.array_equal(slower[-1], original[-1])
    assert np.array_equal(stretch(original, 1.0), original)


def test_warping_by_one_changes_nothing_and_otherwise_moves_a_peak_to_its_multiple():
    original = np.full((3, 128), -80.0, dtype=np.float32)
    original[:, 44] = 0.0
    assert np.array_equal(warp_bands(original, 1.0), original)
    assert warp_bands(original, 1.1)[0].argmax() == 40
    assert warp_bands(original, 0.8)[0].argmax() == 55


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.25])
def test_warping_keeps_the_lowest_and_the_highest_band(factor):
    original = log_mel(5)
    warped = warp_bands(original, factor)
    assert np.array_equal(warped[:, 0], original[:, 0])
    assert np.allclose(warped[:, -1], original[:, -1])


def test_reshaping_is_the_same_for_all_that_one_example_is_heard_as():
    augmenter = LogMelAugmenter(AugmentationSettings(equaliser_db=2.0), 128)
    reshape = augmenter.reshaping(np.random.default_rng(3))
    assert np.array_equal(reshape(log_mel()), reshape(log_mel()))
    other = augmenter.reshaping(np.random.default_rng(4))(log_mel())
    assert reshape(log_mel()).shape != other.shape or not np.array_equal(
        reshape(log_mel()), other
    )


def test_no_variation_leaves_the_spectrum_alone():
    settings = AugmentationSettings(
        tempo=0.0, vocal_tract=0.0, equaliser_db=0.0, masks=0, mixup=0.0
    )
    augmenter, rng = LogMelAugmenter(settings, 128), np.random.default_rng(0)
    assert np.array_equal(augmenter.reshaping(rng)(log_mel()), log_mel())
    assert np.array_equal(augmenter.masked(log_mel().copy(), rng), log_mel())


def test_masks_blank_at_most_a_fifth_of_the_frames_each():
    augmenter = LogMelAugmenter(AugmentationSettings(masks=2, mask_frames=20), 128)
    for seed in range(50):
        masked = augmenter.masked(np.ones((60, 40), np.float32), np.random.default_rng(seed))
        assert np.count_nonzero(masked.sum(axis=1) == 0) <= 24
        assert set(np.unique(masked)) <= {0.0, 1.0}


def test_mixing_keeps_targets_distributions_and_the_first_partner_the_larger():
    rng = np.random.default_rng(0)
    features = np.arange(16, dtype=np.float32).reshape(16, 1, 1)
    targets = np.eye(16, dtype=np.float32)
    mixed, shares = mix(features, targets, 0.3, rng)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert (shares.argmax(axis=1) == np.arange(16)).all()
    assert np.allclose(mixed[:, 0, 0], shares @ features[:, 0, 0], atol=1e-5)


def test_mixing_with_no_strength_changes_nothing():
    features, targets = np.ones((4, 2, 2), np.float32), np.eye(4, dtype=np.float32)
    mixed, shares = mix(features, targets, 0.0, np.random.default_rng(0))
    assert mixed is features and shares is targets
