"""The resampling kernel: any piece of a sound gives the bits that the whole sound gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge._kernels.resample import resample
from edge.resampling import resample_to_16k, resampling_filter

RATES = st.sampled_from([8000, 11025, 22050, 24414, 44100, 44101, 48000, 96000, 191999])


@settings(deadline=None)  # the first use of a rate designs its filter
@given(
    rate=RATES,
    n=st.integers(1, 4000),
    chunks=st.lists(st.integers(0, 700), min_size=1, max_size=8),
    seed=st.integers(0, 9),
)
def test_a_sound_handed_over_in_chunks_gives_the_same_bits(rate, n, chunks, seed):
    by = resampling_filter(rate)
    samples = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    whole = resample_to_16k(samples, rate)

    done, kept, origin, received, turn = 0, np.zeros(0, np.float32), 0, 0, 0
    pieces = []
    while done < whole.size:
        size = chunks[turn % len(chunks)] + 1
        turn += 1
        kept = np.concatenate([kept, samples[received : received + size]])
        received = min(n, received + size)
        ready = whole.size
        if received < n:  # outputs whose filter ends within what has come
            ready = max(done, -(-(received - by.reach) * by.step_out // by.step_in))
        out = np.empty(ready - done, dtype=np.float32)
        resample(kept, origin, by.rows, by.step_in, by.step_out, done, out)
        pieces.append(out)
        done = ready
        drop = max(0, done * by.step_in // by.step_out - by.reach - origin)
        kept, origin = kept[drop:], origin + min(drop, kept.size)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@settings(deadline=None)  # the first use of a rate designs its filter
@given(rate=RATES, n=st.integers(1, 600), seed=st.integers(0, 9))
def test_every_output_is_the_inner_product_of_the_filter_at_its_position(rate, n, seed):
    by = resampling_filter(rate)
    samples = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    padded = np.pad(samples.astype(np.float64), by.reach)
    position = np.arange(by.output_length(n)) * by.step_in / by.step_out
    whole = np.arange(by.output_length(n)) * by.step_in // by.step_out
    phase = (position - whole) * (by.rows.shape[0] - 1)
    expected = []
    for start, at in zip(whole + 1, phase):
        below = min(int(at + 1e-9), by.rows.shape[0] - 2)
        row = by.rows[below] + (at - below) * (by.rows[below + 1].astype(float) - by.rows[below])
        expected.append(row @ padded[start : start + by.rows.shape[1]])
    np.testing.assert_allclose(resample_to_16k(samples, rate), expected, atol=2e-5)


def test_wrong_arguments_are_refused():
    samples, out = np.zeros(9, np.float32), np.zeros(2, np.float32)
    with pytest.raises(ValueError, match="taps a multiple of 32"):
        resample(samples, 0, np.zeros((2, 15), np.float32), 1, 1, 0, out)
    with pytest.raises(ValueError, match="taps a multiple of 32"):
        resample(samples, 0, np.zeros((1, 32), np.float32), 1, 1, 0, out)
    with pytest.raises(ValueError, match="steps must be positive"):
        resample(samples, 0, np.zeros((2, 32), np.float32), 0, 1, 0, out)
