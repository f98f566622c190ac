"""The front end against librosa, and against the same definition carried out in float64."""

from __future__ import annotations

import contextlib
import dataclasses
import threading

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.errors import SettingsError, SilentAudioError
from edge.features import FrontEnd, LogMel, mel_filters, mfcc, relative_db, require_audible

RATE = 16000
SECONDS = 3
TOLERANCE = 1e-3  # dB, and the same for cepstral coefficients


def tone(hertz: float, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(RATE * SECONDS) / RATE)).astype("f4")


def noise(amplitude: float, seed: int = 0) -> np.ndarray:
    return (amplitude * np.random.default_rng(seed).standard_normal(RATE * SECONDS)).astype("f4")


SOUNDS = {
    "noise": noise(0.1),
    "faint noise": noise(1e-5),
    "loud tone over noise at the floor": tone(1000.3) + noise(1e-4),
    "loud low tone over noise at the floor": tone(101.7) + noise(2e-4),
    "tone on a bin": tone(1000),
    "tone between bins": tone(1007.8),
    "tone near Nyquist": tone(7990),
    "two tones 70 dB apart": tone(440) + tone(2500, 10 ** (-70 / 20)),
    "click": np.eye(1, RATE * SECONDS, 20011, dtype="f4")[0],
    "constant": np.full(RATE, 0.5, dtype="f4"),
    "full-scale square": np.sign(tone(313.1)),
    "silence": np.zeros(RATE, dtype="f4"),
    "one sample": np.ones(1, dtype="f4"),
    "less than a hop": noise(0.1)[:255],
    "a hop": noise(0.1)[:256],
    "a frame": noise(0.1)[:1024],
    "a whole number of no hops": noise(0.3, seed=1)[:6300],
    "a frame and one": noise(0.1)[:1025],
}


@pytest.fixture(params=[*SOUNDS, "woman's speech", "man's speech"])
def sound(request, speech) -> np.ndarray:
    if request.param == "woman's speech":
        return speech("female", "happy", seconds=2.9)
    if request.param == "man's speech":
        return speech("male", "sad", seconds=2.9)
    return SOUNDS[request.param]


def librosa_power(samples: np.ndarray) -> np.ndarray:
    too_short_for_librosa = pytest.warns(UserWarning, match="n_fft=1024 is too large")
    with too_short_for_librosa if samples.size < 1024 else contextlib.nullcontext():
        return librosa.feature.melspectrogram(
            y=samples, sr=RATE, n_fft=1024, hop_length=256, n_mels=128,
            center=True, pad_mode="constant",
        ).T  # fmt: skip


def float64_power(samples: np.ndarray) -> np.ndarray:
    """The definition, in float64 throughout: no step shared with librosa but its filter bank."""
    padded = np.pad(samples.astype(np.float64), 512)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::256]
    window = scipy.signal.get_window("hann", 1024)
    spectrum = np.abs(scipy.fft.rfft(frames * window)) ** 2  # (frames, 513)
    bands = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=128, dtype=np.float64)  # (128, 513)
    return spectrum @ bands.T


def assert_close(ours: np.ndarray, reference: np.ndarray, tolerance: float = TOLERANCE) -> None:
    assert ours.shape == reference.shape
    assert ours.dtype == np.float32
    error = np.abs(ours.astype(np.float64) - reference)
    frame, cell = np.unravel_index(error.argmax(), error.shape)
    assert error.max() <= tolerance, (
        f"largest error {error.max():.3g} in frame {frame}, cell {cell}: "
        f"{ours[frame, cell]:.6f} for {reference[frame, cell]:.6f}\nframe {frame}: {ours[frame]}"
    )


def test_log_mel_equals_librosa(sound):
    reference = librosa.power_to_db(librosa_power(sound), ref=np.max, top_db=80)
    assert_close(relative_db(LogMel()(sound)), reference)


