"""Training the experts, end to end on small synthetic corpora."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge.emotion import softmax
from edge.errors import SettingsError
from edge.features import EmotionFeatures, FrontEnd, normalised_cepstrum
from edge.labels import LABELS
from training import emotion
from training.__main__ import main
from training.cache import FeatureCache
from training.corpora import read_corpora
from training.emotion import (
    Batches,
    Material,
    Teachers,
    Validation,
    clip_windows,
    train_experts,
    unit_variance,
)
from training.run import STAGES, Run, RunError
from training.settings import TrainingSettings

SMALL = TrainingSettings().replaced([
    "batch_size=8", "universal.epochs=2", "specialised.epochs=1", "n_mfcc=13", "bfloat16=false",
    "network.stem_channels=[4,4]", "network.width=8", "network.bottleneck=4",
    "network.dilations=[1]",
])


def parsed(arguments):
    """The arguments of `python -m training emotion`."""
    parser = argparse.ArgumentParser()
    emotion.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture(scope="module")
def material(miniature_corpora, tmp_path_factory):
    clips = read_corpora(miniature_corpora)
    cache = FeatureCache(tmp_path_factory.mktemp("cache"), progress=False)
    return Material(clips, cache.log_mels(clips))


@pytest.fixture(scope="module")
def features(material):
    plain = EmotionFeatures(n_mfcc=13, scale=(1.0,) * 13)
    return unit_variance(material, plain)


def train(folder, material, settings=SMALL, stages=STAGES, **config):
    run = Run(folder)
    return run, train_experts(
        run, material, material, settings, FrontEnd(), config, stages, progress=False
    )


@pytest.fixture(scope="module")
def finished(material, tmp_path_factory):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    return train(tmp_path_factory.mktemp("runs") / "whole", material)


def weights(run, stage):
    return run.expert(stage).get_weights()


def test_clips_without_an_emotion_are_left_out(material):
    assert "slr45" not in material.corpora
    assert (np.bincount(material.labels, minlength=8) > 0).all()


def test_the_scale_brings_every_coefficient_to_unit_variance(material, features):
    rows = np.concatenate([
        window[np.abs(window).sum(axis=1) > 0]
        for log_mel in material.log_mels
        for window in clip_windows(log_mel, features)
    ])
    assert np.allclose(rows.std(axis=0), 1.0, atol=0.05)


def test_an_epoch_is_the_same_each_time_and_unlike_the_next(material, features):
    batches = Batches(material, SMALL, features, "universal")
    first, again, second = (list(batches.epoch(epoch)) for epoch in (0, 0, 1))
    assert len(first) == batches.steps > 0
    for batch, same in zip(first, again):
        assert all(np.array_equal(one, other) for one, other in zip(batch, same))
    assert not np.array_equal(first[0][0], second[0][0])
    assert first[0][0].shape == (8, 188, 13, 1)
    assert np.allclose(first[0][1].sum(axis=1), 1.0)


def test_smoothing_gives_nothing_to_labels_that_a_corpus_lacks(material, features):
    settings = SMALL.replaced(["augmentation.mixup=0"])
    savee = Material(
        [clip for clip in material.clips if clip.corpus == "savee"],
        [m for clip, m in zip(material.clips, material.log_mels) if clip.corpus == "savee"],
    )
    targets = np.concatenate(
        [y for _, y, _ in Batches(savee, settings, features, "universal").epoch(0)]
    )
    assert (targets[:, LABELS.index("calm")] == 0).all()
    assert np.allclose(targets.max(axis=1), 0.9 + 0.1 / 7)


def test_logits_are_adjusted_by_the_shares_of_the_labels_in_the_corpus(material, features):
    settings = SMALL.replaced(["augmentation.mixup=0", "prior_adjustment=0.5"])
    crema_d = Material(
        [clip for clip in material.clips if clip.corpus == "crema-d"],
        [m for clip, m in zip(material.clips, material.log_mels) if clip.corpus == "crema-d"],
    )
    counts = np.bincount(crema_d.labels, minlength=8)
    for _, _, adjustments in Batches(crema_d, settings, features, "universal").epoch(0):
        assert np.allclose(
            np.exp(2 * adjustments[:, counts > 0]), (counts / counts.sum())[counts > 0], atol=1e-6
        )
        assert (adjustments[:, counts == 0] < -9).all()
    plain = settings.replaced(["prior_adjustment=0"])
    for _, _, adjustments in Batches(crema_d, plain, features, "universal").epoch(0):
        assert not adjustments.any()


def test_a_specialist_hears_the_other_gender_in_the_share_that_is_set(material, features):
    for share in (0.0, 0.5):
        settings = SMALL.replaced([f"other_gender={share}", "batch_size=1"])
        batches = Batches(material, settings, features, "male")
        male, female = ((material.genders == gender).sum() for gender in ("male", "female"))
        assert abs(batches.steps - (male + share * female)) <= 4  # rounded in each of four corpora


def test_a_corpus_comes_as_often_as_is_set(material, features):
    usual = Batches(material, SMALL.replaced(["batch_size=1"]), features, "universal").steps
    savee = int((material.corpora == "savee").sum())
    for times in (0.0, 0.5, 2.5):
        settings = SMALL.replaced(["batch_size=1", f'repeats={{"savee": {times}}}'])
        steps = Batches(material, settings, features, "universal").steps
        assert abs(steps - usual - (times - 1) * savee) <= 1


def test_teachers_hear_the_clip_in_its_own_acoustics(material, features):
    """Of a batch's two channels the second one depends on no noise."""
    def heard(*assignments):
        settings = SMALL.replaced([
            "augmentation.masks=0", "augmentation.mixup=0", "augmentation.acoustics.room_share=0",
            "augmentation.acoustics.band_share=0", "augmentation.acoustics.overdrive_share=0",
            *assignments,
        ])
        batches = Batches(material, settings, features, "universal", taught=-80.0)
        return next(batches.epoch(0))[0]

    clean = heard("augmentation.acoustics.noise_share=0")
    assert clean.shape[-1] == 2 and np.array_equal(clean[..., 0], clean[..., 1])
    noisy = heard("augmentation.acoustics.noise_share=1")
    assert not np.allclose(noisy[0, ..., 0], noisy[0, ..., 1], atol=0.1)
    assert np.array_equal(noisy[0, ..., 1], clean[0, ..., 1])  # of the first, before more is drawn


