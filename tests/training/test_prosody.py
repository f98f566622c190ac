"""Fitting the judge of prosody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.features import FrontEnd, LogMel, relative_db
from edge.labels import LABELS
from edge.prosody import Prosody
from tests.edge.bundles import prosody_arrays
from training.__main__ import main
from training.acoustics import Acoustics, AcousticSettings
from training.corpora import Clip, CorpusError
from training.crossval.settings import CrossvalSettings
from training.emotion import Material
from training.prosody import (
    ProsodyRows,
    ProsodySettings,
    SharedSettings,
    _drawn,
    _Heard,
    alone,
    fit_prosody,
    fit_shared_prosody,
    prosody_windows,
    regression,
    temperature_of,
    window_manners,
    write_prosody,
)

RATE = 16000
TURNS = {"happy": 1.25, "sad": 0.8, "neutral": 1.0}  # the pitch at the end, by that at the begin


def spoken(base, turn, rng, seconds=0.8):
    """Log-mel of a buzz from one pitch to another."""
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = np.geomspace(base, base * turn, len(time)) * (1 + rng.normal(0, 0.01))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    sound = sum(np.sin(k * phase) / k ** rng.uniform(0.8, 1.2) for k in range(1, 20))
    noise = rng.normal(0, 2e-2, len(time))
    return relative_db(LogMel()(0.1 * sound + noise)).astype(np.float16)


def material(corpus, speakers, emotions, takes=4, seed=0):
    rng = np.random.default_rng(seed)
    clips, log_mels = [], []
    for number, base in enumerate(speakers):
        for emotion in emotions:
            for take in range(takes):
                name = f"{number}-{emotion}-{take}-{seed}"
                clips.append(Clip(corpus, name, Path(name), str(number), "male", emotion))
                log_mels.append(spoken(base, TURNS[emotion], rng))
    return Material(clips, log_mels)


NOBODY = Material([], [])


def test_it_hears_the_melody_of_speakers_that_it_was_not_fitted_on():
    own = material("savee", [100.0, 110.0, 121.0, 133.0, 146.0, 161.0], ["happy", "sad"])
    prosody = Prosody(fit_prosody(own, NOBODY, ProsodySettings()))
    unseen = material("savee", [115.0, 150.0], ["happy", "sad"], takes=10, seed=1)
    judged = prosody.judged(window_manners(prosody, unseen)[0])
    assert (judged.argmax(axis=1) == unseen.labels).mean() > 0.9
    absent = [LABELS.index(label) for label in LABELS if label not in ("happy", "sad")]
    assert np.exp(judged[:, absent]).max() == pytest.approx(1e-4)


def test_a_clip_counts_as_one_however_many_windows_it_has():
    """A long clip, cut into windows, and the same windows as clips of a third of the weight."""
    own = material("savee", [110.0, 140.0], ["happy", "sad"])
    rng = np.random.default_rng(5)
    long = np.concatenate([spoken(120.0, 1.0, rng) for _ in range(6)])
    clips = [*own.clips, Clip("savee", "long", Path("x"), "0", "male", "neutral")]
    windows = prosody_windows(long)
    assert len(windows) == 3
    whole = fit_prosody(Material(clips, [*own.log_mels, long]), NOBODY, ProsodySettings())
    made = ProsodyRows()
    rows, owners = made.of(Material(clips, [*own.log_mels, long]))
    shares = 1 / np.bincount(owners)[owners]
    assert whole["centre"] == pytest.approx(np.average(rows, axis=0, weights=shares), rel=1e-5)
    assert np.bincount(owners)[-1] == 3


def test_few_speakers_have_less_weight_and_listen_to_other_corpora():
    one = material("savee", [120.0], ["happy", "sad"])
    many = material("savee", [105.0, 120.0, 140.0, 165.0], ["happy", "sad"])
    others = material("ravdess", [110.0, 130.0, 150.0], TURNS, seed=2)
    settings = ProsodySettings(weight=0.3)
    weights = [float(fit_prosody(m, others, settings)["weight"]) for m in (one, many)]
    assert weights == pytest.approx([0.3 * 1 / 3, 0.3 * 4 / 6])
    alone, helped = (fit_prosody(one, other, settings) for other in (NOBODY, others))
    assert list(helped["emotions"]) == [LABELS.index("happy"), LABELS.index("sad")]
    # One voice that never varies seems more certain than it is.
    assert np.median(helped["scale"]) < 0.95 * np.median(alone["scale"])


def test_places_are_drawn_to_where_other_corpora_have_them():
    places = {0: np.array([1.0, 0.0]), 2: np.array([3.0, 0.0]), 5: np.array([9.0, 9.0])}
    elsewhere = {0: np.array([0.0, -2.0]), 2: np.array([0.0, 2.0]), 7: np.array([8.0, 8.0])}
    drawn = _drawn(places, elsewhere, trust=0.5)
    assert drawn[0] == pytest.approx([1.5, -1.0])  # half way from (1, 0) to (2, -2)
    assert drawn[2] == pytest.approx([2.5, 1.0])
    assert drawn[5] == pytest.approx([9.0, 9.0]) and 7 not in drawn
    assert _drawn(places, {7: np.zeros(2)}, trust=0.5)[0] == pytest.approx([1.0, 0.0])


def test_the_shared_judge_does_not_mind_where_a_corpus_lies():
    """Two corpora an octave apart: what is left is the melody."""
    deep = material("savee", [90.0, 100.0, 110.0, 120.0], ["happy", "sad"])
    high = material("ravdess", [180.0, 200.0, 220.0, 240.0], ["happy", "sad"], seed=1)
    both = Material([*deep.clips, *high.clips], [*deep.log_mels, *high.log_mels])
    prosody = Prosody(fit_shared_prosody(both, SharedSettings(), ProsodyRows()))
    assert prosody.weight == pytest.approx(SharedSettings().weight)
    between = material("crema-d", [140.0, 160.0], ["happy", "sad"], seed=2)
    scores = alone(prosody, between)
    assert set(scores) == {"crema-d"} and scores["crema-d"] > 90.0
    with pytest.raises(CorpusError, match="two emotions"):
        fit_shared_prosody(material("savee", [120.0], ["sad"], takes=1), SharedSettings(),
                           ProsodyRows())


def level(corpus, pitches, takes=5, seed=0):
    """Of speakers whose joy is a tone above their middle, and whose grief is one below it."""
    rng = np.random.default_rng(seed)
    clips, log_mels = [], []
    for number, base in enumerate(pitches):
        for emotion, tone in (("happy", 1.12), ("sad", 1 / 1.12)):
            for take in range(takes):
                name = f"{number}-{emotion}-{take}-{seed}"
                clips.append(Clip(corpus, name, Path(name), str(number), "male", emotion))
                log_mels.append(spoken(base * tone, 1.0, rng))
    return Material(clips, log_mels)


@pytest.mark.parametrize("shared", [False, True])
def test_who_was_heard_before_is_judged_by_what_is_usual_with_them(shared):
    own = level("savee", np.geomspace(90.0, 240.0, 7))
    others = level("ravdess", np.geomspace(100.0, 200.0, 4), seed=1)
    if shared:
        both = Material([*own.clips, *others.clips], [*own.log_mels, *others.log_mels])
        prosody = Prosody(fit_shared_prosody(both, SharedSettings(), ProsodyRows()))
    else:
        prosody = Prosody(fit_prosody(own, others, ProsodySettings()))
    unseen = level("savee", [98.0, 225.0], takes=8, seed=2)
    assert prosody.learns
    assert alone(prosody, unseen)["savee"] < 80.0
    assert alone(prosody, unseen, known=True)["savee"] > 90.0
    joy = LABELS.index("happy")
    places = np.zeros((2, 8))
    for row, emotion in enumerate(("happy", "sad")):
        places[row] = prosody.middle(np.zeros(16), emotion)
    assert places[0, joy] < 0.0 < places[1, joy]  # what is to be taken away


def test_a_regression_finds_the_shares_that_the_rows_were_drawn_with():
    rng = np.random.default_rng(0)
    rows, slopes = rng.normal(size=(20000, 3)), rng.normal(size=(3, 4))
    shares = np.exp(rows @ slopes + [0.0, 0.5, -0.5, 0.2])
    shares /= shares.sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in shares])
    weights, offsets = regression(
        rows, truth, np.ones(len(rows)), np.ones((len(rows), 4), bool), 1e-7
    )
    assert weights - weights[:, :1] == pytest.approx(slopes - slopes[:, :1], abs=0.1)
    assert offsets - offsets[0] == pytest.approx([0.0, 0.5, -0.5, 0.2], abs=0.1)
    tamed, _ = regression(rows, truth, np.ones(len(rows)), np.ones((len(rows), 4), bool), 0.1)
    assert np.linalg.norm(tamed) < 0.6 * np.linalg.norm(weights)


def test_what_a_corpus_does_not_have_was_not_rejected_there():
    """Two corpora lie apart; only the second one has the third class, as often as the others."""
    rng = np.random.default_rng(1)
    where = np.repeat([0.0, 1.0], 3000)
    truth = np.where(where == 0, rng.integers(0, 2, 6000), rng.integers(0, 3, 6000))
    rows = where[:, None] - 0.5
    offered = np.ones((6000, 3), bool)
    unaware, _ = regression(rows, truth, np.ones(6000), offered, 1e-6)
    offered[:3000, 2] = False
    aware, _ = regression(rows, truth, np.ones(6000), offered, 1e-6)
    assert unaware[0, 2] > 3.0 and abs(aware[0] - aware[0].mean()).max() < 0.3


def test_one_speaker_is_known_from_nobody_else():
    """Alone, there is nothing to compare: the others are then judged as nobody who is known."""
    prosody = Prosody(fit_prosody(level("savee", [120.0, 150.0]), NOBODY, ProsodySettings()))
    once = level("savee", [130.0], takes=1)
    first = Material(once.clips[:1], once.log_mels[:1])
    assert alone(prosody, first, known=True) == alone(prosody, first)


def test_spoilt_copies_are_heard_and_the_same_every_time():
    own = material("savee", [110.0, 140.0], ["happy", "sad"])
    acoustics = Acoustics(AcousticSettings(noise_share=1.0), FrontEnd(), own.log_mels)
    first, again = (ProsodyRows(acoustics, 2).of(own) for _ in range(2))
    plain = ProsodyRows().of(own)
    assert np.array_equal(first[0], again[0])
    assert len(first[0]) == 3 * len(plain[0])
    assert np.array_equal(first[0][::3], plain[0])  # each before its copies
    assert not np.allclose(first[0][1::3], plain[0], atol=0.1)
    made = ProsodyRows(acoustics, 2)
    assert made.spoilt(own).tolist() == [False, True, True] * len(own)
    heard = _Heard.of(own, made)
    assert heard.shares == pytest.approx(1 / 3)
    quiet = heard.with_quiet(0.75).shares.reshape(-1, 3)
    assert quiet == pytest.approx(np.tile([0.75, 0.125, 0.125], (len(own), 1)))
    assert _Heard.of(own, ProsodyRows()).with_quiet(0.75).shares == pytest.approx(1.0)


def test_the_command_writes_the_judge_and_how_it_does(miniature_corpora, tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["prosody", "--corpora", str(miniature_corpora), "--run", str(folder)]) == 0
    report = json.loads((folder / "prosody.json").read_text())
    assert len(report["data"]) == 64 and report["settings"]["weight"] == SharedSettings().weight
    assert all(0.0 <= ua <= 100.0 for ua in report["validation"].values())
    assert Prosody.load(folder / "prosody.npz").weight > 0.0
    assert "prosody alone" in capsys.readouterr().out


def test_one_emotion_cannot_be_judged():
    with pytest.raises(CorpusError, match="two emotions"):
        fit_prosody(material("savee", [120.0], ["happy"], takes=2), NOBODY, ProsodySettings())


def test_the_file_is_the_same_whenever_it_is_written(tmp_path):
    fit = fit_prosody(material("savee", [110.0, 140.0], ["happy", "sad"]), NOBODY,
                      ProsodySettings())
    for name in ("a.npz", "b.npz"):
        write_prosody(tmp_path / name, fit)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    window = spoken(120.0, 1.0, np.random.default_rng(0)).astype(np.float32)
    assert Prosody.load(tmp_path / "a.npz").log_probabilities(window) == pytest.approx(
        Prosody(fit).log_probabilities(window)
    )


def test_a_judge_of_before_is_written_as_well(tmp_path):
    write_prosody(tmp_path / "prosody.npz", prosody_arrays(weight=0.25))
    prosody = Prosody.load(tmp_path / "prosody.npz")
    assert prosody.weight == 0.25 and not prosody.learns


def test_what_is_surer_than_right_is_flattened():
    rng = np.random.default_rng(0)
    truth = rng.integers(8, size=4000)
    logits = rng.normal(size=(4000, 8))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    told = np.array([rng.choice(8, p=row) for row in shares])
    assert temperature_of(3 * logits, told) == pytest.approx(3, rel=0.1)
    assert temperature_of(3 * logits, truth) > 5


def test_its_settings_can_be_set():
    settings = CrossvalSettings().replaced(["prosody.weight=0", "prosody.place_speakers=4"])
    assert settings.prosody == ProsodySettings(weight=0.0, place_speakers=4.0)
