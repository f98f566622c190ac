from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from edge.features import EmotionFeatures, FrontEnd
from edge.labels import LABELS
from edge.recognizer import Recognizer
from tests.edge.fakes import FixedExpert, FixedGate, LevelGate, LinearExpert
from training.corpora import CORPUS_LABELS, Clip, CorpusError, load_log_mel, read_corpora
from training.evaluation import Evaluation, evaluate
from training.plots import write_plots
from training.protocol import Protocol
from training.tables import format_evaluation


def recogniser(gate, female, male):
    return Recognizer.from_parts(
        front_end=FrontEnd(),
        emotion_features=EmotionFeatures(),
        gate=gate,
        experts={"female": female, "male": male},
    )


def favouring(label):
    return FixedExpert([4.0 if other == label else 0.0 for other in LABELS])


@pytest.fixture(scope="module")
def clips(miniature_corpora):
    return read_corpora(miniature_corpora)


@pytest.fixture(scope="module")
def varied(clips):
    """Answers that differ from clip to clip."""
    recognizer = recogniser(LevelGate(), LinearExpert(1), LinearExpert(2))
    return evaluate(recognizer, clips, Protocol.load(), progress=False)


def made_up(count=400, seed=3):
    """An evaluation of clips that do not exist, with random answers."""
    rng = np.random.default_rng(seed)
    clips, parts = [], []
    for number in range(count):
        corpus = ("ravdess", "crema-d", "slr45")[number % 3]
        labels = CORPUS_LABELS[corpus]
        gender = ("female", "male")[number % 2]
        speaker = f"{gender[0]}{number % 7}"
        emotion = str(rng.choice(labels)) if labels else None
        clips.append(Clip(corpus, f"clip{number}", Path("x.wav"), speaker, gender, emotion))
        parts.append(("validation", "test")[number % 5 == 0])
    return Evaluation(
        Protocol("made up"),
        tuple(clips),
        tuple(parts),
        rng.random(count),
        rng.dirichlet(np.ones(8), count),
        rng.dirichlet(np.ones(8), count),
    )