def test_teachers_hear_below_the_floor_of_their_pupil(material, features):
    settings = SMALL.replaced([
        "augmentation.masks=0", "augmentation.mixup=0", "augmentation.acoustics.noise_share=0",
        "augmentation.acoustics.room_share=0", "augmentation.acoustics.band_share=0",
        "augmentation.acoustics.overdrive_share=0",
    ])
    raised = dataclasses.replace(features, floor_db=-30.0)
    alone = next(Batches(material, settings, features, "universal").epoch(0))[0]
    both = next(Batches(material, settings, raised, "universal", taught=-80.0).epoch(0))[0]
    assert np.array_equal(both[..., 1], alone[..., 0])
    assert not np.allclose(both[..., 0], alone[..., 0], atol=0.1)


def test_a_run_holds_what_quantization_needs(finished):
    run, metrics = finished
    assert set(metrics) == set(STAGES)
    for stage in STAGES:
        expert = run.expert(stage)
        assert expert.input_shape == (None, 188, 13, 1) and expert.output_shape == (None, 8)
        assert run.labels(stage) == list(LABELS)
        assert 0 <= metrics[stage]["ravdess all"] <= 100
    assert run.front_end() == FrontEnd()
    assert run.emotion_features().n_mfcc == 13
    lines = [json.loads(line) for line in run.history_path.read_text().splitlines()]
    assert [(line["stage"], line["epoch"]) for line in lines] == [
        ("universal", 1), ("universal", 2), ("second", 1), ("second", 2), ("female", 1), ("male", 1)
    ]
    assert all(np.isfinite(line["loss"]) for line in lines)


