"""What the words of a corpus tell by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.features import LogMel, relative_db
from edge.labels import LABELS
from tests.synthetic_speech import VOWELS
from training.__main__ import main
from training.answers import save_answers
from training.corpora import Clip
from training.evaluation import Evaluation
from training.protocol import Protocol
from training.words import by_words, distances, drawn, own_texts, score, spoken, text_of


def clip(name, corpus="savee", speaker="DC", emotion="angry"):
    return Clip(corpus, name, Path(name), speaker, "male", emotion)


@pytest.mark.parametrize("name, text", [
    ("DC_a01", "common 1"), ("KL_su03", "common 3"), ("DC_n02", "common 2"),
    ("DC_n17", "common 2"), ("DC_a04", "a 4"), ("DC_n19", "a 4"), ("DC_n22", "d 5"),
    ("DC_n27", "sa 4"), ("DC_n30", "h 5"), ("DC_n04", "n 4"), ("DC_n15", "n 15"),
    ("DC_f15", "f 15"),
])
def test_equal_sentences_of_savee_have_equal_texts(name, text):
    assert text_of(clip(name)) == text


def test_texts_of_the_other_corpora_are_in_their_names():
    assert text_of(clip("03-01-05-01-02-01-12", "ravdess")) == "02"
    assert text_of(clip("OAF_back_angry", "tess")) == "back"
    assert text_of(clip("1001_IEO_ANG_HI", "crema-d")) == "IEO"


def test_whole_texts_are_drawn_as_long_as_there_are_enough():
    words = [f"word{k}" for k in range(40)]
    clips = [
        clip(f"{speaker}_{word}_x", "tess", speaker) for speaker in ("OAF", "YAF") for word in words
    ]
    chosen = [clips[k] for k in drawn(clips, 20)]
    assert len(chosen) == 20
    assert len({text_of(each) for each in chosen}) == 10
    assert drawn(clips, 20) == drawn(clips, 20)
    assert len(drawn(clips, 1000)) == 80


def phrase(vowels, hertz, seconds):
    """A log-mel of the synthetic vowels of these numbers, in some voice and tempo."""
    time = np.arange(int(seconds * 16000)) / 16000
    harmonics = np.arange(hertz, 7000.0, hertz)
    sounds = []
    for vowel in vowels:
        bend = sum(np.exp(-(((harmonics - peak) / 150.0) ** 2)) for peak in VOWELS[vowel])
        waves = np.sin(2 * np.pi * harmonics[:, None] * time)
        sounds.append((bend + 0.01) @ waves)
    return relative_db(LogMel()(np.concatenate(sounds).astype(np.float32)))


def test_the_same_words_of_another_voice_and_tempo_are_nearer_than_others():
    pytest.importorskip("librosa", reason="the words are compared by librosa")
    texts = ((0, 1, 2), (2, 0, 1), (1, 0, 2))
    sounds = [
        spoken(phrase(text, hertz, seconds))
        for hertz, seconds in ((120, 0.25), (210, 0.18)) for text in texts
    ]
    apart = distances(sounds)
    assert (apart == apart.T).all() and (np.diag(apart) == 0).all()
    assert list(apart[:3, 3:].argmin(axis=1)) == [0, 1, 2]


def test_the_nearest_clip_is_of_another_speaker():
    clips = [
        clip("A_a06", speaker="A", emotion="angry"), clip("A_h06", speaker="A", emotion="happy"),
        clip("B_h06", speaker="B", emotion="happy"), clip("B_a06", speaker="B", emotion="angry"),
    ]
    apart = np.array([
        [0.0, 0.1, 0.5, 0.3], [0.1, 0.0, 0.2, 0.4], [0.5, 0.2, 0.0, 0.1], [0.3, 0.4, 0.1, 0.0],
    ])
    nearest, decided = by_words(clips, apart)
    assert list(nearest) == [3, 2, 1, 0]
    assert [LABELS[k] for k in decided] == ["angry", "happy", "happy", "angry"]


def test_own_and_common_words_are_scored_apart():
    clips = [
        clip("A_a01", emotion="angry"), clip("A_h01", emotion="happy"), clip("A_a06"),
        clip("A_h06", emotion="happy"), clip("A_h07", emotion="happy"),
    ]
    own, common = own_texts(clips)
    assert list(own) == [False, False, True, True, True]
    assert list(common) == [True, True, False, False, False]
    angry, happy = LABELS.index("angry"), LABELS.index("happy")
    found = score(clips, np.array([angry, angry, angry, happy, angry]))
    assert found["common words"] == {"clips": 2, "labels": 2, "ua": 0.5}
    assert found["own words"] == {"clips": 3, "labels": 2, "ua": 0.75}
    assert found["all"]["ua"] == pytest.approx((1.0 + 1 / 3) / 2)


def test_answers_of_a_crossvalidation_are_scored_by_words(miniature_corpora, tmp_path, capsys):
    pytest.importorskip("librosa", reason="the words are compared by librosa")
    clips = tuple(
        clip(name, speaker=name[:2], emotion=emotion)
        for name, emotion in (("DC_a01", "angry"), ("DC_h06", "happy"), ("JK_h01", "happy"))
    )
    probabilities = np.full((3, len(LABELS)), 0.01)
    probabilities[:, LABELS.index("happy")] = 0.93
    save_answers(
        Evaluation(Protocol("emobox"), clips, ("test",) * 3, np.zeros(3), probabilities,
                   probabilities),
        tmp_path / "run" / "fold-1" / "int8.npz",
    )
    arguments = ["words", "--corpora", str(miniature_corpora), "--only", "savee", "--clips", "12",
                 "--cache", str(tmp_path / "cache"), "--json", str(tmp_path / "words.json")]
    assert main([*arguments, "--crossval", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "int8, all folds" in said and "66.67" not in said.split("int8, all folds")[0]
    assert "50.00 (3)" in said.split("int8, all folds")[1]
    assert (tmp_path / "words.json").exists()
    assert main([*arguments, "--crossval", str(tmp_path / "none")]) == 2
