"""What the experts see of a window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct

from edge.errors import SettingsError
from edge.features import EmotionFeatures, emotion_features, relative_db


def settings(n_mfcc=40, **others):
    scale = tuple(np.linspace(0.01, 0.2, 40))
    return EmotionFeatures(**{"n_mfcc": n_mfcc, "scale": scale, **others})


def speech_like(frames, seed=0):
    rng = np.random.default_rng(seed)
    return relative_db(rng.uniform(-45.0, 0.0, (frames, 128)).astype(np.float32))


def test_the_features_are_the_scaled_cepstrum_without_its_mean_as_scipy_computes_it():
    log_mel, chosen = speech_like(188), settings()
    cepstrum = dct(log_mel.astype(np.float64), type=2, norm="ortho", axis=1)[:, :40]
    expected = (cepstrum - cepstrum.mean(axis=0)) * np.array(chosen.scale)
    assert np.abs(emotion_features(log_mel, chosen) - expected).max() < 1e-4


def test_a_short_window_stands_in_the_middle_between_zeros():
    features = emotion_features(speech_like(51), settings())
    assert features.shape == (188, 40) and features.dtype == np.float32
    filled = np.flatnonzero(np.abs(features).sum(axis=1))
    assert (filled[0], filled[-1]) == (68, 118)  # 68 zeros before, 69 after


def test_silence_at_both_ends_makes_no_difference():
    log_mel = speech_like(60)
    silent = np.full((40, 128), -70.0, dtype=np.float32)
    padded = np.concatenate([silent, log_mel, silent[:13]])
    assert np.array_equal(
        emotion_features(padded, settings()), emotion_features(log_mel, settings())
    )


def test_a_pause_inside_stays():
    log_mel = speech_like(60)
    log_mel[20:40] = -70.0
    features = emotion_features(log_mel, settings())
    assert np.count_nonzero(np.abs(features).sum(axis=1)) == 60


def test_the_microphones_colour_is_taken_off():
    log_mel = speech_like(100)
    colour = np.linspace(0.0, -4.0, 128, dtype=np.float32)
    plain = emotion_features(log_mel, settings(trim_db=-90.0))
    coloured = emotion_features(log_mel + colour, settings(trim_db=-90.0))
    assert np.abs(plain - coloured).max() < 1e-4


def test_without_normalisation_the_mean_stays():
    features = emotion_features(speech_like(188), settings(mean_normalised=False))
    assert features[:, 0].mean() < -1.0


def test_below_the_floor_nothing_is_heard():
    """A quiet room and a less quiet one give the same; what is louder counts as ever."""
    quiet = speech_like(100)
    quiet[40:60] = -75.0  # a pause
    hissing = np.maximum(quiet, -60.0)
    hears, deaf = settings(), settings(floor_db=-45.0)
    assert np.abs(emotion_features(quiet, hears) - emotion_features(hissing, hears)).max() > 0.1
    heard = emotion_features(quiet, deaf)
    assert np.array_equal(heard, emotion_features(hissing, deaf))
    assert np.array_equal(heard, emotion_features(np.maximum(quiet, -45.0), hears))


def test_the_floor_hides_no_speech_from_the_cut():
    """What is cut as silence depends on the window as it sounded."""
    log_mel = speech_like(100)
    log_mel[:20] = -55.0
    features = emotion_features(log_mel, settings(floor_db=-45.0))
    assert np.count_nonzero(np.abs(features).sum(axis=1)) == 80


@given(st.integers(1, 188), st.integers(0, 2**32 - 1))
def test_any_window_gives_finite_features_of_the_same_shape(frames, seed):
    features = emotion_features(speech_like(frames, seed), settings())
    assert features.shape == (188, 40) and np.isfinite(features).all()


@pytest.mark.parametrize("frames", [0, 189])
def test_a_window_of_no_frames_or_too_many_is_refused(frames):
    with pytest.raises(SettingsError, match="1 to 188 frames"):
        emotion_features(np.zeros((frames, 128), np.float32), settings())


def test_settings_survive_json_and_unknown_ones_are_named():
    chosen = settings()
    assert EmotionFeatures.from_dict(chosen.to_dict()) == chosen
    with pytest.raises(SettingsError, match="unknown 'deltas'"):
        EmotionFeatures.from_dict({**chosen.to_dict(), "deltas": 2})
    with pytest.raises(SettingsError, match="no 'trim_db'"):
        EmotionFeatures.from_dict({k: v for k, v in chosen.to_dict().items() if k != "trim_db"})


def test_settings_of_before_there_was_a_floor_are_read():
    older = {k: v for k, v in settings().to_dict().items() if k != "floor_db"}
    assert EmotionFeatures.from_dict(older) == settings(floor_db=-80.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_mfcc": 0},
        {"n_mfcc": 40.0},
        {"trim_db": 0.0},
        {"trim_db": float("nan")},
        {"floor_db": 0.0},
        {"floor_db": True},
        {"mean_normalised": 1},
        {"frames": True},
        {"scale": (1.0,) * 39},
        {"scale": (0.0,) * 40},
        {"scale": (float("inf"),) * 40},
    ],
)
def test_a_setting_out_of_range_is_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        settings(**wrong)