def test_each_expert_begins_as_a_network_of_everybody_of_its_own(finished):
    run, _ = finished
    universal, second, female, male = (weights(run, stage) for stage in STAGES)
    kernel = max(range(len(universal)), key=lambda i: universal[i].size)

    def apart(one, other):
        return np.abs(one[kernel] - other[kernel]).mean()

    assert 0 < apart(female, universal) < 0.5 * apart(universal, second)
    assert 0 < apart(male, second) < 0.5 * apart(universal, second)


def test_without_a_second_network_both_experts_begin_as_the_first(material, tmp_path):
    settings = SMALL.replaced(["specialised.epochs=0"])
    run, metrics = train(tmp_path / "run", material, settings, ["universal", "female", "male"])
    assert "second" not in metrics
    for expert in ("female", "male"):
        for one, other in zip(weights(run, expert), weights(run, "universal")):
            assert np.array_equal(one, other)


def test_the_second_network_and_its_expert_may_be_of_another_kind(material, tmp_path):
    settings = SMALL.replaced([
        "universal.epochs=1", "specialised.epochs=0",
        'second_network={"columns":16,"spectrum":true,"stem_channels":[4,8]}',
    ])
    run, _ = train(tmp_path / "run", material, settings)
    universal, second, female, male = (run.expert(stage) for stage in STAGES)
    for expert, everybody in ((female, universal), (male, second)):
        for one, other in zip(expert.get_weights(), everybody.get_weights()):
            assert np.array_equal(one, other)
    windows = np.zeros((1, 188, 13, 1), np.float32)
    assert universal(windows).shape == second(windows).shape == (1, 8)
    names = [[layer.name for layer in model.layers] for model in (universal, second)]
    assert ["columns" in of_model for of_model in names] == [False, True]


def test_the_same_settings_give_the_same_weights(finished, material, tmp_path):
    again, _ = train(tmp_path / "again", material)
    for stage in STAGES:
        for one, other in zip(weights(finished[0], stage), weights(again, stage)):
            assert np.array_equal(one, other)


