"""Accuracy under bad conditions: of what, against what, and what is called a collapse."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from edge.gender import GenderGate, read_arrays
from edge.recognizer import Recognizer
from tests.edge.bundles import random_gate
from training.conditions import conditions
from training.corpora import CorpusError, read_corpora
from training.evaluation import UNSEEN
from training.protocol import Protocol
from training.robustness import (
    answers_by_condition,
    draw_robustness,
    format_robustness,
    measure,
)


class LoudBands:
    """An expert whose logits are a random linear map of the mean features."""

    def __init__(self, seed):
        self._weights = np.random.default_rng(seed).normal(size=(40, 8))

    def logits(self, features):
        return (3 * features.mean(axis=0) @ self._weights[: features.shape[1]]).astype(np.float32)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    from edge.features import EmotionFeatures, FrontEnd

    path = tmp_path_factory.mktemp("gate") / "gender.npz"
    path.write_bytes(random_gate())
    return Recognizer.from_parts(
        front_end=FrontEnd(),
        emotion_features=EmotionFeatures(),
        gate=GenderGate.from_arrays(read_arrays(path)),
        experts={"female": LoudBands(1), "male": LoudBands(2)},
    )


@pytest.fixture(scope="module")
def clips(miniature_corpora):
    return read_corpora(miniature_corpora)


@pytest.fixture(scope="module")
def content(recognizer, clips):
    return measure(
        answers_by_condition(recognizer, clips, Protocol.load(), most=8, progress=False)
    )


def test_only_unseen_speakers_are_heard(content):
    assert set(content["conditions"][0]["corpora"]) == {"ravdess", "savee", "crema-d"}
    assert content["clips"] == 23  # eight of RAVDESS and of CREMA-D, all seven of SAVEE
    json.dumps(content, allow_nan=False)


def test_clips_without_sound_are_heard_where_a_log_mel_can_be_spoilt(content):
    heard = {row["name"] for row in content["conditions"] if "crema-d" in row["corpora"]}
    kinds = ("clean", "white", "babble", "street", "reverberation", "suppression")
    assert heard == {each.name for each in conditions() if each.kind in kinds}
    assert all("ravdess" in row["corpora"] for row in content["conditions"])
    assert "gain +20 dB" in format_robustness(content)


def test_a_part_leaves_the_other_speakers_out(recognizer, clips):
    parts = {
        part: answers_by_condition(
            recognizer, clips, Protocol.load(), most=4, progress=False, part=part
        )["clean"].clips
        for part in UNSEEN
    }
    for part, heard in parts.items():
        assert heard and all(Protocol.load().part(clip) == part for clip in heard)


def test_the_loss_is_against_clean_sound_on_the_same_clips(content):
    by_name = {row["name"]: row["corpora"] for row in content["conditions"]}
    for row in content["conditions"]:
        for corpus, figures in row["corpora"].items():
            loss = by_name["clean"][corpus]["ua"] - figures["ua"]
            assert figures["ua_loss"]["estimate"] == pytest.approx(loss)
    assert by_name["clean"]["savee"]["ua_loss"]["high"] == 0


def test_the_same_seed_gives_the_same_figures(recognizer, clips, content):
    assert measure(
        answers_by_condition(recognizer, clips, Protocol.load(), most=8, progress=False)
    ) == content


def test_a_loss_of_more_than_five_points_at_20_db_is_called_a_collapse(content):
    changed = copy.deepcopy(content)
    changed["collapsed"] = [{"condition": "babble 20 dB", "corpus": "savee", "ua_loss": 0.123}]
    assert "COLLAPSED: savee loses 12.3 points under babble 20 dB" in format_robustness(changed)
    changed["collapsed"] = []
    assert "No figure loses more than 5 points at 20 dB" in format_robustness(changed)
    for each in content["collapsed"]:
        assert each["ua_loss"] > 0.05 and each["condition"].endswith("20 dB")
    lost = [
        (row["name"], corpus)
        for row in content["conditions"]
        for corpus, figures in row["corpora"].items()
        if row["snr_db"] == 20 and figures["ua_loss"]["estimate"] > 0.05
    ]
    assert [(each["condition"], each["corpus"]) for each in content["collapsed"]] == lost


def test_without_unseen_speakers_there_is_nothing_to_measure(recognizer, clips):
    known = [clip for clip in clips if Protocol.load().part(clip) == "train"]
    with pytest.raises(CorpusError, match="no clip of a speaker under validation or test"):
        answers_by_condition(recognizer, known, Protocol.load(), progress=False)


def test_the_plot_has_a_row_for_each_corpus(content):
    pytest.importorskip("matplotlib")
    figure = draw_robustness(content)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "savee: noise" in titles and "ravdess: rooms, bands and levels" in titles
