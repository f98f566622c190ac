"""Log-mel and 40 MFCCs of three seconds, beside librosa and python_speech_features."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from benchmarks.comparison import distance
from benchmarks.sound import voice
from edge.features import FrontEnd, LogMel, hann_window, mfcc, relative_db

GROUP = "Log-mel and 40 MFCCs of 3 s at 16 kHz"
LOG_MEL_GROUP = "Log-mel of 3 s at 16 kHz, relative decibels"
N_MFCC = 40
FRAMES = 188
SETTINGS = {"sr": 16000, "n_fft": 1024, "hop_length": 256, "n_mels": 128}


def librosa_log_mel(samples: np.ndarray) -> np.ndarray:
    """(128, frames) decibels below the loudest cell."""
    import librosa

    power = librosa.feature.melspectrogram(y=samples, pad_mode="constant", **SETTINGS)
    return librosa.power_to_db(power, ref=np.max, top_db=80.0)


def librosa_mfcc(samples: np.ndarray) -> np.ndarray:
    import librosa

    return librosa.feature.mfcc(S=librosa_log_mel(samples), n_mfcc=N_MFCC)


@pytest.fixture(scope="module")
def reference():
    """librosa's (frames, 40)."""
    pytest.importorskip("librosa")
    return librosa_mfcc(voice(16000)).T


def near(wanted: np.ndarray, largest: float, unit: str):
    """A check that an output (frames, n) is librosa's within the largest difference."""

    def check(output: np.ndarray) -> str:
        assert output.shape == wanted.shape
        assert np.ptp(output) > 10, "flat: no features of a voice"
        difference = np.abs(output - wanted).max()
        assert difference <= largest, distance(difference, "librosa", unit)
        return distance(difference, "librosa", unit)

    return check


def bench_edge(compare, reference):
    samples, log_mel = voice(16000), LogMel()
    compare(
        GROUP, "edge", lambda: mfcc(relative_db(log_mel(samples)), N_MFCC),
        near(reference, 1e-3, ""), baseline=True, note="tables are made once",
    )


def bench_librosa(compare, reference):
    samples = voice(16000)
    compare(
        GROUP, "librosa", lambda: librosa_mfcc(samples).T, near(reference, 0.0, ""),
        note="the reference: melspectrogram, power_to_db, mfcc; makes its mel filters in each call",
    )


def bench_librosa_with_its_filters_kept(compare, reference):
    librosa = pytest.importorskip("librosa")
    fft = pytest.importorskip("scipy.fft")
    samples = voice(16000)
    filters = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=128)

    def features():
        spectrum = librosa.stft(samples, n_fft=1024, hop_length=256, pad_mode="constant")
        decibels = librosa.power_to_db(filters @ np.abs(spectrum) ** 2, ref=np.max, top_db=80.0)
        return fft.dct(decibels, axis=0, type=2, norm="ortho")[:N_MFCC].T

    compare(
        GROUP, "librosa's stft and power_to_db, filters kept", features, near(reference, 1e-3, ""),
        note="what one would write with librosa to avoid that",
    )


def speech_features(samples: np.ndarray) -> np.ndarray:
    import python_speech_features

    centred = np.pad(samples, 512)  # it does not centre its frames
    return python_speech_features.mfcc(
        centred, 16000, winlen=0.064, winstep=0.016, numcep=N_MFCC, nfilt=128, nfft=1024, lowfreq=0,
        highfreq=8000, preemph=0, ceplifter=0, appendEnergy=False, winfunc=hann_window,
    )


def by_its_own_definition(filters: np.ndarray):
    """A check against librosa's spectrum under python_speech_features' own filters."""

    def check(output: np.ndarray) -> str:
        librosa = pytest.importorskip("librosa")
        fft = pytest.importorskip("scipy.fft")
        samples = voice(16000).astype(np.float64)
        spectrum = librosa.stft(samples, n_fft=1024, hop_length=256, pad_mode="constant")
        bands = filters @ (np.abs(spectrum) ** 2 / 1024)
        bands[bands == 0] = np.finfo(float).eps
        wanted = fft.dct(np.log(bands), axis=0, type=2, norm="ortho")[:N_MFCC].T
        difference = np.abs(output[:FRAMES] - wanted).max()
        finding = distance(difference, "librosa's spectrum under its filters")
        assert difference < 1e-6, finding
        return finding

    return check


DIFFERENCES = (
    "natural logarithm, the mel scale of HTK, filters of unit height with corners rounded to bins "
    "(some of 128 hold none), no floor, float64"
)


def bench_python_speech_features(compare):
    base = pytest.importorskip("python_speech_features").base
    samples = voice(16000)
    compare(
        GROUP, "python_speech_features", lambda: speech_features(samples),
        by_its_own_definition(base.get_filterbanks(128, 1024, 16000, 0, 8000)),
        note=f"other numbers: {DIFFERENCES}; makes its filters anew in each call, in Python",
    )


def bench_python_speech_features_with_its_filters_kept(compare, monkeypatch):
    base = pytest.importorskip("python_speech_features").base
    samples = voice(16000)
    kept = functools.lru_cache(base.get_filterbanks)
    monkeypatch.setattr(base, "get_filterbanks", kept)
    compare(
        GROUP, "python_speech_features, filters kept", lambda: speech_features(samples),
        by_its_own_definition(kept(128, 1024, 16000, 0, 8000)),
        note="the same with its function for the filters remembered, which it does not offer",
    )


def bench_edge_log_mel(compare):
    pytest.importorskip("librosa")
    samples, log_mel = voice(16000), LogMel(FrontEnd())
    compare(
        LOG_MEL_GROUP, "edge", lambda: relative_db(log_mel(samples)),
        near(librosa_log_mel(samples).T, 1e-3, " dB"), baseline=True,
    )


def bench_librosa_log_mel(compare):
    pytest.importorskip("librosa")
    samples = voice(16000)
    compare(
        LOG_MEL_GROUP, "librosa", lambda: librosa_log_mel(samples).T,
        near(librosa_log_mel(samples).T, 0.0, " dB"),
        note="the reference; makes its mel filters anew in each call",
    )
