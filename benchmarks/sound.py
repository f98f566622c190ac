"""The sound that everything is timed on: three seconds of a synthetic voice."""

from __future__ import annotations

import functools

import numpy as np

from tests.synthetic_speech import synthesise

SECONDS = 3.0


@functools.cache
def voice(sample_rate: int) -> np.ndarray:
    """(3 * sample_rate,) float32, full scale 1, read-only; about six in seven frames are voiced."""
    samples = synthesise("female", "happy", seconds=SECONDS, sample_rate=sample_rate)
    samples = samples[: int(SECONDS * sample_rate)]
    assert samples.size == int(SECONDS * sample_rate)
    samples.setflags(write=False)
    return samples
