"""What knowing a voice is measured to gain."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge.bundle import Bundle, write_manifest
from edge.errors import SettingsError
from edge.features import EmotionFeatures, FrontEnd
from edge.labels import LABELS
from edge.prosody import KNOWN_TEMPERATURE, KNOWN_WEIGHT, Prosody
from edge.recognizer import Recognizer
from edge.voice import REACH, SPREAD, Voice
from tests.edge.bundles import learning_prosody_arrays, make_bundle, manifest, random_gate
from tests.edge.fakes import LevelGate, LinearExpert
from training.__main__ import main
from training.answers import save_answers
from training.conditions import conditions
from training.corpora import Clip, load_log_mel, read_corpora
from training.evaluation import Evaluation
from training.metrics import unweighted_average_recall
from training.prosody import write_prosody
from training.protocol import Protocol
from training.voices import (
    ANY,
    CHOICES,
    HALF,
    HEARD,
    KNOWN_CHOICES,
    MOODS,
    NEUTRAL,
    Speaker,
    _shares,
    _stranger,
    among_others,
    by_group,
    choose,
    choose_known,
    clips_heard,
    compare,
    examples_of,
    heard,
    in_acoustics,
    in_turn,
    of_bundle,
    of_crossval,
    score,
    score_heard,
    score_in_turn,
    taught,
)

CREMA = [LABELS.index(label) for label in
         ("neutral", "happy", "sad", "angry", "fearful", "disgust")]


def leaning_speaker(seed: int, lean: float, clips: int = 8, group="crema-d validation") -> Speaker:
    """Answers that are right but for a constant lean of this speaker, and noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(CREMA, clips)
    scores = 2.0 * np.eye(8)[labels] + rng.normal(0.0, 0.7, (len(labels), 8))
    scores += lean * rng.normal(0.0, 1.0, 8)
    shares = np.exp(scores)
    return Speaker(group, f"s{seed}", "", "female" if seed % 2 else "male", "crema-d", labels,
                   shares / shares.sum(axis=1, keepdims=True), np.arange(len(labels)))


SPEAKERS = [leaning_speaker(seed, 2.0) for seed in range(6)]


def test_examples_are_so_many_of_each_emotion_and_half_at_most():
    speaker, rng = leaning_speaker(0, 1.0, clips=6), np.random.default_rng(0)
    for count, drawn in ((1, 1), (2, 2), (3, 3), (5, 3)):
        chosen = examples_of(speaker, count, rng)
        assert np.bincount(speaker.labels[chosen], minlength=8)[CREMA].tolist() == [drawn] * 6


def test_what_is_taught_are_the_chosen_clips_alone():
    speaker = SPEAKERS[0]
    chosen = examples_of(speaker, 2, np.random.default_rng(1))
    others = np.where(chosen[:, None], speaker.probabilities, 1 / 8)
    altered = dataclasses.replace(speaker, probabilities=others)
    one, other = (taught(each, chosen).correction for each in (speaker, altered))
    assert np.array_equal(one.weights, other.weights) and one.weights.any()
    assert np.array_equal(one.constants, other.constants)


def test_a_lean_is_learnt_and_a_strangers_is_no_help():
    scores = score(SPEAKERS, 2, draws=4)
    assert scores["after"]["ua"] > scores["before"]["ua"] + 0.05
    assert scores["stranger"]["ua"] < scores["after"]["ua"] - 0.05
    low, high = scores["gain_interval"]
    assert low < scores["after"]["ua"] - scores["before"]["ua"] < high
    assert scores["after"]["worst_speaker_ua"] == min(scores["after"]["by_speaker"].values())


def test_nothing_is_learnt_where_nobody_leans():
    scores = score([leaning_speaker(seed, 0.0, clips=20) for seed in range(4)], 4, draws=4)
    assert scores["after"]["ua"] == pytest.approx(scores["before"]["ua"], abs=0.03)


def test_clips_that_teach_are_not_answered():
    tallies = compare(SPEAKERS[:2], 3, draws=5)
    for tally in tallies.values():
        assert tally.counts.sum() == 2 * 6 * (8 - 3) * 5