def test_an_interrupted_run_goes_on_to_the_same_weights(finished, material, tmp_path, monkeypatch):
    """Stopped in the universal stage's second epoch, then taken up by the same call."""
    made = Batches.epoch

    def stopping(self, epoch):
        for step, batch in enumerate(made(self, epoch)):
            if epoch == 1 and step == 2:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(Batches, "epoch", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", material)
    monkeypatch.undo()
    run, _ = train(tmp_path / "run", material)
    for one, other in zip(weights(finished[0], "male"), weights(run, "male")):
        assert np.array_equal(one, other)
    epochs = [json.loads(line)["epoch"] for line in run.history_path.read_text().splitlines()]
    assert epochs == [1, 2, 1, 2, 1, 1]


class TestTeachers:
    def test_their_opinion_is_the_mean_of_their_probabilities(self, finished, material, tmp_path):
        run, _ = finished
        wide = SMALL.replaced(["n_mfcc=20", "seed=3"])
        other, _ = train(tmp_path / "other", material, wide, ["universal"])
        features = other.emotion_features()
        x = np.stack([clip_windows(m, features)[0] for m in material.log_mels[:4]])[..., None]
        narrow = run.emotion_features()
        own = np.stack([clip_windows(m, narrow)[0] for m in material.log_mels[:4]])[..., None]
        expected = [
            softmax_rows(run.expert("universal")(own).numpy()),
            softmax_rows(run.expert("second")(own).numpy()),
            softmax_rows(other.expert("universal")(x).numpy()),
        ]
        found = Teachers([run, other]).probabilities(x, features.scale).numpy()
        assert np.allclose(found, np.mean(expected, axis=0), atol=1e-4)

    def test_a_pupil_comes_closer_to_them(self, finished, material, tmp_path):
        teacher, _ = finished
        features = teacher.emotion_features()
        x = np.concatenate([clip_windows(m, features) for m in material.log_mels])[..., None]
        opinion = Teachers([teacher]).probabilities(x, features.scale).numpy()
        apart = {}
        for share in (0.0, 1.0):
            settings = SMALL.replaced([f"distillation={share}", "universal.epochs=12", "seed=5"])
            pupil = Run(tmp_path / str(share))
            train_experts(
                pupil, material, None, settings, FrontEnd(), {}, ["universal"], progress=False,
                teachers=[teacher],
            )
            found = softmax_rows(pupil.expert("universal")(x).numpy())
            apart[share] = float((opinion * np.log(opinion / found)).sum(axis=1).mean())
        assert apart[1.0] < 0.7 * apart[0.0]

    def test_they_are_part_of_what_a_run_is(self, finished, material, tmp_path):
        teacher, _ = finished
        pupil = Run(tmp_path / "pupil")

        def learn(teachers):
            train_experts(
                pupil, material, None, SMALL, FrontEnd(), {}, ["universal"], progress=False,
                teachers=teachers,
            )

        learn([teacher])
        assert pupil.read("config.json")["teachers"] == [
            teacher.fingerprint(stage) for stage in ("universal", "second")
        ]
        with pytest.raises(RunError, match="another teachers"):
            learn([])

    def test_they_hear_down_to_one_floor(self, finished, material, tmp_path):
        run, _ = finished
        low, _ = train(
            tmp_path / "low", material, SMALL.replaced(["floor_db=-45"]), ["universal"]
        )
        assert Teachers([low]).floor_db == -45.0 and Teachers([run]).floor_db == -80.0
        with pytest.raises(RunError, match="one floor"):
            Teachers([run, low])

    def test_they_may_hear_more_than_their_pupil(self, finished, material, tmp_path):
        run, _ = finished
        few = SMALL.replaced(["n_mfcc=10", "distillation=1", "universal.epochs=1"])
        pupil = Run(tmp_path / "pupil")
        train_experts(
            pupil, material, material, few, FrontEnd(), {}, ["universal"], progress=False,
            teachers=[run],
        )
        assert pupil.emotion_features().scale == run.emotion_features().scale[:10]
        assert pupil.expert("universal").input_shape == (None, 188, 10, 1)


class TestInitialRun:
    def test_without_an_epoch_its_network_is_kept_with_its_scale(
        self, finished, material, tmp_path
    ):
        known, _ = finished
        half = Material(material.clips[::2], material.log_mels[::2])
        settings = SMALL.replaced(["universal.epochs=0", "network.dropout=0.1", "seed=9"])
        run = Run(tmp_path / "next")
        train_experts(
            run, half, None, settings, FrontEnd(), {}, ["universal"], progress=False,
            initial=[known],
        )
        for one, other in zip(weights(known, "universal"), weights(run, "universal")):
            assert np.array_equal(one, other)
        assert run.emotion_features() == known.emotion_features()
        assert run.read("config.json")["initial"] == [known.fingerprint("universal")]

    def test_the_second_network_begins_with_the_second_one(self, finished, material, tmp_path):
        known, _ = finished
        settings = SMALL.replaced(["universal.epochs=0", "seed=9"])

        def begun(name, initial):
            run = Run(tmp_path / name)
            train_experts(
                run, material, None, settings, FrontEnd(), {}, ["universal", "second"],
                progress=False, initial=initial,
            )
            return weights(run, "second")

        for one, other in zip(begun("one", [known]), weights(known, "second")):
            assert np.array_equal(one, other)
        alone = Run(tmp_path / "alone")
        train_experts(
            alone, material, None, settings, FrontEnd(), {}, ["universal"], progress=False
        )
        for one, other in zip(begun("two", [known, alone]), weights(alone, "universal")):
            assert np.array_equal(one, other)

    def test_the_training_goes_on_from_it_and_is_resumed_to_the_same_weights(
        self, finished, material, tmp_path, monkeypatch
    ):
        known, _ = finished
        made = Batches.epoch

        def stopping(self, epoch):
            for batch in made(self, epoch):
                if epoch == 1:
                    raise KeyboardInterrupt
                yield batch

        def go_on(folder):
            train_experts(
                Run(folder), material, None, SMALL, FrontEnd(), {}, ["universal"], progress=False,
                initial=[known],
            )
            return weights(Run(folder), "universal")

        whole = go_on(tmp_path / "whole")
        monkeypatch.setattr(Batches, "epoch", stopping)
        with pytest.raises(KeyboardInterrupt):
            go_on(tmp_path / "stopped")
        monkeypatch.undo()
        for one, other in zip(whole, go_on(tmp_path / "stopped")):
            assert np.array_equal(one, other)
        assert not all(
            np.array_equal(one, other) for one, other in zip(whole, weights(known, "universal"))
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ("network.dilations=[2]", "another network"),
            ("network.width=16", "another network"),
            ("n_mfcc=20", "another network"),
            ("n_mfcc=10", "other features"),
            ("trim_db=-40.0", "other features"),
        ],
    )
    def test_another_network_or_other_features_are_refused(
        self, finished, material, tmp_path, change, message
    ):
        with pytest.raises(RunError, match=message):
            train_experts(
                Run(tmp_path / "run"), material, None, SMALL.replaced([change]), FrontEnd(), {},
                ["universal"], progress=False, initial=[finished[0]],
            )

    def test_a_network_that_sees_the_first_of_more_coefficients_may_begin_with_one_of_these(
        self, finished, material, tmp_path
    ):
        known, _ = finished
        settings = SMALL.replaced(["universal.epochs=0", "n_mfcc=20", "network.columns=13"])
        run = Run(tmp_path / "run")

        def begin(settings, *initial):
            train_experts(
                run, material, None, settings, FrontEnd(), {}, ["universal"], progress=False,
                initial=initial,
            )

        begin(settings, known)
        features = run.emotion_features()
        assert features.scale[:13] == known.emotion_features().scale and features.n_mfcc == 20
        windows = clip_windows(material.log_mels[0], features)[..., None]
        np.testing.assert_allclose(
            run.expert("universal")(windows), known.expert("universal")(windows[:, :, :13]),
            atol=1e-4,
        )
        for number, change in enumerate(("network.columns=12", "network.spectrum=true")):
            run = Run(tmp_path / f"refused-{number}")
            with pytest.raises(RunError, match="another network"):
                begin(settings.replaced([change]), known)

    def test_a_certain_network_of_a_run_may_be_begun_with(self, finished, material, tmp_path):
        known, _ = finished
        run = Run(tmp_path / "run")
        train_experts(
            run, material, None, SMALL.replaced(["universal.epochs=0"]), FrontEnd(), {},
            ["universal", "second"], progress=False, initial=[(known, "second"), known],
        )
        for stage, begun in (("universal", "second"), ("second", "universal")):
            for one, other in zip(weights(run, stage), weights(known, begun)):
                assert np.array_equal(one, other)

    def test_two_runs_of_different_scales_are_refused(self, finished, material, tmp_path):
        known, _ = finished
        half = Material(material.clips[::2], material.log_mels[::2])
        few = SMALL.replaced(["universal.epochs=0"])
        other, _ = train(tmp_path / "other", half, few, ["universal"])
        with pytest.raises(RunError, match="another scale"):
            train_experts(
                Run(tmp_path / "run"), material, None, few, FrontEnd(), {},
                ["universal", "second"], progress=False, initial=[known, other],
            )

    def test_a_folder_begun_otherwise_is_not_taken_up(self, finished, material):
        with pytest.raises(RunError, match="another initial"):
            train_experts(
                finished[0], material, material, SMALL, FrontEnd(), {}, progress=False,
                initial=[finished[0]],
            )


