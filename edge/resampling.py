"""Resampling of a sound to the 16 kHz of the front end, by a polyphase windowed sinc.

The filter is flat up to 0.92 of the lower of the two Nyquist frequencies and closed from that
frequency on, so that nothing folds back; it is symmetric, so the sound is not delayed.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import NDArray

from edge._kernels.resample import resample

TARGET_RATE = 16000     # hertz
LOWEST_RATE = 8000
HIGHEST_RATE = 192000

_ZERO_CROSSINGS = 80    # of the sinc on either side, in samples of the lower rate
_STOP_BAND_DB = 90.0    # that the Kaiser window is designed for
_EXACT_PHASES = 640     # 11.025 kHz needs as many; rates that need more interpolate the filter
_PHASES = 512           # then; the error of the straight line between two is below -100 dB
_LANES = 32             # the kernel takes rows in whole vectors


@dataclasses.dataclass(frozen=True)
class ResamplingFilter:
    """Output n stands at input position n * step_in / step_out; see `kernels/resample.pyx`."""

    rows: NDArray[np.float32]    # (phases + 1, taps) float32, read-only
    step_in: int
    step_out: int

    @property
    def reach(self) -> int:
        """Input samples that an output needs before its position, and as many after."""
        return self.rows.shape[1] // 2

    def output_length(self, samples: int) -> int:
        """ceil(samples * 16000 / rate): the outputs that stand before the end of the sound."""
        return -(-samples * self.step_out // self.step_in)


@functools.lru_cache(maxsize=8)
def resampling_filter(sample_rate: int) -> ResamplingFilter:
    """The filter from an integer sample rate of 8000 ... 192000 Hz to 16 kHz.

    Source: J. F. Kaiser's window design; A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal
    Processing, section 7.5.3.
    """
    divisor = math.gcd(sample_rate, TARGET_RATE)
    step_in, step_out = sample_rate // divisor, TARGET_RATE // divisor
    phases = step_out if step_out <= _EXACT_PHASES else _PHASES
    band = min(1.0, TARGET_RATE / sample_rate)  # lower Nyquist frequency, of the input's
    beta = 0.1102 * (_STOP_BAND_DB - 8.7)
    transition = (_STOP_BAND_DB - 7.95) / (2.285 * 2 * math.pi * _ZERO_CROSSINGS)  # of the lower
    cutoff = band * (1 - transition / 2)  # half-way down; closed at the lower Nyquist frequency
    span = _ZERO_CROSSINGS / band  # input samples on either side
    half = -(-math.ceil(span) // (_LANES // 2)) * (_LANES // 2)
    tap = np.arange(1 - half, half + 1)  # (taps,)
    time = tap - np.arange(phases + 1)[:, None] / phases  # (phases + 1, taps), input samples
    window = np.i0(beta * np.sqrt(np.maximum(0, 1 - (time / span) ** 2))) * (np.abs(time) <= span)
    rows = np.sinc(cutoff * time) * window
    rows = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)  # a constant stays itself
    rows.setflags(write=False)
    return ResamplingFilter(rows, step_in, step_out)


def resample_to_16k(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """A whole sound at 16 kHz; the sound is zero before its beginning and after its end.

    samples: (n,) float32
    returns: (ceil(n * 16000 / sample_rate),) float32; the argument itself when it is at 16 kHz
    """
    if sample_rate == TARGET_RATE:
        return samples
    by = resampling_filter(sample_rate)
    out = np.empty(by.output_length(samples.size), dtype=np.float32)
    resample(np.ascontiguousarray(samples), 0, by.rows, by.step_in, by.step_out, 0, out)
    return out