def test_absolute_log_mel_equals_librosa(sound):
    assert_close(LogMel()(sound), librosa.power_to_db(librosa_power(sound), ref=1, top_db=None))


def test_log_mel_equals_the_definition_in_float64_within_float32_rounding(sound):
    reference = librosa.power_to_db(float64_power(sound), ref=np.max, top_db=80)
    assert_close(relative_db(LogMel()(sound)), reference, tolerance=5e-5)


@pytest.mark.parametrize("n_mfcc", [1, 13, 20, 40, 128])
def test_mfcc_equals_librosa(sound, n_mfcc):
    log_mel = librosa.power_to_db(librosa_power(sound), ref=np.max, top_db=80)
    reference = librosa.feature.mfcc(S=log_mel.T, n_mfcc=n_mfcc).T
    assert_close(mfcc(relative_db(LogMel()(sound)), n_mfcc), reference)


def test_mfcc_equals_the_cosine_transform_in_float64():
    log_mel = np.random.default_rng(0).uniform(-80, 0, (50, 128)).astype(np.float32)
    reference = scipy.fft.dct(log_mel.astype(np.float64), type=2, norm="ortho")[:, :40]
    assert_close(mfcc(log_mel, 40), reference, tolerance=5e-5)


def test_filters_equal_librosa():
    reference = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=128, dtype=np.float64)
    np.testing.assert_allclose(mel_filters(FrontEnd()), reference, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    "front_end",
    [
        FrontEnd(frame_length=512, hop_length=160, mel_bands=40),
        FrontEnd(frame_length=2048, hop_length=512, mel_bands=80, low_hz=50.0, high_hz=7600.0),
        FrontEnd(sample_rate=8000, frame_length=256, hop_length=100, mel_bands=24, high_hz=4000.0),
    ],
    ids=str,
)
def test_other_settings_equal_librosa_too(front_end):
    samples = noise(0.2)
    power = librosa.feature.melspectrogram(
        y=samples, sr=front_end.sample_rate, n_fft=front_end.frame_length,
        hop_length=front_end.hop_length, n_mels=front_end.mel_bands,
        fmin=front_end.low_hz, fmax=front_end.high_hz,
    ).T  # fmt: skip
    reference = librosa.power_to_db(power, ref=1, top_db=None)
    assert_close(LogMel(front_end)(samples), reference)


def test_empty_sound_is_one_frame_at_the_floor():
    log_mel = LogMel()(np.zeros(0, dtype=np.float32))
    assert log_mel.shape == (1, 128)
    assert (log_mel == -100).all()


def test_silence_is_exactly_the_floor():
    assert (LogMel()(np.zeros(5000, dtype=np.float32)) == -100).all()