def softmax_rows(logits):
    return np.stack([softmax(row) for row in logits])


def test_a_run_of_other_settings_or_data_is_not_taken_up(finished, material):
    folder = finished[0].folder
    other = dataclasses.replace(SMALL, label_smoothing=0.2)
    with pytest.raises(RunError, match="another settings"):
        train(folder, material, other)
    half = Material(material.clips[::2], material.log_mels[::2])
    with pytest.raises(RunError, match="another data"):
        train(folder, half)


def test_a_run_without_a_stage_says_which_model_is_missing(material, tmp_path):
    run = Run(tmp_path)
    with pytest.raises(RunError, match="no female.h5"):
        run.expert("female")
    with pytest.raises(RunError, match="features.json cannot be read"):
        run.front_end()


def test_validation_counts_the_recall_of_what_a_corpus_can_be_called(material, features):
    """A network that always knows is worth 100, one that always says neutral 1 of 8 or 7 or 6."""
    always_neutral = np.eye(8, dtype=np.float32)[0] * 10

    scores = Validation(material, features).score(
        lambda inputs: np.tile(always_neutral, (len(inputs), 1))
    )
    assert scores["ravdess all"] == 12.5
    assert scores["savee all"] == round(100 / 7, 2)
    assert scores["crema-d all"] == round(100 / 6, 2)
    assert "savee female" not in scores