def test_one_speaker_has_neither_an_interval_nor_a_stranger():
    scores = score(SPEAKERS[:1], 1, draws=2)
    assert scores["gain_interval"] is None
    assert "stranger" not in scores
    assert scores["after"]["by_gender"]["female"] is None


def test_validation_speakers_choose_how_much_is_learnt():
    others = [leaning_speaker(9, 1.0, group="crema-d test")]
    choices = choose([*SPEAKERS, *others], draws=2)
    by_value = {(row["spread"], row["reach"]): row["ua"] for row in choices}
    assert (SPREAD, REACH) in by_value
    assert by_value[0.5, 0.01]["4"] < by_value[1.5, 0.01]["4"]
    assert choices == choose(SPEAKERS, draws=2)
    assert choose(others) == []


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer.from_parts(
        front_end=FrontEnd(), emotion_features=EmotionFeatures(), gate=LevelGate(),
        experts={"female": LinearExpert(1), "male": LinearExpert(2)},
    )


def test_answers_with_a_voice_are_those_of_use(miniature_corpora, recognizer):
    clips = read_corpora(miniature_corpora)
    speakers = of_bundle(recognizer, clips, Protocol.load())
    assert {"crema-d validation", "ravdess validation"} <= {name for name, _ in by_group(speakers)}
    speaker = next(s for s in speakers if s.corpus == "ravdess")
    chosen = examples_of(speaker, 1, np.random.default_rng(0))
    chosen[np.flatnonzero(~chosen)[:1]] = True
    learnt = taught(speaker, chosen)
    own = [clip for clip in clips if (clip.corpus, clip.speaker) == (speaker.corpus, speaker.name)]
    assert [LABELS.index(clip.emotion) for clip in own] == speaker.labels.tolist()
    voice = Voice()
    for k in np.flatnonzero(chosen):
        voice = voice.taught(recognizer.predict(own[k].path), own[k].emotion)
    assert learnt.correction.constants == pytest.approx(voice.correction.constants, abs=1e-5)
    assert learnt.correction.weights == pytest.approx(voice.correction.weights, abs=1e-5)
    answers = speaker.answers(learnt)
    for k, clip in enumerate(own):
        known = recognizer.predict(clip.path, voice=voice).probabilities
        assert answers[k] == pytest.approx([known[label] for label in LABELS], abs=1e-6)


@pytest.fixture(scope="module")
def learning_bundle(tiny_models, tmp_path_factory):
    """Models that learn what is usual."""
    models = {gender: model.int8 for gender, model in tiny_models.items()}
    folder = make_bundle(tmp_path_factory.mktemp("learning"), random_gate(), models)
    write_prosody(folder / "prosody.npz", learning_prosody_arrays(weight=0.7))
    write_manifest(folder, {**manifest(), "prosody": {"file": "prosody.npz"}})
    return Bundle.load(folder)


def test_answers_to_who_was_heard_before_are_those_of_use(miniature_corpora, learning_bundle):
    recognizer, protocol = Recognizer(learning_bundle), Protocol.load()
    clips = [clip for clip in read_corpora(miniature_corpora)
             if clip.corpus in ("ravdess", "crema-d") and protocol.part(clip) == "validation"]
    speakers = of_bundle(recognizer, clips, protocol)
    for corpus in ("ravdess", "crema-d"):  # sound, and log-mels
        speaker = next(s for s in speakers if s.corpus == corpus)
        own = [c for c in clips if (c.corpus, c.speaker) == (corpus, speaker.name) and c.emotion]

        def ask(clip, voice=None):
            if clip.sound:
                return recognizer.predict(clip.path, voice=voice)
            return recognizer.predict_log_mel(load_log_mel(clip), voice=voice)

        chosen = np.arange(len(own)) < 2
        learnt, voice, both = heard(speaker, chosen), Voice(), Voice()
        for k in np.flatnonzero(chosen):
            prediction = dataclasses.replace(ask(own[k]), flags=())
            voice = voice.heard(prediction)
            both = both.taught(prediction, own[k].emotion)
        assert learnt.usual.clips == voice.usual.clips
        assert learnt.usual.middle == pytest.approx(voice.usual.middle, abs=1e-4)
        for known, found in ((voice, learnt), (both, taught(speaker, chosen))):
            answers = speaker.answers(found)
            for k, clip in enumerate(own):
                wanted = [ask(clip, known).probabilities[label] for label in LABELS]
                assert answers[k] == pytest.approx(wanted, abs=1e-4)
            assert not np.allclose(answers, speaker.answers(), atol=1e-2)