def test_it_is_counted_how_many_clips_are_unlike_what_was_learnt_from():
    plain = made_up()
    scores = plain.emotion("ravdess", "test")
    assert np.isnan(scores.unfamiliar) and scores.to_dict()["unfamiliar"] is None
    manners = np.zeros((len(plain.clips), 17))
    chosen = np.flatnonzero(plain.select(corpus="ravdess", part="test"))
    manners[chosen[: len(chosen) // 2], 16] = 0.5
    manners[chosen[len(chosen) // 2 :], 16] = 0.49
    wary = dataclasses.replace(plain, manners=manners)
    share = len(chosen) // 2 / len(chosen)
    assert wary.emotion("ravdess", "test").unfamiliar == pytest.approx(share)
    assert wary.emotion("crema-d", "test").unfamiliar == 0.0
    assert f"{100 * share:.2f}" in format_evaluation(wary)
    ignorant = dataclasses.replace(plain, manners=manners[:, :16])
    assert np.isnan(ignorant.emotion("ravdess", "test").unfamiliar)


class TestAsking:
    def test_only_the_clips_of_the_parts_are_asked_about_and_in_order(self, varied, clips):
        protocol = Protocol.load()
        assert list(varied.clips) == [c for c in clips if protocol.part(c) != "train"]
        assert set(varied.parts) == {"validation", "test"}

    def test_the_gate_or_the_true_gender_chooses_the_expert(self, clips):
        recognizer = recogniser(FixedGate(0.999), favouring("happy"), favouring("sad"))
        found = evaluate(recognizer, clips, Protocol.load(), progress=False)
        answers = np.array(LABELS)[found.probabilities.argmax(axis=1)]
        told = np.array(LABELS)[found.probabilities_true_gender.argmax(axis=1)]
        genders = np.array([clip.gender for clip in found.clips])
        assert set(answers) == {"happy"}
        assert set(told[genders == "female"]) == {"happy"}
        assert set(told[genders == "male"]) == {"sad"}
        np.testing.assert_allclose(found.female, 0.999)

    def test_log_mels_that_are_at_hand_give_what_the_files_give(self, varied, clips):
        log_mels = [load_log_mel(clip) for clip in clips]
        recognizer = recogniser(LevelGate(), LinearExpert(1), LinearExpert(2))
        found = evaluate(recognizer, clips, Protocol.load(), log_mels=log_mels, progress=False)
        assert found.clips == varied.clips
        np.testing.assert_allclose(found.probabilities, varied.probabilities, atol=1e-5)

    def test_a_part_without_clips_is_refused(self, clips):
        recognizer = recogniser(LevelGate(), LinearExpert(1), LinearExpert(2))
        slr45 = [clip for clip in clips if clip.corpus == "slr45"]
        with pytest.raises(CorpusError, match="none of the 18 clips is in test"):
            evaluate(recognizer, slr45, Protocol.load(), ["test"], progress=False)

    def test_recordings_that_cannot_be_recognised_are_named(self, tmp_path):
        from tests.miniature_corpora import write_savee, write_wav

        write_savee(tmp_path / "savee", ["DC"])
        write_wav(tmp_path / "savee" / "AudioData" / "DC" / "a01.wav", np.zeros(16000))
        recognizer = recogniser(LevelGate(), LinearExpert(1), LinearExpert(2))
        with pytest.raises(CorpusError, match="not recognised: 1 .*a01.wav.*silent"):
            evaluate(recognizer, read_corpora(tmp_path, ["savee"]), Protocol.load(), progress=False)


class TestEmotionScores:
    def test_equal_scikit_learn_on_the_answers_among_the_corpus_labels(self):
        found = made_up()
        labels = CORPUS_LABELS["crema-d"]
        truth, answers = [], []
        for clip, part, row in zip(found.clips, found.parts, found.probabilities):
            if (clip.corpus, part) == ("crema-d", "test"):
                truth.append(clip.emotion)
                answers.append(max(labels, key=lambda label: row[LABELS.index(label)]))
        scores = found.emotion("crema-d", "test")
        assert scores.clips == len(truth)
        assert scores.wa == pytest.approx(sklearn_metrics.accuracy_score(truth, answers))
        assert scores.ua == pytest.approx(
            sklearn_metrics.recall_score(truth, answers, average="macro", labels=np.unique(truth))
        )
        np.testing.assert_array_equal(
            scores.confusion, sklearn_metrics.confusion_matrix(truth, answers, labels=labels)
        )

    def test_the_unrestricted_answer_may_be_a_label_that_the_corpus_lacks(self, clips):
        recognizer = recogniser(
            FixedGate(0.5),
            FixedExpert([0, 5, 3, 0, 0, 0, 0, 0]),  # calm, then happy
            FixedExpert([0, 5, 3, 0, 0, 0, 0, 0]),
        )
        found = evaluate(recognizer, clips, Protocol.load(), progress=False)
        scores = found.emotion("savee", "test")
        assert scores.recall[scores.labels.index("happy")] == 1
        assert scores.unrestricted_ua == scores.unrestricted_wa == 0
        assert scores.ua == pytest.approx(1 / 7)

    def test_confidence_is_renormalised_over_the_corpus_labels(self, clips):
        expert = FixedExpert(np.log([0.1, 0.5, 0.2, 0.04, 0.04, 0.04, 0.04, 0.04]))
        found = evaluate(
            recogniser(FixedGate(0.5), expert, expert), clips, Protocol.load(), progress=False
        )
        curve = found.emotion("savee", "test").reliability
        assert curve.confidence[curve.counts > 0] == pytest.approx([0.2 / 0.5])

    def test_genders_and_parts_add_up(self):
        found = made_up()
        for corpus, part in found.groups():
            whole = found.emotion(corpus, part).confusion
            halves = [
                found.emotion(corpus, part, gender).confusion for gender in ("female", "male")
            ]
            np.testing.assert_array_equal(whole, sum(halves))
        assert list(found.groups()) == [
            ("ravdess", "validation"),
            ("ravdess", "test"),
            ("crema-d", "validation"),
            ("crema-d", "test"),
        ]

    def test_a_perfect_recogniser_scores_1_everywhere(self):
        found = made_up()
        perfect = np.zeros((len(found.clips), 8))
        for row, clip in zip(perfect, found.clips):
            row[LABELS.index(clip.emotion or "neutral")] = 1
        ideal = Evaluation(found.protocol, found.clips, found.parts, found.female, perfect, perfect)
        for corpus, part in ideal.groups():
            scores = ideal.emotion(corpus, part)
            assert scores.ua == scores.wa == scores.macro_f1 == scores.unrestricted_ua == 1
            assert scores.ece == 0
            cost = ideal.gate_cost(corpus, part)
            assert (cost.estimate, cost.low, cost.high) == (0, 0, 0)

    def test_intervals_hold_the_estimate_and_are_by_clip_or_speaker(self):
        found = made_up()
        by_clip = found.interval("ravdess", "validation")
        by_speaker = found.interval("ravdess", "validation", by_speaker=True)
        ua = found.emotion("ravdess", "validation").ua
        for interval, unit in ((by_clip, "clip"), (by_speaker, "speaker")):
            assert interval.resampled == unit
            assert interval.estimate == pytest.approx(ua)
            assert interval.low < ua < interval.high

    def test_one_speaker_has_no_interval_by_speaker(self, varied):
        assert varied.interval("savee", "test", by_speaker=True) is None
        assert varied.interval("savee", "test") is not None


class TestGateScores:
    def test_equal_scikit_learn(self):
        found = made_up()
        chosen = found.select(emotional=True)
        genders = [clip.gender for clip in found.clips if clip.emotion]
        answers = np.where(found.female[chosen] >= 0.5, "female", "male")
        scores = found.gate(chosen)
        assert scores.uar == pytest.approx(
            sklearn_metrics.balanced_accuracy_score(genders, answers)
        )
        assert scores.clips == len(genders)

    def test_are_given_by_corpus_by_emotion_and_for_all_unseen_speakers(self, varied):
        groups = {(name, part): chosen for name, part, chosen in varied.gate_groups()}
        everyone = groups["all emotional", "validation + test"]
        assert everyone.sum() == sum(clip.emotion is not None for clip in varied.clips)
        assert ("slr45", "validation") in groups and ("fearful", "test") in groups
        assert ("tess", "test") not in groups

    def test_a_corpus_of_men_has_their_recall_alone(self, varied):
        scores = varied.gate(varied.select(corpus="savee"))
        assert np.isnan(scores.recall["female"]) and scores.uar == scores.recall["male"]


class TestReports:
    def test_the_dictionary_is_strict_json_and_agrees_with_the_scores(self, varied):
        content = json.loads(json.dumps(varied.to_dict(), allow_nan=False))
        first = content["emotion"][0]
        scores = varied.emotion(first["corpus"], first["part"])
        assert first["ua"] == scores.ua
        assert first["by_emotion"]["happy"]["recall"] == scores.recall[scores.labels.index("happy")]
        assert first["ua_interval"]["low"] <= first["ua"] <= first["ua_interval"]["high"]
        assert len(content["clips"]) == len(varied.clips)
        savee = next(group for group in content["emotion"] if group["corpus"] == "savee")
        assert savee["female_minus_male_ua"] is None and savee["by_gender"]["female"]["ua"] is None

    def test_the_tables_show_each_group_and_the_figures(self, varied):
        text = format_evaluation(varied)
        for corpus, part in varied.groups():
            assert f"{corpus} {part}" in text
            assert f"{100 * varied.emotion(corpus, part).ua:.2f}" in text
        uar = varied.gate(varied.select(emotional=True)).uar
        (line,) = [x for x in text.splitlines() if x.startswith("all emotional, validation + test")]
        assert f" {100 * uar:.2f} " in line
        assert "nan" not in text

    def test_clips_without_emotions_are_a_report_of_the_gate_alone(self, clips):
        slr45 = [clip for clip in clips if clip.corpus == "slr45"]
        recognizer = recogniser(LevelGate(), LinearExpert(1), LinearExpert(2))
        found = evaluate(recognizer, slr45, Protocol.load(), progress=False)
        assert "slr45, validation" in format_evaluation(found)
        assert found.to_dict()["emotion"] == []

    def test_the_plots_are_png_files_of_every_group(self, varied, tmp_path):
        pytest.importorskip("matplotlib")
        written = write_plots(varied, tmp_path / "plots")
        names = {path.name for path in written}
        assert "reliability.png" in names
        for corpus, part in varied.groups():
            assert {f"confusion-{corpus}-{part}.png", f"recall-{corpus}-{part}.png"} <= names
        assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)

    def test_the_same_evaluation_gives_the_same_plots_byte_for_byte(self, clips, tmp_path):
        pytest.importorskip("matplotlib")
        savee = [clip for clip in clips if clip.corpus == "savee"]
        recognizer = recogniser(LevelGate(), LinearExpert(1), LinearExpert(2))
        found = evaluate(recognizer, savee, Protocol.load(), progress=False)
        first, second = (write_plots(found, tmp_path / name) for name in ("a", "b"))
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
