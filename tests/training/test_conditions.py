"""Bad acoustics do what they are named after."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features import FrontEnd, LogMel, relative_db
from tests.synthetic_speech import synthesise
from training.acoustics import Acoustics, AcousticSettings
from training.conditions import (
    clipped,
    conditions,
    noisy,
    noisy_log_mel,
    recorded,
    reverberant,
    suppressed,
    suppressed_log_mel,
    suppression_gains,
    telephone,
)
from training.scenes import HOP, NOISES, speech_of_clean


@pytest.fixture(scope="module")
def sound():
    return synthesise("female", "angry", speaker=3, take=0).astype(np.float32)


@pytest.fixture(scope="module")
def talkers():
    return [synthesise("male", "sad", speaker=k, take=0).astype(np.float32) for k in range(3)]


def power(samples):
    return float(np.mean(np.square(samples, dtype=np.float64)))


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("snr_db", [20, 5])
def test_noise_has_the_stated_ratio_to_the_speech(sound, talkers, kind, snr_db):
    mixed = noisy(sound, kind, snr_db, np.random.default_rng(0), talkers)
    scale = np.dot(mixed, sound) / np.dot(sound, sound) if kind == "white" else 1.0
    rest = mixed - scale * sound
    active = np.repeat(speech_of_clean(sound), HOP)[: len(sound)]
    found = 10 * np.log10(power(scale * sound[active]) / power(rest))
    assert found == pytest.approx(snr_db, abs=0.5)


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("snr_db", [20, 5])
def test_noise_put_into_a_log_mel_is_as_loud_as_in_the_sound(sound, talkers, kind, snr_db):
    """In each third of the bands, where a quarter of the frames is quieter than the others."""
    clean = relative_db(LogMel()(sound))
    acoustics = Acoustics(
        AcousticSettings(), FrontEnd(), [relative_db(LogMel()(talker)) for talker in talkers]
    )
    heard, made = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        heard.append(relative_db(LogMel()(noisy(sound, kind, snr_db, rng, talkers))))
        made.append(noisy_log_mel(clean, kind, snr_db, rng, acoustics))
    assert all(each.dtype == np.float32 and each.max() == 0.0 for each in made)
    thirds = (np.array_split(np.stack(trials), 3, axis=2) for trials in (heard, made))
    for of_sound, of_log_mel in zip(*thirds):
        floors = [np.percentile(x, 25, axis=1).mean() for x in (of_sound, of_log_mel)]
        assert floors[1] == pytest.approx(floors[0], abs=3.5 if kind == "street" else 1.2)


@pytest.mark.parametrize("seconds", [0.3, 0.8])
def test_reverberation_dies_by_60_decibels_in_the_stated_time(seconds):
    click = np.zeros(2 * 16000, np.float32)
    click[0] = 0.5
    wet = reverberant(click, seconds, np.random.default_rng(0))
    quarter = int(seconds * 16000 / 4)
    early, late = power(wet[1 : quarter // 2]), power(wet[quarter : quarter + quarter // 2])
    assert 10 * np.log10(early / late) == pytest.approx(15.0, abs=3.0)
    assert len(wet) == len(click) and power(wet[int(seconds * 16000) + 2 :]) < 1e-12


def in_hiss(sound, decibels=-60.0):
    """A pause of a second before and behind the sound, all of it in white noise."""
    pause = np.zeros(16000, np.float32)
    rng = np.random.default_rng(3)
    hiss = 10 ** (decibels / 20) * rng.normal(size=len(sound) + 32000)
    return (np.concatenate([pause, sound / np.abs(sound).max(), pause]) + hiss).astype(np.float32)


@pytest.mark.parametrize("depth_db", [10.0, 18.0])
def test_suppression_holds_the_pauses_down_and_keeps_the_speech(sound, depth_db):
    noisy_sound = in_hiss(sound)
    quiet = suppressed(noisy_sound, depth_db)
    assert quiet.dtype == np.float32 and len(quiet) == len(noisy_sound)
    pause, speech = slice(4000, 12000), slice(16000, 16000 + len(sound))
    lost = 10 * np.log10(power(noisy_sound[pause]) / power(quiet[pause]))
    assert lost == pytest.approx(depth_db, abs=2.5)
    assert power(quiet[speech] - noisy_sound[speech]) < 0.02 * power(noisy_sound[speech])


def test_a_log_mel_is_suppressed_like_the_sound(sound):
    noisy_sound = in_hiss(sound)
    by_sound = relative_db(LogMel()(suppressed(noisy_sound)))
    by_log_mel = suppressed_log_mel(relative_db(LogMel()(noisy_sound)))
    assert by_log_mel.dtype == np.float32 and by_log_mel.max() == 0.0
    pause, speech = slice(10, 55), slice(64, 64 + len(sound) // HOP)
    assert by_log_mel[pause].mean() == pytest.approx(by_sound[pause].mean(), abs=3.0)
    both = np.stack([by_log_mel[speech], by_sound[speech]])
    loud = both[1] > -40.0
    assert np.abs(both[0] - both[1])[loud].mean() < 2.0


@pytest.mark.parametrize("frames", [1, 2, 400])
def test_suppression_bears_silence_and_short_sounds(frames):
    gains = suppression_gains(np.zeros((frames, 5)), 0.016, 18.0)
    assert gains.shape == (frames, 5) and np.isfinite(gains).all()
    assert gains.min() >= 10 ** (-18.0 / 20) - 1e-12 and gains.max() <= 1.0
    short = suppressed(np.full(100 * frames, 0.1, np.float32))
    assert short.shape == (100 * frames,) and np.isfinite(short).all()


def test_a_telephone_leaves_its_band_alone():
    noise = 0.1 * np.random.default_rng(0).normal(size=32000).astype(np.float32)
    narrow, rate = telephone(noise)
    assert rate == 8000 and len(narrow) == 16000
    spectrum = np.abs(np.fft.rfft(narrow)) ** 2
    hertz = np.fft.rfftfreq(len(narrow), 1 / rate)
    inside = (hertz > 320) & (hertz < 3380)
    outside = (hertz < 280) | (hertz > 3420)
    assert spectrum[outside].mean() < 0.01 * spectrum[inside].mean()
    assert len(np.unique(narrow)) <= 255


def test_clipping_cuts_what_exceeds_a_quarter_of_the_peak(sound):
    flat = clipped(sound)
    over = np.abs(sound) > np.abs(sound).max() * 10 ** (-12 / 20) * 1.001
    assert over.any() and np.all(np.abs(flat[over]) == 1.0) and np.all(np.abs(flat[~over]) < 1.01)


@pytest.mark.parametrize(("gain_db", "level_db"), [(-20.0, -50.0), (0.0, -30.0)])
def test_gain_moves_the_level_of_the_speech(sound, gain_db, level_db):
    quiet = recorded(sound, gain_db)
    active = np.repeat(speech_of_clean(sound), HOP)[: len(sound)]
    assert 10 * np.log10(power(quiet[active])) == pytest.approx(level_db, abs=0.2)
    assert np.all(quiet * 32768 == np.round(quiet * 32768))
    assert np.abs(recorded(sound, 60.0)).max() == 1.0  # saturates


def test_conditions_begin_with_none_and_are_reproducible(sound, talkers):
    found = conditions()
    assert found[0].spoil(sound, np.random.default_rng(0), talkers)[0] is sound
    assert len({condition.name for condition in found}) == len(found)
    for condition in found:
        first, again = (
            condition.spoil(sound, np.random.default_rng(7), talkers)[0] for _ in range(2)
        )
        assert np.array_equal(first, again) and first.dtype == np.float32
        assert np.isfinite(first).all() and len(first) > 0