def test_answers_in_turn_are_those_of_a_voice_that_hears_each_clip_after_its_answer(
    miniature_corpora, learning_bundle
):
    recognizer, protocol = Recognizer(learning_bundle), Protocol.load()
    clips = [clip for clip in read_corpora(miniature_corpora)
             if clip.corpus == "crema-d" and protocol.part(clip) == "validation" and clip.emotion]
    speaker = of_bundle(recognizer, clips, protocol)[0]
    own = [clip for clip in clips if clip.speaker == speaker.name]
    order = np.random.default_rng(3).permutation(len(own))
    answers, voice = in_turn(speaker, order), Voice()
    for k in order:
        prediction = recognizer.predict_log_mel(load_log_mel(own[k]), voice=voice)
        wanted = [prediction.probabilities[label] for label in LABELS]
        assert answers[k] == pytest.approx(wanted, abs=1e-4)
        voice = voice.heard(dataclasses.replace(prediction, flags=()))
    assert not np.allclose(answers, speaker.answers(), atol=1e-2)


def test_what_is_heard_is_of_a_mood():
    speaker, rng = leaning_speaker(0, 1.0, clips=10), np.random.default_rng(0)
    for mood, neutral in ((HALF, 4), (NEUTRAL, 5)):
        chosen = clips_heard(speaker, 8, mood, rng)
        assert (speaker.labels[chosen] == 0).sum() == neutral  # at most half of them
        assert chosen.sum() == (8 if mood == HALF else 5)
    assert clips_heard(speaker, 8, ANY, rng).sum() == 8
    assert clips_heard(speaker, 99, ANY, rng).sum() == 30


