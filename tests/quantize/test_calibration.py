"""The refitted temperatures and the gate's precision."""

from __future__ import annotations

import io

import numpy as np
import pytest

from edge.errors import BundleError
from edge.features import FrontEnd
from edge.gender import GenderGate, read_arrays
from quantize.errors import QuantizeError
from quantize.gate_precision import GateWindows, smallest_gate
from quantize.temperature import common_factor, fitted_temperature
from quantize.windows import ClipWindows
from tests.edge.bundles import random_gate
from tests.synthetic_speech import synthesise


def answered(clips=400, windows_each=2, seed=0):
    """Windows whose true labels are drawn from the softmax of their logits."""
    rng = np.random.default_rng(seed)
    of_clips = rng.normal(0.0, 2.0, (clips, 8))
    shares = np.exp(of_clips) / np.exp(of_clips).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(8, p=row) for row in shares])
    windows = ClipWindows.__new__(ClipWindows)
    windows.material = type("Clips", (), {
        "labels": labels, "genders": np.array(["female"] * clips), "__len__": lambda self: clips,
    })()
    windows.owners = np.repeat(np.arange(clips), windows_each)
    return windows, np.repeat(of_clips, windows_each, axis=0)


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_a_scale_of_the_logits(scale):
    windows, logits = answered()
    assert fitted_temperature(windows, logits * scale, "female") == pytest.approx(scale, rel=0.12)
    unscaled = fitted_temperature(windows, logits, "female")
    again = fitted_temperature(windows, logits * scale, "female")
    assert again == pytest.approx(scale * unscaled, rel=1e-3)


@pytest.mark.parametrize("most", [0.5, 0.7])
def test_the_mean_of_two_experts_is_made_as_sure_as_it_may_be(most):
    """The factor leaves no temperature that makes the true labels likelier, and is below 1."""
    windows, logits = answered()
    windows.of_gender = lambda gender: windows.material.genders == gender
    noise = np.random.default_rng(1).normal(0.0, 1.5, logits.shape)
    of_both = {"female": logits + noise, "male": logits - noise}
    alone = {g: fitted_temperature(windows, rows, "female") for g, rows in of_both.items()}
    factor = common_factor(windows, of_both, alone, most)

    def loss(scale):
        women, men = (windows.shares(of_both[g], alone[g] * scale) for g in ("female", "male"))
        answers = windows.means(most * women + (1 - most) * men)
        return -np.log(answers[np.arange(400), windows.material.labels]).mean()

    assert factor < 0.95
    assert loss(factor) < min(loss(0.95 * factor), loss(1.05 * factor), loss(1.0))


def test_an_expert_that_answers_alone_keeps_its_own_temperature():
    windows, logits = answered()
    assert common_factor(windows, {"female": logits}, {"female": 2.0}, 1.0) == 1.0


def test_a_gender_without_clips_has_no_temperature():
    windows, logits = answered()
    with pytest.raises(QuantizeError, match="no validation speaker is male"):
        fitted_temperature(windows, logits, "male")


def test_a_clip_is_the_mean_of_its_windows():
    windows, logits = answered(clips=3)
    shares = windows.shares(logits, 1.7)
    for clip in range(3):
        mean = shares[2 * clip : 2 * clip + 2].mean(axis=0)
        assert np.allclose(windows.means(shares)[clip], mean)


@pytest.fixture(scope="module")
def heard():
    from edge.features import LogMel, relative_db

    log_mel = LogMel(FrontEnd())
    clips = [
        relative_db(log_mel(synthesise(gender, "happy", speaker=k, seconds=4.0)))
        for k in range(6) for gender in ("female", "male")
    ]
    return GateWindows.cut(clips, FrontEnd(), 94, -50.0)


@pytest.fixture
def arrays():
    """A gate in float32, as training writes it."""
    return {
        name: array.astype(np.float32) if array.dtype == np.float64 and array.ndim else array
        for name, array in read_arrays(io.BytesIO(random_gate())).items()
    }


def test_half_precision_is_kept_when_no_decision_changes(arrays, heard):
    precision = smallest_gate(arrays, heard, 0.98)
    assert precision.chosen.holds
    assert (precision.chosen.changed_clips, precision.chosen.changed_windows) == (0, 0)
    assert precision.windows > precision.clips == 12
    stored = GenderGate.load(io.BytesIO(precision.to_bytes()))
    exact, small = (heard.posteriors(gate)[0] for gate in (GenderGate.from_arrays(arrays), stored))
    assert np.array_equal(exact >= 0.5, small >= 0.5)
    assert np.abs(exact - small).max() == pytest.approx(precision.chosen.largest_change)


def test_a_gate_that_half_precision_would_sway_stays_in_full(arrays, heard):
    """The bias is put where one window's evidence is balanced: any rounding tips it."""
    gate = GenderGate.from_arrays(arrays)
    evidence = gate.evidence(heard.of_clips[0][0])
    ratio = evidence.log_likelihood_ratio_sum / evidence.voiced_frames
    arrays["calibration_slope"] = np.array(50.0)
    swayed = []
    for offset in (-1e-7, 1e-7):
        arrays["calibration_bias"] = np.array(ratio + offset)
        swayed.append(smallest_gate(arrays, heard, 0.98))
    assert any(len(precision.trials) > 1 for precision in swayed)
    for precision in swayed:
        assert precision.chosen.holds
        assert all(not trial.holds for trial in precision.trials[:-1])


def test_values_too_large_for_half_precision_are_not_lost(arrays, heard):
    arrays["female_means"] = arrays["female_means"] * np.float32(1e6)
    with pytest.raises(BundleError):
        GenderGate.from_arrays({
            **arrays, "female_means": np.full_like(arrays["female_means"], np.inf)
        })
    precision = smallest_gate(arrays, heard, 0.98)
    assert precision.chosen.mixtures != "float16"
    assert np.isfinite(precision.arrays["female_means"]).all()


def test_the_stored_gate_has_the_same_bytes_again(arrays, heard):
    assert smallest_gate(arrays, heard, 0.98).to_bytes() == \
        smallest_gate(arrays, heard, 0.98).to_bytes()
