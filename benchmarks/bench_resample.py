"""Resampling to 16 kHz, beside scipy and soxr."""

from __future__ import annotations

from math import gcd

import numpy as np
import pytest

from benchmarks.sound import SECONDS, voice
from edge.resampling import TARGET_RATE, resample_to_16k

RATES = (48000, 44100)


def group(rate: int) -> str:
    return f"Resampling of 3 s from {rate / 1000:g} kHz to 16 kHz"


def tones(rate: int, hertz: tuple[float, ...]) -> np.ndarray:
    """(n,) float32: tones under one arch, so that nothing happens at the ends."""
    time = np.arange(int(SECONDS * rate)) / rate
    arch = np.sin(np.pi * time / SECONDS) ** 2
    return (arch * sum(np.sin(2 * np.pi * f * time + f) for f in hertz) / len(hertz)).astype("f4")


def decibels(signal: np.ndarray, reference: np.ndarray) -> float:
    """Level of a signal against a reference; -200 or less is all one."""
    power, level = (np.mean(np.square(x, dtype=np.float64)) for x in (signal, reference))
    return 10 * np.log10(max(power / level, 1e-20))


def right_and_sharp(resample, rate: int):
    """A check of an output's length, and of the resampler on tones whose answer is known."""

    def check(output: np.ndarray) -> str:
        assert output.shape == (int(SECONDS * TARGET_RATE),)
        assert output.dtype == np.float32
        speech = (110.0, 440.0, 1000.0, 2500.0, 5000.0)
        wanted = tones(TARGET_RATE, speech)
        error = decibels(resample(tones(rate, speech)) - wanted, wanted)
        assert error < -50, f"{error:.0f} dB away from the tones that went in"
        folded = decibels(resample(tones(rate, (8400.0,))), tones(TARGET_RATE, (1000.0,)))
        kept = decibels(resample(tones(rate, (7300.0,))), tones(TARGET_RATE, (1000.0,)))
        return (
            f"tones right to {error:.0f} dB; 7.3 kHz at {kept:+.1f} dB; "
            f"8.4 kHz folds at {folded:.0f} dB"
        )

    return check


@pytest.mark.parametrize("rate", RATES)
def bench_edge(compare, rate):
    def resample(samples):
        return resample_to_16k(samples, rate)

    samples = voice(rate)
    compare(
        group(rate), "edge", lambda: resample(samples), right_and_sharp(resample, rate),
        baseline=True, note="the filter is made once for each rate and kept",
    )


@pytest.mark.parametrize("rate", RATES)
def bench_scipy(compare, rate):
    signal = pytest.importorskip("scipy.signal")
    up, down = TARGET_RATE // gcd(rate, TARGET_RATE), rate // gcd(rate, TARGET_RATE)

    def resample(samples):
        return signal.resample_poly(samples, up, down)

    samples = voice(rate)
    compare(
        group(rate), "scipy.signal.resample_poly", lambda: resample(samples),
        right_and_sharp(resample, rate),
        note="its default filter: an eighth of the length, so that what lies just above 8 kHz "
        "folds back; made anew in each call",
    )


@pytest.mark.parametrize("rate", RATES)
def bench_scipy_with_a_filter_as_sharp(compare, rate):
    signal = pytest.importorskip("scipy.signal")
    up, down = TARGET_RATE // gcd(rate, TARGET_RATE), rate // gcd(rate, TARGET_RATE)
    # 90 dB from 0.92 of 8 kHz to 8 kHz, as edge's.
    taps, beta = signal.kaiserord(90, 0.08 / max(up, down))
    window = signal.firwin(taps | 1, 0.96 / max(up, down), window=("kaiser", beta)).astype("f4")

    def resample(samples):
        return signal.resample_poly(samples, up, down, window=window)

    samples = voice(rate)
    compare(
        group(rate), "scipy.signal.resample_poly, as sharp as edge", lambda: resample(samples),
        right_and_sharp(resample, rate), note="a Kaiser filter of 90 dB, made beforehand",
    )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("quality", ["HQ", "LQ"])
def bench_soxr(compare, rate, quality):
    soxr = pytest.importorskip("soxr")

    def resample(samples):
        return soxr.resample(samples, rate, TARGET_RATE, quality)

    samples = voice(rate)
    note = {
        "HQ": "its default, for 20 bits",
        "LQ": "its quickest that filters, for 16 bits",
    }[quality]
    compare(
        group(rate), f"soxr {quality}", lambda: resample(samples), right_and_sharp(resample, rate),
        note=note,
    )