@given(st.integers(0, 5000))
def test_frame_count_is_one_for_each_hop_and_one(samples):
    assert LogMel()(np.zeros(samples, dtype=np.float32)).shape == (1 + samples // 256, 128)


def test_a_longer_sound_begins_with_bit_equal_frames(speech):
    samples = speech("female", "angry", seconds=2.0)
    whole = LogMel()(samples)
    for cut in (3000, 4000, 5000, 20000):
        part = LogMel()(samples[:cut])
        inside = (cut - 512) // 256  # frames that lie wholly in the part
        np.testing.assert_array_equal(part[:inside], whole[:inside])


def test_reruns_and_parallel_threads_are_bit_equal():
    log_mel, samples = LogMel(), noise(0.1)
    expected, seen = log_mel(samples), []
    threads = [threading.Thread(target=lambda: seen.append(log_mel(samples))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    for result in seen:
        np.testing.assert_array_equal(result, expected)


def test_strided_and_other_types_of_samples_give_the_same():
    samples = np.round(noise(0.1) * 1000)
    expected = LogMel()(samples)
    np.testing.assert_array_equal(LogMel()(np.repeat(samples, 2)[::2]), expected)
    np.testing.assert_array_equal(LogMel()(samples.astype(np.int16)), expected)
    np.testing.assert_array_equal(LogMel()(samples.astype(np.float64)), expected)


@pytest.mark.parametrize("samples", [np.zeros((4, 2)), np.zeros(4, complex), np.array(["a"])])
def test_samples_that_are_no_row_of_numbers_are_refused(samples):
    with pytest.raises(SettingsError, match="one row of real samples"):
        LogMel()(samples)


def test_huge_samples_stay_finite():
    assert np.isfinite(LogMel()(np.full(4000, 1e30, dtype=np.float32))).all()


decibels = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.floats(-100, 60, width=32),
)


@given(decibels)
def test_relative_db_is_idempotent_between_its_floor_and_zero(values):
    once = relative_db(values)
    assert once.max() == 0
    assert once.min() >= -80
    np.testing.assert_array_equal(relative_db(once), once)


def test_relative_db_takes_the_floor_and_half_precision_and_leaves_its_argument():
    values = np.array([[-10, -30, -95]], dtype=np.float16)
    np.testing.assert_array_equal(relative_db(values, -60), np.float32([[0, -20, -60]]))
    assert relative_db(values).dtype == np.float32
    np.testing.assert_array_equal(values, np.float16([[-10, -30, -95]]))
    assert relative_db(np.zeros((0, 128))).shape == (0, 128)


def test_only_a_spectrum_without_any_sound_is_silent():
    log_mel = LogMel()
    with pytest.raises(SilentAudioError, match="-100 dB"):
        require_audible(log_mel(np.zeros(4000)))
    with pytest.raises(SilentAudioError):
        require_audible(log_mel(np.full(4000, 1e-9)))
    require_audible(log_mel(tone(440, 1e-4)))


@pytest.mark.parametrize("n_mfcc", [0, 129, -1, 1.5, True, None])
def test_a_wrong_number_of_coefficients_is_refused(n_mfcc):
    with pytest.raises(SettingsError, match="from 1 to 128"):
        mfcc(np.zeros((3, 128)), n_mfcc)


def test_mfcc_of_no_frames_and_of_a_wrong_shape():
    assert mfcc(np.zeros((0, 128)), 20).shape == (0, 20)
    with pytest.raises(SettingsError, match=r"\(frames, bands\)"):
        mfcc(np.zeros(128), 20)


def test_settings_survive_a_round_trip():
    settings = FrontEnd(hop_length=128, floor_db=-60)
    assert FrontEnd.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame_length": 1000}, "frame_length must be a power of two"),
        ({"frame_length": 1024.0}, "frame_length must be a whole number"),
        ({"hop_length": 0}, "hop_length must be from 1"),
        ({"hop_length": True}, "hop_length must be a whole number"),
        ({"sample_rate": -1}, "sample_rate must be positive"),
        ({"mel_bands": 0}, "mel_bands must be"),
        ({"low_hz": 9000.0}, "low_hz must be"),
        ({"high_hz": 9000.0}, "high_hz must be at most"),
        ({"high_hz": float("nan")}, "high_hz must be a finite number"),
        ({"floor_db": 0.0}, "floor_db must be negative"),
        ({"window_frames": "188"}, "window_frames must be a whole number"),
        ({"hop": 1}, "unknown 'hop'"),
    ],
)
def test_a_wrong_setting_is_named(change, message):
    with pytest.raises(SettingsError, match=message):
        FrontEnd.from_dict({**FrontEnd().to_dict(), **change})


def test_a_missing_setting_is_named():
    settings = FrontEnd().to_dict()
    del settings["mel_bands"]
    with pytest.raises(SettingsError, match="no 'mel_bands'"):
        FrontEnd.from_dict(settings)
    with pytest.raises(SettingsError, match="by name"):
        FrontEnd.from_dict(None)


def test_settings_cannot_be_altered():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FrontEnd().hop_length = 1
