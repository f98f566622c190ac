"""The gender gate's arithmetic against scikit-learn's, its evidence, and what it refuses."""

from __future__ import annotations

import io
import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from edge.errors import BundleError, SettingsError
from edge.gender import (
    ARRAYS,
    Evidence,
    GenderGate,
    Voicing,
    VoicingDetector,
    level_free,
    loudness_db,
    score_samples,
    splice,
)

BANDS = 128
N = 4


def band_hz():
    """Slaney's centres of 128 bands of 0-8000 Hz, from their definition."""
    top = 15 + 27 * math.log(8) / math.log(6.4)
    mel = np.linspace(0, top, BANDS + 2)[1:-1]
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def make_arrays(seed=0, covariance="full", components=3, pooled=True, **changes):
    random = np.random.default_rng(seed)

    def normal(*shape):
        return 0.3 * random.standard_normal(shape)

    def mixture(gender):
        if covariance == "full":
            cholesky = np.triu(normal(components, N, N), 1) + np.eye(N) * random.uniform(
                0.5, 2, (components, 1, 1)
            )
        else:
            cholesky = random.uniform(0.5, 2, (components, N))
        return {
            f"{gender}_weights": random.dirichlet(np.ones(components) * 5),
            f"{gender}_means": normal(components, N),
            f"{gender}_precisions_cholesky": cholesky,
        }

    arrays = {
        "format": np.array(1),
        "band_hz": band_hz(),
        "loudness_bands": np.array([1, 120]),
        "pitch_hz": np.array([65.0, 470.0]),
        "context": np.array([-2, 0, 2]),
        "floor_db": np.array(-60.0),
        "range_db": np.array(25.0),
        "steps_per_octave": np.array(24),
        "highest_harmonic_hz": np.array(1000.0),
        "harmonicity": np.array(0.35),
        "ratio_limit": np.array(8.0),
        "calibration_slope": np.array(3.0),
        "calibration_bias": np.array(0.1),
        "calibration_saturation": np.array(20.0),
        "projection_weights": normal(BANDS, 5),
        "projection_biases": normal(5),
        "hidden_weights": normal(20 if pooled else 15, 6),
        "hidden_biases": normal(6),
        "bottleneck_weights": normal(6, 5),
        "bottleneck_biases": normal(5),
        "discriminant_weights": normal(5, N),
        "discriminant_biases": normal(N),
        **mixture("female"),
        **mixture("male"),
    }
    return {**arrays, **changes}


def harmonic_log_mel(pitch_hz, frames=40, ripple_db=25.0):
    """Cosine ripple of the pitch's spacing over a falling spectrum, 0 dB at the loudest cell."""
    hz = band_hz()
    row = ripple_db / 2 * np.cos(2 * np.pi * hz / pitch_hz) * (hz < 3000) - hz / 200
    return np.tile(row - row.max(), (frames, 1)).astype(np.float32)


def saved(arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    return file


# --- scoring ---


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    components=st.integers(1, 9),
    n=st.integers(1, 12),
    frames=st.integers(1, 40),
    covariance=st.sampled_from(["full", "diag"]),
    far=st.sampled_from([1.0, 30.0, 1000.0]),
)
def test_scores_equal_those_of_scikit_learn(seed, components, n, frames, covariance, far):
    random = np.random.default_rng(seed)
    training = random.standard_normal((60, n)) * random.uniform(0.1, 3, n) + random.standard_normal(
        n
    )
    model = GaussianMixture(
        components, covariance_type=covariance, reg_covar=1e-3, init_params="random_from_data",
        random_state=seed, max_iter=3, tol=1e9,
    ).fit(training)
    x = far * random.standard_normal((frames, n))
    got = score_samples(x, model.weights_, model.means_, model.precisions_cholesky_)
    np.testing.assert_allclose(got, model.score_samples(x), rtol=1e-6, atol=1e-6)


def test_a_frame_far_from_every_component_scores_finite():
    arrays = make_arrays()
    gate = GenderGate.from_arrays(arrays)
    assert np.isfinite(gate.female.score_samples(np.full((1, N), 1e6))).all()


# --- features ---


def test_loudness_is_the_sum_of_powers():
    log_mel = np.full((2, BANDS), -10.0, np.float32)
    assert loudness_db(log_mel, (1, 101)) == pytest.approx(10.0, abs=1e-4)


@given(gain=st.floats(-40, 40))
@settings(max_examples=20, deadline=None)
def test_features_do_not_hear_the_level(gain):
    log_mel = harmonic_log_mel(150)
    a = level_free(log_mel, loudness_db(log_mel, (1, 120)), -60.0)
    louder = log_mel + np.float32(gain)
    np.testing.assert_allclose(
        level_free(louder, loudness_db(louder, (1, 120)), -60.0), a, atol=1e-4
    )


def test_splicing_repeats_the_first_and_last_frame():
    x = np.arange(4.0)[:, None]
    np.testing.assert_array_equal(
        splice(x, (-1, 0, 2)), [[0, 0, 2], [0, 1, 3], [1, 2, 3], [2, 3, 3]]
    )


