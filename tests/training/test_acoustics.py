"""Bad acoustics, worked on log-mels."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features import FrontEnd, LogMel, relative_db
from training.acoustics import Acoustics, AcousticSettings
from training.conditions import noisy

NOTHING = {"noise_share": 0.0, "overdrive_share": 0.0, "room_share": 0.0, "band_share": 0.0}


def log_mel(frames=200, seed=0):
    """Syllables of noise that falls with frequency: relative decibels."""
    rng = np.random.default_rng(seed)
    loudness = 25 * np.sin(np.arange(frames) / 6)[:, None] - 25
    cells = rng.normal(0.0, 4.0, (frames, 128)) + np.linspace(0, -25, 128) + loudness
    return relative_db(cells.astype(np.float32))


def acoustics(talkers=True, **changed):
    settings = AcousticSettings(**{**NOTHING, **changed})
    return Acoustics(settings, FrontEnd(), [log_mel(seed=s) for s in range(6 if talkers else 0)])


def power(decibels):
    return 10 ** (np.asarray(decibels, np.float64) / 10)


def test_nothing_asked_leaves_the_spectrum_alone():
    clean = log_mel()
    assert acoustics().spoilt(clean, np.random.default_rng(0)) is clean


@pytest.mark.parametrize("kind", NOTHING)
@pytest.mark.parametrize("talkers", [True, False])
def test_each_kind_gives_relative_decibels_the_same_for_the_same_generator(kind, talkers):
    spoiler = acoustics(talkers, **{kind: 1.0})
    for seed in range(8):
        one, again = (spoiler.spoilt(log_mel(), np.random.default_rng(seed)) for _ in range(2))
        assert one.dtype == np.float32 and one.shape == (200, 128)
        assert np.isfinite(one).all() and one.max() == 0.0 and one.min() >= -80.0
        assert np.array_equal(one, again) and not np.allclose(one, log_mel(), atol=1.0)


@pytest.mark.parametrize("frames", [1, 2, 7, 900])
def test_clips_of_any_length_can_be_spoilt(frames):
    spoiler = acoustics(**dict.fromkeys(NOTHING, 1.0))
    for seed in range(6):
        spoilt = spoiler.spoilt(log_mel(frames), np.random.default_rng(seed))
        assert spoilt.shape == (frames, 128) and np.isfinite(spoilt).all()


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_noise_has_the_power_that_the_ratio_asks_for(snr_db):
    spoiler = acoustics()
    speech = power(log_mel()).astype(np.float32)
    widths = spoiler._widths
    noise = spoiler._steady[:200] * spoiler._slope(-6.0)
    added = spoiler.add(speech, noise, snr_db) - speech
    ratio = (speech.mean(axis=0) @ widths) / (added.mean(axis=0) @ widths)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.05)


def test_white_noise_is_like_that_of_sound():
    """Each band's mean level is that which white noise added to the sound itself has."""
    rng = np.random.default_rng(3)
    time = np.arange(32000) / 16000
    voice = sum(np.sin(2 * np.pi * 180 * k * time) / k for k in range(1, 20))
    sound = (0.05 * voice * (1.1 + np.sin(2 * np.pi * 3 * time))).astype(np.float32)
    heard = relative_db(LogMel()(noisy(sound, "white", 15.0, rng, [])))
    spoiler = acoustics()
    clean = power(relative_db(LogMel()(sound))).astype(np.float32)
    made = relative_db(10 * np.log10(spoiler.add(clean, spoiler._steady[: len(clean)], 15.0)))
    bands = slice(90, 128)  # where there is hardly any voice
    apart = 10 * np.log10(power(heard)[:, bands].mean() / power(made)[:, bands].mean())
    assert abs(apart) < 2.0


def test_a_room_fills_the_pauses_and_a_telephone_cuts_the_ends_of_the_spectrum():
    clean = log_mel()
    quiet = clean.mean(axis=1) < np.percentile(clean.mean(axis=1), 15)
    lively = acoustics(room_share=1.0, room_seconds=(0.8, 0.9))
    for seed in range(5):
        room = lively.spoilt(clean, np.random.default_rng(seed))
        share = power(room)[quiet].mean() / power(room).mean()
        assert share > 2 * power(clean)[quiet].mean() / power(clean).mean()
        narrow = acoustics(band_share=1.0).spoilt(clean, np.random.default_rng(seed))
        assert narrow[:, -1].max() < clean[:, -1].max() - 20.0


def test_an_overdriven_input_evens_out_the_loudness():
    clean = log_mel()
    for seed in range(5):
        held = acoustics(overdrive_share=1.0).spoilt(clean, np.random.default_rng(seed))
        loudness, before = power(held).sum(axis=1), power(clean).sum(axis=1)
        assert np.ptp(np.log(loudness)) < np.ptp(np.log(before))


@pytest.mark.parametrize("slope", [-6.0, 0.0, 1.5])
def test_hiss_falls_as_its_setting_says(slope):
    spoiler = acoustics(talkers=False, hiss_slope=(slope, slope))
    usual = acoustics(talkers=False, hiss_slope=(-3.0, -3.0))
    octaves = np.log2(spoiler._hertz / 1000.0)
    above = spoiler._hertz > 100.0
    found = []
    for seed in range(20):
        noise, other = (each._noise(2000, np.random.default_rng(seed)) for each in (spoiler, usual))
        if not np.array_equal(noise, other):  # streets have slopes of their own
            decibels = 10 * np.log10(noise.mean(axis=0))
            found.append(np.polyfit(octaves[above], decibels[above], 1)[0])
    assert 4 < len(found) < 16
    np.testing.assert_allclose(found, slope, atol=0.1)
