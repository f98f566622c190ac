from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic_speech import synthesise
from training.scenes import (
    HOP,
    NOISES,
    NOT_SPEECH,
    RATE,
    clean_scene,
    in_noise,
    noise_of,
    speech_of_clean,
)


@pytest.fixture(scope="module")
def sounds() -> list[np.ndarray]:
    return [synthesise(gender, "neutral", seconds=1.5) for gender in ("female", "male")]


def loudness(sound: np.ndarray) -> float:
    """dBFS."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


def test_the_reference_finds_the_speech_between_digital_silence():
    sound = np.concatenate([np.zeros(RATE), synthesise("male", "neutral", seconds=1.5)])
    sound = np.concatenate([sound, np.zeros(RATE)]).astype(np.float32)
    speech = speech_of_clean(sound)
    assert len(speech) == 1 + len(sound) // HOP
    seconds = np.arange(len(speech)) * HOP / RATE
    assert speech[(seconds > 1.1) & (seconds < 2.4)].mean() > 0.9
    assert not speech[(seconds < 0.9) | (seconds > 2.6)].any()


def test_a_scene_has_pauses_of_silence_around_speech_at_a_chosen_level(sounds):
    scene = clean_scene(sounds, np.random.default_rng(0), (0.5, 1.0))
    assert len(scene.speech) == 1 + len(scene.samples) // HOP
    assert not scene.samples[: RATE // 2].any() and not scene.speech[: RATE // (2 * HOP)].any()
    voiced = np.repeat(scene.speech, HOP)[: len(scene.samples)]
    assert -36 < loudness(scene.samples[voiced]) < -14
    edges = np.flatnonzero(np.diff(scene.speech.astype(int)))
    assert len(edges) >= 4  # two sounds begin and end


@pytest.mark.parametrize("snr", [-5.0, 0.0, 20.0])
def test_the_noise_stands_that_far_below_the_speech(sounds, snr):
    rng = np.random.default_rng(1)
    clean = clean_scene(sounds, rng, (0.5, 1.0))
    noise = noise_of("white", len(clean.samples) + 99, rng)
    noisy = in_noise(clean, noise, snr)
    parts = np.stack([clean.samples, noise[: len(clean.samples)]], axis=1).astype(float)
    gains = np.linalg.lstsq(parts, noisy.samples, rcond=None)[0]
    np.testing.assert_allclose(parts @ gains, noisy.samples, atol=1e-5)
    assert np.abs(noisy.samples).max() <= 1.0 + 1e-6
    voiced = np.repeat(clean.speech, HOP)[: len(clean.samples)]
    speech, hiss = (loudness(part) for part in ((parts * gains)[voiced, 0], (parts * gains)[:, 1]))
    assert speech - hiss == pytest.approx(snr, abs=0.1)
    np.testing.assert_array_equal(noisy.speech, clean.speech)


@pytest.mark.parametrize("kind", sorted({*NOISES, *NOT_SPEECH}))
@pytest.mark.parametrize("samples", [1000, 40001])
def test_a_noise_has_its_length_and_level_and_comes_again_from_its_seed(kind, samples, sounds):
    one, again = (noise_of(kind, samples, np.random.default_rng(2), sounds) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (samples,) and one.dtype == np.float32
    assert loudness(one) == pytest.approx(-80.0 if kind == "silence" else -26.0, abs=0.1)
    other = noise_of(kind, samples, np.random.default_rng(3), sounds)
    assert not np.array_equal(one, other)


def test_pink_noise_falls_by_three_decibels_in_an_octave():
    power = np.abs(np.fft.rfft(noise_of("pink", 1 << 18, np.random.default_rng(4)))) ** 2
    hertz = np.fft.rfftfreq(1 << 18, 1 / RATE)
    octaves = [(f, 2 * f) for f in (100, 200, 400, 800, 1600, 3200)]
    density = [10 * np.log10(power[(hertz >= a) & (hertz < b)].mean()) for a, b in octaves]
    np.testing.assert_allclose(np.diff(density), -3.01, atol=0.4)


def test_a_mains_hum_is_lines_at_the_harmonics_of_the_mains():
    sound = noise_of("mains hum", 8 * RATE, np.random.default_rng(5))
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    strongest = np.argmax(power) / 8  # hertz
    mains = min((50, 60), key=lambda f: abs(strongest / f - round(strongest / f)))
    assert strongest == pytest.approx(mains * round(strongest / mains), abs=0.2)
    lines = np.round(np.arange(1, 25) * mains * 8).astype(int)
    on_lines = sum(power[line - 3 : line + 4].sum() for line in lines)
    assert on_lines > 0.98 * power.sum()