@pytest.mark.parametrize("pitch", [80, 110, 150, 220, 320, 440])
def test_a_harmonic_frame_is_voiced(pitch):
    detector = VoicingDetector(band_hz(), Voicing())
    log_mel = harmonic_log_mel(pitch)
    assert detector.harmonicity(log_mel).min() > 0.6
    assert detector.voiced(log_mel, loudness_db(log_mel, (1, 120))).all()


def test_a_smooth_spectrum_is_not_voiced():
    detector = VoicingDetector(band_hz(), Voicing())
    log_mel = harmonic_log_mel(150, ripple_db=0.0)
    assert not detector.voiced(log_mel, loudness_db(log_mel, (1, 120))).any()


def test_quiet_frames_do_not_vote():
    detector = VoicingDetector(band_hz(), Voicing())
    log_mel = harmonic_log_mel(150)
    log_mel[10:] -= 30
    voiced = detector.voiced(log_mel, loudness_db(log_mel, (1, 120)))
    assert voiced[:10].all() and not voiced[10:].any()


@pytest.mark.parametrize("pooled", [False, True])
def test_features_equal_the_network_written_out(pooled):
    arrays = make_arrays(pooled=pooled)
    log_mel = harmonic_log_mel(150) + 3 * np.random.default_rng(0).standard_normal(
        (40, BANDS)
    ).astype(np.float32)
    power = (10.0 ** (log_mel[:, 1:120].astype(np.float64) / 10)).sum(axis=1)
    x = (np.maximum(log_mel - 10 * np.log10(power)[:, None], -60.0) + 30) / 15
    projected = x @ arrays["projection_weights"] + arrays["projection_biases"]
    voiced = VoicingDetector(band_hz(), Voicing()).voiced(log_mel, loudness_db(log_mel, (1, 120)))
    assert voiced.sum() > 0
    rows = []
    for t in np.flatnonzero(voiced):
        joined = [projected[min(max(t + offset, 0), 39)] for offset in (-2, 0, 2)]
        if pooled:
            joined.append(projected[voiced].mean(axis=0))
        hidden = np.concatenate(joined) @ arrays["hidden_weights"] + arrays["hidden_biases"]
        narrow = np.maximum(hidden, 0) @ arrays["bottleneck_weights"] + arrays["bottleneck_biases"]
        rows.append(
            np.maximum(narrow, 0) @ arrays["discriminant_weights"] + arrays["discriminant_biases"]
        )
    np.testing.assert_allclose(
        GenderGate.from_arrays(arrays).features(log_mel), rows, rtol=1e-3, atol=1e-4
    )


# --- evidence and posterior ---


def test_evidence_adds_up():
    total = sum([Evidence(1.5, 10), Evidence(-0.25, 5)], Evidence())
    assert total == Evidence(1.25, 15)


def test_evidence_of_a_window_is_the_sum_over_its_voiced_frames():
    arrays = make_arrays()
    gate = GenderGate.from_arrays(arrays)
    log_mel = harmonic_log_mel(150)
    log_mel[20:] -= 40
    evidence = gate.evidence(log_mel)
    x = gate.features(log_mel)
    ratios = gate.female.score_samples(x) - gate.male.score_samples(x)
    assert evidence.voiced_frames == len(x) == 20
    assert evidence.log_likelihood_ratio_sum == pytest.approx(np.clip(ratios, -8, 8).sum())


def test_one_frame_cannot_outweigh_the_others():
    gate = GenderGate.from_arrays(make_arrays(female_means=np.full((3, N), 500.0)))
    evidence = gate.evidence(harmonic_log_mel(150))
    assert evidence.log_likelihood_ratio_sum == pytest.approx(-8.0 * evidence.voiced_frames)


def test_without_voice_the_posterior_is_even():
    gate = GenderGate.from_arrays(make_arrays())
    evidence = gate.evidence(np.zeros((30, BANDS), np.float32))
    assert evidence == Evidence(0.0, 0)
    assert gate.posterior(evidence) == 0.5


@given(ratio=st.floats(0.2, 8), few=st.integers(1, 500), more=st.integers(1, 500))
def test_more_frames_that_agree_make_the_posterior_surer(ratio, few, more):
    gate = GATE
    a = gate.posterior(Evidence(ratio * few, few))
    b = gate.posterior(Evidence(ratio * (few + more), few + more))
    assert 0.5 <= a <= b <= 1.0


@given(total=st.floats(-1e12, 1e12), frames=st.integers(1, 10**9))
def test_the_posterior_is_a_probability(total, frames):
    assert 0.0 <= GATE.posterior(Evidence(total, frames)) <= 1.0


GATE = GenderGate.from_arrays(make_arrays())


@pytest.mark.parametrize("shape", [(0, BANDS), (10, BANDS - 1), (BANDS,), (1, 10, BANDS)])
def test_a_log_mel_of_another_shape_is_refused(shape):
    with pytest.raises(SettingsError, match="log-mel"):
        GATE.evidence(np.zeros(shape, np.float32))