def judged_speaker(seed: int, away: float) -> Speaker:
    """Whose experts know nothing, and whose manner is right but for where this voice lies."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(CREMA, 10)
    prosody = Prosody({**learning_prosody_arrays(weight=1.0), "usual_offsets": np.zeros(8)})
    seen = 4.0 * np.eye(8)[labels] + rng.normal(0.0, 1.0, (len(labels), 8))
    seen += away * rng.normal(0.0, 1.0, 8)
    manners = np.concatenate([np.full((len(labels), 8), np.log(1 / 8)), seen], axis=1)
    shares = np.full((len(labels), 8), 1 / 8)
    return Speaker("crema-d validation", f"s{seed}", "", "male", "crema-d", labels, shares,
                   np.arange(len(labels)), manners, prosody)


def test_nobody_needs_to_say_what_was_meant():
    speakers = [judged_speaker(seed, 6.0) for seed in range(4)]
    five, twenty = (score_heard(speakers, count, ANY, draws=4) for count in (5, 20))
    assert five["clips"] == 5.0 and five["mood"] == ANY
    assert five["before"]["ua"] == pytest.approx(1 / 6, abs=0.01)
    assert 0.6 < five["after"]["ua"] < twenty["after"]["ua"]
    assert five["stranger"]["ua"] < five["after"]["ua"] - 0.2
    assert five["clips_answered"] == 4 * 4 * 55
    alone = score_heard(speakers, 20, NEUTRAL, draws=4)  # what is neutral is then nothing at all
    assert alone["after"]["ua"] < twenty["after"]["ua"] - 0.05
    assert score_heard(SPEAKERS, 5, ANY) is None


def test_a_stranger_is_heard_better_from_turn_to_turn():
    speakers = [judged_speaker(seed, 6.0) for seed in range(4)]
    found = score_in_turn(speakers, draws=4)
    assert found["before"]["ua"] == pytest.approx(1 / 6, abs=0.01)
    stages = found["stages"]
    assert {stage: each["clips"] for stage, each in stages.items()} == {
        "0": 80, "5": 240, "20": 640
    }
    assert stages["0"]["ua"] < stages["5"]["ua"] < stages["20"]["ua"]
    assert stages["0"]["ua"] < found["after"]["ua"] < stages["20"]["ua"]
    assert score_in_turn(SPEAKERS) is None


def test_validation_speakers_choose_how_much_prosody_says_of_the_known():
    speakers = [judged_speaker(seed, 2.0) for seed in range(4)]
    tested = dataclasses.replace(judged_speaker(9, 2.0), group="crema-d test")
    choices = choose_known([*speakers, tested], draws=2)
    assert [(row["weight"], row["temperature"]) for row in choices] == list(KNOWN_CHOICES)
    by_value = {(row["weight"], row["temperature"]): row for row in choices}
    ours = by_value[KNOWN_WEIGHT, KNOWN_TEMPERATURE]
    for count in HEARD:
        after = score_heard(speakers, count, ANY, draws=2)["after"]
        assert ours["ua"][str(count)] == pytest.approx(after["ua"])
        assert ours["ece"][str(count)] == pytest.approx(after["ece"])
    assert by_value[2.0, 1.0]["loss"]["20"] < by_value[1.0, 1.0]["loss"]["20"]  # it is right
    assert choose_known([tested]) == choose_known(SPEAKERS) == []


def saved_folds(folder: Path) -> Path:
    """A cross-validation of two folds with one speaker each, whose training clips stand beside."""
    for fold, speaker in (("1", SPEAKERS[0]), ("2", SPEAKERS[1])):
        clips = tuple(
            Clip("crema-d", f"{speaker.name} {k}", Path("x"), speaker.name, speaker.gender,
                 LABELS[label])
            for k, label in enumerate(speaker.labels)
        )
        other = Clip("crema-d", "other", Path("x"), "other", "male", "sad")
        probabilities = np.concatenate([speaker.probabilities, np.full((1, 8), 1 / 8)])
        save_answers(Evaluation(
            Protocol("made up", fold=fold), (*clips, other), (*["test"] * len(clips), "train"),
            np.full(len(probabilities), 0.5), probabilities, probabilities,
        ), folder / f"fold-{fold}" / "int8.npz")
    return folder


def test_a_stranger_is_of_the_same_models():
    folds = ("1", "1", "2", "2", "2", "1")
    speakers = [dataclasses.replace(s, fold=f) for s, f in zip(SPEAKERS, folds)]
    assert [_stranger(speakers, k) for k in range(6)] == [1, 5, 3, 4, 2, 0]
    assert _stranger(SPEAKERS[:1], 0) is None
    alone = [dataclasses.replace(s, fold=f) for s, f in zip(SPEAKERS, "1123")]
    assert "stranger" in score(speakers, 1, draws=1) and "stranger" not in score(alone, 1, draws=1)


def test_of_folds_the_mean_is_told(tmp_path):
    speakers = of_crossval(saved_folds(tmp_path))
    assert [(s.group, s.fold, s.name) for s in speakers] == [
        ("crema-d made up", "fold-1", "s0"), ("crema-d made up", "fold-2", "s1"),
    ]
    scores = score(speakers, 1, draws=3)["after"]
    assert scores["ua"] == pytest.approx(np.mean(list(scores["by_speaker"].values())))
    with pytest.raises(SettingsError, match="no fold with int8 answers"):
        of_crossval(tmp_path / "nowhere")


def test_folds_have_each_a_judge_of_their_own(tmp_path):
    for fold, seed in (("1", 0), ("2", 1)):
        speaker = judged_speaker(seed, 6.0)
        clips = tuple(
            Clip("crema-d", f"{k}", Path("x"), speaker.name, "male", LABELS[label])
            for k, label in enumerate(speaker.labels)
        )
        folder = tmp_path / f"fold-{fold}"
        save_answers(Evaluation(
            Protocol("made up", fold=fold), clips, ("test",) * len(clips),
            np.zeros(len(clips)), speaker.probabilities, speaker.probabilities, speaker.manners,
        ), folder / "int8.npz")
        arrays = {**learning_prosody_arrays(weight=float(fold)), "usual_offsets": np.zeros(8)}
        write_prosody(folder / "prosody.npz", arrays)
    speakers = of_crossval(tmp_path)
    assert [speaker.prosody.weight for speaker in speakers] == [1.0, 2.0]
    assert np.array_equal(speakers[0].manners, judged_speaker(0, 6.0).manners)
    written = tmp_path / "voices.json"
    assert main(["voices", "--crossval", str(tmp_path), "--draws", "2", "--examples", "1",
                 "--heard", "5", "--json", str(written)]) == 0
    rows = json.loads(written.read_text())["heard"]["crema-d made up"]
    assert [row["mood"] for row in rows] == list(MOODS)
    assert rows[0]["after"]["ua"] > rows[0]["before"]["ua"] + 0.3


def test_the_command_prints_and_writes_what_it_found(tmp_path, capsys):
    arguments = ["voices", "--crossval", str(saved_folds(tmp_path)), "--draws", "2",
                 "--examples", "1", "3", "--json", str(tmp_path / "voices.json")]
    assert main(arguments) == 0
    written = json.loads((tmp_path / "voices.json").read_text())["groups"]["crema-d made up"]
    assert [scores["examples"] for scores in written] == [1, 3]
    said = capsys.readouterr().out
    for scores in written:
        assert f"{100 * scores['before']['ua']:.2f}  {100 * scores['after']['ua']:.2f}" in said


def test_the_command_scores_a_bundle_and_chooses(
    miniature_corpora, learning_bundle, monkeypatch, tmp_path, capsys
):
    recognizer = Recognizer(learning_bundle)
    monkeypatch.setattr("training.voices.Recognizer", lambda bundle: recognizer)
    written = tmp_path / "voices.json"
    assert main(["voices", "--corpora", str(miniature_corpora), "--draws", "1", "--examples", "1",
                 "--choose", "--json", str(written)]) == 0
    content = json.loads(written.read_text())
    assert [(row["spread"], row["reach"]) for row in content["choices"]] == list(CHOICES)
    known = [(row["weight"], row["temperature"]) for row in content["known_choices"]]
    assert known == list(KNOWN_CHOICES)
    said = capsys.readouterr().out
    assert "by clips of each emotion" in said and "The same by clips heard" in said
    of_corpus = content["in_turn"]["crema-d validation"]
    assert f"{100 * of_corpus['after']['ua']:.2f}" in said.split("each answered by the earlier")[1]


def leaning_alike(lean: float, folds=("",) * 6) -> list[Speaker]:
    """Six speakers of one place, whose answers lean in the same way."""
    place = np.exp(lean * np.random.default_rng(77).normal(0.0, 1.0, 8))
    speakers = []
    for seed, fold in enumerate(folds):
        speaker = leaning_speaker(seed, 0.3)
        shares = speaker.probabilities * place
        shares /= shares.sum(axis=1, keepdims=True)
        speakers.append(dataclasses.replace(speaker, probabilities=shares, fold=fold))
    return speakers


def test_others_of_the_same_place_teach_how_all_of_them_lean():
    base = among_others(leaning_alike(3.0), 10, 0, draws=3)
    assert base["after"]["ua"] > base["before"]["ua"] + 0.1
    assert base["after"]["ece"] < base["before"]["ece"]
    low, high = base["gain_interval"]
    assert low < base["after"]["ua"] - base["before"]["ua"] < high
    strangers = among_others(SPEAKERS, 10, 0, draws=3)  # who lean each in their own way
    assert strangers["after"]["ua"] < strangers["before"]["ua"] + 0.05
    both = among_others(SPEAKERS, 10, 3, draws=3)
    assert both["after"]["ua"] > strangers["after"]["ua"] + 0.05


def test_nobody_teaches_their_own_base_nor_that_of_other_models():
    rng = np.random.default_rng(0)
    folds = ("1", "1", "1", "2", "2", "3")
    speakers = leaning_alike(1.0, folds)
    seen = []
    for tested, known in _shares(speakers, rng):
        assert not set(tested) & set(known)
        assert len({folds[k] for k in (*tested, *known)}) == 1
        seen += tested
    assert sorted(seen) == [0, 1, 2, 3, 4]  # the third fold has nobody beside its speaker
    assert among_others(leaning_alike(1.0, tuple("123456")), 4, 1, draws=1) is None


def spoilt_answers() -> dict[str, Evaluation]:
    """Of three speakers who lean in quiet, and lean otherwise in noise."""
    found = {}
    for condition, seeds in (("clean", (0, 1, 2)), ("white 20 dB", (10, 11, 12))):
        speakers = [leaning_speaker(seed, 2.0) for seed in seeds]
        clips = tuple(
            Clip("crema-d", f"{k} {n}", Path("x"), f"s{k}", "male", LABELS[label])
            for k, speaker in enumerate(speakers) for n, label in enumerate(speaker.labels)
        )
        probabilities = np.concatenate([speaker.probabilities for speaker in speakers])
        found[condition] = Evaluation(
            Protocol("unseen speakers"), clips, ("test",) * len(clips),
            np.full(len(clips), 0.5), probabilities, probabilities,
        )
    return found


def test_a_voice_is_taught_in_quiet_or_in_the_same_noise():
    quiet, noisy = in_acoustics(spoilt_answers(), 3, draws=3)
    assert (quiet["condition"], noisy["condition"]) == ("clean", "white 20 dB")
    assert quiet["ua"]["quiet"] == quiet["ua"]["same"] > quiet["ua"]["before"] + 0.03
    assert noisy["ua"]["same"] > noisy["ua"]["before"] + 0.03
    assert noisy["ua"]["quiet"] < noisy["ua"]["same"] - 0.03
    speakers = [leaning_speaker(seed, 2.0) for seed in (0, 1, 2)]
    tally = compare(speakers, 3, draws=3)["after"]  # the same drawings
    assert quiet["ua"]["quiet"] == pytest.approx(
        unweighted_average_recall(tally.counts.sum(axis=0))
    )


def test_a_voice_is_heard_in_quiet_or_in_the_same_noise():
    found, prosody = {}, judged_speaker(0, 6.0).prosody
    for condition, shift in (("clean", 0.0), ("white 20 dB", 5.0)):
        speakers = [judged_speaker(seed, 6.0) for seed in (0, 1)]
        clips = tuple(
            Clip("crema-d", f"{k} {n}", Path("x"), f"s{k}", "male", LABELS[label])
            for k, speaker in enumerate(speakers) for n, label in enumerate(speaker.labels)
        )
        manners = np.concatenate([speaker.manners for speaker in speakers])
        manners[:, 8:] += shift * np.arange(8)
        even = np.full((len(clips), 8), 1 / 8)
        found[condition] = Evaluation(
            Protocol("unseen speakers"), clips, ("test",) * len(clips),
            np.full(len(clips), 0.5), even, even, manners,
        )
    quiet, noisy = in_acoustics(found, 10, 3, prosody, named=False)
    assert quiet["heard"] == 10 and quiet["ua"]["quiet"] == quiet["ua"]["same"] > 0.6
    assert noisy["ua"]["same"] > 0.6 > noisy["ua"]["quiet"] + 0.2


def test_the_command_spoils_the_clips(
    miniature_corpora, recognizer, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr("training.voices.Recognizer", lambda bundle: recognizer)
    written = tmp_path / "voices.json"
    assert main(["voices", "--corpora", str(miniature_corpora), "--draws", "1", "--examples", "1",
                 "--acoustics", "--others", "2", "--json", str(written)]) == 0
    others = json.loads(written.read_text())["others"]
    assert [row["examples"] for row in others["crema-d validation"]] == [0, 1]
    rows = json.loads(written.read_text())["acoustics"]
    assert {row["condition"] for row in rows} == {condition.name for condition in conditions()}
    assert {row["corpus"] for row in rows} == {"ravdess", "savee"}
    said = capsys.readouterr().out
    assert "the voice taught in quiet or in the same" in said
    assert "UA with a base of other speakers" in said
    assert main(["voices", "--crossval", str(tmp_path), "--acoustics"]) == 2
    assert "--acoustics needs the folder" in capsys.readouterr().err


def test_the_command_needs_something_to_score(tmp_path, capsys):
    assert main(["voices"]) == 2
    assert "--corpora, or a cross-validation" in capsys.readouterr().err
    assert main(["voices", "--crossval", str(tmp_path), "--draws", "0"]) == 2
    assert "must be 1 or more" in capsys.readouterr().err
