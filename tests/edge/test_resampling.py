"""The resampler's response, measured with tones, and the whole of it against scipy and soxr.

Stated and held here, for tones of full scale: up to 0.92 of the lower Nyquist frequency within
-85 dB of the tone itself, undelayed; from that frequency on, 90 dB down and more. Noise up to
0.85 of it is within -100 dB of the exact values between the samples.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
import soxr

from edge.resampling import resample_to_16k, resampling_filter

RATES = [8000, 11025, 12000, 16001, 22050, 24000, 24414, 32000, 44100, 44101, 48000, 96000,
         176400, 192000]  # fmt: skip
PASS_BAND = 0.92        # of the lower Nyquist frequency
PASS_BAND_ERROR_DB = -85
STOP_BAND_DB = -90


def tone(hertz: float, rate: float, seconds: float = 0.5, phase: float = 0.4) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate + phase)


def inner(samples: np.ndarray) -> np.ndarray:
    """Without the ends, where the sound begins and stops."""
    return samples[400:-400]


def level_db(samples: np.ndarray) -> float:
    return 20 * math.log10(max(np.abs(inner(samples)).max(), 1e-12))


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    return resample_to_16k(samples.astype(np.float32), rate).astype(np.float64)


def band_limited_noise(rate: int, seconds: float = 0.5) -> np.ndarray:
    """Noise up to 0.85 of the lower Nyquist frequency, peak below 1."""
    n = round(rate * seconds)
    spectrum = np.random.default_rng(0).standard_normal(n // 2 + 1) + 0j
    spectrum[np.fft.rfftfreq(n, 1 / rate) > 0.85 * min(rate, 16000) / 2] = 0
    noise = np.fft.irfft(spectrum, n) * scipy.signal.windows.tukey(n, 0.2)
    return noise / np.abs(noise).max()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("part", [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, PASS_BAND])
def test_a_tone_of_the_pass_band_stays_itself_without_delay(rate, part):
    hertz = part * min(rate, 16000) / 2
    ours = resampled(tone(hertz, rate), rate)
    exact = tone(hertz, 16000, ours.size / 16000)
    assert level_db(ours - exact) <= PASS_BAND_ERROR_DB


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate > 16001])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.1, 0.3, 0.6, 0.9, 0.999])
def test_a_tone_above_8_khz_does_not_fold_back(rate, part):
    hertz = 8000 + part * (rate / 2 - 8000)
    assert level_db(resampled(tone(hertz, rate), rate)) <= STOP_BAND_DB


@pytest.mark.parametrize("rate", [8000, 11025, 12000])
def test_a_lower_rate_leaves_no_image_above_its_nyquist_frequency(rate):
    ours = inner(resampled(tone(0.3 * rate, rate, 2.0), rate))
    window = scipy.signal.windows.blackmanharris(ours.size)
    spectrum = np.abs(np.fft.rfft(ours * window)) / (window.sum() / 2)
    image = spectrum[np.fft.rfftfreq(ours.size, 1 / 16000) > rate / 2]
    assert 20 * np.log10(image.max()) <= STOP_BAND_DB


# For the others scipy's filter would have millions of taps.
@pytest.mark.parametrize("rate", [rate for rate in RATES if rate not in (16001, 24414, 44101)])
def test_it_equals_scipy_on_noise_of_the_pass_band(rate):
    by = resampling_filter(rate)
    noise = band_limited_noise(rate)
    longest = max(by.step_in, by.step_out)
    taps = scipy.signal.firwin(2 * 100 * longest + 1, 0.95 / longest, window=("kaiser", 10.0))
    reference = scipy.signal.resample_poly(noise, by.step_out, by.step_in, window=taps)
    ours = resampled(noise, rate)
    assert ours.size == reference.size
    assert level_db(ours - reference) <= PASS_BAND_ERROR_DB


@pytest.mark.parametrize("rate", RATES)
def test_it_equals_the_fourier_series_between_the_samples(rate):
    noise = band_limited_noise(rate, 0.25)
    checked = np.arange(400, 3600, 17)  # outputs
    spectrum = np.fft.rfft(noise)
    spectrum[0] /= 2
    used = np.flatnonzero(np.abs(spectrum) > 1e-12 * np.abs(spectrum).max())
    angle = 2j * np.pi * np.outer(checked * rate / 16000 / noise.size, used)
    exact = 2 / noise.size * (np.exp(angle) @ spectrum[used]).real
    error = np.abs(resampled(noise, rate)[checked] - exact).max()
    assert 20 * math.log10(error) <= -100


@pytest.mark.parametrize("rate", RATES)
def test_it_equals_soxr_on_noise_of_the_pass_band(rate):
    noise = band_limited_noise(rate)
    reference = soxr.resample(noise, rate, 16000, quality="VHQ")
    ours = resampled(noise, rate)
    length = min(ours.size, reference.size)
    assert abs(ours.size - reference.size) <= 1
    # At rates of many phases soxr is itself up to -78 dB off the Fourier series.
    assert level_db(ours[:length] - reference[:length]) <= -75


@pytest.mark.parametrize("rate", RATES)
def test_a_constant_stays_itself(rate):
    np.testing.assert_allclose(inner(resampled(np.ones(rate), rate)), 1, atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [0, 1, 2, 3, 100, 12345])
def test_the_length_is_the_duration_rounded_up(rate, samples):
    ours = resample_to_16k(np.ones(samples, dtype=np.float32), rate)
    assert ours.size == math.ceil(samples * 16000 / rate)
    assert ours.dtype == np.float32


@pytest.mark.parametrize("rate", RATES)
def test_a_click_comes_out_where_it_went_in(rate):
    click = np.zeros(rate // 2, dtype=np.float32)
    click[rate // 4] = 1
    assert abs(resample_to_16k(click, rate).argmax() / 16000 - (rate // 4) / rate) <= 0.5 / 16000


def test_16_khz_passes_untouched():
    samples = np.ones(100, dtype=np.float32)
    assert resample_to_16k(samples, 16000) is samples


def test_filters_are_kept_but_not_without_bound():
    assert resampling_filter(44100) is resampling_filter(44100)
    for rate in range(20000, 20040):
        resampling_filter(rate)
    assert resampling_filter.cache_info().currsize <= 8
    assert not resampling_filter(44100).rows.flags.writeable