def test_the_network_learns_what_can_be_learned(material, features):
    """A few dozen steps on one batch bring the loss well below that of guessing."""
    tf = pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    from training.network import build_network
    from training.tensorflow_setup import keras, seed_everything

    seed_everything(0)
    network = dataclasses.replace(SMALL.network, dropout=0.0, spatial_dropout=0.0, width=16)
    model = build_network(network, 188, 13)
    inputs = np.stack([clip_windows(m, features)[0] for m in material.log_mels[:16]])[..., None]
    targets = material.labels[:16]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(inputs, targets, epochs=60, batch_size=16, verbose=0)
    assert float(loss(targets, model(inputs, training=True))) < 0.5 * np.log(len(set(targets)))
    assert tf.reduce_all(tf.math.is_finite(model(inputs)))


@pytest.mark.parametrize("columns", [0, 24])
@pytest.mark.parametrize("kind", ["plane", "line"])
def test_a_network_of_either_kind_takes_a_window_and_has_no_layer_without_a_use(kind, columns):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    from training.network import build_network

    settings = dataclasses.replace(SMALL.network, kind=kind, columns=columns, halvings=1)
    model = build_network(settings, 188, 16)
    inputs = np.random.default_rng(0).normal(size=(2, 188, 16, 1)).astype(np.float32)
    assert model(inputs).shape == (2, 8)
    assert not np.allclose(model(inputs)[0], model(inputs)[1])


def test_columns_may_be_a_spectrum(features):
    """Of a smooth spectrum, which few coefficients describe, each band is what it was."""
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    from training.network import build_network
    from training.tensorflow_setup import keras

    bands = 32
    rng = np.random.default_rng(0)
    waves = np.cos(np.pi * np.arange(4)[:, None] * (np.arange(bands) + 0.5) / bands)
    spectrum = -30.0 + rng.normal(0.0, 5.0, (188, 4)) @ waves
    cepstrum = normalised_cepstrum(spectrum.astype(np.float32), features)
    settings = dataclasses.replace(SMALL.network, columns=bands, spectrum=True)
    model = build_network(settings, 188, features.n_mfcc, features.scale)
    first = keras.Model(model.input, model.get_layer("columns").output)
    heard = first(cepstrum[None, ..., None]).numpy()[0, :, 0]
    moving = spectrum - spectrum.mean(axis=0)
    factors = np.abs(heard).max(axis=0) / np.abs(moving).max(axis=0)
    np.testing.assert_allclose(heard / factors, moving, atol=0.01)
    assert not model.get_layer("columns").trainable


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("epochs=3", "the settings are seed"),
        ("universal.epochs", "not NAME=VALUE"),
        ("universal.epochs=many", "not NAME=VALUE"),
        ("universal.epochs=2.5", "of another kind"),
        ("universal=3", "set one of its settings"),
        ("seed.one=3", "no settings of its own"),
        ("bfloat16=1", "of another kind"),
    ],
)
def test_a_setting_that_does_not_exist_or_fit_is_named(assignment, message):
    with pytest.raises(SettingsError, match=message):
        TrainingSettings().replaced([assignment])


def test_a_second_network_has_what_it_is_given_and_the_rest_of_the_first():
    settings = TrainingSettings().replaced(
        ["network.width=64", 'second_network={"stem_channels":[8,16],"spatial_dropout":0}']
    )
    assert settings.network_of("universal") == settings.network
    assert settings.network_of("second") == dataclasses.replace(
        settings.network, stem_channels=(8, 16), spatial_dropout=0.0
    )
    with pytest.raises(SettingsError, match="second_network: hight=3"):
        TrainingSettings().replaced(['second_network={"hight":3}']).network_of("second")


