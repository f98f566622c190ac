from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.corpora import Clip, CorpusError, read_corpora
from training.protocol import EMOBOX, RELEASE, Protocol


def clip(corpus, speaker, name="x"):
    return Clip(corpus, name, Path("x.wav"), speaker, "female", "sad")


def write(path, content):
    path.write_text(json.dumps(content))
    return path


class TestRelease:
    protocol = Protocol.load(RELEASE)

    @pytest.mark.parametrize(
        "corpus, speaker, part",
        [
            ("ravdess", "02", "validation"),
            ("ravdess", "06", "test"),
            ("ravdess", "22", "test"),
            ("ravdess", "01", "train"),
            ("savee", "DC", "test"),
            ("savee", "JE", "train"),
            ("tess", "OAF", "train"),
            ("crema-d", "1015", "validation"),
            ("crema-d", "1040", "test"),
            ("crema-d", "1001", "train"),
            ("slr45", "f0004", "validation"),
            ("slr45", "m0005", "test"),
            ("slr45", "m0001", "train"),
        ],
    )
    def test_puts_each_speaker_in_one_part(self, corpus, speaker, part):
        assert self.protocol.part(clip(corpus, speaker)) == part

    def test_splits_clips_in_their_order(self, miniature_corpora):
        clips = read_corpora(miniature_corpora)
        parts = self.protocol.split(clips)
        assert all(parts.values()) and sum(map(len, parts.values())) == len(clips)
        for part, members in parts.items():
            assert members == [member for member in clips if self.protocol.part(member) == part]

    def test_no_speaker_of_the_real_corpora_is_in_two_parts(self, corpora):
        parts = {}
        for one in read_corpora(corpora):
            parts.setdefault((one.corpus, one.speaker), set()).add(self.protocol.part(one))
        assert all(len(found) == 1 for found in parts.values())
        assert sum(found == {"validation"} for found in parts.values()) == 4 + 9 + 2


class TestEmoBox:
    def test_each_ravdess_actor_and_savee_speaker_is_tested_once(self):
        for corpus, folds, speakers in (("ravdess", 6, 24), ("savee", 4, 4)):
            tested = [
                speaker
                for fold in range(1, folds + 1)
                for speaker in Protocol.load(EMOBOX, fold).test[corpus]
            ]
            assert len(tested) == len(set(tested)) == speakers

    def test_tess_is_split_by_clip_and_only_in_the_first_fold(self):
        tested = clip("tess", "OAF", "OAF_bar_fear")
        assert Protocol.load(EMOBOX, 1).part(tested) == "test"
        assert Protocol.load(EMOBOX, 1).part(clip("tess", "OAF", "OAF_bar_sad")) == "train"
        assert Protocol.load(EMOBOX, 2).part(tested) == "train"

    def test_every_clip_of_the_tess_list_is_in_the_corpus(self, corpora):
        names = {one.name for one in read_corpora(corpora, ["tess"])}
        assert Protocol.load(EMOBOX, 1).test_clips["tess"] <= names

    def test_a_fold_has_to_be_chosen_among_those_that_exist(self):
        with pytest.raises(CorpusError, match="choose one of 1, 2, 3, 4, 5, 6"):
            Protocol.load(EMOBOX)
        with pytest.raises(CorpusError, match="no fold 7"):
            Protocol.load(EMOBOX, 7)
        with pytest.raises(CorpusError, match="it has none"):
            Protocol.load(RELEASE, 1)


class TestFile:
    def test_numbers_are_read_as_the_speakers_names_and_remarks_as_no_speaker(self, tmp_path):
        path = write(
            tmp_path / "p.json", {"ravdess": {"validation": [2, 15], "test": "whoever comes"}}
        )
        protocol = Protocol.load(path)
        assert protocol.name == "p"
        assert (
            protocol.validation["ravdess"] == {"02", "15"}
            and protocol.test["ravdess"] == frozenset()
        )

    @pytest.mark.parametrize(
        "content, message",
        [
            ([], "no entry"),
            ({"emodb": {}}, "no entry"),
            ({"savee": ["DC"]}, "not an object"),
            ({"savee": {"test": {"1": ["DC"]}}}, "not a list of names"),
            ({"savee": {"test": [True]}}, "not a list of names"),
            ({"savee": {"test_speakers": ["DC"]}}, "not an object of folds"),
            (
                {"savee": {"validation": ["DC", "JE"], "test": ["DC"]}},
                "both validates and tests on DC",
            ),
        ],
    )
    def test_a_malformed_one_is_refused_by_name(self, tmp_path, content, message):
        with pytest.raises(CorpusError, match=message):
            Protocol.load(write(tmp_path / "p.json", content))

    def test_an_absent_or_broken_one_is_refused_by_name(self, tmp_path):
        with pytest.raises(CorpusError, match="p.json cannot be read"):
            Protocol.load(tmp_path / "p.json")
        (tmp_path / "p.json").write_text("{")
        with pytest.raises(CorpusError, match="p.json cannot be read"):
            Protocol.load(tmp_path / "p.json")
