"""Bad acoustics, worked on log-mels."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features import FrontEnd, LogMel, relative_db
from training.acoustics import Acoustics, AcousticSettings
from training.conditions import noisy, reverberant

NOTHING = {"noise_share": 0.0, "overdrive_share": 0.0, "room_share": 0.0, "band_share": 0.0,
           "suppression_share": 0.0}


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
    rng = np.random.default_rng(0)
    speech = power(0.4 * log_mel(2000)).astype(np.float32)  # without pauses
    widths = spoiler._widths
    noise = spoiler._steady[:2000] * spoiler._slope(-6.0)
    added = spoiler.add(speech, noise, snr_db, rng) - speech
    ratio = (speech.mean(axis=0) @ widths) / (added.mean(axis=0) @ widths)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.5)


def test_pauses_do_not_count_as_speech_of_which_the_ratio_is():
    spoiler = acoustics()
    speech = power(log_mel()).astype(np.float32)
    pause = np.full((300, 128), 1e-8, np.float32)
    noise = spoiler._steady[:500]
    alone = spoiler.add(speech, noise[:200], 10.0, np.random.default_rng(0))
    within = spoiler.add(
        np.concatenate([speech, pause]), noise, 10.0, np.random.default_rng(0)
    )
    apart = 10 * np.log10(within[:200].mean(axis=0) / alone.mean(axis=0))
    assert np.abs(apart).max() < 0.5


def voice():
    """Two seconds of syllables of a voice, of which little is above 3 kHz."""
    time = np.arange(32000) / 16000
    tone = sum(np.sin(2 * np.pi * 180 * k * time) / k for k in range(1, 20))
    return (0.05 * tone * (1.1 + np.sin(2 * np.pi * 3 * time))).astype(np.float32)


@pytest.mark.parametrize("snr_db", [5.0, 15.0])
def test_white_noise_is_like_that_of_sound(snr_db):
    """In level, in how far it varies, and in how alike neighbours in time and frequency are."""
    sound = voice()
    clean = power(relative_db(LogMel()(sound))).astype(np.float32)
    spoiler = acoustics()
    heard, made = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        heard.append(relative_db(LogMel()(noisy(sound, "white", snr_db, rng, []))))
        noise = spoiler._texture(spoiler._steady, len(clean), rng)
        made.append(relative_db(10 * np.log10(spoiler.add(clean, noise, snr_db, rng))))
    for bands in (slice(70, 128), slice(10, 40)):  # hardly any voice; voice and noise
        of_sound, of_log_mel = (texture(np.stack(x)[:, 2:-2, bands]) for x in (heard, made))
        assert of_log_mel["level"] == pytest.approx(of_sound["level"], abs=0.7)
        for name in ("spread", "in time", "across"):
            assert of_log_mel[name] == pytest.approx(of_sound[name], rel=0.2, abs=0.05), name


@pytest.mark.parametrize("seconds", [0.4, 1.0])
def test_a_room_is_like_that_of_sound(seconds):
    """In how loud its tail is, how that dies, and how far it varies."""
    sound = np.concatenate([voice(), np.zeros(8000, np.float32)])
    dry = LogMel()(sound)
    clean = power(relative_db(dry)).astype(np.float32)
    spoiler = acoustics()
    heard, made = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        heard.append(LogMel()(reverberant(sound, seconds, rng)) - dry.max())
        made.append(10 * np.log10(spoiler.in_room(clean, seconds, 0.0, rng)))
    for frames in (slice(128, 140), slice(145, 155)):  # the voice ends at 125
        one, other = (texture(np.stack(x)[:, frames, 4:60]) for x in (heard, made))
        assert other["level"] == pytest.approx(one["level"], abs=2.0)
        assert other["spread"] == pytest.approx(one["spread"], rel=0.15)
        for name in ("in time", "across"):
            assert other[name] == pytest.approx(one[name], rel=0.3), name


def texture(decibels):
    """Of (trials, frames, bands): what differs from trial to trial is noise."""
    apart = decibels - decibels.mean(axis=0)
    square = np.mean(apart**2)
    return {
        "level": 10 * np.log10(power(decibels).mean()),
        "spread": np.sqrt(square),
        "in time": np.mean(apart[:, 1:] * apart[:, :-1]) / square,
        "across": np.mean(apart[:, :, 1:] * apart[:, :, :-1]) / square,
    }


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


def test_a_device_holds_down_what_is_always_there_and_leaves_the_loudest():
    clean = log_mel(400)
    noise = relative_db(10 * np.log10(power(clean) + 1e-4))  # steady, 40 dB below the loudest
    spoiler = acoustics(suppression_share=1.0, suppression_db=(18.0, 18.0))
    pauses, loudest = clean < -60.0, clean > -8.0
    for seed in range(6):
        held = spoiler.spoilt(noise, np.random.default_rng(seed))
        change = held - noise
        assert -18.1 < np.median(change[pauses]) < -8.0
        assert np.abs(change[loudest]).mean() < 1.0
        assert change.min() > -18.1


def test_a_share_of_the_clips_is_suppressed():
    spoiler = acoustics(suppression_share=0.3)
    clean, rng = log_mel(), np.random.default_rng(0)
    assert 0.2 < np.mean([spoiler.spoilt(clean, rng) is not clean for _ in range(200)]) < 0.4


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
