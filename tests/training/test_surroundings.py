"""Fitting what tells where a window is unlike all that was learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from edge.prosody import ARRAYS_OF_SURROUNDINGS
from edge.surroundings import ARRAYS, Surroundings
from training.surroundings import AXES, FAR, NEAR, SHRINKAGE, _gaussians, fit_surroundings

SIZE = 40
SPEAKERS = 8


def corpus(rng, middle, windows=400):
    """Statistics of a corpus whose speakers lie a little apart, and who speaks."""
    who = np.repeat(np.arange(SPEAKERS), windows // SPEAKERS)
    voices = 0.3 * rng.normal(size=(SPEAKERS, SIZE))
    return middle + voices[who] + rng.normal(size=(windows, SIZE)), who.astype(str)


def fitted(corpora):
    return fit_surroundings(
        {name: rows for name, (rows, _) in corpora.items()},
        {name: who for name, (_, who) in corpora.items()},
    )


def of(arrays):
    return Surroundings({
        name: arrays[key].astype(np.float64) for name, key in zip(ARRAYS, ARRAYS_OF_SURROUNDINGS)
    })


def test_people_of_another_place_are_told_from_strangers_of_the_same():
    rng = np.random.default_rng(0)
    middles = {name: 1.5 * rng.normal(size=SIZE) for name in ("a", "b", "c", "d")}
    surroundings = of(fitted({name: corpus(rng, middles[name]) for name in ("a", "b", "c")}))
    for name in ("a", "b", "c"):
        here = surroundings.unfamiliar(corpus(rng, middles[name])[0])
        assert np.median(here) == 0.0 and here.mean() < 0.2
    assert np.median(surroundings.unfamiliar(corpus(rng, middles["d"])[0])) > 0.8


def test_the_edges_are_what_unseen_speakers_of_known_places_keep_within():
    rng = np.random.default_rng(1)
    at = rng.normal(size=(2, SIZE))
    arrays = fitted({name: corpus(rng, middle, 4000) for name, middle in zip("ab", at)})
    near, far = arrays[ARRAYS_OF_SURROUNDINGS[ARRAYS.index("edges")]]
    distances = of(arrays).distances(np.concatenate([corpus(rng, here, 4000)[0] for here in at]))
    assert np.mean(distances < near) == pytest.approx(NEAR, abs=0.1)
    assert np.mean(distances < far) == pytest.approx(FAR, abs=0.03)


def test_without_two_speakers_of_a_corpus_nobody_knows_how_far_is_far():
    rng = np.random.default_rng(4)
    corpora = {name: corpus(rng, 2.0 * rng.normal(size=SIZE)) for name in ("a", "b")}
    rows, who = corpora["b"]
    alone = {"b": (rows, np.full_like(who, "0"))}
    assert fitted(alone) == {} and fitted({}) == {}
    # It is known like the others, though it tells nothing of its strangers.
    both = of(fitted(corpora | alone))
    assert both.unfamiliar(rows).mean() < 0.2
    assert of(fitted({"a": corpora["a"]})).unfamiliar(rows).mean() > 0.9


def test_the_distance_is_mahalanobis_of_a_covariance_with_a_few_long_axes():
    rng = np.random.default_rng(5)
    turn, _ = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))
    rows = rng.normal(size=(20000, SIZE)) @ (turn * np.where(np.arange(SIZE) < AXES, 3.0, 1.0)).T
    deviation = rows.std(axis=0, ddof=1)
    within = (1 - SHRINKAGE) * np.corrcoef(rows, rowvar=False) + SHRINKAGE * np.eye(SIZE)
    away = (rng.normal(size=(50, SIZE)) - rows.mean(axis=0)) / deviation
    wanted = np.sqrt(np.einsum("ij,jk,ik->i", away, np.linalg.inv(within), away) / SIZE)
    found = Surroundings(_gaussians([rows])).distances(rows.mean(axis=0) + away * deviation)
    assert found == pytest.approx(wanted, rel=0.05)
