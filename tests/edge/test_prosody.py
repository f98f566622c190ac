"""Statistics of a window's voice, and the judge of them."""

from __future__ import annotations

import io
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.bundle import Bundle, write_manifest
from edge.decision import Judgement, Models
from edge.emotion import softmax
from edge.errors import BundleError
from edge.features import FrontEnd, LogMel
from edge.labels import LABELS
from edge.prosody import (
    ALL_ARRAYS,
    ARRAYS,
    ARRAYS_OF_USUAL,
    FARTHEST,
    LEAST,
    MOVING,
    SIZE,
    Prosody,
    ProsodyStatistics,
    Usual,
    log_covariance,
    percentiles,
    read_arrays,
    unfamiliar,
)
from edge.recognizer import Recognizer
from edge.surroundings import TEMPERATURE
from tests.edge.bundles import (
    learning_prosody_arrays,
    make_bundle,
    manifest,
    random_gate,
    wary_prosody_arrays,
)
from tests.edge.bundles import prosody_arrays as arrays
from tests.edge.fakes import LinearExpert

RATE = 16000
PITCH = slice(115, 140)  # of the statistics: see `ProsodyStatistics.__call__`
RHYTHM = slice(83, 115)


def voice(hertz, seconds=1.5, tremor=0.0):
    """A buzz of harmonics that fade with frequency; hertz: a number or one for each sample."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, time.shape)) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 25))
    loudness = 1.0 + 0.9 * np.sin(2 * np.pi * tremor * time) if tremor else 1.0
    noise = np.random.default_rng(0).normal(0, 1e-3, len(time))
    return LogMel()(0.1 * sound * loudness + noise)


def archive(content):
    file = io.BytesIO()
    np.savez(file, **content)
    return file.getvalue()


@pytest.fixture(scope="module")
def statistics():
    return ProsodyStatistics(FrontEnd(), np.ones(MOVING + 1))


@given(
    st.lists(st.floats(-80.0, 80.0), min_size=1, max_size=200),
    st.sampled_from([(5, 10, 25, 50, 75, 90, 95), (10, 25, 50, 75, 90), (0, 100), (33,)]),
)
def test_percentiles_are_numpys(values, percents):
    values = np.array(values)
    assert percentiles(values, percents).tolist() == np.percentile(values, percents).tolist()


def test_an_octave_is_one_whatever_the_voice(statistics):
    low, high = statistics(voice(110.0))[PITCH], statistics(voice(220.0))[PITCH]
    assert high[7] - low[7] == pytest.approx(1.0, abs=0.05)  # the means
    assert low[8] < 0.02 and high[8] < 0.02  # a steady pitch does not spread


def test_a_rising_pitch_rises_and_a_falling_one_falls(statistics):
    rising = statistics(voice(np.geomspace(110.0, 220.0, 24000)))[PITCH]
    falling = statistics(voice(np.geomspace(220.0, 110.0, 24000)))[PITCH]
    assert rising[9] == pytest.approx(1.0, abs=0.15)  # octaves over the window
    assert falling[9] == pytest.approx(-1.0, abs=0.15)
    assert np.all(np.diff(rising[-8:]) > 0) and np.all(np.diff(falling[-8:]) < 0)


@pytest.mark.parametrize("hertz, band", [(3.2, 2), (5.0, 3), (10.0, 5)])
def test_a_tremor_is_found_in_its_band(statistics, hertz, band):
    trembling = statistics(voice(150.0, tremor=hertz))[RHYTHM][:8]
    steady = statistics(voice(150.0))[RHYTHM][:8]
    assert (trembling - steady).argmax() == band


def test_the_level_of_a_recording_is_of_no_matter(statistics):
    window = voice(150.0, tremor=4.0)
    louder = statistics(window + np.float32(16.0))
    assert louder == pytest.approx(statistics(window), abs=1e-4)


def test_silence_around_the_voice_is_of_no_matter(statistics):
    window = voice(150.0, tremor=4.0)
    silence = np.full((40, 128), -100.0, np.float32)
    assert np.array_equal(statistics(window), statistics(np.concatenate([silence, window])))


@pytest.mark.parametrize("frames", [1, 2, 7, 23, 24, 25, 188, 300])
def test_windows_of_any_length_have_statistics(statistics, frames):
    rng = np.random.default_rng(frames)
    noise = rng.uniform(-40, 0, (frames, 128)).astype(np.float32)
    flat = np.zeros((frames, 128), np.float32)
    for window in (noise, flat):
        row = statistics(window)
        assert row.shape == (SIZE,) and np.isfinite(row).all()


def test_a_logarithm_of_a_covariance_is_that_of_scipy():
    linalg = pytest.importorskip("scipy.linalg")
    rows = np.random.default_rng(3).normal(size=(50, 6)) @ np.diag([3, 2, 1, 1, 0.5, 0.01])
    entries = log_covariance(rows)
    whole = np.zeros((6, 6))
    whole[np.triu_indices(6)] = entries / np.where(np.eye(6), 1, np.sqrt(2))[np.triu_indices(6)]
    whole += np.triu(whole, 1).T
    assert linalg.expm(whole) == pytest.approx(np.cov(rows.T, bias=True) + 0.1 * np.eye(6))
    assert np.linalg.norm(entries) == pytest.approx(np.linalg.norm(whole))


def test_probabilities_are_of_emotions_whatever_the_number_of_their_classes():
    content = arrays()
    prosody, window = Prosody(content), voice(150.0)
    judged = prosody.log_probabilities(window)
    statistics = prosody.statistics(window)
    joint = np.clip(statistics, -5, 5) @ content["weights"] + content["offsets"]
    shares = np.exp(joint - joint.max())
    shares /= shares.sum()
    wanted = np.array([shares[content["emotions"] == k].sum() for k in range(8)])
    assert np.exp(judged) == pytest.approx(np.maximum(wanted, LEAST))
    assert prosody.parameters == 9 + SIZE * 12 + 10 + 10 + 2


def test_an_emotion_that_it_does_not_know_is_unlikely_but_possible():
    content = arrays()
    content["emotions"] = np.array([0, 1, 2, 3, 4, 5, 6, 0, 0, 3])  # none is surprised
    assert Prosody(content).log_probabilities(voice(150.0))[7] == pytest.approx(np.log(LEAST))


def test_experts_and_prosody_are_heard_together():
    experts = np.array([0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    judged = np.concatenate([
        np.log(np.array([0.1, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])), np.zeros(8)
    ])
    even = Prosody(arrays(weight=1.0)).weighed(experts, judged)
    assert even[0] == pytest.approx(even[1]) and even.sum() == pytest.approx(1.0)
    assert Prosody(arrays(weight=0.0)).weighed(experts, judged) == pytest.approx(experts)
    cooler = Prosody(arrays(weight=0.0, temperature=0.5)).weighed(experts, judged)
    assert cooler == pytest.approx(experts**2 / (experts**2).sum())


def middle_of(content, statistics):
    """What the discriminants of somebody who was heard before see, by label."""
    seen = np.clip(statistics, -FARTHEST, FARTHEST) @ content["usual_weights"]
    return seen[..., np.argsort(content["emotions"])]


def test_who_was_heard_before_is_judged_by_the_difference():
    content = learning_prosody_arrays()
    prosody, window, usual = Prosody(content), voice(150.0), Usual(10**9, tuple(range(8)))
    manner = prosody.manner(window)
    seen = middle_of(content, prosody.statistics(window))
    assert prosody.learns and prosody.middle(manner) == pytest.approx(seen)
    order = np.argsort(content["emotions"])
    joint = seen - np.arange(8) + content["usual_offsets"][order]
    wanted = np.exp(joint) / np.exp(joint).sum()
    judged = prosody.judged(manner, usual)
    assert np.exp(judged) == pytest.approx(np.maximum(wanted, LEAST), rel=1e-5)
    assert prosody.middle(manner, LABELS[2]) == pytest.approx(
        seen - content["usual_places"][5][order]  # whose class is the sixth
    )


def test_the_less_was_heard_the_less_it_says():
    prosody, middle = Prosody(learning_prosody_arrays()), tuple(range(8))
    manner = prosody.manner(voice(150.0))
    plain = prosody.judged(manner)
    assert plain == pytest.approx(prosody.log_probabilities(voice(150.0)))
    one, three, many = (prosody.judged(manner, Usual(clips, middle)) for clips in (1, 3, 10**9))
    assert one == pytest.approx(0.5 * (plain + many))
    assert three == pytest.approx(0.25 * plain + 0.75 * many)


def test_a_distribution_is_told_anew_when_the_speaker_is_known():
    prosody = Prosody(learning_prosody_arrays(weight=0.7, temperature=1.3))
    experts = np.random.default_rng(0).dirichlet(np.ones(8), size=3)
    manners = prosody.manners(np.random.default_rng(1).normal(size=(3, SIZE)))
    usual = Usual(4, tuple(np.linspace(-1, 1, 8)))
    told = prosody.weighed(experts, manners)
    share = 4 / 5  # of the judgement goes by what is usual
    joint = np.log(experts) + 0.7 * (1 + share / 2) * prosody.judged(manners, usual)
    wanted = np.stack([softmax(each, 1.3 * 1.1**share) for each in joint])
    assert prosody.known(told, manners, usual) == pytest.approx(wanted)
    some = np.where(np.arange(8) < 3, told, 0.0)
    assert not prosody.known(some, manners, usual)[:, 3:].any()
    assert prosody.known(told, manners, None) == pytest.approx(told)
    assert Prosody(arrays()).known(told, manners, usual) == pytest.approx(told)


def test_a_judge_of_before_learns_nothing():
    prosody = Prosody(arrays())
    manner = prosody.manner(voice(150.0))
    assert not prosody.learns and not manner[8:].any()
    assert np.array_equal(prosody.judged(manner, Usual(9, (1.0,) * 8)), prosody.judged(manner))


def test_the_farther_from_all_that_was_learnt_from_the_more_unfamiliar():
    prosody = Prosody(wary_prosody_arrays())
    wave = np.where(np.arange(SIZE) % 2, 1.0, -1.0)  # across the axis
    rows = np.stack([
        np.zeros(SIZE), np.ones(SIZE), 3.0 + 0 * wave,  # the nearer one is two away, along the axis
        1.25 * wave, 1 + 1.5 * wave, 2.5 * wave,
    ])
    assert unfamiliar(prosody.manners(rows)) == pytest.approx([0.0, 0.0, 0.0, 0.25, 0.5, 1.0])
    assert not unfamiliar(Prosody(learning_prosody_arrays()).manners(rows)).any()


def test_an_unfamiliar_window_is_answered_less_surely_whoever_speaks():
    experts = np.random.default_rng(0).dirichlet(np.ones(8), size=3)
    rows, usual = np.random.default_rng(1).normal(size=(3, SIZE)), Usual(4, tuple(range(8)))
    for near, far, wanted in ((1e3, 2e3, 0.0), (1e-9, 2e-9, 1.0)):
        wary = Prosody(wary_prosody_arrays(near, far, temperature=1.3))
        manners = wary.manners(rows)
        assert manners.shape == (3, 17) and unfamiliar(manners) == pytest.approx(wanted)
        plain = Prosody(learning_prosody_arrays(temperature=1.3 * TEMPERATURE**wanted))
        told = plain.weighed(experts, manners[:, :16])
        assert wary.weighed(experts, manners) == pytest.approx(told)
        known = plain.known(told, manners[:, :16], usual)
        assert wary.known(told, manners, usual) == pytest.approx(known)
        assert wary.middle(manners[0]) == pytest.approx(plain.middle(manners[0, :16]))


DAMAGE = {
    "format": np.array(4), "spread": np.zeros(MOVING + 1), "centre": np.full(SIZE, np.nan),
    "scale": np.ones(SIZE + 1), "weights": np.ones((SIZE, 9)), "offsets": np.array(["a"] * 10),
    "emotions": np.full(10, 8), "weight": np.array(-0.1), "temperature": np.array(0.0),
    "usual_weights": np.ones((SIZE, 7)),
    "usual_offsets": np.full(8, np.inf), "usual_places": np.ones(8),
    "surroundings_middles": np.zeros((0, SIZE)), "surroundings_scale": np.zeros(SIZE),
    "surroundings_axes": np.ones(SIZE), "surroundings_edges": np.array([2.0, 1.0]),
}


@pytest.mark.parametrize(
    ("make", "name"),
    [
        *((arrays, name) for name in ARRAYS),
        *((learning_prosody_arrays, name) for name in (*ARRAYS[1:], *ARRAYS_OF_USUAL)),
        *((wary_prosody_arrays, name) for name in ALL_ARRAYS[1:]),
    ],
)
def test_what_is_missing_or_unfit_is_named(make, name):
    content = make()
    del content[name]
    with pytest.raises(BundleError, match=f"{name} is missing"):
        Prosody(content)
    with pytest.raises(BundleError, match=f"the prosody model's {name} "):
        Prosody({**content, name: DAMAGE[name]})


@pytest.mark.parametrize("make", [learning_prosody_arrays, wary_prosody_arrays])
def test_one_that_learns_has_a_class_for_each_emotion(make):
    with pytest.raises(BundleError, match="emotions must differ"):
        Prosody({**make(), "emotions": np.array([*range(7), 0])})


def test_a_torn_file_is_refused():
    whole = archive(arrays())
    assert set(read_arrays(io.BytesIO(whole))) == set(ARRAYS)
    learning = archive(learning_prosody_arrays())
    assert set(read_arrays(io.BytesIO(learning))) == {*ARRAYS, *ARRAYS_OF_USUAL}
    wary = archive(wary_prosody_arrays())
    assert set(read_arrays(io.BytesIO(wary))) == set(ALL_ARRAYS)
    for content in (whole[: len(whole) // 2], b"", whole.replace(b"\x93NUMPY", b"\x93NUMPX")):
        with pytest.raises(BundleError, match="cannot be read"):
            Prosody.load(io.BytesIO(content))


@pytest.fixture(scope="module")
def folder(tiny_models, tmp_path_factory):
    """A bundle with prosody."""
    models = {gender: model.int8 for gender, model in tiny_models.items()}
    folder = make_bundle(tmp_path_factory.mktemp("prosody"), random_gate(), models)
    (folder / "prosody.npz").write_bytes(archive(arrays(weight=0.7, temperature=1.2)))
    write_manifest(folder, {**manifest(), "prosody": {"file": "prosody.npz"}})
    return folder


def test_a_bundle_may_have_prosody(folder):
    bundle = Bundle.load(folder)
    assert bundle.prosody.weight == 0.7
    window = voice(150.0)
    parts = (bundle.front_end, bundle.emotion_features, bundle.gate, bundle.experts,
             bundle.temperatures, bundle.blend, bundle.thresholds)
    without = Judgement(Models(*parts), window).emotions(0.3)
    wanted = bundle.prosody.weighed(without, bundle.prosody.manner(window))
    heard = Recognizer(bundle).predict_log_mel(window)
    assert not np.allclose(without, wanted)
    assert Judgement(Models(*parts, bundle.prosody), window).emotions(0.3) == pytest.approx(wanted)
    assert sum(heard.probabilities.values()) == pytest.approx(1.0)


def test_a_bundle_whose_prosody_is_damaged_says_so(folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "prosody.npz").write_bytes(archive({**arrays(), "weight": np.array(3.0)}))
    write_manifest(copy, {**manifest(), "prosody": {"file": "prosody.npz"}})
    with pytest.raises(BundleError, match="prosody.npz: the prosody model's weight must be"):
        Bundle.load(copy)
    write_manifest(copy, {**manifest(), "prosody": {"file": "other.npz"}})
    with pytest.raises(BundleError, match="prosody: file 'other.npz' is not one of the listed"):
        Bundle.load(copy)


def test_recognisers_with_prosody_pickle(folder):
    bundle, window = Bundle.load(folder), voice(150.0)
    parts = Recognizer.from_parts(
        front_end=bundle.front_end, emotion_features=bundle.emotion_features, gate=bundle.gate,
        experts={gender: LinearExpert(k) for k, gender in enumerate(("female", "male"))},
        prosody=bundle.prosody,
    )
    for recognizer in (Recognizer(folder), parts):
        again = pickle.loads(pickle.dumps(recognizer))
        first, second = (r.predict_log_mel(window) for r in (recognizer, again))
        assert first.probabilities == second.probabilities
        assert set(first.probabilities) == set(LABELS)
