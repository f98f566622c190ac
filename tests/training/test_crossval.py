"""Cross-validation: who is in which part, and a whole run on small synthetic corpora."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SettingsError
from edge.labels import LABELS
from edge.prosody import Prosody
from training.__main__ import main
from training.answers import load_answers, pooled, save_answers
from training.corpora import CORPUS_LABELS, Clip, CorpusError, read_corpora
from training.crossval.folds import (
    base_clips,
    folds_of,
    sharing,
    split,
    validation_speakers,
)
from training.crossval.results import (
    collect,
    fold_run,
    format_details,
    format_results,
    published,
)
from training.crossval.settings import CrossvalSettings
from training.evaluation import Evaluation
from training.prosody import SharedSettings
from training.protocol import EMOBOX, Protocol
from training.run import Run

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TINY = (
    "batch_size=8", "n_mfcc=13", "bfloat16=false", "universal.epochs=1", "specialised.epochs=1",
    "network.stem_channels=[4,4]", "network.width=8", "network.bottleneck=4",
    "network.dilations=[1]", "gate.steps=20", "gate.batch=8", "gate.crop_frames=40",
    "gate.projection=6", "gate.hidden=12", "gate.bottleneck=3", "gate.components=[1]",
    'gate.covariances=["diag"]', "gate.discriminant=2", "gate.frames_per_speaker=100",
)


CORPORA_FOLDS = EMOBOX.with_name("corpora.json")
TEACHER = ("--teacher", "n_mfcc=15", "network.width=12")


def ravdess_clips():
    """All actors of RAVDESS, one clip each, and a few speakers of CREMA-D."""
    clips = [
        Clip("ravdess", f"r{actor:02d}", Path("x"), f"{actor:02d}",
             "male" if actor % 2 else "female", "angry")
        for actor in range(1, 25)
    ]
    for actor, gender in (("1001", "male"), ("1015", "male"), ("1020", "female")):
        clips.append(Clip("crema-d", f"{actor}_A", Path("x"), actor, gender, "sad"))
    return clips


class TestFolds:
    def test_every_speaker_is_tested_once_and_never_trained_on_there(self):
        clips = ravdess_clips()
        folds = folds_of("ravdess", EMOBOX, clips)
        assert [fold.name for fold in folds] == ["1", "2", "3", "4", "5", "6"]
        tested = []
        for fold in folds:
            parts = split(fold, clips, validation_speakers(folds, fold, clips))
            assert sorted(parts.train + parts.validation + parts.test) == list(range(len(clips)))
            test = {clips[i].speaker for i in parts.test}
            assert len(test) == 4 and not test & {clips[i].speaker for i in parts.train}
            tested += test
        assert sorted(tested) == sorted({c.speaker for c in clips if c.corpus == "ravdess"})

    def test_the_next_folds_first_woman_and_man_validate(self):
        clips = ravdess_clips()
        folds = folds_of("ravdess", EMOBOX, clips)
        found = [validation_speakers(folds, fold, clips) for fold in folds]
        assert found[0] == {"ravdess/04", "ravdess/09"}  # the second fold tests women alone
        assert found[1] == {"ravdess/08", "ravdess/09"}
        assert found[5] == {"ravdess/01", "ravdess/20"}

    def test_a_corpus_with_few_speakers_keeps_them_and_crema_d_validates(self):
        clips = [
            Clip("savee", f"{speaker}_a01", Path("x"), speaker, "male", "angry")
            for speaker in ("DC", "JE", "JK", "KL")
        ] + ravdess_clips()
        folds = folds_of("savee", EMOBOX, clips)
        for fold in folds:
            validating = validation_speakers(folds, fold, clips)
            assert validating == {"crema-d/1015", "crema-d/1020"}
            parts = split(fold, clips, validating)
            assert len([i for i in parts.train if clips[i].corpus == "savee"]) == 3

    def test_a_base_knows_nobody_whom_its_folds_test_or_validate_with(self, miniature_corpora):
        clips = read_corpora(miniature_corpora)
        for corpus in ("ravdess", "savee", "tess"):
            folds = folds_of(corpus, EMOBOX, clips)
            validating = [validation_speakers(folds, fold, clips) for fold in folds]
            known = [clips[i] for i in base_clips(folds, clips, validating)]
            assert known and corpus not in {clip.corpus for clip in known}  # each is tested once
            speakers = {f"{clip.corpus}/{clip.speaker}" for clip in known}
            assert not speakers & frozenset().union(*validating)
            assert "crema-d/1001" in speakers

    @pytest.mark.parametrize("count", [1, 2, 3, 4])
    def test_folds_that_share_a_base_share_who_is_trained_on(self, count):
        clips = ravdess_clips()
        folds = folds_of("ravdess", EMOBOX, clips)
        seen = []
        for fold in folds:
            together = sharing(folds, fold, count)
            assert fold in together and len(together) <= count
            seen.append([other.name for other in together])
            validating = [validation_speakers(folds, other, clips) for other in together]
            known = {f"ravdess/{clips[i].speaker}" for i in base_clips(together, clips, validating)}
            tested = {
                f"ravdess/{clip.speaker}" for clip in clips if any(f.tests(clip) for f in together)
            }
            held = tested | frozenset().union(*validating)
            assert known == {f"ravdess/{clip.speaker}" for clip in clips} - held
        assert len({tuple(names) for names in seen}) == -(-6 // count)

    def test_tess_is_tested_by_clip_which_is_said_and_between_its_speakers(self):
        listed = json.loads(EMOBOX.read_text())["tess"]["test_clips"]["1"]
        clips = [
            Clip("tess", name, Path("x"), name[:3], "female", "angry")
            for name in [*listed[:20], *listed[-20:], "OAF_zzz_angry", "YAF_zzz_angry"]
        ]
        by_clip, older, younger = folds_of("tess", EMOBOX, clips)
        assert by_clip.overlapping and not older.overlapping
        assert (older.name, younger.name, older.group) == ("OAF", "YAF", "between speakers")
        parts = split(older, clips, frozenset())
        assert {clips[i].speaker for i in parts.train} == {"YAF"}
        assert {clips[i].speaker for i in parts.test} == {"OAF"}
        assert len(split(by_clip, clips, frozenset()).test) == 40

    def test_a_corpus_that_was_never_heard_is_tested_whole(self, miniature_corpora):
        clips = read_corpora(miniature_corpora)
        for corpus, validates in (
            ("ravdess", "crema-d"), ("savee", "crema-d"), ("tess", "crema-d"),
            ("crema-d", "ravdess"),
        ):
            (fold,) = folds_of(corpus, CORPORA_FOLDS, clips)
            assert fold.name == "all" and fold.unheard and not fold.overlapping
            validating = validation_speakers([fold], fold, clips)
            parts = split(fold, clips, validating)
            assert {clips[i].corpus for i in parts.train}.isdisjoint({corpus})
            assert [clips[i] for i in parts.test] == [c for c in clips if c.corpus == corpus]
            assert {clips[i].corpus for i in parts.validation} == {validates}
            assert base_clips([fold], clips, [validating]) == parts.train
        assert not any(fold.unheard for fold in folds_of("savee", EMOBOX, clips))

    def test_a_corpus_without_folds_is_refused(self, miniature_corpora):
        with pytest.raises(CorpusError, match="no folds of crema-d"):
            folds_of("crema-d", EMOBOX, read_corpora(miniature_corpora))


class TestSettings:
    def test_a_setting_is_of_one_training_or_of_both(self):
        settings = CrossvalSettings().replaced([
            "n_mfcc=20", "fold.universal.epochs=3", "gate.steps=7", "other_share=1",
            "most=0.8", 'gate_corpora=["crema-d","slr45"]', "folds_of_base=2",
        ])
        assert settings.most == 0.8 and settings.gate_corpora == ("crema-d", "slr45")
        assert settings.folds_of_base == 2
        assert settings.base.n_mfcc == settings.fold.n_mfcc == 20
        assert settings.fold.universal.epochs == 3 != settings.base.universal.epochs
        assert settings.gate.steps == 7 and settings.other_share == 1.0

    def test_a_teacher_differs_from_its_pupil_by_its_assignments_and_its_seed(self):
        settings = dataclasses.replace(CrossvalSettings(), teachers=(
            ("network.width=192", "fold.universal.epochs=7"), ("seed=5", "n_mfcc=32"),
        ))
        base, fold = (
            settings.of_teacher(0, name, getattr(settings, name)) for name in ("base", "fold")
        )
        assert base.network.width == fold.network.width == 192
        assert fold.universal.epochs == 7 != base.universal.epochs
        assert base.seed not in (settings.base.seed, 5)
        other = settings.of_teacher(1, "base", settings.base)
        assert (other.seed, other.n_mfcc) == (5, 32)
        with pytest.raises(SettingsError, match="n_mfcc of base and fold differ"):
            dataclasses.replace(settings, teachers=(("base.n_mfcc=32",),)).checked()

    def test_the_other_corpora_come_in_their_share_unless_it_is_said_otherwise(self):
        settings = CrossvalSettings().replaced(['fold.repeats={"tess": 0.1}'])
        shares = settings.of_fold("savee", {"savee", "tess", "ravdess"}).repeats
        assert shares == {"tess": 0.1, "ravdess": settings.other_share}

    @pytest.mark.parametrize(
        "assignment",
        ["teachers=1", "other_share=-1", "other_share=x", "fold.width=3", "most=x",
         "gate_corpora=crema-d", 'gate_corpora=["cream"]', "folds_of_base=0"],
    )
    def test_what_does_not_fit_is_named(self, assignment):
        with pytest.raises(SettingsError):
            CrossvalSettings().replaced([assignment])

    def test_a_fold_must_be_able_to_begin_with_the_base(self):
        with pytest.raises(SettingsError, match="network of base and fold differ"):
            CrossvalSettings().replaced(["fold.network.width=8"]).checked()
        assert CrossvalSettings().checked() == CrossvalSettings()
        with pytest.raises(SettingsError, match="second_network of base and fold differ"):
            CrossvalSettings().replaced(['fold.second_network={"width": 48}']).checked()


def test_answers_come_back_as_they_were_saved(tmp_path):
    rng = np.random.default_rng(0)
    clips = tuple(ravdess_clips()[:5])
    given = Evaluation(
        Protocol("emobox", fold="2"), clips, ("test",) * 5, rng.random(5), rng.random((5, 8)),
        rng.random((5, 8)),
    )
    save_answers(given, tmp_path / "a.npz")
    found = load_answers(tmp_path / "a.npz")
    assert found.protocol.fold == "2" and found.parts == given.parts
    assert [(c.name, c.speaker, c.gender, c.emotion) for c in found.clips] == [
        (c.name, c.speaker, c.gender, c.emotion) for c in clips
    ]
    assert np.array_equal(found.probabilities, given.probabilities)
    assert len(pooled([found, given]).clips) == 10
    (tmp_path / "a.npz").write_bytes(b"torn")
    with pytest.raises(CorpusError, match="a.npz cannot be read"):
        load_answers(tmp_path / "a.npz")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def command(corpora, cache, folder, *more):
    return main([
        "crossval", "--protocol", "emobox", "--corpus", "savee", "--corpora", str(corpora),
        "--cache", str(cache), "--run", str(folder), "--folds", "2", *more, "--set", *TINY,
    ])


@pytest.fixture(scope="module")
def finished(miniature_corpora, cache, tmp_path_factory):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    pytest.importorskip("tensorflow_model_optimization", reason="the int8 forms need it")
    folder = tmp_path_factory.mktemp("runs") / "savee"
    assert command(miniature_corpora, cache, folder, *TEACHER) == 0
    return folder


def test_a_run_holds_answers_figures_and_configuration(finished):
    content = json.loads((finished / "crossval.json").read_text())
    (row,) = content["folds"]
    assert row["fold"] == "2" and not row["speakers_overlap"]
    for form in ("float", "int8"):
        answers = load_answers(finished / "fold-2" / f"{form}.npz")
        assert {clip.speaker for clip in answers.clips} == {"KL"}
        assert row[form]["ua"] == answers.emotion("savee", "test").ua
    assert row["int8"]["multiply_accumulates"]["female"] > 0
    assert row["int8"]["temperatures"]["female"] != 1.0
    prosody = Prosody.load(finished / "fold-2" / "prosody.npz")
    assert row["int8"]["bytes"]["prosody"] == (finished / "fold-2" / "prosody.npz").stat().st_size
    assert prosody.weight == pytest.approx(0.35 * 3 / 5)  # of three speakers
    assert row["int8"]["prosody_temperature"] == 1.0  # no speaker of SAVEE is left to set it
    config = json.loads((finished / "config.json").read_text())
    assert len(config["data"]) == 64 and config["settings"]["base"]["n_mfcc"] == 13
    assert config["validation"]["2"] == ["crema-d/1015", "crema-d/1020"]
    fold = json.loads((finished / "fold-2" / "config.json").read_text())
    base = Run(finished / "base-1-2-3")
    assert fold["initial"] == [base.fingerprint("universal"), base.fingerprint("second")]
    assert fold["hold_out"] == config["validation"]["2"]
    teacher = Run(finished / "fold-2" / "teacher-1")
    assert fold["teachers"] == [teacher.fingerprint("universal")]
    assert teacher.read("config.json")["settings"]["n_mfcc"] == 15


def test_a_whole_corpus_is_tested_by_models_of_the_others(
    miniature_corpora, cache, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    monkeypatch.chdir(tmp_path)
    assert main([
        "crossval", "--protocol", "corpora", "--corpus", "crema-d", "--float",
        "--corpora", str(miniature_corpora), "--cache", str(cache), "--set", *TINY,
    ]) == 0
    assert "nothing of the corpus is trained on" in capsys.readouterr().out
    run = tmp_path / "runs" / "corpora-crema-d"
    config = json.loads((run / "config.json").read_text())
    assert all(name.startswith("ravdess/") for name in config["validation"]["all"])
    (row,) = json.loads((run / "crossval.json").read_text())["folds"]
    assert row["corpus_unheard"] and row["float"]["prosody_temperature"] != 1.0
    answers = load_answers(run / "fold-all" / "float.npz")
    tested = [clip for clip in read_corpora(miniature_corpora) if clip.corpus == "crema-d"]
    assert [clip.name for clip in answers.clips] == [clip.name for clip in tested]
    prosody = Prosody.load(run / "fold-all" / "prosody.npz")
    assert prosody.weight == pytest.approx(SharedSettings().weight)


def test_an_interrupted_run_goes_on_to_the_same_weights(
    finished, miniature_corpora, cache, tmp_path, monkeypatch
):
    """Stopped before the male expert is trained; what there is by then is not made again."""
    from training import emotion

    train = emotion.Stage.train

    def stopping(self, *others):
        if self._name == "male":
            raise KeyboardInterrupt
        return train(self, *others)

    run = tmp_path / "run"
    monkeypatch.setattr(emotion.Stage, "train", stopping)
    assert command(miniature_corpora, cache, run, "--float", *TEACHER) == 130
    monkeypatch.undo()
    before = (run / "fold-2" / "female.h5").stat().st_mtime_ns
    assert command(miniature_corpora, cache, run, "--float", *TEACHER) == 0
    assert (run / "fold-2" / "female.h5").stat().st_mtime_ns == before
    for folder, stage in (("base-1-2-3", "universal"), ("fold-2", "female"), ("fold-2", "male")):
        known, found = (
            Run(whole / folder).expert(stage).get_weights() for whole in (finished, run)
        )
        assert all(np.array_equal(one, other) for one, other in zip(known, found)), stage
    again = load_answers(run / "fold-2" / "float.npz")
    first = load_answers(finished / "fold-2" / "float.npz")
    assert np.array_equal(again.probabilities, first.probabilities)


def test_an_unknown_fold_or_other_settings_are_refused(
    finished, miniature_corpora, cache, capsys
):
    arguments = ["crossval", "--corpus", "savee", "--corpora", str(miniature_corpora), "--run",
                 str(finished), "--cache", str(cache)]
    assert main([*arguments, "--folds", "9"]) == 2
    assert "no fold 9" in capsys.readouterr().err
    assert main([*arguments, "--folds", "2"]) == 2
    assert "another settings" in capsys.readouterr().err


class TestResults:
    """Of made-up answers of two of SAVEE's four folds."""

    @pytest.fixture
    def content(self, tmp_path):
        rng = np.random.default_rng(1)
        clips = [
            Clip("savee", f"{speaker}_{k}", Path("x"), speaker, "male", emotion)
            for speaker in ("DC", "JE", "JK", "KL")
            for k, emotion in enumerate(3 * CORPUS_LABELS["savee"])
        ]
        folds = folds_of("savee", EMOBOX, clips)
        for fold in folds[:2]:
            tested = tuple(clip for clip in clips if fold.tests(clip))
            count = len(tested)
            probabilities = rng.dirichlet(np.ones(8), count)
            for k, clip in enumerate(tested[: 5 * int(fold.name)]):
                probabilities[k] = np.eye(8)[LABELS.index(clip.emotion)]
            answers = Evaluation(
                fold.protocol, tested, ("test",) * count, np.full(count, 0.1), probabilities,
                probabilities,
            )
            folder = fold_run(Run(tmp_path), fold)
            for form in ("float", "int8"):
                save_answers(answers, folder.folder / f"{form}.npz")
                folder.write(f"{form}.json", {
                    "parameters": 166000, "temperatures": {},
                    "bytes": {"female": 90_000 + 1000 * int(fold.name), "gate": 8_000},
                    "multiply_accumulates": {"female": 7_000_000, "male": 4_500_000},
                })
        return collect(Run(tmp_path), "savee", folds)

    def test_means_and_deviations_are_over_the_folds(self, content):
        assert [row["fold"] for row in content["folds"]] == ["1", "2"]
        found = content["groups"]["emobox"]["int8"]
        for measure in ("ua", "wa", "macro_f1"):
            values = [row["int8"][measure] for row in content["folds"]]
            assert values[0] != values[1]
            assert found[measure]["mean"] == pytest.approx(np.mean(values))
            assert found[measure]["standard_deviation"] == pytest.approx(np.std(values, ddof=1))
        low, high = found["pooled"]["ua_interval"]
        assert low < found["pooled"]["ua"] < high

    def test_each_emotion_is_told_over_all_folds(self, content, tmp_path):
        pooled = content["groups"]["emobox"]["int8"]["pooled"]
        everybody, men = (pooled["by_gender"][name] for name in ("all", "male"))
        assert everybody["confusion"] == men["confusion"]  # SAVEE's four are men
        assert pooled["by_gender"]["female"]["clips"] == 0
        counts = np.array(everybody["confusion"])
        assert counts.sum() == sum(row["int8"]["clips"] for row in content["folds"])
        recalls = np.diag(counts) / counts.sum(axis=1)
        assert np.mean(recalls) == pytest.approx(pooled["ua"])
        text = format_details(Run(tmp_path), content)
        assert "savee, all folds of emobox, int8: by emotion" in text and "confusion" in text
        for label, row in zip(everybody["labels"], counts):
            (line,) = [
                line for line in text.split("confusion")[1].splitlines() if line.startswith(label)
            ]
            assert [int(each) for each in line.split()[1:]] == row.tolist()

    def test_the_table_stands_beside_published_figures_and_says_what_is_missing(self, content):
        text = format_results(content)
        ua = 100 * content["groups"]["emobox"]["int8"]["ua"]["mean"]
        (line,) = [line for line in text.splitlines() if line.startswith("this, int8")]
        assert f"{ua:.2f}" in line and "0.17 M" in line
        assert "WavLM large" in text and "66.74" in text and "2 of 4 folds are not done" in text
        assert "take 100 kB" in text and "takes 11.5 M multiply-accumulates" in text
        assert "nan" not in text


    def test_folds_that_share_speakers_are_labelled_and_stand_beside_nothing(self, content):
        for row in content["folds"]:
            row["speakers_overlap"] = True
        text = format_results(content)
        assert "THE TESTED SPEAKERS ARE TRAINED ON" in text and "WavLM" not in text


def test_the_corpora_may_be_named_by_the_environment(monkeypatch):
    from training import crossval

    def parsed(*words):
        parser = argparse.ArgumentParser()
        crossval.add_arguments(parser)
        return parser.parse_args(["--corpus", "savee", *words])

    monkeypatch.setenv("EDGE_CORPORA", "/voices")
    assert parsed().corpora == Path("/voices") and parsed().run is None
    assert parsed("--corpora", "/others").corpora == Path("/others")
    monkeypatch.delenv("EDGE_CORPORA")
    with pytest.raises(SystemExit):
        parsed()


def test_published_figures_have_a_source_and_are_of_the_corpus():
    found = published("ravdess")
    assert "EmoBox" in found["source"]
    assert {model["name"]: model["ua"] for model in found["models"]}["WavLM large"] == 72.0
    assert published("tess")["models"] == []
