"""The spectral kernel against numpy's FFT, for every length, batch filling and place of a frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge._kernels.spectral import CosineKernel, LogMelKernel

LENGTHS = [2**power for power in range(3, 17)]


def frames(kernel, samples, origin=0, hop_length=1, count=1):
    out = np.full((count, kernel.bands), np.nan, dtype=np.float32)
    kernel.frames(np.ascontiguousarray(samples, dtype=np.float32), origin, hop_length, out)
    return out


@pytest.mark.parametrize("length", LENGTHS)
def test_every_bin_of_every_length_equals_numpy(length):
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    bins = np.arange(length // 2 + 1)
    kept = bins if length <= 2048 else bins[:: length // 512]
    filters = (kept[:, None] == bins).astype(float)  # each band is one bin
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    ours = frames(LogMelKernel(np.ones(length), filters), samples)[0]
    np.testing.assert_allclose(ours, 10 * np.log10(power[kept]), rtol=0, atol=3e-5)


@pytest.fixture(scope="module")
def kernel() -> LogMelKernel:
    rng = np.random.default_rng(5)
    filters = np.zeros((7, 65))
    for band in range(7):
        filters[band, 8 * band : 8 * band + 12] = rng.random(12)
    return LogMelKernel(np.hanning(128), filters)


@given(count=st.integers(1, 40), first=st.integers(0, 39), hop_length=st.integers(1, 128))
def test_a_frame_is_bit_equal_wherever_it_stands_in_a_batch(kernel, count, first, hop_length):
    samples = np.random.default_rng(7).standard_normal(3000)
    together = frames(kernel, samples, -64, hop_length, 40)
    count = min(count, 40 - first)
    alone = frames(kernel, samples, -64 + first * hop_length, hop_length, count)
    np.testing.assert_array_equal(alone, together[first : first + count])


@given(origin=st.integers(-300, 300), n=st.integers(0, 260), count=st.integers(1, 20))
def test_what_lies_outside_the_samples_counts_as_zero(kernel, origin, n, count):
    samples = np.random.default_rng(n).standard_normal(n)
    padded = np.zeros(3000)
    padded[1000 : 1000 + n] = samples
    np.testing.assert_array_equal(
        frames(kernel, samples, origin, 32, count), frames(kernel, padded, 1000 + origin, 32, count)
    )


def test_an_empty_band_is_at_the_floor():
    kernel = LogMelKernel(np.ones(16), np.zeros((3, 9)))
    np.testing.assert_array_equal(frames(kernel, np.ones(16)), np.float32([[-100] * 3]))


def test_the_decibels_equal_log10_over_the_whole_range():
    filters = np.zeros((1, 5))
    filters[0, 0] = 1
    kernel = LogMelKernel(np.eye(1, 8)[0], filters)  # the power of one sample
    amplitude = np.logspace(-6, 18, 20001).astype(np.float32)
    ours = frames(kernel, amplitude, 0, 1, amplitude.size)[:, 0]
    exact = 10 * np.log10(np.maximum(1e-10, amplitude.astype(np.float64) ** 2))
    np.testing.assert_allclose(ours, exact, rtol=2e-7, atol=1e-5)
    assert (np.diff(ours) >= 0).all()


def test_wrong_shapes_are_refused(kernel):
    with pytest.raises(ValueError, match="power of two"):
        LogMelKernel(np.ones(100), np.ones((1, 51)))
    with pytest.raises(ValueError, match="filters"):
        LogMelKernel(np.ones(16), np.ones((1, 8)))
    with pytest.raises(ValueError, match="out"):
        kernel.frames(np.zeros(9, np.float32), 0, 1, np.zeros((1, 6), np.float32))
    with pytest.raises(ValueError, match="coefficients"):
        CosineKernel(10, 11)
    with pytest.raises(ValueError, match="spectrum"):
        CosineKernel(10, 5).frames(np.zeros((2, 9), np.float32), np.zeros((2, 5), np.float32))
    with pytest.raises(ValueError, match="out"):
        CosineKernel(10, 5).frames(np.zeros((2, 10), np.float32), np.zeros((3, 5), np.float32))
