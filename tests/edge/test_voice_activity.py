from __future__ import annotations

import numpy as np
import pytest

from edge.errors import SettingsError
from edge.features import FrontEnd, LogMel
from edge.voice_activity import CUES, STEP, VoiceActivity, snr_db, voice_activity
from edge.voice_weights import HIDDEN_BIASES, HIDDEN_WEIGHTS, OUTPUT_WEIGHTS
from tests.synthetic_speech import synthesise

RATE = 16000


def speech_share(sound: np.ndarray) -> float:
    return float(voice_activity(LogMel()(sound)).speech.mean())


def hum(seconds: float, fundamental: float, harmonics: int) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    tones = [np.sin(2 * np.pi * fundamental * k * time) / k for k in range(1, harmonics + 1)]
    return 0.1 * np.sum(tones, axis=0)


@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-3, 0.1])
def test_steady_noise_is_no_speech_at_any_level(level):
    noise = np.random.default_rng(0).normal(size=8 * RATE) * level
    assert speech_share(noise) < 0.01


@pytest.mark.parametrize(
    ("fundamental", "harmonics"), [(50, 20), (120, 8), (220, 12), (1000, 1)]
)
def test_a_hum_is_no_speech(fundamental, harmonics):
    sound = hum(8.0, fundamental, harmonics)
    sound += np.random.default_rng(1).normal(size=len(sound)) * 1e-3
    # Its begin may pass for that of a vowel; a stream makes no decision on so little.
    assert speech_share(sound) * 8.0 < 0.5
    assert not voice_activity(LogMel()(sound)).speech[60:].any()


@pytest.mark.parametrize("gender", ["female", "male"])
@pytest.mark.parametrize("snr", [30.0, 10.0])
def test_speech_is_told_from_the_noise_around_it(gender, snr):
    rng = np.random.default_rng(2)
    speech = synthesise(gender, "neutral", seconds=3.0)
    hush = np.zeros(3 * RATE, np.float32)
    sound = np.concatenate([hush, speech, hush])
    sound += rng.normal(size=len(sound)) * np.sqrt(np.mean(speech**2) / 10 ** (snr / 10))
    told = voice_activity(LogMel()(sound)).speech
    frames = np.arange(len(told)) * 256
    within = (frames > 3.1 * RATE) & (frames < 5.9 * RATE)
    outside = (frames < 2.9 * RATE) | (frames > 6.5 * RATE)
    assert told[within].mean() > 0.8
    assert told[outside].mean() < 0.1


def test_steps_of_a_stream_give_what_the_whole_sound_gives(speech):
    log_mel = LogMel()(np.concatenate([np.zeros(9000, np.float32), speech("male", seconds=4.0)]))
    detector = VoiceActivity(FrontEnd())
    steps = [detector.step(log_mel[at : at + STEP]) for at in range(0, len(log_mel), STEP)]
    whole = voice_activity(log_mel)
    for part in range(3):
        together = np.concatenate([step[part] for step in steps])
        np.testing.assert_allclose(together, whole[part], rtol=1e-5)


def test_clearing_gives_bit_equal_reruns(speech):
    log_mel = LogMel()(speech("female", seconds=2.0))
    detector = VoiceActivity(FrontEnd())
    runs = []
    for _ in range(2):
        runs.append(
            np.concatenate(
                [detector.cues(log_mel[at : at + STEP]) for at in range(0, len(log_mel), STEP)]
            )
        )
        detector.clear()
    np.testing.assert_array_equal(*runs)
    assert runs[0].shape == (len(log_mel), len(CUES))


@pytest.mark.parametrize("kind", ["noise", "low tone", "high tone"])
def test_power_is_the_mean_square_of_the_samples(kind):
    time = np.arange(4 * RATE) / RATE
    sound = {
        "noise": np.random.default_rng(3).normal(size=len(time)) * 0.03,
        "low tone": 0.2 * np.sin(2 * np.pi * 310 * time),
        "high tone": 0.01 * np.sin(2 * np.pi * 3500 * time),
    }[kind]
    power = voice_activity(LogMel()(sound)).power[10:-10].mean()
    assert 10 * np.log10(power / np.mean(sound**2)) == pytest.approx(0.0, abs=0.3)


def test_the_noise_floor_is_the_power_of_steady_noise():
    noise = np.random.default_rng(4).normal(size=20 * RATE) * 0.02
    activity = voice_activity(LogMel()(noise))
    floor = activity.noise[200:].mean()
    assert 10 * np.log10(floor / np.mean(noise**2)) == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("snr", [0.0, 5.0, 10.0, 20.0])
def test_the_signal_to_noise_ratio_is_estimated_within_a_few_decibels(snr):
    rng = np.random.default_rng(5)
    pause = np.zeros(RATE, np.float32)
    pieces = [pause]
    for take in range(4):
        pieces += [synthesise("male", "happy", seconds=1.5, take=take), pause]
    clean = np.concatenate(pieces)
    active = np.abs(clean) > 0
    noise = rng.normal(size=len(clean))
    noise *= np.sqrt(np.mean(clean[active] ** 2) / 10 ** (snr / 10))
    estimate = snr_db(voice_activity(LogMel()(clean + noise)))
    assert estimate == pytest.approx(snr, abs=3.5)


def test_without_speech_there_is_no_ratio():
    assert snr_db(voice_activity(LogMel()(np.zeros(RATE)))) is None


@pytest.mark.parametrize("setting", [{"hop_length": 512}, {"mel_bands": 64}, {"low_hz": 50.0}])
def test_another_front_end_is_refused(setting):
    (name,) = setting
    with pytest.raises(SettingsError, match=name):
        VoiceActivity(FrontEnd(**setting))


def test_the_weights_fit_the_cues():
    assert np.shape(HIDDEN_WEIGHTS) == (len(CUES), len(HIDDEN_BIASES))
    assert np.shape(OUTPUT_WEIGHTS) == np.shape(HIDDEN_BIASES)
