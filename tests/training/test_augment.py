"""Variations of log-mel spectrograms."""

from __future__ import annotations

import numpy as np
import pytest

from training.augment import (
    AugmentationSettings,
    LogMelAugmenter,
    add_noise,
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


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_noise_has_the_power_that_the_ratio_asks_for(snr_db):
    speech = log_mel(400)
    tilt = np.linspace(0.0, -20.0, 128)
    noise = np.random.default_rng(1).gamma(3.0, 1 / 3.0, speech.shape).astype(np.float32)
    noisy = add_noise(speech, noise, snr_db, tilt)
    assert noisy.max() == 0.0 and noisy.min() >= -80.0
    power = 10 ** (speech.astype(np.float64) / 10)
    expected = power.mean() * 10 ** (-snr_db / 10)
    # The result is relative to its own loudest cell: bring that back before taking the difference.
    loudest = np.unravel_index(noisy.argmax(), noisy.shape)
    shape = 10 ** (tilt / 10)
    shape *= expected / shape.mean()
    total = power + noise * shape
    assert np.isclose(total.max(), total[loudest])
    restored = 10 ** (noisy.astype(np.float64) / 10) * total[loudest]
    assert np.isclose((restored - power).mean(), expected, rtol=0.05)


def test_the_same_generator_gives_the_same_variation_and_another_another():
    augmenter = LogMelAugmenter(AugmentationSettings(noise_share=1.0, equaliser_db=2.0), 128)

    def varied(seed):
        rng = np.random.default_rng(seed)
        return augmenter.reshaped(augmenter.noisy(log_mel(), rng), rng)

    assert np.array_equal(varied(3), varied(3))
    assert varied(3).shape != varied(4).shape or not np.array_equal(varied(3), varied(4))


def test_no_variation_leaves_the_spectrum_alone():
    settings = AugmentationSettings(
        tempo=0.0, vocal_tract=0.0, noise_share=0.0, equaliser_db=0.0, masks=0, mixup=0.0
    )
    augmenter, rng = LogMelAugmenter(settings, 128), np.random.default_rng(0)
    assert np.array_equal(augmenter.reshaped(augmenter.noisy(log_mel(), rng), rng), log_mel())
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