def test_a_log_mel_with_nan_is_refused():
    log_mel = harmonic_log_mel(150)
    log_mel[3, 4] = np.nan
    with pytest.raises(SettingsError, match="NaN"):
        GATE.evidence(log_mel)


def test_a_single_frame_is_scored():
    assert GATE.evidence(harmonic_log_mel(150, frames=1)).voiced_frames == 1


def test_threads_share_a_gate():
    log_mel = harmonic_log_mel(150, frames=188)
    alone = GATE.evidence(log_mel)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(GATE.evidence(log_mel))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone] * 8


# --- loading ---


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_a_gate_survives_the_file(covariance, tmp_path):
    arrays = make_arrays(covariance=covariance)
    path = tmp_path / "gender.npz"
    np.savez(path, training=np.array("{}"), **arrays)
    log_mel = harmonic_log_mel(200)
    direct = GenderGate.from_arrays(arrays).evidence(log_mel)
    assert GenderGate.load(path).evidence(log_mel) == direct
    assert GenderGate.load(saved(arrays)).evidence(log_mel) == direct


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array_is_named(name):
    arrays = make_arrays()
    del arrays[name]
    with pytest.raises(BundleError, match=f"'{name}' is missing"):
        GenderGate.load(saved(arrays))


@pytest.mark.parametrize(
    "name", [n for n in ARRAYS if n not in ("format", "context", "loudness_bands")]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_array_that_is_not_finite_is_named(name, value):
    arrays = make_arrays()
    arrays[name] = np.array(arrays[name], dtype=float)
    arrays[name].flat[0] = value
    with pytest.raises(BundleError, match=f"'{name}' has NaN"):
        GenderGate.load(saved(arrays))


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_rank_is_named(name):
    arrays = make_arrays()
    arrays[name] = np.asarray(arrays[name])[None, None]
    with pytest.raises(BundleError, match=f"'{name}' has shape"):
        GenderGate.load(saved(arrays))


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_text_is_named(name):
    with pytest.raises(BundleError, match=f"'{name}' holds"):
        GenderGate.load(saved(make_arrays(**{name: np.array(["a"])})))


@pytest.mark.parametrize(
    "name",
    [
        f"{layer}_{part}"
        for layer in ("projection", "hidden", "bottleneck", "discriminant")
        for part in ("weights", "biases")
    ]
    + ["female_means", "male_means", "female_precisions_cholesky", "male_weights"],
)
def test_an_array_cut_short_is_refused(name):
    arrays = make_arrays()
    arrays[name] = arrays[name][:-1]
    with pytest.raises(BundleError, match="array"):
        GenderGate.load(saved(arrays))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("format", np.array(2), "is 2"),
        ("female_weights", np.array([0.5, 0.5, 0.5]), "sum 1"),
        ("male_weights", np.array([1.5, -0.25, -0.25]), "positive"),
        ("female_precisions_cholesky", np.ones((3, N, N)), "upper triangular"),
        ("male_precisions_cholesky", -np.stack([np.eye(N)] * 3), "positive on the diagonal"),
        ("band_hz", band_hz()[::-1].copy(), "rising"),
        ("pitch_hz", np.array([400.0, 100.0]), "rising"),
        ("loudness_bands", np.array([5, 500]), "rising bands"),
        ("calibration_slope", np.array(-1.0), "positive"),
        ("calibration_saturation", np.array(0.0), "at least"),
        ("harmonicity", np.array(2.0), "-1 to 1"),
        ("floor_db", np.array(3.0), "negative"),
        ("highest_harmonic_hz", np.array(100.0), "above"),
        ("steps_per_octave", np.array(0), "1 to 1000"),
        ("context", np.array([-5000, 0, 1]), "offsets"),
    ],
)
def test_an_impossible_value_is_named(name, value, why):
    with pytest.raises(BundleError, match=f"'{name}'.*{why}"):
        GenderGate.load(saved(make_arrays(**{name: value})))


def test_a_pickled_array_is_never_opened():
    with pytest.raises(BundleError, match="cannot be read"):
        GenderGate.load(saved(make_arrays(format=np.array([{}], dtype=object))))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half an archive"])
def test_what_is_no_archive_is_refused(content, tmp_path):
    path = tmp_path / "gender.npz"
    path.write_bytes(content)
    with pytest.raises(BundleError, match="gender.npz"):
        GenderGate.load(path)


def test_a_truncated_archive_is_refused(tmp_path):
    content = saved(make_arrays()).getvalue()
    path = tmp_path / "gender.npz"
    for length in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:length])
        with pytest.raises(BundleError):
            GenderGate.load(path)


def test_a_flipped_byte_inside_an_array_is_refused(tmp_path):
    content = bytearray(saved(make_arrays()).getvalue())
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(BundleError):
        GenderGate.load(io.BytesIO(bytes(content)))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BundleError, match="nowhere.npz"):
        GenderGate.load(tmp_path / "nowhere.npz")


def test_an_npy_in_place_of_an_npz_is_refused(tmp_path):
    path = tmp_path / "gender.npz"
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(BundleError):
        GenderGate.load(path)