def test_the_command_trains_on_the_official_layouts(miniature_corpora, tmp_path, capsys):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    arguments = parsed([
        "--corpora", str(miniature_corpora), "--run", str(tmp_path / "run"),
        "--stages", "universal", "--tensorboard",
        "--hold-out", "savee/KL", "--set", "batch_size=8", "universal.epochs=1", "n_mfcc=13",
        "network.stem_channels=[4,4]", "network.width=8", "network.bottleneck=4",
        "network.dilations=[1]",
    ])
    assert emotion.run(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("universal parameters") and "savee male" in printed
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["settings"]["n_mfcc"] == 13 and len(config["data"]) == 64
    assert "exclude" not in config
    shown = scalars(tmp_path / "run" / "tensorboard" / "universal")
    (line,) = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert shown["loss"] == [(1, pytest.approx(json.loads(line)["loss"], abs=1e-4))]
    assert 0 < shown["learning rate"][0][1] <= 2e-3


def scalars(folder):
    """What TensorBoard reads: by name, (step, value) pairs."""
    import tensorflow as tf

    found = {}
    for path in sorted(folder.iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, []).append((event.step, number))
    return found


def test_the_command_leaves_out_what_is_excluded(miniature_corpora, tmp_path, capsys, monkeypatch):
    trained = {}

    def instead(run, train, validation, settings, front_end, config, *others, **more):
        trained.update(train=train, validation=validation, config=config)
        return {}

    monkeypatch.setattr(emotion, "train_experts", instead)
    command = ["emotion", "--corpora", str(miniature_corpora), "--run", str(tmp_path / "run")]
    assert main([*command, "--exclude", "tess", "savee/KL", "--hold-out", "savee/JE"]) == 0
    speakers = {f"{clip.corpus}/{clip.speaker}" for clip in trained["train"].clips}
    assert "tess" not in trained["train"].corpora and len(speakers) > 3
    assert not {"savee/KL", "savee/JE"} & speakers and "savee/JK" in speakers
    assert "savee/JE" in {f"{c.corpus}/{c.speaker}" for c in trained["validation"].clips}
    assert trained["config"]["exclude"] == ["savee/KL", "tess"]
    assert main([*command, "--exclude", "savee/XX"]) == 2
    assert "no clip is of savee/XX" in capsys.readouterr().err


def test_a_stage_may_be_named_behind_the_run_to_begin_with():
    (run, stage), other = parsed(
        ["--corpora", "corpora", "--run", "run", "--initial", "runs/one:second", "runs/two:else"]
    ).initial
    assert (run.folder, stage) == (Path("runs/one"), "second")
    assert other.folder == Path("runs/two:else")


def test_the_command_makes_networks_as_those_that_ship(miniature_corpora, tmp_path, capsys):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    from edge.bundle import Bundle
    from edge.graph import read_graph
    arguments = parsed([
        "--corpora", str(miniature_corpora), "--run", str(tmp_path / "run"),
        "--stages", "universal", "second", "--shipped-networks",
        "--set", "batch_size=8", "universal.epochs=0",
    ])
    assert emotion.run(arguments) == 0
    run, shipped = Run(tmp_path / "run"), Bundle.load()
    assert run.emotion_features().n_mfcc == shipped.emotion_features.n_mfcc
    for stage, gender in (("universal", "female"), ("second", "male")):
        file = shipped.folder / shipped.manifest["experts"][gender]["file"]
        graph = read_graph(file.read_bytes())
        kernels = [
            graph.tensors[operator.inputs[1]].shape
            for operator in graph.operators if operator.kind in ("CONV_2D", "FULLY_CONNECTED")
        ]
        assert [
            np.moveaxis(layer.kernel.numpy(), -1, 0).shape
            for layer in run.expert(stage).layers if hasattr(layer, "kernel")
        ] == kernels
